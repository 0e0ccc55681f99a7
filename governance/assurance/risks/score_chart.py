"""Chart of a risk's scores over time: inherent, residual and the appetite."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from markupsafe import Markup

from governance.assurance.risks.models import RiskScore
from governance.kernel.formatting import day_of_year
from governance.kernel.pictures import drawing

WIDTH, HEIGHT = 720, 190
PLOT = (34.0, 12.0, 660.0, 142.0)  # left, top, width, height


@dataclass(frozen=True, slots=True)
class ScorePoint:
    """A score, valid from a moment on."""

    at: datetime
    inherent: int
    residual: int


def points(rows: Sequence[RiskScore]) -> list[ScorePoint]:
    return [
        ScorePoint(
            row.at,
            row.likelihood * row.impact,
            row.residual_likelihood * row.residual_impact,
        )
        for row in rows
    ]


def score_chart(
    found: Sequence[ScorePoint], now: datetime, top: int, appetite: int, title: str
) -> Markup:
    """Draw steps from the first score until now. A score is valid until the next one."""
    left, upper, width, height = PLOT
    plot = drawing.Plot(left, upper, width, height, top)
    start = found[0].at
    span = max((now - start).total_seconds(), 1.0)

    def x(at: datetime) -> float:
        return left + width * (at - start).total_seconds() / span

    def steps(value: Sequence[int]) -> str:
        places = [(x(each.at), plot.y(v)) for each, v in zip(found, value, strict=True)]
        corners = [places[0]]
        for here, there in pairwise(places):
            corners += [(there[0], here[1]), there]
        corners.append((left + width, places[-1][1]))
        return drawing.path(corners)

    body = [
        *_grid(plot, top),
        drawing.element(
            "path",
            "limit",
            d=drawing.path([(left, plot.y(appetite)), (left + width, plot.y(appetite))]),
            fill="none",
            stroke_dasharray="4 3",
        ),
        drawing.element(
            "path",
            "s4",
            d=steps([each.inherent for each in found]),
            fill="none",
            stroke_width=1.6,
            stroke_dasharray="2 2",
        ),
        drawing.element(
            "path", "s1", d=steps([each.residual for each in found]), fill="none", stroke_width=2
        ),
        drawing.label(left, HEIGHT - 12, day_of_year(start), "tick"),
        drawing.label(left + width, HEIGHT - 12, day_of_year(now), "tick", anchor="end"),
        drawing.label(left + width, plot.y(appetite) - 4, "appetite", "limit-t", anchor="end"),
    ]
    words = ", ".join(f"{day_of_year(each.at)}: {each.residual}" for each in found)
    return drawing.svg(WIDTH, HEIGHT, title, words, body)


def _grid(plot: drawing.Plot, top: int) -> list[Markup]:
    body = []
    for value in (0, round(top / 2), top):
        y = plot.y(value)
        line = drawing.path([(plot.left, y), (plot.left + plot.width, y)])
        body += [
            drawing.element("path", "grid", d=line, fill="none"),
            drawing.label(plot.left - 6, y + 4, str(value), "tick", anchor="end"),
        ]
    return body
