"""Step-up for auditors who sign in with a personal link: they enter a new code sent by email.

`address(who, back)` returns the URL to which the step-up page sends them. Meridian can't send them
to their link, because it stores only a hash of it.
"""

from flask import current_app, make_response, redirect, request, url_for

from governance.assurance.engagements.auditors import access as auditor_access
from governance.assurance.engagements.auditors import queries as auditor_queries
from governance.assurance.engagements.models import Engagement, EngagementAuditor
from governance.foundation.people import one_time_codes, permissions, session_actions, sessions
from governance.foundation.people import queries as members
from governance.foundation.people.oidc_types import Identity
from governance.kernel import clock, current
from governance.kernel.current import Actor
from governance.kernel.data.db import session, transaction
from governance.kernel.errors import DomainError, NotFound
from governance.kernel.pages.rendering import page
from governance.kernel.web.feature import Feature
from governance.kernel.web.redirects import tenant_path
from governance.kernel.web.responses import ResponseReturnValue, set_cookie

feature = Feature("auditor_again", __name__)


def address(who: Actor, back: str) -> str | None:
    """Return the URL of the code page, or None if they use an identity provider."""
    if who.role != "auditor" or who.session_id is None:
        return None
    with transaction(read_only=True, tenant_id=who.tenant_id):
        own = members.session_row(who.session_id).issuer == current_app.config["PUBLIC_URL"]
    return url_for("auditor_again.again", tenant=who.tenant_slug, next=back) if own else None


def _link_of_reader(*, lock: bool = True) -> tuple[EngagementAuditor, Engagement]:
    """Return the reader's link in an open engagement, locked while attempts are counted."""
    found = auditor_queries.open_link_of(current.person_id(), lock=lock)
    if found is None:
        raise NotFound("You sign in with your company account, so you don't need a code.")
    return found


def _next_page() -> str:
    """Return the path to continue with. Only paths of this tenant are accepted."""
    return tenant_path(request.values.get("next"))


def _code_page(
    auditor: EngagementAuditor, *, sent: bool = False, problem: str = "", status: int = 200
) -> ResponseReturnValue:
    return page(
        "assurance/engagements/again.html",
        email=auditor.email,
        minutes=one_time_codes.CODE_MINUTES,
        onward=_next_page(),
        sent=sent,
        problem=problem,
        status=status,
    )


@feature.get("/engagements/code", needs=permissions.OWN)
def again() -> ResponseReturnValue:
    return _code_page(_link_of_reader(lock=False)[0])


@feature.post("/engagements/code/send", needs=permissions.OWN)
def send() -> ResponseReturnValue:
    auditor, engagement = _link_of_reader()
    try:
        with session().begin_nested():
            auditor_access.send_code(auditor, engagement)
    except DomainError as refused:
        return _code_page(auditor, problem=refused.message, status=409)
    return _code_page(auditor, sent=True)


@feature.post("/engagements/code", needs=permissions.OWN)
def enter() -> ResponseReturnValue:
    """Replace the session if the code is correct. Otherwise count the attempt and show why."""
    auditor, engagement = _link_of_reader()
    problem = auditor_access.redeem_code(auditor, engagement, request.form.get("code", "")[:40])
    if problem:
        return _code_page(auditor, sent=True, problem=problem, status=422)
    who, token = current.actor(), sessions.new_token()
    member = members.membership_of(current.person_id())
    if member is None:
        raise NotFound("This member doesn't exist, or you don't have access to it.")
    person = member.person
    identity = Identity(
        person.issuer,
        person.subject,
        person.email,
        True,
        person.name,
        (),
        None,
        clock.now().timestamp(),
        "",
    )
    session_actions.start_session(
        person,
        identity,
        token=token,
        browser=request.user_agent.string,
        network=current.origin().network,
        fresh=True,
        replaces=who.session_id,
        via="code by mail",
    )
    response = make_response(redirect(_next_page(), 303))
    set_cookie(
        response,
        "session",
        f"{who.tenant_slug}.{token}",
        max_age=int(sessions.MAX_SESSION_LIFETIME.total_seconds()),
    )
    return response
