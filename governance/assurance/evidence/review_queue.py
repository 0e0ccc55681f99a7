"""Evidence that needs action: versions to review, and items that are late, missing or due.

queue_page(criteria, …)   a page of the versions in review, and their number
late_evidence(most)       the most urgent items
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, String, false, func, select
from sqlalchemy.orm import aliased

from governance.assurance.evidence import freshness_sql
from governance.assurance.evidence.item_history import JudgedVersion
from governance.assurance.evidence.models import Evidence, EvidenceVersion
from governance.assurance.evidence.period_labels import period_label
from governance.assurance.evidence.queries import EvidenceSummary, summaries_of
from governance.assurance.evidence.version_queries import may_review
from governance.assurance.evidence.visibility import visible_scope
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.kernel.files.spreadsheet_writer import Cell
from governance.kernel.pages.list_pages import Column, Export, Filter, ListPage
from governance.kernel.pages.rendering import sorted_page

V = aliased(EvidenceVersion)  # Since may_review uses EvidenceVersion itself.
SOURCE_FILTERS: Mapping[str, Callable[[], ColumnElement[bool]]] = {
    "upload": lambda: V.source == "upload",
    "link": lambda: V.source == "link",
    "pushed": lambda: V.source.not_in(("upload", "link")),
}
REVIEWER_FILTERS: Mapping[str, Callable[[], ColumnElement[bool]]] = {
    "me": lambda: may_review(V.id),
    "others": lambda: ~may_review(V.id),
}
SORTS: Mapping[str, tuple[Any, ...]] = {
    "evidence": (func.lower(Evidence.title, type_=String), V.id),
    "since": (V.uploaded_at, V.id),
}
REVIEWS = ListPage(
    name="evidence_reviews",
    title="Evidence to review",
    noun="version",
    endpoint="evidence.inbox",
    search="Search versions",
    sort="since",
    columns=(
        Column(
            "evidence",
            "Evidence",
            sort=True,
            file=(
                "Ref",
                "Title",
                "Version",
            ),
        ),
        Column("covers", "Covers", optional=True),
        Column("source", "From", optional=True),
        Column("supports", "Supports", optional=True),
        Column("since", "Awaiting since", sort=True, optional=True),
        Column("freshness", "Freshness", optional=True),
        Column("actions", "Actions", silent=True),
    ),
    filters=(
        Filter(
            "source",
            "From",
            (("upload", "Uploads"), ("link", "Links"), ("pushed", "Pushed or collected")),
        ),
        Filter(
            "reviewer", "Review", (("me", "I can review"), ("others", "Another person reviews"))
        ),
    ),
    exports=(Export("csv", "evidence.export_reviews"),),
)
HEAD = ("Ref", "Title", "Version", "Covers", "From", "Supports", "Awaiting since", "Freshness")


@dataclass(frozen=True, slots=True)
class ReviewQueue:
    """A page of versions in review, as (item, version).

    `reviewable` are the ids of versions that the acting person may review. `total` and `since` are
    the number of all versions in review, and the upload time of the oldest.
    """

    rows: Sequence[tuple[EvidenceSummary, JudgedVersion]]
    reviewable: Collection[UUID]
    next: str | None
    total: int
    since: datetime | None

    @property
    def first_to_review(self) -> UUID | None:
        return next(
            (judged.version_id for _, judged in self.rows if judged.version_id in self.reviewable),
            None,
        )

    @property
    def oldest(self) -> int:
        """Days since the oldest version in review was uploaded."""
        return (clock.now() - self.since).days if self.since else 0


def queue_page(
    criteria: Mapping[str, str], *, sort: str = "since", after: str | None = None, size: int = 50
) -> ReviewQueue:
    """Return a page of the versions in review, in at most three statements.

    `criteria` has the filters: q, source, reviewer (me, others).
    """
    known = freshness_sql.known_versions(clock.now(), visible_scope()).cte("known")
    waits = (
        select(known.c.id)
        .join(Evidence, Evidence.id == known.c.evidence_id)
        .where(known.c.review == "pending", Evidence.retired_at.is_(None))
        .cte("waits")
    )
    tally = (
        select(func.count().label("total"), func.min(V.uploaded_at).label("since"))
        .join(waits, waits.c.id == V.id)
        .cte("tally")
    )
    query = select(V.id, V.evidence_id, may_review(V.id), tally.c.total, tally.c.since)
    query = (
        query.join(waits, waits.c.id == V.id)
        .join(Evidence, Evidence.id == V.evidence_id)
        .join(tally, tally.c.total > 0)
    )
    for word in criteria.get("q", "").split():
        query = query.where(
            func.concat_ws(" ", Evidence.ref, Evidence.title, Evidence.kind).icontains(
                word, autoescape=True
            )
        )
    for name, choices in (("source", SOURCE_FILTERS), ("reviewer", REVIEWER_FILTERS)):
        if name in criteria:
            query = query.where(choices.get(criteria[name], false)())
    found = sorted_page(query, SORTS, sort, after=after, size=size)
    if found.rows:
        total, since = found.rows[0][3:]
    elif criteria or after:
        total, since = session().execute(select(tally.c.total, tally.c.since)).one()
    else:
        total, since = 0, None
    rows = {row.piece.id: row for row in summaries_of(list({row[1] for row in found.rows}))}
    judged = {h.version_id: h for row in rows.values() for h in row.piece.versions}
    pairs = [
        (rows[evidence_id], judged[version_id])
        for version_id, evidence_id, *_ in found.rows
        if version_id in judged
    ]
    return ReviewQueue(pairs, {row[0] for row in found.rows if row[2]}, found.next, total, since)


def cells(row: EvidenceSummary, judged: JudgedVersion) -> Sequence[Cell]:
    version, refs = judged.before, ", ".join(ref for _, ref, _ in row.controls)
    return (
        row.piece.ref,
        row.piece.title,
        version.number,
        period_label(version.period_from, version.period_to),
        version.source,
        refs,
        judged.known,
        row.fresh.says,
    )


@dataclass(frozen=True, slots=True)
class LateEvidence:
    """Items that need action, worst first.

    `pressing` is the number of all of them, `overdue` the number of overdue ones.
    """

    rows: Sequence[EvidenceSummary]
    pressing: int
    overdue: int


def late_evidence(*, most: int | None = None) -> LateEvidence:
    """Return the `most` urgent items, or all with None, in three statements."""
    now = clock.now()
    f = freshness_sql.facts(now, visible_scope())
    query = select(f.c.id, func.count().over(), func.count().filter(f.c.state == "overdue").over())
    query = (
        query.where(freshness_sql.is_urgent(f, now.date()))
        .order_by(*freshness_sql.worst_first(f))
        .limit(most)
    )
    rows = session().execute(query).all()
    return LateEvidence(summaries_of([row[0] for row in rows]), *(rows[0][1:] if rows else (0, 0)))
