"""Remove what identifies a person from the tables of this feature."""

import secrets
from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import case, func, select, update

from governance.foundation.audit import personal_field_encryption
from governance.foundation.audit.record import record
from governance.foundation.people import (
    saved_forms,
)
from governance.foundation.people.invitation_actions import invitee_id
from governance.foundation.people.member_actions import MEMBER_REMOVED, check_not_last_admin
from governance.foundation.people.models import (
    ERASED,
    ERASED_NAME,
    Invitation,
    Membership,
    Session,
)
from governance.foundation.people.session_actions import end_member_sessions
from governance.kernel import clock
from governance.kernel.data.db import session


def erase_member(membership: Membership, addresses: Collection[str]) -> dict[str, int]:
    """Remove everything here that leads to the person; foundation/privacy decides on it.

    Needs a transaction with person_id set.

    A person that another tenant knows keeps their name there. Returns how many rows of each kind
    were emptied.
    """
    check_not_last_admin(membership)
    if membership.ended_at is None:
        record(MEMBER_REMOVED, membership, role=membership.role)
    ended = end_member_sessions(membership, how="the person was erased")
    blank = {"browser": "", "network": "", "id_token": b"", "idp_sid": None}
    scrubbed = session().execute(
        update(Session).where(Session.person_id == membership.person_id).values(blank)
    )
    saved_forms.forget_of(membership.person_id)
    uninvited = _forget_invitations(addresses)
    membership.ended_at, membership.via = membership.ended_at or clock.now(), ERASED
    membership.preferences = {}
    membership.pseudonym = secrets.token_hex(16)  # No entry of the log has this pseudonym.
    renamed = not _is_known_elsewhere(membership)
    if renamed:
        person = membership.person
        person.name, person.email, person.subject = (
            ERASED_NAME,
            "",
            f"erased {secrets.token_hex(16)}",
        )
    session().flush()
    return {
        "sessions ended": ended,
        "sessions": _count(scrubbed),
        "invitations": uninvited,
        "names": int(renamed),
    }


def _forget_invitations(addresses: Collection[str]) -> int:
    to_them = update(Invitation).where(
        func.lower(Invitation.email).in_([a.lower() for a in addresses])
    )
    open_yet = case(
        (Invitation.accepted_at.is_(None), func.coalesce(Invitation.withdrawn_at, clock.now())),
        else_=Invitation.withdrawn_at,
    )
    return _count(session().execute(to_them.values(email="", withdrawn_at=open_yet)))


def _count(result: Any) -> int:
    return int(result.rowcount)


def _is_known_elsewhere(membership: Membership) -> bool:
    """Return whether another tenant knows the person.

    It uses Core, since the session's own filter would hide the other tenants; the policy
    `own_memberships` shows them.
    """
    m = Membership.__table__
    elsewhere = select(m.c.id).where(
        m.c.person_id == membership.person_id, m.c.tenant_id != membership.tenant_id
    )
    return session().execute(elsewhere.where(m.c.via != ERASED).limit(1)).one_or_none() is not None


def data_subjects_of(person_id: UUID, addresses: Collection[str]) -> list[str]:
    """Return every pseudonym of this person's encrypted parts.

    These are their own, and those of the addresses they were invited at.
    """
    return [
        personal_field_encryption.pseudonym(each)
        for each in (person_id, *(invitee_id(a.strip().lower()) for a in addresses))
    ]
