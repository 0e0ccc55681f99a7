"""Spans of an OTLP request in JSON: camelCase names, hexadecimal ids, integers also as strings.

Fields that a usage event doesn't need are skipped unparsed, and each span is parsed by itself, so
that an invalid one doesn't reject the others.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from msgspec import Raw, Struct

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

MAX_OBJECTS = 100 * MAX_EVENTS  # braces per request: 8 MB of spans have fewer
_IDS = re.compile(r"[0-9a-fA-F]{32}-[0-9a-fA-F]{16}")
_ERROR = (2, "2", "STATUS_CODE_ERROR")


class _Scalar(Struct, rename="camel"):
    string_value: str | None = None
    int_value: int | str | None = None
    double_value: int | float | str | None = None
    bool_value: bool | None = None


class _List(Struct):
    values: list[_Scalar] | None = None


class _Value(_Scalar, rename="camel"):
    array_value: _List | None = None


class _Attribute(Struct):
    key: str = ""
    value: _Value | None = None


class _Resource(Struct):
    attributes: list[_Attribute] | None = None


class _Status(Struct):
    code: int | str | None = None


class _Span(Struct, rename="camel"):
    trace_id: str = ""
    span_id: str = ""
    end_time_unix_nano: int | str | None = None
    attributes: list[_Attribute] | None = None
    status: _Status | None = None


class _ScopeSpans(Struct):
    spans: list[Raw] | None = None


class _ResourceSpans(Struct, rename="camel"):
    resource: _Resource | None = None
    scope_spans: list[_ScopeSpans] | None = None


class _Request(Struct, rename="camel"):
    resource_spans: list[_ResourceSpans] | None = None


_REQUEST, _SPAN = msgspec.json.Decoder(_Request), msgspec.json.Decoder(_Span)


def read(body: bytes) -> Iterator[SentSpan | RejectedSpan]:
    """Yield the spans of a request. Raises UnreadableBatch and TooManyEvents."""
    if body.count(b"{") > MAX_OBJECTS:
        raise TooManyEvents
    number = 0
    for sent in _request(body).resource_spans or ():
        resource = _resource(sent.resource)
        for scope in sent.scope_spans or ():
            for span in scope.spans or ():
                number += 1
                if number > MAX_EVENTS:
                    raise TooManyEvents
                yield _span(span, number, resource)


def _request(body: bytes) -> _Request:
    try:
        return _REQUEST.decode(body)
    except msgspec.ValidationError:
        raise UnreadableBatch(
            "The body is no ExportTraceServiceRequest. Nothing was saved."
        ) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise UnreadableBatch("The body isn't valid JSON. Nothing was saved.") from None


def _resource(resource: _Resource | None) -> Attributes:
    sent = (resource.attributes if resource else None) or ()
    if len(sent) > MAX_ATTRIBUTES:
        raise UnreadableBatch(
            f"A resource has at most {MAX_ATTRIBUTES:,} attributes. Nothing was saved."
        )
    try:
        return _attributes(sent, RESOURCE_NAMES)
    except ValueError:
        raise UnreadableBatch("A resource can't be read. Nothing was saved.") from None


def _span(raw: Raw, number: int, resource: Attributes) -> SentSpan | RejectedSpan:
    try:
        span = _SPAN.decode(raw)
        ended = int(span.end_time_unix_nano or 0)
        attributes = _attributes(span.attributes or (), SPAN_NAMES)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError):
        return RejectedSpan(f"span {number}", "It isn't a span as OTLP has it in JSON.")
    name = f"{span.trace_id}-{span.span_id}"
    if _IDS.fullmatch(name) is None:
        return RejectedSpan(f"span {number}", "traceId has 32 and spanId 16 hexadecimal digits.")
    if len(span.attributes or ()) > MAX_ATTRIBUTES:
        return RejectedSpan(f"span {number}", TOO_MANY_ATTRIBUTES)
    return SentSpan(
        name.lower(),
        span.trace_id.lower(),
        span.span_id.lower(),
        ended,
        span.status is not None and span.status.code in _ERROR,
        attributes,
        resource,
    )


def _attributes(sent: Sequence[_Attribute], wanted: frozenset[str]) -> dict[str, Any]:
    return {
        each.key: _value(each.value)
        for each in sent
        if each.key in wanted and each.value is not None
    }


def _value(value: _Value) -> Any:
    if value.array_value is not None:
        return [_scalar(each) for each in (value.array_value.values or ())[:MAX_VALUES]]
    return _scalar(value)


def _scalar(value: _Scalar) -> Any:
    """Return the value. An integer written as a string becomes an int."""
    if value.int_value is not None:
        return int(value.int_value)
    if value.double_value is not None:
        return float(value.double_value)
    return value.string_value if value.string_value is not None else value.bool_value
