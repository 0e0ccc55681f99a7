"""The session behind a request, the list of one's own sessions, and the tenants to switch to."""

from collections.abc import Sequence
from urllib.parse import unquote, urlsplit
from uuid import UUID

import structlog
from flask import current_app, redirect, request, url_for
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from governance.foundation.people import (
    permissions,
    queries,
    session_actions,
    session_list,
    sessions,
)
from governance.foundation.people.models import Membership
from governance.foundation.people.ports import support_visitor
from governance.foundation.people.session_list import MEMBER_SESSIONS, OWN_SESSIONS
from governance.foundation.tenants import queries as tenants
from governance.kernel import clock, current
from governance.kernel.current import Actor
from governance.kernel.data.db import transaction
from governance.kernel.errors import DomainError, NotFound, SignInNeeded
from governance.kernel.files.downloads import FILE
from governance.kernel.pages.list_export import csv_file
from governance.kernel.pages.list_pages import ListPage, ListRequest, one_page
from governance.kernel.pages.rendering import page
from governance.kernel.safety.access import require
from governance.kernel.web.feature import Feature
from governance.kernel.web.responses import ResponseReturnValue, cookie_name

feature = Feature("sessions", __name__)
log = structlog.get_logger("people")


class SignedInElsewhere(SignInNeeded):
    """The browser has a session of another tenant, and its person is a member of this one too."""


def identify() -> Actor | None:
    """Return the actor of the session cookie.

    Runs in the transaction of the tenant that the address names.
    """
    wanted = (request.view_args or {}).get("tenant", "console")
    who = _identify(wanted)
    if who is None and not _is_open_while_suspended(request.endpoint):
        tenants.check_not_suspended(wanted)
    return who


def _identify(wanted: str) -> Actor | None:
    slug, token = sessions.split(request.cookies.get(cookie_name("session"), ""))
    if not token:
        return None
    if slug == wanted:
        is_open = _is_open_while_suspended(request.endpoint)
        return sessions.actor_of_token(token, while_suspended=is_open)
    elsewhere = _actor_in(slug, token)
    if elsewhere is None:
        return None
    there = tenants.tenant_id(wanted)
    if there is None or elsewhere.person_id is None:
        raise NotFound("This page doesn't exist.")
    if sessions.is_member(elsewhere.person_id, there):
        raise SignedInElsewhere(f"You're signed in to {elsewhere.tenant_name}.")
    visitor = support_visitor()(elsewhere)
    if visitor is None:
        raise NotFound("This page doesn't exist.")
    return visitor


def _is_open_while_suspended(endpoint: str | None) -> bool:
    view = current_app.view_functions.get(endpoint or "")
    return bool(getattr(view, "while_suspended", False))


def opens_while_suspended(path: str) -> bool:
    """Return whether a path leads to a page that admins of a suspended tenant may open."""
    try:
        endpoint, _values = current_app.url_map.bind("").match(unquote(urlsplit(path).path))
    except (HTTPException, RequestRedirect):
        return False
    return _is_open_while_suspended(endpoint)


def signed_in_anywhere() -> Actor | None:
    """Return the person the cookie belongs to, for pages outside a tenant."""
    slug, token = sessions.split(request.cookies.get(cookie_name("session"), ""))
    return _actor_in(slug, token) if token else None


def _actor_in(slug: str, token: str) -> Actor | None:
    tenant_id = tenants.tenant_id(slug)
    if tenant_id is None:
        return None
    with transaction(read_only=True, tenant_id=tenant_id):
        return sessions.actor_of_token(token, while_suspended=True)


def seen(who: Actor) -> None:
    try:
        sessions.seen(who.support.operator if who.support else who)
    except DomainError as away:  # The page was answered; only the idle clock missed a beat.
        log.warning("session not marked", reason=away.message)


# ---- pages


@feature.get("/settings/sessions", needs=permissions.OWN)
def own_sessions() -> ResponseReturnValue:
    return _sessions(OWN_SESSIONS, None)


def _sessions(listed: ListPage, member: Membership | None) -> ResponseReturnValue:
    """List the sessions of that member, or one's own."""
    sessions = _live_sessions(member)
    asked = _asked(listed, sessions, member)
    found = session_list.matching(sessions, asked)
    shown = one_page(found, asked, lambda row: str(row.id))
    return page(
        "foundation/people/sessions.html",
        asked=asked,
        sessions=sessions,
        shown=shown,
        matching=len(found),
        own=current.actor().session_id,
        member=member,
    )


def _live_sessions(member: Membership | None) -> Sequence[queries.LiveSession]:
    return queries.live_sessions(member.person_id if member else current.person_id())


def _asked(
    listed: ListPage, sessions: Sequence[queries.LiveSession], member: Membership | None
) -> ListRequest:
    place = {"membership_id": member.id} if member else {}
    return listed.read(place=place, choices={"network": session_list.networks(sessions)})


@feature.get("/settings/sessions.csv", needs=permissions.OWN, answers=FILE)
def export_own_sessions() -> ResponseReturnValue:
    return _export_sessions(OWN_SESSIONS, None)


def _export_sessions(listed: ListPage, member: Membership | None) -> ResponseReturnValue:
    """Export all rows that match the filters."""
    sessions = _live_sessions(member)
    asked = _asked(listed, sessions, member)
    return csv_file(
        f"sessions-{clock.today()}",
        session_list.HEAD,
        [map(session_list.cells, session_list.matching(sessions, asked))],
        asked,
    )


@feature.post("/settings/sessions/<uuid:session_id>/end", needs=permissions.END_SESSION)
def end_session(session_id: UUID) -> ResponseReturnValue:
    """End one's own session, or as an admin anybody's."""
    row = queries.session_row(session_id)
    require(permissions.END_SESSION, on=row)
    own = permissions.is_own_session(current.actor(), row)
    session_actions.end_session(
        row, how="ended from the sessions page" if own else "ended by an admin"
    )
    member = queries.membership_of(row.person_id)
    if own or member is None:
        return redirect(url_for("sessions.own_sessions"), 303)
    return redirect(url_for("sessions.member_sessions", membership_id=member.id), 303)


@feature.get("/settings/members/<uuid:membership_id>/sessions", needs=permissions.MANAGE)
def member_sessions(membership_id: UUID) -> ResponseReturnValue:
    return _sessions(MEMBER_SESSIONS, queries.membership(membership_id))


@feature.get(
    "/settings/members/<uuid:membership_id>/sessions.csv", needs=permissions.MANAGE, answers=FILE
)
def export_member_sessions(membership_id: UUID) -> ResponseReturnValue:
    return _export_sessions(MEMBER_SESSIONS, queries.membership(membership_id))


@feature.post("/settings/members/<uuid:membership_id>/sessions/end", needs=permissions.MANAGE)
def end_member_sessions(membership_id: UUID) -> ResponseReturnValue:
    session_actions.end_member_sessions(queries.membership(membership_id), how="ended by an admin")
    return redirect(url_for("people.members"), 303)


@feature.get("/settings/tenants", needs=permissions.OWN)
def switcher() -> ResponseReturnValue:
    """List the tenants of this person. Another one needs its own sign-in, never this session."""
    who = current.actor()
    with transaction(read_only=True, person_id=who.person_id):
        memberships = queries.tenants_of_person()
    return page("foundation/people/switcher.html", memberships=memberships, leaves=who.session_id)
