"""Panels beside the matrix: evidence that awaits review, and the most important sample."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import select

from governance.assurance.controls import control_ledger
from governance.assurance.controls.models import Control
from governance.assurance.controls.status import ControlFacts
from governance.assurance.evidence import permissions as evidence
from governance.assurance.evidence.freshness import Freshness
from governance.assurance.evidence.item_history import EvidenceItem, JudgedVersion
from governance.assurance.evidence.models import (
    EvidenceVersion,
)
from governance.assurance.testing.models import (
    ItemResult,
    Population,
    Sample,
    SampleItem,
    TestException,
)
from governance.assurance.testing.sample_queries import (
    ItemView,
    SampleProgress,
    is_latest_result,
    items,
)
from governance.kernel import clock
from governance.kernel.data.db import among, session
from governance.kernel.safety.access import matching
from governance.kernel.safety.visibility_scope import scope


@dataclass(frozen=True, slots=True)
class PendingReview:
    """A version that awaits review. `size` is in bytes, None for a link."""

    piece: EvidenceItem
    arrival: JudgedVersion
    fresh: Freshness
    controls: Sequence[ControlFacts]
    size: int | None
    may_review: bool


@dataclass(frozen=True, slots=True)
class ReviewPanel:
    """The versions that have waited longest, the number of all, and the first one to review."""

    rows: Sequence[PendingReview]
    total: int
    oldest_days: int
    first: UUID | None


def review_panel(facts: Sequence[ControlFacts], *, most: int) -> ReviewPanel:
    """Return the versions of live evidence in scope that await review, oldest first.

    Runs one statement.
    """
    now, within, ledger = clock.now(), scope(), control_ledger.ledger()
    waiting = sorted(
        (
            (arrival.known, piece.ref, piece, arrival)
            for piece in ledger.pieces.values()
            if piece.is_live_at(now) and (within is None or within.holds_evidence(piece.id))
            for arrival in piece.versions
            if arrival.is_known_at(now) and arrival.at(now).review == "pending"
        ),
        key=lambda each: each[:2],
    )
    shown = [(piece, arrival) for *_, piece, arrival in waiting[:most]]
    supports: dict[UUID, list[ControlFacts]] = {}
    for control in facts:
        for proof in control.proofs:
            supports.setdefault(proof.evidence_id, []).append(control)
    sizes, reviewable = _sizes_and_reviewable([arrival.version_id for *_, arrival in waiting])
    return ReviewPanel(
        [
            PendingReview(
                p,
                h,
                p.freshness(now),
                supports.get(p.id, ()),
                sizes.get(h.version_id),
                h.version_id in reviewable,
            )
            for p, h in shown
        ],
        len(waiting),
        (now - waiting[0][0]).days if waiting else 0,
        next((h.version_id for *_, h in waiting if h.version_id in reviewable), None),
    )


def _sizes_and_reviewable(ids: Collection[UUID]) -> tuple[dict[UUID, int | None], set[UUID]]:
    """Return the versions' sizes in bytes, and the ids that the acting person may review."""
    if not ids:
        return {}, set()
    v = EvidenceVersion
    rows = (
        session()
        .execute(select(v.id, v.size, matching(evidence.REVIEW, v)).where(among(v.id, ids)))
        .all()
    )
    return {row[0]: row[1] for row in rows}, {row[0] for row in rows if row[2]}


def top_sample(
    facts: Sequence[ControlFacts], first: date, last: date
) -> tuple[SampleProgress, Sequence[ItemView]] | None:
    """Return the newest sample of the period with a failed item, else the newest, with its items."""
    ids = [c.control_id for c in facts]
    query = (
        select(Sample, Population, Control)
        .select_from(Sample)
        .join(Population, Population.id == Sample.population_id)
        .join(Control, Control.id == Population.control_id)
        .where(Population.period_to >= first, Population.period_from <= last, Control.id.in_(ids))
        .order_by(Sample.created_at.desc(), Sample.id)
        .limit(1)
    )
    failed = (
        select(SampleItem.sample_id)
        .join(TestException, TestException.sample_item_id == SampleItem.id)
        .join(ItemResult, ItemResult.sample_item_id == SampleItem.id)
        .where(ItemResult.outcome == "failed", is_latest_result())
    )
    row = (
        session().execute(query.where(Sample.id.in_(failed))).one_or_none()
        or session().execute(query).one_or_none()
    )
    if row is None:
        return None
    drawn = items(row[0].id)
    results = [view.result.outcome for view in drawn if view.result is not None]
    return SampleProgress(row[0], row[1], row[2], len(results), results.count("failed")), drawn
