"""Store the model calls among the spans of an OTLP request.

A span is identified by its trace id and span id, so that one that is exported again counts once.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from governance.economics.usage import (
    actions,
    genai_names,
    metrics,
    otlp_json,
    usage_events,
)
from governance.economics.usage.genai_spans import RejectedSpan, SentSpan, event_of
from governance.economics.usage.usage_events import MAX_EVENTS, TooManyEvents
from governance.kernel.errors import Invalid
from governance.kernel.web.batch_requests import BatchSize

MOST = BatchSize(rows=MAX_EVENTS, size=actions.MOST.size, noun="spans")
JSON, PROTOBUF = "application/json", "application/x-protobuf"


class UnsupportedMediaType(Invalid):
    """The media type of the body isn't an encoding of OTLP/HTTP."""

    status = 415


@dataclass(frozen=True, slots=True)
class ExportResult:
    """The result of an export. Spans that call no model are ignored."""

    accepted: int
    duplicate: int
    ignored: int
    rejected: Sequence[RejectedSpan]


def export(body: bytes, media_type: str) -> ExportResult:
    """Store the model calls and name each span that can't be stored.

    Raises UnreadableBatch, TooLarge and UnsupportedMediaType.
    """
    try:
        result = _store(_spans(body, media_type))
    except TooManyEvents:
        raise MOST.too_large() from None
    metrics.spans.labels("accepted").inc(result.accepted)
    metrics.spans.labels("duplicate").inc(result.duplicate)
    metrics.spans.labels("ignored").inc(result.ignored)
    metrics.spans.labels("rejected").inc(len(result.rejected))
    return result


def _spans(body: bytes, media_type: str) -> Iterator[SentSpan | RejectedSpan]:
    if media_type == JSON:
        return otlp_json.read(body)
    if media_type == PROTOBUF:
        from governance.economics.usage import otlp_protobuf  # noqa: PLC0415 - loads protobuf

        return otlp_protobuf.read(body)
    raise UnsupportedMediaType(f"Send {JSON} or {PROTOBUF}.")


def _store(spans: Iterator[SentSpan | RejectedSpan]) -> ExportResult:
    names, events, rejected, ignored = list[str](), list[dict[str, Any]](), [], 0
    for span in spans:
        found = event_of(span) if isinstance(span, SentSpan) else span
        if found is None:
            ignored += 1
        elif isinstance(found, RejectedSpan):
            rejected.append(found)
        else:
            names.append(span.name)
            events.append(found)
    counts = actions.store(usage_events.read(msgspec.json.encode(events)))
    rejected += [RejectedSpan(names[each["row"] - 1], _reason(each)) for each in counts["errors"]]
    return ExportResult(counts["accepted"], counts["duplicate"], ignored, rejected)


def _reason(error: dict[str, Any]) -> str:
    """Return the reason, followed by the attributes from which its field is read."""
    field = error["field"].removeprefix("tokens.")
    names = (*genai_names.SPAN.get(field, ()), *genai_names.RESOURCE.get(field, ()))
    read_from = f" ({', '.join(dict.fromkeys(names))})" if names else ""
    return f"{error['reason']}{read_from}"
