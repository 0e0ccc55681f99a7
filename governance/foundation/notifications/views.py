"""The page of one's own notifications, and unsubscribing from the digest by a link."""

from collections.abc import Callable
from uuid import UUID

from flask import flash, redirect, request, url_for

from governance.foundation.notifications import actions, digests, queries
from governance.foundation.people import permissions
from governance.foundation.people.models import Membership
from governance.foundation.tenants import queries as tenants
from governance.foundation.tenants.system_actor import system_actor_in
from governance.kernel import current
from governance.kernel.data.db import transaction
from governance.kernel.errors import NotFound
from governance.kernel.formatting import plural
from governance.kernel.pages.rendering import page
from governance.kernel.safety.access import PUBLIC
from governance.kernel.web.feature import Feature
from governance.kernel.web.responses import ResponseReturnValue

feature = Feature("notifications", __name__)
public = Feature("digest", __name__, scope="public")


@feature.get("/notifications/", needs=permissions.OWN)
def index() -> ResponseReturnValue:
    unread = request.args.get("show") == "unread"
    after = request.args.get("after", "")
    rows, following = queries.own_notifications(unread=unread, after=after or None)
    return page(
        "foundation/notifications/index.html",
        rows=rows,
        next=following,
        after=after,
        unread=unread,
        count=current.actor().unread_notifications,
    )


@feature.post("/notifications/<uuid:notification_id>/open", needs=permissions.OWN)
def open_one(notification_id: UUID) -> ResponseReturnValue:
    """Mark it as read and redirect to where it happened."""
    row = queries.own_notification(notification_id)
    actions.mark_read(row)
    return redirect(f"/t/{current.actor().tenant_slug}/{row.path}", 303)


@feature.post("/notifications/<uuid:notification_id>/read", needs=permissions.OWN)
def read(notification_id: UUID) -> ResponseReturnValue:
    actions.mark_read(queries.own_notification(notification_id))
    return _back()


@feature.post("/notifications/<uuid:notification_id>/unread", needs=permissions.OWN)
def unread(notification_id: UUID) -> ResponseReturnValue:
    actions.mark_unread(queries.own_notification(notification_id))
    return _back()


@feature.post("/notifications/read", needs=permissions.OWN)
def read_all() -> ResponseReturnValue:
    flash(f"{plural(actions.mark_all_read(), 'notification')} marked as read.")
    return _back()


def _back() -> ResponseReturnValue:
    show = "unread" if request.form.get("show") == "unread" else None
    return redirect(url_for("notifications.index", show=show), 303)


# ---- the link of a digest


@public.get("/digest/unsubscribe/<token>", needs=PUBLIC)
def unsubscribing(token: str) -> ResponseReturnValue:
    """Show a page with a button: programs that open links in mail change nothing."""
    tenant_name = _with_member(token, lambda _member: current.actor().tenant_name, read_only=True)
    return page("foundation/notifications/unsubscribe.html", tenant_name=tenant_name, done=False)


@public.post("/digest/unsubscribe/<token>", needs=PUBLIC)
def unsubscribe(token: str) -> ResponseReturnValue:
    """Unsubscribe by the button, or by one click in a mail program (RFC 8058).

    The token is the proof.
    """

    def act(member: Membership) -> str:
        digests.unsubscribe(member)
        return current.actor().tenant_name

    tenant_name = _with_member(token, act)
    return page("foundation/notifications/unsubscribe.html", tenant_name=tenant_name, done=True)


def _with_member(token: str, act: Callable[[Membership], str], *, read_only: bool = False) -> str:
    """Run `act` on the member of the token, as Meridian; every wrong token gets the same answer."""
    slug = digests.tenant_of(token)
    tenant_id = tenants.tenant_id(slug) if slug else None
    if slug is not None and tenant_id is not None:
        with transaction(read_only=True):
            tenant = tenants.tenant_by_id(tenant_id)
            who = system_actor_in(tenant_id, slug, tenant.name if tenant else slug)
        with current.acting_as(who), transaction(read_only=read_only):
            member = digests.member_of(token, lock=not read_only)
            if member is not None:
                return act(member)
    raise NotFound("This link no longer works. Sign in, and change the digest in your profile.")
