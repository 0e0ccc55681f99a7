"""Contacts: people who aren't members but may read the tenant's status page.

add_contact      emails them a personal link
remove_contact   ends their access immediately
send_code        emails a code to the address that received the link
redeem_code      starts a visit for the right code; the visit opens only the status page
note_reading     records that they opened the page and so read all updates sent until then
"""

import re
from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, func, select, update

from governance.assurance.incidents import permissions
from governance.assurance.incidents.models import CustomerUpdate, StatusContact, StatusVisit
from governance.assurance.incidents.text_fields import required
from governance.assurance.incidents.update_actions import status_address
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.people import one_time_codes
from governance.foundation.privacy.events import PersonErased
from governance.kernel import clock, current
from governance.kernel.data.db import lock_tenant, session
from governance.kernel.errors import DomainError, Invalid
from governance.kernel.safety.access import require
from governance.kernel.work import outbox

CONTACT_ADDED = action(
    "status.contact.added",
    "gave a customer contact access to the status page",
    target="StatusContact",
    activity="create",
    severity="medium",
    personal="name email",
)
CONTACT_REMOVED = action(
    "status.contact.removed",
    "removed a customer contact of the status page",
    target="StatusContact",
    activity="delete",
    severity="medium",
    personal="name email",
)
CONTACT_CODE_SENT = action(
    "status.contact.code.sent",
    "sent a sign-in code to a customer contact",
    target="StatusContact",
    activity="create",
    severity="informational",
)
CONTACT_SIGNED_IN = action(
    "status.contact.signed_in",
    "opened the status page for a customer contact",
    target="StatusContact",
    activity="logon",
    severity="low",
)
CONTACT_DENIED = action(
    "status.contact.sign_in_denied",
    "denied a customer contact: wrong code",
    target="StatusContact",
    activity="logon",
    severity="medium",
    fields="tries",
)
ADDRESS = re.compile(r"[^@\s,;<>\"]{1,64}@([a-z0-9-]{1,63}\.)+[a-z]{2,63}", re.IGNORECASE)
MAX_NAME_LENGTH, MAX_EMAIL_LENGTH, MAX_CONTACTS = 120, 254, 200
VISIT_LENGTH = timedelta(hours=12)


def add_contact(name: str, email: str) -> StatusContact:
    """Give a person access to the status page and email them their link."""
    require(permissions.SETTINGS)
    lock_tenant("status contacts")
    name = " ".join(
        required(name, "name", "Enter the contact's name.", limit=MAX_NAME_LENGTH).split()
    )
    email = email.strip().lower()
    if not ADDRESS.fullmatch(email) or len(email) > MAX_EMAIL_LENGTH:
        raise Invalid("Enter a valid email address.", field="email")
    known = session().scalars(select(StatusContact).where(StatusContact.removed_at.is_(None))).all()
    if any(each.email == email for each in known):
        raise Invalid(f"{email} is already a contact.", field="email")
    if len(known) >= MAX_CONTACTS:
        raise DomainError(
            f"There are {MAX_CONTACTS} contacts, which is the limit. Remove one first."
        )
    made = StatusContact(
        name=name, email=email, added_by=current.actor().person_id, created_at=clock.now()
    )
    session().add(made)
    record(CONTACT_ADDED, made, name=name, email=email)
    _send_link(made)
    return made


def send_link_again(contact: StatusContact) -> None:
    """Email a new link. The earlier link and its visits stop working."""
    require(permissions.SETTINGS)
    _end_visits(contact)
    _send_link(contact)
    record(CONTACT_ADDED, contact, name=contact.name, email=contact.email)


def _send_link(contact: StatusContact) -> None:
    token = one_time_codes.new_token()
    contact.link_hash, contact.code_hash = one_time_codes.hash_of(token), None
    tenant = " ".join(current.actor().tenant_name.split())
    outbox.send_mail(
        contact.email,
        f"Status page of {tenant}",
        f"{tenant} gave you access to its status page: incidents, the state of the objectives, and"
        f" maintenance.\n\n{status_address()}/enter/{token}\n\nEach time you use this link, we"
        " email a sign-in code to this address.\n",
    )


def remove_contact(contact: StatusContact) -> None:
    """End a contact's access immediately."""
    require(permissions.SETTINGS)
    if contact.removed_at is None:
        contact.removed_at = clock.now()
        contact.link_hash = contact.code_hash = contact.code_ends_at = None
        _end_visits(contact)
        record(CONTACT_REMOVED, contact, name=contact.name, email=contact.email)


def _end_visits(contact: StatusContact) -> None:
    session().execute(delete(StatusVisit).where(StatusVisit.contact_id == contact.id))


def forget_contact(erased: PersonErased) -> None:
    """End an erased person's access to the status page.

    Their name and address are replaced later, as in every table.
    """
    rows = session().scalars(
        select(StatusContact).where(
            func.lower(StatusContact.email).in_([each.lower() for each in erased.addresses])
        )
    )
    count = 0
    for contact in rows.all():
        if contact.removed_at is None:
            contact.removed_at = clock.now()
            record(CONTACT_REMOVED, contact)
        contact.link_hash = contact.code_hash = contact.code_ends_at = None
        _end_visits(contact)
        count += 1
    erased.removed["status page contacts"] = count


# ---- signing in


def send_code(contact: StatusContact) -> None:
    """Email a new code. Raise DomainError after five codes in an hour."""
    code = one_time_codes.issue(contact, clock.now())
    record(CONTACT_CODE_SENT, contact)
    outbox.send_mail(contact.email, one_time_codes.MAIL_SUBJECT, one_time_codes.mail_body(code))


def redeem_code(contact: StatusContact, code: str) -> tuple[str, str]:
    """Return (visit token, "") for the right code, otherwise ("", reason).

    Each attempt is counted, so commit the transaction in both cases.
    """
    problem = one_time_codes.redeem(contact, code, clock.now())
    if problem:
        if problem == one_time_codes.WRONG:
            record(CONTACT_DENIED, contact, outcome="denied", tries=contact.code_tries)
        return "", problem
    token = one_time_codes.new_token()
    session().execute(delete(StatusVisit).where(StatusVisit.ends_at <= clock.now()))
    session().add(
        StatusVisit(
            contact_id=contact.id,
            token_hash=one_time_codes.hash_of(token),
            ends_at=clock.now() + VISIT_LENGTH,
            created_at=clock.now(),
        )
    )
    record(CONTACT_SIGNED_IN, contact)
    return token, ""


def note_reading(contact_id: UUID) -> None:
    """Record that a contact opened the page, if an update was sent since they last did."""
    unread = (
        select(CustomerUpdate.id)
        .where(CustomerUpdate.state == "sent")
        .where(
            CustomerUpdate.sent_at > func.coalesce(StatusContact.read_at, StatusContact.created_at)
        )
        .exists()
    )
    session().execute(
        update(StatusContact)
        .where(StatusContact.id == contact_id, StatusContact.removed_at.is_(None), unread)
        .values(read_at=clock.now())
    )


def end_visit(token: str) -> None:
    """End the visit with that token."""
    session().execute(
        delete(StatusVisit).where(StatusVisit.token_hash == one_time_codes.hash_of(token))
    )
