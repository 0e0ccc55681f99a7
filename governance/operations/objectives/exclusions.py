"""The exclusions of the tenant over a span, and which of them hide minutes of an indicator."""

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

from governance.kernel.intervals import Span


class Hidden(NamedTuple):
    """A span that an exclusion hides; without a system it hides those of all systems."""

    span: Span
    system_id: UUID | None
    indicator_id: UUID | None
    exclusion: Any


def hidden_spans(within: Span) -> Sequence[Hidden]:
    """Return the approved exclusions of the tenant in that span; one statement."""
    return []


def applying(hidden: Sequence[Hidden], *, system_id: UUID, indicator_id: UUID) -> list[Hidden]:
    """Return those that hide minutes of this indicator."""
    return [
        each
        for each in hidden
        if each.system_id in {None, system_id} and each.indicator_id in {None, indicator_id}
    ]
