"""Charts as SVG text: pure functions from plain data to Markup.

A chart is the same picture on the page and in the PDF.

    sparkline · lines · columns · waterfall            values over time and what makes up a sum
    stacked_bar · share_bar · key_of · interval        parts of a whole, and a range
    for_print                                          the same chart in the colors of a report

Every chart has role="img", a <title> that states the conclusion, and a <desc> with the figures.
Bars start at zero. A feature draws what only it has in a module of its own, from the same marks
(kernel/pictures/drawing.py).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from governance.kernel.pictures import drawing
from governance.kernel.pictures.drawing import number, percent, signed

# Colors that a report prints instead. The accent and its tints are the tenant's and can be passed.
REPORT: Mapping[str, str] = {
    "grid": "#dfe3ea",
    "axis": "#b9c0cc",
    "limit": "#b8360b",
    "hatch": "#b8360b",
    "sink": "#535d6c",
    "sbad": "#b8360b",
    "s1": "#27348f",
    "s2": "#b8360b",
    "s3": "#5a6acb",
    "s4": "#535d6c",
    "f1": "#27348f",
    "f2": "#b8360b",
    "f3": "#5a6acb",
    "f4": "#535d6c",
    "t1": "#27348f",
    "t2": "#b8360b",
    "t3": "#5a6acb",
    "t4": "#535d6c",
    "ok": "#27348f",
    "warn": "#b0b9e6",
    "bad": "#b8360b",
    "mute": "#b9c0cc",
    "track": "#f4f5f9",
    "ink": "#161b26",
    "mid": "#5a6acb",
    "l0": "#ffffff",
    "l1": "#dde1f4",
    "l2": "#b0b9e6",
    "l3": "#5a6acb",
    "l4": "#27348f",
    "l0t": "#161b26",
    "l1t": "#161b26",
    "l2t": "#161b26",
    "l3t": "#ffffff",
    "l4t": "#ffffff",
    "lab": "#161b26",
    "lab2": "#535d6c",
    "tick": "#535d6c",
    "limit-t": "#b8360b",
}

WORDS: Mapping[str, str] = {
    "f1": "good",
    "mid": "to come",
    "warn": "due",
    "bad": "late",
    "mute": "missing",
}  # The meaning of each ink.


# ---------- values over time ----------


def sparkline(values: Sequence[float], title: str, *, width: int = 90, height: int = 22) -> Markup:
    """Draw a line without axes, with its last value marked.

    The scale is its own, so only the shape can be compared.
    """
    if not values:
        return drawing.svg(
            width,
            height,
            title,
            "no values",
            drawing.label(0, height - 6, "no values yet", "tick"),
            inline=True,
        )
    low, span = min(values), (max(values) - min(values)) or 1
    step = (width - 8) / max(len(values) - 1, 1)
    points = [
        (2 + n * step, height - 4 - (v - low) / span * (height - 9)) for n, v in enumerate(values)
    ]
    x, y = points[-1]
    area = f"{drawing.path(points)}L{drawing.coordinate(x)} {height}L2 {height}Z"
    body = [
        drawing.element("path", "track", d=area),
        drawing.element(
            "path",
            "s1",
            d=drawing.path(points),
            fill="none",
            stroke_width=1.5,
            stroke_linejoin="round",
        ),
        drawing.element("circle", "f1", cx=x, cy=y, r=2.5),
    ]
    return drawing.svg(
        width, height, title, ", ".join(number(v) for v in values), body, inline=True
    )


@dataclass(frozen=True, slots=True)
class Series:
    """One line: values in the order of the labels (None: not measured), and maybe an interval."""

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
    """Draw up to four series, named at their ends; the first one matters most and is drawn last."""
    drawn = [v for s in series for v in s.values if v is not None] + ([limit[0]] if limit else [])
    plot = drawing.Plot(
        36, 14, width - 160, height - 40, ceiling or drawing.ceiling(max(drawn, default=1))
    )
    xs = [plot.left + n * plot.width / max(len(labels) - 1, 1) for n in range(len(labels))]
    body = drawing.grid(plot, unit)
    body += drawing.months(xs, labels, plot.bottom + 18)
    if limit:
        body.append(drawing.limit(plot, *limit))
    ends = drawing.apart([plot.y(drawing.last(s.values)) for s in series])
    tones = _tones(len(series))
    for n in reversed(range(len(series))):
        body += _line(series[n], tones[n], xs, plot, ends[n], unit)
    figures = "; ".join(
        f"{s.name}: {', '.join('none' if v is None else number(v) for v in s.values)}"
        for s in series
    )
    return drawing.svg(width, height, title, figures, body)


def _tones(count: int) -> list[int]:
    """Return the ink of each series.

    A single one is petrol; of several, the first is the orange-brown one.
    """
    return [1] if count == 1 else [2, 1, 3, 4][:count]


def _line(
    series: Series, tone: int, xs: Sequence[float], plot: drawing.Plot, label_y: float, unit: str
) -> list[Markup]:
    points = [(x, plot.y(v)) for x, v in zip(xs, series.values, strict=False) if v is not None]
    if not points:
        return []
    out = []
    if series.band:
        upper = [(x, plot.y(high)) for x, (_, high) in zip(xs, series.band, strict=False)]
        lower = [(x, plot.y(low)) for x, (low, _) in zip(xs, series.band, strict=False)]
        out.append(
            drawing.element(
                "path", f"f{tone}", d=drawing.path([*upper, *lower[::-1]]) + "Z", opacity=0.14
            )
        )
    dash = {"stroke_dasharray": "5 2"} if tone == 3 else {}
    out.append(
        drawing.element(
            "path",
            f"s{tone}",
            d=drawing.path(points),
            fill="none",
            stroke_width=1.8,
            stroke_linejoin="round",
            **dash,
        )
    )
    x, y = points[-1]
    out.append(drawing.element("circle", f"f{tone}", cx=x, cy=y, r=3))
    words = f"{number(drawing.last(series.values))}{unit} {series.name}"
    return [*out, drawing.label(x + 9, label_y + 4, words, f"t{tone}", weight=600)]


@dataclass(frozen=True, slots=True)
class ChartColumn:
    """One bar of a column chart: the label is under it, the value over it.

    `kind` is the ink (mid, f1, warn, bad …).
    """

    label: str
    value: float
    kind: str = "mid"
    note: str = ""


def columns(
    items: Sequence[ChartColumn], title: str, *, unit: str = "", width: int = 320, height: int = 150
) -> Markup:
    """Draw bars with their values on top, for counts that differ visibly."""
    plot = drawing.Plot(0, 24, width, height - 46, max((i.value for i in items), default=1) or 1)
    slots = drawing.slots([item.label for item in items], width)
    thick = min(min(slots, default=width) * 0.72, 44)
    body = [drawing.element("path", "axis", d=f"M0 {plot.bottom}H{width}")]
    for n, item in enumerate(items):
        middle, y = sum(slots[:n]) + slots[n] / 2, plot.y(item.value)
        body.append(drawing.bar(middle - thick / 2, y, thick, plot.bottom - y, item.kind))
        body.append(
            drawing.label(
                middle, y - 6, f"{number(item.value)}{unit}", "lab2", anchor="middle", weight=500
            )
        )
        body.append(drawing.label(middle, plot.bottom + 15, item.label, "tick", anchor="middle"))
    return drawing.svg(
        width, height, title, ", ".join(f"{i.label} {number(i.value)}{unit}" for i in items), body
    )


@dataclass(frozen=True, slots=True)
class WaterfallStep:
    """One step of a waterfall: a change, or (total=True) the sum so far.

    The value of a sum is computed.
    """

    label: str
    value: float = 0
    total: bool = False
    kind: str = "f4"
    note: str = ""


def waterfall(
    steps: Sequence[WaterfallStep],
    title: str,
    *,
    unit: str = "",
    width: int = 560,
    height: int = 220,
) -> Markup:
    """Draw a start, changes and totals; the first step is a total if its value is the start."""
    spans = _spans(steps)
    plot = drawing.Plot(
        0, 24, width, height - 62, drawing.ceiling(max((max(s) for s in spans), default=1))
    )
    slot = width / max(len(steps), 1)
    thick = min(slot * 0.8, 58)
    body: list[Markup] = []
    for n, (step, (start, end)) in enumerate(zip(steps, spans, strict=True)):
        middle, top, low = slot * (n + 0.5), plot.y(max(start, end)), plot.y(min(start, end))
        kind = "f1" if step.total or n == 0 else step.kind
        words = number(end) if step.total or n == 0 else signed(step.value)
        body.append(drawing.bar(middle - thick / 2, top, thick, max(low - top, 1), kind))
        body.append(
            drawing.label(middle, top - 7, f"{words}{unit}", "lab", anchor="middle", weight=600)
        )
        body.append(drawing.label(middle, plot.bottom + 17, step.label, "lab2", anchor="middle"))
        body.append(drawing.label(middle, plot.bottom + 31, step.note, "tick", anchor="middle"))
        if n + 1 < len(steps):
            line = (
                f"M{drawing.coordinate(middle + thick / 2)}"
                f" {drawing.coordinate(plot.y(end))}H{drawing.coordinate(middle + slot - thick / 2)}"
            )
            body.append(drawing.element("path", "axis", d=line, stroke_dasharray="2 2"))
    body.append(drawing.element("path", "axis", d=f"M0 {plot.bottom}H{width}"))
    figures = ", ".join(
        f"{s.label} {number(e if s.total or not n else s.value)}{unit}"
        for n, (s, (_, e)) in enumerate(zip(steps, spans, strict=True))
    )
    return drawing.svg(width, height, title, figures, body)


def _spans(steps: Sequence[WaterfallStep]) -> list[tuple[float, float]]:
    """Return the start and end of each bar; a total starts at zero."""
    spans, level = [], 0.0
    for n, step in enumerate(steps):
        start = 0.0 if step.total or n == 0 else level
        level = level if step.total and n else level + step.value
        spans.append((start, level))
    return spans


# ---------- parts of a total ----------


def stacked_bar(
    parts: Sequence[tuple[str, int]],
    title: str,
    *,
    width: int = 190,
    height: int = 14,
    words: Mapping[str, str] = WORDS,
) -> Markup:
    """Draw parts of (ink, count) in order, 2 px apart.

    Counts are shown if they fit; small parts stay visible. `words` says what an ink means.
    """
    shown = [(kind, count) for kind, count in parts if count > 0]
    figures = ", ".join(f"{count} {words.get(kind, kind)}" for kind, count in shown) or "nothing"
    if not shown:
        return drawing.svg(
            width, height, title, figures, [drawing.bar(0, 0, width, height, "track")]
        )
    body, x = [], 0.0
    for (kind, count), wide in zip(
        shown, drawing.widths([c for _, c in shown], width - 2 * (len(shown) - 1)), strict=True
    ):
        body.append(drawing.bar(x, 0, wide, height, kind))
        if (
            kind in drawing.INK_ON
            and height >= 12
            and wide >= drawing.DIGIT_WIDTH * len(str(count)) + 3
        ):
            body.append(
                drawing.label(
                    x + wide / 2,
                    height / 2 + 3.5,
                    str(count),
                    drawing.INK_ON[kind],
                    anchor="middle",
                    weight=600,
                    size=10,
                )
            )
        x += wide + 2
    return drawing.svg(width, height, title, figures, body)


def share_bar(
    share: float,
    title: str,
    *,
    kind: str = "f1",
    width: int = 122,
    height: int = 8,
    track: bool = True,
) -> Markup:
    """Draw one bar of `share` (0 to 1) of the width; the text next to it has the number."""
    bounded = min(max(share, 0.0), 1.0)
    body = [drawing.bar(0, 0, width, height, "track")] if track else []
    return drawing.svg(
        width,
        height,
        title,
        percent(bounded),
        [*body, drawing.bar(0, 0, max(bounded * width, 0.01), height, kind)],
        inline=True,
    )


def key_of(parts: Sequence[tuple[str, int, str]]) -> list[tuple[str, str]]:
    """Turn (ink, count, word) into the pairs that the macro `c.key` draws: ("f1", "141 fresh")."""
    return [(kind, f"{count} {word}") for kind, count, word in parts]


def interval(
    low: float,
    point: float,
    high: float,
    title: str,
    *,
    ceiling: float,
    limit: float | None = None,
    weak: bool = False,
) -> Markup:
    """Draw a dot with its interval from zero to `ceiling`.

    `limit` is a dotted line; a `weak` interval is orange-brown.
    """
    plot = drawing.Plot(0, 0, 152, 20, ceiling)
    x = {
        name: plot.left + min(v / ceiling, 1) * plot.width
        for name, v in (("low", low), ("point", point), ("high", high))
    }
    tone = 2 if weak else 1
    body = [drawing.element("path", "axis", d="M0 10H152")]
    if limit is not None:
        body.append(
            drawing.element(
                "path",
                "sink",
                d=f"M{drawing.coordinate(limit / ceiling * 152)} 1V19",
                stroke_dasharray="1.5 2.5",
            )
        )
    body.append(
        drawing.element(
            "path",
            f"s{tone}",
            d=f"M{drawing.coordinate(x['low'])} 10H{drawing.coordinate(x['high'])}",
            stroke_width=3,
        )
    )
    body.append(drawing.element("circle", f"f{tone}", cx=x["point"], cy=10, r=4.5))
    return drawing.svg(
        152, 20, title, f"{number(point)}, from {number(low)} to {number(high)}", body, inline=True
    )


# ---------- for a report ----------


def for_print(chart: Markup, colours: Mapping[str, str] = REPORT) -> Markup:
    """Return the chart in a report's colors: k- class → color; other inks keep their own."""

    def recolour(match: re.Match[str]) -> str:
        kind, attribute = match["kind"], match["attribute"]
        return f'{attribute}="{colours.get(kind, match["colour"])}"'

    inks = r'class="k-(?P<kind>[\w-]+)" (?P<attribute>fill|stroke)="(?P<colour>#\w+)"'
    return Markup(re.sub(inks, recolour, chart))  # noqa: S704 our own text, recoloured
