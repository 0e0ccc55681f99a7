"""Break-glass: the operator resets sign-in for a tenant that is locked out."""

from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.identity_providers.change_actions import (
    MAX_REASON_LENGTH,
    replace_open_change,
)
from governance.foundation.identity_providers.connection_actions import (
    LOCK,
    acting_tenant,
    build_connection,
    encrypted_secret,
    go_live,
    redirect_number,
)
from governance.foundation.identity_providers.connection_settings import (
    ConnectionSettings,
)
from governance.foundation.people import invitation_actions, session_actions
from governance.foundation.people import queries as directory
from governance.kernel import current
from governance.kernel.data.db import lock_tenant
from governance.kernel.errors import Invalid

RESET = action(
    "identity_provider.reset",
    "reset the tenant's sign-in as the operator",
    target="Tenant",
    activity="update",
    severity="high",
    fields="tenant provider admin sessions",
)


def reset_sign_in(
    settings: ConnectionSettings | None,
    *,
    secret: str | None,
    admin: str | None,
    reason: str,
    link: str,
) -> int:
    """Reset sign-in for a tenant that is locked out: another connection, an admin, or both.

    Returns how many sessions ended.

    An open change is closed. The group mapping of another issuer is dropped: its groups are another
    company's. `link` is where the invited admin signs in.
    """
    lock_tenant(LOCK)
    check_reason(reason)
    if settings is None and admin is None:
        raise Invalid("Nothing would change. Give a connection, an admin, or both.")
    replace_open_change("The operator reset how people sign in.")
    live = directory.connection()
    if settings is not None:
        encrypted = encrypted_secret(settings, secret, [live])
        number = redirect_number(settings, live)
        made = build_connection("live", settings, encrypted, number=number, named_by_operator=True)
        go_live(made, live, ends_sessions=False)
        live = made
    if live is None:
        raise Invalid("This tenant has no connection yet. Give an issuer and a client ID.")
    ended = session_actions.end_all_sessions(how="the operator reset how people sign in")
    if admin is not None:
        invitation_actions.make_admin(
            admin, live.issuer, tenant_name=current.actor().tenant_name, link=link
        )
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
    """Record the reset in the operator's own log, before the tenant changes.

    There is no reset without this entry.
    """
    record(
        RESET,
        acting_tenant(),
        reason=reason.strip()[:MAX_REASON_LENGTH],
        tenant=slug,
        provider=provider,
        admin="invited" if admin else None,
    )


def check_reason(reason: str) -> None:
    if not reason.strip():
        raise Invalid("Enter a reason. It is kept in the audit log.", field="reason")
