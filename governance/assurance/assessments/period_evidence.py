"""The evidence behind a requirement, and the chart of what it covers of the period."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal

from markupsafe import Markup

from governance.assurance.assessments.framework_board import AssessedRequirement, FrameworkBoard
from governance.assurance.controls.status import ControlFacts, SupportingEvidence, is_too_long
from governance.assurance.evidence.coverage_chart import CoveragePiece, CoverageRow, coverage_bars
from governance.assurance.evidence.freshness import Freshness, Version, accepted_version, freshness
from governance.kernel.tenant_cache import BoundedCache

MAX_CHARTED_ITEMS = 14
MAX_CHART_NAME_LENGTH = 21  # letters


@dataclass(frozen=True, slots=True)
class ProofInPeriod:
    """An evidence item behind a requirement, with its freshness and the version that counts."""

    control: ControlFacts
    proof: SupportingEvidence
    fresh: Freshness
    counts: Version | None


_PROOFS = BoundedCache(128)
_CHARTS = BoundedCache(128)  # of all tenants together; up to 20 kB each


def proofs(row: AssessedRequirement, board: FrameworkBoard) -> Sequence[ProofInPeriod]:
    """Return each evidence item once, under the first control that it supports.

    Of a board that readers share they are found once, and drawn once.
    """
    if board.token is None:
        return _proofs(row, board)
    found: Sequence[ProofInPeriod] = _PROOFS.get(
        (board.token, row.ref), lambda: _proofs(row, board)
    )
    return found


def _proofs(row: AssessedRequirement, board: FrameworkBoard) -> Sequence[ProofInPeriod]:
    found: dict[Any, ProofInPeriod] = {}
    for control, _, _ in row.derived.controls:
        for proof in control.proofs:
            fresh = freshness(
                proof.versions, cadence=proof.cadence, due_on=proof.due_on, today=board.as_of.date()
            )
            found.setdefault(
                proof.evidence_id,
                ProofInPeriod(control, proof, fresh, accepted_version(proof.versions)),
            )
    return tuple(found.values())


def period_chart(row: AssessedRequirement, board: FrameworkBoard) -> tuple[Markup, str] | None:
    """Return (chart, its title): what each evidence item covers of the period; None without
    evidence.
    """
    if board.token is None:
        return _period_chart(row, board)
    found: tuple[Markup, str] | None = _CHARTS.get(
        (board.token, row.ref), lambda: _period_chart(row, board)
    )
    return found


def _period_chart(row: AssessedRequirement, board: FrameworkBoard) -> tuple[Markup, str] | None:
    found = proofs(row, board)
    if not found:
        return None
    today = board.as_of.date()
    first, last = board.period
    begun = {each.id: each.known.date() for each in board.ledger.pieces.values()}
    drawn = [
        _chart_row(each, first, min(last, today), begun[each.proof.evidence_id])
        for each in found[:MAX_CHARTED_ITEMS]
    ]
    uncovered = [
        each
        for each, bar in zip(found, drawn, strict=False)
        if any(piece.kind == "missing" for piece in bar.pieces)
    ]
    return coverage_bars(
        drawn,
        (first, max(last, first + timedelta(days=27))),
        today,
        _coverage_title(found, uncovered),
    ), _coverage_title(found, uncovered)


def _coverage_title(found: Sequence[ProofInPeriod], uncovered: Sequence[ProofInPeriod]) -> str:
    if not uncovered:
        return (
            "The evidence covers the whole period"
            if len(found) > 1
            else "The evidence item covers the whole period"
        )
    if len(uncovered) == 1:
        return (
            f"Only {uncovered[0].proof.title} leaves a gap in the period"
            if len(found) > 1
            else f"{uncovered[0].proof.title} leaves a gap in the period"
        )
    return f"{len(uncovered)} of {len(found)} evidence items leave gaps in the period"


def _chart_row(each: ProofInPeriod, first: date, until: date, begun: date) -> CoverageRow:
    """Return the stretches of one evidence item: accepted, missing, in review or not due yet.

    Nothing is missing before the day that the item was created.
    """
    pieces: list[CoveragePiece] = []
    reached = first
    for version in sorted(
        (v for v in each.proof.versions if v.review == "accepted"),
        key=lambda v: (v.period_from, v.period_to),
    ):
        start, end = max(version.period_from, reached), min(version.period_to, until)
        if end < start:
            continue
        expected, before = max(reached, begun), start - timedelta(days=1)
        if expected <= before and is_too_long(each.proof, (expected, before)):
            pieces.append(CoveragePiece(expected, before, "missing"))
        pieces.append(CoveragePiece(start, end, "held"))
        reached = end + timedelta(days=1)
    reached = max(reached, begun)
    if reached <= until:
        pieces.append(CoveragePiece(reached, until, _last_stretch_kind(each, reached, until)))
    tone: Literal["", "bad"] = "bad" if each.fresh.state in {"overdue", "rejected"} else ""
    return CoverageRow(
        _shortened(each.proof.title), each.control.ref, pieces, each.fresh.says, tone
    )


def _shortened(title: str) -> str:
    """Return the title cut to the room before the control's ref; the table beside it has it in
    full.
    """
    return (
        title
        if len(title) <= MAX_CHART_NAME_LENGTH
        else f"{title[: MAX_CHART_NAME_LENGTH - 1].rstrip(' ,')}\N{HORIZONTAL ELLIPSIS}"
    )


def _last_stretch_kind(each: ProofInPeriod, reached: date, until: date) -> Any:
    if each.fresh.state in {"overdue", "rejected", "missing"} or is_too_long(
        each.proof, (reached, until)
    ):
        return "missing"
    if each.fresh.state == "in review" or any(v.review == "pending" for v in each.proof.versions):
        return "due"
    return "stale" if each.fresh.state == "due" else "open"
