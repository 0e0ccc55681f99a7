"""Charts of evaluations: an interval against its limit, and the previous weeks."""

from collections.abc import Sequence

from markupsafe import Markup

from governance.kernel.pictures import drawing
from governance.operations.evaluations import figures
from governance.operations.evaluations.series.this_week import WeekCell

WIDTH, HEIGHT = 116, 20
DOT, PADDING = 3.5, 5.0
INKS = {"fail": "bad", "undecided": "warn"}


def interval(cell: WeekCell) -> Markup:
    """Draw the figure as a dot with its interval, and the policy tier's limit as a dashed line."""
    result = cell.result
    limit: float | None = None if cell.measure.is_signal else cell.judged.get("limit")
    if result is None or result.point is None or result.low is None:
        return Markup()
    high = result.high if result.high is not None else max(result.point, result.low) * 1.5
    ends = [result.low, high, result.point, *([limit] if limit is not None else [])]
    low, span = min(ends), (max(ends) - min(ends)) or 1.0

    def x(value: float) -> float:
        return PADDING + float(value - low) / float(span) * (WIDTH - 2 * PADDING)

    ink = "f1" if cell.measure.is_signal else INKS.get(cell.verdict, "f1")
    stroke = {"bad": "sbad", "warn": "swarn"}.get(ink, "s1")
    body = [
        drawing.element("path", "axis", d=f"M0 10H{WIDTH}"),
        drawing.element(
            "path", stroke, d=drawing.path([(x(result.low), 10), (x(high), 10)]), stroke_width=2.5
        ),
        drawing.element("circle", ink, cx=x(result.point), cy=10, r=DOT),
    ]
    if limit is not None:
        at = drawing.coordinate(x(limit))
        body.append(drawing.element("path", "sbad", d=f"M{at} 2V18", stroke_dasharray="2 2"))
    words = f"{cell.point}, {cell.interval}"
    if limit is not None:
        words += f"; limit {figures.limit(cell.measure, limit)}"
    return drawing.svg(WIDTH, HEIGHT, cell.measure.name, words, body, inline=True)


def trend(cell: WeekCell) -> Markup:
    """Draw the figure of the last weeks. Weeks without a result are left out."""
    known = [value for value in cell.trend if value is not None]
    if len(known) < 2:  # noqa: PLR2004 - a line needs two points
        return Markup()
    return _line(
        known,
        "sbad" if cell.is_failing else "s1",
        f"{cell.measure.name}, {len(known)} weeks",
    )


def _line(values: Sequence[float], kind: str, title: str) -> Markup:
    low, span = min(values), (max(values) - min(values)) or 1.0
    step = (WIDTH - 2 * PADDING) / (len(values) - 1)
    points = [
        (PADDING + n * step, HEIGHT - 4 - (value - low) / span * (HEIGHT - 8))
        for n, value in enumerate(values)
    ]
    x, y = points[-1]
    body = [
        drawing.element("path", kind, d=drawing.path(points), fill="none", stroke_width=1.5),
        drawing.element("circle", {"sbad": "bad"}.get(kind, "f1"), cx=x, cy=y, r=2.5),
    ]
    return drawing.svg(
        WIDTH, HEIGHT, title, f"from {values[0]:.3g} to {values[-1]:.3g}", body, inline=True
    )
