"""The stages of a rollout, by the risk class of the AI system. Pure.

A ladder is copied into each rollout when it is planned, so a later change of these tables changes
no rollout that is under way.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

BASIS_POINTS = 10_000  # of all targeting keys
HALF = 5_000
RINGS = ("canary", "early", "stable_only")  # levels of the policy dimension release_ring


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage. `share` is in basis points of the targeting keys; shadow serves none.

    `hours` is the least time in the stage, `samples` the least number of answers by the release.
    """

    share: int
    hours: int
    samples: int

    @property
    def is_shadow(self) -> bool:
        return self.share == 0

    @property
    def name(self) -> str:
        return "Shadow" if self.is_shadow else f"{self.share / 100:g}%"

    @property
    def where(self) -> str:
        """Return "in shadow" or "at 5%"."""
        return "in shadow" if self.is_shadow else f"at {self.name}"

    @property
    def dwell(self) -> timedelta:
        return timedelta(hours=self.hours)

    @property
    def rings(self) -> tuple[str, ...]:
        """The release rings that may be in; stable_only begins at 50%."""
        if self.is_shadow:
            return ()
        return RINGS if self.share >= HALF else RINGS[:2]

    def plain(self) -> dict[str, int]:
        return {"share": self.share, "hours": self.hours, "samples": self.samples}


LADDERS: Mapping[str, tuple[Stage, ...]] = {
    "standard": (
        Stage(0, 24, 100),
        Stage(100, 24, 100),
        Stage(500, 24, 400),
        Stage(2_500, 48, 2_000),
        Stage(HALF, 48, 4_000),
        Stage(BASIS_POINTS, 24, 4_000),
    ),
    "high_risk": (
        Stage(0, 7 * 24, 200),
        Stage(100, 4 * 24, 100),
        Stage(500, 5 * 24, 1_000),
        Stage(1_000, 5 * 24, 4_000),
        Stage(2_500, 7 * 24, 10_000),
        Stage(HALF, 7 * 24, 20_000),
        Stage(BASIS_POINTS, 7 * 24, 20_000),
    ),
}
PEOPLE = {"standard": 1, "high_risk": 2}  # who take each step, by risk class


def read_ladder(plain: Sequence[Mapping[str, Any]]) -> tuple[Stage, ...]:
    """Return the stages that a rollout keeps."""
    return tuple(Stage(each["share"], each["hours"], each["samples"]) for each in plain)
