"""What people and their sign-in ask of the features above them."""

from collections.abc import Callable, Collection
from uuid import UUID

from governance.foundation.people.oidc_types import Identity
from governance.kernel.current import Actor
from governance.kernel.ports import Port


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
why_not_member: Port[Callable[[str], str | None]] = Port(
    "why the person at an address can't be a member", default=_anybody
)
reauthentication_address: Port[Callable[[Actor, str], str | None]] = Port(
    "where a person signs in again who has no identity provider, and what opens then",
    default=_provider,
)
# (proposed connection, who the provider answered for, what went wrong): records a test sign-in for
# the acting person
record_test_sign_in: Port[Callable[[UUID, Identity | None, str], None]] = Port(
    "what follows a test sign-in"
)
