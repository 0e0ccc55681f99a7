"""Answers to an OTLP exporter, in the encoding of its request.

ExportTraceServiceResponse    with `partial_success` that names spans which can't be stored
google.rpc.Status             for a request of which nothing is stored
"""

from collections.abc import Sequence

from google.protobuf.json_format import MessageToJson
from google.protobuf.message import Message
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from governance.economics.usage.genai_spans import RejectedSpan

MAX_NAMED_SPANS = 20
# google.rpc codes by HTTP status; any other is UNKNOWN.
CODES = {
    400: 3,  # INVALID_ARGUMENT
    401: 16,  # UNAUTHENTICATED
    403: 7,  # PERMISSION_DENIED
    404: 5,  # NOT_FOUND
    409: 10,  # ABORTED
    413: 8,  # RESOURCE_EXHAUSTED
    415: 3,
    422: 3,
    429: 8,
    500: 13,  # INTERNAL
    503: 14,  # UNAVAILABLE
}
UNKNOWN = 2


def exported(rejected: Sequence[RejectedSpan], *, as_json: bool) -> bytes:
    """Return the answer to a request that was stored, except for the rejected spans."""
    answer = ExportTraceServiceResponse()
    if rejected:
        answer.partial_success.rejected_spans = len(rejected)
        answer.partial_success.error_message = _named(rejected)
    return _encoded(answer, as_json=as_json)


def refused(status: int, reason: str, *, as_json: bool) -> bytes:
    """Return the answer to a request of which nothing is stored; `status` is the HTTP status."""
    return _encoded(Status(code=CODES.get(status, UNKNOWN), message=reason), as_json=as_json)


def _named(rejected: Sequence[RejectedSpan]) -> str:
    named = "; ".join(f"{each.name}: {each.reason}" for each in rejected[:MAX_NAMED_SPANS])
    more = len(rejected) - MAX_NAMED_SPANS
    return f"{named}; and {more:,} more" if more > 0 else named


def _encoded(message: Message, *, as_json: bool) -> bytes:
    if as_json:
        return MessageToJson(message, indent=None).encode()
    return message.SerializeToString()
