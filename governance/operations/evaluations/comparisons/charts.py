"""Charts of a comparison: each source's changed cases, broken to the left, fixed to the right."""

from collections.abc import Sequence

from markupsafe import Markup

from governance.kernel.pictures import drawing

WIDTH, ROW, NAMES, FIGURE = 320, 30, 132, 26


def by_source(rows: Sequence[tuple[str, int, int, int]]) -> Markup:
    """Draw (source, cases, worse, better) as bars on both sides of an axis."""
    room = (WIDTH - NAMES - 2 * FIGURE) / max(1, _most(rows, 2) + _most(rows, 3))
    axis = NAMES + FIGURE + _most(rows, 2) * room
    height = ROW * len(rows) + 16
    body = [
        drawing.label(axis - 4, 10, "broke", "lab2", anchor="end"),
        drawing.label(axis + 4, 10, "fixed", "lab2"),
        drawing.element("path", "axis", d=f"M{drawing.coordinate(axis)} 14V{height}"),
    ]
    for n, (source, cases, worse, better) in enumerate(rows):
        top = 16.0 + n * ROW
        body += [
            drawing.label(0, top + 12, _short(source), "lab"),
            drawing.label(0, top + 24, f"{cases:,} cases", "lab2"),
            drawing.bar(axis - worse * room, top + 5, worse * room, 16, "bad"),
            drawing.label(axis - worse * room - 4, top + 17, f"{worse:,}", "lab", anchor="end"),
            drawing.bar(axis, top + 5, better * room, 16, "f1"),
            drawing.label(axis + better * room + 4, top + 17, f"{better:,}", "lab2"),
        ]
    words = "; ".join(
        f"{source}: {worse} broke, {better} fixed" for source, _n, worse, better in rows
    )
    return drawing.svg(WIDTH, height, "Changed cases by source", words, body)


def _most(rows: Sequence[tuple[str, int, int, int]], column: int) -> int:
    return max(int(row[column]) for row in rows)


def _short(source: str) -> str:
    return source if len(source) <= 20 else f"{source[:19]}…"  # noqa: PLR2004 - what the column holds
