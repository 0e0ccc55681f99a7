"""The scale of likelihood and impact that a tenant scores its risks on. Pure.

    DEFAULT            version 1: five steps each, an appetite of 9
    Scale              a version: the names of the steps, the bands, the appetite
    band, shape        the band of a score, and the shape that shows it beside its color
    same_steps(a, b)   whether scores on both can be compared

Scores on two versions are comparable if both have the same numbers of steps. Otherwise nothing is
converted: a risk keeps its score and its scale until somebody scores it again
(docs/decisions/0084).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from governance.kernel.errors import Invalid

type Band = Literal["low", "medium", "high", "critical"]
BANDS: dict[Band, str] = {
    "critical": "Critical",
    "high": "High",
    "medium": "Medium",
    "low": "Low",
}
SHAPES: dict[Band, str] = {"low": "open", "medium": "dot", "high": "due", "critical": "bad"}
LEVELS: dict[Band, int] = {"low": 1, "medium": 2, "high": 3, "critical": 4}
TIMES = "\N{MULTIPLICATION SIGN}"
MIN_STEPS, MAX_STEPS = 3, 7
MAX_NAME_LENGTH = 40
MAX_DAYS = 1096  # The longest time limit of acceptances that a tenant can set: three years.


@dataclass(frozen=True, slots=True)
class Scale:
    """A version of the scale. Steps count from 1; `likelihood` and `impact` are their names."""

    number: int
    likelihood: tuple[str, ...]
    impact: tuple[str, ...]
    low_to: int
    medium_to: int
    high_to: int
    appetite: int
    max_acceptance_days: int

    @property
    def steps(self) -> tuple[int, int]:
        """The numbers of likelihood steps and impact steps."""
        return len(self.likelihood), len(self.impact)

    @property
    def highest(self) -> int:
        return len(self.likelihood) * len(self.impact)

    @property
    def bands(self) -> list[tuple[Band, int, int]]:
        """The bands as (band, lowest score, highest score), lowest band first."""
        return [
            ("low", 1, self.low_to),
            ("medium", self.low_to + 1, self.medium_to),
            ("high", self.medium_to + 1, self.high_to),
            ("critical", self.high_to + 1, self.highest),
        ]

    @property
    def words(self) -> str:
        """The texts "likelihood 1 to 5" and "impact 1 to 5", joined by a multiplication sign."""
        likelihood, impact = self.steps
        return f"likelihood 1 to {likelihood} {TIMES} impact 1 to {impact}"

    def band(self, score: int) -> Band:
        return next(band for band, _from, to in self.bands if score <= to)


DEFAULT = Scale(
    number=1,
    likelihood=("Rare", "Unlikely", "Possible", "Likely", "Almost certain"),
    impact=("Negligible", "Minor", "Moderate", "Major", "Severe"),
    low_to=4,
    medium_to=9,
    high_to=15,
    appetite=9,
    max_acceptance_days=365,
)


def pair(likelihood: int, impact: int) -> str:
    """Return the text of a score: the likelihood step times the impact step."""
    return f"{likelihood} {TIMES} {impact}"


def same_steps(one: Scale, other: Scale) -> bool:
    return one.steps == other.steps


def check_score(scale: Scale, *, likelihood: int, impact: int) -> None:
    """Raise Invalid, on the field, for a step that the scale doesn't have."""
    for field, value, names in (
        ("likelihood", likelihood, scale.likelihood),
        ("impact", impact, scale.impact),
    ):
        if not 1 <= value <= len(names):
            raise Invalid(f"{field.capitalize()} is a step from 1 to {len(names)}.", field=field)


def check_scale(scale: Scale) -> None:
    """Raise Invalid, on the field, for a scale that can't be used for scores."""
    for field, names in (("likelihood", scale.likelihood), ("impact", scale.impact)):
        _check_names(field, names)
    top = scale.highest
    if not 0 < scale.low_to < scale.medium_to < scale.high_to < top:
        raise Invalid(
            f"Each band ends above the one before, and High ends below {top}, the highest score.",
            field="high_to",
        )
    if not 1 <= scale.appetite <= top:
        raise Invalid(f"Enter an appetite from 1 to {top}.", field="appetite")
    if not 1 <= scale.max_acceptance_days <= MAX_DAYS:
        raise Invalid(f"Enter 1 to {MAX_DAYS} days.", field="max_acceptance_days")


def _check_names(field: str, names: Sequence[str]) -> None:
    if not MIN_STEPS <= len(names) <= MAX_STEPS:
        raise Invalid(f"Enter {MIN_STEPS} to {MAX_STEPS} steps, one a line.", field=field)
    if any(len(name) > MAX_NAME_LENGTH for name in names):
        raise Invalid(f"A step's name has up to {MAX_NAME_LENGTH} characters.", field=field)
    if len({name.casefold() for name in names}) != len(names):
        raise Invalid("Each step needs a name of its own.", field=field)
