"""The exclusions of the tenant over a span, and which of them hide minutes of an indicator.

Objectives count every approved exclusion: the notice and the categories that an agreement asks for
are that agreement's.
"""

from collections.abc import Sequence
from uuid import UUID

from governance.kernel.intervals import Span
from governance.operations.maintenance.queries import ExclusionSpan, approved_in, series_of
from governance.operations.maintenance.recurrence import occurrences_in


def exclusions_in(within: Span) -> Sequence[ExclusionSpan]:
    """Return every approved occurrence with a minute in that span, by start; one statement.

    Recurrences are expanded once, for any number of objectives.
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
    """Return those that hide minutes of this indicator: its own, its system's, everybody's."""
    return [
        each
        for each in exclusions
        if each.exclusion.system_id in {None, system_id}
        and each.exclusion.indicator_id in {None, indicator_id}
    ]
