"""The settings of a connection: as values, as people read them, and what a change makes of them.

settings_of(connection)      what it is, its secret aside
labelled(connection, …)      label → value as a person reads it
changed(change)              each setting that differs, before and after
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from governance.foundation.approvals.kinds import ProposedChange
from governance.foundation.identity_providers import queries
from governance.foundation.identity_providers.models import ConnectionChange
from governance.foundation.people import queries as people
from governance.foundation.people import sign_in_state
from governance.foundation.people.models import Connection
from governance.kernel.safety import key_encryption
from governance.kernel.safety.access import ROLE_NAMES

LABELS = {
    "issuer": "Issuer",
    "client_id": "Client ID",
    "enforced": "Single sign-on",
    "verifies_addresses": "Verified email addresses",
    "group_roles": "Groups and roles",
    "domains": "Work domains",
}
LOOSENED = {
    LABELS["enforced"]: "Optional",
    LABELS["verifies_addresses"]: "All addresses from this provider",
}


@dataclass(frozen=True, slots=True)
class ConnectionSettings:
    """The settings of a connection, without its secret."""

    issuer: str
    client_id: str
    enforced: bool
    group_roles: Mapping[str, str]
    verifies_addresses: bool = False


def settings_of(connection: Connection) -> ConnectionSettings:
    return ConnectionSettings(
        connection.issuer,
        connection.client_id,
        connection.enforced,
        dict(connection.group_roles),
        connection.verifies_addresses,
    )


def as_facts(connection: Connection) -> dict[str, Any]:
    """Return settings and redirect number, for the audit log and fingerprints."""
    return asdict(settings_of(connection)) | {"number": connection.number}


def secret_digest(connection: Connection) -> str:
    """Return the SHA-256 of the client secret, bound to its connection; empty once it was deleted.

    It is for fingerprints and never shown. It covers the decrypted secret: a rotation of the
    installation's key encrypts it again, and must not void a request.
    """
    if not connection.secret:
        return ""
    return hashlib.sha256(connection.id.bytes + secret_of(connection).encode()).hexdigest()


def secret_of(connection: Connection) -> str:
    """Return the decrypted client secret, for comparing; never shown."""
    return key_encryption.unwrap(
        connection.secret, sign_in_state.secret_context(connection.tenant_id)
    ).decode()


def is_same_provider(one: Connection | None, other: Connection | None) -> bool:
    """Return whether both are the same client at the same issuer."""
    return (
        one is not None
        and other is not None
        and (one.issuer, one.client_id) == (other.issuer, other.client_id)
    )


def labelled(connection: Connection | None, domains: Sequence[str]) -> dict[str, str]:
    """Return label → value, as a person reads it; a row for each group."""
    rows = {LABELS["domains"]: ", ".join(domains) or "None"}
    if connection is None:
        return rows
    rows = {
        LABELS["issuer"]: connection.issuer,
        LABELS["client_id"]: connection.client_id,
        LABELS["enforced"]: "Required" if connection.enforced else "Optional",
        LABELS["verifies_addresses"]: (
            "All addresses from this provider"
            if connection.verifies_addresses
            else "Only with the email_verified claim"
        ),
        **rows,
    }
    return rows | {
        f"Group {group}": ROLE_NAMES.get(role, role)
        for group, role in sorted(connection.group_roles.items())
    }


def proposed_changes(change: ConnectionChange) -> list[ProposedChange]:
    """Return everything that it changes; of a secret only that there is another one."""
    base, proposed = people.connection_row(change.base_id), queries.proposed_connection(change)
    return list(
        _changed(labelled(base, change.base_domains), labelled(proposed or base, change.domains))
    ) + (
        [ProposedChange("Client secret", "Current secret" if base else None, "New secret")]
        if proposed is not None and _brings_secret(change, proposed, base)
        else []
    )


def _changed(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[ProposedChange]:
    for label in [*after, *(label for label in before if label not in after)]:
        was, will_be = before.get(label), after.get(label)
        if was != will_be:
            loosens = None not in {was, will_be} and LOOSENED.get(label) == will_be
            yield ProposedChange(label, was, will_be, note="loosens" if loosens else "")


def _brings_secret(change: ConnectionChange, proposed: Connection, base: Connection | None) -> bool:
    """Return whether it has a secret of its own.

    Nobody knows any more for a closed change: former secrets are not kept.
    """
    return change.state == "requested" and (base is None or proposed.secret != base.secret)
