"""Break-glass: the operator sets how a tenant's people sign in, without a second person there.

    reset(who, Reset(…), public_url=…) -> Done        `who` is Meridian itself, acting in the tenant

The operator's own log gets its entry first, in a transaction of its own: an entry without a reset
can be seen and explained, a reset without an entry cannot.
"""

from dataclasses import dataclass, replace

from governance.foundation.identity_providers import reset_actions
from governance.foundation.identity_providers.connection_settings import ConnectionSettings
from governance.foundation.people import provider_http, queries, sign_in_state
from governance.foundation.tenants import queries as tenants
from governance.foundation.tenants.system_actor import system_actor_in
from governance.kernel import current
from governance.kernel.current import Actor
from governance.kernel.data.db import transaction
from governance.kernel.errors import Invalid, NotFound

OPERATOR = "The operator"


@dataclass(frozen=True, slots=True)
class SignInReset:
    """The settings of a reset: a connection (issuer, client ID, secret), an admin or both; why.

    `admin` is an email address.
    """

    issuer: str | None
    client_id: str | None
    secret: str | None
    admin: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class ResetResult:
    issuer: str
    callback: str
    sessions: int


def reset(who: Actor, wanted: SignInReset, *, public_url: str) -> ResetResult:
    """Reset how the tenant's people sign in. Raises DomainError and changes nothing if it can't."""
    if wanted.issuer is not None:
        _check_issuer(wanted.issuer)
    if wanted.admin is not None and "@" not in wanted.admin:
        raise Invalid(
            f"{wanted.admin[:80]} isn't an email address. Enter one such as ines@acme.example.",
            field="admin",
        )
    _note(who.tenant_slug, wanted)
    with current.acting_as(_operator_in(who)), transaction():
        ended = reset_actions.reset_sign_in(
            _settings(wanted),
            secret=wanted.secret,
            admin=wanted.admin,
            reason=wanted.reason,
            link=f"{public_url}/login?tenant={who.tenant_slug}",
        )
        live = queries.connection()
        if live is None:
            raise RuntimeError("a reset leaves a live connection")
        return ResetResult(
            live.issuer,
            f"{public_url}{sign_in_state.callback_path(who.tenant_slug, live.number)}",
            ended,
        )


def _check_issuer(issuer: str) -> None:
    try:
        provider_http.safe_url(issuer, private_origin=provider_http.origin_of(issuer))
    except provider_http.ProviderFault as fault:
        raise Invalid(fault.message, field="issuer") from fault


def _settings(wanted: SignInReset) -> ConnectionSettings | None:
    """Return the new settings.

    The group mapping is kept for the same issuer only: groups of another one are another company's.
    """
    if wanted.issuer is None or wanted.client_id is None:
        return None
    live = queries.connection()
    is_same = live is not None and live.issuer == wanted.issuer
    kept = dict(live.group_roles) if live and is_same else {}
    verifies = bool(live and is_same and live.verifies_addresses)
    return ConnectionSettings(
        wanted.issuer, wanted.client_id, live.enforced if live else True, kept, verifies
    )


def _operator_in(who: Actor) -> Actor:
    """Return the actor that the email names, with an operator role in the operator's tenant."""
    with transaction(read_only=True):
        tenant = tenants.tenant_by_id(who.tenant_id)
        own = tenant is not None and tenant.kind == "operator"
    return replace(who, name=OPERATOR, role="operator_admin" if own else "admin")


def _note(slug: str, wanted: SignInReset) -> None:
    with transaction(read_only=True):
        operators = next((t for t in tenants.all_tenants() if t.kind == "operator"), None)
        home = system_actor_in(operators.id, operators.slug, operators.name) if operators else None
    if home is None:
        raise NotFound(
            "There is no operator tenant to record this reset in, so nothing was changed."
        )
    with current.acting_as(replace(home, name=OPERATOR)), transaction():
        reset_actions.record_reset_at_operator(
            slug, reason=wanted.reason, provider=wanted.issuer, admin=wanted.admin is not None
        )
