"""Charts of error budgets: bar, burn of seven days, burn-down, losses and data by day.

Without data there is no line, and the area is hatched.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from itertools import groupby

from markupsafe import Markup

from governance.kernel.intervals import Span
from governance.kernel.pictures import drawing
from governance.operations.objectives import figures

BAR_WIDTH, SPARK_WIDTH, SPARK_HEIGHT = 116, 132, 26
LINES = {"bad": "sbad", "warn": "swarn", "f1": "s1"}


def hatch(x: float, y: float, wide: float, high: float, step: float = 5) -> Markup:
    """Draw diagonal lines over a rectangle. It doesn't use a pattern, so that PDFs work too."""
    parts, at = [], step / 2
    while at < wide + high:
        top = (x + at, y) if at <= wide else (x + wide, y + at - wide)
        foot = (x, y + at) if at <= high else (x + at - high, y + high)
        parts.append(drawing.path([top, foot]))
        at += step
    return drawing.element("path", "axis", d="".join(parts), fill="none", stroke_width=1)


def _frame(x: float, y: float, wide: float, high: float) -> Markup:
    return drawing.element(
        "rect", "axis", x=x, y=y, width=float(wide), height=float(high), rx=2.0, fill="none"
    )


def budget_bar(share: Fraction | None, kind: str, title: str) -> Markup:
    """Draw the remaining budget; hatched if it is not determinable."""
    if share is None:
        body = _frame(0.5, 0.5, BAR_WIDTH - 1, 7) + hatch(1, 1, BAR_WIDTH - 2, 6)
        return _inline(BAR_WIDTH, 8, title, "unknown", body)
    body = drawing.bar(0, 0, BAR_WIDTH, 8, "track")
    wide = float(min(max(share, Fraction(0)), Fraction(1))) * BAR_WIDTH
    if wide:
        body += drawing.bar(0, 0, max(wide, 2.0), 8, kind)
    return _inline(BAR_WIDTH, 8, title, f"{figures.percent(share)} left", body)


def _inline(width: int, height: int, title: str, words: str, body: Markup) -> Markup:
    return drawing.svg(width, height, title, words, body, extra=f"c-w{width}")


def burn_spark(values: Sequence[float | None], kind: str, title: str) -> Markup:
    """Draw burn rates of seven days against 1, the pace that spends the budget in its window."""
    known = [value for value in values if value is not None]
    top = max([*known, 1.6])
    step = (SPARK_WIDTH - 8) / max(len(values) - 1, 1)
    high = SPARK_HEIGHT - 6

    def y(value: float) -> float:
        return 3 + high * (1 - value / top)

    line = f"M2 {drawing.coordinate(y(1))}H{SPARK_WIDTH - 4}"
    body = drawing.element("path", "axis", d=line, fill="none", stroke_dasharray="2 2")
    for missing, run in _runs(values):
        start, end = run[0], run[-1]
        if missing:
            left = max(2 + (start - 0.5) * step, 0)
            body += hatch(left, 3, (end - start + 1) * step, high)
        else:
            points = [(2 + n * step, y(values[n] or 0)) for n in run]
            if len(points) == 1:
                points.append((points[0][0] + 1, points[0][1]))
            body += drawing.element(
                "path", LINES[kind], d=drawing.path(points), fill="none", stroke_width=1.5
            )
    if values and values[-1] is not None:
        last = 2 + (len(values) - 1) * step
        body += drawing.element("circle", kind, cx=last, cy=y(values[-1]), r=2.5)
    said = ", ".join("no data" if each is None else f"{each:.1f}{figures.TIMES}" for each in values)
    return _inline(SPARK_WIDTH, SPARK_HEIGHT, title, said, body)


def _runs(values: Sequence[float | None]) -> Iterator[tuple[bool, list[int]]]:
    for missing, run in groupby(range(len(values)), key=lambda n: values[n] is None):
        yield missing, list(run)


# ---- burn-down


@dataclass(frozen=True, slots=True)
class BurnDown:
    """The budget left over a window.

    runs      lines of (instant, share left), interrupted if there is no data
    incidents (label, start, end, share left at the start, at the end) of each
    gaps      spans without data that are wide enough to be visible
    gone_at   when it will be exhausted at the pace of the last 24 hours
    """

    window: Span
    now: datetime
    runs: Sequence[Sequence[tuple[datetime, Fraction]]]
    gaps: Sequence[Span]
    left: Fraction
    gone_at: datetime | None
    incidents: Sequence[tuple[str, datetime, datetime, Fraction, Fraction]] = ()


BURN_WIDTH, BURN_HEIGHT = 761, 236
LEFT, TOP, PLOT_WIDTH, PLOT_HEIGHT = 38, 14, 619, 192  # Plot area
RIGHT = LEFT + PLOT_WIDTH


@dataclass(frozen=True, slots=True)
class _Plot:
    """Coordinates of instants and shares in a burn-down: from `lowest` to 1 over the window."""

    window: Span
    lowest: Fraction

    def x(self, at: datetime) -> float:
        length = (self.window.end - self.window.start).total_seconds() or 1
        return LEFT + (at - self.window.start).total_seconds() / length * PLOT_WIDTH

    def y(self, share: Fraction) -> float:
        depth = (1 - max(share, self.lowest)) / (1 - self.lowest)
        return TOP + PLOT_HEIGHT * float(depth)

    def place(self, at: datetime, share: Fraction) -> tuple[float, float]:
        return self.x(at), self.y(share)


def burn_down(data: BurnDown, ticks: Sequence[tuple[datetime, str]], title: str) -> Markup:
    """Draw the budget left, the even pace, and the forecast at the pace of the last 24 hours."""
    lowest = min([Fraction(0), *(share for run in data.runs for _at, share in run)])
    plot = _Plot(data.window, max(lowest, Fraction(-2)))
    body = [_rule(share, plot.y(share)) for share in _marks(plot.lowest)]
    body += [
        drawing.label(plot.x(at), BURN_HEIGHT - 12, word, "tick", anchor=_anchor(n))
        for n, (at, word) in enumerate(ticks)
    ]
    body += _gaps(plot, data.gaps)
    foot = plot.y(Fraction(0))
    for run in data.runs:
        body += _budget_line([plot.place(*each) for each in run], foot)
    pace = drawing.path([(LEFT, plot.y(Fraction(1))), (RIGHT, foot)])
    body.append(drawing.element("path", "sink", d=pace, fill="none", stroke_dasharray="4 3"))
    for word, began, ended, before, after in data.incidents:
        body += _incident(word, plot.place(began, before), plot.place(ended, after))
    middle = (LEFT + PLOT_WIDTH * 0.56, plot.y(Fraction(44, 100)) - 6)
    body.append(drawing.label(*middle, "even pace", "lab2", weight=500))
    now = plot.place(data.now, data.left)
    if data.gone_at is not None and data.left > 0:
        gone = (plot.x(data.gone_at), foot)
        body += _forecast(now, gone, figures.day(data.gone_at), BURN_WIDTH - 56)
    body.append(drawing.element("circle", "f1", cx=now[0], cy=now[1], r=3.5))
    words = f"{figures.percent(data.left)} left"
    body.append(drawing.label(now[0] + 8, now[1] - 4, words, "lab", weight=600))
    return drawing.svg(BURN_WIDTH, BURN_HEIGHT, title, words, body, extra="c-x700")


def _gaps(plot: _Plot, gaps: Sequence[Span]) -> Iterator[Markup]:
    """Draw hatched spans without data, with their lengths if there is room."""
    labelled_until = 0.0
    for gap in gaps:
        start = plot.x(gap.start)
        middle, wide = (start + plot.x(gap.end)) / 2, max(plot.x(gap.end) - start, 3.0)
        yield drawing.element(
            "rect", "track", x=start, y=float(TOP), width=wide, height=float(PLOT_HEIGHT)
        )
        yield hatch(start, TOP, wide, PLOT_HEIGHT, 6)
        if start >= labelled_until:
            length = figures.length(gap.minutes)
            word = length if labelled_until else f"no data, {length}"
            yield drawing.label(middle, 10, word, "tick", anchor="middle")
            labelled_until = middle + 46


def _budget_line(points: Sequence[tuple[float, float]], foot: float) -> Iterator[Markup]:
    """Draw the line of one run, and the area under it."""
    if len(points) < 2:  # noqa: PLR2004 - a line has two ends
        return
    line = drawing.path(points)
    area = f"{line}L{_xy(points[-1][0], foot)}L{_xy(points[0][0], foot)}Z"
    yield drawing.element("path", "f1", d=area, opacity=0.09)
    yield drawing.element(
        "path", "s1", d=line, fill="none", stroke_width=1.8, stroke_linejoin="round"
    )


def _marks(lowest: Fraction) -> list[Fraction]:
    below = [Fraction(-n, 2) for n in (1, 2, 3, 4) if Fraction(-n, 2) >= lowest]
    return [Fraction(1), Fraction(1, 2), Fraction(0), *below]


def _rule(share: Fraction, y: float) -> Markup:
    kind = "axis" if share == 0 else "grid"
    line = f"M{drawing.coordinate(LEFT)} {drawing.coordinate(y)}H{drawing.coordinate(RIGHT)}"
    return drawing.element("path", kind, d=line, fill="none") + drawing.label(
        LEFT - 6, y + 4, figures.percent(share, 0), "tick", anchor="end"
    )


def _anchor(position: int) -> str:
    return "start" if position == 0 else "middle"


def _xy(x: float, y: float) -> str:
    return f"{drawing.coordinate(x)} {drawing.coordinate(y)}"


def _incident(word: str, start: tuple[float, float], end: tuple[float, float]) -> list[Markup]:
    """Draw a dot where an incident began, and its name above the line or, without room, below."""
    dot = drawing.element("circle", "bad", cx=start[0], cy=start[1], r=2.5)
    if start[0] > RIGHT - 130:  # No room for the name on its right
        return [dot, drawing.label(start[0] - 7, end[1] + 16, word, "lab2", anchor="end")]
    if start[1] - 7 < TOP + 12:  # No room above it
        return [dot, drawing.label(end[0] + 7, end[1] + 16, word, "lab2")]
    return [dot, drawing.label(start[0] + 7, start[1] - 7, word, "lab2")]


def _forecast(
    now: tuple[float, float], gone: tuple[float, float], word: str, edge: float
) -> list[Markup]:
    """Draw the line to the exhaustion of the budget, cut at the edge if it is further away."""
    end = gone
    if gone[0] > edge:
        share = (edge - now[0]) / (gone[0] - now[0])
        end = (edge, now[1] + (gone[1] - now[1]) * share)
    body = [
        drawing.element(
            "path",
            "limit",
            d=drawing.path([now, end]),
            fill="none",
            stroke_width=1.8,
            stroke_dasharray="2 3",
        )
    ]
    if end == gone:
        body.append(drawing.element("circle", "bad", cx=end[0], cy=end[1], r=3))
    return [*body, drawing.label(end[0] + 7, end[1] - 5, word, "limit-t", weight=500)]


# ---- by day


@dataclass(frozen=True, slots=True)
class Loss:
    """The loss of one day or week; `excluded` was lost inside exclusions."""

    start: datetime
    label: str
    lost: int
    excluded: int
    has_gap: bool
    is_marked: bool = False
    is_measured: bool = True

    @property
    def said(self) -> str:
        """The loss as text; 0 only if something was measured."""
        return f"{self.lost:,}" if self.is_measured else "nothing counted"


def lost_by_day(days: Sequence[Loss], title: str) -> Markup:
    """Draw bars of each day's loss. Dashed is excluded; a hatched foot means missing data."""
    width, top, base, height = 761, 26, 124, 150
    most = max([each.lost + each.excluded for each in days] + [1])
    slot = width / max(len(days), 1)
    thick = min(slot * 0.76, 44)
    body = [drawing.element("path", "axis", d=f"M0 {base}H{width}")]
    highest = max(range(len(days)), key=lambda n: days[n].lost, default=0)
    every = max(1, -(-len(days) // 8))
    longest = max((len(f"{each.lost:,}") for each in days), default=1)
    shows = longest * drawing.DIGIT_WIDTH < slot  # Otherwise only the highest figure is shown
    for n, each in enumerate(days):
        x, middle = slot * n + (slot - thick) / 2, slot * (n + 0.5)
        high = (base - top) * each.lost / most
        if each.lost:
            high = max(high, 2)
            kind = "f2" if each.is_marked else "mid"
            body.append(drawing.bar(x, base - high, thick, high, kind))
            if shows or n == highest:
                body.append(_figure(middle, base - high - 4, f"{each.lost:,}"))
        if each.excluded:
            tall = max((base - top) * each.excluded / most, 2)
            foot = base - high - (16 if each.lost and shows else 0)
            body.append(
                drawing.element(
                    "rect",
                    "axis",
                    x=x + 0.5,
                    y=foot - tall,
                    width=thick - 1,
                    height=float(tall),
                    fill="none",
                    stroke_dasharray="2 2",
                )
            )
            if shows:
                body.append(_figure(middle, foot - tall - 4, f"({each.excluded:,})", "tick"))
        if each.has_gap:
            body.append(hatch(x - (slot - thick) / 2, base + 2, slot, 5, 4))
        if n % every == 0 or n == len(days) - 1:
            place = {0: (0.0, "start"), len(days) - 1: (float(width), "end")}.get(
                n, (middle, "middle")
            )
            if n in {0, len(days) - 1} or len(days) - 1 - n >= every / 2:
                body.append(
                    drawing.label(place[0], height - 6, each.label, "tick", anchor=place[1])
                )
    said = ", ".join(f"{each.label} {each.said}" for each in days)
    return drawing.svg(width, height, title, said, body, extra="c-x700")


def _figure(x: float, y: float, words: str, kind: str = "lab2") -> Markup:
    return drawing.label(x, y, words, kind, anchor="middle", weight=500)


@dataclass(frozen=True, slots=True)
class Strip:
    """Minutes with data by day.

    `days` are (known, expected); a day without expected minutes is left out.
    """

    name: str
    days: Sequence[tuple[int, int]]
    coverage: str
    is_low: bool
    note: str


def coverage_strips(
    strips: Sequence[Strip], ticks: Sequence[tuple[int, str]], title: str
) -> Markup:
    """Draw a row per objective and a cell per day; the part without data is hatched."""
    width, first, height = 830, 226, 20 + 30 * len(strips)
    count = max((len(each.days) for each in strips), default=1)
    slot = 391 / max(count, 1)
    body = [drawing.label(first + slot * n, 10, word, "tick") for n, word in ticks]
    for row, strip in enumerate(strips):
        y = 20 + 30 * row
        body.append(drawing.label(0, y + 13, _short(strip.name), "lab2", weight=500))
        for n, (known, expected) in enumerate(strip.days):
            x, wide = first + slot * n, max(slot - 2, 1)
            if not expected:
                continue
            body.append(drawing.bar(x, y, wide, 18, "l3"))
            if known < expected:
                high = max(18 * (expected - known) / expected, 4)
                body.append(
                    drawing.element("rect", "gap", x=x, y=float(y), width=wide, height=float(high))
                )
                body.append(_frame(x + 0.5, y + 0.5, wide - 1, high - 0.5))
                body.append(hatch(x + 0.5, y + 0.5, wide - 1, high - 0.5, 4))
        kind = "limit-t" if strip.is_low else "lab"
        body.append(drawing.label(first + 400, y + 13, strip.coverage, kind, weight=600))
        body.append(drawing.label(first + 446, y + 13, strip.note, "tick"))
    said = "; ".join(f"{each.name} {each.coverage}" for each in strips)
    return drawing.svg(width, height, title, said, body)


def _short(name: str) -> str:
    return name if len(name) <= 38 else f"{name[:36]}…"  # noqa: PLR2004 - what 226 units hold
