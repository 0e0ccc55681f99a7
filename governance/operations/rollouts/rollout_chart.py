"""The charts of a rollout's page: its share over time, and a guardrail against its limit. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from markupsafe import Markup

from governance.kernel import formatting
from governance.kernel.formatting import plural
from governance.kernel.pictures import charts, drawing
from governance.kernel.pictures.drawing import coordinate
from governance.operations.evaluations.models import SuiteMeasure
from governance.operations.gates.stage import Stage
from governance.operations.rollouts.life_cycle import PAST
from governance.operations.rollouts.models import Rollout, RolloutStep

WIDTH, RUNG, LEFT, RIGHT, TOP, FOOT = 560, 22, 54, 16, 26, 28
ROOM = 70  # Width for the word next to a mark
NO_SHARE = ("halt", "roll_back")  # Steps after which no key gets the release
MARKS: Mapping[str, str] = {"halt": "bad", "roll_back": "bad", "pause": "warn"}  # Others: f1
MIN_RUNS = 2


@dataclass(frozen=True, slots=True)
class ShareChange:
    """A step, and the later share of targeting keys in basis points."""

    at: datetime
    step: str
    share: int
    where: str  # "in shadow", "at 5%"
    gates: str  # "12 of 12 gates passed", "" if none was read
    cause: str

    @property
    def says(self) -> str:
        return f"{PAST[self.step].capitalize()} {self.where}"

    @property
    def share_name(self) -> str:
        return f"{self.share / 100:g}%" if self.share else "none"


def changes(steps: Sequence[RolloutStep], stages: Sequence[Stage]) -> list[ShareChange]:
    """Return the effect of each step on the share, earliest first; `steps` are newest first."""
    return [
        ShareChange(
            each.created_at,
            each.step,
            0 if each.step in NO_SHARE else stages[each.position].share,
            stages[each.position].where,
            _gates(each),
            each.cause,
        )
        for each in reversed(steps)
        if each.position >= 0
    ]


def _gates(step: RolloutStep) -> str:
    passing = sum(each["verdict"] == "pass" for each in step.gates)
    return f"{passing} of {len(step.gates)} passed" if step.gates else ""


def title(row: Rollout, found: Sequence[ShareChange]) -> str:
    """Return "5% get 2026.12.0, after one halt"."""
    share = found[-1].share
    who = "Nobody gets" if not share else "Everybody gets"
    if 0 < share < row.stages[-1].share:
        who = f"{found[-1].share_name} of targeting keys get"
    halts = sum(each.step == "halt" for each in found)
    return f"{who} {row.release}" + (f", after {plural(halts, 'halt')}" if halts else "")


def shares(row: Rollout, found: Sequence[ShareChange], now: datetime) -> Markup:
    """Draw the share as a line of steps. Every stage is one rung, whatever its share."""
    rungs = sorted({each.share for each in row.stages})
    height = TOP + RUNG * (len(rungs) - 1) + FOOT
    start, end = found[0].at, max(row.ended_at or now, found[-1].at + timedelta(minutes=1))
    wide, bottom = WIDTH - LEFT - RIGHT, height - FOOT

    def x(at: datetime) -> float:
        return LEFT + wide * ((at - start) / (end - start))

    def y(share: int) -> float:
        return float(bottom - RUNG * rungs.index(share))

    body = []
    for share in rungs:
        line = f"M{LEFT} {coordinate(y(share))}H{WIDTH - RIGHT}"
        body.append(drawing.element("path", "grid" if share else "axis", d=line))
        name = f"{share / 100:g}%" if share else "none"
        body.append(drawing.label(LEFT - 8, y(share) + 4, name, "tick", anchor="end"))
    points: list[tuple[float, float]] = []
    for each in found:
        if points:
            points.append((x(each.at), points[-1][1]))
        points.append((x(each.at), y(each.share)))
    points.append((x(end), points[-1][1]))
    body.append(
        drawing.element("path", "s1", d=drawing.path(points), fill="none", stroke_width=1.8)
    )
    named = float(-ROOM)  # Position of the last word, so that no two overlap
    for each in found:
        body.append(_mark(each, x(each.at), y(each.share)))
        if each.step in MARKS and x(each.at) - named >= ROOM:
            named = x(each.at)
            body.append(_word(each, named, y(each.share)))
    days = [(x(start), "start", start), (x(end), "end", end)]
    body += [
        drawing.label(at, height - 8, formatting.day_of_year(day), "tick", anchor=anchor)
        for at, anchor, day in days
    ]
    told = "; ".join(
        f"{formatting.day_of_year(each.at)}: {each.says}, {each.share_name}" for each in found
    )
    return drawing.svg(WIDTH, height, title(row, found), told, body)


def _mark(each: ShareChange, x: float, y: float) -> Markup:
    """Draw a square for a stop, a dot for other steps."""
    kind = MARKS.get(each.step, "f1")
    if kind == "f1":
        return drawing.element("circle", kind, cx=x, cy=y, r=3)
    return drawing.element("rect", kind, x=x - 4, y=y - 4, width=8.0, height=8.0, rx=1)


def _word(each: ShareChange, x: float, y: float) -> Markup:
    side, anchor = (8, "start") if x < LEFT + ROOM else (-8, "end")
    return drawing.label(x + side, y - 6, PAST[each.step].capitalize(), "lab2", anchor=anchor)


# ---- a guardrail against its limit


@dataclass(frozen=True, slots=True)
class MeasuredRun:
    """The figure of one measure in a run of the new release or of the replaced one.

    `point` and `limit` are as drawn, in percent or in the measure's unit.
    """

    at: datetime
    release: str
    point: float
    limit: float | None
    figure: str
    interval: str
    needs: str  # "≥ 95.0%"
    n: int
    verdict: str


def drawn(value: float, measure: SuiteMeasure) -> float:
    """Return a figure as drawn.

    For a share with a lower limit it is the share of cases that miss it, because 98% and 92% look
    the same on an axis from zero.
    """
    if measure.unit != "share":
        return value
    return (1 - value if measure.at_least else value) * 100


def drawn_as(measure: SuiteMeasure) -> str:
    what = "By evaluation run, of both releases"
    if measure.unit != "share" or not measure.at_least:
        return what
    return f"Cases that miss it, {what[0].lower()}{what[1:]}"


def guardrail_title(name: str, runs: Sequence[MeasuredRun]) -> str:
    """Return "Grounded answers: 99.5% in the newest run, and the limit is ≥ 95.0%"."""
    newest = runs[-1]
    limit = f", and the limit is {newest.needs}" if newest.needs else ""
    return f"{name}: {newest.figure} in the newest run{limit}"


def guardrail(
    row: Rollout, name: str, runs: Sequence[MeasuredRun], measure: SuiteMeasure
) -> Markup:
    """Draw the runs of both releases with the limit."""
    series = [
        charts.Series(
            release, [round(each.point, 2) if each.release == release else None for each in runs]
        )
        for release in (row.release, row.previous)
        if any(each.release == release for each in runs)
    ]
    limit, unit = runs[-1].limit, "%" if measure.unit == "share" else f" {measure.unit}"
    return charts.lines(
        series,
        [formatting.day_of_year(each.at) for each in runs],
        guardrail_title(name, runs),
        unit=unit,
        limit=None if limit is None else (limit, f"limit {drawing.number(limit)}{unit}"),
        width=WIDTH,
        height=180,
    )
