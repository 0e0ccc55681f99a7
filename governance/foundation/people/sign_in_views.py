"""The sign-in pages, and the redirect to the provider."""

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

import structlog
from flask import current_app, redirect, request

from governance.foundation.people import oidc, oidc_types, queries, sign_in_state
from governance.foundation.people.forms import SignInForm
from governance.foundation.people.models import Connection
from governance.foundation.people.session_views import (
    opens_while_suspended,
    signed_in_anywhere,
)
from governance.foundation.tenants import queries as tenants
from governance.foundation.tenants.models import Tenant
from governance.foundation.tenants.system_actor import system_actor_in
from governance.kernel import current
from governance.kernel.current import Actor
from governance.kernel.data.db import session, transaction
from governance.kernel.installation_notice import notice
from governance.kernel.pages.rendering import page
from governance.kernel.safety.access import PUBLIC
from governance.kernel.web.feature import STEP_UP_SECONDS, Feature
from governance.kernel.web.redirects import safe_path
from governance.kernel.web.responses import ResponseReturnValue, anonymous_token

feature = Feature("sign_in", __name__, scope="public")
log = structlog.get_logger("people")


@feature.get("/", needs=PUBLIC)
def home() -> ResponseReturnValue:
    who = signed_in_anywhere()
    return redirect(home_of(who) if who else "/login")


def home_of(who: Actor) -> str:
    return "/operator/" if who.role.startswith("operator") else f"/t/{who.tenant_slug}/"


@feature.get("/login", needs=PUBLIC)
def login() -> ResponseReturnValue:
    """Show the sign-in page; with a known `email` or `tenant`, go straight to that provider."""
    email, slug = request.args.get("email", "").strip()[:254], request.args.get("tenant", "")
    if not email and not slug:
        return _sign_in_page(SignInForm())
    onward = safe_path(request.args.get("next"))
    tenant = find_tenant(email, slug, also_suspended=opens_while_suspended(onward))
    if tenant is None:
        return _unknown(email)
    wanted = RequestedSignIn(tenant, email, onward, fresh=request.args.get("fresh") == "1")
    other = session_elsewhere(tenant)
    if other is not None or _comes_from_elsewhere():
        return confirm_sign_in_page(wanted, other)
    return _to_provider(wanted, redirect)


@feature.post("/login/continue", needs=PUBLIC)
def continue_sign_in() -> ResponseReturnValue:
    """Start the sign-in that a person has agreed to.

    `leaves` is the session of another tenant that they agreed to end.
    """
    form = request.form
    onward = safe_path(form.get("next"))
    tenant = find_tenant("", form.get("tenant", ""), also_suspended=opens_while_suspended(onward))
    if tenant is None:
        return _unknown("")
    wanted = RequestedSignIn(
        tenant,
        form.get("email", "").strip()[:254],
        onward,
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
    """A sign-in that somebody wants to start.

    It says where, as which person, what follows, and whether it must be a fresh one.
    """

    tenant: Tenant
    email: str
    next_path: str
    fresh: bool = False


def session_elsewhere(tenant: Tenant) -> Actor | None:
    """Return the person who is signed in to another tenant with this browser."""
    who = signed_in_anywhere()
    return who if who is not None and who.tenant_id != tenant.id else None


def _comes_from_elsewhere() -> bool:
    """Return whether anything but a page of ours led here.

    Programs send neither header, and no person is behind them.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site != "same-origin"
    return urlsplit(request.headers.get("Referer", "")).netloc not in {"", request.host}


def confirm_sign_in_page(
    wanted: RequestedSignIn, other: Actor | None, *, status: int = 200
) -> ResponseReturnValue:
    """Ask before a sign-in that another site may have started, or before leaving a session."""
    return page(
        "foundation/people/confirm_sign_in.html",
        status=status,
        wanted=wanted,
        other=other,
        home=home_of(other) if other else "/login",
    )


@feature.post("/login", needs=PUBLIC)
def find_provider() -> ResponseReturnValue:
    """Find the tenant's provider for an address.

    The page goes on by itself; a form may not leave the site.
    """
    form = SignInForm()
    if not form.validate():
        return _sign_in_page(form, status=422)
    email, path = form.email.data or "", safe_path(request.form.get("next"))
    tenant = find_tenant(email, "", also_suspended=opens_while_suspended(path))
    if tenant is None:
        return _unknown(email)
    onward = f"/login?email={quote(email)}&next={quote(path)}"
    return page("foundation/people/onward.html", tenant_name=tenant.name, onward=onward)


def _sign_in_page(form: SignInForm, *, status: int = 200) -> ResponseReturnValue:
    return page(
        "foundation/people/sign_in.html",
        form=form,
        next=safe_path(request.values.get("next")),
        notice=notice(current_app.config["SETTINGS"].notice),
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


def find_tenant(email: str, slug: str, *, also_suspended: bool = False) -> Tenant | None:
    """Return the tenant of the slug, or of the address.

    Raises TenantSuspended unless suspended ones are wanted, too, for what their admins may do.
    """
    domain = email.rpartition("@")[2][:253]
    with transaction(read_only=True):
        tenant = tenants.tenant_by_slug(slug) if slug else tenants.tenant_of_domain(domain)
        if tenant is None and also_suspended:
            tenant = tenants.suspended_tenant(slug, domain)
        if tenant is None:
            tenants.check_not_suspended(slug, domain)
        else:
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
    """Redirect to the provider. No transaction is open meanwhile: the provider may be slow.

    `answer` makes the response of the address.
    """
    tenant, connection = wanted.tenant, live_connection_of(wanted.tenant)
    if connection is None:
        return _problem(
            wanted.email, f"{tenant.name} hasn't set up sign-in yet. Ask the operator of Meridian."
        )
    drawn = sign_in_state.new_secrets(tenant.slug)
    login_hint = wanted.email or _own_address(tenant)
    with current.acting_as(system_in(tenant)):  # Outbound calls count for this tenant.
        url = oidc.authorization_url(
            client_of(connection, tenant.slug),
            state=drawn.state,
            nonce=drawn.nonce,
            verifier=drawn.verifier,
            max_age=STEP_UP_SECONDS if wanted.fresh else None,
            login_hint=login_hint,
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
    """Return the address of the person who is signed in here already: a step-up is for them."""
    who = signed_in_anywhere()
    return who.email if who is not None and who.tenant_id == tenant.id else ""


def system_in(tenant: Tenant) -> Actor:
    return system_actor_in(tenant.id, tenant.slug, tenant.name)


def client_of(connection: Connection, slug: str) -> oidc_types.OidcClient:
    return sign_in_state.oidc_client(connection, callback_address(slug, connection.number))


def callback_address(slug: str, number: int = 1) -> str:
    """Return the address to which a connection's provider sends people back."""
    return f"{current_app.config['PUBLIC_URL']}{sign_in_state.callback_path(slug, number)}"


@feature.get("/sessions", needs=PUBLIC)
def to_own_sessions() -> ResponseReturnValue:
    who = signed_in_anywhere()
    return redirect(f"/t/{who.tenant_slug}/settings/sessions" if who else "/login")
