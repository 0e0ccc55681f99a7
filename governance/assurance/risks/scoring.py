"""The score of a risk after its controls, and how it is computed. Pure.

    Mitigation                                 a control, what it lowers by how many steps, and its
                                               status
    residual(likelihood, impact, mitigations)  returns a Residual

Each axis is its inherent step minus what its controls earn, rounded up and never below 1. An
effective control earns its steps, an evidenced one half of them, any other nothing. A worse status
never gives a lower score (tests/assurance/risks/test_scoring.py). The status is the one that
assurance levels use: evidence that is only due soon counts until its deadline.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from math import ceil
from typing import Literal
from uuid import UUID

from governance.assurance.controls.status import WORDS, StatusName

type Axis = Literal["likelihood", "impact"]
AXES: dict[Axis, str] = {"likelihood": "Likelihood", "impact": "Impact"}
EARNS: Mapping[StatusName, Fraction] = {
    "effective": Fraction(1),
    "evidenced": Fraction(1, 2),
    "due": Fraction(0),
    "missing": Fraction(0),
    "failing": Fraction(0),
}
NOTHING = Fraction(0)
RETIRED = "retired"
MINUS = "\N{MINUS SIGN}"


@dataclass(frozen=True, slots=True)
class Mitigation:
    """A control of a risk. `status` is None if the control is retired."""

    control_id: UUID
    ref: str
    title: str
    axis: Axis
    steps: int
    status: StatusName | None

    @property
    def earned(self) -> Fraction:
        """The number of steps by which it lowers its axis now."""
        return self.steps * EARNS[self.status] if self.status else NOTHING

    @property
    def word(self) -> str:
        return WORDS[self.status] if self.status else "Retired"

    @property
    def is_full(self) -> bool:
        return self.earned == self.steps

    @property
    def earned_words(self) -> str:
        """The earned steps as text with a minus sign, or "0"."""
        return f"{MINUS}{amount(self.earned)}" if self.earned else "0"


@dataclass(frozen=True, slots=True)
class AxisSum:
    """The computation of an axis from its inherent to its residual step."""

    axis: Axis
    inherent: int
    earned: Fraction
    residual: int

    @property
    def words(self) -> str:
        """The computation as text, such as "5 less 1½ = 3½, rounded up to 4" with a minus sign."""
        if not self.earned:
            return f"{self.inherent}, nothing earned"
        exact = self.inherent - self.earned
        said = f"{self.inherent} {MINUS} {amount(self.earned)} = {amount(exact)}"
        if exact < 1:
            return f"{said}, at least 1"
        return said if exact == self.residual else f"{said}, rounded up to {self.residual}"


@dataclass(frozen=True, slots=True)
class Residual:
    """The score after controls."""

    likelihood: int
    impact: int
    sums: tuple[AxisSum, ...]

    @property
    def score(self) -> int:
        return self.likelihood * self.impact


def residual(likelihood: int, impact: int, mitigations: Sequence[Mitigation]) -> Residual:
    return _residual(likelihood, impact, mitigations) if mitigations else _plain(likelihood, impact)


@cache
def _plain(likelihood: int, impact: int) -> Residual:
    """Return the score without controls. Cached, because 2,000 risks share 25 pairs."""
    return _residual(likelihood, impact, ())


def _residual(likelihood: int, impact: int, mitigations: Sequence[Mitigation]) -> Residual:
    sums = _sum("likelihood", likelihood, mitigations), _sum("impact", impact, mitigations)
    return Residual(sums[0].residual, sums[1].residual, sums)


def _sum(axis: Axis, inherent: int, mitigations: Sequence[Mitigation]) -> AxisSum:
    earned = sum((each.earned for each in mitigations if each.axis == axis), NOTHING)
    # Fractions are slow, and a list of 2,000 risks computes two sums for each.
    residual = max(1, ceil(inherent - earned)) if earned else inherent
    return AxisSum(axis, inherent, earned, residual)


def amount(steps: Fraction) -> str:
    """Return a text like "2", "½" or "1½". Only whole and half steps occur."""
    sign = MINUS if steps < 0 else ""
    whole, half = divmod(abs(steps), 1)
    return sign + (f"{whole or ''}½" if half else str(whole))


def statuses(mitigations: Sequence[Mitigation]) -> list[list[str]]:
    """Return (ref, status) of each control, by ref, as stored with a score."""
    return sorted([each.ref, each.status or RETIRED] for each in mitigations)


def why_changed(before: Sequence[Sequence[str]], after: Sequence[Sequence[str]]) -> str:
    """Return what changed in the controls between two scores, as a sentence part."""
    then, now = ({pair[0]: pair[1] for pair in pairs} for pairs in (before, after))
    parts = [
        f"{ref} is {_word(now[ref])}, was {_word(then[ref])}"
        for ref in sorted(then.keys() & now.keys())
        if then[ref] != now[ref]
    ]
    parts += [f"{ref} was added" for ref in sorted(now.keys() - then.keys())]
    parts += [f"{ref} was removed" for ref in sorted(then.keys() - now.keys())]
    return "; ".join(parts)


def _word(status: str) -> str:
    words = {str(name): word for name, word in WORDS.items()}
    return words.get(status, status).lower()
