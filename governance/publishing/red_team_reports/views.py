"""The page of a red team's reports: generated in the background, downloaded."""

from uuid import UUID

from flask import redirect, url_for

from governance.assurance.red_teams import queries as red_teams
from governance.kernel.files.downloads import FILE
from governance.kernel.pages import work_pages
from governance.kernel.pages.rendering import page
from governance.kernel.web.feature import Feature
from governance.kernel.web.responses import ResponseReturnValue
from governance.publishing.red_team_reports import actions, permissions, queries

feature = Feature("red_team_reports", __name__)
HOME = "/red-teams/<uuid:red_team_id>/reports/"
ONE = "/red-team-files/<uuid:red_team_file_id>"


@feature.get(HOME, needs=permissions.EXPORT)
def index(red_team_id: UUID) -> ResponseReturnValue:
    """Show the reports of a red team, and the ones being generated."""
    row = red_teams.red_team(red_team_id)
    return page(
        "publishing/red_team_reports/index.html",
        row=row,
        files=queries.files_of(row.id),
        shown=work_pages.shown,
        has_report=row.phase in actions.REPORTED,
    )


@feature.post(HOME, needs=permissions.EXPORT)
def generate(red_team_id: UUID) -> ResponseReturnValue:
    """Generate the report of the record as it is now."""
    actions.request(red_teams.red_team(red_team_id))
    return redirect(url_for("red_team_reports.index", red_team_id=red_team_id), 303)


@feature.post(f"{ONE}/download", needs=permissions.EXPORT, answers=FILE)
def download(red_team_file_id: UUID) -> ResponseReturnValue:
    """Return the zip. This is a POST, because a download is recorded in the audit log."""
    return work_pages.attachment(actions.download(queries.red_team_file(red_team_file_id)))


work_pages.add_routes(feature, actions.FILES, ONE, queries.run)
