"""Pages of requests: the lists, and one request with its evidence and comments."""

from collections.abc import Collection
from functools import partial
from typing import Any
from uuid import UUID

from flask import flash, redirect, request, url_for

from governance.assurance.engagements import permissions, queries
from governance.assurance.engagements.forms import (
    AssignRequestForm,
    AssignRequestsForm,
    AttachVersionForm,
    RequestCommentForm,
    RequestForm,
)
from governance.assurance.engagements.models import AuditRequest, Engagement
from governance.assurance.engagements.requests import actions as requesting
from governance.assurance.engagements.requests import attachment_queries, responses
from governance.assurance.engagements.requests import lists as request_list
from governance.assurance.engagements.requests import queries as request_queries
from governance.assurance.engagements.requests.lists import AWAITING_REQUESTS, REQUESTS
from governance.assurance.engagements.views import feature
from governance.assurance.evidence.history import timeline_entries
from governance.foundation.people import assigning, owners
from governance.foundation.people.aliases import shown_names
from governance.kernel import clock, current
from governance.kernel.files.downloads import FILE
from governance.kernel.pages.list_export import ROWS_PER_READ, csv_file, every_page
from governance.kernel.pages.list_pages import ListRequest
from governance.kernel.pages.rendering import page
from governance.kernel.pages.step_pages import Steps
from governance.kernel.pages.undo_pages import say_changed, undo_offer
from governance.kernel.safety.access import allowed
from governance.kernel.web.forms import Form, accepted, counted, uuid_or_none
from governance.kernel.web.responses import ResponseReturnValue
from governance.kernel.work.bulk import BulkItem

MAX_OFFERED_VERSIONS = 20


@feature.get("/engagements/requests", needs=permissions.VIEW)
def waiting() -> ResponseReturnValue:
    """Show the requests that await the reader, in all open engagements."""
    list_request = AWAITING_REQUESTS.read(choices={"engagement": _open_engagements()})
    found = request_queries.awaiting_requests(
        list_request.criteria,
        sort=list_request.sort,
        after=list_request.after,
        size=AWAITING_REQUESTS.size,
    )
    return page(
        "assurance/engagements/waiting.html",
        list_request=list_request,
        rows=found.rows,
        next=found.next,
        total=request_queries.count_awaiting_requests(),
        judges=allowed(permissions.JUDGE),
        manages=allowed(permissions.MANAGE),
    )


def _open_engagements() -> list[tuple[str, str]]:
    return [
        (e.ref, f"{e.ref} {e.firm}") for e in queries.engagements() if queries.phase_of(e) == "open"
    ]


@feature.get("/engagements/requests.csv", needs=permissions.VIEW, answers=FILE)
def export_waiting() -> ResponseReturnValue:
    """Export the filtered list."""
    list_request = AWAITING_REQUESTS.read()
    pages = every_page(
        lambda after: request_queries.awaiting_requests(
            list_request.criteria, sort=list_request.sort, after=after, size=ROWS_PER_READ
        )
    )
    return csv_file(
        f"requests-{clock.today()}",
        request_list.AWAITING_CSV_HEADER,
        map(request_list.awaiting_csv_cells, pages),
        list_request,
    )


@feature.get("/engagements/<uuid:engagement_id>/requests", needs=permissions.VIEW)
def requests(engagement_id: UUID) -> ResponseReturnValue:
    engagement, list_request = (
        queries.engagement(engagement_id),
        REQUESTS.read(place={"engagement_id": engagement_id}),
    )
    found = request_queries.requests(
        engagement.id,
        **list_request.criteria,
        sort=list_request.sort,
        after=list_request.after,
        size=REQUESTS.size,
    )
    return page(
        "assurance/engagements/requests.html",
        engagement=engagement,
        list_request=list_request,
        rows=found.rows,
        next=found.next,
        counts=request_queries.request_counts([engagement.id])[engagement.id],
        owners=shown_names(r.owner_id for r in found.rows),
        phase=queries.phase_of(engagement),
        assignees=_assignees(engagement, list_request),
    )


def _assignees(engagement: Engagement, list_request: ListRequest) -> owners.Choices:
    """Return the owners that bulk assignment offers. Empty if the reader can't assign requests."""
    if not list_request.may_select or queries.phase_of(engagement) == "over":
        return []
    return owners.assignee_choices("Keep each owner")


@feature.get("/engagements/<uuid:engagement_id>/requests.csv", needs=permissions.VIEW, answers=FILE)
def export(engagement_id: UUID) -> ResponseReturnValue:
    """Export the filtered list."""
    engagement, list_request = (
        queries.engagement(engagement_id),
        REQUESTS.read(place={"engagement_id": engagement_id}),
    )
    pages = every_page(
        lambda after: request_queries.requests(
            engagement.id,
            **list_request.criteria,
            sort=list_request.sort,
            after=after,
            size=ROWS_PER_READ,
        )
    )
    return csv_file(
        f"requests-{engagement.ref}-{clock.today()}",
        request_list.CSV_HEADER,
        map(request_list.csv_cells, pages),
        list_request,
    )


@feature.get("/engagements/<uuid:engagement_id>/requests/new", needs=permissions.ASK)
def asking(engagement_id: UUID) -> ResponseReturnValue:
    return page(
        "assurance/engagements/ask.html",
        engagement=queries.engagement(engagement_id),
        form=RequestForm(),
    )


@feature.post("/engagements/<uuid:engagement_id>/requests/new", needs=permissions.ASK)
def ask(engagement_id: UUID) -> ResponseReturnValue:
    engagement, form, made = queries.engagement(engagement_id), RequestForm(), []

    def act() -> None:
        made.append(
            requesting.add_request(
                engagement,
                title=form.title.data or "",
                detail=form.detail.data or "",
                criteria=(form.criteria.data or "").split(","),
                due_on=form.due_on.data,
                owner_id=form.owner_id.data or None,
                ref=form.ref.data or "",
            )
        )

    if not accepted(form, act):
        return page(
            "assurance/engagements/ask.html", engagement=engagement, form=form, status=form.status
        )
    return redirect(
        url_for("engagements.one_request", engagement_id=engagement.id, request_id=made[0].id), 303
    )


@feature.get("/engagements/<uuid:engagement_id>/requests/<uuid:request_id>", needs=permissions.VIEW)
def one_request(engagement_id: UUID, request_id: UUID) -> ResponseReturnValue:
    return _request_page(*request_queries.request(engagement_id, request_id))


def _request_page(
    engagement: Engagement,
    audit_request: AuditRequest,
    *,
    say: Form | None = None,
    attach: Form | None = None,
    assign: Form | None = None,
    status: int = 200,
) -> ResponseReturnValue:
    thread = request_queries.thread(audit_request.id, after=request.args.get("before"))
    may_answer = _may_answer(engagement, audit_request)
    return page(
        "assurance/engagements/request.html",
        status=status,
        engagement=engagement,
        r=audit_request,
        thread=thread.rows,
        earlier=thread.next,
        attached=attachment_queries.attached([audit_request.id]),
        who=shown_names(
            [
                audit_request.owner_id,
                audit_request.requested_by,
                *(remark.written_by for remark in thread.rows),
            ]
        ),
        say=say or RequestCommentForm(),
        attach=attach or (_attach_form(engagement) if may_answer else None),
        phase=queries.phase_of(engagement),
        steps=_steps(audit_request),
        may_answer=may_answer,
        find=_search_words(),
        assign=assign or _assign_form(audit_request),
        may_judge=allowed(permissions.JUDGE) and audit_request.state == "provided",
        timeline=timeline_entries(
            [audit_request.id],
            without=(
                request_queries.HIDDEN_FROM_AUDITORS if current.actor().role == "auditor" else ()
            ),
        ),
    )


def _steps(audit_request: AuditRequest) -> Steps:
    found = request_queries.neighbours(audit_request)

    def address(request_id: UUID | None) -> str | None:
        if request_id is None:
            return None
        return url_for(
            "engagements.one_request",
            engagement_id=audit_request.engagement_id,
            request_id=request_id,
        )

    return Steps(
        noun="request",
        number=found.number,
        total=found.total,
        previous=address(found.previous),
        next=address(found.next),
        left=found.left,
        left_word="awaiting you",
        open=address(found.awaiting),
        open_label="Next request that awaits you",
    )


def _assign_form(audit_request: AuditRequest) -> AssignRequestForm:
    form = AssignRequestForm(owner_id=audit_request.owner_id, due_on=audit_request.due_on)
    form.owner_id.offer(owners.owner_choices(audit_request.owner_id))
    return form


def _attach_form(engagement: Engagement) -> AttachVersionForm:
    form = AttachVersionForm()
    found = attachment_queries.version_choices(
        engagement, _search_words(), limit=MAX_OFFERED_VERSIONS + 1
    )
    form.version_id.choices = [("", "Choose a version…"), *found[:MAX_OFFERED_VERSIONS]]
    form.version_id.description = _choices_help(len(found))
    return form


def _search_words() -> str:
    """Return the search for evidence versions. The forms of the page keep it."""
    return request.values.get("find", "").strip()[:200]


def _choices_help(count: int) -> str:
    if not count:
        return (
            "No versions match your search. Try another ref or title."
            if _search_words()
            else "No version in scope covers the period. Search for another by ref or title."
        )
    return (
        f"Shows the {MAX_OFFERED_VERSIONS} newest versions. Search by ref or title to find others."
        if count > MAX_OFFERED_VERSIONS
        else "Search by ref or title to find others."
    )


def _may_answer(engagement: Engagement, audit_request: AuditRequest) -> bool:
    return (
        allowed(permissions.PROVIDE, on=audit_request)
        and audit_request.state in {"open", "returned"}
        and queries.phase_of(engagement) != "over"
    )


@feature.post(
    "/engagements/<uuid:engagement_id>/requests/<uuid:request_id>/say", needs=permissions.SAY
)
def say(engagement_id: UUID, request_id: UUID) -> ResponseReturnValue:
    """Add a comment that doesn't change the state of the request."""
    return _change_state(
        engagement_id,
        request_id,
        lambda engagement, audit_request, text, _seen: responses.add_comment(
            engagement, audit_request, text
        ),
        done="",
    )


@feature.post(
    "/engagements/<uuid:engagement_id>/requests/<uuid:request_id>/provide",
    needs=permissions.PROVIDE,
)
def provide(engagement_id: UUID, request_id: UUID) -> ResponseReturnValue:
    return _change_state(
        engagement_id,
        request_id,
        lambda engagement, audit_request, text, seen: responses.provide_response(
            engagement, audit_request, said=text, seen=seen
        ),
        done="Response to {ref} provided.",
    )


@feature.post(
    "/engagements/<uuid:engagement_id>/requests/<uuid:request_id>/accept", needs=permissions.JUDGE
)
def accept(engagement_id: UUID, request_id: UUID) -> ResponseReturnValue:
    return _change_state(
        engagement_id,
        request_id,
        lambda engagement, audit_request, text, seen: responses.accept_response(
            engagement, audit_request, said=text, seen=seen
        ),
        done="Response to {ref} accepted.",
    )


@feature.post(
    "/engagements/<uuid:engagement_id>/requests/<uuid:request_id>/return", needs=permissions.JUDGE
)
def give_back(engagement_id: UUID, request_id: UUID) -> ResponseReturnValue:
    return _change_state(
        engagement_id,
        request_id,
        lambda engagement, audit_request, text, seen: responses.return_response(
            engagement, audit_request, reason=text, seen=seen
        ),
        done="Response to {ref} returned.",
    )


def _change_state(
    engagement_id: UUID, request_id: UUID, act: Any, *, done: str
) -> ResponseReturnValue:
    """Run `act` on the request. With a `done` message, continue to the next awaiting request."""
    (engagement, audit_request), form = (
        request_queries.request(engagement_id, request_id, lock=True),
        RequestCommentForm(),
    )
    if not accepted(
        form,
        lambda: act(engagement, audit_request, form.text.data or "", counted(form.version.data)),
    ):
        return _request_page(engagement, audit_request, say=form, status=form.status)
    itself = url_for(
        "engagements.one_request", engagement_id=engagement.id, request_id=audit_request.id
    )
    if not done:
        return redirect(itself, 303)
    following = _steps(audit_request).open
    flash(done.format(ref=audit_request.ref) + ("" if following else " No other awaits you here."))
    return redirect(following or itself, 303)


@feature.post(
    "/engagements/<uuid:engagement_id>/requests/<uuid:request_id>/owner", needs=permissions.MANAGE
)
def assign(engagement_id: UUID, request_id: UUID) -> ResponseReturnValue:
    engagement, audit_request = request_queries.request(engagement_id, request_id, lock=True)
    form = _assign_form(audit_request)
    if not accepted(
        form,
        lambda: requesting.assign_request(
            engagement,
            audit_request,
            owner_id=form.owner_id.data or None,
            due_on=form.due_on.data,
            seen=counted(form.version.data),
        ),
    ):
        return _request_page(engagement, audit_request, assign=form, status=form.status)
    say_changed(f"Owner and due date of {audit_request.ref} saved.")
    return redirect(
        url_for(
            "engagements.one_request", engagement_id=engagement.id, request_id=audit_request.id
        ),
        303,
    )


@feature.post("/engagements/<uuid:engagement_id>/requests/assign", needs=permissions.MANAGE)
def assign_selected(engagement_id: UUID) -> ResponseReturnValue:
    """Assign the selected requests an owner, a due date, or both. Empty fields change nothing."""
    engagement = queries.engagement(engagement_id)
    home = url_for("engagements.requests", engagement_id=engagement.id)
    rows = assigning.Assignable(
        "request",
        "Assign requests",
        partial(_selected, engagement),
        lambda changes: requesting.assign_requests(
            engagement,
            [(each.item.id, each.after["owner_id"], each.after["due_on"]) for each in changes],
        ),
        columns=(owners.OWNER, assigning.DUE),
    )
    crumbs = [
        ("Engagements", url_for("engagements.index")),
        (engagement.ref, url_for("engagements.engagement", engagement_id=engagement.id)),
        ("Requests", home),
    ]
    return assigning.assign_selected(rows, AssignRequestsForm(), home=home, crumbs=crumbs)


# BulkAction defines this signature.
def _selected(engagement: Engagement, ids: Collection[UUID], lock: bool) -> list[BulkItem]:  # noqa: FBT001 - the pages' form
    return [
        BulkItem(
            each.id,
            each.ref,
            each.title,
            url_for("engagements.one_request", engagement_id=engagement.id, request_id=each.id),
            {"owner_id": each.owner_id, "due_on": each.due_on},
            requesting.why_not_assigned(each),
        )
        for each in request_queries.selected_requests(engagement, ids, lock=lock)
    ]


@feature.post("/engagements/undo/<uuid:undo_offer_id>", needs=permissions.MANAGE)
def undo_change(undo_offer_id: UUID) -> ResponseReturnValue:
    return undo_offer(undo_offer_id, requesting.UNDOABLE, url_for("engagements.index"))


@feature.post(
    "/engagements/<uuid:engagement_id>/requests/<uuid:request_id>/attachments",
    needs=permissions.PROVIDE,
)
def attach(engagement_id: UUID, request_id: UUID) -> ResponseReturnValue:
    engagement, audit_request = request_queries.request(engagement_id, request_id, lock=True)
    form = _attach_form(engagement)
    if not accepted(
        form,
        lambda: responses.attach_version(
            engagement, audit_request, uuid_or_none(form.version_id.data)
        ),
    ):
        return _request_page(engagement, audit_request, attach=form, status=form.status)
    return redirect(
        url_for(
            "engagements.one_request", engagement_id=engagement.id, request_id=audit_request.id
        ),
        303,
    )


@feature.post(
    "/engagements/<uuid:engagement_id>/requests/<uuid:request_id>/attachments/<uuid:attachment_id>/remove",
    needs=permissions.PROVIDE,
)
def detach(engagement_id: UUID, request_id: UUID, attachment_id: UUID) -> ResponseReturnValue:
    engagement, audit_request = request_queries.request(engagement_id, request_id, lock=True)
    responses.detach_version(
        engagement, audit_request, attachment_queries.attachment(audit_request.id, attachment_id)
    )
    return redirect(
        url_for(
            "engagements.one_request", engagement_id=engagement.id, request_id=audit_request.id
        ),
        303,
    )
