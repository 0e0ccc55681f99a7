"""Ages of keys as the operator sees them: due dates, instructions and early warnings."""

from datetime import timedelta

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import select

from governance.foundation.audit import logs
from governance.foundation.audit.models import LogKey
from governance.kernel import clock, current
from governance.kernel.data.db import session, transaction
from governance.publishing.operator_work import key_ages
from governance.publishing.operator_work.models import KeyAge
from governance.publishing.reports import actions as reports
from tests import make
from tests.conftest import visitor

DAY = timedelta(days=1)
PAGE = "/operator/keys"


def page_after(app, days, path=PAGE):
    """Return the page that an operator reads who signs in `days` days later."""
    with clock.frozen(clock.now() + days * DAY):
        return visitor(app, "operator_admin", "console").get(path).text


@pytest.fixture
def keys(app, isolated, acting):
    """Create the signing keys of Acme's log and of the installation's reports."""
    with acting("admin"):
        logs.open_log()
        reports.create_signing_key()


def create_log_key(slug="acme"):
    with current.acting_as(make.system_actor(slug)), transaction():
        logs.rotate_key()


def ages(slug="acme"):
    customer_id = make.system_actor(slug).tenant_id
    with make.acting("operator_admin", "console", read_only=True):
        query = select(KeyAge).where(KeyAge.customer_id == customer_id)
        found = {row.kind: row for row in session().scalars(query)}
        session().expunge_all()
        return found


def test_an_old_log_key_is_overdue_with_the_command_that_replaces_it(keys, app):
    key_ages.note_ages()
    assert "No key is due" in page_after(app, 300)
    assert "due within 30 days" in page_after(app, 340)
    page = page_after(app, 366)
    assert "overdue" in page and "governance audit rotate-key acme" in page
    assert "Acme Insurance" in page and "Report signing key" in page
    warned = "Log signing key of Acme Insurance: replace it"
    assert warned in page_after(app, 340, "/t/console/inbox/")
    assert warned not in page_after(app, 300, "/t/console/inbox/")


def test_a_rotation_is_seen_at_the_next_look(keys, app):
    key_ages.note_ages()
    before = ages()["log"]
    with clock.frozen(clock.now() + 366 * DAY):
        create_log_key()
        key_ages.note_ages()
        after = ages()["log"]
    assert after.since - before.since >= 365 * DAY and after.id == before.id
    assert "overdue" not in page_after(app, 366)


def test_the_date_of_a_retired_key_counts_for_nothing(keys):
    create_log_key()
    key_ages.note_ages()
    with make.acting("admin", read_only=True):
        live = session().scalars(select(LogKey).where(LogKey.retired_at.is_(None))).one()
        assert ages()["log"].since == live.created_at


def test_keys_of_the_installation_are_the_operators(keys):
    key_ages.note_ages()
    assert {"kek", "report"} <= ages("console").keys()
    assert not {"kek", "report", "authority"} & ages("acme").keys()
    assert ages("console")["report"].due_at is None


def test_what_is_gone_is_listed_no_more(keys):
    with make.acting("operator_admin", "console"):
        customer_id = make.system_actor("acme").tenant_id
        session().add(KeyAge(customer_id=customer_id, kind="seal", since=clock.now(), due_at=None))
    key_ages.note_ages()
    assert "seal" not in ages() and "log" in ages()


def test_only_those_who_look_after_the_installation_see_it(keys, app, as_admin, as_operator):
    as_admin.get(PAGE, then=404)
    visitor(app, "operator_finance", "console").get(PAGE, then=403)
    assert PAGE in as_operator.get("/operator/work").text
    marked = BeautifulSoup(as_operator.get(PAGE).text, "html.parser").select("a[aria-current=page]")
    assert {link.get_text(strip=True) for link in marked} == {"Queues and jobs"}


def test_a_page_of_many_keys_asks_as_few_statements(keys, as_operator, statements):
    key_ages.note_ages()
    as_operator.get(PAGE)
    with statements() as few:
        as_operator.get(PAGE)
    with make.acting("operator_admin", "console"):
        for kind in ("bundle", "seal", "webhook"):
            for slug in ("acme", "globex"):
                customer_id = make.system_actor(slug).tenant_id
                due = clock.now() + DAY
                session().add(
                    KeyAge(customer_id=customer_id, kind=kind, since=clock.now(), due_at=due)
                )
    with statements() as many:
        assert "6 keys are due" in as_operator.get(PAGE).text
    assert len(many) == len(few)
