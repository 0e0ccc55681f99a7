"""Pending, running and failed work of all tenants, which the operator retries or cancels."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from governance.foundation.people.jobs import actor_of
from governance.foundation.tenants import queries as directory
from governance.kernel import clock, current
from governance.kernel.data.db import session, transaction
from governance.kernel.errors import DomainError
from governance.kernel.work import jobs
from governance.kernel.work.jobs import WorkFailure, WorkItem, WorkTicket
from governance.publishing.operator_work.jobs import forget_old_failures
from tests import make
from tests.browser import Visitor
from tests.publishing.operator_desk.desk_helpers import entries

SECRET = "the merger of Acme and Initech"
fate = {"fails": True}


@pytest.fixture(autouse=True)
def handler():
    """Register a kind of work that fails until the test lets it succeed."""

    @jobs.work("test work")
    def run(_item: WorkItem, _progress: jobs.Progress) -> None:
        if fate["fails"]:
            raise DomainError(SECRET)

    fate["fails"] = True
    yield
    jobs.handlers.pop("test work")
    directory.forget()


def enqueue(slug: str = "acme") -> UUID:
    with make.acting("admin", slug):
        return jobs.enqueue("test work").id


def state(item_id: UUID, slug: str = "acme") -> str:
    with current.acting_as(make.system_actor(slug)), transaction(read_only=True):
        query = select(WorkItem.state).where(WorkItem.id == item_id)
        return str(session().scalar(query))


def test_waiting_and_failed_work_is_listed_without_content(as_operator, as_officer):
    enqueue()
    page = as_operator.get("/operator/work").text
    assert "1 piece of work is waiting" in page and "Test work" in page and "Acme Insurance" in page
    jobs.drain(actor_of)
    page = as_operator.get("/operator/work").text
    assert "1 piece of work failed" in page and SECRET not in page and "refused" in page
    as_officer.get("/operator/work", then=404)


def test_failed_work_is_retried_with_a_reason_in_both_logs(as_operator):
    item_id = enqueue()
    jobs.drain(actor_of)
    path = f"/operator/work/{item_id}"
    assert SECRET not in as_operator.get(path).text
    as_operator.post(path, then=422, verb="retry", reason=" ")
    assert state(item_id) == "failed"
    fate["fails"] = False
    as_operator.post(path, verb="retry", reason="The disk was full")
    jobs.drain(actor_of)
    assert state(item_id) == "done"
    assert "No work has failed" in as_operator.get("/operator/work").text
    assert len(entries("work.retried")) == len(entries("work.retried", "console")) == 1
    as_operator.get(path, then=404)


def test_waiting_work_is_cancelled_and_failed_work_leaves_the_list(as_operator):
    waits, failed = enqueue(), enqueue("globex")
    as_operator.post(f"/operator/work/{waits}", verb="cancel", reason="Requested by mistake")
    assert state(waits) == "cancelled"
    jobs.drain(actor_of)
    as_operator.post(f"/operator/work/{failed}", verb="cancel", reason="Not needed any more")
    assert state(failed, "globex") == "failed"
    with transaction(read_only=True):
        assert session().scalar(select(WorkFailure.id)) is None


def test_only_failed_work_is_retried(as_operator):
    item_id = enqueue()
    as_operator.post(f"/operator/work/{item_id}", then=422, verb="retry", reason="Hurry")
    with transaction(read_only=True):
        assert len(session().scalars(select(WorkTicket.id)).all()) == 1


def test_finance_sees_no_queue(app, isolated):
    Visitor(app, make.cookie("operator_finance", "console")).get("/operator/work", then=403)


def test_old_failures_leave_the_list(as_operator):
    enqueue()
    jobs.drain(actor_of)
    with clock.frozen(clock.now() + timedelta(days=91)):
        forget_old_failures()
    assert "No work has failed" in as_operator.get("/operator/work").text


def test_the_operators_own_log_and_inbox_are_in_the_rail(as_operator):
    page = as_operator.get("/operator/").text
    for path in ("/t/console/audit/", "/t/console/inbox/", "/operator/work"):
        assert f'href="{path}"' in page
        as_operator.get(path)
