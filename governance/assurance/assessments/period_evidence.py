"""The evidence of a requirement, and the chart of the days of the period that it covers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal

from markupsafe import Markup

from governance.assurance.assessments.framework_board import AssessedRequirement, FrameworkBoard
from governance.assurance.assessments.period_coverage import (
    PeriodCoverage,
    period_coverage,
    sentence,
)
from governance.assurance.controls.status import ControlFacts, SupportingEvidence, is_too_long
from governance.assurance.evidence.coverage_chart import CoveragePiece, CoverageRow, coverage_bars
from governance.assurance.evidence.freshness import Freshness, Version, accepted_version, freshness
from governance.kernel import formatting
from governance.kernel.data.tenant_cache import BoundedCache

MAX_CHARTED_ITEMS = 14
MAX_CHART_NAME_LENGTH = 21  # Characters


@dataclass(frozen=True, slots=True)
class ProofInPeriod:
    """An evidence item of a requirement, with its freshness and the version that counts."""

    control: ControlFacts
    proof: SupportingEvidence
    fresh: Freshness
    counts: Version | None


_PROOFS = BoundedCache(128)
_CHARTS = BoundedCache(128)  # Charts of all tenants together; up to 20 kB each


def proofs(row: AssessedRequirement, board: FrameworkBoard) -> Sequence[ProofInPeriod]:
    """Return each evidence item once, under the first control that it supports.

    A shared board computes them once.
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
    """Return the chart of the days that each evidence item covers, with its title.

    Return None without evidence.
    """
    if board.token is None:
        return _period_chart(row, board)
    with formatting.as_tenant():  # Every reader gets the cached chart.
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
    measured = [coverage_of(each, board) for each in found]
    drawn = [
        _chart_row(each, covers, board.ledger.pieces[each.proof.evidence_id].known.date())
        for each, covers in zip(found[:MAX_CHARTED_ITEMS], measured, strict=False)
    ]
    title = coverage_title([each.proof.title for each in found], measured)
    return coverage_bars(drawn, (first, max(last, first + timedelta(days=27))), today, title), title


def coverage_of(each: ProofInPeriod, board: FrameworkBoard) -> PeriodCoverage:
    """Return the days of the board's period that an item's accepted versions cover, up to today."""
    (first, last), today = board.period, board.as_of.date()
    accepted = [(v.period_from, v.period_to) for v in each.proof.versions if v.review == "accepted"]
    return period_coverage(accepted, first, min(last, today), is_over=last <= today)


def coverage_title(titles: Sequence[str], measured: Sequence[PeriodCoverage]) -> str:
    """Return the days that all items cover, and those of the item that covers the fewest."""
    with_gaps = [pair for pair in zip(titles, measured, strict=True) if not pair[1].is_whole]
    if not with_gaps:
        return sentence("The evidence" if len(titles) > 1 else "The evidence item", measured[0])
    worst = sentence(*min(with_gaps, key=lambda pair: pair[1].covered_days))
    if len(titles) == 1:
        return worst
    only = len(with_gaps) == 1
    many, verb = ("One", "leaves a gap") if only else (len(with_gaps), "leave gaps")
    return f"{many} of {len(titles)} evidence items {verb}: {worst}"


def _chart_row(each: ProofInPeriod, covers: PeriodCoverage, begun: date) -> CoverageRow:
    """Return the stretches of one evidence item: accepted, missing, in review or not due yet.

    Days before the item was created are outlined, because no version was expected.
    """
    pieces = [CoveragePiece(*stretch, "held") for stretch in covers.covered]
    for start, end in covers.gaps:
        if start < begun:
            pieces.append(CoveragePiece(start, min(end, begun - timedelta(days=1)), "open"))
        if (expected := max(start, begun)) <= end:
            is_last = end == covers.last
            kind: Any = _last_stretch_kind(each, expected, end) if is_last else "missing"
            pieces.append(CoveragePiece(expected, end, kind))
    tone: Literal["", "bad"] = "bad" if each.fresh.state in {"overdue", "rejected"} else ""
    ordered = sorted(pieces, key=lambda piece: piece.start)
    return CoverageRow(
        _shortened(each.proof.title), each.control.ref, ordered, each.fresh.says, tone
    )


def _shortened(title: str) -> str:
    """Return the title, cut to fit before the control's ref. The table has the full title."""
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
