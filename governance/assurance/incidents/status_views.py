"""A tenant's private status page, for members and for contacts who sign in by link and code.

Everyone without access gets the same response, whether or not the tenant exists. Headers tell
search engines not to index the page.
"""

from flask import make_response, redirect, request

from governance.assurance.incidents import contact_actions, drafts, permissions, status_page
from governance.assurance.incidents.models import StatusContact
from governance.assurance.incidents.states import MEANINGS, NAMES
from governance.foundation.people import one_time_codes
from governance.foundation.tenants import queries as tenants
from governance.foundation.tenants.models import Tenant
from governance.kernel import clock, current, formatting
from governance.kernel.current import Actor
from governance.kernel.data.db import session, transaction
from governance.kernel.errors import DomainError, NotFound
from governance.kernel.pages.rendering import page
from governance.kernel.safety.access import PUBLIC, allowed
from governance.kernel.safety.visibility_scope import limits
from governance.kernel.web.feature import Feature
from governance.kernel.web.identity import identity
from governance.kernel.web.responses import ResponseReturnValue, cookie_name, set_cookie
from governance.operations.objectives.figures import between

public = Feature("status", __name__, scope="public")
LINK_NOT_VALID = "This link isn't valid. Ask the person who sent it for a new one."
ROBOTS = {"X-Robots-Tag": "noindex, nofollow, noarchive"}
UNAUTHORIZED = 401


@public.get("/status/<tenant>", needs=PUBLIC)
def show(tenant: str) -> ResponseReturnValue:
    """Show the page, or how to sign in."""
    found = _tenant(tenant)
    if found is None:
        return _closed()
    with transaction(read_only=True, tenant_id=found.id):
        who, contact = _reader(found)
        if who is None:
            return _closed()
        reader, contact_id = contact.name if contact else who.name, contact.id if contact else None
        with current.acting_as(who):
            shown = _private(
                page(
                    "assurance/incidents/status.html",
                    tenant_name=found.name,
                    slug=found.slug,
                    incidents=status_page.incidents(),
                    objectives=status_page.objective_states(),
                    maintenance=status_page.coming_maintenance(),
                    state_names=NAMES,
                    meanings=MEANINGS,
                    between=between,
                    zone=f"{clock.now().astimezone(formatting.zone()):%Z}",
                    paragraphs=drafts.paragraphs,
                    reader=reader,
                    is_contact=contact is not None,
                )
            )
    if contact_id is not None:
        with current.acting_as(who), transaction():
            contact_actions.note_reading(contact_id)
    return shown


def _private(answer: ResponseReturnValue) -> ResponseReturnValue:
    response = make_response(answer)
    response.headers.update(ROBOTS)
    return response


def _closed() -> ResponseReturnValue:
    """Return the response for readers without access, the same as for an unknown tenant."""
    return _private(page("assurance/incidents/status_closed.html", status=UNAUTHORIZED))


def _tenant(slug: str) -> Tenant | None:
    with transaction(read_only=True):
        found = tenants.tenant_by_slug(slug)
        if found is None or found.kind == "operator":
            return None
        session().expunge(found)
    return found


def _reader(of: Tenant) -> tuple[Actor | None, StatusContact | None]:
    """Return the actor and contact who reads: a member who may view incidents, or a contact."""
    member = _member()
    if member is not None:
        return member, None
    slug, _, token = request.cookies.get(cookie_name("status"), "").partition(".")
    if slug != of.slug or not token:
        return None, None
    with current.acting_as(_meridian(of)):
        contact = status_page.contact_of_visit(token)
    return (_meridian(of), contact) if contact is not None else (None, None)


def _member() -> Actor | None:
    """Return the tenant's signed-in member, or None if they may not see all incidents."""
    try:
        who = identity.identify()()
    except DomainError:
        return None
    if who is None:
        return None
    with current.acting_as(who):
        return who if allowed(permissions.VIEW) and limits() is None else None


def _meridian(of: Tenant) -> Actor:
    """Return Meridian as the actor for contacts, who aren't members, in the tenant's time zone."""
    return Actor(
        of.id, of.slug, of.name, None, "Meridian", "admin", kind="job", time_zone=of.time_zone
    )


# ---- a contact's way in


@public.get("/status/<tenant>/enter/<token>", needs=PUBLIC)
def arrive(tenant: str, token: str) -> ResponseReturnValue:
    found = _known(tenant)
    with current.acting_as(_meridian(found)), transaction(read_only=True):
        _contact(token)
        return _enter_page(found, token)


def _known(slug: str) -> Tenant:
    found = _tenant(slug)
    if found is None:
        raise NotFound(LINK_NOT_VALID)
    return found


def _contact(token: str, *, lock: bool = False) -> StatusContact:
    found = status_page.contact_by_link(token, lock=lock)
    if found is None:
        raise NotFound(LINK_NOT_VALID)
    return found


def _enter_page(
    of: Tenant, token: str, *, sent: bool = False, problem: str = "", status: int = 200
) -> ResponseReturnValue:
    return _private(
        page(
            "assurance/incidents/status_enter.html",
            tenant_name=of.name,
            slug=of.slug,
            token=token,
            sent=sent,
            problem=problem,
            minutes=one_time_codes.CODE_MINUTES,
            status=status,
        )
    )


@public.post("/status/<tenant>/enter/<token>/code", needs=PUBLIC)
def send(tenant: str, token: str) -> ResponseReturnValue:
    """Send a code to the address that received the link."""
    found = _known(tenant)
    with current.acting_as(_meridian(found)), transaction():
        contact = _contact(token, lock=True)
        try:
            with session().begin_nested():
                contact_actions.send_code(contact)
        except DomainError as refused:
            return _enter_page(found, token, problem=refused.message, status=refused.status)
        return _enter_page(found, token, sent=True)


@public.post("/status/<tenant>/enter/<token>", needs=PUBLIC)
def enter(tenant: str, token: str) -> ResponseReturnValue:
    """Open the page if the code is right. Count the attempt if it is wrong."""
    found = _known(tenant)
    with current.acting_as(_meridian(found)), transaction():
        contact = _contact(token, lock=True)
        visit, problem = contact_actions.redeem_code(contact, request.form.get("code", "")[:40])
        if problem:
            return _enter_page(found, token, sent=True, problem=problem, status=422)
    answer = make_response(redirect(f"/status/{found.slug}", 303))
    length = int(contact_actions.VISIT_LENGTH.total_seconds())
    set_cookie(answer, "status", f"{found.slug}.{visit}", max_age=length)
    return answer


@public.post("/status/<tenant>/leave", needs=PUBLIC)
def leave(tenant: str) -> ResponseReturnValue:
    found = _known(tenant)
    slug, _, token = request.cookies.get(cookie_name("status"), "").partition(".")
    if slug == found.slug and token:
        with current.acting_as(_meridian(found)), transaction():
            contact_actions.end_visit(token)
    answer = make_response(redirect(f"/status/{found.slug}", 303))
    set_cookie(answer, "status", "", max_age=0)
    return answer
