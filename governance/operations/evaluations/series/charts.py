"""Small charts of a system's weekly series: figure, interval, limit, changes, events.

A week without a run is gray, a failed run is a cross on the axis; neither is a point of the line.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby, pairwise
from math import ceil, floor, log10

from markupsafe import Markup

from governance.kernel.formatting import day_of_year, plural
from governance.kernel.pictures import drawing
from governance.operations.evaluations import figures
from governance.operations.evaluations.series.weekly_series import MeasureSeries, SeriesMark
from governance.operations.evaluations.statistics.series import ChangePoint

WIDTH, HEIGHT = 440, 196
LEFT, TOP, RIGHT, FOOT = 50, 30, 10, 24
STRIP = 11.0  # Height of the marks
SIGN = 10  # Size of a mark in the text
STEPS, TICKS = 3, 4
MARKS = {  # Ink and label; the shapes differ too
    "release": ("f1", "Release"),
    "version": ("f3", "Suite version"),
    "policy": ("f4", "Policy change"),
    "incident": ("bad", "Incident"),
}


@dataclass(frozen=True, slots=True)
class _Frame:
    """The positions of weeks and values."""

    weeks: Sequence[date]
    low: float
    high: float

    @property
    def step(self) -> float:
        return (WIDTH - LEFT - RIGHT) / max(len(self.weeks) - 1, 1)

    @property
    def bottom(self) -> float:
        return float(HEIGHT - FOOT)

    def x(self, place: float) -> float:
        return LEFT + place * self.step

    def y(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return self.bottom - min(max(share, 0.0), 1.0) * (self.bottom - TOP)

    def day(self, at: date) -> float | None:
        """Return the position of a day, or None outside of the weeks."""
        place = (at - self.weeks[0]).days / 7
        return self.x(min(place, len(self.weeks) - 1)) if 0 <= place < len(self.weeks) else None


def small_multiple(series: MeasureSeries, marks: Sequence[SeriesMark]) -> Markup:
    """Draw one measure over the weeks."""
    if not series.known:
        text = drawing.label(0, 24, "No run has this measure, so nothing passes by it.", "lab2")
        return drawing.svg(WIDTH, 40, series.title, "no figures", text)
    ticks, frame = _scale(series)
    body = [*_rules(series, frame, ticks), *_gaps(series, frame), *_weeks(frame)]
    body += _marks(frame, marks)
    body += _limit(series, frame)
    for run in _runs(series):
        body += _line(series, frame, run)
    body += _failed_runs(series, frame)
    for row, change in enumerate(series.changes):
        body += _change(series, frame, change, row)
    body += _end(series, frame)
    return drawing.svg(WIDTH, HEIGHT, series.title, _words(series), body)


def key(page_marks: Sequence[SeriesMark]) -> list[tuple[Markup, str]]:
    """Return (shape, word) of the kinds that occur."""
    kinds = {each.kind for each in page_marks}
    return [(sign(kind), word) for kind, (_ink, word) in MARKS.items() if kind in kinds]


def sign(kind: str) -> Markup:
    """Draw the shape of a kind, to show next to its word."""
    shape = drawing.element("path", MARKS[kind][0], d=_shape(kind, SIGN / 2, SIGN / 2))
    return (
        Markup('<svg class="c-swatch" viewBox="0 0 {0} {0}" aria-hidden="true">').format(SIGN)
        + shape
        + Markup("</svg>")
    )


def _scale(series: MeasureSeries) -> tuple[list[float], _Frame]:
    """Return round numbers around every figure, interval and limit.

    A line needn't start at zero.
    """
    ends = [
        value
        for each in series.known
        for value in (each.point, each.low, each.high, each.limit)
        if value is not None
    ]
    low, high = min(ends), max(ends)
    span = (high - low) or abs(high) or 1.0
    low, high = low - span * 0.05 if low > 0 else low, high + span * 0.05
    power = 10 ** floor(log10(span / STEPS))
    step = next(each * power for each in (1, 2, 2.5, 5, 10) if each * power >= span / STEPS)
    first, last = floor(low / step), ceil(high / step)
    if series.unit == "share":
        first, last = max(first, 0), min(last, ceil(1 / step))
    ticks = [n * step for n in range(first, last + 1)]
    return ticks, _Frame(series.weeks, ticks[0], ticks[-1])


def _rules(series: MeasureSeries, frame: _Frame, ticks: Sequence[float]) -> Iterator[Markup]:
    lines = "".join(
        f"M{LEFT} {drawing.coordinate(frame.y(each))}H{WIDTH - RIGHT}" for each in ticks
    )
    yield drawing.element("path", "grid", d=lines)
    for each in ticks:
        words = _tick(each, series.unit)
        yield drawing.label(LEFT - 7, frame.y(each) + 4, words, "tick", anchor="end")


def _tick(value: float, unit: str) -> str:
    return f"{value * 100:.3g}%" if unit == "share" else f"{value:.3g}"


def _weeks(frame: _Frame) -> Iterator[Markup]:
    last = len(frame.weeks) - 1
    places = sorted({round(last * n / (TICKS - 1)) for n in range(TICKS)})
    for place in places:
        anchor = "start" if place == 0 else "end" if place == last else "middle"
        yield drawing.label(
            frame.x(place), HEIGHT - 6, _week(frame.weeks, place), "tick", anchor=anchor
        )


def _week(weeks: Sequence[date], place: int) -> str:
    """Format the week's day, with its year if the weeks span several."""
    year = f" {weeks[place].year}" if weeks[0].year != weeks[-1].year else ""
    return f"{day_of_year(weeks[place])}{year}"


def _gaps(series: MeasureSeries, frame: _Frame) -> Iterator[Markup]:
    for missing, run in groupby(range(len(series.points)), lambda n: series.points[n] is None):
        if missing:
            places = list(run)
            left = max(frame.x(places[0] - 0.5), float(LEFT))
            right = min(frame.x(places[-1] + 0.5), float(WIDTH - RIGHT))
            yield drawing.element(
                "rect",
                "track",
                x=left,
                y=float(TOP),
                width=max(right - left, 1.0),
                height=frame.bottom - TOP,
            )


def _runs(series: MeasureSeries) -> Iterator[list[int]]:
    """Return the places of consecutive weeks with a figure."""
    for known, run in groupby(
        range(len(series.points)),
        lambda n: (found := series.points[n]) is not None and found.has_figure,
    ):
        if known:
            yield list(run)


def _line(series: MeasureSeries, frame: _Frame, run: Sequence[int]) -> Iterator[Markup]:
    line, upper, lower = [], [], []
    for place in run:
        found = series.points[place]
        if found is None or found.point is None:
            continue
        x = frame.x(place)
        line.append((x, frame.y(found.point)))
        lower.append((x, frame.y(found.point if found.low is None else found.low)))
        upper.append((x, frame.y(frame.high if found.high is None else found.high)))
    if len(line) == 1:
        at = drawing.coordinate(line[0][0])
        bar = f"M{at} {drawing.coordinate(upper[0][1])}V{drawing.coordinate(lower[0][1])}"
        yield drawing.element("path", "s1", d=bar, opacity=0.3, stroke_width=3)
        yield drawing.element("circle", "f1", cx=line[0][0], cy=line[0][1], r=2.0)
        return
    area = drawing.path([*upper, *lower[::-1]]) + "Z"
    yield drawing.element("path", "f1", d=area, opacity=0.14)
    yield drawing.element(
        "path", "s1", d=drawing.path(line), fill="none", stroke_width=1.6, stroke_linejoin="round"
    )


def _limit(series: MeasureSeries, frame: _Frame) -> Iterator[Markup]:
    """Draw each week's limit as a dashed line, with a step if a suite version changed it."""
    known = [
        (place, found.limit)
        for place, found in enumerate(series.points)
        if found is not None and found.limit is not None
    ]
    if not known or series.is_signal:
        return
    levels = [known[0], *(after for before, after in pairwise(known) if before[1] != after[1])]
    ends = [place for place, _limit in levels[1:]] + [len(series.points) - 1]
    line = ""
    for n, ((place, level), end) in enumerate(zip(levels, ends, strict=True)):
        height = drawing.coordinate(frame.y(level))
        start = drawing.coordinate(frame.x(place if n else 0))
        line += f"{'V' + height if n else f'M{start} {height}'}H{drawing.coordinate(frame.x(end))}"
    yield drawing.element(
        "path", "limit", d=line, fill="none", stroke_dasharray="4 3", stroke_width=1.3
    )
    words = f"limit {figures.amount(levels[-1][1], series.unit)}"
    yield drawing.label(LEFT + 3, frame.y(levels[0][1]) - 4, words, "limit-t", weight=500)


def _failed_runs(series: MeasureSeries, frame: _Frame) -> Iterator[Markup]:
    crosses = ""
    for place, found in enumerate(series.points):
        if found is not None and not found.has_figure:
            x, y = frame.x(place), frame.bottom - 6
            crosses += "".join(
                drawing.path([(x - 3, y + side * 3), (x + 3, y - side * 3)]) for side in (1, -1)
            )
    if crosses:
        yield drawing.element("path", "sbad", d=crosses, fill="none", stroke_width=1.8)


def _change(series: MeasureSeries, frame: _Frame, change: ChangePoint, row: int) -> list[Markup]:
    """Draw a line at the start of the new level, with both levels; labels alternate in height."""
    x = frame.x(change.index - 0.5)
    words = " → ".join(figures.amount(each, series.unit) for each in (change.before, change.after))
    anchor = "end" if x > WIDTH / 2 else "start"
    place = x - 5 if anchor == "end" else x + 5
    at = drawing.coordinate(x)
    return [
        drawing.element("path", "sink", d=f"M{at} {TOP - 4}V{drawing.coordinate(frame.bottom)}"),
        drawing.label(place, TOP + 8 + 13 * (row % 2), words, "lab", anchor=anchor, weight=600),
    ]


def _marks(frame: _Frame, marks: Sequence[SeriesMark]) -> Iterator[Markup]:
    """Draw a shape for each event, one path per kind: triangle, diamond, square, circle."""
    for kind, (ink, _word) in MARKS.items():
        places = {frame.day(each.at) for each in marks if each.kind == kind} - {None}
        shapes = "".join(_shape(kind, x, STRIP) for x in sorted(x for x in places if x is not None))
        if shapes:
            yield drawing.element("path", ink, d=shapes)


def _shape(kind: str, x: float, y: float) -> str:
    r = 4.0
    corners = {
        "release": [(x, y - r), (x + r, y + r), (x - r, y + r)],
        "version": [(x, y - r), (x + r, y), (x, y + r), (x - r, y)],
        "policy": [(x - 3, y - 3), (x + 3, y - 3), (x + 3, y + 3), (x - 3, y + 3)],
        "incident": [
            (x - r, y - 1.7),
            (x - 1.7, y - r),
            (x + 1.7, y - r),
            (x + r, y - 1.7),
            (x + r, y + 1.7),
            (x + 1.7, y + r),
            (x - 1.7, y + r),
            (x - r, y + 1.7),
        ],
    }
    return drawing.path(corners[kind]) + "Z"


def _end(series: MeasureSeries, frame: _Frame) -> Iterator[Markup]:
    """Draw dots on the weeks that fail, and on the newest figure."""
    last = len(series.points) - 1
    for place, found in enumerate(series.points):
        if found is None or found.point is None or not found.has_figure:
            continue
        is_bad = found.verdict == "fail" and not found.is_withdrawn and not series.is_signal
        if is_bad or place == last:
            yield drawing.element(
                "circle",
                "bad" if is_bad else "f1",
                cx=frame.x(place),
                cy=frame.y(found.point),
                r=2.6,
            )


def _words(series: MeasureSeries) -> str:
    known = series.known
    first, last = known[0], known[-1]
    told = [
        f"{figures.amount(first.point, series.unit)} to {figures.amount(last.point, series.unit)}",
        f"{len(known)} of {plural(len(series.weeks), 'week')} with a figure",
        plural(len(series.changes), "change point"),
    ]
    failed = sum(each is not None and not each.has_figure for each in series.points)
    return "; ".join([*told, *([plural(failed, "week") + " without a result"] if failed else [])])
