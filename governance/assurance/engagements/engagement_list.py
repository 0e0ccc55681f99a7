"""The list of engagements: columns, filters and export."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from governance.assurance.engagements import queries
from governance.assurance.engagements.models import Engagement
from governance.assurance.engagements.requests import queries as request_queries
from governance.kernel.files.spreadsheet_writer import Cell
from governance.kernel.pages.list_pages import (
    Column,
    Export,
    Filter,
    ListPage,
    ListRequest,
    arrange,
    keep,
)

PHASES = (("open", "In fieldwork"), ("planned", "Planned"), ("over", "Ended"))
ENGAGEMENTS = ListPage(
    name="engagements",
    title="Engagements",
    noun="engagement",
    endpoint="engagements.index",
    search="Search engagements",
    sort="-fieldwork",
    columns=(
        Column(
            "engagement",
            "Engagement",
            sort=True,
            file=(
                "Ref",
                "Firm",
            ),
        ),
        Column("scope", "Scope", optional=True),
        Column(
            "period",
            "Period",
            sort=True,
            optional=True,
            file=(
                "Period start",
                "Period end",
            ),
        ),
        Column(
            "fieldwork",
            "Fieldwork",
            sort=True,
            optional=True,
            file=(
                "Fieldwork start",
                "Fieldwork end",
            ),
        ),
        Column("requests", "Requests", sort=True, optional=True, numeric=True),
        Column("accepted", "Accepted", sort=True, optional=True, numeric=True),
        Column("state", "State"),
    ),
    filters=(Filter("state", "State", PHASES),),
    exports=(Export("csv", "engagements.export_engagements"),),
)
CSV_HEADER = (
    "Ref",
    "Firm",
    "Scope",
    "Period start",
    "Period end",
    "Fieldwork start",
    "Fieldwork end",
    "Requests",
    "Accepted",
    "State",
)


@dataclass(frozen=True, slots=True)
class EngagementSummary:
    """A row of the engagement list."""

    engagement: Engagement
    scope: str
    phase: str
    counts: request_queries.RequestCounts


def all_summaries() -> list[EngagementSummary]:
    """List the engagements that the acting person may see, with scope, phase and request counts."""
    engagements = queries.engagements()
    counts = request_queries.request_counts([e.id for e in engagements])
    return [
        EngagementSummary(e, queries.scope_name(e), queries.phase_of(e), counts[e.id])
        for e in engagements
    ]


FILTER_TESTS: Mapping[str, Callable[[EngagementSummary, str], bool]] = {
    "state": lambda line, value: line.phase == value
}
ORDERS: Mapping[str, Callable[[EngagementSummary], Any]] = {
    "engagement": lambda line: (line.engagement.firm.casefold(), line.engagement.ref),
    "period": lambda line: (line.engagement.period_to, line.engagement.ref),
    "fieldwork": lambda line: (line.engagement.closes_at, line.engagement.ref),
    "requests": lambda line: (line.counts.total, line.engagement.ref),
    "accepted": lambda line: (line.counts["accepted"], line.engagement.ref),
}


def matching_summaries(
    lines: Sequence[EngagementSummary], list_request: ListRequest
) -> list[EngagementSummary]:
    return arrange(
        keep(
            lines,
            list_request,
            FILTER_TESTS,
            lambda line: f"{line.engagement.firm} {line.engagement.ref} {line.scope}",
        ),
        list_request,
        ORDERS,
    )


def csv_cells(line: EngagementSummary) -> Sequence[Cell]:
    e = line.engagement
    return (
        e.ref,
        e.firm,
        line.scope,
        e.period_from,
        e.period_to,
        e.fieldwork_from,
        e.fieldwork_to,
        line.counts.total,
        line.counts["accepted"],
        dict(PHASES)[line.phase],
    )
