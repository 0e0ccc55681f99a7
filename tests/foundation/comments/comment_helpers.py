"""Readers of a discussion's page, its stored rows, and its notifications."""

from bs4 import BeautifulSoup
from sqlalchemy import select

from governance.foundation.audit.models import AuditEntry
from governance.foundation.comments.models import ObjectComment
from governance.foundation.notifications.models import Notification
from governance.kernel.data.db import session
from tests import make

JUN, ANNA = "jun.chen@acme.example", "contributor@acme.example"


def discussion(reply) -> list[str]:
    section = BeautifulSoup(reply.text, "html.parser").select_one("section#discussion")
    return [" ".join(each.get_text(" ").split()) for each in section.select("article")]


def comments() -> list[ObjectComment]:
    with make.acting("admin", read_only=True):
        found = session().scalars(select(ObjectComment).order_by(ObjectComment.id)).all()
        session().expunge_all()
        return list(found)


def told(role: str, slug: str = "acme") -> list[tuple[str, str]]:
    with make.acting("admin", slug, read_only=True):
        query = select(Notification.kind, Notification.title).where(
            Notification.person_id == make.person_id(role, slug)
        )
        return [tuple(row) for row in session().execute(query.order_by(Notification.id))]


def entries(action: str) -> list[AuditEntry]:
    with make.acting("admin", read_only=True):
        found = session().scalars(select(AuditEntry).where(AuditEntry.action == action)).all()
        session().expunge_all()
        return list(found)
