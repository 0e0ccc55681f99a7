"""The heat map: the number of risks in each cell of the scale, before and after controls.

Each cell shows its number and the shape of its band, so it can be read without color.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from governance.assurance.risks.queries import RiskPosture
from governance.assurance.risks.scales import BANDS, LEVELS, SHAPES, Band, Scale
from governance.kernel.pictures import drawing

MAX_NAMED = 12
BAR_WIDTH, BAR_LEFT, BAR_RIGHT, BAR_Y = 120, 6.0, 114.0, 8.0
DOTS = {"low": "f1", "medium": "f1", "high": "warn", "critical": "bad"}


@dataclass(frozen=True, slots=True)
class HeatCell:
    """A cell. `value` is its value in the list's filter, such as "5x4"."""

    likelihood: int
    impact: int
    score: int
    count: int
    refs: str
    level: int
    shape: str

    @property
    def value(self) -> str:
        return f"{self.likelihood}x{self.impact}"


@dataclass(frozen=True, slots=True)
class HeatMap:
    """The rows of cells with the names of their likelihood, highest first."""

    impacts: Sequence[tuple[int, str]]
    rows: Sequence[tuple[int, str, Sequence[HeatCell]]]


def heat_map(
    risks: Sequence[RiskPosture], scale: Scale, place: Callable[[RiskPosture], tuple[int, int]]
) -> HeatMap:
    """Count the risks by `place`, which returns (likelihood, impact).

    Risks on scales with other steps are left out.
    """
    found: dict[tuple[int, int], list[str]] = {}
    for each in risks:
        if each.is_comparable:
            found.setdefault(place(each), []).append(each.risk.ref)
    rows = [
        (
            step,
            name,
            [_cell(step, n, found.get((step, n), []), scale) for n in _steps(scale.impact)],
        )
        for step, name in reversed([*enumerate(scale.likelihood, 1)])
    ]
    return HeatMap([*enumerate(scale.impact, 1)], rows)


def _steps(names: Sequence[str]) -> range:
    return range(1, len(names) + 1)


def _cell(likelihood: int, impact: int, refs: list[str], scale: Scale) -> HeatCell:
    score = likelihood * impact
    band = scale.band(score)
    more = f" and {len(refs) - MAX_NAMED} more" if len(refs) > MAX_NAMED else ""
    return HeatCell(
        likelihood,
        impact,
        score,
        len(refs),
        ", ".join(refs[:MAX_NAMED]) + more,
        LEVELS[band],
        SHAPES[band],
    )


def before(each: RiskPosture) -> tuple[int, int]:
    return each.risk.likelihood, each.risk.impact


def after(each: RiskPosture) -> tuple[int, int]:
    return each.residual.likelihood, each.residual.impact


def legend(scale: Scale) -> list[tuple[int, str, str, str]]:
    """Return (level, shape, name, scores) of each band, lowest first."""
    return [
        (LEVELS[band], SHAPES[band], BANDS[band], f"{start} to {end}" if start < end else f"{end}")
        for band, start, end in scale.bands
    ]


def shape_of(band: Band) -> tuple[int, str]:
    """Return the (level, shape) of a band."""
    return LEVELS[band], SHAPES[band]


def score_bar(each: RiskPosture) -> Markup:
    """Draw the inherent score (ring) and the residual score (dot) on a line with the appetite."""
    top = each.scale.highest

    def x(score: float) -> float:
        return BAR_LEFT + (BAR_RIGHT - BAR_LEFT) * score / top

    inherent, residual, appetite = each.inherent_score, each.residual.score, each.scale.appetite
    limit = drawing.coordinate(x(appetite + 0.5))
    body = [
        drawing.element("path", "grid", d=f"M5 8H{drawing.coordinate(BAR_RIGHT)}", fill="none"),
        drawing.element("path", "limit", d=f"M{limit} 1V15", fill="none", stroke_dasharray="3 2"),
        drawing.element(
            "path",
            "s4",
            d=drawing.path([(x(residual), BAR_Y), (x(inherent), BAR_Y)]),
            fill="none",
            stroke_width=1.6,
        ),
        drawing.element("circle", "gap", cx=x(inherent), cy=BAR_Y, r=3.6),
        drawing.element("circle", "s4", cx=x(inherent), cy=BAR_Y, r=3.6, fill="none"),
        drawing.element("circle", DOTS[each.band], cx=x(residual), cy=BAR_Y, r=4.2),
    ]
    words = f"inherent {inherent}, residual {residual}, appetite {appetite}"
    return drawing.svg(BAR_WIDTH, 16, each.risk.ref, words, body, extra="c-w120")
