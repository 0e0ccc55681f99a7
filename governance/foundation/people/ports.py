"""Ports of people and their sign-in, which features above them fill."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from uuid import UUID

from governance.foundation.people.models import Connection, Membership
from governance.foundation.people.oidc_types import Identity
from governance.kernel.current import Actor
from governance.kernel.ports import Port


@dataclass(frozen=True, slots=True)
class DirectoryEntry:
    """The entry of the person who signs in, in the tenant's directory.

    `role` is that of their directory groups, None if no mapping gives one. `may_return`: it was the
    directory that ended their membership, so the directory may start it again. `is_taken`: another
    account has signed in as this entry.
    """

    user_id: UUID
    is_active: bool
    role: str | None = None
    may_return: bool = False
    is_taken: bool = False


def _anybody(_email: str) -> str | None:
    return None


def _provider(_who: Actor, _onward: str) -> str | None:
    return None


def _nobody(_operator: Actor) -> Actor | None:
    return None


def _nameless(_pseudonyms: Collection[str]) -> dict[str, str]:
    return {}


support_visitor: Port[Callable[[Actor], Actor | None]] = Port(
    "who an operator is in the tenant whose page they open", default=_nobody
)
outsider_names: Port[Callable[[Collection[str]], dict[str, str]]] = Port(
    "names of actors in the log who were never members", default=_nameless
)


def _no_entry(
    _identity: Identity, _connection: Connection, _held: Membership | None
) -> DirectoryEntry | None:
    return None


def _no_link(_user_id: UUID, _membership: Membership) -> None:
    raise RuntimeError("there is no directory to link with")


why_not_member: Port[Callable[[str], str | None]] = Port(
    "why the person at an address can't be a member", default=_anybody
)
reauthentication_address: Port[Callable[[Actor, str], str | None]] = Port(
    "where a person signs in again who has no identity provider, and what opens then",
    default=_provider,
)
# Records a test sign-in for the acting person, from (proposed connection, identity, problem).
record_test_sign_in: Port[Callable[[UUID, Identity | None, str], None]] = Port(
    "what follows a test sign-in"
)
# Takes (identity, connection, the membership that they have or had) and writes nothing.
directory_entry: Port[
    Callable[[Identity, Connection, Membership | None], DirectoryEntry | None]
] = Port("what the directory says about a person who signs in", default=_no_entry)
link_directory_entry: Port[Callable[[UUID, Membership], None]] = Port(
    "that a membership is a user of the directory from now on", default=_no_link
)
