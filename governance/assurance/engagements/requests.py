"""Requests of an engagement: the list by hand or from a file, what answers each one, and the
auditors' judgement.

What was provided to the auditors stays: a better answer is another version beside it.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import insert

from governance.assurance.engagements import actions, permissions, queries
from governance.assurance.engagements.models import (
    AuditRequest,
    Engagement,
    RequestAttachment,
    RequestImport,
    RequestRemark,
)
from governance.assurance.engagements.request_import import ImportedRequest, Listed
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.people import queries as members
from governance.foundation.people.owners import OWNING_ROLES, check_may_own
from governance.kernel import clock, current, undo
from governance.kernel.access import require
from governance.kernel.db import alone, session
from governance.kernel.errors import DomainError, Invalid, Stale
from governance.kernel.formatting import long_day
from governance.kernel.ids import uuid7
from governance.kernel.undo import Overtaken, UndoStep

ASKED = action(
    "engagement.request.created",
    "created an audit request",
    target="AuditRequest",
    activity="create",
    severity="informational",
    fields="engagement ref title criteria due_on",
    persons="owner",
)
CHANGED_REQUEST = action(
    "engagement.request.assigned",
    "assigned an audit request",
    target="AuditRequest",
    activity="update",
    severity="informational",
    fields="ref due_on undoes",
    persons="owner",
)
READ_LIST = action(
    "engagement.request_list.uploaded",
    "uploaded a list of audit requests",
    target="RequestImport",
    activity="create",
    severity="informational",
    fields="engagement rows problems sha256",
    personal="filename",
)
TOOK_OVER = action(
    "engagement.request_list.imported",
    "imported a list of audit requests",
    target="RequestImport",
    activity="update",
    severity="informational",
    fields="engagement added already sha256",
    personal="filename",
)
ATTACHED = action(
    "engagement.request.version.attached",
    "attached evidence to an audit request",
    target="AuditRequest",
    activity="update",
    severity="informational",
    fields="ref evidence number sha256",
)
DETACHED = action(
    "engagement.request.version.detached",
    "removed evidence from an audit request",
    target="AuditRequest",
    activity="update",
    severity="informational",
    fields="ref evidence number sha256",
)
PROVIDED = action(
    "engagement.request.provided",
    "provided evidence for an audit request",
    target="AuditRequest",
    activity="update",
    severity="informational",
    fields="ref versions",
)
ACCEPTED = action(
    "engagement.request.accepted",
    "accepted the evidence for an audit request",
    target="AuditRequest",
    activity="update",
    severity="informational",
    fields="ref",
)
RETURNED = action(
    "engagement.request.returned",
    "returned an audit request",
    target="AuditRequest",
    activity="update",
    severity="informational",
    fields="ref",
)
COMMENTED = action(
    "engagement.request.commented",
    "commented on an audit request",
    target="AuditRequest",
    activity="update",
    severity="informational",
    fields="ref",
    personal="text",
)
CHUNK = 1000  # rows of one statement


def add_request(
    held: Engagement,
    *,
    title: str,
    detail: str = "",
    criteria: Sequence[str] = (),
    due_on: date | None = None,
    owner_id: UUID | None = None,
    ref: str = "",
) -> AuditRequest:
    """One by hand. Its ref is the next of the list unless the firm has one of its own."""
    actions.check_not_over(held)
    alone(f"requests of {held.id}")
    known = queries.known_rows(held.id)
    ref = ref.strip() or _next_request(known)
    if ref in known:
        raise Invalid(f"{ref} is already in the list. Choose another ref.", field="ref")
    row = _checked_row(held, ImportedRequest(0, ref, title, detail, tuple(criteria), due_on, ""))
    check_may_own(owner_id)
    made = AuditRequest(
        engagement_id=held.id,
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
        ASKED,
        made,
        engagement=held.ref,
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


def _checked_row(held: Engagement, row: ImportedRequest) -> ImportedRequest:
    if not row.title.strip():
        raise Invalid("Describe the request.", field="title")
    # what a list can show
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
        tuple(_criteria_of(held, row.criteria)),
        row.due_on,
        row.owner,
    )


def _criteria_of(held: Engagement, criteria: Sequence[str]) -> list[str]:
    wanted = [ref for each in criteria if (ref := each.strip())]
    if held.framework_id is None:
        return list(dict.fromkeys(wanted))
    return actions.check_criteria(held.framework_id, wanted)


def keep_list(held: Engagement, listed: Listed, *, filename: str, sha256: str) -> RequestImport:
    """Keep what a file holds, for looking at it first: nothing is in the list yet."""
    actions.check_not_over(held)
    kept = RequestImport(
        engagement_id=held.id,
        filename=filename,
        sha256=sha256,
        rows=[row.as_json for row in listed.rows],
        problems=[list(problem) for problem in listed.problems],
        found=len(listed.rows),
        sent_by=current.actor().person_id,
        applied_at=None,
        added=None,
    )
    session().add(kept)
    record(
        READ_LIST,
        kept,
        engagement=held.ref,
        rows=kept.found,
        problems=len(listed.problems),
        sha256=sha256,
        filename=filename,
    )
    return kept


def take_over(held: Engagement, kept: RequestImport) -> int:
    """Add the lines that are not in the list yet; how many.

    A list with wrong lines is refused whole; the same list twice adds nothing.
    """
    actions.check_not_over(held)
    if kept.applied_at is not None:
        return 0
    if kept.problems:
        raise DomainError(
            "The list has errors, so nothing was imported. Fix them in the file and upload it again."
        )
    alone(f"requests of {held.id}")
    known, people_by_address = queries.known_rows(held.id), _owners()
    new = [row for row in map(ImportedRequest.from_json, kept.rows) if row.ref not in known]
    now, requested_by = clock.now(), current.actor().person_id
    values = [
        {
            "id": uuid7(),
            "tenant_id": held.tenant_id,
            "engagement_id": held.id,
            "ref": row.ref,
            "title": row.title,
            "detail": row.detail,
            "criteria": list(row.criteria),
            "due_on": row.due_on,
            "owner_id": people_by_address.get(row.owner.lower()),
            "state": "open",
            "state_since": now,
            "requested_by": requested_by,
            "row": row.digest,
            "version": 1,
            "created_at": now,
        }
        for row in new
    ]
    for start in range(0, len(values), CHUNK):
        session().execute(insert(AuditRequest), values[start : start + CHUNK])
    kept.applied_at, kept.added = now, len(new)
    record(
        TOOK_OVER,
        kept,
        engagement=held.ref,
        added=len(new),
        already=kept.found - len(new),
        sha256=kept.sha256,
        filename=kept.filename,
    )
    return len(new)


def _owners() -> Mapping[str, UUID]:
    return {m.email.lower(): m.person_id for m in members.members() if m.role in OWNING_ROLES}


def _as_seen(request: AuditRequest, seen: int | None) -> None:
    """`seen` is the request's version that the form was opened with: nobody accepts, returns or
    provides what they haven't seen.
    """
    if seen is None or seen == request.version:
        return
    done = queries.turns_since(request, seen)
    changes = f": {', then '.join(done)}" if done else ""
    raise Stale(
        f"{request.ref} changed after you opened this page{changes}. Nothing was saved; your text is"
        " still below. Review the request, then try again."
    )


def assign(
    held: Engagement,
    request: AuditRequest,
    *,
    owner_id: UUID | None,
    due_on: date | None,
    seen: int | None = None,
    undoes: UUID | None = None,
) -> None:
    """Who answers it, and by when. `undoes`: the entry taken back."""
    actions.check_not_over(held)
    _as_seen(request, seen)
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
        CHANGED_REQUEST, request, before=before, after=after, ref=request.ref, undoes=undoes
    )
    undo.remember(
        "request.owner",
        request.id,
        entry.id,
        before={name: before[name] for name in changed},
        after={name: after[name] for name in changed},
    )


UNDOABLE = {"request.owner"}


@undo.restores("request.owner")
def _restore_owner(step: UndoStep) -> None:
    """The fields that the step changed; those that it left as they were keep what they hold now."""
    held, request = queries.request_by_id(step.target_id)
    present = {"owner": request.owner_id, "due_on": request.due_on}
    if any(undo.plain(present[name]) != value for name, value in step.after.items()):
        raise Overtaken(
            f"{members.who_last(request.id, CHANGED_REQUEST)} has since changed the owner or due date"
            f" of {request.ref}."
        )
    owner_id = undo.id_or_none(step.before["owner"]) if "owner" in step.before else request.owner_id
    due_on = undo.day_or_none(step.before["due_on"]) if "due_on" in step.before else request.due_on
    assign(held, request, owner_id=owner_id, due_on=due_on, undoes=step.entry_id)


def attach(held: Engagement, request: AuditRequest, version_id: UUID | None) -> RequestAttachment:
    """Lay a version beside the request; the auditor sees it once it is provided.

    The same one twice is one.
    """
    _may_answer(held, request)
    version = queries.attachable(version_id) if version_id else None
    if version is None:
        raise Invalid(
            "This version can't be attached: it was rejected, its file was deleted, or it doesn't"
            " exist. Choose another.",
            field="version_id",
        )
    already = next((a for a in queries.attached([request.id]) if a.version.id == version.id), None)
    if already is not None:
        return already.attachment
    made = RequestAttachment(
        request_id=request.id,
        version_id=version.id,
        attached_by=current.actor().person_id,
        provided_at=None,
        created_at=clock.now(),
    )
    session().add(made)
    request.version += 1  # what is provided is what the person's page shows
    record(
        ATTACHED,
        request,
        ref=request.ref,
        evidence=str(version.evidence_id),
        number=version.number,
        sha256=version.sha256,
    )
    return made


def detach(held: Engagement, request: AuditRequest, attachment: RequestAttachment) -> None:
    """Only while it was not provided: what the auditors have seen stays."""
    _may_answer(held, request)
    if attachment.provided_at is not None:
        raise DomainError(
            "This version was already provided to the auditors, so it can't be removed. Attach another"
            " version instead."
        )
    version = queries.version(attachment.version_id)
    session().delete(attachment)
    request.version += 1
    record(
        DETACHED,
        request,
        ref=request.ref,
        evidence=str(version.evidence_id),
        number=version.number,
        sha256=version.sha256,
    )


def _may_answer(held: Engagement, request: AuditRequest) -> None:
    actions.check_not_over(held)
    require(permissions.PROVIDE, on=request)
    if request.state == "accepted":
        raise DomainError(
            f"{request.ref} was accepted on {long_day(request.state_since.date())}, so it's closed."
        )
    if request.state == "provided":
        raise DomainError(
            f"The response to {request.ref} was provided on"
            f" {long_day(request.state_since.date())} and awaits the auditors' review."
        )


def provide(
    held: Engagement, request: AuditRequest, *, said: str = "", seen: int | None = None
) -> None:
    """Hand what is attached to the auditors; from now on exactly these versions are before them."""
    _as_seen(request, seen)
    _may_answer(held, request)
    new = [each for each in queries.attached([request.id]) if each.attachment.provided_at is None]
    if not new and not said.strip():
        raise Invalid(
            "Attach evidence or write a comment that responds to the request.",
            field="text",
        )
    for each in new:
        if queries.attachable(each.version.id) is None:
            name = f"{each.evidence.ref} version {each.version.number}"
            raise DomainError(
                f"{name} was rejected or its file was deleted after you attached it. Remove it and"
                " attach another version."
            )
    now = clock.now()
    for each in new:
        each.attachment.provided_at = now
    _turn(request, "provided", said)
    record(
        PROVIDED,
        request,
        reason=said.strip() or None,
        ref=request.ref,
        versions=[
            f"{e.evidence.ref} v{e.version.number} {e.version.sha256 or ''}".strip() for e in new
        ],
    )


def accept(
    held: Engagement, request: AuditRequest, *, said: str = "", seen: int | None = None
) -> None:
    _as_seen(request, seen)
    _may_judge(held, request)
    _turn(request, "accepted", said)
    record(ACCEPTED, request, reason=said.strip() or None, ref=request.ref)


def give_back(
    held: Engagement, request: AuditRequest, *, reason: str, seen: int | None = None
) -> None:
    """Return it with a reason: it waits for the tenant again."""
    _as_seen(request, seen)
    _may_judge(held, request)
    if not reason.strip():
        raise Invalid("Enter what is missing, so that the owner can fix it.", field="text")
    _turn(request, "returned", reason)
    record(RETURNED, request, reason=reason.strip()[:4000], ref=request.ref)


def _may_judge(held: Engagement, request: AuditRequest) -> None:
    actions.check_not_over(held)
    if request.state != "provided":
        raise DomainError(f"{request.ref} is {request.state}, so there is no response to review.")


def _turn(request: AuditRequest, state: str, said: str) -> None:
    request.state, request.state_since, request.version = state, clock.now(), request.version + 1
    _say(request, state, said)


def _say(request: AuditRequest, kind: str, text: str) -> RequestRemark:
    text = text.strip()
    if len(text) > 4000:  # noqa: PLR2004 - a long letter
        raise Invalid("A comment can have up to 4,000 characters.", field="text")
    made = RequestRemark(
        request_id=request.id,
        kind=kind,
        text=text,
        written_by=current.actor().person_id,
        written_at=clock.now(),
    )
    session().add(made)
    session().flush()
    return made  # recorded by the verb that it belongs to


def comment(held: Engagement, request: AuditRequest, text: str) -> RequestRemark:
    actions.check_not_over(held)
    if not text.strip():
        raise Invalid("Enter a comment.", field="text")
    made = _say(request, "comment", text)
    record(COMMENTED, request, ref=request.ref, text=text.strip())
    return made
