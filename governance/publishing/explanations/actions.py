"""Actions that open the public explanation of an AI system.

switch_on, switch_off    its page; the address stays the same
choose_origins           the sites that may embed it
renew_address            another address; the previous one stops working immediately
"""

import re
from collections.abc import Sequence
from urllib.parse import urlsplit

from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.tenants.public_addresses import new_token
from governance.kernel.data.db import lock_tenant, session
from governance.kernel.errors import DomainError, Invalid
from governance.kernel.safety.access import require
from governance.operations.systems.models import AISystem
from governance.publishing.explanations import permissions, queries
from governance.publishing.explanations.models import SystemExplanation

SWITCHED_ON = action(
    "explanation.switched_on",
    "switched the public explanation of an AI system on",
    target="SystemExplanation",
    activity="update",
    severity="medium",
    fields="system",
    shape="up",
)
SWITCHED_OFF = action(
    "explanation.switched_off",
    "switched the public explanation of an AI system off",
    target="SystemExplanation",
    activity="update",
    severity="medium",
    fields="system",
    shape="down",
)
ORIGINS_CHANGED = action(
    "explanation.origins.changed",
    "changed who may embed the public explanation of an AI system",
    target="SystemExplanation",
    activity="update",
    severity="medium",
    fields="system origins",
)
ADDRESS_REPLACED = action(
    "explanation.address.replaced",
    "replaced the address of the public explanation of an AI system",
    target="SystemExplanation",
    activity="update",
    severity="medium",
    fields="system",
)

ADDRESS = "why"  # The kind of its tokens.
MAX_ORIGINS = 10
HOST = re.compile(r"(\*\.)?[a-z0-9]([a-z0-9.-]{0,200}[a-z0-9])?")


def switch_on(system: AISystem) -> SystemExplanation:
    """Switch the page on. The first time gives it an address. Idempotent."""
    require(permissions.OPEN)
    lock_tenant(f"explanation of {system.id}")
    if system.is_retired:
        raise DomainError(f"{system.name} is retired, so nobody sees it any more.")
    found = queries.explanation(system.id, lock=True)
    if found is not None and found.is_public:
        return found
    if found is None:
        found = SystemExplanation(
            system_id=system.id, token=new_token(ADDRESS), is_public=True, origins=[]
        )
        session().add(found)
    found.is_public = True
    session().flush()
    record(SWITCHED_ON, found, system=system.key)
    return found


def switch_off(system: AISystem) -> None:
    require(permissions.OPEN)
    found = _found(system)
    if found.is_public:
        found.is_public = False
        record(SWITCHED_OFF, found, system=system.key)


def choose_origins(system: AISystem, given: str) -> None:
    """Let pages of these origins embed it, one per line. An empty text allows none.

    Raises Invalid, which names the line.
    """
    require(permissions.OPEN)
    found, origins = _found(system), read_origins(given)
    if list(origins) != found.origins:
        found.origins = list(origins)
        record(ORIGINS_CHANGED, found, system=system.key, origins=list(origins))


def renew_address(system: AISystem) -> None:
    require(permissions.OPEN)
    found = _found(system)
    found.token = new_token(ADDRESS)
    record(ADDRESS_REPLACED, found, system=system.key)


def _found(system: AISystem) -> SystemExplanation:
    lock_tenant(f"explanation of {system.id}")
    found = queries.explanation(system.id, lock=True)
    if found is None:
        raise DomainError("The public explanation was never switched on.")
    return found


def read_origins(given: str) -> Sequence[str]:
    """Return the origins in a text: https, a host (`*.` for its subdomains), and an optional port.

    They become the frame-ancestors of the page's Content-Security-Policy, so nothing else is
    accepted. Raises Invalid.
    """
    lines = [line.strip().lower() for line in given.splitlines() if line.strip()]
    if len(lines) > MAX_ORIGINS:
        raise Invalid(f"Enter at most {MAX_ORIGINS} origins.", field="origins")
    return list(dict.fromkeys(_origin(line, number) for number, line in enumerate(lines, 1)))


def _origin(line: str, number: int) -> str:
    try:
        parts = urlsplit(line)
        host, port = parts.hostname or "", parts.port
    except ValueError as wrong:
        raise _wrong(number) from wrong
    origin = f"https://{host}{f':{port}' if port else ''}"
    if line.rstrip("/") != origin or not HOST.fullmatch(host) or ".." in host:
        raise _wrong(number)
    return origin


def _wrong(number: int) -> Invalid:
    return Invalid(
        f"Line {number}: enter an origin such as https://app.example, without a path.",
        field="origins",
    )
