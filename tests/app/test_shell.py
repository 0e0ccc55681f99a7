"""What the layout draws around every page, when reading it fails."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from governance.app.shell import _read
from governance.kernel import current
from governance.kernel.db import session
from governance.kernel.errors import Forbidden


def broken():
    return session().scalar(text("SELECT 1 / 0"))


def refused():
    raise Forbidden("An auditor doesn't see this.")


def test_a_refusal_leaves_the_page_as_it_is(acting):
    with acting("admin"):
        assert _read(current.actor(), refused, otherwise=3) == 3


def test_a_failing_statement_of_the_page_itself_is_told_as_the_cause(acting):
    """Nothing more can be read in its transaction: passed over, the page would fail later, at a
    statement that is sound.
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
