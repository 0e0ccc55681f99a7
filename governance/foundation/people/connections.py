"""How a tenant's people sign in, and how that changes: by two people, after a test sign-in.

set_up                              the operator, for a tenant that nobody has signed in to yet
propose, note_test, note_test_sign_in    a change is proposed and tested beside the live connection
approve, reject, withdraw, expire   another person makes it live, with its domains, in one transaction
reset                               break-glass: the operator, for a tenant that is locked out

A connection's settings never change: a change is another row, and the one before it stays as history without its secret.
Each issuer and client of a tenant has a redirect address of its own, so that an answer of a proposed provider is never
taken for one of the live provider (RFC 9700 §4.4).
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.people import actions, admission, queries, sign_in_state
from governance.foundation.people.models import Connection, ConnectionChange, person_key
from governance.foundation.people.oidc import Identity
from governance.foundation.people.second_person import ApprovalRequest
from governance.foundation.tenants import actions as tenant_actions
from governance.foundation.tenants import queries as tenants
from governance.foundation.tenants.models import Tenant
from governance.kernel import clock, current, key_encryption
from governance.kernel.access import OPERATOR_ROLES, ROLE_NAMES, TENANT_ROLES
from governance.kernel.db import alone, session
from governance.kernel.errors import DomainError, Forbidden, Invalid, Stale

SETTINGS = "issuer client_id enforced verifies_addresses group_roles"
CONNECTED = action(
    "connection.changed",
    "changed how people sign in",
    target="Connection",
    activity="update",
    severity="high",
    fields=f"{SETTINGS} secret number",
)
TESTED = action(
    "connection.tested",
    "tested the identity provider",
    target="Connection",
    activity="read",
    severity="informational",
    fields="passed failed",
)
REQUESTED = action(
    "connection.change.requested",
    "proposed a change to sign-in",
    target="ConnectionChange",
    activity="create",
    severity="medium",
    fields=f"{SETTINGS} secret number domains until",
)
SIGN_IN_TESTED = action(
    "connection.change.tested",
    "tested signing in through the proposed connection",
    target="ConnectionChange",
    activity="update",
    severity="informational",
    fields="passed role",
    personal="email problem",
)
APPROVED = action(
    "connection.change.approved", "approved a change to sign-in", target="ConnectionChange", activity="update", severity="medium", fields="sessions fingerprint",
    persons="requested_by tested_by",
)  # fmt: skip
REJECTED = action(
    "connection.change.rejected",
    "rejected a change to sign-in",
    target="ConnectionChange",
    activity="update",
    severity="low",
    persons="requested_by",
)
WITHDRAWN = action(
    "connection.change.withdrawn", "withdrew a change to sign-in", target="ConnectionChange", activity="update", severity="low"
)
REPLACED = action(
    "connection.change.replaced",
    "replaced a proposed change to sign-in",
    target="ConnectionChange",
    activity="update",
    severity="low",
    persons="requested_by",
)
EXPIRED = action(
    "connection.change.expired",
    "closed a change to sign-in that expired",
    target="ConnectionChange",
    activity="update",
    severity="informational",
)
RESET = action(
    "identity.reset",
    "reset how people sign in, as the operator",
    target="Tenant",
    activity="update",
    severity="high",
    fields="tenant provider admin sessions",
)

key_encryption.holds(Connection, "secret", lambda row: sign_in_state.secret_context(row.tenant_id))

LIFETIME = timedelta(days=14)
MAX_REASON_LENGTH = 2000
ADMINS = ("admin", "operator_admin")
PURPOSE = "sign-in"  # what two people who change it at once wait for


@dataclass(frozen=True, slots=True)
class Settings:
    """What a connection is, its secret aside."""

    issuer: str
    client_id: str
    enforced: bool
    group_roles: Mapping[str, str]
    verifies_addresses: bool = False


class Unchanged(DomainError):
    """It is like that already."""


def settings_of(connection: Connection) -> Settings:
    return Settings(
        connection.issuer, connection.client_id, connection.enforced, dict(connection.group_roles), connection.verifies_addresses
    )


# ---- a tenant that nobody has signed in to


def set_up(settings: Settings, *, secret: str | None) -> Connection:
    """Set the first connection, or correct it until somebody has signed in: that sign-in is its test."""
    alone(PURPOSE)
    _check_mapping(settings.group_roles)
    if queries.has_signed_in():
        raise DomainError("Someone has already signed in here, so two admins of this tenant change sign-in.")
    live = queries.connection()
    sealed = _secret_for(settings, secret, [live])
    return _go_live(_new("live", settings, sealed, number=1), live)


# ---- proposing


def opened(live: Connection | None, change: ConnectionChange | None) -> str:
    """What a form was opened with: the live connection and the open change."""
    return f"{live.id if live else ''}.{change.id if change else ''}"


def propose(
    settings: Settings, *, secret: str | None, domains: set[str], reason: str, seen: str
) -> ConnectionChange:  # fmt: skip
    """Request a change; the live connection stays as it is. It takes the place of an open one."""
    alone(PURPOSE)
    _check_mapping(settings.group_roles)
    _check_reason(reason)
    live, earlier = queries.connection(), queries.open_change()
    if seen != opened(live, earlier):
        if earlier is not None and _is_repeated(earlier, settings, domains, reason):
            return earlier
        raise Stale("Someone else changed or proposed something since you opened this page. Review it, then send yours again.",
                    _differences(settings, live, earlier))  # fmt: skip
    tenant = _tenant()
    wanted, present = sorted(tenant_actions.check_domains(tenant, domains)), _domains_now()
    proposed = queries.connection_row(earlier.connection_id) if earlier else None
    sealed = _secret_for(settings, secret, [proposed, live])
    is_same = live is not None and settings == settings_of(live) and sealed == live.secret
    if is_same and wanted == present:
        raise Unchanged("Nothing changes: people already sign in this way. Change a value, then propose it.")
    _close_open("replaced")
    made = None if is_same else _new("proposed", settings, sealed, number=_number_for(settings, live))
    if made is not None:
        session().add(made)
        session().flush()
    change = ConnectionChange(
        connection_id=made.id if made else None, base_id=live.id if live else None, domains=wanted, base_domains=present,
        reason=reason.strip()[:MAX_REASON_LENGTH], requested_by=current.person_id(), expires_at=clock.now() + LIFETIME,
        test=None, tested_by=None, tested_at=None, decided_by=None, decided_at=None,
    )  # fmt: skip
    session().add(change)
    before = {"domains": present} | (_said(live) if live else {})
    after = {"domains": wanted} | (_said(made) if made else {})
    record(
        REQUESTED,
        change,
        because=change.reason,
        before=before,
        after=after,
        until=change.expires_at,
        secret=_secret_word(made, live),
    )
    return change


def note_test(connection: Connection, steps: Sequence[dict[str, Any]]) -> None:
    """Whether its provider can be reached: nobody signs in for it."""
    connection.tested_at, connection.findings = clock.now(), list(steps)
    passed = sum(bool(step["ok"]) for step in steps)
    record(TESTED, connection, passed=passed, failed=len(steps) - passed)


def note_test_sign_in(change: ConnectionChange, identity: Identity | None, problem: str = "") -> None:
    """What a test sign-in through the proposed connection brought. It passes when that identity would come in as an admin."""
    session().refresh(change, with_for_update=True)
    _check_open(change)
    found: dict[str, Any] = {"passed": False, "problem": problem}
    if identity is not None:
        connection = queries.connection_row(change.connection_id)
        key = person_key(identity.issuer, identity.subject)
        found |= {
            "issuer": identity.issuer, "person": str(key), "name": identity.name, "email": identity.email,
            "verified": identity.email_verified, "groups": list(identity.groups or ()),
        }  # fmt: skip
        role, problem = _role_of(found, connection) if connection else (None, "There is no connection to test.")
        found |= {"role": role, "problem": problem, "passed": not problem}
    change.test, change.tested_by, change.tested_at = found, current.person_id(), clock.now()
    record(
        SIGN_IN_TESTED,
        change,
        passed=found["passed"],
        role=found.get("role"),
        email=found.get("email"),
        problem=found["problem"] or None,
    )


def _role_of(test: Mapping[str, Any], connection: Connection) -> tuple[str | None, str]:
    """(role, what is missing) of who signed in for the test, as that connection would admit them now."""
    identity = Identity(
        connection.issuer, "", test["email"], test["verified"], test["name"], tuple(test["groups"]), None, 0, ""
    )  # fmt: skip
    try:
        found = actions.access_of(UUID(test["person"]), identity, connection)
    except admission.NoMembership:
        return None, _no_access(test, identity, connection)
    if found.role in ADMINS:
        return found.role, ""
    told = f"This person would sign in as {ROLE_NAMES[found.role].lower()}, but the test must show that an admin can sign in. "
    return found.role, told + _advice(test)


def _no_access(test: Mapping[str, Any], identity: Identity, connection: Connection) -> str:
    if _is_invited(identity.email) and not admission.is_address_proven(identity, connection):
        return (f"{identity.email} is invited, but the provider doesn't say that the address is verified (email_verified: true), "
                f"so the invitation doesn't count. Let the provider send that claim, propose {admission.SWITCH}, "
                "or map one of the person's groups.")  # fmt: skip
    return "This person would have no access. " + _advice(test)


def _advice(test: Mapping[str, Any]) -> str:
    groups = ", ".join(test["groups"][:5])
    mapped = (
        f"Map one of their groups ({groups}) to admin"
        if groups
        else "Let the provider send a groups claim and map a group to admin"
    )
    invited = f", or invite {test['email']} as an admin" if test["email"] else ""
    return f"{mapped}{invited}, then test again."


def _is_invited(email: str) -> bool:
    return any(invitation.email == email for invitation in queries.open_invitations())


# ---- deciding


def approval_of(change: ConnectionChange) -> ApprovalRequest:
    return ApprovalRequest(
        [change.requested_by], change.created_at, own="You proposed this change, so another person approves it."
    )


def is_expired(change: ConnectionChange) -> bool:
    return change.expires_at <= clock.now()


def brings_secret(change: ConnectionChange, proposed: Connection) -> bool:
    """Whether it has a secret of its own. Of a closed one nobody knows any more: former secrets are not kept."""
    base = queries.connection_row(change.base_id)
    return change.state == "requested" and (base is None or proposed.secret != base.secret)


def missing(change: ConnectionChange) -> str | None:
    """What is to be done before it can be approved; None where nothing is."""
    if change.connection_id is None:
        return None
    if change.test is None:
        return "No one has signed in through the proposed connection yet. Start the test sign-in first."
    return None if change.test.get("passed") else "The test sign-in failed. Correct what it found, then test again."


def fingerprint(change: ConnectionChange) -> str:
    """SHA-256 over everything that the approver sees: old and new settings, domains, reason, test, and who asks."""
    rows = [queries.connection(), queries.connection_row(change.connection_id)]
    seen = {
        "change": str(change.id), "state": change.state, "reason": change.reason, "by": str(change.requested_by),
        "connections": [{"id": str(row.id), "number": row.number, "state": row.state} | _said(row) if row else None for row in rows],
        "domains": [_domains_now(), change.domains], "test": change.test, "tested_by": str(change.tested_by),
        "tested_at": str(change.tested_at),
    }  # fmt: skip
    return hashlib.sha256(json.dumps(seen, sort_keys=True).encode()).hexdigest()


def approve(change: ConnectionChange, *, seen: str) -> int:
    """Another person makes exactly what they saw live, with its domains. Returns how many sessions that ended.

    People are known by issuer and subject. When either the issuer or the client is another one, its provider can no
    longer end the sessions that the former one started, so those end here and everybody signs in again.
    """
    alone(PURPOSE)
    session().refresh(change, with_for_update=True)
    _check_open(change)
    approval_of(change).check()
    if (todo := missing(change)) is not None:
        raise DomainError(todo)
    if seen != fingerprint(change):
        raise Stale("The change, its test or the live connection is no longer what you saw. Review it again.")
    live = queries.connection()
    if live is not None:
        session().refresh(live, with_for_update=True)  # before any invitation, in the order of sign-ins
    if (live.id if live else None) != change.base_id or _domains_now() != change.base_domains:
        raise DomainError("How people sign in has changed since this was proposed. Propose it again.")
    made, ended = queries.connection_row(change.connection_id), 0
    if made is not None:
        _check_test_holds(change, made)
        _go_live(made, live)
        ended = _end_sessions_of_former(live, made)
    tenant_actions.set_domains(_tenant(), set(change.domains))
    change.state, change.decided_by, change.decided_at = "approved", current.person_id(), clock.now()
    record(APPROVED, change, requested_by=change.requested_by, tested_by=change.tested_by, sessions=ended,
           fingerprint=seen)  # fmt: skip
    return ended


def _check_test_holds(change: ConnectionChange, made: Connection) -> None:
    """Refuse when the person of the test would no longer sign in as an admin: an invitation may have ended since."""
    _, problem = _role_of(change.test or {}, made)
    if problem:
        raise DomainError(f"The test sign-in is no longer valid. {problem}")


def reject(change: ConnectionChange, *, because: str) -> None:
    alone(PURPOSE)
    session().refresh(change, with_for_update=True)
    _check_open(change)
    approval_of(change).check_rejection()
    _check_reason(because)
    _close(change, "rejected")
    change.decided_by = current.person_id()
    record(REJECTED, change, because=because.strip()[:MAX_REASON_LENGTH], requested_by=change.requested_by)


def withdraw(change: ConnectionChange) -> None:
    alone(PURPOSE)
    session().refresh(change, with_for_update=True)
    _check_open(change)
    if change.requested_by != current.person_id():
        raise Forbidden("Only the person who requested this can withdraw it.")
    _close(change, "withdrawn")
    record(WITHDRAWN, change)


def expire() -> None:
    """Nightly: close what nobody decided in time, and forget its secret."""
    query = select(ConnectionChange).where(ConnectionChange.state == "requested", ConnectionChange.expires_at <= clock.now())
    for change in session().scalars(query.with_for_update()).all():
        _close(change, "expired")
        record(EXPIRED, change)


# ---- break-glass


def reset(settings: Settings | None, *, secret: str | None, admin: str | None, reason: str, link: str) -> int:
    """The operator, for a tenant that is locked out: another connection, an admin, or both. Returns how many sessions ended.

    An open change is closed. The group mapping of another issuer is dropped: its groups are another company's. `link` is
    where the invited admin signs in.
    """
    alone(PURPOSE)
    _check_reason(reason)
    if settings is None and admin is None:
        raise Invalid("Give a connection, an admin, or both: nothing would change.")
    _close_open("replaced")
    live = queries.connection()
    if settings is not None:
        sealed = _secret_for(settings, secret, [live])
        live = _go_live(_new("live", settings, sealed, number=_number_for(settings, live)), live)
    if live is None:
        raise Invalid("The tenant has no connection yet, so give one.")
    ended = actions.end_every_session(how="the operator reset how people sign in")
    if admin is not None:
        actions.make_admin(admin, live.issuer, tenant_name=current.actor().tenant_name, link=link)
    record(RESET, _tenant(), because=reason.strip()[:MAX_REASON_LENGTH], provider=settings.issuer if settings else None,
           admin="invited" if admin else None, sessions=ended)  # fmt: skip
    return ended


def note_reset_elsewhere(slug: str, *, reason: str, provider: str | None, admin: bool) -> None:
    """In the operator's own log, before the tenant is touched: no reset without this entry."""
    record(RESET, _tenant(), because=reason.strip()[:MAX_REASON_LENGTH], tenant=slug, provider=provider,
           admin="invited" if admin else None)  # fmt: skip


# ---- rows


def _new(state: str, settings: Settings, sealed: bytes, *, number: int) -> Connection:
    values = asdict(settings) | {"group_roles": dict(settings.group_roles)}
    return Connection(**values, state=state, number=number, secret=sealed, tested_at=None, findings=[])


def _number_for(settings: Settings, live: Connection | None) -> int:
    """Of its redirect address: the live one's for the same issuer and client, or one that no other pair has ever had.

    Corrections of a first set-up share number 1, so a mistyped issuer of then gets another number now.
    """
    if live is not None and (settings.issuer, settings.client_id) == (live.issuer, live.client_id):
        return live.number
    same = (Connection.issuer == settings.issuer) & (Connection.client_id == settings.client_id)
    own = select(Connection.number).where(same, Connection.number.not_in(select(Connection.number).where(~same)))
    return session().scalar(own.limit(1)) or (session().scalar(select(func.max(Connection.number))) or 0) + 1


def _go_live(made: Connection, former: Connection | None) -> Connection:
    if former is not None:
        before, sealed = _said(former), former.secret
        former.state, former.secret = "retired", b""
        session().flush()
    else:
        before, sealed = {}, b""
    made.state = "live"
    session().add(made)
    word = "set" if former is None else "replaced" if made.secret != sealed else None
    record(CONNECTED, made, before=before, after=_said(made), secret=word)
    return made


def _secret_word(made: Connection | None, live: Connection | None) -> str | None:
    """That there is one, or another one; never which."""
    if made is None:
        return None
    return "set" if live is None else "replaced" if made.secret != live.secret else None


def _end_sessions_of_former(former: Connection | None, made: Connection) -> int:
    if former is None or (former.issuer, former.client_id) == (made.issuer, made.client_id):
        return 0
    return actions.end_every_session(how="the tenant changed its identity provider", issuer=former.issuer)


def _close_open(state: str) -> None:
    """Also one that has expired and was not closed yet."""
    query = select(ConnectionChange).where(ConnectionChange.state == "requested").with_for_update()
    for change in session().scalars(query).all():
        _close(change, state)
        record(REPLACED, change, requested_by=change.requested_by)
    session().flush()


def _close(change: ConnectionChange, state: str) -> None:
    change.state, change.decided_at = state, clock.now()
    proposed = queries.connection_row(change.connection_id)
    if proposed is not None:
        proposed.state, proposed.secret = "discarded", b""


def _said(row: Connection) -> dict[str, Any]:
    return asdict(settings_of(row)) | {"number": row.number}


def _is_repeated(change: ConnectionChange, settings: Settings, domains: set[str], reason: str) -> bool:
    """Whether the acting person has just proposed this: the second one of two clicks."""
    proposed = queries.connection_row(change.connection_id)
    mine = change.requested_by == current.person_id() and change.reason == reason.strip()[:MAX_REASON_LENGTH]
    return mine and proposed is not None and settings == settings_of(proposed) and set(change.domains) == domains


def _differences(
    settings: Settings, live: Connection | None, change: ConnectionChange | None
) -> dict[str, tuple[object, object]]:
    """Field → (typed, what there is now): the open change's, or the live connection's."""
    theirs = (queries.connection_row(change.connection_id) if change else None) or live
    now = asdict(settings_of(theirs)) if theirs else {}
    typed = asdict(settings)
    return {name: (typed[name], value) for name, value in now.items() if typed[name] != value}


def _secret_for(settings: Settings, secret: str | None, stored: Sequence[Connection | None]) -> bytes:
    """A blank one keeps that which is stored for the same issuer and client: it never travels to another."""
    if secret:
        return key_encryption.wrap(secret.encode(), sign_in_state.secret_context(current.actor().tenant_id))
    same = [s.secret for s in stored if s is not None and (s.issuer, s.client_id) == (settings.issuer, settings.client_id)]
    if not same:
        known = any(s is not None for s in stored)
        raise Invalid("Another issuer or client needs its own secret." if known else "A first connection needs the client secret.",
                      field="secret")  # fmt: skip
    return same[0]


# ---- checks


def _check_mapping(group_roles: Mapping[str, str]) -> None:
    roles = OPERATOR_ROLES if current.actor().role.startswith("operator") else TENANT_ROLES
    if bad := sorted(role for role in group_roles.values() if role not in roles or role == "auditor"):
        raise Invalid(f"{bad[0]} is not a role that a group can give.", field="group_roles")


def _check_reason(reason: str) -> None:
    if not reason.strip():
        raise Invalid("Give a reason. It is kept in the audit log.", field="reason")


def _check_open(change: ConnectionChange) -> None:
    if change.state != "requested":
        raise DomainError("This change was already decided, replaced or withdrawn.")
    if is_expired(change):
        raise DomainError("This change has expired. Propose it again.")


def _tenant() -> Tenant:
    tenant = tenants.tenant_by_id(current.actor().tenant_id)
    if tenant is None:
        raise RuntimeError("the acting tenant is always there")
    return tenant


def _domains_now() -> list[str]:
    return sorted(tenants.domains_of(current.actor().tenant_id))
