"""Carry out an erasure of everything by which this tenant knows a person, in one transaction.

    traces_of(membership) -> Traces      what identifies the person; before anything is erased
    preview(membership) -> Preview       what would be removed and what would stay; changes nothing
    carry_out(subject, membership)       in a transaction opened with the person's id

Entries about the person stay, ciphertext included, so the tree still verifies; the keys to them are
destroyed. Features above this one subscribe to PersonErased and remove what only they know.
"""

from dataclasses import dataclass

from sqlalchemy import func, select, text

from governance.foundation.audit import personal_field_encryption
from governance.foundation.audit.models import AuditEntry, DataKey
from governance.foundation.people import admission_actions, member_actions, member_erasure_actions
from governance.foundation.people.models import Invitation, Membership, Session
from governance.foundation.privacy import redaction
from governance.foundation.privacy.events import PersonErased
from governance.foundation.privacy.redaction import Traces
from governance.kernel.data.db import session
from governance.kernel.work import outbox
from governance.kernel.work.events import publish

ARROW = " → "  # The arrow with which governance/foundation/audit/record.py encrypts a change.
MAX_ENTRIES_READ = 200
NOBODY = {"", "None"}


@dataclass(frozen=True, slots=True)
class ErasurePreview:
    """The page's preview before anybody decides. `removed` and `replaced` are counts by kind."""

    removed: dict[str, int]
    found: redaction.RedactionCounts
    traces: Traces


def traces_of(membership: Membership) -> Traces:
    """Return the person's current name and address, and those in their own encrypted entries."""
    person = membership.person
    query = select(AuditEntry).where(
        AuditEntry.target_type.in_(("Person", "Membership")),
        AuditEntry.target_id.in_((person.id, membership.id)),
        AuditEntry.action.in_(
            (member_actions.MEMBER_JOINED.name, admission_actions.PERSON_RENAMED.name)
        ),
    )
    told = {"name": {person.name}, "email": {person.email}}
    for entry in session().scalars(query.order_by(AuditEntry.at.desc()).limit(MAX_ENTRIES_READ)):
        for field, known in told.items():
            known.update(_told(entry, field))
    names, addresses = ({word.strip() for word in known} - NOBODY for known in told.values())
    return Traces(person.id, frozenset(names), frozenset(addresses))


def _told(entry: AuditEntry, field: str) -> list[str]:
    """Return the values of a field; a changed field is encrypted as "before → after"."""
    sealed = entry.sealed.get(field)
    return (personal_field_encryption.unseal(field, sealed) or "").split(ARROW) if sealed else []


def preview(membership: Membership) -> ErasurePreview:
    traces = traces_of(membership)
    subjects = member_erasure_actions.data_subjects_of(membership.person_id, traces.addresses)
    counts = {
        "keys": select(func.count()).select_from(DataKey).where(DataKey.subject.in_(subjects)),
        "sessions": (
            select(func.count())
            .select_from(Session)
            .where(Session.person_id == membership.person_id)
        ),
        "invitations": (
            select(func.count())
            .select_from(Invitation)
            .where(Invitation.email.in_(traces.addresses))
        ),
    }
    removed = {name: n for name, query in counts.items() if (n := session().scalar(query))}
    return ErasurePreview(removed, redaction.found(traces), traces)


def carry_out(subject: str, membership: Membership | None) -> dict[str, dict[str, int]]:
    """Erase all of it, or nothing; return counts by kind.

    If a restored database has no such member, only keys can be left, and they are destroyed.
    """
    session().execute(
        text("SELECT set_config('statement_timeout', '600000', true)")
    )  # The log may be long.
    if membership is None:
        return {
            "removed": {"keys": personal_field_encryption.destroy([subject])},
            "replaced": {},
            "left": {},
        }
    removed, swept = _remove(membership)
    return {"removed": removed, "replaced": swept.replaced, "left": swept.left}


def _remove(membership: Membership) -> tuple[dict[str, int], redaction.RedactionCounts]:
    """Destroy the member's keys, remove their data, then redact the text of all rows.

    Redaction is last: nothing after it writes their name.
    """
    traces = traces_of(membership)
    removed = {
        "keys": personal_field_encryption.destroy(
            member_erasure_actions.data_subjects_of(membership.person_id, traces.addresses)
        )
    }
    publish(PersonErased(membership.person_id, traces.words, traces.addresses, removed))
    removed["letters"] = outbox.forget(traces.addresses)
    removed |= member_erasure_actions.erase_member(membership, traces.addresses)
    swept = redaction.replace(traces)
    if not removed["names"]:
        swept.left["people.name"] = 1  # Another tenant keeps its own record of them.
    return {name: n for name, n in removed.items() if n}, swept
