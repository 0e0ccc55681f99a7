"""Red teams and their findings in search."""

from typing import Any

from governance.assurance.red_teams import queries
from governance.assurance.red_teams.models import RedTeam, RedTeamFinding
from governance.kernel.manifest import IndexedSearch, SearchText


def _team(row: Any) -> SearchText:
    return SearchText(f"RT-{row.number}", row.title, f"red team {row.release}")


def _finding(row: Any) -> SearchText:
    return SearchText(f"RTF-{row.number}", row.title, "red team finding")


red_teams = IndexedSearch(
    kind="red team",
    model=RedTeam,
    reads=("number", "title", "release"),
    text=_team,
    seen=queries.seen_red_teams,
    endpoint="red_teams.red_team",
    address=lambda row_id, _ref, _parent: {"red_team_id": row_id},
)
findings = IndexedSearch(
    kind="red team finding",
    model=RedTeamFinding,
    reads=("number", "title"),
    text=_finding,
    seen=queries.seen_findings,
    endpoint="red_teams.finding",
    address=lambda row_id, _ref, _parent: {"red_team_finding_id": row_id},
)
