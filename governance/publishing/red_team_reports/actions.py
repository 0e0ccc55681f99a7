"""Actions that generate and download the report of a red team as a signed PDF."""

from typing import Any

from governance.assurance.red_teams import queries as red_teams
from governance.assurance.red_teams.models import RedTeam
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.kernel.data.db import session
from governance.kernel.errors import DomainError
from governance.kernel.files.storage import Blob
from governance.kernel.work import background_work, generated_files
from governance.kernel.work.background_work import GeneratedFile
from governance.publishing.red_team_reports import permissions, queries
from governance.publishing.red_team_reports.models import RedTeamFile

REQUESTED = action(
    "red_team.report.requested",
    "requested the report of a red team",
    target="RedTeamFile",
    activity="create",
    severity="informational",
    fields="red_team",
)
GENERATED = action(
    "red_team.report.generated",
    "generated the report of a red team",
    target="RedTeamFile",
    activity="update",
    severity="informational",
    fields="red_team sha256 draft open_findings",
    shape="ok",
)
CANCELLED = action(
    "red_team.report.cancelled",
    "cancelled the report of a red team",
    target="RedTeamFile",
    activity="update",
    severity="informational",
    fields="red_team",
)
DOWNLOADED = action(
    "red_team.report.downloaded",
    "downloaded the report of a red team",
    target="RedTeamFile",
    activity="read",
    severity="low",
    fields="red_team sha256",
)
REPORTED = ("open", "over", "finished")  # The phases in which a red team has something to report.


def request(row: RedTeam) -> RedTeamFile:
    """Queue the report of the record as it is now. A second click follows the first.

    Raises DomainError for a red team that is planned or canceled.
    """
    if row.phase not in REPORTED:
        raise DomainError(f"{row.ref} is {row.state[1].lower()}, so it has nothing to report.")
    return generated_files.request(RedTeamFile, red_team_id=row.id)


def file(row: RedTeamFile, blob: Blob, *, name: str, is_draft: bool, open_findings: int) -> bool:
    """Store the finished file. Return False if an earlier try has stored it."""
    if not generated_files.name_file(row, blob, name=name):
        return False
    row.is_draft, row.open_findings = is_draft, open_findings
    record(
        GENERATED,
        row,
        sha256=blob.sha256,
        draft=is_draft,
        open_findings=open_findings,
        **_named(row),
    )
    session().flush()
    return True


def download(row: RedTeamFile) -> GeneratedFile:
    """Record the download of the zip, and return it."""
    found = generated_files.to_download(row)
    record(DOWNLOADED, row, sha256=row.file_sha256, **_named(row))
    return found


def _named(row: RedTeamFile) -> dict[str, Any]:
    return {"red_team": red_teams.red_team(row.red_team_id).ref}


FILES = background_work.WorkKind(
    name="red team report",
    noun="file",
    model=RedTeamFile,
    view=permissions.EXPORT,
    permission=permissions.EXPORT,
    find=queries.red_team_file,
    title=lambda row: f"Report of {red_teams.red_team(row.red_team_id).ref}",
    page=lambda row: ("red_team_reports.index", {"red_team_id": row.red_team_id}),
    address=lambda row: {"red_team_file_id": row.id},
    requested=lambda row: record(REQUESTED, row, **_named(row)),
    cancelled=lambda row: record(CANCELLED, row, **_named(row)),
    stored=RedTeamFile.file_key,
    prefix="red-teams",
    max_bytes=50 * 1024 * 1024,
    icon="file-zip",
    result_label="View file",
)
