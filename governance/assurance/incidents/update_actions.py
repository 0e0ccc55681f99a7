"""Draft customer updates, have another person approve them, and send them.

draft              creates a draft, prefilled from the incident
edit               raises Stale if somebody else saved first; voids an open approval request
request_approval   requested by the drafter; another person approves
send               sends it after approval: by email, by webhook and on the status page
return_to_draft    the approver rejected it, with a comment
"""

from typing import Any

from governance.assurance.incidents import drafts, payloads, permissions, queries, update_queries
from governance.assurance.incidents.models import CustomerUpdate, Incident
from governance.assurance.incidents.text_fields import MAX_TITLE_LENGTH, required
from governance.assurance.incidents.update_queries import APPROVAL
from governance.foundation.approvals import actions as approvals
from governance.foundation.approvals.models import Approval
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.webhooks import actions as webhooks
from governance.kernel import clock, current
from governance.kernel.config import public_address
from governance.kernel.data.db import lock_tenant, session
from governance.kernel.errors import DomainError, Stale
from governance.kernel.formatting import plural
from governance.kernel.safety.access import require
from governance.kernel.work import outbox

FIELDS = "ref number"
DRAFTED = action(
    "incident.update.drafted",
    "drafted a customer update",
    target="CustomerUpdate",
    activity="create",
    severity="informational",
    fields=FIELDS,
)
EDITED = action(
    "incident.update.edited",
    "edited a customer update",
    target="CustomerUpdate",
    activity="update",
    severity="informational",
    fields=FIELDS,
    personal="title",
)
REQUESTED = action(
    "incident.update.approval.requested",
    "requested approval of a customer update",
    target="CustomerUpdate",
    activity="update",
    severity="informational",
    fields=FIELDS,
)
APPROVED = action(
    "incident.update.approved",
    "approved a customer update",
    target="CustomerUpdate",
    activity="update",
    severity="low",
    fields=FIELDS,
    shape="ok",
)
RETURNED = action(
    "incident.update.returned",
    "returned a customer update",
    target="CustomerUpdate",
    activity="update",
    severity="low",
    fields=FIELDS,
    shape="bad",
)
SENT = action(
    "incident.update.sent",
    "sent a customer update",
    target="CustomerUpdate",
    activity="update",
    severity="low",
    fields="ref number contacts webhooks",
    shape="ok",
)


def draft(incident: Incident) -> CustomerUpdate:
    """Create the next update, prefilled from the incident, or return the open draft."""
    require(permissions.DRAFT, on=incident)
    lock_tenant(f"updates of {incident.id}")
    there = next(
        (each for each in update_queries.updates(incident.id) if each.state != "sent"), None
    )
    if there is not None:
        return there
    impacts = queries.impacts_of([incident.id])[incident.id]
    title, body = drafts.customer_update(update_queries.draft_facts(incident, impacts))
    now, me = clock.now(), current.actor().person_id
    made = CustomerUpdate(
        incident_id=incident.id,
        number=update_queries.next_number(incident.id),
        title=title[:MAX_TITLE_LENGTH],
        body=body,
        drafted_by=me,
        edited_by=me,
        edited_at=now,
        created_at=now,
    )
    session().add(made)
    record(DRAFTED, made, ref=incident.ref, number=made.number)
    return made


def edit(
    incident: Incident, update: CustomerUpdate, *, version: int, title: str, body: str
) -> None:
    """Change a draft. Raise Stale, with both texts, if somebody else saved first."""
    require(permissions.DRAFT, on=incident)
    title = " ".join(required(title, "title", "Enter a title.", limit=MAX_TITLE_LENGTH).split())
    body = required(body, "body", "Enter what you tell the customers.")
    _check_not_sent(update)
    if version != update.version:
        raise Stale(
            f"Customer update {update.number} was changed while you were editing. Review the"
            " differences, then save again.",
            changes={
                name: (mine, theirs)
                for name, mine, theirs in (
                    ("Title", title, update.title),
                    ("Text", body, update.body),
                )
                if mine != theirs
            },
        )
    if (title, body) == (update.title, update.body):
        return
    approvals.void(APPROVAL, update.id, reason="The update was edited.")
    update.title, update.body, update.state = title, body, "draft"
    update.edited_by, update.edited_at = current.actor().person_id, clock.now()
    update.version += 1
    update.comment = ""
    record(EDITED, update, ref=incident.ref, number=update.number, title=title)


def request_approval(incident: Incident, update: CustomerUpdate) -> Approval:
    """Request another person's approval of exactly this text. Idempotent."""
    require(permissions.DRAFT, on=incident)
    _check_not_sent(update)
    if update.state == "draft":
        update.state, update.comment = "requested", ""
        session().flush()
    makers = [current.person_id()]
    if update.edited_by is not None and update.edited_by not in makers:
        makers.append(update.edited_by)
    return approvals.request(
        APPROVAL,
        update.id,
        summary=f"send customer update {update.number} of {incident.ref}",
        reason=update.title,
        requesters=makers,
    )


def send(incident: Incident, update: CustomerUpdate) -> None:
    """Send an approved update once, to all contacts and subscribed webhooks.

    The first update sent is the support response.
    """
    _check_not_sent(update)
    contacts = update_queries.contacts()
    for each in contacts:
        outbox.send_mail(
            each.email,
            f"{update.title} ({incident.ref})",
            f"{update.body}\n\n{status_address()}\n\nYou get this because you are a contact for"
            f" incidents of {current.actor().tenant_name}.\n",
        )
    # Done before the state changes: the database rejects changes of a sent update.
    update.webhooks = len(webhooks.send(payloads.UPDATED, payload(incident, update)))
    update.state, update.sent_at = "sent", clock.now()
    update.approved_by = current.actor().person_id
    update.incident_state = incident.state
    update.contacts = len(contacts)
    if incident.responded_at is None:
        incident.responded_at = update.sent_at
    record(
        SENT,
        update,
        ref=incident.ref,
        number=update.number,
        contacts=update.contacts,
        webhooks=update.webhooks,
    )


def payload(incident: Incident, update: CustomerUpdate) -> dict[str, Any]:
    """Return the data of the webhook message `incident.updated`."""
    return {
        **payloads.of(incident),
        "update": {"number": update.number, "title": update.title, "body": update.body},
        "status_page": status_address(),
    }


def status_address() -> str:
    """Return the URL of the tenant's status page."""
    return f"{public_address()}/status/{current.actor().tenant_slug}"


def return_to_draft(update: CustomerUpdate, comment: str) -> None:
    """Return the draft with the approver's comment. The approval's own entry records it."""
    if update.state == "requested":
        update.state, update.comment = "draft", comment


def destinations(contacts: int, endpoints: int) -> str:
    """Return a sentence that says where an update goes."""
    also = f", and to {plural(endpoints, 'webhook')}" if endpoints else ""
    return (
        f"Goes to the status page of {current.actor().tenant_name},"
        f" to {plural(contacts, 'contact')} by email{also}."
    )


def _check_not_sent(update: CustomerUpdate) -> None:
    if update.state == "sent":
        raise DomainError(f"Customer update {update.number} was sent, so it can't be changed.")
