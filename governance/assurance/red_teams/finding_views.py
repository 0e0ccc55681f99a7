"""Pages of red-team findings: report, view, pin a case, and each step until the end."""

from uuid import UUID

from flask import flash, redirect, request, url_for

from governance.assurance.red_teams import (
    coverage,
    evidence_queries,
    finding_actions,
    life_cycle,
    permissions,
    queries,
    regression,
    severity,
)
from governance.assurance.red_teams.form_pages import STEP, form_page
from governance.assurance.red_teams.forms import CaseForm, FixForm, RedTeamReasonForm, ReportForm
from governance.assurance.red_teams.models import OUTCOMES, RedTeamFinding
from governance.assurance.red_teams.views import feature
from governance.foundation.people import queries as people
from governance.kernel.data.ids import uuid7
from governance.kernel.errors import Invalid
from governance.kernel.pages.rendering import page
from governance.kernel.safety.access import allowed, require
from governance.kernel.web.forms import accepted, uuid_or_none
from governance.kernel.web.responses import ResponseReturnValue

FINDING = "/red-teams/findings/<uuid:red_team_finding_id>"
# By step: the button, what it means, and the past participle for messages.
VERBS = {
    "confirm": ("Confirm finding", "It is real: somebody has to fix it.", "confirmed"),
    "reject": (
        "Reject finding",
        "It is no finding. It stays listed with your reason.",
        "rejected",
    ),
    "fix": ("Name the fix", "The regression case has to pass on this release.", "marked as fixed"),
    "reopen": (
        "Reopen finding",
        "The fix doesn't hold. Another release has to fix it.",
        "reopened",
    ),
    "close": ("Close finding", "The two runs that prove the fix are kept with it.", "closed"),
}


@feature.route(
    "/red-teams/<uuid:red_team_id>/attempts/<uuid:red_team_attempt_id>/report",
    methods=["GET", "POST"],
    needs=permissions.ATTACK,
)
def report(red_team_id: UUID, red_team_attempt_id: UUID) -> ResponseReturnValue:
    """Report a finding of an attempt that broke through."""
    row = queries.red_team(red_team_id)
    require(permissions.ATTACK, on=row)
    attempt, scenario = queries.attempt(row.id, red_team_attempt_id)
    form, made = ReportForm(once=str(uuid7())), []

    def save() -> None:
        try:
            vector = severity.vector_of(form.metrics)
        except ValueError as wrong:
            raise Invalid("Choose a value for each input of the severity.") from wrong
        made.append(
            finding_actions.report(
                row,
                attempt,
                title=form.title.data or "",
                reproduction=form.reproduction.data or "",
                vector=vector,
                finding_id=form.row_id,
            )
        )

    if request.method == "POST":
        if form.row_id is not None and queries.exists(RedTeamFinding, form.row_id):
            return redirect(page_of(form.row_id), 303)
        if accepted(form, save):
            flash(f"{made[0].ref} reported: {made[0].score} {made[0].band.lower()}.")
            return redirect(page_of(made[0].id), 303)
    return page(
        "assurance/red_teams/report.html",
        status=form.status if request.method == "POST" else 200,
        form=form,
        row=row,
        attempt=attempt,
        scenario=scenario,
        METHOD=severity.METHOD,
    )


def page_of(finding_id: UUID) -> str:
    """Return the URL of the finding."""
    return url_for("red_teams.finding", red_team_finding_id=finding_id)


@feature.get(FINDING, needs=permissions.VIEW)
def finding(red_team_finding_id: UUID) -> ResponseReturnValue:
    """Show a finding: how to reproduce it, its severity, and what proves the fix."""
    found, row, system, attempt, scenario = queries.finding_and_about(red_team_finding_id)
    values = severity.read_vector(found.vector)
    return page(
        "assurance/red_teams/finding.html",
        finding=found,
        row=row,
        system=system,
        attempt=attempt,
        scenario=scenario,
        evidence=evidence_queries.linked([found.id]).get(found.id, []),
        may_link=found.is_open and allowed(permissions.ATTACK, on=row),
        proof=regression.proof_of(found),
        steps=life_cycle.possible_steps(found.state),
        STEPS=finding_actions.STEPS,
        VERBS=VERBS,
        metrics=[(each.title, each.values[values[each.key]]) for each in severity.METRICS],
        METHOD=severity.METHOD,
        moments=people.timeline([found.id]),
        names=people.names([found.reported_by, attempt.tried_by]),
        OUTCOMES=OUTCOMES,
    )


@feature.route(f"{FINDING}/case", methods=["GET", "POST"], needs=permissions.FIX)
def pin_case(red_team_finding_id: UUID) -> ResponseReturnValue:
    """Pin the regression case of a finding."""
    found, form = queries.finding(red_team_finding_id), CaseForm()
    form.measure.choices = coverage.measure_choices()

    def save() -> None:
        version_id, _, measure = (form.measure.data or "").partition(" ")
        if (chosen := uuid_or_none(version_id)) is None:
            raise Invalid("Choose the measure that judges the case.", field="measure")
        finding_actions.pin_case(
            found, version_id=chosen, measure=measure, case=form.case.data or ""
        )

    return form_page(
        "assurance/red_teams/case.html",
        form,
        save,
        done="The regression case is pinned.",
        to=page_of(found.id),
        finding=found,
    )


def _add_step(step: str) -> None:
    """Add the page for a step of a finding. The endpoint has the step's name."""
    verb, consequence, past = VERBS[step]

    def step_page(red_team_finding_id: UUID) -> ResponseReturnValue:
        found = queries.finding(red_team_finding_id, lock=request.method == "POST")
        form = FixForm() if step == "fix" else RedTeamReasonForm()

        def take() -> None:
            release = form.fixed_release.data if isinstance(form, FixForm) else ""
            finding_actions.take_step(
                found, step, reason=form.reason.data or "", fixed_release=release or ""
            )

        asks_for_proof = step == "close" and request.method == "GET"
        reasons = regression.proof_of(found).reasons if asks_for_proof else []
        return form_page(
            STEP,
            form,
            take,
            done=f"{found.ref} was {past}.",
            to=page_of(found.id),
            ref=found.ref,
            kicker=f"Finding {found.ref} · {found.title}",
            verb=verb,
            title=f"{verb}?",
            consequence=consequence,
            warning=("The fix isn't proved yet.", " ".join(reasons)) if reasons else None,
            back_label="Cancel",
        )

    feature.add_url_rule(
        f"{FINDING}/{step}",
        step,
        step_page,
        methods=["GET", "POST"],
        needs=finding_actions.STEPS[step][0],
    )


for each in VERBS:
    _add_step(each)
