"""A form that needs a fresh sign-in survives it: kept encrypted, shown again, and submitted once with the values that were sent."""

from typing import Any

from bs4 import BeautifulSoup
from sqlalchemy import select, text

from governance.kernel.db import session
from governance.people.models import Invitation
from tests import make
from tests.browser import Visitor
from tests.people.conftest import Arrival, hidden_fields

ADMIN, NEW = "admin@acme.example", "new.colleague@acme.example"


def age_sessions(minutes: int = 10) -> None:
    """Every session at acme was started that long ago."""
    with make.acting("admin"):
        session().execute(
            text("UPDATE sessions SET authenticated_at = authenticated_at - make_interval(mins => :n)"), {"n": minutes}
        )


def sign_in_again(visitor: Visitor, asked: Any, email: str = ADMIN) -> str:
    """Follow the page's own link to the provider, sign in there, and return where the browser lands."""
    link = BeautifulSoup(asked.text, "html.parser").select_one("main a.btn-primary")
    assert link, asked.text
    reply = visitor.client.get(str(link["href"]), headers={"Sec-Fetch-Site": "same-origin"})
    return str(Arrival(visitor, email, asked=reply.location).finish().location)


def submit(visitor: Visitor, page: Any, then: int | None = 303, **more: Any) -> Any:
    """Press the button of the page's form."""
    form = BeautifulSoup(page.text, "html.parser").select_one("main form")
    assert form, page.text
    return visitor.post(str(form["action"]), then=then, **hidden_fields(page.text), **more)


def invitations() -> list[tuple[str, str]]:
    with make.acting("admin", read_only=True):
        return [tuple(row) for row in session().execute(select(Invitation.email, Invitation.role))]


def test_an_invitation_keeps_its_role_through_a_fresh_sign_in(app, idp, arrive):
    boss = arrive(ADMIN)
    age_sessions()
    asked = boss.post("settings/members/invite", then=401, email=NEW, role="contributor")
    shown = boss.get(sign_in_again(boss, asked))
    words = BeautifulSoup(shown.text, "html.parser").main.get_text(" ")
    assert NEW in words and "Contributor" in words and invitations() == []
    assert submit(boss, shown).location == "/t/acme/settings/members"
    assert invitations() == [(NEW, "contributor")]
