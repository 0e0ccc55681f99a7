"""The parts of a revision: its content, its changes since the previous one, and its file.

    content(…)           the statement of a data file
    input_digest(…)      digest of facts and minute counts: equal inputs make no revision
    changes(…)           minutes, figures and exclusions that differ between two revisions
    notes_of(…)          runs of minutes without data and minutes down, for names and links
    pack(…), unpack(…)   the zip of signed PDF and signed data file

Pure.
"""

import hashlib
import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import rfc8785

from governance.kernel.intervals import MINUTE, Span
from governance.publishing.statements import data_file
from governance.publishing.statements.minute_counts import (
    MonthCounts,
    decode,
    encode,
    is_down_rule,
)
from governance.publishing.statements.statement_calculation import (
    COMPARED,
    changed_lines,
    read_span,
    rule_of,
)

PDF_NAME = "sla-statement.pdf"
MAX_RUNS = 400  # Of one indicator, in notes and changes.
# The time of a file in a zip, so that the same content gives the same bytes.
EARLIEST = (1980, 1, 1, 0, 0, 0)


def number_of(slug: str, ref: str, month: str, revision: int) -> str:
    """Return the statement's name on its signature, such as "acme-AGR-2-2026-10-r2"."""
    return f"{slug}-{ref}-{month}-r{revision}"


def file_name(slug: str, month: str, revision: int) -> str:
    """Return a name such as "acme-2026-10-r2.zip"."""
    return f"{slug}-{month}-r{revision}.zip"


def input_digest(facts: Mapping[str, Any], counts: Mapping[str, MonthCounts]) -> str:
    """Return the SHA-256 of all inputs that the figures follow from."""
    days = {
        each["key"]: [day["sha256"] for day in encode(counts[each["key"]], rule_of(each))]
        for each in facts["indicators"]
    }
    content: dict[str, Any] = {"facts": facts, "days": days}
    return hashlib.sha256(rfc8785.dumps(content)).hexdigest()


def content(
    facts: Mapping[str, Any],
    indicators: Sequence[Mapping[str, Any]],
    result: Mapping[str, Any],
    document: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the statement of a data file.

    `document` has tenant, revision, instants, log and key.
    """
    return {**facts, "indicators": list(indicators), "result": dict(result), **document}


def facts_of(statement: Mapping[str, Any]) -> dict[str, Any]:
    """Return a data file's statement without its minutes, for storage in a row."""
    stripped = [
        {name: value for name, value in each.items() if name != data_file.MINUTES}
        for each in statement["indicators"]
    ]
    return {**statement, "indicators": stripped}


def notes_of(
    facts: Mapping[str, Any], counts: Mapping[str, MonthCounts]
) -> dict[str, dict[str, list[list[str]]]]:
    """Map each indicator's key to runs of minutes: "unknown", "down", and "lost" (with lost
    events).
    """
    notes = {}
    for each in facts["indicators"]:
        held = counts[each["key"]]
        is_down = is_down_rule(rule_of(each))
        pairs = list(zip(held.good, held.total, strict=True))
        notes[each["key"]] = {
            "unknown": runs(held.span, [total < 0 for _, total in pairs]),
            "down": runs(held.span, [t >= 0 and is_down(g, t) for g, t in pairs]),
            "lost": runs(held.span, [g < t for g, t in pairs])
            if each["kind"] != "downtime"
            else [],
        }
    return notes


def runs(span: Span, marked: Sequence[bool]) -> list[list[str]]:
    """Return the runs of marked minutes as ["…Z", "…Z"], at most MAX_RUNS."""
    return [
        [_text(each.start), _text(each.end)]
        for _, each in zip(range(MAX_RUNS), _runs(span, marked), strict=False)
    ]


def _runs(span: Span, marked: Sequence[bool]) -> Iterator[Span]:
    start = None
    for place, is_marked in enumerate([*marked, False]):
        if is_marked and start is None:
            start = place
        elif not is_marked and start is not None:
            yield Span(span.start + start * MINUTE, span.start + place * MINUTE)
            start = None


def _text(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """Return the differences between the statements of two data files."""
    lines = [
        {
            "commitment": change.name,
            "version": (change.after or change.before or {})["version"],
            "values": {name: change.values(name) for name in COMPARED if change.differs(name)},
        }
        for change in changed_lines(before["result"], after["result"])
    ]
    return {
        "minutes": [*_changed_minutes(before, after)],
        "lines": lines,
        "exclusions": _changed_exclusions(before["exclusions"], after["exclusions"]),
        "credit": [before["result"]["credit"], after["result"]["credit"]],
    }


def _changed_minutes(
    before: Mapping[str, Any], after: Mapping[str, Any]
) -> Iterator[dict[str, Any]]:
    old = {each["key"]: each for each in before["indicators"]}
    for each in after["indicators"]:
        earlier = old.get(each["key"])
        if earlier is None or read_span(before["span"]) != read_span(after["span"]):
            continue
        span, rule = read_span(after["span"]), rule_of(each)
        was = decode(earlier["days"], span, each["key"], rule).counts
        now = decode(each["days"], span, each["key"], rule).counts
        differs = [
            (a, b) != (c, d)
            for a, b, c, d in zip(was.good, was.total, now.good, now.total, strict=True)
        ]
        if any(differs):
            yield {
                "indicator": each["key"],
                "count": sum(differs),
                "spans": runs(span, differs),
            }


def _changed_exclusions(
    before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]
) -> dict[str, list[dict[str, Any]]]:
    old, new = [dict(each) for each in before], [dict(each) for each in after]
    return {
        "removed": [each for each in old if each not in new],
        "added": [each for each in new if each not in old],
    }


def pack(pdf: bytes, signature: str, data: bytes) -> bytes:
    """Return the zip that a reader downloads. The same content gives the same bytes."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, each in (
            (PDF_NAME, pdf),
            (f"{PDF_NAME}.sig", signature.encode()),
            (data_file.NAME, data),
        ):
            info = zipfile.ZipInfo(name, EARLIEST)
            info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            archive.writestr(info, each)
    return packed.getvalue()


def unpack(packed: bytes, name: str) -> bytes:
    """Return one file of the zip. Raises KeyError for another name."""
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        return archive.read(name)
