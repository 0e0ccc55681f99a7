"""The coverage chart: one bar per version, hatched for missing evidence."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from markupsafe import Markup

from governance.kernel.pictures import drawing


@dataclass(frozen=True, slots=True)
class CoveragePiece:
    """A bar of the chart, from `start` to `end`, both inclusive.

    Kinds: held (accepted), due (in review or due), stale (older than allowed), missing (expected,
    but absent) and open (not due yet).
    """

    start: date
    end: date
    kind: Literal["held", "due", "stale", "missing", "open"] = "held"


@dataclass(frozen=True, slots=True)
class CoverageRow:
    """An evidence item over the period, with its bars and status. Tone "bad" is red."""

    name: str
    ref: str
    pieces: Sequence[CoveragePiece]
    status: str = ""
    tone: Literal["", "bad"] = ""


MONTH_NAME_WIDTH = 30
_PERIOD_LEFT, _PERIOD_WIDTH, _PERIOD_ROW = 190.0, 520.0, 27
_PERIOD_FILL = {"held": "l4", "due": "l3", "stale": "l1"}


def coverage_bars(
    rows: Sequence[CoverageRow], period: tuple[date, date], today: date, title: str
) -> Markup:
    """Return the chart as SVG."""
    width, height = 830, 34 + _PERIOD_ROW * len(rows) + 8
    scale = _Days(*period)
    body = _period_grid(scale, height, today)
    for n, row in enumerate(rows):
        body += _period_row(row, 30 + n * _PERIOD_ROW, scale)
    if period[0] <= today <= period[1]:
        x = scale.x(today)
        body.append(
            drawing.element(
                "path", "sink", d=f"M{drawing.coordinate(x)} 20V{height - 4}", stroke_width=1.4
            )
        )
        body.append(drawing.label(x, 14, "today", "lab", anchor="middle", weight=600))
    return drawing.svg(width, height, title, "; ".join(_in_words(row) for row in rows), body)


@dataclass(frozen=True, slots=True)
class _Days:
    """Scale from days of the period to SVG user units."""

    first: date
    last: date

    def x(self, day: date) -> float:
        total = max((self.last - self.first).days + 1, 1)
        return _PERIOD_LEFT + min(max((day - self.first).days / total, 0), 1) * _PERIOD_WIDTH


def _period_grid(scale: _Days, height: int, today: date) -> list[Markup]:
    """Return a line for each month, and names of months, only every few months in long periods."""
    months = _first_days(scale.first, scale.last)
    every = max(1, -(-len(months) // 14))
    body = [
        drawing.element(
            "path",
            "grid",
            d="".join(f"M{drawing.coordinate(scale.x(day))} 22V{height - 4}" for day in months),
        )
    ]
    for day in months[::every]:
        x = (scale.x(day) + scale.x(_next_month(day))) / 2 if every == 1 else scale.x(day) + 11
        if abs(x - scale.x(today)) > MONTH_NAME_WIDTH:
            body.append(drawing.label(x, 14, f"{day:%b}", "tick", anchor="middle"))
    return body


def _period_row(row: CoverageRow, y: float, scale: _Days) -> list[Markup]:
    body = [
        drawing.label(0, y + 12, row.name, "lab2", weight=500),
        drawing.label(_PERIOD_LEFT - 58, y + 12, row.ref, "tick"),
    ]
    for piece in row.pieces:
        x, wide = (
            scale.x(piece.start),
            scale.x(piece.end + timedelta(days=1)) - scale.x(piece.start) - 2,
        )
        if wide > 0:
            body += _piece(piece.kind, x, y, wide)
    ink, weight = ("limit-t", 500) if row.tone == "bad" else ("lab2", 400)
    return [
        *body,
        drawing.label(_PERIOD_LEFT + _PERIOD_WIDTH + 18, y + 12, row.status, ink, weight=weight),
    ]


def _piece(kind: str, x: float, y: float, wide: float) -> list[Markup]:
    if kind in _PERIOD_FILL:
        return [drawing.bar(x, y, wide, 16, _PERIOD_FILL[kind])]
    if kind == "open":
        box = drawing.element(
            "rect",
            "axis",
            x=x + 0.5,
            y=y + 0.5,
            width=max(wide - 1, 0.5),
            height=15,
            rx=2,
            fill="none",
            stroke_dasharray="2 2",
        )
        return [box]
    return [
        drawing.bar(x, y, wide, 16, "l0"),
        drawing.element("path", "hatch", d=_hatching(x, y, wide, 16), stroke_width=1.2),
    ]


def _hatching(x: float, y: float, wide: float, high: float, gap: float = 6) -> str:
    """Return diagonals clipped to the rectangle. An SVG pattern would need a unique id."""
    strokes, offset = [], gap / 2
    while offset < wide + high:
        low, top = (offset, 0.0), (0.0, offset)
        start = low if offset <= wide else (wide, offset - wide)
        end = top if offset <= high else (offset - high, high)
        strokes.append(
            f"M{drawing.coordinate(x + start[0])}"
            f" {drawing.coordinate(y + start[1])}L{drawing.coordinate(x + end[0])}"
            f" {drawing.coordinate(y + end[1])}"
        )
        offset += gap
    return "".join(strokes)


def _in_words(row: CoverageRow) -> str:
    missing = [
        f"missing {p.start:%-d %b %Y} to {p.end:%-d %b %Y}"
        for p in row.pieces
        if p.kind == "missing"
    ]
    parts = [f"{row.name} {row.ref}".strip(), *missing, row.status]
    return ", ".join(part for part in parts if part)


def _first_days(start: date, end: date) -> list[date]:
    day, days = start.replace(day=1), []
    while day <= end:
        days.append(max(day, start))
        day = _next_month(day)
    return days


def _next_month(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)
