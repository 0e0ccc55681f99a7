"""Spans of an OTLP request, and its answers, in protobuf.

The outer messages are walked, so that spans are counted before memory is allocated for them, and
each span is parsed by itself. A message of two bytes takes 170 bytes once it is parsed.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status

from governance.economics.usage.genai_names import RESOURCE_NAMES, SPAN_NAMES
from governance.economics.usage.genai_spans import (
    MAX_ATTRIBUTES,
    MAX_VALUES,
    TOO_MANY_ATTRIBUTES,
    Attributes,
    RejectedSpan,
    SentSpan,
)
from governance.economics.usage.usage_events import MAX_EVENTS, TooManyEvents
from governance.kernel.web.batch_requests import UnreadableBatch

MAX_SPAN_BYTES = 1024 * 1024
TRACE_ID_BYTES, SPAN_ID_BYTES = 16, 8
MAX_FIELDS = 20 * MAX_EVENTS  # fields outside of spans, each walked twice at most
VARINT, LENGTH = 0, 2  # wire types
FIXED = {1: 8, 5: 4}  # size in bytes by fixed-size wire type
MAX_VARINT_BITS = 64


def _number(message: Any, field: str) -> int:
    return int(message.DESCRIPTOR.fields_by_name[field].number)


_RESOURCE_SPANS = _number(ExportTraceServiceRequest, "resource_spans")
_RESOURCE, _SCOPE_SPANS = (_number(ResourceSpans, each) for each in ("resource", "scope_spans"))
_SPANS = _number(ScopeSpans, "spans")


def read(body: bytes) -> Iterator[SentSpan | RejectedSpan]:
    """Yield the spans of a request. Raises UnreadableBatch and TooManyEvents."""
    number, wire = 0, _Wire()
    for sent in wire.parts(memoryview(body), _RESOURCE_SPANS):
        resource = _resource(b"".join(wire.parts(sent, _RESOURCE)))
        for scope in wire.parts(sent, _SCOPE_SPANS):
            for span in wire.parts(scope, _SPANS):
                number += 1
                if number > MAX_EVENTS:
                    raise TooManyEvents
                yield _span(span, number, resource)


def _resource(sent: bytes) -> Attributes:
    try:
        resource = Resource.FromString(sent) if len(sent) <= MAX_SPAN_BYTES else None
    except DecodeError:
        raise _unreadable() from None
    if resource is None or len(resource.attributes) > MAX_ATTRIBUTES:
        raise UnreadableBatch(
            f"A resource has at most {MAX_ATTRIBUTES:,} attributes and 1 MB. Nothing was saved."
        )
    return _attributes(resource.attributes, RESOURCE_NAMES)


def _span(sent: memoryview, number: int, resource: Attributes) -> SentSpan | RejectedSpan:
    if len(sent) > MAX_SPAN_BYTES:
        return RejectedSpan(f"span {number}", "A span has at most 1 MB.")
    try:
        span = Span.FromString(bytes(sent))
    except DecodeError:
        return RejectedSpan(f"span {number}", "It isn't a span as OTLP has it in protobuf.")
    if (len(span.trace_id), len(span.span_id)) != (TRACE_ID_BYTES, SPAN_ID_BYTES):
        return RejectedSpan(f"span {number}", "trace_id has 16 and span_id 8 bytes.")
    if len(span.attributes) > MAX_ATTRIBUTES:
        return RejectedSpan(f"span {number}", TOO_MANY_ATTRIBUTES)
    trace_id, span_id = span.trace_id.hex(), span.span_id.hex()
    return SentSpan(
        f"{trace_id}-{span_id}",
        trace_id,
        span_id,
        span.end_time_unix_nano,
        span.status.code == Status.STATUS_CODE_ERROR,
        _attributes(span.attributes, SPAN_NAMES),
        resource,
    )


def _attributes(sent: Sequence[KeyValue], wanted: frozenset[str]) -> dict[str, Any]:
    return {each.key: _value(each.value) for each in sent if each.key in wanted}


def _value(value: AnyValue) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_scalar(each) for each in value.array_value.values[:MAX_VALUES]]
    return _scalar(value)


def _scalar(value: AnyValue) -> Any:
    kind = value.WhichOneof("value")
    scalars = ("string_value", "int_value", "double_value", "bool_value")
    return getattr(value, kind) if kind in scalars else None


# ---- wire format


class _Wire:
    """A walk over messages that limits the number of fields in a request."""

    def __init__(self) -> None:
        self._fields_left = MAX_FIELDS

    def parts(self, message: memoryview, field: int) -> Iterator[memoryview]:
        """Yield the values of a field, in order. Raises UnreadableBatch and TooManyEvents."""
        at, end = 0, len(message)
        while at < end:
            self._fields_left -= 1
            if not self._fields_left:
                raise TooManyEvents
            tag, at = _varint(message, at)
            kind, number, size = tag & 7, tag >> 3, 0
            if kind == VARINT:
                _skipped, at = _varint(message, at)
            elif kind == LENGTH:
                size, at = _varint(message, at)
            elif kind in FIXED:
                size = FIXED[kind]
            else:
                raise _unreadable()
            if number == 0 or size > end - at:
                raise _unreadable()
            if kind == LENGTH and number == field:
                yield message[at : at + size]
            at += size


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    """Return the number at this position and the position after it. Raises UnreadableBatch."""
    number = 0
    for shift in range(0, MAX_VARINT_BITS, 7):
        if at >= len(message):
            raise _unreadable()
        byte = message[at]
        number |= (byte & 0x7F) << shift
        at += 1
        if byte < 0x80:  # noqa: PLR2004 - the last byte of a number
            return number, at
    raise _unreadable()


def _unreadable() -> UnreadableBatch:
    return UnreadableBatch(
        "The body is no ExportTraceServiceRequest in protobuf. Nothing was saved."
    )
