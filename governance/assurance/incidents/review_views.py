"""Pages to review and close an incident, and for its actions."""

from uuid import UUID

from flask import flash, redirect, request, url_for

from governance.assurance.incidents import (
    permissions,
    queries,
    review_actions,
    review_evidence,
    review_queries,
)
from governance.assurance.incidents.forms import FollowUpAssignmentForm, FollowUpForm, ReviewForm
from governance.assurance.incidents.models import FollowUp, Incident
from governance.assurance.incidents.views import feature
from governance.foundation.people.aliases import shown_names
from governance.kernel import clock, current
from governance.kernel.pages.rendering import page
from governance.kernel.safety.access import why_not
from governance.kernel.safety.conditions import is_owner
from governance.kernel.web.forms import Form, accepted, counted
from governance.kernel.web.responses import ResponseReturnValue


@feature.get("/incidents/<uuid:incident_id>/review", needs=permissions.VIEW)
def review(incident_id: UUID) -> ResponseReturnValue:
    return _review(queries.incident(incident_id))


def _review(
    found: Incident,
    *,
    form: ReviewForm | None = None,
    follow_up: Form | None = None,
    status: int = 200,
) -> ResponseReturnValue:
    written, actions = queries.review(found.id), queries.follow_ups(found.id)
    if form is None:
        form = ReviewForm(obj=written)
        form.version.data = str(written.version if written else 0)
        if written is None:
            form.happened.data = found.summary
    return page(
        "assurance/incidents/review.html",
        incident=found,
        review=written,
        parts=review_actions.PART_NAMES,
        form=form,
        follow_ups=actions,
        follow_up_form=follow_up or FollowUpForm(),
        names=shown_names(
            [*(each.owner_id for each in actions), written.closed_by if written else None]
        ),
        problems=review_actions.why_not_close(found) if found.state != "closed" else [],
        evidence=review_queries.evidence_of(written) if written else None,
        controls=review_evidence.supported_controls(),
        can_manage=why_not(permissions.MANAGE, on=found) is None,
        own_follow_ups={each.id for each in actions if is_owner(current.actor(), each)},
        today=clock.today(),
        status=status,
    )


@feature.post("/incidents/<uuid:incident_id>/review", needs=permissions.MANAGE)
def edit_review(incident_id: UUID) -> ResponseReturnValue:
    found, form = queries.incident(incident_id), ReviewForm()
    texts = {name: form[name].data or "" for name in review_actions.PARTS}
    if not accepted(
        form,
        lambda: review_actions.edit_review(found, version=counted(form.version.data), **texts),
    ):
        if form.stale:
            there = queries.review(found.id)
            form.version.data = str(there.version if there else 0)
        return _review(found, form=form, status=form.status)
    flash("The review is saved.")
    return redirect(url_for("incidents.review", incident_id=incident_id), 303)


@feature.post("/incidents/<uuid:incident_id>/close", needs=permissions.CLOSE)
def close(incident_id: UUID) -> ResponseReturnValue:
    found = queries.incident(incident_id, lock=True)
    review_actions.close(found)
    flash(f"{found.ref} is closed. Its review becomes evidence within a minute.")
    return redirect(url_for("incidents.incident", incident_id=incident_id), 303)


@feature.post("/incidents/<uuid:incident_id>/actions", needs=permissions.MANAGE)
def add_follow_up(incident_id: UUID) -> ResponseReturnValue:
    found, form = queries.incident(incident_id), FollowUpForm()
    made = list[FollowUp]()
    if not accepted(form, lambda: made.append(_add(found, form))):
        return _review(found, follow_up=form, status=form.status)
    flash("The action is in its owner's inbox until it is done.")
    return redirect(url_for("incidents.review", incident_id=incident_id) + "#actions", 303)


def _add(found: Incident, form: FollowUpForm) -> FollowUp:
    assert form.due_on.data is not None
    return review_actions.add_follow_up(
        found,
        form.title.data or "",
        owner_id=form.owner_id.data,
        due_on=form.due_on.data,
    )


@feature.route(
    "/incidents/<uuid:incident_id>/actions/<uuid:follow_up_id>/edit",
    methods=["GET", "POST"],
    needs=permissions.MANAGE,
)
def edit_follow_up(incident_id: UUID, follow_up_id: UUID) -> ResponseReturnValue:
    """Change an open action's owner or due date."""
    found = queries.incident(incident_id)
    is_sent = request.method == "POST"
    open_action = review_actions.follow_up_of(found, follow_up_id, lock=is_sent)
    form = FollowUpAssignmentForm(obj=open_action)
    if is_sent and accepted(form, lambda: _assign(found, open_action, form)):
        flash("The action is saved. It is in its owner's inbox until it is done.")
        return redirect(url_for("incidents.review", incident_id=incident_id) + "#actions", 303)
    return page(
        "assurance/incidents/follow_up.html",
        incident=found,
        follow_up=open_action,
        form=form,
        status=form.status if is_sent else 200,
    )


def _assign(found: Incident, open_action: FollowUp, form: FollowUpAssignmentForm) -> None:
    assert form.due_on.data is not None
    review_actions.assign_follow_up(
        found, open_action, owner_id=form.owner_id.data, due_on=form.due_on.data
    )


@feature.post(
    "/incidents/<uuid:incident_id>/actions/<uuid:follow_up_id>/done", needs=permissions.NOTE
)
def complete_follow_up(incident_id: UUID, follow_up_id: UUID) -> ResponseReturnValue:
    found = queries.incident(incident_id)
    done = review_actions.follow_up_of(found, follow_up_id)
    review_actions.complete(found, done, outcome=request.form.get("outcome", ""))
    flash("The action is done.")
    return redirect(url_for("incidents.incident", incident_id=incident_id) + "#actions", 303)
