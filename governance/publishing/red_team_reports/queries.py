"""Files of red teams' reports."""

from collections.abc import Sequence
from uuid import UUID

from governance.assurance.red_teams import queries as red_teams
from governance.kernel.data.db import find
from governance.kernel.work.background_work import Run, run_of
from governance.kernel.work.generated_files import newest_files
from governance.publishing.red_team_reports.models import RedTeamFile

MAX_FILES = 20  # Shown on the page.


def red_team_file(red_team_file_id: UUID, *, lock: bool = False) -> RedTeamFile:
    """Return the file. Raises NotFound, including when its red team is hidden from the reader."""
    found = find(RedTeamFile, red_team_file_id, what="file", lock=lock)
    red_teams.red_team(found.red_team_id)
    return found


def run(red_team_file_id: UUID) -> Run[RedTeamFile]:
    """Return the file with the work on it."""
    return run_of(red_team_file(red_team_file_id))


def files_of(red_team_id: UUID) -> Sequence[Run[RedTeamFile]]:
    """Return the newest files of a red team with their work."""
    return newest_files(RedTeamFile, MAX_FILES, red_team_id=red_team_id)
