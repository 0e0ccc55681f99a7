"""Subscribers that notify people of events."""

from sqlalchemy import delete, select

from governance.foundation.approvals.events import RequestClosed
from governance.foundation.comments.events import CommentWritten
from governance.foundation.notifications.actions import Happening, notify
from governance.foundation.notifications.models import Notification
from governance.foundation.people.events import AdminAdded, OwnerAssigned
from governance.foundation.people.member_actions import ADMIN_ROLES
from governance.foundation.people.models import Membership
from governance.foundation.privacy.events import PersonErased
from governance.kernel.data.db import session

SAYS = {
    "approved": "approved your request",
    "rejected": "rejected your request",
    "expired": "closed your request, because nobody decided in time:",
    "voided": "changed what you requested, so it is void:",
}


def on_comment(written: CommentWritten) -> None:
    source, title, path = written.comment_id, written.title, written.path
    notify(written.mentioned, Happening("mention", source, "mentioned you in", title, path))
    kind = "discussion" if written.is_request else "comment"
    notify(written.followers, Happening(kind, source, "commented on", title, path))


def on_assignment(assigned: OwnerAssigned) -> None:
    what = Happening(
        "assignment", assigned.entry_id, "made you the owner of", assigned.title, assigned.path
    )
    notify([assigned.owner_id], what)


def on_admin_added(added: AdminAdded) -> None:
    """Notify all other admins, except the acting person."""
    m = Membership
    query = select(m.person_id).where(
        m.ended_at.is_(None), m.role.in_(ADMIN_ROLES), m.person_id != added.person_id
    )
    what = Happening(
        "admin", added.entry_id, "gave the role of admin to", added.name, "settings/members"
    )
    notify(session().scalars(query).all(), what)


def on_decision(closed: RequestClosed) -> None:
    says = SAYS[closed.state]
    what = Happening("decision", closed.approval_id, says, closed.title, closed.path)
    notify(closed.requesters, what)


def delete_notifications_of(erased: PersonErased) -> None:
    """Delete an erased person's notifications. Redaction replaces their name in those of others."""
    n = Notification
    theirs = delete(n).where(n.person_id == erased.person_id).returning(n.id)
    erased.removed["notifications"] = len(session().execute(theirs).all())
