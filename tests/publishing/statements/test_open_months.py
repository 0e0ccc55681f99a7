"""Open months through HTTP: the tenant's admin or the operator closes them.

The current one is provisional.
"""

import pytest
from sqlalchemy import select

from governance.foundation.audit.models import AuditEntry
from governance.foundation.people.jobs import actor_of
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.kernel.months import Month
from governance.kernel.work import jobs
from governance.operations.agreements import queries as agreements
from governance.publishing.statements import actions
from tests import make
from tests.conftest import visitor
from tests.publishing.statements import statement_helpers as helpers
from tests.publishing.statements.statement_helpers import DUE, at

LIST = "reliability/statements/"


@pytest.fixture
def month(app, isolated):
    return helpers.october_with_maintenance()


@pytest.fixture
def as_operator_here(app, isolated):
    return visitor(app, "operator_admin", "console")


@pytest.fixture
def as_finance(app, isolated):
    return visitor(app, "operator_finance", "console")


def operator(path):
    return f"/operator/statements/{path}"


def test_the_list_shows_open_months_and_an_admin_closes_one(month, as_admin, as_officer, acting):
    with clock.frozen(helpers.EARLY):
        page = as_officer.get(LIST).text
        assert "No month is closed yet" in page and "October 2026" in page
        assert "View agreements" in page
        assert "Close now" not in page
        assert "Close now" in as_admin.get(LIST).text
        as_officer.post(f"{LIST}close", then=403, agreement_id=month[0], month="2026-10")
        where = as_admin.post(f"{LIST}close", agreement_id=month[0], month="2026-10").location
        assert "October 2026 is being closed" in as_admin.get(where).text
        jobs.drain(actor_of)
        assert "You are owed" in as_admin.get(where).text
    as_admin.post(f"{LIST}close", then=422, agreement_id="x", month="2026-10")
    as_admin.post(f"{LIST}close", then=422, agreement_id=month[0], month="2026-13")


def test_the_running_month_is_provisional(month, as_viewer, acting):
    with clock.frozen(at(20, 12)):
        page = as_viewer.get(f"{LIST}provisional/{month[0]}").text
    assert "Provisional" in page and "So far, October would credit" in page


def test_an_operator_closes_a_month_of_a_tenant(month, as_operator_here, as_finance, as_admin):
    with clock.frozen(helpers.EARLY):
        page = as_finance.get(operator("")).text
        assert "Months that are over and not closed" in page
        assert '<span class="c-cellsub">October 2026</span>' in page
        assert '<span class="c-cellsub">November 2026</span>' not in page  # It isn't over.
        close_it = {"agreement_id": month[0], "month": "2026-10"}
        where = as_operator_here.post(operator("acme/close"), **close_it).location
        assert "October 2026 is being closed" in as_operator_here.get(where).text
        assert as_finance.post(operator("acme/close"), **close_it).location == where
        jobs.drain(actor_of)
        assert "We owe Acme Insurance" in as_operator_here.get(where).text
        assert "Close now" not in as_operator_here.get(operator("")).text
    as_operator_here.post(operator("acme/close"), then=422, agreement_id="x", month="2026-10")
    as_operator_here.post(operator("globex/close"), then=404, **close_it)
    as_admin.post(operator("acme/close"), then=404, **close_it)
    with make.acting("admin"):
        entries = select(AuditEntry.actor).where(AuditEntry.action == "statement.close.started")
        assert len(session().scalars(entries).all()) == 1


def test_a_month_that_is_not_closed_has_nothing_to_dispute_answer_or_pay(
    month, as_officer, as_finance, acting
):
    with clock.frozen(DUE), acting("admin"):
        open_id = actions.close_now(agreements.agreement(month[0]), Month(2026, 10)).id
    as_officer.get(f"{LIST}{open_id}/disputes/new", then=409)
    disputed = {
        "kind": "exclusion",
        "exclusion": "MNT-5 2026-10-02T06:00:00Z",
        "reason": "It was announced too late.",
    }
    page = as_officer.post(f"{LIST}{open_id}/disputes/new", then=409, **disputed).text
    assert "closed yet" in page
    as_finance.get(operator(f"acme/{open_id}/pay"), then=409)
    as_finance.post(operator(f"acme/{open_id}/pay"), then=409, amount="1.00", note="INV-1")
