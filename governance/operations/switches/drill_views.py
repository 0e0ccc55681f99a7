"""Pages of drills: planning one, its progress and result, canceling one."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import flash, redirect, request, url_for

from governance.foundation.approvals.queries import is_open, open_approval
from governance.foundation.people import queries as people
from governance.foundation.people.queries import Moment
from governance.kernel import clock, formatting
from governance.kernel.errors import Invalid
from governance.kernel.pages.rendering import page
from governance.kernel.web.feature import Feature
from governance.kernel.web.forms import accepted, instant_of
from governance.kernel.web.responses import ResponseReturnValue
from governance.kernel.web.step_up import StepUp
from governance.operations.switches import drill_actions, permissions, queries
from governance.operations.switches.forms import WHOLE, DrillCancelForm, DrillForm
from governance.operations.switches.models import Drill
from governance.operations.switches.stop_summary import moment, names_shown, summary
from governance.operations.switches.views import chosen_feature
from governance.operations.systems import queries as systems
from governance.operations.systems.models import AISystem

feature = Feature("drills", __name__)


# ---- planning


def _drill_form(system_key: str) -> DrillForm:
    found = systems.system(system_key)
    ahead = timedelta(days=1) if found.lane == "high_risk" else timedelta(minutes=5)
    default = (
        (clock.now() + ahead)
        .astimezone(formatting.zone())
        .replace(tzinfo=None, second=0, microsecond=0)
    )
    form = DrillForm(due_at=default)
    scopes = [
        *((str(f.id), f.key) for f in systems.features(found.id)),
        (WHOLE, f"All of {found.key}"),
    ]
    form.what.choices = scopes
    if form.what.data is None:
        form.what.data = (
            request.args.get("what") if request.args.get("what") in dict(scopes) else scopes[0][0]
        )
    return form


PLAN_DRILL = StepUp(
    "Plan drill",
    _drill_form,
    facts=lambda system_key: [("AI system", systems.system(system_key).name)],
)


@feature.route(
    "/systems/<system_key>/drills/new",
    methods=["GET", "POST"],
    needs=permissions.DRILL,
    fresh=PLAN_DRILL,
)
def plan(system_key: str) -> ResponseReturnValue:
    found, form = systems.system(system_key), _drill_form(system_key)
    made: list[Drill] = []
    if request.method == "POST" and accepted(form, lambda: made.append(_plan(found, form))):
        return _planned(made[0])
    return page(
        "operations/switches/plan.html",
        status=form.status if request.method == "POST" else 200,
        form=form,
        system=found,
        second=found.lane == "high_risk",
    )


def _plan(found: AISystem, form: DrillForm) -> Drill:
    due = instant_of(form.due_at.data)
    if due is None:
        raise Invalid("Choose a start time.", field="due_at")
    return drill_actions.plan(
        found,
        chosen_feature(found, form.what.data),
        due_at=due,
        seconds=form.seconds.data or 0,
        repeat_days=form.repeat_days.data,
        reason=form.reason.data or "",
    )


def _planned(made: Drill) -> ResponseReturnValue:
    """Redirect to the approval of the drill, if it needs one."""
    requested = open_approval(queries.DRILL, made.id)
    if requested is not None:
        flash("Drill requested. Another person decides.")
        return redirect(url_for("approvals.approval", approval_id=requested.id), 303)
    flash("Drill planned.")
    return redirect(url_for("drills.drill", drill_id=made.id), 303)


# ---- one drill


@feature.get("/switches/drills/<uuid:drill_id>", needs=permissions.VIEW)
def drill(drill_id: UUID) -> ResponseReturnValue:
    return _drill(queries.drill(drill_id), DrillCancelForm())


def _drill(found: Drill, form: DrillCancelForm, *, status: int = 200) -> ResponseReturnValue:
    drill_stop, scope = queries.stop_of_drill(found.id), queries.scope_of(found)
    requested = open_approval(queries.DRILL, found.id) if found.state == "requested" else None
    return page(
        "operations/switches/drill.html",
        status=status,
        drill=found,
        form=form,
        system=scope[0],
        scope=queries.name_of(*scope),
        names=names_shown(found.planned_by, found.approved_by),
        requested=requested if requested and is_open(requested) else None,
        title=_drill_title(found, queries.name_of(*scope)),
        **summary(
            drill_stop,
            queries.obediences([drill_stop])[drill_stop.id] if drill_stop else None,
        ),
        moments=[_moment(each) for each in people.timeline([found.id])],
    )


def _drill_title(found: Drill, of: str) -> str:
    if found.state == "failed":
        return f"Drill of {of} failed: {found.found.get('why', '') or 'not every consumer obeyed'}"
    states = {
        "passed": "passed",
        "requested": "awaits approval",
        "planned": "is planned",
        "running": "is running",
    }
    return f"Drill of {of} {states.get(found.state, 'was cancelled')}"


def _moment(each: Moment) -> dict[str, Any]:
    kind = {
        "switch.drill.passed": "ok",
        "switch.drill.failed": "bad",
        "switch.drill.started": "stop",
    }.get(each.action, "dot")
    return {"kind": kind, "text": f"{each.who} {each.says}", "meta": each.reason, "at": each.at}


def _drilled(drill_id: UUID) -> list[tuple[str, str]]:
    found = queries.drill(drill_id)
    return [
        ("Drill of", queries.name_of(*queries.scope_of(found))),
        ("Starts", moment(found.due_at)),
    ]


CANCEL = StepUp("Cancel drill", DrillCancelForm, facts=_drilled)


@feature.post("/switches/drills/<uuid:drill_id>/cancel", needs=permissions.DRILL, fresh=CANCEL)
def cancel(drill_id: UUID) -> ResponseReturnValue:
    found, form = queries.drill(drill_id), DrillCancelForm()
    if not accepted(form, lambda: drill_actions.cancel(found, reason=form.reason.data or "")):
        return _drill(found, form, status=form.status)
    flash("Drill cancelled.")
    return redirect(url_for("drills.drill", drill_id=found.id), 303)
