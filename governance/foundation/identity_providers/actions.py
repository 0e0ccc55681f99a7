"""How a tenant's people sign in, and how that changes: by two people, after a test sign-in.

set_up                              the operator, for a tenant that nobody has signed in to yet
propose, note_test, note_test_sign_in    a change is proposed and tested beside the live connection
make_live, close                    another person approved it; it was rejected, withdrawn or
                                    replaced, or expired
reset, note_reset_elsewhere         break-glass: the operator, for a tenant that is locked out
forget_tester                       a person is erased who signed in for a test

A connection's settings never change: a change is another row, and the one before it stays as
history without its secret. Each issuer and client of a tenant has a redirect address of its own, so
that an answer of a proposed provider is never taken for one of the live provider (RFC 9700 §4.4).
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from governance.foundation.approvals import actions as approvals
from governance.foundation.approvals.models import Approval
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.identity_providers import admin_test, permissions, queries
from governance.foundation.identity_providers.connection_settings import (
    ConnectionSettings,
    as_facts,
    is_same_provider,
    secret_of,
    settings_of,
)
from governance.foundation.identity_providers.models import ConnectionChange
from governance.foundation.identity_providers.queries import IDENTITY_CHANGE
from governance.foundation.people import actions as people
from governance.foundation.people import queries as directory
from governance.foundation.people import sign_in_state
from governance.foundation.people.models import ERASED_NAME, Connection
from governance.foundation.people.oidc import Identity
from governance.foundation.privacy.events import PersonErased
from governance.foundation.tenants import actions as tenant_actions
from governance.foundation.tenants import queries as tenants
from governance.foundation.tenants.models import Tenant
from governance.kernel import clock, current, key_encryption
from governance.kernel.access import OPERATOR_ROLES, TENANT_ROLES, require
from governance.kernel.db import alone, session
from governance.kernel.errors import DomainError, Invalid, Stale

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
CHANGE_REQUESTED = action(
    "identity_provider.change.requested",
    "requested a change to the identity provider",
    target="ConnectionChange",
    activity="create",
    severity="medium",
    fields=f"{SETTINGS} secret number domains until",
)
SIGN_IN_TESTED = action(
    "identity_provider.change.tested",
    "tested sign-in through the proposed identity provider",
    target="ConnectionChange",
    activity="update",
    severity="informational",
    fields="passed role",
    personal="email problem",
)
CHANGE_APPROVED = action(
    "identity_provider.change.approved",
    "approved a change to the identity provider",
    target="ConnectionChange",
    activity="update",
    severity="medium",
    fields="fingerprint",
    persons="requested_by tested_by",
)
CHANGE_REJECTED = action(
    "identity_provider.change.rejected",
    "rejected a change to the identity provider",
    target="ConnectionChange",
    activity="update",
    severity="low",
    persons="requested_by",
)
CHANGE_WITHDRAWN = action(
    "identity_provider.change.withdrawn",
    "withdrew a change to the identity provider",
    target="ConnectionChange",
    activity="update",
    severity="low",
)
CHANGE_REPLACED = action(
    "identity_provider.change.replaced",
    "replaced a proposed change to the identity provider",
    target="ConnectionChange",
    activity="update",
    severity="low",
    persons="requested_by",
)
CHANGE_EXPIRED = action(
    "identity_provider.change.expired",
    "closed an expired change to the identity provider",
    target="ConnectionChange",
    activity="update",
    severity="informational",
)
RESET = action(
    "identity_provider.reset",
    "reset the tenant's sign-in as the operator",
    target="Tenant",
    activity="update",
    severity="high",
    fields="tenant provider admin sessions",
)

LOCK = "sign-in"  # two people who change it at once wait for each other
MAX_REASON_LENGTH = approvals.MAX_REASON_LENGTH
CHANGE_CLOSED = (
    "This change is no longer open: it was decided, replaced or withdrawn, or it has expired."
)


class ConnectionUnchanged(DomainError):
    """It is like that already."""


# ---- a tenant that nobody has signed in to


def set_up(settings: ConnectionSettings, *, secret: str | None) -> Connection:
    """Set the first connection, or correct it until somebody has signed in: that sign-in is its
    test.
    """
    alone(LOCK)
    check_group_roles(settings.group_roles)
    if directory.has_signed_in():
        raise DomainError(
            "Someone has already signed in to this tenant. Two of its admins now change sign-in"
            " together."
        )
    live = directory.connection()
    encrypted = encrypted_secret(settings, secret, [live])
    made = build_connection("live", settings, encrypted, number=1)
    go_live(made, live)
    return made


# ---- proposing


def opened_with(live: Connection | None, change: ConnectionChange | None) -> str:
    """What a form was opened with: the live connection and the open change."""
    return f"{live.id if live else ''}.{change.id if change else ''}"


def propose(
    settings: ConnectionSettings, *, secret: str | None, domains: set[str], reason: str, seen: str
) -> ConnectionChange:
    """Request a change; the live connection stays as it is. It takes the place of an open one.

    A proposed connection has to pass a test sign-in before anybody is asked to approve it.
    """
    alone(LOCK)
    check_group_roles(settings.group_roles)
    live, (earlier, request) = directory.connection(), queries.open_change() or (None, None)
    if seen != opened_with(live, earlier):
        if (
            earlier is not None
            and request is not None
            and _is_repeated(earlier, request, settings, secret, domains, reason)
        ):
            return earlier
        raise Stale(
            "Someone else changed or proposed something while you were editing. Review it, then"
            " propose your change again.",
            _differences(settings, live, earlier),
        )
    wanted, present = (
        sorted(tenant_actions.check_domains(acting_tenant(), domains)),
        queries.domains(),
    )
    proposed = queries.proposed_connection(earlier) if earlier else None
    encrypted = encrypted_secret(settings, secret, [proposed, live])
    is_same = live is not None and settings == settings_of(live) and encrypted == live.secret
    if is_same and wanted == present:
        raise ConnectionUnchanged(
            "Your proposal matches the live connection. Change a value, then propose it."
        )
    replace_open_change("Another change was proposed in its place.")
    made = (
        None
        if is_same
        else build_connection(
            "proposed", settings, encrypted, number=redirect_number(settings, live)
        )
    )
    if made is not None:
        session().add(made)
        session().flush()
    change = ConnectionChange(
        connection_id=made.id if made else None,
        base_id=live.id if live else None,
        domains=wanted,
        base_domains=present,
        test=None,
        tested_by=None,
        tested_at=None,
    )
    session().add(change)
    session().flush()
    asked = approvals.request(
        IDENTITY_CHANGE,
        change.id,
        summary="change how people sign in",
        reason=reason,
        is_ready=made is None,
    )
    before = {"domains": present} | (as_facts(live) if live else {})
    after = {"domains": wanted} | (as_facts(made) if made else {})
    record(
        CHANGE_REQUESTED,
        change,
        reason=asked.reason,
        before=before,
        after=after,
        until=asked.expires_at,
        secret=_secret_word(made, live),
    )
    return change


def record_connection_check(connection: Connection, steps: Sequence[dict[str, Any]]) -> None:
    """Whether its provider can be reached: nobody signs in for it."""
    connection.tested_at, connection.findings = clock.now(), list(steps)
    passed = sum(bool(step["ok"]) for step in steps)
    record(CONNECTION_TESTED, connection, passed=passed, failed=len(steps) - passed)


def record_test_sign_in_result(
    connection_id: UUID, identity: Identity | None, problem: str = ""
) -> None:
    """What a test sign-in through the proposed connection showed.

    It passes when that identity would sign in as an admin.

    Approvals of an earlier test no longer count.
    """
    require(permissions.CHANGE)
    alone(LOCK)
    change, _ = queries.open_change() or (None, None)
    if change is None or change.connection_id != connection_id:
        raise DomainError(CHANGE_CLOSED)
    session().refresh(change, with_for_update=True)
    found: dict[str, Any] = {"passed": False, "problem": problem}
    connection = queries.proposed_connection(change)
    if identity is not None and connection is not None:
        found = admin_test.result_of(identity, connection)
    change.test, change.tested_by, change.tested_at = found, current.person_id(), clock.now()
    session().flush()
    record(
        SIGN_IN_TESTED,
        change,
        passed=found["passed"],
        role=found.get("role"),
        email=found.get("email"),
        problem=found["problem"] or None,
    )
    approvals.renew(IDENTITY_CHANGE, change.id, is_ready=found["passed"])


def erase_tester(erased: PersonErased) -> None:
    """A test shows who signed in for it: the erased person's results go, and an open change has to
    be tested again.
    """
    alone(LOCK)
    theirs = select(ConnectionChange).where(
        ConnectionChange.test["person"].astext == str(erased.person_id)
    )
    for change in session().scalars(theirs.with_for_update()).all():
        change.test = {"passed": False, "problem": ERASED_NAME}
        session().flush()
        if change.state == "requested":
            approvals.renew(IDENTITY_CHANGE, change.id, is_ready=False)


# ---- decided


def make_live(change: ConnectionChange) -> int:
    """Make the approved change live, with its domains.

    Returns how many sessions that ended.

    People are known by issuer and subject. When either the issuer or the client is another one, its
    provider can no longer end the sessions that the former one started, so those end here and
    everybody signs in again.
    """
    session().refresh(change, with_for_update=True)
    live, made, ended = directory.connection(), queries.proposed_connection(change), 0
    if live is not None:
        session().refresh(
            live, with_for_update=True
        )  # before any invitation, in the order of sign-ins
    if made is not None:
        admin_test.check_still_passes(change.test or {}, made)
        ended = go_live(made, live)
    tenant_actions.set_domains(acting_tenant(), set(change.domains))
    change.state = "approved"
    return ended


def close_change(change: ConnectionChange, state: str) -> None:
    """It never goes live, and its secret is forgotten."""
    change.state = state
    proposed = queries.proposed_connection(change)
    if proposed is not None:
        proposed.state, proposed.secret = "discarded", b""


# ---- break-glass


def reset_sign_in(
    settings: ConnectionSettings | None,
    *,
    secret: str | None,
    admin: str | None,
    reason: str,
    link: str,
) -> int:
    """The operator, for a tenant that is locked out: another connection, an admin, or both.

    Returns how many sessions ended.

    An open change is closed. The group mapping of another issuer is dropped: its groups are another
    company's. `link` is where the invited admin signs in.
    """
    alone(LOCK)
    check_reason(reason)
    if settings is None and admin is None:
        raise Invalid("Nothing would change. Give a connection, an admin, or both.")
    replace_open_change("The operator reset how people sign in.")
    live = directory.connection()
    if settings is not None:
        encrypted = encrypted_secret(settings, secret, [live])
        made = build_connection("live", settings, encrypted, number=redirect_number(settings, live))
        go_live(made, live, ends_sessions=False)
        live = made
    if live is None:
        raise Invalid("This tenant has no connection yet. Give an issuer and a client ID.")
    ended = people.end_all_sessions(how="the operator reset how people sign in")
    if admin is not None:
        people.make_admin(admin, live.issuer, tenant_name=current.actor().tenant_name, link=link)
    record(
        RESET,
        acting_tenant(),
        reason=reason.strip()[:MAX_REASON_LENGTH],
        provider=settings.issuer if settings else None,
        admin="invited" if admin else None,
        sessions=ended,
    )
    return ended


def record_reset_at_operator(slug: str, *, reason: str, provider: str | None, admin: bool) -> None:
    """In the operator's own log, before the tenant is touched: no reset without this entry."""
    record(
        RESET,
        acting_tenant(),
        reason=reason.strip()[:MAX_REASON_LENGTH],
        tenant=slug,
        provider=provider,
        admin="invited" if admin else None,
    )


# ---- rows


def build_connection(
    state: str, settings: ConnectionSettings, encrypted: bytes, *, number: int
) -> Connection:
    values = asdict(settings) | {"group_roles": dict(settings.group_roles)}
    return Connection(
        **values, state=state, number=number, secret=encrypted, tested_at=None, findings=[]
    )


def redirect_number(settings: ConnectionSettings, live: Connection | None) -> int:
    """Of its redirect address: the live one's for the same issuer and client, or one that no other
    pair has ever had.

    Corrections of a first set-up share number 1, so a mistyped issuer of then gets another number
    now.
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
    """Returns how many sessions of the former provider that ended."""
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


def _secret_word(made: Connection | None, live: Connection | None) -> str | None:
    """That there is one, or another one; never which."""
    if made is None:
        return None
    return "set" if live is None else "replaced" if made.secret != live.secret else None


def _end_sessions_of_former(former: Connection | None, made: Connection) -> int:
    if former is None or is_same_provider(former, made):
        return 0
    return people.end_all_sessions(
        how="the tenant changed its identity provider", issuer=former.issuer
    )


def replace_open_change(reason: str) -> None:
    """Close the open change, also one that has expired and wasn't closed yet; its approval is
    void.
    """
    change = queries.unfinished_change()
    if change is not None:
        approvals.void(IDENTITY_CHANGE, change.id, reason=reason)
    session().flush()


def _is_repeated(
    change: ConnectionChange,
    request: Approval,
    settings: ConnectionSettings,
    secret: str | None,
    domains: set[str],
    reason: str,
) -> bool:
    """Whether the acting person has just proposed this, with this secret: the second one of two
    clicks.
    """
    proposed = queries.proposed_connection(change)
    mine = (
        str(current.person_id()) in request.requesters
        and request.reason == reason.strip()[:MAX_REASON_LENGTH]
    )
    if not mine or proposed is None or set(change.domains) != domains:
        return False
    return settings == settings_of(proposed) and (not secret or secret == secret_of(proposed))


def _differences(
    settings: ConnectionSettings, live: Connection | None, change: ConnectionChange | None
) -> dict[str, tuple[object, object]]:
    """Field → (typed, what there is now): the open change's, or the live connection's."""
    theirs = (queries.proposed_connection(change) if change else None) or live
    now = asdict(settings_of(theirs)) if theirs else {}
    typed = asdict(settings)
    return {name: (typed[name], value) for name, value in now.items() if typed[name] != value}


def encrypted_secret(
    settings: ConnectionSettings, secret: str | None, stored: Sequence[Connection | None]
) -> bytes:
    """A blank one keeps that which is stored for the same issuer and client: it never travels to
    another.
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


# ---- checks


def check_group_roles(group_roles: Mapping[str, str]) -> None:
    roles = OPERATOR_ROLES if current.actor().role.startswith("operator") else TENANT_ROLES
    if bad := sorted(
        role for role in group_roles.values() if role not in roles or role == "auditor"
    ):
        raise Invalid(
            f"Groups can't give the role {bad[0]}. Choose another role.", field="group_roles"
        )


def check_reason(reason: str) -> None:
    if not reason.strip():
        raise Invalid("Give a reason. It is kept in the audit log.", field="reason")


def acting_tenant() -> Tenant:
    tenant = tenants.tenant_by_id(current.actor().tenant_id)
    if tenant is None:
        raise RuntimeError("the acting tenant is always there")
    return tenant
