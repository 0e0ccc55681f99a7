"""Auditor sign-in with a personal link and a code sent to their email address.

The link opens a page that sends a code. The code starts a session for a person whose identity
Meridian itself asserts. Unknown, expired and withdrawn links get the same response.
"""

from flask import current_app, g, make_response, redirect, request

from governance.assurance.engagements import actions, queries
from governance.assurance.engagements.auditors import access as auditor_access
from governance.assurance.engagements.auditors import queries as auditor_queries
from governance.assurance.engagements.models import Engagement, EngagementAuditor
from governance.foundation.people import (
    one_time_codes,
    session_actions,
    session_views,
    sessions,
    sign_in_views,
    sign_out_views,
)
from governance.foundation.people.models import person_key
from governance.foundation.people.oidc_types import Identity
from governance.foundation.tenants import queries as tenants
from governance.foundation.tenants.models import Tenant
from governance.foundation.tenants.system_actor import system_actor_in
from governance.kernel import clock, current
from governance.kernel.current import Actor
from governance.kernel.data.db import session, transaction
from governance.kernel.errors import DomainError, NotFound
from governance.kernel.pages.rendering import page
from governance.kernel.safety.access import PUBLIC
from governance.kernel.web.feature import Feature
from governance.kernel.web.responses import ResponseReturnValue, set_cookie

public = Feature("auditor_door", __name__, scope="public")
LINK_NOT_VALID = (
    "This link isn't valid. The invitation may have been withdrawn, or the engagement may have"
    " ended. Ask the person who sent it."
)
ACCESS_ENDED = (
    "Your access ended with the fieldwork of your engagement. Ask the company you audit if you need"
    " more time."
)


def identify() -> Actor | None:
    """Return the signed-in person.

    Raises EngagementClosed for an auditor without an open engagement.
    """
    who = session_views.identify()
    if who is None or who.role != "auditor":
        return who
    if not queries.has_access(who, clock.now()):
        g.access_ended = who
        raise actions.EngagementClosed(ACCESS_ENDED)
    return who


# ---- Sign-in with link and code


@public.get("/auditor/<slug>/<token>", needs=PUBLIC)
def arriving(slug: str, token: str) -> ResponseReturnValue:
    tenant = _find_tenant(slug)
    with current.acting_as(_system_actor_of(tenant)), transaction(read_only=True):
        _auditor, engagement = _auditor_of_link(token)
        return _sign_in_page(tenant, engagement, token)


def _sign_in_page(
    tenant: Tenant,
    engagement: Engagement,
    token: str,
    *,
    sent: bool = False,
    problem: str = "",
    status: int = 200,
) -> ResponseReturnValue:
    other = sign_in_views.session_elsewhere(tenant)
    return page(
        "assurance/engagements/arrive.html",
        tenant_name=tenant.name,
        other=other,
        slug=tenant.slug,
        token=token,
        firm=engagement.firm,
        ref=engagement.ref,
        sent=sent,
        problem=problem,
        minutes=one_time_codes.CODE_MINUTES,
        status=status,
    )


def _find_tenant(slug: str) -> Tenant:
    with transaction(read_only=True):
        tenant = tenants.tenant_by_slug(slug)
        if tenant is None:
            raise NotFound(LINK_NOT_VALID)
        session().expunge(tenant)
    return tenant


def _system_actor_of(tenant: Tenant) -> Actor:
    return system_actor_in(tenant.id, tenant.slug, tenant.name)


def _auditor_of_link(token: str, *, lock: bool = False) -> tuple[EngagementAuditor, Engagement]:
    """Return the auditor with this link, and the engagement. Raises NotFound if it is over."""
    auditor = auditor_queries.auditor_by_link(auditor_access.hash_of_link(token), lock=lock)
    engagement = queries.engagement(auditor.engagement_id) if auditor else None
    if auditor is None or engagement is None or queries.phase_of(engagement) == "over":
        raise NotFound(LINK_NOT_VALID)
    return auditor, engagement


@public.post("/auditor/<slug>/<token>/code", needs=PUBLIC)
def send(slug: str, token: str) -> ResponseReturnValue:
    """Send a code to the address that received the link."""
    tenant = _find_tenant(slug)
    with current.acting_as(_system_actor_of(tenant)), transaction():
        auditor, engagement = _auditor_of_link(token, lock=True)
        try:
            with session().begin_nested():
                auditor_access.send_code(auditor, engagement)
        except DomainError as refused:
            return _sign_in_page(tenant, engagement, token, problem=refused.message, status=409)
        return _sign_in_page(tenant, engagement, token, sent=True)


@public.post("/auditor/<slug>/<token>", needs=PUBLIC)
def enter(slug: str, token: str) -> ResponseReturnValue:
    """Start a session if the code is correct. Otherwise count the attempt."""
    tenant = _find_tenant(slug)
    other = sign_in_views.session_elsewhere(tenant)
    with current.acting_as(_system_actor_of(tenant)), transaction():
        auditor, engagement = _auditor_of_link(token, lock=True)
        if other is not None and request.form.get("leaves") != str(other.session_id):
            return _sign_in_page(tenant, engagement, token, sent=True, status=409)
        problem = _redeem(auditor, engagement, request.form.get("code", "")[:40])
        if problem:
            return _sign_in_page(tenant, engagement, token, sent=True, problem=problem, status=422)
        identity = _identity(tenant, auditor)
    arrived = _start_session(tenant, token, identity)
    if other is not None:
        sign_out_views.end_own_session(other, how="switched to another tenant")
    return arrived


def _redeem(auditor: EngagementAuditor, engagement: Engagement, code: str) -> str | None:
    try:
        return auditor_access.redeem_code(auditor, engagement, code)
    except actions.EngagementClosed as closed:
        return closed.message


def _identity(tenant: Tenant, auditor: EngagementAuditor) -> Identity:
    """Return the identity that Meridian asserts: this email address, as invited by this tenant.

    The same address invited by another tenant is a different person.
    """
    subject = f"{tenant.id} {auditor.email}"
    issuer = str(current_app.config["PUBLIC_URL"])
    return Identity(
        issuer, subject, auditor.email, True, auditor.name, (), None, clock.now().timestamp(), ""
    )


def _start_session(tenant: Tenant, link: str, identity: Identity) -> ResponseReturnValue:
    before, token = session_views.signed_in_anywhere(), sessions.new_token()
    here = before if before is not None and before.tenant_id == tenant.id else None
    key = person_key(identity.issuer, identity.subject)
    with current.acting_as(_system_actor_of(tenant)), transaction(person_id=key):
        auditor, _held = _auditor_of_link(link, lock=True)
        person = auditor_access.sign_in_auditor(auditor, identity)
        who = Actor(tenant.id, tenant.slug, tenant.name, person.id, person.name, "auditor")
        with current.acting_as(who):
            session_actions.start_session(
                person,
                identity,
                token=token,
                browser=request.user_agent.string,
                network=current.origin().network,
                fresh=True,
                replaces=here.session_id if here else None,
                via="code by mail",
            )
    response = make_response(redirect(f"/t/{tenant.slug}/engagements/", 303))
    set_cookie(
        response,
        "session",
        f"{tenant.slug}.{token}",
        max_age=int(sessions.MAX_SESSION_LIFETIME.total_seconds()),
    )
    return response
