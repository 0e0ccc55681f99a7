"""The way in and out, and the pages about people: sign-in, sessions, members, the identity provider."""

from typing import Any
from urllib.parse import quote
from uuid import UUID

import structlog
from flask import current_app, make_response, redirect, request, url_for


from governance.kernel import current
from governance.kernel.access import PUBLIC, allowed
from governance.kernel.current import Actor
from governance.kernel.db import session, transaction
from governance.kernel.errors import DomainError, NotFound, SignInNeeded
from governance.kernel.feature import Feature
from governance.kernel.forms import accepted
from governance.kernel.pages import page
from governance.kernel.web import ResponseReturnValue, anonymous_token, cookie_name, set_cookie
from governance.people import actions, oidc, permissions, queries, sessions
from governance.people.forms import ConnectionForm, InviteForm, RoleForm, SignInForm
from governance.people.models import Connection, person_key
from governance.tenants import actions as tenant_actions
from governance.tenants import queries as tenants
from governance.tenants.models import Tenant

feature = Feature("people", __name__)
door = Feature("door", __name__, scope="public")
log = structlog.get_logger("people")
STEP_UP_AGE = 300


# ---- who is at the door


def identify() -> Actor | None:
    """The actor behind the session cookie, in the transaction of the tenant that the address names."""
    slug, token = sessions.split(request.cookies.get(cookie_name("session"), ""))
    wanted = (request.view_args or {}).get("tenant", "console")
    if not token:
        return None
    if slug == wanted:
        return sessions.actor_of_token(token)
    elsewhere = _actor_in(slug, token)
    if elsewhere is None:
        return None
    there = tenants.tenant_id(wanted)
    if there is None or elsewhere.person_id is None or not sessions.is_member(elsewhere.person_id, there):
        raise NotFound("There is no such page.")
    raise SignInNeeded(f"You are signed in to {elsewhere.tenant_name}.")


def signed_in_anywhere() -> Actor | None:
    """For pages outside a tenant: whoever the cookie belongs to."""
    slug, token = sessions.split(request.cookies.get(cookie_name("session"), ""))
    return _actor_in(slug, token) if token else None


def _actor_in(slug: str, token: str) -> Actor | None:
    tenant_id = tenants.tenant_id(slug)
    if tenant_id is None:
        return None
    with transaction(read_only=True, tenant_id=tenant_id):
        return sessions.actor_of_token(token)


def seen(who: Actor) -> None:
    try:
        sessions.seen(who)
    except DomainError as away:  # the page was answered; only the idle clock missed a beat
        log.warning("session not marked", reason=away.message)


# ---- signing in


@door.get("/", needs=PUBLIC)
def home() -> ResponseReturnValue:
    who = signed_in_anywhere()
    return redirect(_home_of(who) if who else "/login")


def _home_of(who: Actor) -> str:
    return "/operator/" if who.role.startswith("operator") else f"/t/{who.tenant_slug}/"


@door.get("/login", needs=PUBLIC)
def login() -> ResponseReturnValue:
    """The sign-in page; with a known `email` or `tenant` straight to that tenant's provider."""
    email, slug = request.args.get("email", "").strip(), request.args.get("tenant", "")
    if not email and not slug:
        return page("people/sign_in.html", form=SignInForm(), next=_local(request.args.get("next")))
    tenant = _tenant_for(email, slug)
    if tenant is None:
        return _unknown_address(email)
    return _to_provider(tenant, email)


@door.post("/login", needs=PUBLIC)
def find_provider() -> ResponseReturnValue:
    """Which tenant's provider an address leads to. The answer goes on by itself; a form may not leave the site."""
    form = SignInForm()
    if not form.validate():
        return page("people/sign_in.html", form=form, next=_local(request.form.get("next")), status=422)
    email = (form.email.data or "").strip()
    tenant = _tenant_for(email, "")
    if tenant is None:
        return _unknown_address(email)
    onward = f"/login?email={quote(email)}&next={quote(_local(request.form.get('next')))}"
    return page("people/onward.html", tenant_name=tenant.name, onward=onward)


def _unknown_address(email: str) -> ResponseReturnValue:
    form = SignInForm(email=email)
    form.email.data = email
    domain = email.rpartition("@")[2] or email
    form.email.errors = [f"No tenant here knows {domain}. Use your work address, or ask who invited you."]
    return page("people/sign_in.html", form=form, next=_local(request.values.get("next")), status=422)


def _tenant_for(email: str, slug: str) -> Tenant | None:
    with transaction(read_only=True):
        if slug:
            tenant = tenants.tenant_by_slug(slug[:64])
        else:
            tenant = tenants.tenant_of_domain(email.rpartition("@")[2][:253])
        if tenant is not None:
            session().expunge(tenant)
        return tenant


def _to_provider(tenant: Tenant, email: str) -> ResponseReturnValue:
    fresh = request.args.get("fresh") == "1"
    with current.acting_as(tenant_actions.founder(tenant.id, tenant.slug, tenant.name)), transaction():
        connection = queries.connection()
        if connection is None:
            raise NotFound(f"{tenant.name} has not set up its sign-in yet. Ask the operator.")
        under_way, state = actions.begin_sign_in(
            connection, slug=tenant.slug, browser=anonymous_token(), next_path=_local(request.args.get("next")), fresh=fresh
        )
        url = oidc.authorization_url(
            _provider(connection, tenant), state=state, nonce=under_way.nonce, verifier=under_way.verifier, fresh=fresh, login_hint=email
        )
    return redirect(url, 302)


def _provider(connection: Connection, tenant: Tenant) -> oidc.Provider:
    return actions.provider(connection, f"{current_app.config['PUBLIC_URL']}/auth/callback", tenant.id)


def _local(path: str | None) -> str:
    """Only a path of ours may follow a sign-in."""
    fine = path and path.startswith("/") and not path.startswith(("//", "/\\")) and "\n" not in path and len(path) < 500  # noqa: PLR2004
    return path if fine and path else ""


@door.get("/auth/callback", needs=PUBLIC)
def callback() -> ResponseReturnValue:
    """The provider's answer: the state's sign-in is used up first, so that it cannot be replayed whatever follows."""
    state = request.args.get("state", "")[:300]
    tenant = _tenant_for("", state.partition(".")[0])
    if tenant is None:
        raise oidc.TokenRefused("This answer does not belong to a sign-in that this browser began.")
    founder = tenant_actions.founder(tenant.id, tenant.slug, tenant.name)
    with current.acting_as(founder), transaction():
        under_way = actions.take_sign_in(state, anonymous_token())
        connection = queries.connection()
        if connection is None or connection.id != under_way.connection_id:
            raise oidc.TokenRefused("The tenant changed its identity provider meanwhile. Begin again.")
        session().expunge_all()
    if "error" in request.args:
        return _declined(request.args["error"])
    identity = oidc.redeem(
        _provider(connection, tenant), request.args, nonce=under_way.nonce, verifier=under_way.verifier,
        max_age=STEP_UP_AGE if under_way.fresh else None,
    )  # fmt: skip
    return _let_in(tenant, founder, connection, identity, fresh=under_way.fresh, next_path=under_way.next_path)


def _declined(error: str) -> ResponseReturnValue:
    sentence = "You cancelled at your company's sign-in." if error == "access_denied" else "Your company's sign-in refused."
    return page("refused.html", status=403, title="Not signed in", sentence=sentence, way=("Try again", "/login"), code=403)


def _let_in(
    tenant: Tenant, founder: Actor, connection: Connection, identity: oidc.Identity, *, fresh: bool, next_path: str
) -> ResponseReturnValue:
    key = person_key(identity.issuer, identity.subject)
    token = sessions.new_token()
    replaced = signed_in_anywhere()
    with current.acting_as(founder), transaction(person_id=key):
        person = actions.arrive(identity)
        try:
            membership = actions.admit(person, identity, connection)
        except actions.NoMembership as refused:
            actions.refuse_sign_in(person, reason="no membership")
            refusal: actions.NoMembership | None = refused
        else:
            refusal = None
            who = Actor(tenant.id, tenant.slug, tenant.name, person.id, person.name, membership.role)
            with current.acting_as(who):
                old = replaced.session_id if replaced and replaced.tenant_id == tenant.id else None
                actions.start_session(
                    person, identity, token=token, browser=request.user_agent.string, network=current.origin().network,
                    fresh=fresh, replaces=old,
                )  # fmt: skip
    if refusal is not None:
        raise refusal
    response = make_response(redirect(next_path or _home_of(who), 303))
    set_cookie(response, "session", f"{tenant.slug}.{token}", max_age=int(sessions.ABSOLUTE.total_seconds()))
    return response


# ---- signing out


@door.post("/logout", needs=PUBLIC)
def logout() -> ResponseReturnValue:
    """End the session here, then at the provider."""
    who = signed_in_anywhere()
    onward = "/login"
    if who is not None and who.session_id is not None:
        with current.acting_as(who), transaction():
            row = queries.session_row(who.session_id)
            actions.end_session(row, how="signed out")
            onward = _provider_logout(row.id_token, who) or onward
    response = make_response(redirect(onward, 303)) if onward == "/login" else make_response(page("people/onward.html", tenant_name="", onward=onward))
    response.delete_cookie(cookie_name("session"), path="/", secure=current_app.config["SECURE"], httponly=True)
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response


def _provider_logout(sealed_token: bytes, who: Actor) -> str | None:
    from governance.kernel import vault  # noqa: PLC0415 - only here

    connection, tenant = queries.connection(), tenants.tenant_by_id(who.tenant_id)
    if connection is None or tenant is None:
        return None
    token = vault.unwrap(sealed_token, b"id-token").decode()
    return oidc.logout_url(_provider(connection, tenant), token, f"{current_app.config['PUBLIC_URL']}/login")


@door.post("/auth/back-channel/<slug>", needs=PUBLIC)
def back_channel(slug: str) -> ResponseReturnValue:
    """The provider says that somebody's session is over (OpenID Connect Back-Channel Logout 1.0)."""
    tenant = _tenant_for("", slug)
    if tenant is None:
        raise NotFound("There is no such page.")
    with current.acting_as(tenant_actions.founder(tenant.id, tenant.slug, tenant.name)), transaction():
        connection = queries.connection()
        if connection is None:
            raise NotFound("There is no such page.")
        subject, sid, _ = oidc.check_logout_token(_provider(connection, tenant), request.form.get("logout_token", ""))
        actions.end_sessions_at_provider(person_key(connection.issuer, subject) if subject else None, sid)
    return "", 200


@door.post("/theme", needs=PUBLIC)
def theme() -> ResponseReturnValue:
    """Light or dark, kept in a cookie so that the server draws it without a flash."""
    wanted = "dark" if request.form.get("theme") == "dark" else "light"
    response = make_response(redirect(_local(request.form.get("back")) or _back(), 303))
    response.set_cookie("theme", wanted, max_age=31536000, path="/", samesite="Lax", secure=current_app.config["SECURE"])
    return response


def _back() -> str:
    from urllib.parse import urlsplit  # noqa: PLC0415 - only here

    parts = urlsplit(request.headers.get("Referer", ""))
    path = f"{parts.path}?{parts.query}" if parts.query else parts.path
    return _local(path) if parts.netloc == request.host else "/"


# ---- sessions


@door.get("/sessions", needs=PUBLIC)
def to_own_sessions() -> ResponseReturnValue:
    who = signed_in_anywhere()
    return redirect(f"/t/{who.tenant_slug}/settings/sessions" if who else "/login")


@feature.get("/settings/sessions", needs=permissions.OWN)
def own_sessions() -> ResponseReturnValue:
    who = current.actor()
    return page("people/sessions.html", sessions=queries.live_sessions(who.person_id), own=who.session_id)


@feature.post("/settings/sessions/<uuid:session_id>/end", needs=permissions.OWN)
def end_session(session_id: UUID) -> ResponseReturnValue:
    row = queries.session_row(session_id)
    if row.person_id != current.person_id() and not allowed(permissions.MANAGE):
        raise NotFound("There is no such session here.")
    actions.end_session(row, how="ended from the list of sessions")
    return redirect(url_for("people.own_sessions"), 303)


@feature.get("/settings/tenants", needs=permissions.OWN)
def switcher() -> ResponseReturnValue:
    """The tenants of this person: another one is entered by its own sign-in, never by this session."""
    who = current.actor()
    with transaction(read_only=True, person_id=who.person_id):
        held = queries.tenants_of_person()
    return page("people/switcher.html", held=held)


# ---- members


@feature.get("/settings/members", needs=permissions.MEMBERS)
def members() -> ResponseReturnValue:
    return _members_page(InviteForm())


def _members_page(form: InviteForm, *, status: int = 200, problem: str | None = None) -> ResponseReturnValue:
    live: dict[UUID, int] = {}
    for row in queries.live_sessions():
        live[row.person_id] = live.get(row.person_id, 0) + 1
    return page("people/members.html", status=status, form=form, members=queries.members(), live=live, problem=problem,
                invitations=queries.open_invitations(), role_form=RoleForm, fragments=("list",))  # fmt: skip


@feature.post("/settings/members/invite", needs=permissions.MANAGE, fresh=True)
def invite() -> ResponseReturnValue:
    form, who = InviteForm(), current.actor()
    link = f"{current_app.config['PUBLIC_URL']}/login?tenant={who.tenant_slug}"
    if not accepted(form, lambda: actions.invite(form.email.data or "", form.role.data, tenant_name=who.tenant_name, link=link)):
        return _members_page(form, status=422)
    return redirect(url_for("people.members"), 303)


@feature.post("/settings/invitations/<uuid:invitation_id>/withdraw", needs=permissions.MANAGE)
def withdraw(invitation_id: UUID) -> ResponseReturnValue:
    actions.withdraw(queries.invitation(invitation_id))
    return redirect(url_for("people.members"), 303)


@feature.post("/settings/members/<uuid:membership_id>/role", needs=permissions.MANAGE, fresh=True)
def change_role(membership_id: UUID) -> ResponseReturnValue:
    membership, form = queries.membership(membership_id), RoleForm()
    if not accepted(form, lambda: actions.change_role(membership, form.role.data)):
        return _members_page(InviteForm(), status=422, problem="; ".join(text for _, text in form.problems))
    return redirect(url_for("people.members"), 303)


@feature.get("/settings/members/<uuid:membership_id>/remove", needs=permissions.MANAGE)
def removal(membership_id: UUID) -> ResponseReturnValue:
    membership = queries.membership(membership_id)
    return page("people/remove.html", member=membership, sessions=queries.live_sessions(membership.person_id))


@feature.post("/settings/members/<uuid:membership_id>/remove", needs=permissions.MANAGE, fresh=True)
def remove(membership_id: UUID) -> ResponseReturnValue:
    actions.remove(queries.membership(membership_id))
    return redirect(url_for("people.members"), 303)


# ---- the identity provider


@feature.get("/settings/sign-in", needs=permissions.CONNECTION)
def connection() -> ResponseReturnValue:
    return _connection_page(ConnectionForm(**_held()))


def _held() -> dict[str, Any]:
    row, domains = queries.connection(), tenants.domains_of(current.actor().tenant_id)
    if row is None:
        return {"enforced": True, "domains": " ".join(domains)}
    groups = "\n".join(f"{group} = {role}" for group, role in sorted(row.group_roles.items()))
    return {"issuer": row.issuer, "client_id": row.client_id, "enforced": row.enforced, "domains": " ".join(domains),
            "group_roles": groups, "version": row.version}  # fmt: skip


def _connection_page(form: ConnectionForm, *, status: int = 200, stale: DomainError | None = None) -> ResponseReturnValue:
    callback = f"{current_app.config['PUBLIC_URL']}/auth/callback"
    row = queries.connection()
    moments = queries.timeline([row.id]) if row else []
    return page("people/connection.html", status=status, form=form, row=row, callback=callback, stale=stale, moments=moments,
                held=_held(), slug=current.actor().tenant_slug, public=current_app.config["PUBLIC_URL"])  # fmt: skip


@feature.post("/settings/sign-in", needs=permissions.CONNECTION, fresh=True)
def change_connection() -> ResponseReturnValue:
    form = ConnectionForm()
    tenant = tenants.tenant_by_id(current.actor().tenant_id)

    def act() -> None:
        oidc.safe_url(form.issuer.data or "")
        version = int(form.version.data) if (form.version.data or "").isdigit() else None
        actions.connect(
            issuer=(form.issuer.data or "").strip(), client_id=(form.client_id.data or "").strip(), secret=form.secret.data or None,
            enforced=bool(form.enforced.data), group_roles=form.mapping, version=version,
        )  # fmt: skip
        if tenant is not None:
            tenant_actions.set_domains(tenant, set((form.domains.data or "").replace(",", " ").split()))

    if not accepted(form, act):
        return _connection_page(form, status=422)
    return redirect(url_for("people.connection"), 303)


@feature.post("/settings/sign-in/test", needs=permissions.CONNECTION)
def test_connection() -> ResponseReturnValue:
    """Each step of reaching the provider, with what was found; nobody is signed in."""
    row, tenant = queries.connection(), tenants.tenant_by_id(current.actor().tenant_id)
    if row is None or tenant is None:
        raise NotFound("There is no connection to test yet. Save one first.")
    actions.note_test(row, oidc.diagnose(_provider(row, tenant)))
    return redirect(url_for("people.connection") + "#test", 303)


