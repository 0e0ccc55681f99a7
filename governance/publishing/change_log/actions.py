"""Actions on the change log for customers.

start, switch, renew_address     the public page
draft_from_record                draft each recorded event once
write, edit, discard, reopen     one change, before it is published
request_approval                 ask another person to read exactly what customers will read
publish, return_to_draft         the outcome of the approval
withdraw                         tell customers that a change no longer holds, and why
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from governance.foundation.approvals import actions as approvals
from governance.foundation.approvals.models import Approval
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.tenants.public_addresses import new_token
from governance.kernel import clock, current
from governance.kernel.data.db import lock_tenant, session
from governance.kernel.data.ids import uuid7
from governance.kernel.errors import DomainError, Invalid, Stale
from governance.kernel.safety.access import require
from governance.operations.systems import queries as systems
from governance.publishing.change_log import permissions, queries
from governance.publishing.change_log import record as the_record
from governance.publishing.change_log.models import KINDS, ChangeLog, CustomerChange
from governance.publishing.change_log.queries import APPROVAL

STARTED = action(
    "change_log.started",
    "started the change log for customers",
    target="ChangeLog",
    activity="create",
    severity="medium",
    shape="up",
)
SWITCHED_ON = action(
    "change_log.switched_on",
    "switched the public change log on",
    target="ChangeLog",
    activity="update",
    severity="medium",
    shape="up",
)
SWITCHED_OFF = action(
    "change_log.switched_off",
    "switched the public change log off",
    target="ChangeLog",
    activity="update",
    severity="medium",
    shape="down",
)
ADDRESS_REPLACED = action(
    "change_log.address.replaced",
    "replaced the address of the public change log",
    target="ChangeLog",
    activity="update",
    severity="medium",
)
FIELDS = "ref kind system"
DRAFTED = action(
    "change_log.change.drafted",
    "drafted a change for customers",
    target="CustomerChange",
    activity="create",
    severity="informational",
    fields=f"{FIELDS} cause",
    personal="title",
)
EDITED = action(
    "change_log.change.edited",
    "edited a change for customers",
    target="CustomerChange",
    activity="update",
    severity="informational",
    fields=FIELDS,
    personal="title",
)
DISCARDED = action(
    "change_log.change.discarded",
    "discarded a change for customers",
    target="CustomerChange",
    activity="update",
    severity="informational",
    fields=FIELDS,
)
REOPENED = action(
    "change_log.change.reopened",
    "reopened a change for customers",
    target="CustomerChange",
    activity="update",
    severity="informational",
    fields=FIELDS,
)
REQUESTED = action(
    "change_log.change.approval.requested",
    "requested approval of a change for customers",
    target="CustomerChange",
    activity="update",
    severity="informational",
    fields=FIELDS,
)
APPROVED = action(
    "change_log.change.approved",
    "approved a change for customers",
    target="CustomerChange",
    activity="update",
    severity="low",
    fields=FIELDS,
    shape="ok",
)
RETURNED = action(
    "change_log.change.returned",
    "returned a change for customers",
    target="CustomerChange",
    activity="update",
    severity="low",
    fields=FIELDS,
    shape="bad",
)
CLOSED = action(
    "change_log.change.approval.closed",
    "closed a request to publish a change for customers",
    target="CustomerChange",
    activity="update",
    severity="informational",
    fields=FIELDS,
)
PUBLISHED = action(
    "change_log.change.published",
    "published a change for customers",
    target="CustomerChange",
    activity="update",
    severity="low",
    fields=FIELDS,
    personal="title",
    shape="ok",
)
WITHDRAWN = action(
    "change_log.change.withdrawn",
    "withdrew a change for customers",
    target="CustomerChange",
    activity="update",
    severity="low",
    fields=FIELDS,
    shape="down",
)

LOCK = "change log"
ADDRESS = "chg"  # The kind of its tokens.
FIRST_DRAFTS = timedelta(days=30)  # How far back the record is read at the start.
OVERLAP = timedelta(days=1)  # Read again each time, so that events committed late are found too.
MAX_TITLE_LENGTH, MAX_BODY_LENGTH, MAX_REASON_LENGTH = 160, 4000, 1000


@dataclass(frozen=True, slots=True)
class ChangeText:
    """The fields that a form sends."""

    kind: str
    system_id: UUID | None
    title: str
    body: str
    effect: str


def start() -> ChangeLog:
    """Start the change log with an address and the drafts of the last 30 days. Idempotent."""
    require(permissions.OPEN)
    lock_tenant(LOCK)
    there = queries.change_log()
    if there is not None:
        return there
    made = ChangeLog(
        token=new_token(ADDRESS), is_public=True, drafted_until=clock.now() - FIRST_DRAFTS
    )
    session().add(made)
    session().flush()
    record(STARTED, made)
    _draft(made)
    return made


def switch(*, on: bool) -> None:
    """Switch the public page on or off. Its address stays the same."""
    require(permissions.OPEN)
    found = _log()
    if found.is_public != on:
        found.is_public = on
        record(SWITCHED_ON if on else SWITCHED_OFF, found)


def renew_address() -> None:
    """Give the page another address. The previous one stops working immediately."""
    require(permissions.OPEN)
    found = _log()
    found.token = new_token(ADDRESS)
    record(ADDRESS_REPLACED, found)


def _log() -> ChangeLog:
    lock_tenant(LOCK)
    found = queries.change_log(lock=True)
    if found is None:
        raise DomainError("The change log isn't started yet.")
    return found


def draft_from_record() -> int:
    """Draft what has happened since the record was last read. Return the number of drafts."""
    lock_tenant(LOCK)
    found = queries.change_log(lock=True)
    return _draft(found) if found else 0


def _draft(log: ChangeLog) -> int:
    now = clock.now()
    found = the_record.since(log.drafted_until - OVERLAP, now)
    there = queries.drafted_causes([each.cause_id for each in found]) if found else set()
    new, number = [each for each in found if each.cause_id not in there], queries.next_number()
    for each in new:
        made = CustomerChange(
            id=uuid7(),
            number=number,
            kind=each.kind,
            system_id=each.system_id,
            cause=each.cause,
            cause_id=each.cause_id,
            happened_at=each.at,
            title=each.title[:MAX_TITLE_LENGTH],
            body=each.body[:MAX_BODY_LENGTH],
            effect=each.effect[:MAX_BODY_LENGTH],
        )
        number += 1
        session().add(made)
        session().flush()
        record(DRAFTED, made, **_facts(made), cause=each.cause, title=made.title)
    log.drafted_until = now
    return len(new)


def write(text: ChangeText, *, change_id: UUID | None = None) -> CustomerChange:
    """Start a change that isn't in the record. Raises Invalid.

    The caller chooses its id, so that a form sent twice creates one change.
    """
    require(permissions.WRITE)
    lock_tenant(LOCK)
    text = _checked(text)
    now = clock.now()
    made = CustomerChange(
        id=change_id or uuid7(),
        number=queries.next_number(),
        kind=text.kind,
        system_id=text.system_id,
        happened_at=now,
        title=text.title,
        body=text.body,
        effect=text.effect,
        edited_by=current.actor().person_id,
        edited_at=now,
    )
    session().add(made)
    session().flush()
    record(DRAFTED, made, **_facts(made), cause="", title=made.title)
    return made


def edit(found: CustomerChange, text: ChangeText, *, seen: int) -> None:
    """Change a draft. An edit voids an open request.

    `seen` is the revision that the person read. Raises Stale, with both texts, if somebody else
    saved first.
    """
    require(permissions.WRITE)
    _lock(found)
    _check_editable(found)
    text = _checked(text)
    mine, theirs = _words(text), _words(found)
    if seen != found.revision:
        raise Stale(
            f"{found.ref} was changed while you were editing. Review the differences, then save"
            " again.",
            changes={
                name: (mine[name], theirs[name]) for name in mine if mine[name] != theirs[name]
            },
        )
    if (text.kind, text.system_id, mine) == (found.kind, found.system_id, theirs):
        return
    approvals.void(APPROVAL, found.id, reason="The change was edited.")
    found.kind, found.system_id = text.kind, text.system_id
    found.title, found.body, found.effect = text.title, text.body, text.effect
    found.state, found.comment = "draft", ""
    found.edited_by, found.edited_at = current.actor().person_id, clock.now()
    found.revision += 1
    record(EDITED, found, **_facts(found), title=found.title)


def _words(of: ChangeText | CustomerChange) -> dict[str, str]:
    return {"title": of.title, "body": of.body, "effect": of.effect}


def discard(found: CustomerChange) -> None:
    """Discard a draft that customers don't need to know about. It can be reopened."""
    require(permissions.WRITE)
    _lock(found)
    _check_editable(found)
    approvals.void(APPROVAL, found.id, reason="The change was discarded.")
    found.state, found.comment = "discarded", ""
    record(DISCARDED, found, **_facts(found))


def reopen(found: CustomerChange) -> None:
    require(permissions.WRITE)
    _lock(found)
    if found.state != "discarded":
        raise Stale(f"{found.ref} isn't discarded any more.")
    found.state = "draft"
    record(REOPENED, found, **_facts(found))


def request_approval(found: CustomerChange) -> Approval:
    """Ask another person to approve exactly this text. Idempotent."""
    require(permissions.WRITE)
    _lock(found)
    _check_editable(found)
    if found.state == "draft":
        found.state, found.comment = "requested", ""
        session().flush()
    makers = [current.person_id()]
    if found.edited_by is not None and found.edited_by not in makers:
        makers.append(found.edited_by)
    return approvals.request(
        APPROVAL,
        found.id,
        summary=f"publish {found.ref} in the change log",
        reason=found.title,
        requesters=makers,
    )


def publish(found: CustomerChange) -> None:
    """Publish the change on the page and in the feed, in the approver's transaction."""
    _check_editable(found)
    if queries.change_log() is None:
        raise DomainError("The change log isn't started yet, so nothing can be published.")
    found.state, found.published_at = "published", clock.now()
    found.approved_by = current.actor().person_id
    record(PUBLISHED, found, **_facts(found), title=found.title)


def return_to_draft(found: CustomerChange, comment: str) -> None:
    """Return the change to draft with the approver's comment.

    The approval's own entry records it.
    """
    if found.state == "requested":
        found.state, found.comment = "draft", comment


def withdraw(found: CustomerChange, *, reason: str) -> None:
    """Tell customers that a published change no longer holds, and why."""
    require(permissions.APPROVE)
    _lock(found)
    reason = reason.strip()
    if found.state != "published":
        raise Stale(f"{found.ref} isn't published: {found.state_name.lower()}.")
    if not reason:
        raise Invalid("Enter a reason. Customers read it.", field="reason")
    if len(reason) > MAX_REASON_LENGTH:
        raise Invalid(
            f"Shorten the reason to {MAX_REASON_LENGTH:,} characters or fewer.", field="reason"
        )
    found.state, found.withdrawn_at, found.withdrawal = "withdrawn", clock.now(), reason
    record(WITHDRAWN, found, reason=reason, **_facts(found))


def _lock(found: CustomerChange) -> None:
    """Lock the change, after its approvals, so that an approval under way finishes first."""
    lock_tenant(LOCK)
    session().refresh(found, with_for_update=True)


def _check_editable(found: CustomerChange) -> None:
    if not found.is_editable:
        raise Stale(f"{found.ref} can't be changed any more: {found.state_name.lower()}.")


def _checked(text: ChangeText) -> ChangeText:
    if text.kind not in KINDS:
        raise Invalid("Choose a kind.", field="kind")
    title = " ".join(text.title.split())
    body, effect = text.body.strip(), text.effect.strip()
    if not 0 < len(title) <= MAX_TITLE_LENGTH:
        raise Invalid(f"Enter a title of up to {MAX_TITLE_LENGTH} characters.", field="title")
    if not 0 < len(body) <= MAX_BODY_LENGTH:
        raise Invalid(
            f"Describe what changed in up to {MAX_BODY_LENGTH:,} characters.", field="body"
        )
    if len(effect) > MAX_BODY_LENGTH:
        raise Invalid(f"Shorten it to {MAX_BODY_LENGTH:,} characters or fewer.", field="effect")
    if text.system_id is not None:
        systems.system(text.system_id)
    return ChangeText(text.kind, text.system_id, title, body, effect)


def _facts(found: CustomerChange) -> dict[str, Any]:
    system = queries.system_of(found)
    return {"ref": found.ref, "kind": found.kind, "system": system.key if system else ""}
