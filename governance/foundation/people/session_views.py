"""The session behind a request, the list of one's own sessions, and the tenants to switch to."""

from uuid import UUID

import structlog
from flask import redirect, request, url_for

from governance.foundation.people import actions, permissions, queries, sessions
from governance.foundation.tenants import queries as tenants
from governance.kernel import current
from governance.kernel.access import require
from governance.kernel.current import Actor
from governance.kernel.db import transaction
from governance.kernel.errors import DomainError, NotFound, SignInNeeded
from governance.kernel.feature import Feature
from governance.kernel.pages import page
from governance.kernel.web import ResponseReturnValue, cookie_name

feature = Feature("sessions", __name__)
log = structlog.get_logger("people")


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


# ---- pages


@feature.get("/settings/sessions", needs=permissions.OWN)
def own_sessions() -> ResponseReturnValue:
    who = current.actor()
    return page("foundation/people/sessions.html", sessions=queries.live_sessions(who.person_id), own=who.session_id, member=None)


@feature.post("/settings/sessions/<uuid:session_id>/end", needs=permissions.END_SESSION)
def end_session(session_id: UUID) -> ResponseReturnValue:
    """One's own, or as an admin anybody's."""
    row = queries.session_row(session_id)
    require(permissions.END_SESSION, on=row)
    own = permissions.is_own_session(current.actor(), row)
    actions.end_session(row, how="ended from the list of sessions" if own else "ended by an admin")
    member = queries.membership_of(row.person_id)
    if own or member is None:
        return redirect(url_for("sessions.own_sessions"), 303)
    return redirect(url_for("sessions.member_sessions", membership_id=member.id), 303)


@feature.get("/settings/members/<uuid:membership_id>/sessions", needs=permissions.MANAGE)
def member_sessions(membership_id: UUID) -> ResponseReturnValue:
    member = queries.membership(membership_id)
    return page(
        "foundation/people/sessions.html",
        sessions=queries.live_sessions(member.person_id),
        own=current.actor().session_id,
        member=member,
    )


@feature.post("/settings/members/<uuid:membership_id>/sessions/end", needs=permissions.MANAGE)
def end_member_sessions(membership_id: UUID) -> ResponseReturnValue:
    actions.end_sessions_of(queries.membership(membership_id), how="ended by an admin")
    return redirect(url_for("people.members"), 303)


@feature.get("/settings/tenants", needs=permissions.OWN)
def switcher() -> ResponseReturnValue:
    """The tenants of this person: another one is entered by its own sign-in, never by this session."""
    who = current.actor()
    with transaction(read_only=True, person_id=who.person_id):
        held = queries.tenants_of_person()
    return page("foundation/people/switcher.html", held=held, leaves=who.session_id)
