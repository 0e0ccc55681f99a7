"""The auditors' door: who is let in while, and the way in by a link and a code that goes to the
address.

A link leads to a page that sends a code; the code opens a session of a person whom this console
itself vouches for. Nobody learns from these pages whether a link was ever right: what is unknown,
over or taken back looks the same.
"""

from flask import current_app, g, make_response, redirect, request

from governance.assurance.engagements import actions, auditor_access, queries
from governance.assurance.engagements.models import Engagement, EngagementAuditor
from governance.foundation.people import actions as people
from governance.foundation.people import session_views, sessions, sign_in_views
from governance.foundation.people.models import person_key
from governance.foundation.people.oidc import Identity
from governance.foundation.tenants import queries as tenants
from governance.foundation.tenants import system_actor
from governance.foundation.tenants.models import Tenant
from governance.kernel import clock, current
from governance.kernel.access import PUBLIC
from governance.kernel.current import Actor
from governance.kernel.db import session, transaction
from governance.kernel.errors import DomainError, NotFound
from governance.kernel.feature import Feature
from governance.kernel.pages import page
from governance.kernel.web import ResponseReturnValue, set_cookie

public = Feature("auditor_door", __name__, scope="public")
GONE = (
    "This link isn't valid. The invitation may have been withdrawn, or the engagement may have"
    " ended. Ask the person who sent it."
)
SHUT = (
    "Your access ended with the fieldwork of your engagement. Ask the company you audit if you need"
    " more time."
)


def identify() -> Actor | None:
    """Who is signed in; an auditor only while an engagement of theirs is open, checked on each
    request.
    """
    who = session_views.identify()
    if who is None or who.role != "auditor":
        return who
    if not queries.may_enter(who, clock.now()):
        g.access_ended = who
        raise actions.Closed(SHUT)
    return who


# ---- the way in by link and code


@public.get("/auditor/<slug>/<token>", needs=PUBLIC)
def arriving(slug: str, token: str) -> ResponseReturnValue:
    tenant = _tenant(slug)
    with current.acting_as(_console_in(tenant)), transaction(read_only=True):
        _auditor, held = _behind(token)
        return _page(tenant, held, token)


def _page(
    tenant: Tenant,
    held: Engagement,
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
        firm=held.firm,
        ref=held.ref,
        sent=sent,
        problem=problem,
        minutes=auditor_access.CODE_MINUTES,
        status=status,
    )


def _tenant(slug: str) -> Tenant:
    with transaction(read_only=True):
        tenant = tenants.tenant_by_slug(slug)
        if tenant is None:
            raise NotFound(GONE)
        session().expunge(tenant)
    return tenant


def _console_in(tenant: Tenant) -> Actor:
    return system_actor.founder(tenant.id, tenant.slug, tenant.name)


def _behind(token: str, *, lock: bool = False) -> tuple[EngagementAuditor, Engagement]:
    """The auditor whose link that is, and the engagement, while it can still be entered."""
    auditor = queries.auditor_by_link(auditor_access.hash_of_link(token), lock=lock)
    held = queries.engagement(auditor.engagement_id) if auditor else None
    if auditor is None or held is None or queries.phase_of(held) == "over":
        raise NotFound(GONE)
    return auditor, held


@public.post("/auditor/<slug>/<token>/code", needs=PUBLIC)
def send(slug: str, token: str) -> ResponseReturnValue:
    """A code to the address that the link was made for."""
    tenant = _tenant(slug)
    with current.acting_as(_console_in(tenant)), transaction():
        auditor, held = _behind(token, lock=True)
        try:
            with session().begin_nested():
                auditor_access.send_code(auditor, held)
        except DomainError as refused:
            return _page(tenant, held, token, problem=refused.message, status=409)
        return _page(tenant, held, token, sent=True)


@public.post("/auditor/<slug>/<token>", needs=PUBLIC)
def enter(slug: str, token: str) -> ResponseReturnValue:
    """The code opens a session; a wrong one is counted, also when the answer is a refusal."""
    tenant = _tenant(slug)
    other = sign_in_views.session_elsewhere(tenant)
    with current.acting_as(_console_in(tenant)), transaction():
        auditor, held = _behind(token, lock=True)
        if other is not None and request.form.get("leaves") != str(other.session_id):
            return _page(tenant, held, token, sent=True, status=409)
        problem = _redeemed(auditor, held, request.form.get("code", "")[:40])
        if problem:
            return _page(tenant, held, token, sent=True, problem=problem, status=422)
        identity = _identity(tenant, auditor)
    arrived = _let_in(tenant, token, identity)
    if other is not None:
        sign_in_views.leave(other, how="switched to another tenant")
    return arrived


def _redeemed(auditor: EngagementAuditor, held: Engagement, code: str) -> str | None:
    try:
        return auditor_access.redeem(auditor, held, code)
    except actions.Closed as closed:
        return closed.message


def _identity(tenant: Tenant, auditor: EngagementAuditor) -> Identity:
    """The console vouches: for this address, as this tenant invited it.

    Another tenant's invitation is another person.
    """
    subject = f"{tenant.id} {auditor.email}"
    issuer = str(current_app.config["PUBLIC_URL"])
    return Identity(
        issuer, subject, auditor.email, True, auditor.name, (), None, clock.now().timestamp(), ""
    )


def _let_in(tenant: Tenant, link: str, identity: Identity) -> ResponseReturnValue:
    before, token = session_views.signed_in_anywhere(), sessions.new_token()
    here = before if before is not None and before.tenant_id == tenant.id else None
    key = person_key(identity.issuer, identity.subject)
    with current.acting_as(_console_in(tenant)), transaction(person_id=key):
        auditor, _held = _behind(link, lock=True)
        person = auditor_access.arrive(auditor, identity)
        who = Actor(tenant.id, tenant.slug, tenant.name, person.id, person.name, "auditor")
        with current.acting_as(who):
            people.start_session(
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
        max_age=int(sessions.ABSOLUTE.total_seconds()),
    )
    return response
