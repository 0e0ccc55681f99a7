"""Recent changes of residual scores with their reasons, shown beside the heat map."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time

from governance.assurance.risks import queries
from governance.assurance.risks.queries import RiskPosture
from governance.kernel import clock, formatting

MAX_SHOWN = 6


@dataclass(frozen=True, slots=True)
class ScoreMovement:
    """A residual score that differs from the one at the start of the month."""

    posture: RiskPosture
    then: int
    now: int
    cause: str

    @property
    def shape(self) -> str:
        return "up" if self.now > self.then else "down"


@dataclass(frozen=True, slots=True)
class Movements:
    """The largest movements since a day, and the number of all movements."""

    since: date
    count: int
    shown: Sequence[ScoreMovement]


def movements(risks: Sequence[RiskPosture]) -> Movements:
    """Compare the open risks' current scores with those at the start of the month.

    Runs two statements.
    """
    since = first_of_month(clock.today())
    if not risks:
        return Movements(since, 0, ())
    begin = datetime.combine(since, time(), formatting.tenant_zone())
    then, last = queries.scores_then(begin), queries.scores_then()
    found = [
        ScoreMovement(
            each,
            old.residual_likelihood * old.residual_impact,
            each.residual.score,
            last[each.risk.id].cause,
        )
        for each in risks
        if (old := then.get(each.risk.id)) is not None
        and old.residual_likelihood * old.residual_impact != each.residual.score
    ]
    found.sort(key=lambda each: (each.then - each.now, each.posture.risk.number))
    return Movements(since, len(found), found[:MAX_SHOWN])


def first_of_month(today: date) -> date:
    """Return the first day of this month, or of the previous one during the first week."""
    week = 7
    first = today.replace(day=1)
    if today.day > week:
        return first
    return (
        first.replace(month=first.month - 1)
        if first.month > 1
        else first.replace(year=first.year - 1, month=12)
    )
