"""Pages of rollouts: the list, one of them, planning, its steps, and a system's rollouts."""

from typing import Any
from uuid import UUID

from flask import flash, redirect, request, url_for

from governance.foundation.approvals import queries as approvals
from governance.foundation.approvals.models import Approval
from governance.foundation.people import queries as people
from governance.foundation.people.owners import owner_choices
from governance.kernel.data.ids import uuid7
from governance.kernel.errors import Invalid
from governance.kernel.pages.rendering import page
from governance.kernel.web.feature import Feature
from governance.kernel.web.forms import accepted, uuid_or_none
from governance.kernel.web.responses import ResponseReturnValue
from governance.operations.gates.gates import VERDICTS
from governance.operations.rollouts import actions, permissions, queries, rollout_page
from governance.operations.rollouts.forms import (
    RollbackPlanForm,
    RolloutForm,
    RolloutStepForm,
    RolloutStopForm,
)
from governance.operations.rollouts.life_cycle import PAST
from governance.operations.rollouts.models import CHANGES, Rollout
from governance.operations.rollouts.rollout_list import ROLLOUTS
from governance.operations.rollouts.status import status_of
from governance.operations.rollouts.system_parts import KINDS
from governance.operations.systems import queries as systems

feature = Feature("rollouts", __name__)
MAX_MOMENTS = 200  # Reasons shown with the steps
VERBS = {
    "start": "Start rollout",
    "promote": "Promote",
    "resume": "Resume",
    "finish": "Finish",
}


@feature.get("/rollouts/", needs=permissions.VIEW)
def index() -> ResponseReturnValue:
    asked = ROLLOUTS.read()
    found = queries.page_of(asked.criteria, sort=asked.sort, after=asked.after, size=ROLLOUTS.size)
    return page(
        "operations/rollouts/index.html",
        asked=asked,
        rows=found.rows,
        next=found.next,
        counts=queries.counts(),
        last=queries.last_steps([row[0].id for row in found.rows]),
        freezes=queries.freezes(),
        KINDS=KINDS,
        PAST=PAST,
    )


@feature.get("/systems/<system_key>/rollouts", needs=permissions.VIEW)
def of_system(system_key: str) -> ResponseReturnValue:
    """Show the rollouts of one AI system, newest first."""
    system = systems.system(system_key)
    rows = queries.rollouts_of(system.id)
    return page(
        "operations/rollouts/of_system.html",
        system=system,
        owner=people.names([system.owner_id]).get(system.owner_id) if system.owner_id else None,
        rows=rows,
        last=queries.last_steps([row[0].id for row in rows]),
        KINDS=KINDS,
        PAST=PAST,
    )


# ---- planning


@feature.route("/rollouts/new", methods=["GET", "POST"], needs=permissions.PLAN)
def new() -> ResponseReturnValue:
    form = RolloutForm(once=str(uuid7()))
    made: list[Rollout] = []
    if request.method == "POST":
        if form.rollout_id is not None and queries.exists(form.rollout_id):
            return _to(form.rollout_id)
        if accepted(
            form,
            lambda: made.append(actions.plan(form.draft(), rollout_id=form.rollout_id)),
        ):
            flash(f"{made[0].ref} planned. It serves nobody until it is started.")
            return _to(made[0].id)
    status = form.status if request.method == "POST" else 200
    return page("operations/rollouts/new.html", status=status, form=form)


def _to(rollout_id: UUID) -> ResponseReturnValue:
    return redirect(url_for("rollouts.rollout", rollout_id=rollout_id), 303)


@feature.route("/rollouts/<uuid:rollout_id>/plan", methods=["GET", "POST"], needs=permissions.PLAN)
def rollback_plan(rollout_id: UUID) -> ResponseReturnValue:
    """Write the rollback plan."""
    found = queries.rollout(rollout_id)
    form = RollbackPlanForm(
        rollback_plan=found.rollback_plan, on_failure=found.on_failure, owner_id=found.owner_id
    )
    form.owner_id.offer(owner_choices(found.owner_id))

    def save() -> None:
        actions.write_rollback_plan(
            found,
            text=form.rollback_plan.data or "",
            on_failure=form.on_failure.data or "",
            owner_id=uuid_or_none(form.owner_id.data),
            seen=form.seen.data or "",
        )

    if request.method == "POST" and accepted(form, save):
        flash("The rollback plan was saved.")
        return _to(found.id)
    is_new = request.method == "GET" or form.stale
    return page(
        "operations/rollouts/rollback_plan.html",
        status=form.status if request.method == "POST" else 200,
        form=form,
        rollout=found,
        seen=str(found.revision) if is_new else form.seen.data,
    )


# ---- one rollout


@feature.get("/rollouts/<uuid:rollout_id>", needs=permissions.VIEW)
def rollout(rollout_id: UUID) -> ResponseReturnValue:
    found, system, feature = queries.with_about(rollout_id)
    beside = queries.around(found)
    at, steps, requested = status_of(found, (system, feature)), beside.steps, beside.request
    names = people.names(
        [
            found.owner_id,
            found.planned_by,
            *(each.taken_by for each in steps),
            *(each.requested_by for each in steps),
        ]
    )
    reasons = rollout_page.reasons_of(people.timeline([found.id], limit=MAX_MOMENTS), steps)
    earlier_title, earlier = rollout_page.counterfactual(found, beside.earlier)
    who_title, who = rollout_page.who_is_in(at)
    return page(
        "operations/rollouts/rollout.html",
        at=at,
        rollout=found,
        title=rollout_page.headline(at),
        kind=KINDS[found.state],
        ladder=rollout_page.ladder(at, steps),
        gates_title=rollout_page.gates_title(at),
        groups=rollout_page.grouped(at.results),
        VERDICTS=VERDICTS,
        CHANGES=CHANGES,
        next_title=rollout_page.next_title(at) if at.step else "",
        requirements=list(rollout_page.requirements(at)) if at.step else [],
        verb=VERBS.get(at.step or ""),
        requested=requested if requested and approvals.is_visible(requested) else None,
        who_title=who_title,
        who=who,
        names=names,
        last=steps[0] if steps else None,
        last_reason=reasons[0] if reasons else "",
        history=rollout_page.history(steps, found, names, reasons),
        earlier_title=earlier_title,
        earlier=earlier,
        plan_title=rollout_page.plan_title(found),
        charts=rollout_page.charts_of(at, steps),
        freezes=[each for each in beside.freezes if each.ends_at > at.now][:3],
    )


@feature.route(
    "/rollouts/<uuid:rollout_id>/advance", methods=["GET", "POST"], needs=permissions.ADVANCE
)
def advance(rollout_id: UUID) -> ResponseReturnValue:
    """Take the next step, or request it if that needs two people."""
    found, form = queries.rollout(rollout_id), RolloutStepForm()
    at = status_of(found)
    if request.method == "GET" and (requested := queries.open_request(found)) is not None:
        return _to_approval(requested)
    made: list[Approval] = []
    if request.method == "POST" and accepted(form, lambda: _advance(found, form, made)):
        if made:
            return _to_approval(made[0])
        flash(f"{found.ref} was {PAST[form.step.data or 'start']}.")
        return _to(found.id)
    return page(
        "operations/rollouts/advance.html",
        status=form.status if request.method == "POST" else 200,
        form=form,
        at=at,
        rollout=found,
        verb=VERBS.get(at.step or ""),
        requirements=list(rollout_page.requirements(at)) if at.step else [],
        results=at.results,
        VERDICTS=VERDICTS,
        seen=at.fingerprint,
    )


def _advance(found: Rollout, form: RolloutStepForm, made: list[Approval]) -> None:
    step, seen = form.step.data or "", form.seen.data or ""
    reason = form.reason.data or ""
    if step not in VERBS:
        raise Invalid("Choose a step of the rollout.")
    if queries.people_needed(found, queries.about(found)[0]) > 1:
        made.append(actions.request_step(found, step=step, seen=seen, reason=reason))
    else:
        actions.advance(found, step=step, seen=seen, reason=reason)


def _to_approval(requested: Approval) -> ResponseReturnValue:
    return redirect(url_for("approvals.approval", approval_id=requested.id), 303)


@feature.route("/rollouts/<uuid:rollout_id>/halt", methods=["GET", "POST"], needs=permissions.HALT)
def halt(rollout_id: UUID) -> ResponseReturnValue:
    return _stop(rollout_id, "halt")


@feature.route(
    "/rollouts/<uuid:rollout_id>/roll-back", methods=["GET", "POST"], needs=permissions.HALT
)
def roll_back(rollout_id: UUID) -> ResponseReturnValue:
    return _stop(rollout_id, "roll_back")


@feature.route(
    "/rollouts/<uuid:rollout_id>/cancel", methods=["GET", "POST"], needs=permissions.PLAN
)
def cancel(rollout_id: UUID) -> ResponseReturnValue:
    return _stop(rollout_id, "cancel")


STOPS: dict[str, Any] = {
    "halt": (
        actions.halt,
        "Halt",
        "Everybody gets the current release within a second. The rollout can be resumed later.",
    ),
    "roll_back": (
        actions.roll_back,
        "Roll back",
        (
            "Everybody gets the current release within a second. The rollout ends: to try the"
            " release again, plan a new one."
        ),
    ),
    "cancel": (
        actions.cancel,
        "Cancel rollout",
        "It was never started, so nothing changes for anybody.",
    ),
}


def _stop(rollout_id: UUID, step: str) -> ResponseReturnValue:
    found, form = queries.rollout(rollout_id), RolloutStopForm()
    act, verb, consequence = STOPS[step]
    if request.method == "POST" and accepted(
        form, lambda: act(found, reason=form.reason.data or "")
    ):
        flash(f"{found.ref} was {PAST[step]}.")
        return _to(found.id)
    return page(
        "operations/rollouts/stop.html",
        status=form.status if request.method == "POST" else 200,
        form=form,
        rollout=found,
        step=step,
        verb=verb,
        consequence=consequence,
    )
