"""Charts of requirements by level: a bar for today, and a column for each quarter."""

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from governance.kernel.pictures import drawing
from governance.kernel.pictures.charts import stacked_bar

LEVELS = ("Not addressed", "Partial", "Addressed", "Evidenced", "Effective")
MIN_FIGURE_HEIGHT = 13  # Pixels; smaller parts show no count
WORDS = {f"l{number}": level for number, level in enumerate(LEVELS)}  # Level name per ink


def level_bar(
    counts: Mapping[int, int], title: str, *, width: int = 190, height: int = 14
) -> Markup:
    """Draw the requirements by level, with level 4 at the left.

    `counts` is the number of requirements by level.
    """
    return stacked_bar(
        [(f"l{n}", counts.get(n, 0)) for n in (4, 3, 2, 1, 0)],
        title,
        width=width,
        height=height,
        words=WORDS,
    )


def level_columns(
    quarters: Sequence[tuple[str, Mapping[int, int]]],
    title: str,
    *,
    width: int = 440,
    height: int = 190,
) -> Markup:
    """Draw a stacked column for each quarter, level 4 at the bottom."""
    most = max((sum(counts.values()) for _, counts in quarters), default=1) or 1
    plot = drawing.Plot(0, 10, width, height - 34, most)
    slot = width / max(len(quarters), 1)
    thick = min(slot * 0.66, 56)
    body: list[Markup] = []
    for n, (label, counts) in enumerate(quarters):
        body += _level_column(slot * (n + 0.5), thick, counts, plot)
        body.append(
            drawing.label(slot * (n + 0.5), plot.bottom + 16, label, "tick", anchor="middle")
        )
    body.append(drawing.element("path", "axis", d=f"M0 {plot.bottom}H{width}"))
    figures = "; ".join(
        f"{label}: " + ", ".join(f"{counts.get(n, 0)} {LEVELS[n]}" for n in (4, 3, 2, 1, 0))
        for label, counts in quarters
    )
    return drawing.svg(width, height, title, figures, body)


def _level_column(
    middle: float, thick: float, counts: Mapping[int, int], plot: drawing.Plot
) -> list[Markup]:
    out, under = [], 0
    for n in (4, 3, 2, 1, 0):
        count = counts.get(n, 0)
        if not count:
            continue
        top, low = plot.y(under + count), plot.y(under)
        under += count
        out.append(drawing.bar(middle - thick / 2, top, thick, max(low - top - 1.5, 1), f"l{n}"))
        if low - top >= MIN_FIGURE_HEIGHT:
            out.append(
                drawing.label(
                    middle,
                    (top + low) / 2 + 3,
                    str(count),
                    f"l{n}t",
                    anchor="middle",
                    weight=600,
                    size=10,
                )
            )
    return out
