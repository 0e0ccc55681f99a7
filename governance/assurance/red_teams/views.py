"""Pages of red teams: list, detail, planning, attempts, finishing, and a system's tab."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from flask import flash, redirect, request, url_for

from governance.assurance.red_teams import actions, coverage, permissions, queries
from governance.assurance.red_teams.age import age_of
from governance.assurance.red_teams.form_pages import STEP, form_page
from governance.assurance.red_teams.forms import (
    AttemptForm,
    FinishForm,
    LinkRunForm,
    RedTeamForm,
    RedTeamReasonForm,
    ScenarioForm,
)
from governance.assurance.red_teams.models import (
    OUTCOME_KINDS,
    OUTCOMES,
    TEAM_KINDS,
    RedTeam,
    RedTeamAttempt,
    RedTeamScenario,
)
from governance.assurance.red_teams.red_team_list import RED_TEAMS
from governance.foundation.people import queries as people
from governance.kernel.data.ids import uuid7
from governance.kernel.errors import Invalid
from governance.kernel.formatting import plural
from governance.kernel.pages.rendering import page
from governance.kernel.safety.access import allowed, require
from governance.kernel.web.feature import Feature
from governance.kernel.web.forms import Form, accepted, uuid_or_none
from governance.kernel.web.responses import ResponseReturnValue
from governance.operations.systems import queries as systems

feature = Feature("red_teams", __name__)


@feature.get("/red-teams/", needs=permissions.VIEW)
def index() -> ResponseReturnValue:
    asked = RED_TEAMS.read()
    found = queries.page_of(asked.criteria, sort=asked.sort, after=asked.after, size=RED_TEAMS.size)
    ids = tuple(row[0].id for row in found.rows)
    return page(
        "assurance/red_teams/index.html",
        asked=asked,
        rows=found.rows,
        next=found.next,
        total=queries.count(),
        scenarios=coverage.tried_by_red_team(ids),
        findings=queries.findings_by_red_team(ids),
        TEAM_KINDS=TEAM_KINDS,
    )


@feature.get("/systems/<system_key>/red-team", needs=permissions.VIEW)
def of_system(system_key: str) -> ResponseReturnValue:
    """Show the red teams of an AI system, the risk ids they tried, and open findings."""
    system = systems.system(system_key)
    rows = queries.red_teams_of(system.id)
    ids = tuple(each.id for each in rows)
    return page(
        "assurance/red_teams/of_system.html",
        system=system,
        owner=people.names([system.owner_id]).get(system.owner_id) if system.owner_id else None,
        rows=rows,
        scenarios=coverage.tried_by_red_team(ids),
        counted=queries.findings_by_red_team(ids),
        findings=queries.findings_of(system_id=system.id),
        covered=coverage.covered(ids),
        age=age_of(system.id),
    )


@feature.get("/red-teams/<uuid:red_team_id>", needs=permissions.VIEW)
def red_team(red_team_id: UUID) -> ResponseReturnValue:
    found = queries.red_team(red_team_id)
    system = queries.system_of(found)
    tried = queries.attempts(found.id, after=request.args.get("after"))
    scenarios, counts = queries.scenarios((found.id,)), queries.scenario_counts((found.id,))
    names = people.names([found.planned_by, *(row[0].tried_by for row in tried.rows)])
    return page(
        "assurance/red_teams/red_team.html",
        row=found,
        system=system,
        scenarios=scenarios,
        counts=counts,
        never=[each for each in scenarios if each.id not in counts],
        attempts=tried.rows,
        next=tried.next,
        runs=coverage.runs_of(found.id),
        findings=queries.findings_of(red_team_id=found.id),
        moments=people.timeline([found.id]),
        names=names,
        may_attack=found.phase == "open" and allowed(permissions.ATTACK, on=found),
        OUTCOMES=OUTCOMES,
        OUTCOME_KINDS=OUTCOME_KINDS,
        TEAM_KINDS=TEAM_KINDS,
    )


# ---- planning


@feature.route("/red-teams/new", methods=["GET", "POST"], needs=permissions.PLAN)
def new() -> ResponseReturnValue:
    form, made = RedTeamForm(once=str(uuid7())), []
    if request.method == "POST":
        if form.row_id is not None and queries.exists(RedTeam, form.row_id):
            return _to(form.row_id)
        if accepted(form, lambda: made.append(actions.plan(form.draft(), red_team_id=form.row_id))):
            flash(f"{made[0].ref} planned. Add what it tries next.")
            return _to(made[0].id)
    status = form.status if request.method == "POST" else 200
    return page("assurance/red_teams/new.html", status=status, form=form)


def _page_of(red_team_id: UUID) -> str:
    return url_for("red_teams.red_team", red_team_id=red_team_id)


def _to(red_team_id: UUID) -> ResponseReturnValue:
    return redirect(_page_of(red_team_id), 303)


@feature.route(
    "/red-teams/<uuid:red_team_id>/scenarios/new", methods=["GET", "POST"], needs=permissions.PLAN
)
def new_scenario(red_team_id: UUID) -> ResponseReturnValue:
    found, form = queries.red_team(red_team_id), ScenarioForm(once=str(uuid7()))
    if request.method == "POST" and queries.exists(RedTeamScenario, form.row_id):
        return _to(found.id)
    return form_page(
        "assurance/red_teams/scenario.html",
        form,
        lambda: actions.add_scenario(
            found,
            risk=form.risk.data or "",
            title=form.title.data or "",
            goal=form.goal.data or "",
            scenario_id=form.row_id,
        ),
        done="Scenario added.",
        to=_page_of(found.id),
        row=found,
    )


# ---- trying


@feature.route(
    "/red-teams/<uuid:red_team_id>/attempts/new",
    methods=["GET", "POST"],
    needs=permissions.ATTACK,
)
def new_attempt(red_team_id: UUID) -> ResponseReturnValue:
    """Record an attempt of a scenario."""
    found = queries.red_team(red_team_id)
    require(permissions.ATTACK, on=found)
    form = AttemptForm(
        once=str(uuid7()),
        release=found.release,
        scenario_id=uuid_or_none(request.args.get("scenario")),
    )
    scenarios = {each.id: each for each in queries.scenarios((found.id,))}
    form.scenario_id.choices = [
        (each.id, f"{each.risk} {each.title}") for each in scenarios.values()
    ]
    if request.method == "POST":
        if queries.exists(RedTeamAttempt, form.row_id):
            return _to(found.id)
        made: list[RedTeamAttempt] = []
        if accepted(
            form,
            lambda: made.append(
                actions.record_attempt(
                    found,
                    scenarios[form.scenario_id.data],
                    what=form.what.data or "",
                    outcome=form.outcome.data or "",
                    release=form.release.data or "",
                    attempt_id=form.row_id,
                )
            ),
        ):
            flash(f"Attempt {made[0].number} recorded.")
            return _to(found.id)
    return page(
        "assurance/red_teams/attempt.html",
        status=form.status if request.method == "POST" else 200,
        form=form,
        row=found,
        scenarios=scenarios,
    )


@feature.route(
    "/red-teams/<uuid:red_team_id>/runs/new", methods=["GET", "POST"], needs=permissions.FIX
)
def link_run(red_team_id: UUID) -> ResponseReturnValue:
    """Count the cases of an imported run as attempts of a scenario."""
    found, form = queries.red_team(red_team_id), LinkRunForm()
    scenarios = {each.id: each for each in queries.scenarios((found.id,))}
    form.scenario_id.choices = [
        (each.id, f"{each.risk} {each.title}") for each in scenarios.values()
    ]
    form.run.choices = coverage.run_choices(found.system_id)

    def link() -> None:
        run_id, _, measure = (form.run.data or "").partition(" ")
        if (chosen := uuid_or_none(run_id)) is None:
            raise Invalid("Choose a run.", field="run")
        actions.link_run(found, scenarios[form.scenario_id.data], run_id=chosen, measure=measure)

    return form_page(
        "assurance/red_teams/link_run.html",
        form,
        link,
        done="The cases of the run count as attempts.",
        to=_page_of(found.id),
        row=found,
    )


# ---- the end


@feature.route(
    "/red-teams/<uuid:red_team_id>/finish", methods=["GET", "POST"], needs=permissions.PLAN
)
def finish(red_team_id: UUID) -> ResponseReturnValue:
    """Finish a red team with a summary."""
    found, form = queries.red_team(red_team_id), FinishForm()
    counts = queries.scenario_counts((found.id,))
    never = [each.title for each in queries.scenarios((found.id,)) if each.id not in counts]
    return _step_page(
        found,
        form,
        lambda: actions.finish(found, summary=form.summary.data or ""),
        done=f"{found.ref} finished. Its findings stay open until they are closed.",
        verb="Finish red team",
        title=f"Finish {found.ref}?",
        consequence="Nothing more is recorded in it. Its findings stay open.",
        warning=(f"{plural(len(never), 'scenario')} never tried.", ", ".join(never))
        if never
        else None,
        back_label="Cancel",
    )


@feature.route(
    "/red-teams/<uuid:red_team_id>/cancel", methods=["GET", "POST"], needs=permissions.PLAN
)
def cancel(red_team_id: UUID) -> ResponseReturnValue:
    """Cancel a red team in which nothing was tried."""
    found, form = queries.red_team(red_team_id), RedTeamReasonForm()
    return _step_page(
        found,
        form,
        lambda: actions.cancel(found, reason=form.reason.data or ""),
        done=f"{found.ref} was cancelled.",
        verb="Cancel red team",
        title=f"Cancel {found.ref}?",
        consequence="Nothing was tried. It stays in the list as cancelled.",
        warning=None,
        back_label="Keep as it is",
    )


def _step_page(
    found: RedTeam, form: Form, act: Callable[[], object], *, done: str, **context: Any
) -> ResponseReturnValue:
    to = _page_of(found.id)
    return form_page(
        STEP,
        form,
        act,
        done=done,
        to=to,
        **context,
        ref=found.ref,
        kicker=f"Red team {found.ref}",
    )
