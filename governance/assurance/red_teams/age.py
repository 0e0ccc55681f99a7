"""How old the last red team of an AI system is, and which findings of red teams are open.

The age is what the policy's red_team_age_days limits. It counts from when the attacks ended: the end
of the window, or when it was finished before. A red team that nobody finished doesn't count, and
neither does a cancelled one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select, true

from governance.assurance.red_teams.life_cycle import UNDECIDED
from governance.assurance.red_teams.models import RedTeam, RedTeamFinding
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.kernel.formatting import plural
from governance.operations.policies import queries as policies
from governance.operations.policies.strictness import Decided

DIMENSION = "red_team_age_days"


@dataclass(frozen=True, slots=True)
class RedTeamAge:
    """The last finished red team of a system, beside what its policy allows.

    `days` is None where none was finished, `limit` where the policy has none. `open` has the numbers
    of the open findings, of `reported` ones.
    """

    days: int | None
    limit: int | None
    ref: str
    open: Sequence[int]
    reported: int

    @property
    def is_too_old(self) -> bool:
        """Whether the policy asks for a newer one; a missing one is never new enough."""
        return self.limit is not None and (self.days is None or self.days > self.limit)

    @property
    def figure(self) -> str:
        return "none finished" if self.days is None else f"{plural(self.days, 'day')} ago"


def age_of(system_id: UUID) -> RedTeamAge:
    """Return the age, with the limit of the system's effective policy."""
    policy = policies.standing()
    governed = next((each for each in policy.systems if each.id == system_id), None)
    return age_within(system_id, limit_in(policy.effective(governed)))


def limit_in(in_force: Mapping[str, Decided]) -> int | None:
    """Return the limit among the settings in force of a system."""
    decided = in_force.get(DIMENSION)
    return int(str(decided.value)) if decided is not None else None


def age_within(system_id: UUID, limit: int | None) -> RedTeamAge:
    """Return the age beside that limit; one statement."""
    t, f = RedTeam, RedTeamFinding
    ended = func.least(t.finished_at, t.closes_at)
    newest = (
        select(t.number, ended.label("ended_at"))
        .where(t.system_id == system_id, t.finished_at.is_not(None))
        .order_by(ended.desc())
        .limit(1)
        .subquery()
    )
    is_open = f.state.in_(UNDECIDED)
    findings = (
        select(
            func.array_agg(f.number).filter(is_open).label("open"), func.count().label("reported")
        )
        .where(f.system_id == system_id)
        .subquery()
    )
    query = select(newest.c.number, newest.c.ended_at, findings.c.open, findings.c.reported)
    row = session().execute(query.select_from(findings.outerjoin(newest, true()))).one()
    days = None if row.ended_at is None else max((clock.now() - row.ended_at).days, 0)
    return RedTeamAge(
        days,
        limit,
        "" if row.number is None else f"RT-{row.number}",
        sorted(row.open or ()),
        row.reported,
    )
