"""Change the contacts of an agreement."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete

from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.kernel.data.db import session
from governance.kernel.errors import Invalid
from governance.kernel.safety.access import require
from governance.operations.agreements import permissions
from governance.operations.agreements.models import (
    Agreement,
    AgreementContact,
)
from governance.operations.agreements.version_checks import MAX_NAME_LENGTH

MAX_CONTACTS = 20

CONTACTS = action(
    "agreement.contacts.changed",
    "changed the contacts of an agreement",
    target="Agreement",
    activity="update",
    severity="informational",
    fields="ref count",
)


@dataclass(frozen=True, slots=True)
class Contact:
    """A contact of an agreement, and what to write to them about."""

    side: str
    purpose: str
    name: str
    email: str


def set_contacts(agreement: Agreement, contacts: Sequence[Contact]) -> None:
    """Replace the contacts of the agreement. This needs no new version."""
    require(permissions.EDIT)
    if len(contacts) > MAX_CONTACTS:
        raise Invalid(f"Enter up to {MAX_CONTACTS} contacts.")
    for row, each in enumerate(contacts):
        if not each.name.strip() or "@" not in each.email:
            raise Invalid(f"Contact {row + 1}: enter a name and an email.", field=f"k{row}_email")
    session().execute(delete(AgreementContact).where(AgreementContact.agreement_id == agreement.id))
    session().add_all(
        AgreementContact(
            agreement_id=agreement.id,
            side=each.side,
            purpose=each.purpose.strip()[:MAX_NAME_LENGTH],
            name=each.name.strip()[:MAX_NAME_LENGTH],
            email=each.email.strip()[:254],
        )
        for each in contacts
    )
    record(CONTACTS, agreement, ref=agreement.ref, count=len(contacts))
