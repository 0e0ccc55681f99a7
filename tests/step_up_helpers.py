"""Helpers for signing in again in the middle of a form."""

from datetime import timedelta
from typing import Any

from bs4 import BeautifulSoup
from flask import Flask
from sqlalchemy import select

from governance.foundation.people import session_actions, sessions
from governance.foundation.people.models import Person, SavedForm, Session
from governance.kernel import current
from governance.kernel.data.db import session, transaction
from tests import make
from tests.browser import Visitor

LONG_AGO = timedelta(minutes=10)


def visitor_needing_step_up(
    app: Flask, role: str, slug: str = "acme", at: str | None = None
) -> Visitor:
    """Return a visitor whose sign-in is too old for sensitive actions."""
    return Visitor(app, make.cookie(role, slug, signed_in_ago=LONG_AGO), at or slug)


def session_of(visitor: Visitor) -> Session:
    cookie = visitor.client.get_cookie("session")
    assert cookie
    slug, token = sessions.split(cookie.value)
    with current.acting_as(make.system_actor(slug)), transaction(read_only=True) as work:
        found = work.scalars(
            select(Session).where(Session.token_hash == sessions.token_hash(token))
        ).one()
        work.expunge_all()
        return found


def sign_in_again(visitor: Visitor, role: str, slug: str = "acme") -> None:
    """Sign in again in the same browser. The new session replaces the old one."""
    name, email, _ = make.PEOPLE[slug, role]
    token, before = sessions.new_token(), session_of(visitor)
    with make.acting(role, slug):
        person = session().get(Person, make.person_id(role, slug))
        assert person
        who = make.identity(slug, name, email)
        session_actions.start_session(
            person, who, token=token, browser="test", network="", fresh=True, replaces=before.id
        )
    visitor.client.set_cookie("session", f"{slug}.{token}")


def saved_forms(slug: str = "acme") -> list[SavedForm]:
    """Return every stored form of that tenant, oldest first."""
    with current.acting_as(make.system_actor(slug)), transaction(read_only=True) as work:
        found = list(work.scalars(select(SavedForm).order_by(SavedForm.created_at, SavedForm.id)))
        work.expunge_all()
        return found


def newest_kept_form_page(slug: str = "acme") -> str:
    """Return the page of the form that was stored last."""
    return f"/t/{slug}/continue/{saved_forms(slug)[-1].id}"


def kept_form_facts(page: Any) -> dict[str, str]:
    """Return what a page shows of a stored form: label → value."""
    soup = BeautifulSoup(page.text, "html.parser")
    return {
        dt.get_text(strip=True): dt.find_next("dd").get_text(strip=True)
        for dt in soup.select("main .c-kept dt")
    }


def submit_kept_form(visitor: Visitor, page: Any, then: int | None = 303, **more: Any) -> Any:
    """Press the button of the page's form. `more` adds or changes fields."""
    form = BeautifulSoup(page.text, "html.parser").select_one("main form")
    assert form, page.text
    hidden = {
        str(field["name"]): str(field["value"]) for field in form.select("input[type=hidden]")
    }
    return visitor.post(str(form["action"]), then=then, **(hidden | more))
