"""Add requests to an engagement one by one, and assign them."""

import re
from collections.abc import Collection, Sequence
from datetime import date
from uuid import UUID

from governance.assurance.engagements import actions
from governance.assurance.engagements.models import (
    AuditRequest,
    Engagement,
)
from governance.assurance.engagements.requests import queries as request_queries
from governance.assurance.engagements.requests.parsing import ImportedRequest
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.people import queries as members
from governance.foundation.people.events import OwnerAssigned
from governance.foundation.people.owners import check_may_own
from governance.kernel import clock, current
from governance.kernel.data.db import lock_tenant, session
from governance.kernel.errors import Invalid, Stale
from governance.kernel.pages import undo
from governance.kernel.pages.undo import Overtaken, UndoStep
from governance.kernel.work.events import publish

REQUEST_CREATED = action(
    "engagement.request.created",
    "created an audit request",
    target="AuditRequest",
    activity="create",
    severity="informational",
    fields="engagement ref title criteria due_on",
    persons="owner",
)


REQUEST_ASSIGNED = action(
    "engagement.request.assigned",
    "assigned an audit request",
    target="AuditRequest",
    activity="update",
    severity="informational",
    fields="ref due_on undoes",
    persons="owner",
)


def add_request(
    engagement: Engagement,
    *,
    title: str,
    detail: str = "",
    criteria: Sequence[str] = (),
    due_on: date | None = None,
    owner_id: UUID | None = None,
    ref: str = "",
) -> AuditRequest:
    """Add a request. Its ref is the next number, such as PBC-012, unless `ref` is given.

    Raises Invalid for a wrong field or a ref that is already used.
    """
    actions.check_not_over(engagement)
    lock_tenant(f"requests of {engagement.id}")
    known = request_queries.row_digests(engagement.id)
    ref = ref.strip() or _next_request(known)
    if ref in known:
        raise Invalid(f"{ref} is already in the list. Choose another ref.", field="ref")
    row = _checked_row(
        engagement, ImportedRequest(0, ref, title, detail, tuple(criteria), due_on, "")
    )
    check_may_own(owner_id)
    made = AuditRequest(
        engagement_id=engagement.id,
        ref=row.ref,
        title=row.title,
        detail=row.detail,
        criteria=list(row.criteria),
        due_on=due_on,
        owner_id=owner_id,
        state="open",
        state_since=clock.now(),
        requested_by=current.actor().person_id,
        row=None,
        version=1,
        created_at=clock.now(),
    )
    session().add(made)
    record(
        REQUEST_CREATED,
        made,
        engagement=engagement.ref,
        ref=made.ref,
        title=made.title,
        criteria=made.criteria,
        due_on=due_on,
        owner=owner_id,
    )
    return made


def _next_request(known: Collection[str]) -> str:
    numbers = [int(ref.removeprefix("PBC-")) for ref in known if re.fullmatch(r"PBC-\d{1,6}", ref)]
    return f"PBC-{max(numbers, default=0) + 1:03}"


def _checked_row(engagement: Engagement, row: ImportedRequest) -> ImportedRequest:
    if not row.title.strip():
        raise Invalid("Describe the request.", field="title")
    # The maximum lengths of an imported list (parsing.py).
    if len(row.title) > 300 or len(row.detail) > 4000 or len(row.ref) > 40:  # noqa: PLR2004
        raise Invalid(
            "Use up to 300 characters for the request, 4,000 for details and 40 for the ref.",
            field="title",
        )
    return ImportedRequest(
        row.line,
        row.ref,
        " ".join(row.title.split()),
        row.detail.strip(),
        tuple(_criteria_of(engagement, row.criteria)),
        row.due_on,
        row.owner,
    )


def _criteria_of(engagement: Engagement, criteria: Sequence[str]) -> list[str]:
    wanted = [ref for each in criteria if (ref := each.strip())]
    if engagement.framework_id is None:
        return list(dict.fromkeys(wanted))
    return actions.check_criteria(engagement.framework_id, wanted)


def check_unchanged(request: AuditRequest, seen: int | None) -> None:
    """Raise Stale unless `seen`, the version that the form shows, is the current one."""
    if seen is None or seen == request.version:
        return
    done = request_queries.request_changes_since(request, seen)
    changes = f": {', then '.join(done)}" if done else ""
    raise Stale(
        f"{request.ref} changed after you opened this page{changes}. Nothing was saved; your text"
        " is still below. Review the request, then try again."
    )


def assign_request(
    engagement: Engagement,
    request: AuditRequest,
    *,
    owner_id: UUID | None,
    due_on: date | None,
    seen: int | None = None,
    undoes: UUID | None = None,
) -> None:
    """Change the owner and due date. `undoes` is the id of the audit entry that this reverses.

    Raises Stale if the request changed since version `seen`.
    """
    actions.check_not_over(engagement)
    check_unchanged(request, seen)
    before, after = (
        {"owner": request.owner_id, "due_on": request.due_on},
        {"owner": owner_id, "due_on": due_on},
    )
    changed = [name for name in after if after[name] != before[name]]
    if not changed:
        return
    if "owner" in changed:
        check_may_own(owner_id)
    request.owner_id, request.due_on, request.version = owner_id, due_on, request.version + 1
    entry = record(
        REQUEST_ASSIGNED, request, before=before, after=after, ref=request.ref, undoes=undoes
    )
    undo.remember(
        "request.owner",
        request.id,
        entry.id,
        before={name: before[name] for name in changed},
        after={name: after[name] for name in changed},
    )
    if "owner" in changed and owner_id is not None:
        path = f"engagements/{engagement.id}/requests/{request.id}"
        publish(OwnerAssigned(owner_id, f"request {request.ref}", path, entry.id))


def assign_requests(
    engagement: Engagement, wanted: Sequence[tuple[UUID, UUID | None, date | None]]
) -> None:
    """Assign several requests, given as (id, owner, due date). If one fails, none is changed."""
    found = request_queries.selected_requests(engagement, [each[0] for each in wanted], lock=True)
    by_id = {request.id: request for request in found}
    for request_id, owner_id, due_on in wanted:
        assign_request(engagement, by_id[request_id], owner_id=owner_id, due_on=due_on)


def why_not_assigned(request: AuditRequest) -> str | None:
    """Return why the owner of a request can't be changed, or None if it can."""
    return f"{request.ref} was accepted." if request.state == "accepted" else None


UNDOABLE = {"request.owner"}


@undo.restores("request.owner")
def _restore_owner(step: UndoStep) -> None:
    """Restore only the fields that the step changed.

    Raises Overtaken if someone has changed one of them since.
    """
    engagement, request = request_queries.request_by_id(step.target_id)
    present = {"owner": request.owner_id, "due_on": request.due_on}
    if any(undo.plain(present[name]) != value for name, value in step.after.items()):
        raise Overtaken(
            f"{members.last_actor(request.id, REQUEST_ASSIGNED)} has since changed the owner or due"
            f" date of {request.ref}."
        )
    owner_id = undo.id_or_none(step.before["owner"]) if "owner" in step.before else request.owner_id
    due_on = undo.day_or_none(step.before["due_on"]) if "due_on" in step.before else request.due_on
    assign_request(engagement, request, owner_id=owner_id, due_on=due_on, undoes=step.entry_id)
