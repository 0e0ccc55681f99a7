"""The admins of a suspended tenant, who may export everything and open nothing else."""

from datetime import timedelta

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import select, update

from governance.foundation.people.jobs import actor_of
from governance.foundation.people.models import Session
from governance.foundation.tenants import queries as directory
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.kernel.work import jobs
from governance.publishing.tenant_exports.models import TenantExport
from tests import make
from tests.browser import Visitor
from tests.foundation.people.conftest import Arrival, sessions_of
from tests.foundation.people.hostile_idp import change_claims
from tests.publishing.operator_desk.desk_helpers import DESK, entries
from tests.publishing.tenant_exports.export_helpers import make_archive, sign_log
from tests.route_helpers import call_route, route_methods
from tests.step_up_helpers import submit_kept_form

GIVEN = {"reason": "Invoices unpaid since August", "typed": "Acme Insurance"}
ADMIN, OFFICER = "admin@acme.example", "officer@acme.example"
PAGE = "/t/acme/settings/export"
OPEN = {
    ("GET", "tenant_exports.index"),
    ("POST", "tenant_exports.file"),
    ("GET", "step_up.continuing"),
}


@pytest.fixture(autouse=True)
def fresh_tenant_memory():
    yield
    directory.forget()


@pytest.fixture
def members(arrive):
    """Return an admin and an officer, who have signed in by the provider before."""
    arrive(ADMIN), arrive(OFFICER)


@pytest.fixture
def suspend(members, as_operator):
    return lambda: as_operator.post(f"{DESK}/acme/suspend", **GIVEN)


def export_id():
    with make.acting("admin", read_only=True):
        return session().scalars(select(TenantExport.id)).one()


def test_an_admin_downloads_what_was_exported_before_the_suspension(arrive, as_admin, suspend):
    archive = make_archive(as_admin)
    suspend()
    nadia = arrive(ADMIN, next=PAGE)
    page = nadia.get(PAGE).text
    assert "Acme Insurance is suspended" in page and "acme-everything-" in page
    assert "Export everything" not in page, "the operator makes new ones"
    before = len(entries("tenant.export.downloaded"))
    assert nadia.post(f"{PAGE}/{export_id()}/file", then=200).data == archive
    assert len(entries("tenant.export.downloaded")) == before + 1
    (told,) = entries("tenant.export.downloaded", "console")
    assert told.facts["tenant"] == "acme" and told.actor_kind == "job", "no name of theirs"


def test_the_operator_makes_one_during_the_suspension_for_them(app, arrive, as_operator, suspend):
    sign_log()
    suspend()
    nadia = arrive(ADMIN, next=PAGE)
    assert "There is no export" in nadia.get(PAGE).text
    nadia.post(PAGE, then=403)
    as_operator.post(f"{DESK}/acme/export", reason="They asked for their data")
    assert "An export is being made" in nadia.get(PAGE).text
    jobs.drain(actor_of)
    assert nadia.post(f"{PAGE}/{export_id()}/file", then=200).data.startswith(b"PK")
    as_operator.post(f"{PAGE}/{export_id()}/file", then=404)


def test_nobody_else_is_signed_in(app, arrive, as_operator, suspend):
    suspend()
    officer = Visitor(app)
    refused = Arrival(officer, OFFICER, next=PAGE).finish(then=403).text
    assert "only its admins" in refused and not sessions_of()
    assert "no admin" in entries("session.denied")[-1].facts["cause"]


def test_an_admin_is_signed_in_for_this_page_alone(app, arrive, suspend, acme_ids):
    suspend()
    refused = Visitor(app).get("/login?tenant=acme", then=403).text
    assert f"/login?tenant=acme&amp;next={PAGE}" in refused, "the page says where to"
    Visitor(app).get("/login?tenant=acme&next=/t/acme/controls/", then=403)
    nadia = arrive(ADMIN, next=PAGE)
    wrong = [
        f"{door}: {reply.status_code}"
        for door in route_methods(app, "tenant")
        if (door.method, door.rule.endpoint) not in OPEN
        for reply in [call_route(nadia, door, door.address(app, "acme", acme_ids))]
        if reply.status_code != 403
    ]
    assert wrong == []
    nadia.get(PAGE)


def test_a_sign_in_that_began_before_the_suspension_opens_nothing(app, suspend):
    under_way = Arrival(Visitor(app), ADMIN)
    suspend()
    under_way.finish(then=403)
    assert not sessions_of()


def test_an_admin_whose_group_was_taken_away_is_refused(app, idp, suspend):
    suspend()
    change_claims(groups=["governance-viewers"])(idp)
    Arrival(Visitor(app), ADMIN, next=PAGE).finish(then=403)
    assert not sessions_of()
    assert not entries("membership.role.changed"), "nothing changes while it is suspended"


def test_a_download_asks_for_a_fresh_sign_in_and_goes_on(arrive, as_admin, suspend):
    archive = make_archive(as_admin)
    suspend()
    nadia = arrive(ADMIN, next=PAGE)
    with make.acting("admin"):
        old = clock.now() - timedelta(minutes=10)
        session().execute(update(Session).values(authenticated_at=old))
    asked = nadia.post(f"{PAGE}/{export_id()}/file", then=401)
    link = BeautifulSoup(asked.text, "html.parser").select_one("main a.btn-primary")
    ours = {"Sec-Fetch-Site": "same-origin"}
    provider = nadia.client.get(link["href"], headers=ours).location
    shown = nadia.get(Arrival(nadia, ADMIN, asked=provider).finish().location)
    assert submit_kept_form(nadia, shown, then=200).data == archive


def test_a_resumed_tenant_is_as_it_was(app, arrive, as_operator, suspend):
    suspend()
    nadia = arrive(ADMIN, next=PAGE)
    nadia.get("controls/", then=403)
    as_operator.post(f"{DESK}/acme/resume", reason="Paid")
    nadia.get("controls/")
    assert "Export everything" in nadia.get(PAGE).text
