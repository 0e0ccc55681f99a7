"""The responses of identity providers: each ends a sign-in, or a test sign-in."""

from uuid import UUID

from flask import make_response, redirect, request
from sqlalchemy.exc import IntegrityError

from governance.foundation.people import (
    admission_actions,
    oidc,
    oidc_types,
    provider_http,
    queries,
    session_actions,
    sessions,
    sign_in_rules,
    sign_in_state,
    step_up,
)
from governance.foundation.people.models import Connection, SignIn, person_key
from governance.foundation.people.ports import record_test_sign_in
from governance.foundation.people.session_views import (
    opens_while_suspended,
    signed_in_anywhere,
)
from governance.foundation.people.sign_in_views import (
    RequestedSignIn,
    callback_address,
    client_of,
    confirm_sign_in_page,
    feature,
    find_tenant,
    home_of,
    log,
    system_in,
)
from governance.foundation.people.sign_out_views import end_own_session
from governance.foundation.tenants import queries as tenants
from governance.foundation.tenants.models import Tenant
from governance.kernel import current
from governance.kernel.current import Actor
from governance.kernel.data.db import session, transaction
from governance.kernel.pages.rendering import page
from governance.kernel.safety.access import PUBLIC
from governance.kernel.web.feature import STEP_UP_SECONDS
from governance.kernel.web.responses import ResponseReturnValue, anonymous_token, set_cookie

SETTINGS_CHANGED = (
    "The sign-in settings changed while you were signing in. Start again from the sign-in page."
)


@feature.get("/auth/callback", needs=PUBLIC)
def shared_callback() -> ResponseReturnValue:
    """Answer at the address that all tenants once shared: accept nothing, say what to change."""
    slug = request.args.get("state", "").partition(".")[0]
    theirs = callback_address(slug if tenants.SLUG.fullmatch(slug) else "TENANT")
    log.warning("answer at the shared redirect address refused", tenant=slug[:60])
    return page(
        "foundation/people/shared_callback.html", status=410, old=request.base_url, theirs=theirs
    )


@feature.get("/auth/callback/<slug>", needs=PUBLIC)
def callback(slug: str) -> ResponseReturnValue:
    """Receive the provider's answer.

    The state's sign-in is used up first, so that it can never be replayed.
    """
    return _callback(slug, 1)


@feature.get("/auth/callback/<slug>/<int(min=2,max=999999):number>", needs=PUBLIC)
def numbered_callback(slug: str, number: int) -> ResponseReturnValue:
    """Receive the same for a later connection of the tenant, even if only proposed."""
    return _callback(slug, number)


def _callback(slug: str, number: int) -> ResponseReturnValue:
    try:
        return _answered(slug, number, request.args.get("state", "")[:300])
    except (
        oidc_types.TokenRefused,
        provider_http.ProviderFault,
        sign_in_rules.NoMembership,
    ) as refused:
        log.warning("sign-in refused", reason=getattr(refused, "reason", refused.message))
        told = {
            "remedy": getattr(refused, "remedy", ""),
            "back": "/login",
            "back_label": "Back to sign-in",
        }
        told |= step_up.unfinished(signed_in_anywhere())
        return page(
            "refused.html",
            status=refused.status,
            title="Not signed in",
            sentence=refused.message,
            **told,
        )


def _answered(slug: str, number: int, state: str) -> ResponseReturnValue:
    tenant = find_tenant("", slug, also_suspended=True)
    started_at = state.partition(".")[0]
    if tenant is None or not started_at:
        raise oidc_types.TokenRefused(
            "This sign-in wasn't started in this browser. Start again from the sign-in page."
        )
    if started_at != slug:
        raise oidc_types.TokenRefused(
            "This response belongs to a sign-in at another tenant, so Meridian ignored it. Start"
            " again from the sign-in page."
        )
    connection, under_way = _under_way(tenant, number, state)
    if tenant.status != "active" and not opens_while_suspended(under_way.next_path):
        raise tenants.suspended(tenant.slug, tenant.name, tenant.deletes_at, tenant.time_zone)
    before = signed_in_anywhere()
    here = before if before is not None and before.tenant_id == tenant.id else None
    if under_way.is_test:
        return _tested(here, connection, under_way)
    if before is not None and here is None and before.session_id != under_way.leaves:
        return confirm_sign_in_page(
            RequestedSignIn(tenant, "", under_way.next_path, fresh=under_way.fresh),
            before,
            status=409,
        )
    try:
        with current.acting_as(system_in(tenant)):  # Outbound calls count for this tenant.
            identity = _redeemed(connection, under_way, here, slug)
    except oidc_types.TokenRefused as refused:
        if here is not None:
            _note_refusal(here, refused.reason)
        raise
    token = sessions.new_token()
    who = _admit(
        tenant,
        connection,
        identity,
        token,
        fresh=under_way.fresh,
        replaces=here.session_id if here else None,
    )
    if before is not None and here is None:
        end_own_session(before, how="switched to another tenant")
    response = make_response(redirect(under_way.next_path or home_of(who), 303))
    set_cookie(
        response,
        "session",
        f"{tenant.slug}.{token}",
        max_age=int(sessions.MAX_SESSION_LIFETIME.total_seconds()),
    )
    return response


def _under_way(tenant: Tenant, number: int, state: str) -> tuple[Connection, SignIn]:
    with current.acting_as(system_in(tenant)), transaction():
        under_way = sign_in_state.use_sign_in(state, anonymous_token())
        connection = queries.connection_row(under_way.connection_id)
        session().expunge_all()
    if connection is None or connection.state != ("proposed" if under_way.is_test else "live"):
        raise oidc_types.TokenRefused(SETTINGS_CHANGED)
    if connection.number != number:
        raise oidc_types.TokenRefused(
            "This response belongs to another connection of this tenant, so Meridian ignored it."
            " Start again from the sign-in page."
        )
    return connection, under_way


def _tested(here: Actor | None, connection: Connection, under_way: SignIn) -> ResponseReturnValue:
    """End a test sign-in: record the result for the admin who tests.

    No session starts or ends.
    """
    if here is None:
        raise oidc_types.TokenRefused(
            "Your session ended during the test sign-in. Sign in, then start the test again."
        )
    identity, problem = None, ""
    try:
        with current.acting_as(here):
            identity = _redeemed(connection, under_way, None, here.tenant_slug)
    except (oidc_types.TokenRefused, provider_http.ProviderFault) as refused:
        problem = " ".join(filter(None, (refused.message, getattr(refused, "remedy", ""))))
    with current.acting_as(here), transaction():
        record_test_sign_in()(connection.id, identity, problem)
    return redirect(f"{under_way.next_path}#test", 303)


def _redeemed(
    connection: Connection, under_way: SignIn, here: Actor | None, slug: str
) -> oidc_types.Identity:
    if error := request.args.get("error"):
        raise oidc.refused_by_provider(error, request.args.get("error_description", ""))
    max_age = STEP_UP_SECONDS if under_way.fresh else None
    identity = oidc.redeem(
        client_of(connection, slug),
        request.args,
        nonce=under_way.nonce,
        verifier=under_way.verifier,
        max_age=max_age,
    )
    if (
        under_way.fresh
        and here is not None
        and here.person_id != person_key(identity.issuer, identity.subject)
    ):
        raise oidc_types.TokenRefused(
            f"You signed in as a different person. Start again, and sign in as {here.name}.",
            reason="A different person signed in.",
        )
    return identity


def _note_refusal(who: Actor, reason: str) -> None:
    with current.acting_as(who), transaction():
        if who.session_id is not None:
            session_actions.record_denied_step_up(
                queries.session_row(who.session_id), reason=reason
            )


def _admit(
    tenant: Tenant,
    connection: Connection,
    identity: oidc_types.Identity,
    token: str,
    *,
    fresh: bool,
    replaces: UUID | None,
) -> Actor:
    """Admit the person and start a session.

    Of two first sign-ins of one person at once, the second finds what the first has created.
    """
    try:
        return _admitted(tenant, connection, identity, token, fresh=fresh, replaces=replaces)
    except IntegrityError:
        return _admitted(tenant, connection, identity, token, fresh=fresh, replaces=replaces)


def _admitted(
    tenant: Tenant,
    connection: Connection,
    identity: oidc_types.Identity,
    token: str,
    *,
    fresh: bool,
    replaces: UUID | None,
) -> Actor:
    key = person_key(identity.issuer, identity.subject)
    with current.acting_as(system_in(tenant)), transaction(person_id=key):
        # The action that ends its sessions must not miss this one.
        if not queries.lock_if_live(connection.id):
            raise oidc_types.TokenRefused(SETTINGS_CHANGED)
        try:
            admit = (
                admission_actions.admit
                if tenant.status == "active"
                else admission_actions.admit_admin
            )
            person, membership = admit(identity, connection)
        except sign_in_rules.NoMembership as refused:
            session_actions.record_denied_sign_in(identity, reason=refused.reason)
            refusal = refused
        else:
            who = Actor(
                tenant.id, tenant.slug, tenant.name, person.id, person.name, membership.role
            )
            with current.acting_as(who):
                session_actions.start_session(
                    person,
                    identity,
                    token=token,
                    browser=request.user_agent.string,
                    network=current.origin().network,
                    fresh=fresh,
                    replaces=replaces,
                )
            return who
    raise refusal
