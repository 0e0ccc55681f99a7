"""Charts as SVG text: pure functions from plain data to Markup, the same picture on the page and in the PDF.

    sparkline · lines · columns · waterfall            values over time and what makes up a sum
    stacked_bar · level_bar · share_bar · key_of       parts of a whole
    level_columns · coverage_bars · interval           our levels by quarter, a period by evidence, a range
    obeyed                                             how long each consumer took to obey a stop, by region
    proof_tree · proof_path                            the idea of a proof (sign-in page), and the proof of one entry
    for_print                                          the same chart in the colours of a report

Every chart has role="img", a <title> that says the conclusion, and a <desc> with the figures. A colour is a
presentation attribute (for the PDF) beside a k- class (for the theme); no style attribute, no id, no pattern.
Lengths are in user units of about one CSS pixel. Bars start at zero.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from markupsafe import Markup, escape

# k- class → (attribute, light colour); console.css gives the same classes their colour by theme.
INKS: Mapping[str, tuple[str, str]] = {
    "grid": ("stroke", "#e1e6ea"), "axis": ("stroke", "#c6ced5"), "limit": ("stroke", "#cb382f"),
    "halo": ("stroke", "#ffffff"), "hatch": ("stroke", "#cb382f"), "sink": ("stroke", "#46525c"),
    "sok": ("stroke", "#1f8a52"), "sbad": ("stroke", "#cb382f"),
    "s1": ("stroke", "#0b5a78"), "s2": ("stroke", "#b4541a"), "s3": ("stroke", "#6a4fa3"),
    "s4": ("stroke", "#7d8993"),
    "f1": ("fill", "#0b5a78"), "f2": ("fill", "#b4541a"), "f3": ("fill", "#6a4fa3"),
    "f4": ("fill", "#7d8993"),
    "t1": ("fill", "#0b5a78"), "t2": ("fill", "#b4541a"), "t3": ("fill", "#6a4fa3"),
    "t4": ("fill", "#46525c"),
    "ok": ("fill", "#1f8a52"), "warn": ("fill", "#c17f0c"), "bad": ("fill", "#cb382f"),
    "mute": ("fill", "#848f99"),
    "track": ("fill", "#edf0f2"), "gap": ("fill", "#ffffff"), "ink": ("fill", "#12191f"),
    "mid": ("fill", "#4f93ad"),
    "l0": ("fill", "#fad4cf"), "l1": ("fill", "#fae5bf"), "l2": ("fill", "#e6ebee"),
    "l3": ("fill", "#b9dbe6"),
    "l4": ("fill", "#0b5a78"),
    "l0t": ("fill", "#84170f"), "l1t": ("fill", "#664000"), "l2t": ("fill", "#2b363f"),
    "l3t": ("fill", "#073c50"),
    "l4t": ("fill", "#ffffff"),
    "ont": ("fill", "#ffffff"), "lab": ("fill", "#12191f"), "lab2": ("fill", "#46525c"),
    "tick": ("fill", "#5f6b75"),
    "limit-t": ("fill", "#a1201a"),
}  # fmt: skip

# What a report prints instead; the accent and its tints are the tenant's and may be given.
REPORT: Mapping[str, str] = {
    "grid": "#dfe3ea", "axis": "#b9c0cc", "limit": "#b8360b", "hatch": "#b8360b", "sink": "#535d6c",
    "sbad": "#b8360b",
    "s1": "#27348f", "s2": "#b8360b", "s3": "#5a6acb", "s4": "#535d6c",
    "f1": "#27348f", "f2": "#b8360b", "f3": "#5a6acb", "f4": "#535d6c",
    "t1": "#27348f", "t2": "#b8360b", "t3": "#5a6acb", "t4": "#535d6c",
    "ok": "#27348f", "warn": "#b0b9e6", "bad": "#b8360b", "mute": "#b9c0cc", "track": "#f4f5f9",
    "ink": "#161b26",
    "mid": "#5a6acb", "l0": "#ffffff", "l1": "#dde1f4", "l2": "#b0b9e6", "l3": "#5a6acb", "l4": "#27348f",
    "l0t": "#161b26", "l1t": "#161b26", "l2t": "#161b26", "l3t": "#ffffff", "l4t": "#ffffff",
    "lab": "#161b26", "lab2": "#535d6c", "tick": "#535d6c", "limit-t": "#b8360b",
}  # fmt: skip

LEVELS = ("Not addressed", "Partial", "Addressed", "Evidenced", "Effective")
# fills on which a figure can be read, and its ink; beside any other fill the figure stands in the key
_ON = {"f1": "ont", **{f"l{n}": f"l{n}t" for n in range(5)}}
_DIGIT = 6.4  # width of a tabular figure at 11 px


# ---------- values over time ----------


def sparkline(values: Sequence[float], title: str, *, width: int = 90, height: int = 22) -> Markup:
    """A line without axes, its last value marked; the scale is its own, so only the shape is compared."""
    if not values:
        return _svg(width, height, title, "no values", _text(0, height - 6, "no values yet", "tick"), inline=True)
    low, span = min(values), (max(values) - min(values)) or 1
    step = (width - 8) / max(len(values) - 1, 1)
    points = [(2 + n * step, height - 4 - (v - low) / span * (height - 9)) for n, v in enumerate(values)]
    x, y = points[-1]
    area = f"{_path(points)}L{_n(x)} {height}L2 {height}Z"
    body = [
        _el("path", "track", d=area),
        _el("path", "s1", d=_path(points), fill="none", stroke_width=1.5, stroke_linejoin="round"),
        _el("circle", "f1", cx=x, cy=y, r=2.5),
    ]
    return _svg(width, height, title, ", ".join(number(v) for v in values), body, inline=True)


@dataclass(frozen=True, slots=True)
class Series:
    """One line: values in the order of the labels (None: nothing measured), and maybe an interval."""

    name: str
    values: Sequence[float | None]
    band: Sequence[tuple[float, float]] = ()


def lines(
    series: Sequence[Series],
    labels: Sequence[str],
    title: str,
    *,
    unit: str = "",
    limit: tuple[float, str] | None = None,
    ceiling: float | None = None,
    width: int = 440,
    height: int = 190,
) -> Markup:
    """Up to four series, named at their ends; the first is the one that matters, drawn last."""
    drawn = [v for s in series for v in s.values if v is not None] + ([limit[0]] if limit else [])
    plot = _Plot(36, 14, width - 160, height - 40, ceiling or _ceiling(max(drawn, default=1)))
    xs = [plot.left + n * plot.width / max(len(labels) - 1, 1) for n in range(len(labels))]
    body = _grid(plot, unit)
    body += _months(xs, labels, plot.bottom + 18)
    if limit:
        body.append(_limit(plot, *limit))
    ends = _apart([plot.y(_last(s.values)) for s in series])
    tones = _tones(len(series))
    for n in reversed(range(len(series))):
        body += _line(series[n], tones[n], xs, plot, ends[n], unit)
    figures = "; ".join(f"{s.name}: {', '.join('none' if v is None else number(v) for v in s.values)}" for s in series)
    return _svg(width, height, title, figures, body)


def _tones(count: int) -> list[int]:
    """Ink of each series: alone it is petrol; in company the first is the orange-brown one."""
    return [1] if count == 1 else [2, 1, 3, 4][:count]


def _line(series: Series, tone: int, xs: Sequence[float], plot: "_Plot", label_y: float, unit: str) -> list[Markup]:
    points = [(x, plot.y(v)) for x, v in zip(xs, series.values, strict=False) if v is not None]
    if not points:
        return []
    out = []
    if series.band:
        upper = [(x, plot.y(high)) for x, (_, high) in zip(xs, series.band, strict=False)]
        lower = [(x, plot.y(low)) for x, (low, _) in zip(xs, series.band, strict=False)]
        out.append(_el("path", f"f{tone}", d=_path([*upper, *lower[::-1]]) + "Z", opacity=0.14))
    dash = {"stroke_dasharray": "5 2"} if tone == 3 else {}
    out.append(
        _el(
            "path",
            f"s{tone}",
            d=_path(points),
            fill="none",
            stroke_width=1.8,
            stroke_linejoin="round",
            **dash,
        )
    )
    x, y = points[-1]
    out.append(_el("circle", f"f{tone}", cx=x, cy=y, r=3))
    words = f"{number(_last(series.values))}{unit} {series.name}"
    return [*out, _text(x + 9, label_y + 4, words, f"t{tone}", weight=600)]


@dataclass(frozen=True, slots=True)
class Column:
    """One bar of a column chart: label under it, value over it, kind is the ink (mid, f1, warn, bad …)."""

    label: str
    value: float
    kind: str = "mid"
    note: str = ""


def columns(items: Sequence[Column], title: str, *, unit: str = "", width: int = 320, height: int = 150) -> Markup:
    """Bars with their values on top; for counts that differ enough to be seen."""
    plot = _Plot(0, 24, width, height - 46, max((i.value for i in items), default=1) or 1)
    slot = width / max(len(items), 1)
    thick = min(slot * 0.72, 44)
    body = [_el("path", "axis", d=f"M0 {plot.bottom}H{width}")]
    for n, item in enumerate(items):
        middle, y = slot * (n + 0.5), plot.y(item.value)
        body.append(_bar(middle - thick / 2, y, thick, plot.bottom - y, item.kind))
        body.append(_text(middle, y - 6, f"{number(item.value)}{unit}", "lab2", anchor="middle", weight=500))
        body.append(_text(middle, plot.bottom + 15, item.label, "tick", anchor="middle"))
    return _svg(width, height, title, ", ".join(f"{i.label} {number(i.value)}{unit}" for i in items), body)


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a waterfall: a change, or (total=True) the sum so far, whose value is then computed."""

    label: str
    value: float = 0
    total: bool = False
    kind: str = "f4"
    note: str = ""


def waterfall(steps: Sequence[Step], title: str, *, unit: str = "", width: int = 560, height: int = 220) -> Markup:
    """From a start through changes to totals; the first step is a total if its value is the start."""
    spans = _spans(steps)
    plot = _Plot(0, 24, width, height - 62, _ceiling(max((max(s) for s in spans), default=1)))
    slot = width / max(len(steps), 1)
    thick = min(slot * 0.8, 58)
    body: list[Markup] = []
    for n, (step, (start, end)) in enumerate(zip(steps, spans, strict=True)):
        middle, top, low = slot * (n + 0.5), plot.y(max(start, end)), plot.y(min(start, end))
        kind = "f1" if step.total or n == 0 else step.kind
        words = number(end) if step.total or n == 0 else signed(step.value)
        body.append(_bar(middle - thick / 2, top, thick, max(low - top, 1), kind))
        body.append(_text(middle, top - 7, f"{words}{unit}", "lab", anchor="middle", weight=600))
        body.append(_text(middle, plot.bottom + 17, step.label, "lab2", anchor="middle"))
        body.append(_text(middle, plot.bottom + 31, step.note, "tick", anchor="middle"))
        if n + 1 < len(steps):
            line = f"M{_n(middle + thick / 2)} {_n(plot.y(end))}H{_n(middle + slot - thick / 2)}"
            body.append(_el("path", "axis", d=line, stroke_dasharray="2 2"))
    body.append(_el("path", "axis", d=f"M0 {plot.bottom}H{width}"))
    figures = ", ".join(
        f"{s.label} {number(e if s.total or not n else s.value)}{unit}"
        for n, (s, (_, e)) in enumerate(zip(steps, spans, strict=True))
    )
    return _svg(width, height, title, figures, body)


def _spans(steps: Sequence[Step]) -> list[tuple[float, float]]:
    """Where each bar starts and ends; a total starts at zero."""
    spans, level = [], 0.0
    for n, step in enumerate(steps):
        start = 0.0 if step.total or n == 0 else level
        level = level if step.total and n else level + step.value
        spans.append((start, level))
    return spans


# ---------- parts of a whole ----------


def stacked_bar(parts: Sequence[tuple[str, int]], title: str, *, width: int = 190, height: int = 14) -> Markup:
    """Parts of (ink, count) in order, 2 px apart; counts stand where they fit, small parts stay visible."""
    shown = [(kind, count) for kind, count in parts if count > 0]
    figures = ", ".join(f"{count} {_word(kind)}" for kind, count in shown) or "nothing"
    if not shown:
        return _svg(width, height, title, figures, [_bar(0, 0, width, height, "track")])
    body, x = [], 0.0
    for (kind, count), wide in zip(shown, _widths([c for _, c in shown], width - 2 * (len(shown) - 1)), strict=True):
        body.append(_bar(x, 0, wide, height, kind))
        if kind in _ON and height >= 12 and wide >= _DIGIT * len(str(count)) + 3:
            body.append(
                _text(
                    x + wide / 2,
                    height / 2 + 3.5,
                    str(count),
                    _ON[kind],
                    anchor="middle",
                    weight=600,
                    size=10,
                )
            )
        x += wide + 2
    return _svg(width, height, title, figures, body)


def level_bar(counts: Mapping[int, int], title: str, *, width: int = 190, height: int = 14) -> Markup:
    """Requirements by level, 4 at the left: `counts` is level → how many."""
    return stacked_bar([(f"l{n}", counts.get(n, 0)) for n in (4, 3, 2, 1, 0)], title, width=width, height=height)


def share_bar(share: float, title: str, *, kind: str = "f1", width: int = 122, height: int = 8, track: bool = True) -> Markup:
    """One bar of `share` (0 to 1) of the width; its number stands beside it in the text."""
    held = min(max(share, 0.0), 1.0)
    body = [_bar(0, 0, width, height, "track")] if track else []
    return _svg(
        width,
        height,
        title,
        percent(held),
        [*body, _bar(0, 0, max(held * width, 0.01), height, kind)],
        inline=True,
    )


def key_of(parts: Sequence[tuple[str, int, str]]) -> list[tuple[str, str]]:
    """(ink, count, word) → the pairs that the template macro `c.key` draws: ("f1", "141 fresh")."""
    return [(kind, f"{count} {word}") for kind, count, word in parts]


def level_columns(
    quarters: Sequence[tuple[str, Mapping[int, int]]], title: str, *, width: int = 440, height: int = 190
) -> Markup:
    """Requirements by level, one stacked column a quarter, level 4 at the foot."""
    most = max((sum(counts.values()) for _, counts in quarters), default=1) or 1
    plot = _Plot(0, 10, width, height - 34, most)
    slot = width / max(len(quarters), 1)
    thick = min(slot * 0.66, 56)
    body: list[Markup] = []
    for n, (label, counts) in enumerate(quarters):
        body += _level_column(slot * (n + 0.5), thick, counts, plot)
        body.append(_text(slot * (n + 0.5), plot.bottom + 16, label, "tick", anchor="middle"))
    body.append(_el("path", "axis", d=f"M0 {plot.bottom}H{width}"))
    figures = "; ".join(
        f"{label}: " + ", ".join(f"{counts.get(n, 0)} {LEVELS[n]}" for n in (4, 3, 2, 1, 0)) for label, counts in quarters
    )
    return _svg(width, height, title, figures, body)


def _level_column(middle: float, thick: float, counts: Mapping[int, int], plot: "_Plot") -> list[Markup]:
    out, under = [], 0
    for n in (4, 3, 2, 1, 0):
        count = counts.get(n, 0)
        if not count:
            continue
        top, low = plot.y(under + count), plot.y(under)
        under += count
        out.append(_bar(middle - thick / 2, top, thick, max(low - top - 1.5, 1), f"l{n}"))
        if low - top >= 13:
            out.append(_text(middle, (top + low) / 2 + 3, str(count), f"l{n}t", anchor="middle", weight=600, size=10))
    return out


# ---------- a period, a range, a proof ----------


@dataclass(frozen=True, slots=True)
class Piece:
    """What one version of evidence covers, both days included.

    held: proven · due: to be renewed · stale: older than allowed · missing: expected, not there ·
    open: not yet due.
    """

    start: date
    end: date
    kind: Literal["held", "due", "stale", "missing", "open"] = "held"


@dataclass(frozen=True, slots=True)
class Row:
    """One kind of evidence over the period: name, control, pieces, and its state in words (bad: red)."""

    name: str
    ref: str
    pieces: Sequence[Piece]
    status: str = ""
    tone: Literal["", "bad"] = ""


_PERIOD_LEFT, _PERIOD_WIDTH, _PERIOD_ROW = 190.0, 520.0, 27
_PERIOD_FILL = {"held": "l4", "due": "l3", "stale": "l1"}


def coverage_bars(rows: Sequence[Row], period: tuple[date, date], today: date, title: str) -> Markup:
    """The period chart: a bar for what each piece covers, hatched where it was expected and is missing."""
    width, height = 830, 34 + _PERIOD_ROW * len(rows) + 8
    scale = _Days(*period)
    body = _period_grid(scale, height, today)
    for n, row in enumerate(rows):
        body += _period_row(row, 30 + n * _PERIOD_ROW, scale)
    if period[0] <= today <= period[1]:
        x = scale.x(today)
        body.append(_el("path", "sink", d=f"M{_n(x)} 20V{height - 4}", stroke_width=1.4))
        body.append(_text(x, 14, "today", "lab", anchor="middle", weight=600))
    return _svg(width, height, title, "; ".join(_in_words(row) for row in rows), body)


@dataclass(frozen=True, slots=True)
class _Days:
    """Days of the period to user units."""

    first: date
    last: date

    def x(self, day: date) -> float:
        total = max((self.last - self.first).days + 1, 1)
        return _PERIOD_LEFT + min(max((day - self.first).days / total, 0), 1) * _PERIOD_WIDTH


def _period_grid(scale: _Days, height: int, today: date) -> list[Markup]:
    """A line at the first of each month, and its name; in a long period every few months."""
    months = _first_days(scale.first, scale.last)
    every = max(1, -(-len(months) // 14))
    body = [_el("path", "grid", d="".join(f"M{_n(scale.x(day))} 22V{height - 4}" for day in months))]
    for day in months[::every]:
        x = (scale.x(day) + scale.x(_next_month(day))) / 2 if every == 1 else scale.x(day) + 11
        if abs(x - scale.x(today)) > 30:
            body.append(_text(x, 14, f"{day:%b}", "tick", anchor="middle"))
    return body


def _period_row(row: Row, y: float, scale: _Days) -> list[Markup]:
    body = [_text(0, y + 12, row.name, "lab2", weight=500), _text(_PERIOD_LEFT - 58, y + 12, row.ref, "tick")]
    for piece in row.pieces:
        x, wide = scale.x(piece.start), scale.x(piece.end + timedelta(days=1)) - scale.x(piece.start) - 2
        if wide > 0:
            body += _piece(piece.kind, x, y, wide)
    ink, weight = ("limit-t", 500) if row.tone == "bad" else ("lab2", 400)
    return [*body, _text(_PERIOD_LEFT + _PERIOD_WIDTH + 18, y + 12, row.status, ink, weight=weight)]


def _piece(kind: str, x: float, y: float, wide: float) -> list[Markup]:
    if kind in _PERIOD_FILL:
        return [_bar(x, y, wide, 16, _PERIOD_FILL[kind])]
    if kind == "open":
        box = _el(
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
    return [_bar(x, y, wide, 16, "l0"), _el("path", "hatch", d=_hatching(x, y, wide, 16), stroke_width=1.2)]


def _hatching(x: float, y: float, wide: float, high: float, gap: float = 6) -> str:
    """Diagonals cut to the rectangle by arithmetic: a pattern would need an id that is unique on the page."""
    strokes, offset = [], gap / 2
    while offset < wide + high:
        low, top = (offset, 0.0), (0.0, offset)
        start = low if offset <= wide else (wide, offset - wide)
        end = top if offset <= high else (offset - high, high)
        strokes.append(f"M{_n(x + start[0])} {_n(y + start[1])}L{_n(x + end[0])} {_n(y + end[1])}")
        offset += gap
    return "".join(strokes)


def _in_words(row: Row) -> str:
    missing = [f"missing {p.start:%-d %b %Y} to {p.end:%-d %b %Y}" for p in row.pieces if p.kind == "missing"]
    return ", ".join([f"{row.name} {row.ref}", *missing, *([row.status] if row.status else [])])


def _first_days(start: date, end: date) -> list[date]:
    day, days = start.replace(day=1), []
    while day <= end:
        days.append(max(day, start))
        day = _next_month(day)
    return days


def _next_month(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def interval(
    low: float,
    point: float,
    high: float,
    title: str,
    *,
    ceiling: float,
    mark: float | None = None,
    weak: bool = False,
) -> Markup:
    """A dot with its interval from zero to `ceiling`; `mark` is a dotted limit, weak is orange-brown."""
    plot = _Plot(0, 0, 152, 20, ceiling)
    x = {name: plot.left + min(v / ceiling, 1) * plot.width for name, v in (("low", low), ("point", point), ("high", high))}
    tone = 2 if weak else 1
    body = [_el("path", "axis", d="M0 10H152")]
    if mark is not None:
        body.append(_el("path", "sink", d=f"M{_n(mark / ceiling * 152)} 1V19", stroke_dasharray="1.5 2.5"))
    body.append(_el("path", f"s{tone}", d=f"M{_n(x['low'])} 10H{_n(x['high'])}", stroke_width=3))
    body.append(_el("circle", f"f{tone}", cx=x["point"], cy=10, r=4.5))
    return _svg(152, 20, title, f"{number(point)}, from {number(low)} to {number(high)}", body, inline=True)


@dataclass(frozen=True, slots=True)
class Region:
    """The seconds that each of its consumers took, and how many were to obey."""

    name: str
    seconds: Sequence[float]
    expected: int


_OBEYED_LEFT, _OBEYED_WIDTH, _OBEYED_ROW, _OBEYED_LONGEST = 116, 560, 40, 10.0


def obeyed(
    regions: Sequence[Region],
    title: str,
    *,
    promise: float = 1.0,
    median: float | None = None,
    clicked: str = "",
    until: str = "",
) -> Markup:
    """One row a region: the click as a square, each consumer as a dot, at the seconds that it took to obey.

    The promise is a dashed line. Who took longer than the axis is long stands at its end, named with its time.
    """
    slowest = max((s for r in regions for s in r.seconds), default=0.0)
    most = promise if slowest <= promise else min(_ceiling(slowest * 1.05), _OBEYED_LONGEST)
    left, width, top = float(_OBEYED_LEFT), float(_OBEYED_WIDTH), 26.0
    bottom = top + _OBEYED_ROW * max(len(regions), 1)

    def x(seconds: float) -> float:
        return left + min(seconds / most, 1.0) * width

    body: list[Markup] = []
    for n in range(6):
        body.append(_el("path", "axis" if n == 0 else "grid", d=f"M{_n(x(most * n / 5))} {_n(top - 8)}V{_n(bottom)}"))
        body.append(_text(x(most * n / 5), bottom + 18, f"{most * n / 5:.1f} s", "tick", anchor="middle"))
    body += [
        _el("path", "sink", d=f"M{_n(x(promise))} {_n(top - 12)}V{_n(bottom)}", stroke_dasharray="4 3", stroke_width=1.3),
        _text(x(promise) - 6, top - 10, f"promised: under {number(promise)} s", "lab2", anchor="end"),
    ]
    for n, region in enumerate(regions):
        body += _obeyed_row(region, top + _OBEYED_ROW * (n + 0.5), x, slowest)
    if median is not None:
        body.append(
            _text(min(x(median), left + width - 250), top - 10, f"half of them within {median:.2f} s", "lab2", anchor="middle")
        )
    body += [
        _text(left, bottom + 35, clicked, "tick"),
        _text(left + width, bottom + 35, until, "tick", anchor="end"),
    ]
    figures = "; ".join(
        f"{r.name}: {len(r.seconds)} of {r.expected}, {', '.join(f'{s:.2f} s' for s in r.seconds) or 'none yet'}" for r in regions
    )
    return _svg(left + width + 24, bottom + 42, title, figures, body)


def _obeyed_row(region: Region, y: float, x: Callable[[float], float], slowest: float) -> list[Markup]:
    missing = region.expected - len(region.seconds)
    out = [
        _text(0, y + 4, f"{region.name}, {region.expected}", "lab2"),
        _el("path", "axis", d=f"M{_n(x(0))} {_n(y)}H{_n(x(max(region.seconds, default=0)))}", stroke_width=1.5),
        _el("rect", "bad", x=float(x(0) - 4.5), y=float(y - 4.5), width=9.0, height=9.0, rx=1.5),
        *(_el("circle", "f1", cx=float(x(s)), cy=float(y), r=4.8) for s in region.seconds),
    ]
    if region.seconds and max(region.seconds) == slowest:
        end = x(slowest)
        far = end > _OBEYED_LEFT + _OBEYED_WIDTH - 60
        out.append(_text(end, y - 9, f"{slowest:.1f} s", "lab", anchor="end", weight=600) if far
                   else _text(end + 10, y + 4, f"{slowest:.1f} s", "lab", weight=600))  # fmt: skip
    if missing:
        out.append(_text(x(0) + 10, y - 9, f"{missing} not yet", "limit-t", weight=500))
    return out


def proof_tree(leaves: int = 8, proven: int = 5, *, top: str = "signed checkpoint", leaf: str = "your entry") -> Markup:
    """A Merkle tree with the path from one entry to the signed root: the idea of the product in a picture."""
    width, height, rows = 480, 232, max(leaves.bit_length() - 1, 1)
    gap, rise = width / leaves, 60
    faint: list[str] = []
    bold: list[str] = []
    dots: list[Markup] = []
    for row in range(rows + 1):
        count = 2 ** (rows - row)
        y = 12 + (rows - row) * rise
        for n in range(count):
            x, held = (n + 0.5) * gap * 2**row, proven >> row == n
            dots.append(_node(x, y, held))
            if row < rows:
                up = ((n // 2) + 0.5) * gap * 2 ** (row + 1)
                (bold if held else faint).append(f"M{_n(x)} {y}V{y - rise / 2}H{_n(up)}V{y - rise}")
    x, y = (proven + 0.5) * gap, 12 + rows * rise
    body = [
        _el("path", "axis", d="".join(faint), fill="none", stroke_width=1.3),
        _el("path", "s1", d="".join(bold), fill="none", stroke_width=2),
        *dots,
        _text(width / 2 + 14, 16, top, "lab", weight=600),
        _text(x, y + 26, leaf, "lab", weight=600, anchor="middle"),
    ]
    words = f"A tree of {leaves} log entries: the path from one entry to the signed checkpoint is drawn through"
    return _svg(width, height, words, f"{rows} steps from the entry to the root", body, extra="c-chart-hero")


type Side = Literal["left", "right"]
STRIDES = (20, 36, 70)  # from a node to its parent, from the entry up: at most three steps are drawn


def proof_path(steps: Sequence[tuple[Side, str]], leaf: str, root: str, *, top: str) -> Markup:
    """The proof of one entry: from it up to the signed root, with the siblings that are hashed in on the way.

    `steps` are (side, hash) of the siblings from the entry up; of many the lowest and the two highest are drawn.
    """
    drawn = list(steps) if len(steps) <= len(STRIDES) else [steps[0], *steps[-2:]]
    missing, rise, gap = len(steps) - len(drawn), 36, 30
    x, y = 0.0, 42.0 + rise * len(drawn) + (gap if missing else 0)
    height, points, siblings = y + 38, [(x, y)], list[tuple[float, float, str]]()
    dashes: list[tuple[float, float]] = []
    for n, (side, digest) in enumerate(drawn):
        if n == 1 and missing:
            dashes.append((x, y))
            y -= gap
        stride, lower = STRIDES[n + len(STRIDES) - len(drawn)] * (1 if side == "right" else -1), y
        x, y = x + stride, y - rise
        siblings.append((x + stride, lower, digest))
        points.append((x, y))
    left = min([-46.0, *(sx - 82 for (sx, _, _), (side, _) in zip(siblings, drawn, strict=True) if side == "left")])
    return _proof_picture(points, siblings, dashes, (366, height, -left), (leaf, root, top, missing))


def _proof_picture(
    points: Sequence[tuple[float, float]],
    siblings: Sequence[tuple[float, float, str]],
    dashes: Sequence[tuple[float, float]],
    frame: tuple[float, float, float],
    words: tuple[str, str, str, int],
) -> Markup:
    (width, height, shift), (leaf, root, top, missing) = frame, words
    body: list[Markup] = []
    for (sx, sy, _), (px, py) in zip(siblings, points[1:], strict=True):
        body.append(_el("path", "axis", d=f"M{_n(sx + shift)} {_n(sy)}L{_n(px + shift)} {_n(py)}", fill="none", stroke_width=1.3))
    at = points[0]
    for n, (px, py) in enumerate(points[1:]):
        if n == 1 and dashes:
            body.append(
                _el("path", "s1", d=f"M{_n(at[0] + shift)} {_n(at[1])}v-30", fill="none", stroke_width=2, stroke_dasharray="2 4")
            )
            body.append(_text(at[0] + shift + 9, at[1] - 12, f"{missing} more", "tick"))
            at = (at[0], at[1] - 30)
        body.append(
            _el("path", "s1", d=f"M{_n(at[0] + shift)} {_n(at[1])}L{_n(px + shift)} {_n(py)}", fill="none", stroke_width=2)
        )
        at = (px, py)
    for (sx, sy, digest), (px, _) in zip(siblings, points[1:], strict=True):
        is_right = sx > px
        body += [
            _node(sx + shift, sy, held=False),
            *_two_lines(sx + shift + (14 if is_right else -14), sy, digest, "sibling", is_right),
        ]
    body += [_node(px + shift, py, held=True) for px, py in points]
    if dashes:
        body.append(_node(points[1][0] + shift, points[1][1] - 30, held=True))
    (bx, by), (rx, ry) = points[0], points[-1]
    body += [
        _text(bx + shift, by + 20, "this entry", "lab", weight=600, anchor="middle"),
        _text(bx + shift, by + 34, leaf, "tick", anchor="middle"),
    ]
    body += _two_lines(max(0, min(rx + shift - 66, width - 136)), ry - 26, top, root, is_right=True, bold=True)
    steps = len(siblings) + missing
    said = f"The path from this entry to the {top}, {steps} step{'' if steps == 1 else 's'} long"
    return _svg(width, height, said, ", ".join(digest for _, _, digest in siblings) or "no sibling", body, extra="c-chart-tree")


def _two_lines(x: float, y: float, first: str, second: str, is_right: bool, *, bold: bool = False) -> list[Markup]:  # noqa: FBT001 the side of a node
    anchor = "start" if is_right else "end"
    kind, weight = ("lab", 600) if bold else ("tick", 400)
    return [_text(x, y, first, kind, weight=weight, anchor=anchor), _text(x, y + 13, second, "tick", anchor=anchor)]


def _node(x: float, y: float, held: bool) -> Markup:  # noqa: FBT001 on or off the path
    if held:
        return _el("circle", "f1", cx=x, cy=y, r=6.5)
    return Markup('<circle class="k-gap k-axis" fill="#ffffff" stroke="#c6ced5" cx="{}" cy="{}" r="5"/>').format(_n(x), _n(y))


# ---------- for a report, and words for numbers ----------


def for_print(chart: Markup, colours: Mapping[str, str] = REPORT) -> Markup:
    """The chart in a report's colours: k- class → colour; an ink that is not named keeps its own."""

    def recolour(match: re.Match[str]) -> str:
        kind, attribute = match["kind"], match["attribute"]
        return f'{attribute}="{colours.get(kind, match["colour"])}"'

    inks = r'class="k-(?P<kind>[\w-]+)" (?P<attribute>fill|stroke)="(?P<colour>#\w+)"'
    return Markup(re.sub(inks, recolour, chart))  # noqa: S704 our own text, recoloured


def number(value: float | None) -> str:
    """1234.5 → "1 234.5": narrow no-break space, minus as −, one decimal at most (three under one)."""
    if value is None:
        return "none"
    places = 1 if abs(value) >= 1 else 3
    text = f"{value:,.{places}f}".rstrip("0").rstrip(".") if value % 1 else f"{value:,.0f}"
    return text.replace(",", "\u202f").replace("-", "−")


def signed(value: float) -> str:
    """A change with its sign: "+1.3", "−1.1", "0"."""
    return f"+{number(value)}" if value > 0 else number(value)


def percent(share: float) -> str:
    """0.708 → "71%"; nothing under one is rounded up to 100%, nothing over zero down to 0%."""
    whole = round(share * 100)
    return f"{min(max(whole, 1 if share > 0 else 0), 99 if share < 1 else 100)}%"


# ---------- drawing ----------


@dataclass(frozen=True, slots=True)
class _Plot:
    """The area of the values: zero at the bottom, `most` at the top."""

    left: float
    top: float
    width: float
    height: float
    most: float

    @property
    def bottom(self) -> float:
        return self.top + self.height

    def y(self, value: float) -> float:
        return self.bottom - min(max(value / self.most, 0), 1) * self.height


def _svg(
    width: float,
    height: float,
    title: str,
    desc: str,
    body: Sequence[Markup] | Markup,
    *,
    inline: bool = False,
    extra: str = "",
) -> Markup:
    names = " ".join(filter(None, ["c-chart", f"c-x{round(width)}", "c-spark" if inline else "", extra]))
    start = Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" class="{}" role="img" '
        'viewBox="0 0 {} {}" font-family="Inter, Report Sans, sans-serif">'
    )
    parts = [body] if isinstance(body, Markup) else body
    words = Markup("<title>{}</title><desc>{}</desc>").format(title, desc or "no values")
    return start.format(names, _n(width), _n(height)) + words + Markup("").join(parts) + Markup("</svg>")


def _el(tag: str, kind: str, **attributes: object) -> Markup:
    attribute, colour = INKS[kind]
    given = "".join(
        f' {name.replace("_", "-")}="{escape(_n(v) if isinstance(v, float) else v)}"' for name, v in attributes.items()
    )
    return Markup(f'<{tag} class="k-{kind}" {attribute}="{colour}"{given}/>')  # noqa: S704 names are ours, values escaped


def _text(x: float, y: float, words: str, kind: str, *, anchor: str = "start", weight: int = 400, size: int = 11) -> Markup:
    if not words:
        return Markup()
    place = f'x="{_n(x)}" y="{_n(y)}" font-size="{size}" font-weight="{weight}" text-anchor="{anchor}"'
    colour = INKS[kind][1]
    return Markup(f'<text class="k-{kind}" fill="{colour}" {place}>{escape(words)}</text>')  # noqa: S704 words escaped


def _bar(x: float, y: float, wide: float, high: float, kind: str) -> Markup:
    return _el(
        "rect",
        kind,
        x=float(x),
        y=float(y),
        width=float(wide),
        height=float(high),
        rx=min(2.0, wide / 2, high / 2),
    )


def _grid(plot: _Plot, unit: str) -> list[Markup]:
    body: list[Markup] = []
    steps = next((n for n in (4, 5, 3) if plot.most / n == round(plot.most / n, 2)), 4)
    for n in range(steps + 1):
        y = plot.y(plot.most * n / steps)
        kind = "axis" if n == 0 else "grid"
        body.append(_el("path", kind, d=f"M{_n(plot.left)} {_n(y)}H{_n(plot.left + plot.width)}"))
        body.append(_text(plot.left - 7, y + 4, f"{number(plot.most * n / steps)}{unit}", "tick", anchor="end"))
    return body


def _months(xs: Sequence[float], labels: Sequence[str], y: float) -> list[Markup]:
    every = max(1, -(-len(labels) // 6))
    shown = {n for n in range(len(labels) - 1) if n % every == 0 and len(labels) - 1 - n >= every / 2} | {len(labels) - 1}
    return [_text(xs[n], y, labels[n], "tick", anchor="middle") for n in sorted(shown) if n >= 0]


def _limit(plot: _Plot, value: float, words: str) -> Markup:
    y = plot.y(value)
    line = _el(
        "path",
        "limit",
        d=f"M{_n(plot.left)} {_n(y)}H{_n(plot.left + plot.width)}",
        stroke_dasharray="4 3",
        stroke_width=1.3,
    )
    return line + _text(plot.left + 2, y - 5, words, "limit-t", weight=500)


def _path(points: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{_n(x)} {_n(y)}" for x, y in points)


def _apart(ys: Sequence[float], gap: float = 14) -> list[float]:
    """Label positions near `ys` that keep `gap` between them, moved downwards from the top one."""
    placed: dict[int, float] = {}
    floor = float("-inf")
    for n in sorted(range(len(ys)), key=lambda k: ys[k]):
        placed[n] = floor = max(ys[n], floor + gap)
    return [placed[n] for n in range(len(ys))]


def _last(values: Sequence[float | None]) -> float:
    return next((v for v in reversed(values) if v is not None), 0.0)


def _widths(counts: Sequence[int], room: float) -> list[float]:
    """Shares of the room; each at least 2 units wide, taken from the widest."""
    wide = [max(count / sum(counts) * room, 2.0) for count in counts]
    widest = wide.index(max(wide))
    wide[widest] -= sum(wide) - room
    return wide


def _ceiling(most: float) -> float:
    """The next round number above: 3.4 → 4, 412 → 500."""
    if most <= 0:
        return 1.0
    unit = 10.0 ** (len(str(int(most))) - 1) if most >= 1 else 0.1
    while most > unit * 10:
        unit *= 10
    return next(step * unit for step in (1, 2, 3, 4, 5, 6, 8, 10) if step * unit >= most)


def _word(kind: str) -> str:
    if re.fullmatch(r"l[0-4]", kind):
        return LEVELS[int(kind[1])]
    return {"f1": "good", "mid": "to come", "warn": "due", "bad": "late", "mute": "missing"}.get(kind, kind)


def _n(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") or "0"
