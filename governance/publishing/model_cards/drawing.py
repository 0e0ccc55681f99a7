"""The drawing of a figure's interval beside its limit, for model cards."""

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from governance.kernel.pictures import drawing
from governance.operations.evaluations import figures
from governance.publishing.model_cards.card import shown

WIDTH, HEIGHT, PADDING, DOT = 132, 16, 5.0, 3.6


def interval(figure: Mapping[str, Any]) -> Markup:
    """Draw a card's figure as a dot with its interval, and the limit as a dashed line."""
    limit, high = figure["limit"], figure["high"]
    if high is None:
        high = max(figure["point"], figure["low"]) * 1.5
    ends = [figure["low"], high, figure["point"], *([limit] if limit is not None else [])]
    low, span = min(ends), (max(ends) - min(ends)) or 1.0

    def x(value: float) -> float:
        return PADDING + float(value - low) / float(span) * (WIDTH - 2 * PADDING)

    middle = HEIGHT / 2
    line = drawing.path([(x(figure["low"]), middle), (x(high), middle)])
    body = [
        drawing.element("path", "axis", d=f"M0 {middle:g}H{WIDTH}"),
        drawing.element("path", "s1", d=line, stroke_width=2.5),
        drawing.element("circle", "f1", cx=x(figure["point"]), cy=middle, r=DOT),
    ]
    words = shown(figure)
    if limit is not None:
        at = drawing.coordinate(x(limit))
        body.append(
            drawing.element("path", "sbad", d=f"M{at} 2V{HEIGHT - 2}", stroke_dasharray="3 2")
        )
        words += f", {limit_words(figure)}"
    return drawing.svg(WIDTH, HEIGHT, figure["name"], words, body, inline=True)


def limit_words(figure: Mapping[str, Any]) -> str:
    """Return "at most 3.0%"."""
    if figure["limit"] is None:
        return ""
    side = "at least" if figure["at_least"] else "at most"
    return f"{side} {figures.amount(figure['limit'], figure['unit'])}"
