"""A stage of a rollout, which gates read about. Pure."""

from dataclasses import dataclass
from datetime import timedelta

BASIS_POINTS = 10_000  # Basis points of all targeting keys
HALF = 5_000
RINGS = ("canary", "early", "stable_only")  # Levels of the policy dimension release_ring


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage. `share` is in basis points of the targeting keys; shadow serves none.

    `hours` is the minimum time in the stage, `samples` the minimum number of answers.
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
        """The release rings that this stage includes; stable_only begins at 50%."""
        if self.is_shadow:
            return ()
        return RINGS if self.share >= HALF else RINGS[:2]

    def plain(self) -> dict[str, int]:
        return {"share": self.share, "hours": self.hours, "samples": self.samples}
