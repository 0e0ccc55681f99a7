"""Drawing in SVG: the inks, the frame and the marks of every chart.

svg(width, height, title, desc, body)      the picture, with its conclusion and its figures in words
element, label, bar, path                  marks in an ink
Plot, grid, months, limit                  the area of values, and what is drawn behind them

A color is a presentation attribute (for the PDF) and a k- class (for the theme); there is no style
attribute, no id, no pattern. Lengths are in user units of about one CSS pixel.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

# Maps k- class → (attribute, light color); console.css gives the same classes their color by theme.
INKS: Mapping[str, tuple[str, str]] = {
    "grid": ("stroke", "#e1e6ea"),
    "axis": ("stroke", "#c6ced5"),
    "limit": ("stroke", "#cb382f"),
    "halo": ("stroke", "#ffffff"),
    "hatch": ("stroke", "#cb382f"),
    "sink": ("stroke", "#46525c"),
    "sok": ("stroke", "#1f8a52"),
    "sbad": ("stroke", "#cb382f"),
    "swarn": ("stroke", "#c17f0c"),
    "s1": ("stroke", "#0b5a78"),
    "s2": ("stroke", "#b4541a"),
    "s3": ("stroke", "#6a4fa3"),
    "s4": ("stroke", "#7d8993"),
    "f1": ("fill", "#0b5a78"),
    "f2": ("fill", "#b4541a"),
    "f3": ("fill", "#6a4fa3"),
    "f4": ("fill", "#7d8993"),
    "t1": ("fill", "#0b5a78"),
    "t2": ("fill", "#b4541a"),
    "t3": ("fill", "#6a4fa3"),
    "t4": ("fill", "#46525c"),
    "ok": ("fill", "#1f8a52"),
    "warn": ("fill", "#c17f0c"),
    "bad": ("fill", "#cb382f"),
    "mute": ("fill", "#848f99"),
    "track": ("fill", "#edf0f2"),
    "gap": ("fill", "#ffffff"),
    "ink": ("fill", "#12191f"),
    "mid": ("fill", "#4f93ad"),
    "l0": ("fill", "#fad4cf"),
    "l1": ("fill", "#fae5bf"),
    "l2": ("fill", "#e6ebee"),
    "l3": ("fill", "#b9dbe6"),
    "l4": ("fill", "#0b5a78"),
    "l0t": ("fill", "#84170f"),
    "l1t": ("fill", "#664000"),
    "l2t": ("fill", "#2b363f"),
    "l3t": ("fill", "#073c50"),
    "l4t": ("fill", "#ffffff"),
    "ont": ("fill", "#ffffff"),
    "lab": ("fill", "#12191f"),
    "lab2": ("fill", "#46525c"),
    "tick": ("fill", "#5f6b75"),
    "limit-t": ("fill", "#a1201a"),
}

# Fills on which a figure can be read, and its ink; for any other fill the figure is in the key.
INK_ON = {"f1": "ont", **{f"l{n}": f"l{n}t" for n in range(5)}}
DIGIT_WIDTH = 6.4  # Width of a tabular figure at 11 px.


@dataclass(frozen=True, slots=True)
class Plot:
    """The area of the values: zero is at the bottom, `most` at the top."""

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


def svg(
    width: float,
    height: float,
    title: str,
    desc: str,
    body: Sequence[Markup] | Markup,
    *,
    inline: bool = False,
    extra: str = "",
) -> Markup:
    names = " ".join(
        filter(None, ["c-chart", f"c-x{round(width)}", "c-spark" if inline else "", extra])
    )
    start = Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" class="{}" role="img" '
        'viewBox="0 0 {} {}" font-family="Inter, Report Sans, sans-serif">'
    )
    parts = [body] if isinstance(body, Markup) else body
    description = Markup("<title>{}</title><desc>{}</desc>").format(title, desc or "no values")
    return (
        start.format(names, coordinate(width), coordinate(height))
        + description
        + Markup("").join(parts)
        + Markup("</svg>")
    )


def element(tag: str, kind: str, **attributes: object) -> Markup:
    attribute, colour = INKS[kind]
    written = "".join(
        f' {name.replace("_", "-")}="{coordinate(v) if isinstance(v, float) else escape(v)}"'
        for name, v in attributes.items()
    )
    # Names are ours, values are escaped.
    return Markup(f'<{tag} class="k-{kind}" {attribute}="{colour}"{written}/>')  # noqa: S704


def label(
    x: float,
    y: float,
    words: str,
    kind: str,
    *,
    anchor: str = "start",
    weight: int = 400,
    size: int = 11,
) -> Markup:
    if not words:
        return Markup()
    place = (
        f'x="{coordinate(x)}" y="{coordinate(y)}" font-size="{size}" font-weight="{weight}"'
        f' text-anchor="{anchor}"'
    )
    colour = INKS[kind][1]
    # Words are escaped.
    return Markup(f'<text class="k-{kind}" fill="{colour}" {place}>{escape(words)}</text>')  # noqa: S704


def bar(x: float, y: float, wide: float, high: float, kind: str) -> Markup:
    return element(
        "rect",
        kind,
        x=float(x),
        y=float(y),
        width=float(wide),
        height=float(high),
        rx=min(2.0, wide / 2, high / 2),
    )


def grid(plot: Plot, unit: str) -> list[Markup]:
    body: list[Markup] = []
    steps = next((n for n in (4, 5, 3) if plot.most / n == round(plot.most / n, 2)), 4)
    for n in range(steps + 1):
        y = plot.y(plot.most * n / steps)
        kind = "axis" if n == 0 else "grid"
        body.append(
            element(
                "path",
                kind,
                d=f"M{coordinate(plot.left)} {coordinate(y)}H{coordinate(plot.left + plot.width)}",
            )
        )
        body.append(
            label(
                plot.left - 7, y + 4, f"{number(plot.most * n / steps)}{unit}", "tick", anchor="end"
            )
        )
    return body


def months(xs: Sequence[float], labels: Sequence[str], y: float) -> list[Markup]:
    every = max(1, -(-len(labels) // 6))
    shown = {
        n for n in range(len(labels) - 1) if n % every == 0 and len(labels) - 1 - n >= every / 2
    } | {len(labels) - 1}
    return [label(xs[n], y, labels[n], "tick", anchor="middle") for n in sorted(shown) if n >= 0]


def limit(plot: Plot, value: float, words: str) -> Markup:
    y = plot.y(value)
    line = element(
        "path",
        "limit",
        d=f"M{coordinate(plot.left)} {coordinate(y)}H{coordinate(plot.left + plot.width)}",
        stroke_dasharray="4 3",
        stroke_width=1.3,
    )
    return line + label(plot.left + 2, y - 5, words, "limit-t", weight=500)


def path(points: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{coordinate(x)} {coordinate(y)}" for x, y in points)


def apart(ys: Sequence[float], gap: float = 14) -> list[float]:
    """Return label positions near `ys` with at least `gap` between them, moved downward."""
    placed: dict[int, float] = {}
    floor = float("-inf")
    for n in sorted(range(len(ys)), key=lambda k: ys[k]):
        placed[n] = floor = max(ys[n], floor + gap)
    return [placed[n] for n in range(len(ys))]


def last(values: Sequence[float | None]) -> float:
    return next((v for v in reversed(values) if v is not None), 0.0)


def slots(labels: Sequence[str], room: float) -> list[float]:
    """Divide the room into equal columns, except for those whose label needs more.

    If all labels together need more than the room, the columns are equal.
    """
    needs = [DIGIT_WIDTH * len(each) + 4 for each in labels]
    if sum(needs) > room:
        return [room / len(labels)] * len(labels)
    wide: set[int] = set()
    while len(wide) < len(needs):
        left = room - sum(needs[each] for each in wide)
        share = left / (len(needs) - len(wide))
        more = {n for n, need in enumerate(needs) if need > share} - wide
        if not more:
            return [need if n in wide else share for n, need in enumerate(needs)]
        wide |= more
    return needs


def widths(counts: Sequence[int], room: float) -> list[float]:
    """Return shares of the room; each is at least 2 units wide, taken from the widest."""
    wide = [max(count / sum(counts) * room, 2.0) for count in counts]
    widest = wide.index(max(wide))
    wide[widest] -= sum(wide) - room
    return wide


def ceiling(most: float) -> float:
    """Return the next round number above: 3.4 → 4, 412 → 500."""
    if most <= 0:
        return 1.0
    unit = 10.0 ** (len(str(int(most))) - 1) if most >= 1 else 0.1
    while most > unit * 10:
        unit *= 10
    return next(step * unit for step in (1, 2, 3, 4, 5, 6, 8, 10) if step * unit >= most)


def coordinate(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") or "0"


def number(value: float | None) -> str:
    """Return 1234.5 as "1,234.5": one decimal at most (three under one), minus as −."""
    if value is None:
        return "none"
    places = 1 if abs(value) >= 1 else 3
    text = f"{value:,.{places}f}".rstrip("0").rstrip(".") if value % 1 else f"{value:,.0f}"
    return text.replace("-", "−")


def signed(value: float) -> str:
    """Return a change with its sign: "+1.3", "−1.1", "0"."""
    return f"+{number(value)}" if value > 0 else number(value)


def percent(share: float) -> str:
    """Return 0.708 as "71%"; a share under 1 is never 100%, one over 0 is never 0%."""
    whole = round(share * 100)
    return f"{min(max(whole, 1 if share > 0 else 0), 99 if share < 1 else 100)}%"
