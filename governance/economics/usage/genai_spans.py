"""Find the spans that are model calls, and convert each to a usage event.

OpenTelemetry's input tokens include those of a cache, and its output tokens include reasoning. Our
buckets are disjoint: input = input_tokens - cache_read - cache_creation, output = output_tokens -
reasoning. Pure: no database, no clock.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from governance.economics.usage import genai_names
from governance.economics.usage.genai_names import CALLS, FAILURES, NO_CALLS, REFUSALS, TOKENS

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MAX_NANOSECONDS = 2**63 - 1
MAX_ATTRIBUTES = 1000  # per span or resource
MAX_VALUES = 20  # values of a list that are read
TOO_MANY_ATTRIBUTES = f"A span has at most {MAX_ATTRIBUTES:,} attributes."

type Attributes = Mapping[str, Any]  # text, numbers, booleans and lists of them, by name


@dataclass(frozen=True, slots=True)
class SentSpan:
    """A span as it was sent; `name` identifies it in an answer.

    trace_id, span_id   32 and 16 hexadecimal digits
    ended               nanoseconds since 1970
    attributes          those of genai_names.SPAN_NAMES; `resource` those of RESOURCE_NAMES
    """

    name: str
    trace_id: str
    span_id: str
    ended: int
    has_error: bool
    attributes: Attributes
    resource: Attributes


@dataclass(frozen=True, slots=True)
class RejectedSpan:
    """A span that can't be stored, with its name and the reason."""

    name: str
    reason: str


class _Wrong(Exception):
    """The reason why a span can't be stored."""


def event_of(span: SentSpan) -> dict[str, Any] | RejectedSpan | None:
    """Return the usage event of a model call in the API's JSON form, or None for any other span.

    The caller still checks texts and sizes as for any event (usage_events.py).
    """
    if not is_call(span):
        return None
    try:
        return _event(span)
    except _Wrong as wrong:
        return RejectedSpan(span.name, str(wrong))


def is_call(span: SentSpan) -> bool:
    """Return whether a span calls a model: by its operation or, if it has none, by its tokens."""
    operation = _found(span, "operation")
    if operation in CALLS or operation in NO_CALLS:
        return operation in CALLS
    return any(name in span.attributes for each in TOKENS for name in genai_names.SPAN[each])


def _event(span: SentSpan) -> dict[str, Any]:
    if not 0 < span.ended <= MAX_NANOSECONDS:
        raise _Wrong("endTimeUnixNano is no instant.")
    model, system = _found(span, "model"), _found(span, "system")
    if model is None:
        raise _Wrong("Send gen_ai.request.model.")
    if system is None:
        raise _Wrong("Send the AI system as service.name or governance.system.")
    provider = _found(span, "provider")
    event = {
        "id": f"{span.trace_id}-{span.span_id}",
        "at": (EPOCH + timedelta(microseconds=span.ended // 1000)).isoformat(),
        "system": system,
        "feature": _found(span, "feature"),
        "provider": genai_names.PROVIDERS.get(provider, provider)
        if isinstance(provider, str)
        else provider,
        "model": model,
        "outcome": _outcome(span),
        "request": span.trace_id,
        "task": _found(span, "task"),
        "user": _found(span, "user"),
        "tokens": _buckets({each: _tokens(span, each) for each in TOKENS}),
    }
    return {name: value for name, value in event.items() if value is not None}


def _found(span: SentSpan, what: str) -> Any:
    """Return the first value under any name of `what`, from the span, then from its resource."""
    for names, attributes in (
        (genai_names.SPAN.get(what, ()), span.attributes),
        (genai_names.RESOURCE.get(what, ()), span.resource),
    ):
        for name in names:
            if attributes.get(name) not in (None, ""):
                return attributes[name]
    return None


def _tokens(span: SentSpan, what: str) -> int:
    for name in genai_names.SPAN[what]:
        if (value := span.attributes.get(name)) is not None:
            if isinstance(value, float) and value.is_integer():
                value = int(value)
            if type(value) is not int:
                raise _Wrong(f"{name} must be a whole number.")
            if value < 0:
                raise _Wrong(f"{name} is negative.")
            return value
    return 0


def _buckets(total: Mapping[str, int]) -> dict[str, int]:
    """Split OpenTelemetry's totals into disjoint buckets. Raises if a part exceeds its total."""
    read = total["input"] - total["cache_read"] - total["cache_write"]
    if read < 0:
        raise _Wrong(
            f"{total['cache_read']:,} cache_read and {total['cache_write']:,} cache_creation"
            f" exceed {total['input']:,} input_tokens, which include them."
        )
    written = total["output"] - total["reasoning"]
    if written < 0:
        raise _Wrong(
            f"{total['reasoning']:,} reasoning exceed {total['output']:,} output_tokens,"
            " which include them."
        )
    return {**total, "input": read, "output": written}


def _outcome(span: SentSpan) -> str:
    finish, error = _found(span, "finish"), _found(span, "error")
    reasons = finish if isinstance(finish, list) else [finish]
    said = {each.lower() for each in (*reasons, error) if isinstance(each, str)}
    if said & REFUSALS:
        return "refused"
    return "failed" if span.has_error or error is not None or said & FAILURES else "success"
