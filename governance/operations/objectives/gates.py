"""The rollout gate on objectives: enough error budget is left.

It reads the objectives of the full AI system and of the feature being rolled out. Objectives of
other features could halt the release for failures that it can't cause.
"""

from collections.abc import Iterator
from fractions import Fraction

from governance.operations.gates.gates import Gate, GateReading, GateSubject, GateVerdict
from governance.operations.objectives import figures, queries
from governance.operations.objectives.reading import Reading

LEAST_LEFT = Fraction(1, 4)


def _objectives(subject: GateSubject) -> Iterator[GateReading]:
    mine = [
        (objective, indicator)
        for objective, indicator in queries.objectives_with_indicators()
        if indicator.system_id == subject.system_id and indicator.feature in {None, subject.feature}
    ]
    readings = queries.readings(
        [objective for objective, _indicator in mine],
        indicators={indicator.id: indicator for _objective, indicator in mine},
    )
    for reading in readings:
        left = reading.left_share
        yield GateReading(
            name=f"Objective: {reading.objective.name}",
            verdict=_verdict(reading),
            needs=f"{figures.percent(LEAST_LEFT, 0)} of the budget left",
            figure="not known" if left is None else f"{figures.percent(left, 0)} left",
            detail=f"burn {figures.burn(reading.burn)} in 24 h",
            n=f"{reading.score.measured:,}",
            link=("objectives.objective", {"objective_id": reading.objective.id}),
            counts_everything=True,
        )


def _verdict(reading: Reading) -> GateVerdict:
    """Return the verdict of a reading.

    A target that allows no error has no budget, so it passes while nothing was lost.
    """
    if not reading.score.measured:
        return "missing"
    if not reading.is_determinable:
        return "undecided"
    left = reading.left_share
    if left is None:
        return "fail" if reading.budget.lost else "pass"
    return "pass" if left >= LEAST_LEFT else "fail"


OBJECTIVES = Gate(key="objectives", kind="guardrail", topic="service", read=_objectives)
