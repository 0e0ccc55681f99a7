"""The list of access reviews and the list of a review's items: columns, filters and exports."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from governance.assurance.access_reviews import queries
from governance.assurance.access_reviews.models import AccessReview
from governance.assurance.access_reviews.queries import ReviewedAccess
from governance.kernel import clock
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

REVIEWS = ListPage(
    name="access_reviews",
    title="Access reviews",
    noun="review",
    endpoint="access_reviews.index",
    search="Search reviews",
    sort="-begun",
    size=25,
    columns=(
        Column("review", "Review", sort=True),
        Column(
            "begun",
            "Started",
            sort=True,
            optional=True,
            file=(
                "Started",
                "Started by",
            ),
        ),
        Column("due", "Due", sort=True, optional=True),
        Column(
            "decided",
            "Decided",
            optional=True,
            numeric=True,
            file=(
                "Items",
                "Decided",
            ),
        ),
        Column(
            "closed",
            "Closed",
            optional=True,
            file=(
                "Closed",
                "Closed by",
            ),
        ),
        Column("state", "State"),
    ),
    filters=(
        Filter(
            "state",
            "State",
            (("under_way", "In progress"), ("late", "Overdue"), ("closed", "Closed")),
        ),
    ),
    exports=(Export("csv", "access_reviews.export_reviews"),),
)
REVIEWS_CSV_HEADER = (
    "Review",
    "Started",
    "Started by",
    "Due",
    "Items",
    "Decided",
    "Closed",
    "Closed by",
)

DECISION_NAMES = {
    "open": "Not decided",
    "keep": "Kept",
    "lower": "Downgraded",
    "revoke": "Revoked",
    "gone": "Ended",
}
IDLE_AFTER, NEVER = timedelta(days=90), datetime.min.replace(tzinfo=UTC)
REVIEW_ITEMS = ListPage(
    name="access_review_rows",
    title="Access review",
    noun="item",
    endpoint="access_reviews.review",
    place=("access_review_id",),
    find_place=queries.review,
    search="Search people and keys",
    sort="listed",
    sorts=("listed",),
    columns=(
        Column(
            "name",
            "Person or key",
            sort=True,
            file=(
                "Person or key",
                "Email or key",
            ),
        ),
        Column("held", "Access", sort=True, optional=True),
        Column("since", "Since", sort=True, optional=True),
        Column("used", "Last used", sort=True, optional=True),
        Column(
            "decision",
            "Decision",
            file=(
                "Decision",
                "Decided by",
                "Decided",
                "Reason",
            ),
        ),
    ),
    filters=(
        Filter("decision", "Decision", tuple(DECISION_NAMES.items())),
        Filter("kind", "Type", (("member", "Members"), ("key", "API keys"))),
        Filter("used", "Last used", (("idle", "Over 90 days ago"), ("never", "Never"))),
    ),
    exports=(Export("csv", "access_reviews.export"),),
    bulk="access_reviews.decide",
)
ITEMS_CSV_HEADER = (
    "Person or key",
    "Email or key",
    "Access",
    "Since",
    "Last used",
    "Decision",
    "Decided by",
    "Decided",
    "Reason",
)


def _is_idle(row: ReviewedAccess, value: str) -> bool:
    used = row.item.used_at
    return (
        used is None
        if value == "never"
        else value == "idle" and (used or NEVER) < clock.now() - IDLE_AFTER
    )


FILTER_TESTS: Mapping[str, Callable[[ReviewedAccess, str], bool]] = {
    "decision": lambda row, value: (
        (row.item.decision or ("gone" if row.is_gone else "open")) == value
    ),
    "kind": lambda row, value: value == ("member" if row.member is not None else "key"),
    "used": _is_idle,
}
ORDERS: Mapping[str, Callable[[ReviewedAccess], Any]] = {
    "listed": lambda row: row.item.id,
    "name": lambda row: (row.name.casefold(), row.item.id),
    "held": lambda row: (row.held.casefold(), row.item.id),
    "since": lambda row: (row.item.since, row.item.id),
    "used": lambda row: (row.item.used_at or NEVER, row.item.id),
}


def matching_items(rows: Sequence[ReviewedAccess], asked: ListRequest) -> list[ReviewedAccess]:
    return arrange(
        keep(rows, asked, FILTER_TESTS, lambda row: f"{row.name} {row.detail} {row.held}"),
        asked,
        ORDERS,
    )


def csv_cells(row: ReviewedAccess, names: Mapping[UUID, str]) -> Sequence[Cell]:
    item = row.item
    by = names.get(item.decided_by, "") if item.decided_by else ""
    return (
        row.name,
        row.detail,
        row.held,
        item.since,
        item.used_at,
        row.decision_name,
        by,
        item.decided_at,
        item.reason,
    )


def review_cells(
    reviews: Sequence[AccessReview], names: Mapping[UUID, str]
) -> list[Sequence[Cell]]:
    tallies = queries.decided_counts([r.id for r in reviews])
    return [
        (
            r.title,
            r.created_at,
            _name(r.started_by, names),
            r.due_on,
            *tallies.get(r.id, (0, 0)),
            r.closed_at,
            _name(r.closed_by, names),
        )
        for r in reviews
    ]


def _name(person_id: UUID | None, names: Mapping[UUID, str]) -> str | None:
    return names.get(person_id) if person_id else None
