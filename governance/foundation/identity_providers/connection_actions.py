"""The live connection of a tenant: set it up, check it, and replace it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import func, select

from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.identity_providers.connection_settings import (
    ConnectionSettings,
    as_facts,
    is_same_provider,
)
from governance.foundation.people import queries as directory
from governance.foundation.people import session_actions, sign_in_state
from governance.foundation.people.models import Connection
from governance.foundation.tenants import queries as tenants
from governance.foundation.tenants.models import Tenant
from governance.kernel import clock, current
from governance.kernel.data.db import lock_tenant, session
from governance.kernel.errors import DomainError, Invalid
from governance.kernel.safety import key_encryption
from governance.kernel.safety.access import OPERATOR_ROLES, TENANT_ROLES
from governance.kernel.safety.outbound_http import origin_of

SETTINGS = "issuer client_id enforced verifies_addresses group_roles"
CONNECTION_CHANGED = action(
    "identity_provider.changed",
    "changed the identity provider connection",
    target="Connection",
    activity="update",
    severity="high",
    fields=f"{SETTINGS} secret number sessions",
)
CONNECTION_TESTED = action(
    "identity_provider.tested",
    "tested the identity provider connection",
    target="Connection",
    activity="read",
    severity="informational",
    fields="passed failed",
)
LOCK = "sign-in"  # Two people who change it at once wait for each other.


def set_up(settings: ConnectionSettings, *, secret: str | None) -> Connection:
    """Set the first connection, or correct it until somebody has signed in. Only the operator does.

    The first sign-in is its test.
    """
    lock_tenant(LOCK)
    check_group_roles(settings.group_roles)
    if directory.has_signed_in():
        raise DomainError(
            "Someone has already signed in to this tenant. Two of its admins now change sign-in"
            " together."
        )
    live = directory.connection()
    encrypted = encrypted_secret(settings, secret, [live])
    made = build_connection("live", settings, encrypted, number=1, named_by_operator=True)
    go_live(made, live)
    return made


def record_connection_check(connection: Connection, steps: Sequence[dict[str, Any]]) -> None:
    """Record whether its provider can be reached. Nobody signs in for it."""
    connection.tested_at, connection.findings = clock.now(), list(steps)
    passed = sum(bool(step["ok"]) for step in steps)
    record(CONNECTION_TESTED, connection, passed=passed, failed=len(steps) - passed)


def build_connection(
    state: str,
    settings: ConnectionSettings,
    encrypted: bytes,
    *,
    number: int,
    named_by_operator: bool,
) -> Connection:
    values = asdict(settings) | {"group_roles": dict(settings.group_roles)}
    return Connection(
        **values,
        state=state,
        number=number,
        secret=encrypted,
        named_by_operator=named_by_operator,
        tested_at=None,
        findings=[],
    )


def private_origin() -> str:
    """Return the origin that a proposed provider may have on a private network.

    It is that of the live provider if the operator named it, so that a tenant can't choose which
    server of a private network Meridian calls.
    """
    live = directory.connection()
    return origin_of(live.issuer) if live is not None and live.named_by_operator else ""


def redirect_number(settings: ConnectionSettings, live: Connection | None) -> int:
    """Return the number of the connection's redirect address.

    It is the live one's for the same issuer and client, or one that no other pair has ever had.
    Corrections of a first set-up share number 1, so an issuer that was mistyped then gets another
    number now.
    """
    if live is not None and (settings.issuer, settings.client_id) == (live.issuer, live.client_id):
        return live.number
    same = (Connection.issuer == settings.issuer) & (Connection.client_id == settings.client_id)
    own = select(Connection.number).where(
        same, Connection.number.not_in(select(Connection.number).where(~same))
    )
    return (
        session().scalar(own.limit(1))
        or (session().scalar(select(func.max(Connection.number))) or 0) + 1
    )


def go_live(made: Connection, former: Connection | None, *, ends_sessions: bool = True) -> int:
    """Make a connection live; return how many sessions of the former provider that ended."""
    before, former_secret = (as_facts(former), former.secret) if former else ({}, b"")
    if former is not None:
        former.state, former.secret = "retired", b""
        session().flush()
    made.state = "live"
    session().add(made)
    session().flush()
    ended = _end_sessions_of_former(former, made) if ends_sessions else 0
    word = "set" if former is None else "replaced" if made.secret != former_secret else None
    record(
        CONNECTION_CHANGED,
        made,
        before=before,
        after=as_facts(made),
        secret=word,
        sessions=ended if former and ends_sessions else None,
    )
    return ended


def _end_sessions_of_former(former: Connection | None, made: Connection) -> int:
    if former is None or is_same_provider(former, made):
        return 0
    return session_actions.end_all_sessions(
        how="the tenant changed its identity provider", issuer=former.issuer
    )


def encrypted_secret(
    settings: ConnectionSettings, secret: str | None, stored: Sequence[Connection | None]
) -> bytes:
    """Return the encrypted secret, or the one stored for the same issuer and client if blank.

    A stored secret is never sent to another issuer or client.
    """
    if secret:
        return key_encryption.wrap(
            secret.encode(), sign_in_state.secret_context(current.actor().tenant_id)
        )
    same = [
        s.secret
        for s in stored
        if s is not None and (s.issuer, s.client_id) == (settings.issuer, settings.client_id)
    ]
    if not same:
        known = any(s is not None for s in stored)
        raise Invalid(
            (
                "Enter the client secret of this issuer and client."
                if known
                else "Enter the client secret."
            ),
            field="secret",
        )
    return same[0]


def check_group_roles(group_roles: Mapping[str, str]) -> None:
    roles = OPERATOR_ROLES if current.actor().role.startswith("operator") else TENANT_ROLES
    if bad := sorted(
        role for role in group_roles.values() if role not in roles or role == "auditor"
    ):
        raise Invalid(
            f"Groups can't give the role {bad[0]}. Choose another role.", field="group_roles"
        )


def acting_tenant() -> Tenant:
    tenant = tenants.tenant_by_id(current.actor().tenant_id)
    if tenant is None:
        raise RuntimeError("the acting tenant is always there")
    return tenant
