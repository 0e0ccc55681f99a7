"""An operator's search for objects of the desk, limited by their role."""

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import delete, update

from governance.foundation.people.models import Membership
from governance.foundation.tenants import queries as directory
from governance.foundation.tenants import suspension_actions
from governance.kernel.data.db import session
from governance.kernel.work import jobs
from governance.kernel.work.jobs import WorkFailure, WorkTicket
from tests import make
from tests.conftest import visitor
from tests.publishing.operator_desk.desk_helpers import DESK

# In the world, the second operator has the role of the first. Here, they support tenants.
PEOPLE = {"operator_support": "second_operator"}
OPERATORS = ("operator_admin", "operator_finance", "operator_support")


@pytest.fixture(autouse=True)
def fresh_tenant_memory():
    yield
    directory.forget()


def search(who, text):
    """Return label and address of the results, without terms of the glossary."""
    page = BeautifulSoup(who.get("search", query_string={"q": text}).text, "html.parser")
    found = [(each.get_text(strip=True), each["href"]) for each in page.select(".c-found a")]
    return {label: href for label, href in found if not href.startswith("/glossary")}


def jump(who, text):
    hits = who.get("jump", query_string={"q": text}).json
    return {each["label"]: each["href"] for each in hits if each["hint"] != "term"}


@pytest.fixture
def desk(app, isolated, acting):
    """Create failed and queued work of acme, and a request for access to it."""
    with acting("admin"):
        jobs.enqueue("zebra export")
        failed = jobs.enqueue("zebra report")
        failed.state = "failed"
        session().add(
            WorkFailure(
                id=failed.id, for_tenant=failed.tenant_id, kind=failed.kind, cause="OSError"
            )
        )
        session().execute(delete(WorkTicket).where(WorkTicket.id == failed.id))
    make.add_member("second_operator", "console")
    with acting("operator_admin", "console"):
        mine = Membership.person_id == make.person_id("second_operator", "console")
        session().execute(update(Membership).where(mine).values(role="operator_support"))
    asks = visitor(app, "operator_admin", "console")
    asks.post(f"{DESK}/acme/support", reason="Ticket", hours="1", level="view", feature="")


@pytest.mark.parametrize("role", OPERATORS)
@pytest.mark.parametrize(
    ("text", "label", "roles"),
    [
        ("acme", "Acme Insurance", OPERATORS),
        ("Eva", "Eva Brandt", ("operator_admin",)),
        ("zebra report", "Zebra report of Acme Insurance", ("operator_admin",)),
        ("zebra export", "Zebra export of Acme Insurance", ("operator_admin",)),
        ("queues", "Queues and jobs", ("operator_admin", "operator_support")),
        ("failed work", "View failed work", ("operator_admin", "operator_support")),
        ("backup", "View backups and restore drills", ("operator_admin", "operator_support")),
        ("support access", "Support access to Acme", ("operator_admin", "operator_support")),
        ("suspend", "Suspend a tenant", ("operator_admin",)),
        ("create tenant", "Create tenant", ("operator_admin",)),
        ("invite", "Invite a member", ("operator_admin",)),
        ("restart", "Stop or restart the platform", ("operator_admin",)),
    ],
)
def test_each_role_finds_what_it_may_open(app, desk, role, text, label, roles):
    who = visitor(app, PEOPLE.get(role, role), "console")
    found = {name: href for name, href in search(who, text).items() if label in name}
    assert bool(found) == (role in roles), found
    for href in found.values():
        assert who.get(href).status_code == 200
    assert bool(found) == any(label in each for each in jump(who, text))


def test_people_of_a_tenant_find_nothing_of_the_desk(app, desk):
    for role in ("admin", "compliance_officer", "auditor", "viewer"):
        who = visitor(app, role)
        for text in ("Globex", "zebra", "suspend", "failed work", "platform restart"):
            found = {**search(who, text), **jump(who, text)}
            assert not [each for each in found.values() if each.startswith("/operator")], found


def test_what_can_be_done_to_a_tenant_follows_its_name_and_state(app, desk, acting):
    operator = visitor(app, "operator_admin", "console")
    assert jump(operator, "suspend glo")["Suspend Globex…"] == f"{DESK}/globex/suspend"
    assert {"Suspend Acme Insurance…", "Suspend Globex…"} <= jump(operator, "suspend").keys()
    assert "Request access to Acme Insurance…" in jump(operator, "access acme")
    with acting("operator_admin", "console"):
        suspension_actions.suspend(directory.any_tenant_by_slug("globex"), reason="Unpaid")
    assert jump(operator, "resume glo")["Resume Globex…"] == f"{DESK}/globex/resume"
    assert "Suspend Globex…" not in jump(operator, "globex")
    finance = visitor(app, "operator_finance", "console")
    assert not [each for each in jump(finance, "suspend acme") if "…" in each]


def test_an_approval_is_found_by_who_may_see_it(app, isolated, as_admin, as_viewer, as_officer):
    asks = visitor(app, "operator_admin", "console")
    asks.post(f"{DESK}/acme/support", reason="Ticket", hours="1", level="view", feature="")
    [(label, href)] = [each for each in search(as_admin, "view acme").items() if "APR" in each[0]]
    assert label.startswith("APR-1") and as_admin.get(href).status_code == 200
    for other in (as_viewer, as_officer, visitor(app, "admin", "globex")):
        assert not [each for each in search(other, "view acme") if "APR" in each]
