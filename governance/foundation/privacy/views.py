"""The privacy page: erasures, unmasking, legal holds and retention, each with its own form."""

from typing import Any
from uuid import UUID

from flask import flash, g, redirect, request, url_for

from governance.foundation.approvals.models import Approval
from governance.foundation.approvals.queries import latest
from governance.foundation.people import queries as people
from governance.foundation.people.models import ERASED, Membership
from governance.foundation.privacy import (
    erasure_actions,
    legal_hold_actions,
    permissions,
    person_erasure,
    queries,
    retention_actions,
    unmasking_actions,
)
from governance.foundation.privacy.forms import (
    ErasureRequestForm,
    LegalHoldForm,
    LegalHoldReleaseForm,
    LogRetentionForm,
    UnmaskingRequestForm,
)
from governance.kernel import current
from governance.kernel.data.db import transaction
from governance.kernel.errors import NotFound
from governance.kernel.pages import work_pages
from governance.kernel.pages.rendering import page
from governance.kernel.web.feature import Feature
from governance.kernel.web.forms import accepted, counted, uuid_or_none
from governance.kernel.web.responses import ResponseReturnValue
from governance.kernel.web.step_up import StepUp
from governance.kernel.work.background_work import run_of

feature = Feature("privacy", __name__)


def remember_unmasked(response: Any) -> Any:
    """Record the first view of a name after the request's own transaction (a GET may not write).

    If it can't be recorded, the name isn't shown.
    """
    subjects = queries.shown.get()
    queries.shown.set(frozenset())
    who = g.get("actor")
    if subjects and who is not None:
        with current.acting_as(who), transaction():
            unmasking_actions.record_viewed_names(subjects)
    return response


@feature.get("/privacy/", needs=permissions.VIEW)
def index() -> ResponseReturnValue:
    return _index()


def _index(*, problem: str | None = None, status: int = 200) -> ResponseReturnValue:
    erasures, unmaskings, holds = queries.erasures(), queries.unmaskings(), queries.holds()
    known = {
        m.pseudonym: m.person.name
        for m in people.by_pseudonyms(
            [*(e.subject for e in erasures), *(h.subject for h in holds if h.subject)]
        )
    }
    approvals = latest(queries.ERASURE, [e.id for e in erasures])
    acted = [
        *(e.requested_by for e in erasures),
        *(a.closed_by for a in approvals.values()),
        *(u.requested_by for u, _ in unmaskings),
        *(h.placed_by for h in holds),
    ]
    return page(
        "foundation/privacy/index.html",
        status=status,
        erasures=erasures,
        approvals=approvals,
        unmaskings=unmaskings,
        holds=holds,
        known=known,
        names=people.names(acted),
        months=queries.months_kept(),
        waiting=queries.waiting(),
        me=current.person_id(),
        problem=problem,
    )


# ---- erasing a person


@feature.route("/privacy/erasures/new", methods=["GET", "POST"], needs=permissions.ERASE)
def ask_erasure() -> ResponseReturnValue:
    """Ask for the person first, then show what would be removed and stay, with the reason."""
    form = ErasureRequestForm(member=uuid_or_none(request.args.get("member")))
    member = _somebody(form.member.data) if isinstance(form.member.data, UUID) else None
    if request.method == "POST" and form.validate() and member is not None:
        if sentence := legal_hold_actions.record_hold_conflict(
            member, member.pseudonym, step="requested"
        ):
            form.refuse(legal_hold_actions.UnderLegalHold(sentence))
        elif accepted(
            form, lambda: erasure_actions.request_erasure(member, form.reason.data or "")
        ):
            asked = queries.open_erasure(member.pseudonym)
            return redirect(url_for("privacy.erasure", erasure_id=asked.id if asked else None), 303)
    preview = person_erasure.preview(member) if member else None
    status = form.status if request.method == "POST" else 200
    return page(
        "foundation/privacy/ask_erasure.html",
        form=form,
        member=member,
        preview=preview,
        status=status,
    )


@feature.get("/privacy/erasures/<uuid:erasure_id>", needs=permissions.ERASE)
def erasure(erasure_id: UUID) -> ResponseReturnValue:
    """Show the result of an erasure; redirect to its approval while nobody has decided."""
    found = queries.erasure(erasure_id)
    approval = latest(queries.ERASURE, [found.id]).get(found.id)
    if found.state == "requested" and approval is not None:
        return redirect(url_for("approvals.approval", approval_id=approval.id), 303)
    member = people.by_pseudonym(found.subject) if found.state == "approved" else None
    return page(
        "foundation/privacy/erasure.html",
        erasure=found,
        approval=approval,
        member=member,
        preview=person_erasure.preview(member) if member else None,
        holds=queries.active_holds(found.subject) if member else (),
        names=people.names([found.requested_by, approval.closed_by if approval else None]),
        progress=work_pages.shown(run_of(found)) if found.state == "approved" else None,
        moments=people.timeline([found.id, *([approval.id] if approval else [])]),
    )


def _erased(erasure_id: UUID) -> list[tuple[str, str]]:
    member = people.by_pseudonym(queries.erasure(erasure_id).subject)
    return [("Person", member.person.name)] if member else []


RETRY = StepUp(
    "Retry erasure",
    facts=_erased,
    danger="This person's data is deleted permanently. It can't be restored.",
)
work_pages.add_routes(
    feature,
    erasure_actions.ERASING,
    "/privacy/erasures/<uuid:erasure_id>",
    lambda erasure_id: run_of(queries.erasure(erasure_id, lock=True)),
    step_up=RETRY,
)


def _somebody(membership_id: UUID) -> Membership:
    found = people.any_membership(membership_id)
    if found is None or found.via == ERASED:
        raise NotFound("This person isn't in this tenant.")
    return found


# ---- who a pseudonym is


@feature.route("/privacy/unmaskings/new", methods=["GET", "POST"], needs=permissions.UNMASK)
def ask_unmask() -> ResponseReturnValue:
    form = UnmaskingRequestForm(subject=request.args.get("subject", "")[:64])
    made: list[Approval] = []
    if request.method == "POST" and accepted(
        form,
        lambda: made.append(
            unmasking_actions.request_unmasking(form.subject.data or "", form.reason.data or "")
        ),
    ):
        flash("Request sent. Another person decides.")
        return redirect(url_for("approvals.approval", approval_id=made[0].id), 303)
    return page(
        "foundation/privacy/ask_unmask.html",
        form=form,
        status=form.status if request.method == "POST" else 200,
    )


@feature.post("/privacy/unmaskings/<uuid:unmasking_id>/end", needs=permissions.UNMASK)
def end_unmasking(unmasking_id: UUID) -> ResponseReturnValue:
    unmasking_actions.end_unmasking(queries.unmasking(unmasking_id, lock=True))
    flash("You no longer see this name.")
    return redirect(url_for("privacy.index"), 303)


# ---- legal holds and retention


def _on_hold(hold_id: UUID) -> list[tuple[str, str]]:
    held = queries.hold(hold_id)
    member = people.by_pseudonym(held.subject) if held.subject else None
    return [
        ("Covers", member.person.name if member else "Everyone in this tenant"),
        ("Reason for the hold", held.reason),
    ]


PLACE = StepUp("Place legal hold", LegalHoldForm)
RELEASE = StepUp(
    "Release legal hold",
    LegalHoldReleaseForm,
    facts=_on_hold,
    danger="Erasure and retention apply to the people it covers again.",
)
RETAIN = StepUp("Save retention", LogRetentionForm)


@feature.route("/privacy/holds/new", methods=["GET", "POST"], needs=permissions.HOLD, fresh=PLACE)
def hold() -> ResponseReturnValue:
    form = LegalHoldForm(member=uuid_or_none(request.args.get("member")))
    if request.method == "POST" and accepted(
        form,
        lambda: legal_hold_actions.place_hold(
            _somebody(form.member.data) if isinstance(form.member.data, UUID) else None,
            form.reason.data or "",
        ),
    ):
        flash("Legal hold placed.")
        return redirect(url_for("privacy.index"), 303)
    return page(
        "foundation/privacy/hold.html",
        form=form,
        status=form.status if request.method == "POST" else 200,
    )


@feature.route(
    "/privacy/holds/<uuid:hold_id>/release",
    methods=["GET", "POST"],
    needs=permissions.HOLD,
    fresh=RELEASE,
)
def release(hold_id: UUID) -> ResponseReturnValue:
    held, form = queries.hold(hold_id, lock=request.method == "POST"), LegalHoldReleaseForm()
    if request.method == "POST" and accepted(
        form, lambda: legal_hold_actions.release_hold(held, form.reason.data or "")
    ):
        flash("Legal hold released.")
        return redirect(url_for("privacy.index"), 303)
    whom = people.by_pseudonym(held.subject) if held.subject else None
    return page(
        "foundation/privacy/release.html",
        form=form,
        held=held,
        whom=whom,
        names=people.names([held.placed_by]),
        status=form.status if request.method == "POST" else 200,
    )


@feature.route(
    "/privacy/retention", methods=["GET", "POST"], needs=permissions.RETAIN, fresh=RETAIN
)
def retention() -> ResponseReturnValue:
    rule = queries.retention()
    form = LogRetentionForm(months=queries.months_kept(), version=rule.version if rule else 0)
    if request.method == "POST" and accepted(
        form,
        lambda: retention_actions.set_retention(
            form.months.data or 0, version=counted(form.version.data)
        ),
    ):
        flash("Retention saved. It applies from tonight.")
        return redirect(url_for("privacy.index"), 303)
    if form.stale:
        form.version.data = str(rule.version if rule else 0)
    return page(
        "foundation/privacy/retention.html",
        form=form,
        months=queries.months_kept(),
        held=any(h.subject is None for h in queries.all_active_holds()),
        status=form.status if request.method == "POST" else 200,
    )
