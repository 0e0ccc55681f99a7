"""The demo's close of a month, which succeeds or states its reason."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from governance.demo import economics_close_story
from governance.economics.reviews.closing import actions as close_actions
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.kernel.work import jobs
from governance.kernel.work.jobs import WorkTicket
from tests.economics.reviews.close_helpers import (
    NOW,
    OCTOBER,
    as_finance,
    bill,
    collect,
    price,
    row_of,
    use,
)


@pytest.fixture
def requested(app, database):
    """Price and bill October, and request its close. Return a function that delays its retry."""
    use(app)
    price()
    bill("15.15")
    collect()
    with clock.frozen(NOW), as_finance():
        close_actions.request_close(OCTOBER)

    def wait(pause: timedelta, tries: int) -> None:
        with as_finance():
            later = {"ready_at": NOW + pause, "tries": tries}
            session().execute(update(WorkTicket).values(later))

    return wait


def test_a_close_that_is_retried_is_waited_for(requested):
    requested(jobs.RETRY_PAUSE, 1)
    with clock.frozen(NOW), as_finance():
        economics_close_story.close_month(OCTOBER)
    assert row_of().is_ready


def test_a_close_that_fails_is_told_with_its_error(requested):
    requested(timedelta(), jobs.MAX_ATTEMPTS)
    failed = pytest.raises(ValueError, match="2026-10 doesn't close: Failed after 3 attempts")
    with clock.frozen(NOW), as_finance(), failed:
        economics_close_story.close_month(OCTOBER)
