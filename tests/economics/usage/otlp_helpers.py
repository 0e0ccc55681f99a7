"""Spans as OpenTelemetry's exporters send them, in both encodings."""

import gzip
import json
from typing import Any

from google.protobuf.json_format import MessageToDict
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.economics.usage.usage_helpers import NOW, SYSTEM

TRACES = "/api/v1/otlp/v1/traces"
TRACE = "5b8efff798038103d269b633813fc60c"
CALL = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "anthropic",
    "gen_ai.request.model": "claude-sonnet-4-5",
    "gen_ai.usage.input_tokens": 100,
    "gen_ai.usage.output_tokens": 10,
}


def name_of(number: int) -> str:
    return f"{TRACE}-{number:016x}"


def span(number: int = 1, *, error: bool = False, ended: Any = NOW, **attributes: Any) -> Span:
    """Return a span. Attribute names have __ for a dot; None omits one of CALL."""
    made = Span(
        trace_id=bytes.fromhex(TRACE),
        span_id=number.to_bytes(8),
        name="chat",
        end_time_unix_nano=int(ended.timestamp() * 10**6) * 1000,
    )
    made.status.code = 2 if error else 0
    given = {name.replace("__", "."): value for name, value in attributes.items()}
    for name, value in (CALL | given).items():
        if value is not None:
            _set(made.attributes.add(key=name).value, value)
    return made


def _set(target: Any, value: Any) -> None:
    kinds = {bool: "bool_value", int: "int_value", float: "double_value", str: "string_value"}
    if isinstance(value, list):
        for each in value:
            _set(target.array_value.values.add(), each)
    else:
        setattr(target, kinds[type(value)], value)


def request(*spans: Span, **resource: str) -> ExportTraceServiceRequest:
    made = ExportTraceServiceRequest()
    sent = made.resource_spans.add()
    named = {name.replace("__", "."): value for name, value in resource.items()}
    for name, value in ({"service.name": SYSTEM} | named).items():
        if value is not None:
            _set(sent.resource.attributes.add(key=name).value, value)
    sent.scope_spans.add().spans.extend(spans)
    return made


def as_json(sent: ExportTraceServiceRequest) -> bytes:
    """Return OTLP's JSON, which is protobuf's with hexadecimal ids."""
    found = MessageToDict(sent, use_integers_for_enums=True)
    for resource, sent_resource in zip(
        found.get("resourceSpans", []), sent.resource_spans, strict=True
    ):
        for scope, sent_scope in zip(
            resource.get("scopeSpans", []), sent_resource.scope_spans, strict=True
        ):
            for each, sent_span in zip(scope.get("spans", []), sent_scope.spans, strict=True):
                each["traceId"] = sent_span.trace_id.hex()
                each["spanId"] = sent_span.span_id.hex()
    return json.dumps(found).encode()


class Exporter:
    """A product that sends spans in one of the encodings."""

    def __init__(self, product: Any, encoding: str) -> None:
        self.product, self.encoding = product, encoding
        self.kind = f"application/{'json' if encoding == 'json' else 'x-protobuf'}"

    def post(self, body: bytes, *, packed: bool = False, **headers: str) -> Any:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if packed:
            body, named = gzip.compress(body), named | {"Content-Encoding": "gzip"}
        base = {"Authorization": f"Bearer {self.product.secret}", "Content-Type": self.kind}
        return self.product.client.post(TRACES, headers=base | named, data=body)

    def body(self, *spans: Span, **resource: Any) -> bytes:
        sent = request(*spans, **resource)
        return as_json(sent) if self.encoding == "json" else sent.SerializeToString()

    def send(self, *spans: Span, packed: bool = False, **resource: Any) -> tuple[int, str]:
        """Send spans. Return the number of rejected spans and the message that names them."""
        reply = self.post(self.body(*spans, **resource), packed=packed)
        assert (reply.status_code, reply.mimetype) == (200, self.kind), reply.data
        if self.encoding == "json":
            found = reply.json.get("partialSuccess", {})
            return int(found.get("rejectedSpans", 0)), found.get("errorMessage", "")
        answer = ExportTraceServiceResponse.FromString(reply.data).partial_success
        return answer.rejected_spans, answer.error_message

    def refused(self, body: bytes, **options: Any) -> tuple[int, int, str]:
        """Send a body. Return HTTP's status, google.rpc's code and the reason."""
        reply = self.post(body, **options)
        assert reply.mimetype == self.kind, reply.data
        if self.encoding == "json":
            return reply.status_code, reply.json["code"], reply.json["message"]
        status = Status.FromString(reply.data)
        return reply.status_code, status.code, status.message
