"""Denied requests in the log: an entry with a count per person or key, route and hour."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from governance.foundation.audit.models import AuditEntry
from governance.foundation.audit.personal_field_encryption import pseudonym
from governance.foundation.logbook import denied_actions
from governance.foundation.logbook.models import DeniedAct
from governance.kernel import clock, current
from governance.kernel.data.db import session
from tests import make
from tests.machine_client import create_machine_client


def counted(acting, tenant="acme"):
    with acting("admin", tenant, read_only=True):
        query = select(DeniedAct.kind, DeniedAct.who, DeniedAct.route, DeniedAct.count)
        return sorted(tuple(row) for row in session().execute(query))


def entries(acting, tenant="acme"):
    with acting("admin", tenant):
        query = select(AuditEntry).where(AuditEntry.action == "access.denied")
        return [(each.facts, each.outcome) for each in session().scalars(query)]


def record(tenant="acme"):
    with current.acting_as(make.system_actor(tenant)):
        denied_actions.record_denied()


def test_denied_acts_become_one_entry_an_hour_with_their_count(as_viewer, as_officer, acting):
    for _ in range(3):
        as_viewer.get("audit/exports", then=403)
    as_viewer.post("audit/exports", then=403, format="csv")
    as_officer.get("audit/exports")
    with acting("admin"):
        viewer = pseudonym(make.person_id("viewer"))
    route = "/t/acme/audit/exports"
    assert counted(acting) == [("forbidden", viewer, route, 4)]
    record()
    assert entries(acting) == []  # The hour isn't over.
    with clock.frozen(clock.now() + timedelta(hours=2)):
        record()
        record()
    [(facts, outcome)] = entries(acting)
    assert (facts["who"], facts["route"], facts["count"]) == (viewer, route, 4)
    assert (facts["kind"], outcome) == ("forbidden", "denied")
    assert counted(acting) == []


def test_forged_forms_and_wrong_keys_are_counted_by_whom_they_show(as_viewer, app, acting):
    """Name the session's person for a form without its token, and the network for a wrong key."""
    reply = as_viewer.client.post(as_viewer.at("systems/new"), data={"csrf_token": "x"})
    assert reply.status_code == 403
    key = create_machine_client(app).key
    client = app.test_client()
    for token in (key[:-4] + "AAAA", "nonsense"):
        reply = client.get("/audit/acme/checkpoint", headers={"Authorization": f"Bearer {token}"})
        assert reply.status_code == 401
    client.get("/audit/acme/checkpoint")  # It shows no key, so it tries nothing.
    with acting("admin"):
        viewer = pseudonym(make.person_id("viewer"))
    assert counted(acting) == [
        ("forged_form", viewer, "/t/acme/systems/new", 1),
        ("wrong_key", "127.0.0.0/24", "/audit/acme/checkpoint", 2),
    ]


def test_another_tenants_denied_acts_are_its_own(as_viewer, as_neighbour, acting):
    as_viewer.get("audit/exports", then=403)
    as_neighbour.client.get("/t/acme/audit/exports")
    assert len(counted(acting)) == 1 and counted(acting, "globex") == []


def test_a_flood_is_counted_together_beyond_a_number_of_rows(as_viewer, acting, monkeypatch):
    monkeypatch.setattr(denied_actions, "MAX_ROWS", 3)
    for path in ("audit/exports", "audit/anchors"):
        as_viewer.client.post(as_viewer.at(path), data={"csrf_token": "x"})
    for path in ("systems/new", "controls/new", "evidence/new"):
        as_viewer.client.post(as_viewer.at(path), data={"csrf_token": "x"})
    with acting("admin", read_only=True):
        rows, total = (
            session()
            .execute(select(func.count(), func.sum(DeniedAct.count)).select_from(DeniedAct))
            .one()
        )
    assert (rows, total) == (4, 5)
    assert any(who == route == denied_actions.OTHERS for _, who, route, _ in counted(acting))


@pytest.mark.parametrize("path", ["nothing/here", "systems/"])
def test_what_is_not_denied_leaves_nothing(as_viewer, acting, path):
    as_viewer.client.get(as_viewer.at(path))
    assert counted(acting) == []
