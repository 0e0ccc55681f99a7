"""Find the user of the directory who signs in: docs/decisions/0074.

Anybody can claim an address, so it matches only with a proof: the provider verifies it, or the
subject is the directory's own id of the user. An entry belongs to the first account that proves to
be it.
"""

from governance.foundation.people.models import Connection, Membership
from governance.foundation.people.oidc_types import Identity
from governance.foundation.people.ports import DirectoryEntry
from governance.foundation.people.sign_in_rules import is_address_proven
from governance.foundation.scim import queries
from governance.foundation.scim.comparison_key import comparison_key
from governance.foundation.scim.models import DirectoryUser


def entry_of(
    identity: Identity, connection: Connection, held: Membership | None
) -> DirectoryEntry | None:
    """Return what the directory says about the person who signs in.

    `held` is the membership they have or had. The answer that an account is deactivated needs no
    proof: it gives nothing. If several active users have one address, there is no match. Auditors
    come by an engagement, not by the directory.
    """
    if held is not None:
        if held.role == "auditor":
            return None
        if (linked := queries.user_of_membership(held.id)) is not None:
            return _entry(linked, connection, held)
    named = queries.users_at_address(comparison_key(identity.email))
    active = [each for each in named if each.is_active]
    if not active:
        return _entry(named[0], connection, held) if named else None
    if len(active) > 1 or not _is_proven(identity, connection, active[0]):
        return None
    return _entry(active[0], connection, held)


def _is_proven(identity: Identity, connection: Connection, found: DirectoryUser) -> bool:
    return is_address_proven(identity, connection) or (
        bool(identity.subject)
        and identity.subject == found.external_id
        and identity.email_verified is not False
    )


def _entry(found: DirectoryUser, connection: Connection, held: Membership | None) -> DirectoryEntry:
    is_theirs = found.membership_id is None or (held is not None and found.membership_id == held.id)
    return DirectoryEntry(
        found.id,
        is_active=found.is_active,
        role=queries.roles_by_groups([found.id], connection)[found.id] if is_theirs else None,
        may_return=(
            held is not None
            and found.membership_id == held.id
            and held.ended_at is not None
            and found.access_ended_at == held.ended_at
        ),
        is_taken=not is_theirs,
    )
