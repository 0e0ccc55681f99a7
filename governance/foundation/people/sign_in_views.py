"""Signing in and out: the way to the provider, its answer, the provider's own sign-outs, and the
theme of these pages.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote, urlsplit
from uuid import UUID

import structlog
from flask import current_app, make_response, redirect, request
from sqlalchemy.exc import IntegrityError

from governance.foundation.people import (
    actions,
    oidc,
    provider_http,
    queries,
    sessions,
    sign_in_rules,
    sign_in_state,
    step_up,
)
from governance.foundation.people.forms import SignInForm
from governance.foundation.people.models import Connection, SignIn, person_key
from governance.foundation.people.ports import record_test_sign_in
from governance.foundation.people.session_views import signed_in_anywhere
from governance.foundation.tenants import queries as tenants
from governance.foundation.tenants import system_actor
from governance.foundation.tenants.models import Tenant
from governance.kernel import current, key_encryption
from governance.kernel.access import PUBLIC
from governance.kernel.current import Actor
from governance.kernel.db import session, transaction
from governance.kernel.errors import NotFound
from governance.kernel.feature import STEP_UP_SECONDS, Feature
from governance.kernel.jobs import once_per
from governance.kernel.pages import page
from governance.kernel.redirects import referring_page, safe_path
from governance.kernel.web import ResponseReturnValue, anonymous_token, cookie_name, set_cookie

feature = Feature("sign_in", __name__, scope="public")
log = structlog.get_logger("people")
SETTINGS_CHANGED = (
    "The sign-in settings changed while you were signing in. Start again from the sign-in page."
)


# ---- on the way to the provider


@feature.get("/", needs=PUBLIC)
def home() -> ResponseReturnValue:
    who = signed_in_anywhere()
    return redirect(home_of(who) if who else "/login")


def home_of(who: Actor) -> str:
    return "/operator/" if who.role.startswith("operator") else f"/t/{who.tenant_slug}/"


@feature.get("/login", needs=PUBLIC)
def login() -> ResponseReturnValue:
    """The sign-in page; with a known `email` or `tenant` straight to that tenant's provider."""
    email, slug = request.args.get("email", "").strip()[:254], request.args.get("tenant", "")
    if not email and not slug:
        return _sign_in_page(SignInForm())
    tenant = find_tenant(email, slug)
    if tenant is None:
        return _unknown(email)
    wanted = RequestedSignIn(
        tenant, email, safe_path(request.args.get("next")), fresh=request.args.get("fresh") == "1"
    )
    other = session_elsewhere(tenant)
    if other is not None or _comes_from_elsewhere():
        return confirm_sign_in_page(wanted, other)
    return _to_provider(wanted, redirect)


@feature.post("/login/continue", needs=PUBLIC)
def continue_sign_in() -> ResponseReturnValue:
    """Start the sign-in that a person has agreed to; `leaves` is the session of another tenant that
    they agreed to end.
    """
    form = request.form
    tenant = find_tenant("", form.get("tenant", ""))
    if tenant is None:
        return _unknown("")
    wanted = RequestedSignIn(
        tenant,
        form.get("email", "").strip()[:254],
        safe_path(form.get("next")),
        fresh=form.get("fresh") == "1",
    )
    other = session_elsewhere(tenant)
    if other is not None and form.get("leaves") != str(other.session_id):
        return confirm_sign_in_page(wanted, other, status=409)
    return _to_provider(
        wanted,
        lambda url: page("foundation/people/onward.html", tenant_name=tenant.name, onward=url),
        leaves=other,
    )


@dataclass(frozen=True, slots=True)
class RequestedSignIn:
    """A sign-in that somebody wants to start: where, as whom, what follows it, and whether it must
    be a fresh one.
    """

    tenant: Tenant
    email: str
    next_path: str
    fresh: bool = False


def session_elsewhere(tenant: Tenant) -> Actor | None:
    """Who is signed in to another tenant with this browser."""
    who = signed_in_anywhere()
    return who if who is not None and who.tenant_id != tenant.id else None


def _comes_from_elsewhere() -> bool:
    """Whether anything but a page of ours led here.

    Programs send neither header, and no person is behind them.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site != "same-origin"
    return urlsplit(request.headers.get("Referer", "")).netloc not in {"", request.host}


def confirm_sign_in_page(
    wanted: RequestedSignIn, other: Actor | None, *, status: int = 200
) -> ResponseReturnValue:
    """Ask before a sign-in that another site may have started, and before leaving another tenant's
    session.
    """
    return page(
        "foundation/people/confirm_sign_in.html",
        status=status,
        wanted=wanted,
        other=other,
        home=home_of(other) if other else "/login",
    )


@feature.post("/login", needs=PUBLIC)
def find_provider() -> ResponseReturnValue:
    """Which tenant's provider an address leads to.

    The answer goes on by itself; a form may not leave the site.
    """
    form = SignInForm()
    if not form.validate():
        return _sign_in_page(form, status=422)
    email = form.email.data or ""
    tenant = find_tenant(email, "")
    if tenant is None:
        return _unknown(email)
    onward = f"/login?email={quote(email)}&next={quote(safe_path(request.form.get('next')))}"
    return page("foundation/people/onward.html", tenant_name=tenant.name, onward=onward)


def _sign_in_page(form: SignInForm, *, status: int = 200) -> ResponseReturnValue:
    return page(
        "foundation/people/sign_in.html",
        form=form,
        next=safe_path(request.values.get("next")),
        status=status,
    )


def _unknown(email: str) -> ResponseReturnValue:
    domain = email.rpartition("@")[2]
    sentence = (
        f"No tenant uses {domain}. Enter your work email, or ask the person who invited you."
        if domain
        else "The tenant of this link doesn't exist. Enter your work email to find yours."
    )
    return _problem(email, sentence)


def _problem(email: str, sentence: str) -> ResponseReturnValue:
    form = SignInForm(email=email)
    form.email.data = email
    form.email.errors = [sentence]
    return _sign_in_page(form, status=422)


def find_tenant(email: str, slug: str) -> Tenant | None:
    with transaction(read_only=True):
        tenant = (
            tenants.tenant_by_slug(slug)
            if slug
            else tenants.tenant_of_domain(email.rpartition("@")[2][:253])
        )
        if tenant is not None:
            session().expunge(tenant)
        return tenant


def live_connection_of(tenant: Tenant) -> Connection | None:
    with transaction(read_only=True, tenant_id=tenant.id):
        found = queries.connection()
        session().expunge_all()
        return found


def _to_provider(
    wanted: RequestedSignIn,
    answer: Callable[[str], ResponseReturnValue],
    *,
    leaves: Actor | None = None,
) -> ResponseReturnValue:
    """No transaction is open while the provider is asked: it may be slow.

    `answer` makes the response of the address.
    """
    tenant, connection = wanted.tenant, live_connection_of(wanted.tenant)
    if connection is None:
        return _problem(
            wanted.email, f"{tenant.name} hasn't set up sign-in yet. Ask the operator of Meridian."
        )
    drawn = sign_in_state.new_secrets(tenant.slug)
    url = oidc.authorization_url(
        client_of(connection, tenant.slug),
        state=drawn.state,
        nonce=drawn.nonce,
        verifier=drawn.verifier,
        max_age=STEP_UP_SECONDS if wanted.fresh else None,
        login_hint=wanted.email or _own_address(tenant),
    )
    with current.acting_as(system_in(tenant)), transaction():
        sign_in_state.save_sign_in(
            drawn,
            connection_id=connection.id,
            browser=anonymous_token(),
            next_path=wanted.next_path,
            fresh=wanted.fresh,
            leaves=leaves.session_id if leaves else None,
        )
    return answer(url)


def _own_address(tenant: Tenant) -> str:
    """Of the person who is signed in here already: a step-up is for them."""
    who = signed_in_anywhere()
    return who.email if who is not None and who.tenant_id == tenant.id else ""


def system_in(tenant: Tenant) -> Actor:
    return system_actor.founder(tenant.id, tenant.slug, tenant.name)


def client_of(connection: Connection, slug: str) -> oidc.OidcClient:
    return sign_in_state.oidc_client(connection, callback_address(slug, connection.number))


def callback_address(slug: str, number: int = 1) -> str:
    """Where a connection's provider sends people back."""
    return f"{current_app.config['PUBLIC_URL']}{sign_in_state.callback_path(slug, number)}"


# ---- the provider's answer


@feature.get("/auth/callback", needs=PUBLIC)
def shared_callback() -> ResponseReturnValue:
    """The address that all tenants shared until each got its own: it takes no answer, and says what
    to change.
    """
    slug = request.args.get("state", "").partition(".")[0]
    theirs = callback_address(slug if tenants.SLUG.fullmatch(slug) else "TENANT")
    log.warning("answer at the shared redirect address refused", tenant=slug[:60])
    return page(
        "foundation/people/shared_callback.html", status=410, old=request.base_url, theirs=theirs
    )


@feature.get("/auth/callback/<slug>", needs=PUBLIC)
def callback(slug: str) -> ResponseReturnValue:
    """The provider's answer: the state's sign-in is used up first, so that it cannot be replayed
    whatever follows.
    """
    return _callback(slug, 1)


@feature.get("/auth/callback/<slug>/<int(min=2,max=999999):number>", needs=PUBLIC)
def numbered_callback(slug: str, number: int) -> ResponseReturnValue:
    """The same for a later connection of the tenant, also for one that is only proposed."""
    return _callback(slug, number)


def _callback(slug: str, number: int) -> ResponseReturnValue:
    try:
        return _answered(slug, number, request.args.get("state", "")[:300])
    except (oidc.TokenRefused, provider_http.ProviderFault, sign_in_rules.NoMembership) as refused:
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
    tenant = find_tenant("", slug)
    started_at = state.partition(".")[0]
    if tenant is None or not started_at:
        raise oidc.TokenRefused(
            "This sign-in wasn't started in this browser. Start again from the sign-in page."
        )
    if started_at != slug:
        raise oidc.TokenRefused(
            "This response belongs to a sign-in at another tenant, so Meridian ignored it. Start"
            " again from the sign-in page."
        )
    connection, under_way = _under_way(tenant, number, state)
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
        identity = _redeemed(connection, under_way, here, slug)
    except oidc.TokenRefused as refused:
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
        raise oidc.TokenRefused(SETTINGS_CHANGED)
    if connection.number != number:
        raise oidc.TokenRefused(
            "This response belongs to another connection of this tenant, so Meridian ignored it."
            " Start again from the sign-in page."
        )
    return connection, under_way


def _tested(here: Actor | None, connection: Connection, under_way: SignIn) -> ResponseReturnValue:
    """The end of a test sign-in: the result is recorded for the admin who tests, and no session
    starts or ends.
    """
    if here is None:
        raise oidc.TokenRefused(
            "Your session ended during the test sign-in. Sign in, then start the test again."
        )
    identity, problem = None, ""
    try:
        identity = _redeemed(connection, under_way, None, here.tenant_slug)
    except (oidc.TokenRefused, provider_http.ProviderFault) as refused:
        problem = " ".join(filter(None, (refused.message, getattr(refused, "remedy", ""))))
    with current.acting_as(here), transaction():
        record_test_sign_in()(connection.id, identity, problem)
    return redirect(f"{under_way.next_path}#test", 303)


def _redeemed(
    connection: Connection, under_way: SignIn, here: Actor | None, slug: str
) -> oidc.Identity:
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
        raise oidc.TokenRefused(
            f"You signed in as a different person. Start again, and sign in as {here.name}.",
            reason="A different person signed in.",
        )
    return identity


def _note_refusal(who: Actor, reason: str) -> None:
    with current.acting_as(who), transaction():
        if who.session_id is not None:
            actions.record_denied_step_up(queries.session_row(who.session_id), reason=reason)


def _admit(
    tenant: Tenant,
    connection: Connection,
    identity: oidc.Identity,
    token: str,
    *,
    fresh: bool,
    replaces: UUID | None,
) -> Actor:
    """Two first sign-ins of one person at once: the second finds what the first has made."""
    try:
        return _admitted(tenant, connection, identity, token, fresh=fresh, replaces=replaces)
    except IntegrityError:
        return _admitted(tenant, connection, identity, token, fresh=fresh, replaces=replaces)


def _admitted(
    tenant: Tenant,
    connection: Connection,
    identity: oidc.Identity,
    token: str,
    *,
    fresh: bool,
    replaces: UUID | None,
) -> Actor:
    key = person_key(identity.issuer, identity.subject)
    with current.acting_as(system_in(tenant)), transaction(person_id=key):
        if not queries.lock_if_live(connection.id):  # who ends its sessions must not miss this one
            raise oidc.TokenRefused(SETTINGS_CHANGED)
        try:
            person, membership = actions.admit(identity, connection)
        except sign_in_rules.NoMembership as refused:
            actions.record_denied_sign_in(identity, reason=refused.reason)
            refusal = refused
        else:
            who = Actor(
                tenant.id, tenant.slug, tenant.name, person.id, person.name, membership.role
            )
            with current.acting_as(who):
                actions.start_session(
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


# ---- signing out


@feature.post("/logout", needs=PUBLIC)
def logout() -> ResponseReturnValue:
    """End the session here first, whatever becomes of the rest; then at the provider."""
    who = signed_in_anywhere()
    onward = _provider_logout(end_own_session(who, how="signed out"), who) if who else None
    response = make_response(
        page("foundation/people/onward.html", tenant_name="", onward=onward)
        if onward
        else redirect("/login", 303)
    )
    response.delete_cookie(
        cookie_name("session"),
        path="/",
        secure=current_app.config["SECURE"],
        httponly=True,
        samesite="Lax",
    )
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response


def end_own_session(who: Actor, *, how: str) -> bytes:
    """End the session of that actor; returns its sealed ID token."""
    if who.session_id is None:
        raise NotFound("This session doesn't exist or has ended.")
    with current.acting_as(who), transaction():
        row = queries.session_row(who.session_id)
        actions.end_session(row, how=how)
        return row.id_token


def _provider_logout(sealed_token: bytes, who: Actor) -> str | None:
    with transaction(read_only=True, tenant_id=who.tenant_id):
        connection = queries.connection()
        session().expunge_all()
    if connection is None:
        return None
    token = key_encryption.unwrap(sealed_token, b"id-token").decode()
    if not token:  # they signed in by a code of ours: no provider knows of the session
        return None
    return oidc.logout_url(
        client_of(connection, who.tenant_slug), token, f"{current_app.config['PUBLIC_URL']}/login"
    )


@feature.post("/auth/back-channel/<slug>", needs=PUBLIC)
def back_channel(slug: str) -> ResponseReturnValue:
    """The provider says that somebody's session is over (OpenID Connect Back-Channel Logout 1.0).

    A token counts once.
    """
    tenant = find_tenant("", slug)
    connection = live_connection_of(tenant) if tenant else None
    if tenant is None or connection is None:
        raise NotFound("This page doesn't exist.")
    try:
        subject, sid, jti = oidc.check_logout_token(
            client_of(connection, slug), request.form.get("logout_token", "")
        )
    except oidc.TokenRefused as refused:
        return {"error": "invalid_request", "error_description": refused.message}, 400
    with current.acting_as(system_in(tenant)), transaction():
        if not once_per(
            "back-channel logout", tenant.slug, hashlib.sha256(jti.encode()).hexdigest()
        ):
            return {
                "error": "invalid_request",
                "error_description": "This logout token was used before.",
            }, 400
        actions.end_sessions_at_provider(connection.issuer, subject, sid)
    return "", 200


# ---- other pages outside a tenant


@feature.post("/theme", needs=PUBLIC)
def theme() -> ResponseReturnValue:
    """Light or dark, kept in a cookie so that the server draws it without a flash."""
    wanted = "dark" if request.form.get("theme") == "dark" else "light"
    response = make_response(
        redirect(safe_path(request.form.get("back")) or referring_page() or "/", 303)
    )
    response.set_cookie(
        "theme",
        wanted,
        max_age=31536000,
        path="/",
        samesite="Lax",
        secure=current_app.config["SECURE"],
        httponly=False,
    )
    return response


@feature.get("/sessions", needs=PUBLIC)
def to_own_sessions() -> ResponseReturnValue:
    who = signed_in_anywhere()
    return redirect(f"/t/{who.tenant_slug}/settings/sessions" if who else "/login")
