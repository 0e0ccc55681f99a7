"""The page of an approval (screen 23): decide on what you see, or follow your own request."""

from typing import Any
from uuid import UUID

from flask import current_app, flash, g, redirect, request, url_for

from governance.foundation.approvals import (
    actions,
    discussion,
    kinds,
    permissions,
    queries,
    reminder_actions,
)
from governance.foundation.approvals.forms import ApprovalCommentForm, ApprovalDecisionForm
from governance.foundation.approvals.models import Approval
from governance.foundation.people import queries as people
from governance.kernel import clock, current
from governance.kernel.data.db import find
from governance.kernel.errors import Invalid
from governance.kernel.pages.rendering import page
from governance.kernel.safety.access import ROLE_NAMES, who_may
from governance.kernel.web.feature import Feature, recently_signed_in
from governance.kernel.web.forms import accepted, submission, uuid_or_none
from governance.kernel.web.responses import ResponseReturnValue
from governance.kernel.web.step_up import STEP_UP_SECONDS, StepUp

feature = Feature("approvals", __name__)
DONE = {"reject": "Rejected. Nothing was changed.", "withdraw": "Withdrawn. Nothing was changed."}


@feature.get("/approvals/<uuid:approval_id>", needs=permissions.VIEW, urgent=True)
def approval(approval_id: UUID) -> ResponseReturnValue:
    return _page(queries.approval(approval_id), ApprovalDecisionForm())


def _page(
    found: Approval,
    form: ApprovalDecisionForm,
    *,
    comment: ApprovalCommentForm | None = None,
    status: int = 200,
) -> ResponseReturnValue:
    kind, is_open = kinds.named(found.kind), queries.is_open(found)
    is_own = str(current.person_id()) in found.requesters
    seen, given, comments = (
        kinds.fingerprint_seen(found),
        queries.given(found),
        discussion.comments(found),
    )
    approvers = queries.approvers(found) if is_open else []
    lapsed = queries.lapsed(found, given) if is_open else set()
    writers = [each.written_by for each in comments]
    names = people.names(
        [found.requested_by, found.closed_by, *(each.person_id for each in given), *writers]
    )
    if found.requested_by and (outsider := kinds.outside_requester(found)):
        names = {**names, found.requested_by: outsider}
    form.seen.data = seen
    described = kinds.describe(found)
    if described.back:
        g.section = described.back[1].partition(".")[
            0
        ]  # The navigation marks the area that the request is about.
    return page(
        "foundation/approvals/approval.html",
        status=status,
        a=found,
        d=described,
        label=kinds.label(found),
        form=form,
        is_open=is_open,
        is_own=is_own,
        is_expired=found.state == "open" and not is_open,
        is_known=kind is not None,
        is_edited=is_open and kind is not None and kinds.fingerprint(found) != found.fingerprint,
        seen=seen,
        names=names,
        given=given,
        lapsed=lapsed,
        approvers=approvers,
        who_may=who_may(kind.permission) if kind else "",
        why_not=queries.why_not(found) if is_open and not is_own else None,
        why_not_reject=queries.why_not_reject(found) if is_open and not is_own else None,
        own=kind.own if kind else "",
        blocked=kind.blocked(found) if is_open and kind else None,
        confirmation=kind.confirmation(found) if is_open and kind else "",
        minutes=_minutes_since_sign_in(),
        is_fresh=recently_signed_in(current.actor()),
        fresh_minutes=STEP_UP_SECONDS // 60,
        role=_role(found.requested_by),
        moments=_history(found),
        comments=comments,
        comment=comment or ApprovalCommentForm(),
    )


def _minutes_since_sign_in() -> int | None:
    since = current.actor().authenticated_at
    return None if since is None else int((clock.now() - since).total_seconds() // 60)


def _history(found: Approval) -> list[people.Moment]:
    """Return its entries and its target's, without the comments.

    If its kind records on another row, only the approval's steps are taken from there.
    """
    own, steps, elsewhere = (
        {found.id, found.target_id},
        kinds.step_names(found),
        kinds.recorded_on(found),
    )
    moments = people.timeline(
        [*own, *([elsewhere] if elsewhere else [])], without=[discussion.COMMENTED.name]
    )
    return [each for each in moments if each.target_id in own or each.action in steps]


def _role(person_id: UUID | None) -> str:
    role = people.role_of(person_id) if person_id else None
    return ROLE_NAMES[role].lower() if role else ""


def _facts(approval_id: UUID) -> list[tuple[str, str]]:
    """Return facts for the step-up page of a kept form."""
    found = queries.approval(approval_id)
    who = kinds.outside_requester(found) or (
        people.names([found.requested_by]).get(found.requested_by, "A former member")
        if found.requested_by
        else "Meridian"
    )
    description = kinds.describe(found)
    return [
        ("Request", f"{found.ref}: {description.title}"),
        ("Requested by", who),
        ("Effect", description.consequence or "Nothing else changes"),
    ]


def _needs_step_up() -> bool:
    """Return whether the approval requires step-up.

    The step-up page that shows a kept form has no approval in its address.
    """
    values: dict[str, Any] = request.view_args or {}
    found = (
        find(Approval, values["approval_id"], what="approval") if "approval_id" in values else None
    )
    return found is None or found.step_up


DECIDE = StepUp(
    {"approve": "Approve request", "reject": "Reject request", "withdraw": "Withdraw request"},
    ApprovalDecisionForm,
    facts=_facts,
    danger={"approve": "What was requested takes effect immediately."},
    when=_needs_step_up,
)


@feature.post("/approvals/<uuid:approval_id>", needs=permissions.DECIDE, fresh=DECIDE, urgent=True)
def decide(approval_id: UUID) -> ResponseReturnValue:
    found, form, results = queries.approval(approval_id), ApprovalDecisionForm(), list[object]()
    verb = form.verb.data or ""
    verbs = {
        "approve": lambda: results.append(
            actions.approve(
                found,
                seen=form.seen.data or "",
                typed=form.typed.data or "",
                reason=form.reason.data or "",
            )
        ),
        "reject": lambda: actions.reject(found, reason=form.reason.data or ""),
        "withdraw": lambda: actions.withdraw(found),
    }
    if verb not in verbs:
        raise Invalid("Choose approve, reject or withdraw.")
    if not accepted(form, verbs[verb]):
        actions.note_refusal(found, form.stale)
        return _page(found, form, status=form.status)
    kind = kinds.named(found.kind)
    if any(results) and kind is not None and kind.result_template:
        return page(kind.result_template, result=results[0])
    flash(DONE.get(verb) or _approved(found))
    return redirect(url_for("approvals.approval", approval_id=found.id), 303)


def _approved(found: Approval) -> str:
    if found.state == "approved":
        return "Approved. The request takes effect now."
    return "Approved. Another person has to approve it too."


@feature.post("/approvals/<uuid:approval_id>/reminders", needs=permissions.DECIDE)
def remind(approval_id: UUID) -> ResponseReturnValue:
    found, form = queries.approval(approval_id), ApprovalDecisionForm()
    approver_id = uuid_or_none(submission().fields.get("person"))
    if approver_id is None:
        raise Invalid("Choose one of the people who can approve this.")
    if not accepted(form, lambda: reminder_actions.remind(found, approver_id, link=_link(found))):
        return _page(found, form, status=form.status)
    flash("Reminder sent.")
    return redirect(url_for("approvals.approval", approval_id=found.id), 303)


@feature.post("/approvals/<uuid:approval_id>/comments", needs=permissions.DECIDE)
def comment(approval_id: UUID) -> ResponseReturnValue:
    found, form = queries.approval(approval_id), ApprovalCommentForm()
    if not accepted(form, lambda: discussion.comment(found, form.text.data or "")):
        return _page(found, ApprovalDecisionForm(), comment=form, status=form.status)
    return redirect(url_for("approvals.approval", approval_id=found.id, _anchor="discussion"), 303)


def _link(found: Approval) -> str:
    """Return the full address, for a mail."""
    return str(
        current_app.config["PUBLIC_URL"] + url_for("approvals.approval", approval_id=found.id)
    )
