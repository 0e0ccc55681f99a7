"""Statements about red teams in an AI system's documents (kernel/record_points.py).

All readers of a document see the same text, and few may open a red team. A sentence has dates and
counts, but neither what was tried nor a link.
"""

from collections.abc import Iterator
from uuid import UUID

from sqlalchemy import func, select

from governance.assurance.red_teams.life_cycle import UNDECIDED
from governance.assurance.red_teams.models import RedTeam, RedTeamFinding
from governance.kernel.data.db import session
from governance.kernel.formatting import long_day, plural
from governance.kernel.record_points import RecordPoint

MAX_RED_TEAMS = 10
TESTING, SECURITY = "2.g", "2.h"


def points_of(system_id: UUID) -> Iterator[RecordPoint]:
    """Yield when each of the newest finished red teams ended and what it found, in one statement."""
    finding = RedTeamFinding
    query = (
        select(
            RedTeam,
            func.count(finding.id),
            func.count(finding.id).filter(finding.state.in_(UNDECIDED)),
        )
        .outerjoin(
            finding,
            (finding.tenant_id == RedTeam.tenant_id) & (finding.red_team_id == RedTeam.id),
        )
        .where(RedTeam.system_id == system_id, RedTeam.finished_at.is_not(None))
        .group_by(RedTeam.tenant_id, RedTeam.id)
        .order_by(RedTeam.number.desc())
        .limit(MAX_RED_TEAMS)
    )
    for row, found, undecided in session().execute(query):
        yield RecordPoint(
            (TESTING, SECURITY), _sentence(row, found, undecided), f"Red team {row.ref}", "", {}
        )


def _sentence(row: RedTeam, found: int, undecided: int) -> str:
    day = f" on {long_day(row.finished_at)}" if row.finished_at else ""
    ended = f"A red team attacked release {row.release} and finished{day}."
    if not found:
        return f"{ended} It reported no finding."
    still = (
        "none is open" if not undecided else f"{undecided} {'is' if undecided == 1 else 'are'} open"
    )
    return f"{ended} It reported {plural(found, 'finding')}: {still}."
