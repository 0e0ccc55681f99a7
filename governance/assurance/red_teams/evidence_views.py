"""Pages to link evidence to a red-team finding and to remove it."""

from uuid import UUID

from flask import flash, redirect, request

from governance.assurance.red_teams import (
    evidence_actions,
    evidence_queries,
    permissions,
    queries,
)
from governance.assurance.red_teams.finding_views import FINDING, page_of
from governance.assurance.red_teams.form_pages import form_page
from governance.assurance.red_teams.forms import EvidenceForm
from governance.assurance.red_teams.views import feature
from governance.kernel.safety.access import require
from governance.kernel.web.responses import ResponseReturnValue


@feature.route(f"{FINDING}/evidence", methods=["GET", "POST"], needs=permissions.ATTACK)
def link_evidence(red_team_finding_id: UUID) -> ResponseReturnValue:
    """Link a version of an evidence item to a finding."""
    (found, row), form = queries.finding_and_red_team(red_team_finding_id), EvidenceForm()
    require(permissions.ATTACK, on=row)
    words = request.values.get("find", "").strip()[:200]
    offered = evidence_queries.choices(words)
    form.version_id.choices = [
        ("", "Choose a version…"),
        *offered[: evidence_queries.MAX_OFFERED],
    ]
    form.version_id.description = _help(len(offered), words)
    return form_page(
        "assurance/red_teams/evidence.html",
        form,
        lambda: evidence_actions.link(found, form.version_id.data),
        done="The evidence is linked.",
        to=page_of(found.id),
        finding=found,
        find=words,
    )


def _help(count: int, words: str) -> str:
    if not count:
        return (
            "No versions match your search. Try another ref or title."
            if words
            else "There is no evidence that you can link."
        )
    if count > evidence_queries.MAX_OFFERED:
        return (
            f"Shows the {evidence_queries.MAX_OFFERED} newest versions. Search by ref or title to"
            " find others."
        )
    return "The finding keeps exactly this version. Later versions don't replace it."


@feature.post(
    f"{FINDING}/evidence/<uuid:red_team_evidence_id>/remove",
    needs=permissions.ATTACK,
)
def unlink_evidence(red_team_finding_id: UUID, red_team_evidence_id: UUID) -> ResponseReturnValue:
    """Remove a version from a finding."""
    found = queries.finding(red_team_finding_id)
    evidence_actions.unlink(found, evidence_queries.link_of(found.id, red_team_evidence_id))
    flash("The evidence is no longer linked.")
    return redirect(page_of(found.id), 303)
