"""The tenant's exclusions over a span, and those that hide minutes of an indicator.

Objectives count every approved exclusion. Required notice and categories are part of agreements, so
they don't apply here.
"""

from collections.abc import Sequence
from uuid import UUID

from governance.kernel.intervals import Span
from governance.operations.maintenance.queries import ExclusionSpan, approved_in, series_of
from governance.operations.maintenance.recurrence import occurrences_in


def exclusions_in(within: Span) -> Sequence[ExclusionSpan]:
    """Return every approved occurrence with a minute in the span, by start.

    Runs one statement. Recurrences are expanded once, for any number of objectives.
    """
    found = [
        ExclusionSpan(each, exclusion)
        for exclusion in approved_in(within)
        for each in occurrences_in(series_of(exclusion), within)
    ]
    return sorted(found, key=lambda each: (each.span, each.exclusion.number))


def applying(
    exclusions: Sequence[ExclusionSpan], *, system_id: UUID, indicator_id: UUID
) -> list[ExclusionSpan]:
    """Return those that hide minutes of this indicator: its own, its system's, and global ones."""
    return [
        each
        for each in exclusions
        if each.exclusion.system_id in {None, system_id}
        and each.exclusion.indicator_id in {None, indicator_id}
    ]
