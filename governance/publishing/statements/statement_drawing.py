"""The chart of a statement's PDF: minutes lost since the first of the month, against the budget."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from html import escape

from markupsafe import Markup

from governance.kernel.intervals import MINUTE, Span, difference, minutes
from governance.kernel.months import ZonePeriod
from governance.publishing.statements.figures import local

WIDTH, LEFT, RIGHT, TOP, HEIGHT = 493.0, 26.0, 64.0, 8.0, 118.0  # points; 493 is 174 mm
INK, SOFT, HAIR, ALERT, BAND = "#161b26", "#535d6c", "#dfe3ea", "#b8360b", "#dfe3ea"
EVERY_DAYS = 5


def minutes_lost(
    span: Span,
    down: Sequence[Span],
    excluded: Sequence[Span],
    allowed: float,
    zones: Sequence[ZonePeriod],
    alt: str,
) -> Markup:
    """The minutes down outside exclusions, added up; excluded spans as bands, the budget dashed."""
    counted = difference(down, excluded)
    total = minutes(counted)
    top = max(total, allowed, 1) * 1.12
    plot = WIDTH - LEFT - RIGHT

    def x(at: datetime) -> float:
        return LEFT + plot * ((at - span.start) / (span.end - span.start))

    def y(value: float) -> float:
        return TOP + HEIGHT * (1 - value / top)

    parts = [_line(LEFT, y(v), WIDTH - RIGHT, y(v), HAIR) for v in _ticks(top)]
    parts += [_text(LEFT - 6, y(v) + 2.6, f"{v:,}", anchor="end") for v in _ticks(top)]
    for each in excluded:
        wide = max(1.0, x(each.end) - x(each.start))
        parts.append(
            f'<rect fill="{BAND}" x="{x(each.start):.1f}" y="{TOP}" width="{wide:.1f}"'
            f' height="{HEIGHT}"/>'
        )
    parts.append(_line(LEFT, y(allowed), WIDTH - RIGHT, y(allowed), INK, dash=True))
    parts.append(_text(WIDTH - RIGHT + 6, y(allowed) + 2.6, f"Budget {allowed:,.1f}", fill=INK))
    parts.append(_steps(span, counted, x, y))
    ends = y(total) + (9 if abs(y(total) - y(allowed)) < 8 else 0)  # noqa: PLR2004 - points
    parts.append(_text(WIDTH - RIGHT + 6, ends + 2.6, f"Lost {total:,}", fill=ALERT))
    parts.append(_line(LEFT, y(0), WIDTH - RIGHT, y(0), INK))
    at = span.start
    while at < span.end:
        parts.append(_text(x(at), TOP + HEIGHT + 12, f"{local(at, zones).day}", anchor="middle"))
        at += timedelta(days=EVERY_DAYS)
    tall = TOP + HEIGHT + 18
    return Markup(  # noqa: S704 - our own numbers, and a text that is escaped
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" width="{WIDTH}pt" height="{tall}pt"'
        f' viewBox="0 0 {WIDTH} {tall}" font-family="Report Sans"><title>{escape(alt)}</title>'
        f"{''.join(parts)}</svg>"
    )


def _ticks(top: float) -> list[int]:
    """Round steps from 0 on: at most five of them."""
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
