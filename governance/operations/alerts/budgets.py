"""Checks of which error budgets are exhausted, and which are back.

check(objectives)    records each budget that is exhausted or back at a minute
is_gone, is_back     the rules; pure

A budget is exhausted when the losses reach what the full window allows at the traffic so far; the
first error of a month doesn't exhaust it. It is back when a twentieth of it is left again, so that
a budget around zero doesn't flap.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from fractions import Fraction
from itertools import batched
from uuid import UUID

from governance.kernel import clock
from governance.kernel.data.db import lock_tenant
from governance.kernel.intervals import MINUTE
from governance.operations.alerts import actions, queries
from governance.operations.objectives import queries as objectives
from governance.operations.objectives.models import Objective
from governance.operations.objectives.reading import Reading
from governance.operations.objectives.windows import minute_of

BACK = Fraction(19, 20)  # Share of the budget that may be lost when it is back
MAX_READ = 500  # Objectives per statement
LOCK = "alerts"  # Same lock as evaluation.py


def check_all(at: datetime | None = None) -> int:
    """Check the budgets of all active objectives. Return how many are newly exhausted."""
    return sum(newly for _, newly in check(objectives.active_objectives(), at).values())


def check_some(ids: Collection[UUID], at: datetime) -> dict[UUID, tuple[Reading, bool]]:
    """Check the budgets of these objectives. Retired ones are left out."""
    if not ids:
        return {}
    found = objectives.objectives_by_id(ids).values()
    return check([each for each in found if each.retired_at is None], at)


def check(
    found: Sequence[Objective], at: datetime | None = None
) -> dict[UUID, tuple[Reading, bool]]:
    """Record what changed. Return each reading, and True if its budget is newly exhausted.

    The evaluation's lock prevents concurrent checks of one tenant.
    """
    if not found:
        return {}
    at = minute_of(at or clock.now())
    lock_tenant(LOCK)
    gone = queries.open_exhaustions()
    read: dict[UUID, tuple[Reading, bool]] = {}
    for some in batched(found, MAX_READ, strict=False):
        for reading in objectives.readings(some, at=at):
            its = gone.get(reading.objective.id)
            newly = its is None and is_gone(reading)
            if newly:
                actions.exhaust(reading.objective, reading.score, reading.budget, at)
            elif its is not None and is_back(reading):
                actions.restore(its, reading.objective, reading.score, reading.budget, at)
            read[reading.objective.id] = reading, newly
    return read


def is_gone(reading: Reading) -> bool:
    """Return True if the full window's budget is lost; False if it isn't determinable."""
    return reading.is_determinable and reading.budget.lost >= max(_allowed(reading), Fraction(1))


def is_back(reading: Reading) -> bool:
    """Return True if some of the budget is left again."""
    return reading.is_determinable and reading.budget.lost <= BACK * _allowed(reading)


def _allowed(reading: Reading) -> Fraction:
    """Return what the full window allows, if its traffic continues as so far."""
    window = reading.window
    start = max(window.so_far.start, reading.first or window.so_far.start)
    so_far = max((window.so_far.end - start) // MINUTE, 1)
    return reading.budget.allowed * Fraction(max(window.whole.minutes, so_far), so_far)
