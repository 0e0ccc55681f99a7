"""Pages of intake: the queue, one proposal, proposing, changing, classifying."""

from typing import Any
from uuid import UUID

from flask import flash, redirect, request, url_for

from governance.foundation.approvals import queries as approvals
from governance.foundation.people import queries as people
from governance.foundation.people.queries import Moment
from governance.kernel import clock
from governance.kernel.data.ids import uuid7
from governance.kernel.pages.rendering import page
from governance.kernel.safety.access import require
from governance.kernel.web.feature import Feature
from governance.kernel.web.forms import accepted, uuid_or_none
from governance.kernel.web.responses import ResponseReturnValue
from governance.operations.intake import (
    actions,
    duty_states,
    law,
    permissions,
    ports,
    queries,
    safeguards,
)
from governance.operations.intake.forms import ClassesForm, ProposalForm, SafeguardsForm
from governance.operations.intake.models import SystemProposal
from governance.operations.intake.proposal_list import PROPOSALS
from governance.operations.intake.questions import QUESTIONS, answer_words
from governance.operations.intake.triage import EU_CLASSES
from governance.operations.policies import queries as policies
from governance.operations.systems import queries as systems
from governance.operations.systems.models import EU_ROLES

feature = Feature("intake", __name__)


@feature.get("/intake/", needs=permissions.VIEW)
def index() -> ResponseReturnValue:
    asked = PROPOSALS.read()
    found = queries.page_of(asked.criteria, sort=asked.sort, after=asked.after, size=PROPOSALS.size)
    return page(
        "operations/intake/index.html",
        asked=asked,
        rows=found.rows,
        next=found.next,
        counts=queries.counts(),
        names=people.names(each.proposed_by for each in found.rows),
    )


@feature.get("/intake/<uuid:proposal_id>", needs=permissions.VIEW)
def proposal(proposal_id: UUID) -> ResponseReturnValue:
    found = queries.proposal(proposal_id)
    derived = queries.triage_of(found)
    tiers, requested = policies.current_policy(), queries.open_request(found)
    return page(
        "operations/intake/proposal.html",
        proposal=found,
        derived=derived,
        answers=[
            (question.label, _answer(found, key), key not in found.answers)
            for key, question in QUESTIONS.items()
            if key in found.answers or key in derived.open
        ],
        controls=ports.mapped_controls()([each.source for each in derived.requirements]),
        tier=tiers.platform.tiers.get(derived.tier),
        current_tier=tiers.tier,
        states=duty_states.states_of(derived.legal_duties),
        questions=duty_states.vendor_questions(derived.legal_duties, found.name),
        requested=requested if requested and approvals.is_visible(requested) else None,
        eu_names=EU_CLASSES,
        today=clock.today(),
        confirm=law.CONFIRM,
        unanswered=actions.unanswered(found),
        needs_safeguards=found.is_in_review and actions.needs_safeguards(found),
        shown=safeguards.shown_by(found.safeguards_run_id),
        blocked=actions.why_blocked(found) if found.is_in_review else None,
        system=systems.system(found.system_id) if found.system_id else None,
        role=EU_ROLES.get(found.role or ""),
        names=people.names([found.proposed_by, found.classed_by, found.decided_by]),
        history=[_moment(each) for each in people.timeline([found.id])],
    )


def _answer(found: SystemProposal, key: str) -> str:
    """Return an answer in words, with practices by the law that it was given under."""
    value = found.answers.get(key)
    if key == "practices" and found.is_under_former_law:
        practices = found.law.practices
        return ", ".join(practices[each].own_title for each in value or [] if each in practices)
    return answer_words(key, value)


def _moment(each: Moment) -> dict[str, Any]:
    kind = {actions.APPROVED.name: "ok", actions.REJECTED.name: "bad"}.get(each.action, "dot")
    return {"kind": kind, "text": f"{each.who} {each.says}", "meta": each.reason, "at": each.at}


@feature.route("/intake/new", methods=["GET", "POST"], needs=permissions.PROPOSE)
def new() -> ResponseReturnValue:
    form = ProposalForm(once=str(uuid7()))
    if request.method == "GET":
        return _form(form, None)
    if queries.exists(form.proposal_id):
        return redirect(url_for("intake.proposal", proposal_id=form.proposal_id), 303)
    made: list[SystemProposal] = []
    if not accepted(
        form, lambda: made.append(actions.propose(form.draft(), proposal_id=form.proposal_id))
    ):
        return _form(form, None, status=form.status)
    return _saved(made[0])


@feature.route("/intake/<uuid:proposal_id>/edit", methods=["GET", "POST"], needs=permissions.EDIT)
def edit(proposal_id: UUID) -> ResponseReturnValue:
    found = queries.proposal(proposal_id)
    form = ProposalForm.of(found)
    if request.method == "GET":
        return _form(form, found)
    if not accepted(form, lambda: actions.change(found, form.draft(), seen=form.revision)):
        return _form(form, found, status=form.status)
    return _saved(found)


def _form(
    form: ProposalForm, found: SystemProposal | None, *, status: int = 200
) -> ResponseReturnValue:
    seen = found.revision if found and (status == 200 or form.stale) else form.revision  # noqa: PLR2004
    return page("operations/intake/form.html", status=status, form=form, proposal=found, seen=seen)


def _saved(row: SystemProposal) -> ResponseReturnValue:
    if row.open_questions:
        flash(f"{row.ref} saved. A reviewer can decide once every question has an answer.")
    else:
        flash(f"{row.ref} saved. Another person decides whether it joins the register.")
    return redirect(url_for("intake.proposal", proposal_id=row.id), 303)


@feature.route(
    "/intake/<uuid:proposal_id>/classes", methods=["GET", "POST"], needs=permissions.CLASSIFY
)
def classes(proposal_id: UUID) -> ResponseReturnValue:
    found = queries.proposal(proposal_id)
    form = ClassesForm(eu_class=found.eu_class, risk_class=found.risk_class)

    def act() -> None:
        actions.classify(
            found,
            risk_class=form.risk_class.data or "",
            eu_class=form.eu_class.data or "",
            reason=form.reason.data or "",
            seen=form.revision,
        )

    if request.method == "POST" and accepted(form, act):
        flash(f"The classes of {found.ref} were saved.")
        return redirect(url_for("intake.proposal", proposal_id=found.id), 303)
    is_new = request.method == "GET" or form.stale
    return page(
        "operations/intake/classes.html",
        status=form.status if request.method == "POST" else 200,
        form=form,
        proposal=found,
        derived=queries.triage_of(found),
        eu_names=EU_CLASSES,
        seen=found.revision if is_new else form.revision,
    )


@feature.route(
    "/intake/<uuid:proposal_id>/safeguards", methods=["GET", "POST"], needs=permissions.EDIT
)
def show_safeguards(proposal_id: UUID) -> ResponseReturnValue:
    """Name an evaluation run as proof of its safeguards."""
    found, form = queries.proposal(proposal_id), SafeguardsForm()
    require(permissions.EDIT, on=found)
    offered = safeguards.qualifying_runs()
    form.safeguards_run.choices = [(str(each.run.id), each.words) for each in offered]

    def act() -> None:
        chosen = uuid_or_none(form.safeguards_run.data or "")
        actions.show_safeguards(found, chosen, seen=form.revision)

    if request.method == "POST" and accepted(form, act):
        flash(f"The run was added to {found.ref}. Another person decides about the proposal.")
        return redirect(url_for("intake.proposal", proposal_id=found.id), 303)
    is_new = request.method == "GET" or form.stale
    return page(
        "operations/intake/safeguards.html",
        status=form.status if request.method == "POST" else 200,
        form=form,
        proposal=found,
        offered=offered,
        is_asked=found.is_in_review and actions.asks_for_safeguards(found),
        seen=found.revision if is_new else form.revision,
    )
