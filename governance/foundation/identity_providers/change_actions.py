"""Propose a change to sign-in, test it, and make it live once another person has approved it."""

from dataclasses import asdict
from typing import Any
from uuid import UUID

from sqlalchemy import select

from governance.foundation.approvals import actions as approvals
from governance.foundation.approvals.models import Approval
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.identity_providers import admin_test, permissions, queries
from governance.foundation.identity_providers.connection_actions import (
    LOCK,
    SETTINGS,
    acting_tenant,
    build_connection,
    check_group_roles,
    encrypted_secret,
    go_live,
    private_origin,
    redirect_number,
)
from governance.foundation.identity_providers.connection_settings import (
    ConnectionSettings,
    as_facts,
    secret_of,
    settings_of,
)
from governance.foundation.identity_providers.models import ConnectionChange
from governance.foundation.identity_providers.queries import IDENTITY_CHANGE
from governance.foundation.people import queries as directory
from governance.foundation.people.models import ERASED_NAME, Connection
from governance.foundation.people.oidc_types import Identity
from governance.foundation.privacy.events import PersonErased
from governance.foundation.tenants import actions as tenant_actions
from governance.kernel import clock, current
from governance.kernel.data.db import lock_tenant, session
from governance.kernel.errors import DomainError, Stale
from governance.kernel.safety.access import require
from governance.kernel.safety.outbound_http import origin_of

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
MAX_REASON_LENGTH = approvals.MAX_REASON_LENGTH
CHANGE_CLOSED = (
    "This change is no longer open: it was decided, replaced or withdrawn, or it has expired."
)


class ConnectionUnchanged(DomainError):
    """The proposed settings are the current ones."""


def opened_with(live: Connection | None, change: ConnectionChange | None) -> str:
    """Return what a form was opened with: the live connection and the open change."""
    return f"{live.id if live else ''}.{change.id if change else ''}"


def propose(
    settings: ConnectionSettings, *, secret: str | None, domains: set[str], reason: str, seen: str
) -> ConnectionChange:
    """Request a change, which replaces an open one. The live connection doesn't change.

    A proposed connection has to pass a test sign-in before anybody is asked to approve it.
    """
    lock_tenant(LOCK)
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
            "proposed",
            settings,
            encrypted,
            number=redirect_number(settings, live),
            named_by_operator=origin_of(settings.issuer) == private_origin(),
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


def record_test_sign_in_result(
    connection_id: UUID, identity: Identity | None, problem: str = ""
) -> None:
    """Record the result of a test sign-in through the proposed connection.

    It passes when that identity would sign in as an admin.

    Approvals of an earlier test no longer count.
    """
    require(permissions.CHANGE)
    lock_tenant(LOCK)
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
    """Delete the test results of an erased person, since a test shows who signed in for it.

    An open change has to be tested again.
    """
    lock_tenant(LOCK)
    theirs = select(ConnectionChange).where(
        ConnectionChange.test["person"].astext == str(erased.person_id)
    )
    for change in session().scalars(theirs.with_for_update()).all():
        change.test = {"passed": False, "problem": ERASED_NAME}
        session().flush()
        if change.state == "requested":
            approvals.renew(IDENTITY_CHANGE, change.id, is_ready=False)


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
        )  # Granted before any invitation, in the order of sign-ins.
    if made is not None:
        admin_test.check_still_passes(change.test or {}, made)
        ended = go_live(made, live)
    tenant_actions.set_domains(acting_tenant(), set(change.domains))
    change.state = "approved"
    return ended


def close_change(change: ConnectionChange, state: str) -> None:
    """Close a change that never goes live, and delete its secret."""
    change.state = state
    proposed = queries.proposed_connection(change)
    if proposed is not None:
        proposed.state, proposed.secret = "discarded", b""


def _secret_word(made: Connection | None, live: Connection | None) -> str | None:
    """Return that there is a secret, or another one; never which."""
    if made is None:
        return None
    return "set" if live is None else "replaced" if made.secret != live.secret else None


def replace_open_change(reason: str) -> None:
    """Void the approval of the open change, including one that expired but wasn't closed yet."""
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
    """Return whether the acting person has just proposed this, with this secret.

    This is the second click of two.
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
    """Return field → (typed, current value): the open change's, or the live connection's."""
    theirs = (queries.proposed_connection(change) if change else None) or live
    now = asdict(settings_of(theirs)) if theirs else {}
    typed = asdict(settings)
    return {name: (typed[name], value) for name, value in now.items() if typed[name] != value}
