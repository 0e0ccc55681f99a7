"""The stages of a rollout, by the risk class of the AI system. Pure.

Planning copies the ladder into the rollout, so a later change of these tables doesn't affect
existing rollouts.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from governance.operations.gates.stage import BASIS_POINTS, HALF, Stage

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
PEOPLE = {"standard": 1, "high_risk": 2}  # Number of people for each step, by risk class


def read_ladder(plain: Sequence[Mapping[str, Any]]) -> tuple[Stage, ...]:
    """Return the stages that a rollout stores."""
    return tuple(Stage(each["share"], each["hours"], each["samples"]) for each in plain)
