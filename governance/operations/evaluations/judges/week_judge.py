"""The judge of this week's results: its agreement with people, and corrected rates."""

from collections.abc import Sequence
from dataclasses import dataclass

from governance.operations.evaluations import figures
from governance.operations.evaluations.judges import queries as judge_queries
from governance.operations.evaluations.judges.models import EvaluationJudge, JudgeCalibration
from governance.operations.evaluations.series.this_week import SystemRow, WeekCell, WeekTable
from governance.operations.evaluations.statistics.rates import RateInterval

MAX_SENTENCES = 3


@dataclass(frozen=True, slots=True)
class CorrectedCell:
    """A figure of this week, and the rate that people would have found."""

    row: SystemRow
    cell: WeekCell
    rate: RateInterval

    @property
    def text(self) -> str:
        """The correction: "claims-triage is at 4.3% instead of 4.6%: still over 3.0%."."""
        unit, limit = self.cell.measure.unit, self.cell.judged.get("limit")
        said = (
            f"{self.row.name} is at {figures.amount(self.rate.rate, unit)}"
            f" instead of {self.cell.point}"
        )
        point = self.cell.result.point if self.cell.result else None
        if limit is None or point is None:
            return f"{said}."
        was, now = self._is_met(point, limit), self._is_met(self.rate.rate, limit)
        side = "under" if self.cell.measure.at_least else "over"
        amount = figures.amount(limit, unit)
        if now:
            return f"{said}, which {'still ' if was else ''}meets the limit of {amount}."
        return f"{said}: {'' if was else 'still '}{side} {amount}."

    def _is_met(self, value: float, limit: float) -> bool:
        return value >= limit if self.cell.measure.at_least else value <= limit


@dataclass(frozen=True, slots=True)
class WeekJudge:
    """The judge of a measure of this week with its newest labelled set."""

    judge: EvaluationJudge
    measure: str
    calibration: JudgeCalibration | None
    corrected: Sequence[CorrectedCell]
    others: int  # Number of further judges of this week's suites

    @property
    def passes(self) -> str:
        """The judge's verdicts on cases that people pass or fail; empty without both kinds."""
        labels = self.calibration.labels if self.calibration else None
        if labels is None:
            return ""
        good = labels.both_yes + labels.only_people
        poor = labels.only_judge + labels.both_no
        if not good or not poor:
            return ""
        return (
            f"It passes {figures.amount(labels.both_yes / good, 'share')} of what people pass, and"
            f" fails {figures.amount(labels.both_no / poor, 'share')} of what people fail."
        )


def judge_of_week(table: WeekTable) -> WeekJudge | None:
    """Return the judge that matters most this week: of a failing measure, then one with labels."""
    cells = [(row, cell) for row in table.rows for cell in row.cells.values()]
    suite_ids = {cell.suite.id for _row, cell in cells if cell.suite}
    judges = [each for each in judge_queries.judges_of(suite_ids) if each.is_current]
    sets = judge_queries.newest_calibrations([each.id for each in judges])
    found = [_with_cells(each, sets.get(each.id), cells, len(judges) - 1) for each in judges]
    return min(found, key=_rank, default=None)


def _with_cells(
    judge: EvaluationJudge,
    calibration: JudgeCalibration | None,
    cells: Sequence[tuple[SystemRow, WeekCell]],
    others: int,
) -> WeekJudge:
    judged = [
        (row, cell)
        for row, cell in cells
        if cell.suite and (cell.suite.id, cell.measure.key) == (judge.suite_id, judge.measure_key)
    ]
    corrected = [
        CorrectedCell(row, cell, rate)
        for row, cell in judged
        if calibration is not None
        and cell.result is not None
        and not cell.stale
        and (rate := judge_queries.corrected(cell.result, cell.measure, calibration)) is not None
    ]
    corrected.sort(key=lambda each: (not each.cell.is_failing, each.row.name))
    name = judged[0][1].measure.name if judged else judge.measure_key
    return WeekJudge(judge, name, calibration, corrected[:MAX_SENTENCES], others)


def _rank(each: WeekJudge) -> tuple[bool, bool, str]:
    is_failing = any(corrected.cell.is_failing for corrected in each.corrected)
    return each.calibration is None, not is_failing, each.measure
