"""The age of an AI system's last red team, and its open red-team findings.

The policy setting red_team_age_days limits the age. It counts from the end of the attacks: the end
of the window, or the time it was finished if that is earlier. Unfinished and cancelled red teams
don't count.
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
    """The last finished red team of a system, with the policy's limit.

    `days` is None if none was finished; `limit` is None if the policy has none. `open` lists the
    numbers of the open findings, out of `reported` findings.
    """

    days: int | None
    limit: int | None
    ref: str
    open: Sequence[int]
    reported: int

    @property
    def is_too_old(self) -> bool:
        """True if the policy has a limit and the red team is older or missing."""
        return self.limit is not None and (self.days is None or self.days > self.limit)

    @property
    def figure(self) -> str:
        return "none finished" if self.days is None else f"{plural(self.days, 'day')} ago"


def age_of(system_id: UUID) -> RedTeamAge:
    """Return the age, with the limit of the system's effective policy."""
    policy = policies.current_policy()
    governed = next((each for each in policy.systems if each.id == system_id), None)
    return age_within(system_id, limit_in(policy.effective(governed)))


def limit_in(in_force: Mapping[str, Decided]) -> int | None:
    """Return the age limit from a system's effective settings, or None."""
    decided = in_force.get(DIMENSION)
    return int(str(decided.value)) if decided is not None else None


def age_within(system_id: UUID, limit: int | None) -> RedTeamAge:
    """Return the age with that limit, in one statement."""
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
