"""The chart of a statement's PDF: minutes lost since the first of the month, against the budget."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from html import escape

from markupsafe import Markup

from governance.kernel.intervals import MINUTE, Span, difference, minutes
from governance.kernel.months import ZonePeriod
from governance.publishing.statements.figures import MONTHS, local

WIDTH, LEFT, RIGHT, TOP, HEIGHT = 493.0, 26.0, 64.0, 8.0, 118.0  # Points. 493 is 174 mm.
INK, SOFT, HAIR, ALERT, BAND = "#161b26", "#535d6c", "#dfe3ea", "#b8360b", "#dfe3ea"
EVERY_DAYS = 5
# Points: the mean width of a label's letter, and the distance between labels.
LETTER, ROW = 3.7, 9.5
TOP_ROWS = 2  # Of labels of excluded spans.


@dataclass(frozen=True, slots=True)
class NamedSpan:
    """A span of the chart with its label, such as "INC-121: 22 min"."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class _Plot:
    """The mapping of an instant and a number of minutes to points."""

    span: Span
    top: float

    def x(self, at: datetime) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * (
            (at - self.span.start) / (self.span.end - self.span.start)
        )

    def y(self, value: float) -> float:
        return TOP + HEIGHT * (1 - value / self.top)


@dataclass(slots=True)
class _Labels:
    """The labels inside the plot. One that would cover another is moved up, or left out."""

    boxes: list[tuple[float, float, float]] = field(default_factory=list)  # Left, right, baseline.

    def place(self, left: float, text: str, baselines: Sequence[float], fill: str) -> str:
        right = left + LETTER * len(text)
        if left < LEFT or right > WIDTH - RIGHT:
            return ""
        for baseline in baselines:
            if baseline >= TOP + ROW - 3 and self._is_free(left, right, baseline):
                self.boxes.append((left, right, baseline))
                return _text(left, baseline, text, fill=fill)
        return ""

    def _is_free(self, left: float, right: float, baseline: float) -> bool:
        return all(
            right < a or left > b or abs(baseline - other) >= ROW for a, b, other in self.boxes
        )


def minutes_lost(
    span: Span,
    down: Sequence[Span],
    excluded: Sequence[NamedSpan],
    incidents: Sequence[NamedSpan],
    allowed: float,
    zones: Sequence[ZonePeriod],
    alt: str,
) -> Markup:
    """Draw the cumulative minutes down outside exclusions, with the incidents that caused them.

    Excluded spans are bands, and the budget is dashed.
    """
    counted = difference(down, [each.span for each in excluded])
    total = minutes(counted)
    plot = _Plot(span, max(total, allowed, 1) * (1.25 if excluded else 1.12))
    labels = _Labels()
    ticks = _ticks(plot.top)
    parts = [_line(LEFT, plot.y(v), WIDTH - RIGHT, plot.y(v), HAIR) for v in ticks]
    parts += [_text(LEFT - 6, plot.y(v) + 2.6, f"{v:,}", anchor="end") for v in ticks]
    parts += _bands(excluded, plot, labels)
    parts += _beside(total, allowed, plot)
    parts.append(_steps(span, counted, plot.x, plot.y))
    parts += _incidents(incidents, counted, plot, labels)
    parts.append(_line(LEFT, plot.y(0), WIDTH - RIGHT, plot.y(0), INK))
    parts += _days(span, zones, plot)
    tall = TOP + HEIGHT + 18
    return Markup(  # noqa: S704 - our own numbers, and texts that are escaped
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" width="{WIDTH}pt" height="{tall}pt"'
        f' viewBox="0 0 {WIDTH} {tall}" font-family="Report Sans"><title>{escape(alt)}</title>'
        f"{''.join(parts)}</svg>"
    )


def _bands(excluded: Sequence[NamedSpan], plot: _Plot, labels: _Labels) -> Iterator[str]:
    """Draw excluded spans. Their labels are beside them at the top, if there is room."""
    rows = [TOP + 7 + ROW * n for n in range(TOP_ROWS)]
    for each in excluded:
        left, right = plot.x(each.span.start), plot.x(each.span.end)
        yield (
            f'<rect fill="{BAND}" x="{left:.1f}" y="{TOP}" width="{max(1.0, right - left):.1f}"'
            f' height="{HEIGHT}"/>'
        )
        width = LETTER * len(each.text)
        is_right = right + 4 + width <= WIDTH - RIGHT
        yield labels.place(right + 4 if is_right else left - 4 - width, each.text, rows, SOFT)


def _beside(total: int, allowed: float, plot: _Plot) -> Iterator[str]:
    """Draw the budget's line, and the labels of both lines to the right of the plot."""
    budget, ends = plot.y(allowed), plot.y(total)
    if abs(ends - budget) < ROW:
        ends = budget + (ROW if ends > budget else -ROW)
    yield _line(LEFT, budget, WIDTH - RIGHT, budget, INK, dash=True)
    yield _text(WIDTH - RIGHT + 6, budget + 2.6, f"Budget {allowed:,.1f}", fill=INK)
    yield _text(WIDTH - RIGHT + 6, ends + 2.6, f"Lost {total:,}", fill=ALERT)


def _incidents(
    incidents: Sequence[NamedSpan], counted: Sequence[Span], plot: _Plot, labels: _Labels
) -> Iterator[str]:
    """Label each incident left of its climb, or right of it if there is no room."""
    for each in incidents:
        before = minutes(
            Span(s.start, min(s.end, each.span.start)) for s in counted if s.start < each.span.start
        )
        after = minutes(
            Span(s.start, min(s.end, each.span.end)) for s in counted if s.start < each.span.end
        )
        left = plot.x(each.span.start) - 4 - LETTER * len(each.text)
        if left >= LEFT:
            lowest = min(plot.y((before + after) / 2) + 2.6, plot.y(before) - 4)
            rows = [lowest - ROW * n for n in range(4)]
            yield labels.place(left, each.text, rows, INK)
        else:
            lowest = max(plot.y((before + after) / 2) + 2.6, plot.y(after) + 9)
            yield labels.place(plot.x(each.span.end) + 4, each.text, [lowest], INK)


def _days(span: Span, zones: Sequence[ZonePeriod], plot: _Plot) -> Iterator[str]:
    """Label every fifth day at its own midnight. A day of 23 or 25 hours shifts none of them."""
    at = span.start
    while at < span.end:
        yield _text(plot.x(at), TOP + HEIGHT + 12, f"{local(at, zones).day}", anchor="middle")
        noon = at + timedelta(days=EVERY_DAYS, hours=12)
        there = local(noon, zones)
        at = noon - timedelta(hours=there.hour, minutes=there.minute)
    yield _text(WIDTH - RIGHT + 6, TOP + HEIGHT + 12, MONTHS[local(span.start, zones).month - 1])


def _ticks(top: float) -> list[int]:
    """Return round steps from 0 on, at most five of them."""
    step = 1
    for factor in range(12):
        for base in (1, 2, 5):
            step = base * 10**factor
            if top / step <= 5:  # noqa: PLR2004 - lines that stay apart
                return [n * step for n in range(int(top // step) + 1)]
    return [0, step]


def _steps(
    span: Span,
    counted: Sequence[Span],
    x: Callable[[datetime], float],
    y: Callable[[float], float],
) -> str:
    points, total = [(x(span.start), y(0))], 0
    for each in counted:
        points.append((x(each.start), y(total)))
        total += each.minutes
        points.append((x(each.start + each.minutes * MINUTE), y(total)))
    points.append((x(span.end), y(total)))
    path = " ".join(f"{'L' if n else 'M'}{a:.1f} {b:.1f}" for n, (a, b) in enumerate(points))
    return f'<path d="{path}" fill="none" stroke="{ALERT}" stroke-width="1.5"/>'


def _line(x1: float, y1: float, x2: float, y2: float, colour: str, *, dash: bool = False) -> str:
    dashes = ' stroke-dasharray="3 2"' if dash else ""
    return (
        f'<path d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}" stroke="{colour}" stroke-width=".6"'
        f' fill="none"{dashes}/>'
    )


def _text(x: float, y: float, text: str, *, fill: str = SOFT, anchor: str = "start") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" fill="{fill}" font-size="7.2"'
        f' text-anchor="{anchor}">{escape(text)}</text>'
    )
