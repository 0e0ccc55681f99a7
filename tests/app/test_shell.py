"""The layout around every page, when a query for it fails."""

import re

import pytest
from jinja2 import UndefinedError
from markupsafe import Markup
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from governance.app.shell import _read
from governance.kernel import current
from governance.kernel.data.db import session
from governance.kernel.errors import Forbidden
from tests.conftest import visitor


def broken():
    return session().scalar(text("SELECT 1 / 0"))


def refused():
    raise Forbidden("An auditor doesn't see this.")


def test_a_refusal_leaves_the_page_as_it_is(acting):
    with acting("admin"):
        assert _read(current.actor(), refused, otherwise=3) == 3


def test_a_failing_statement_of_the_page_itself_is_told_as_the_cause(acting):
    """Raise the page's own error, since its transaction can run no other statement.

    Otherwise the page would fail later, at a sound statement.
    """
    with (
        acting("admin"),
        pytest.raises(DBAPIError, match="division by zero"),
        session().begin_nested(),
    ):
        _read(current.actor(), broken, otherwise=0)


def test_around_a_refusal_that_is_drawn_later_a_failing_statement_shows_nothing(acting):
    with acting("admin") as who:
        pass
    with current.acting_as(who):
        assert _read(who, broken, otherwise=0) == 0


ROLES = ("admin", "compliance_officer", "contributor", "viewer", "auditor")


def rail(visitor, path="/t/acme/settings/sessions"):
    """Return the addresses of the navigation that this person sees there, and the current ones."""
    shown = visitor.get(path).text.partition('<nav class="c-nav"')[2].partition("</nav>")[0]
    return re.findall(r'href="([^"#]+)"( aria-current="page")?', re.sub(r"<use [^>]+>", "", shown))


def test_the_navigation_is_that_of_the_readers_role_whoever_asked_before(app, database):
    """Share the navigation, which is rendered once for each role and section."""
    alone = {}
    for role in ROLES:
        app.extensions["navigation"].clear()
        alone[role] = rail(visitor(app, role))
    assert len({tuple(shown) for shown in alone.values()}) > 1
    for role in (*ROLES, *reversed(ROLES)):
        assert rail(visitor(app, role)) == alone[role]


def test_the_navigation_names_the_section_where_the_reader_is(app, as_admin):
    assert [href for href, here in rail(as_admin, "/t/acme/controls/") if here] == [
        "/t/acme/controls/"
    ]
    assert [href for href, here in rail(as_admin, "/t/acme/evidence/") if here] == [
        "/t/acme/evidence/"
    ]


def test_a_text_and_the_same_text_as_markup_are_drawn_apart(app):
    """Cache text and markup apart, so that a name stays escaped."""
    c = app.jinja_env.globals["c"]
    assert "<b>" in c.state("ok", Markup("<b>Sound</b>"))
    assert "&lt;b&gt;" in c.state("ok", "<b>Sound</b>")


def test_a_name_that_a_page_does_not_know_is_an_error_and_no_blank_place(app):
    """Allow a check for a name: an undefined name counts as absent there."""
    absent = app.jinja_env.from_string("{{ 'shown' if note else 'none' }}")
    assert absent.render() == "none"
    for wrong in ("{{ nobody }}", "{{ who.nmae }}", "{{ 'by ' ~ nobody }}"):
        with pytest.raises(UndefinedError):
            app.jinja_env.from_string(wrong).render(who={"name": "Jun Chen"})
