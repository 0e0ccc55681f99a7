"""The Jinja environment of every report's page, with the shared filters."""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from governance.assurance.evidence.freshness import CURRENT
from governance.publishing.reports.ai_rmf.attachments import sha256
from governance.publishing.reports.ai_rmf.risk_section import mark, state_mark, state_word
from governance.publishing.reports.ai_rmf.section_sentences import anchor
from governance.publishing.reports.ai_rmf.snapshot import Requirement, is_met, shortfall
from governance.publishing.reports.built_document import short_digest
from governance.publishing.reports.order.section import order_section
from governance.publishing.reports.wording import (
    NB,
    NO_VALUE,
    capital,
    clip,
    day,
    digits,
    instant,
    keep_last_words_together,
    many,
    many_digits,
    moment,
    per_cent,
    sentence,
)

TEMPLATES = Path(__file__).resolve().parents[3] / "templates"
CELLS_PER_ROW = 7  # Of the heat map.


@cache
def environment() -> Environment:
    """Return the environment of all kinds' templates, with the shared filters."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "day": day,
        "short_day": lambda value, missing=NO_VALUE: day(value, short=True, missing=missing),
        "instant": instant,
        "clip": clip,
        "keep_last_words_together": keep_last_words_together,
        "capital": capital,
        "sentence": sentence,
        "many": many,
        "many_digits": many_digits,
        "digits": digits,
        "moment": moment,
        "short": shortfall,
        "met": is_met,
        "short_digest": short_digest,
        "risk_mark": mark,
        "acceptance_mark": state_mark,
        "acceptance_word": state_word,
        "groups": lambda digits: " ".join(re.findall(".{1,8}", digits)),
        "sha256": sha256,
        "order_section": order_section,
        "anchor": anchor,
        "nbsp": lambda text: text.replace(" ", NB),
        "tail": lambda ref: "." + ref.rsplit(".", 1)[-1] if "." in ref else ref.rsplit(" ", 1)[-1],
        "known": lambda value: NO_VALUE if value is None else value,
        "chunks": _chunks,
        "current_of": _current_of,
        "size": size,
        "share": lambda pair: NO_VALUE if per_cent(*pair) is None else f"{per_cent(*pair)}%",
    }
    return environment


def size(count: int) -> str:
    """Return bytes as "61 KB" or "1.9 MB"."""
    if count < 1_000:  # noqa: PLR2004 - the number is plain from its line
        return f"{count}{NB}bytes"
    return (
        f"{count / 1_000_000:.1f}{NB}MB" if count >= 1_000_000 else f"{round(count / 1_000)}{NB}KB"  # noqa: PLR2004
    )


def _chunks(rows: Sequence[Requirement]) -> Iterator[Sequence[Requirement]]:
    return (rows[start : start + CELLS_PER_ROW] for start in range(0, len(rows), CELLS_PER_ROW))


def _current_of(row: Requirement) -> str:
    states = [piece["state"] for control in row["controls"] for piece in control["evidence"]]
    return f"{sum(state in CURRENT for state in states)} of {len(states)}" if states else "0"
