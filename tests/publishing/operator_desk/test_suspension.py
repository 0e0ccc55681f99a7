"""A suspended tenant: notified at every entrance, without data loss, and restored unchanged."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from governance.foundation.people.models import Session
from governance.foundation.tenants import queries as directory
from governance.foundation.tenants import suspension_actions
from governance.kernel import clock, current
from governance.kernel.data.db import session, transaction, within
from governance.operations.policies import platform_minimum
from governance.operations.policies import queries as policies
from governance.operations.policies.dimensions import plain
from governance.operations.policies.policy_diff import platform_content
from governance.operations.policies.tiers import TIERS
from tests import make
from tests.browser import Visitor
from tests.conftest import visitor
from tests.foundation.approvals.approval_helpers import decide_approval, newest_approval_page
from tests.machine_client import create_machine_client
from tests.operations.decisions.conftest import Product, register_system
from tests.operations.policies.conftest import policy_content, put_in_force
from tests.publishing.operator_desk.desk_helpers import DESK, entries

GIVEN = {"reason": "Invoices unpaid since August", "typed": "Acme Insurance"}


@pytest.fixture(autouse=True)
def fresh_tenant_memory():
    yield
    directory.forget()


@pytest.fixture
def two_people(app, isolated, as_operator):
    """Put Acme in an operator's tier that requires two people for every change."""
    values = {key: plain(value) for key, value in TIERS["strict"].values.items()}
    with make.acting("operator_admin", "console"):
        now = policies.platform()
        added = {"name": "Own", "means": "Ours", "values": values, "four_eyes": True}
        content = platform_content(now)
        content["tiers"]["own"] = added
        platform_minimum.change(content, base=now.number, reason="A tier of our own", until=None)
    put_in_force(policy_content("own"))


def live_sessions(slug: str = "acme") -> int:
    with current.acting_as(make.system_actor(slug)), transaction(read_only=True):
        return len(session().scalars(select(Session).where(Session.ended_at.is_(None))).all())


def test_a_row_of_the_list_opens_the_tenants_page(as_operator, as_officer):
    assert f'href="{DESK}/acme"' in as_operator.get("/operator/").text
    page = as_operator.get(f"{DESK}/acme").text
    assert "Acme Insurance" in page and "People by role" in page and "Compliance officer" in page
    assert "Ines Duarte" not in page and "officer@acme.example" not in page, "counts, no names"
    as_operator.get(f"{DESK}/nobody", then=404)
    as_officer.get(f"{DESK}/acme", then=404)


def test_finance_sees_the_page_and_suspends_nobody(app, isolated):
    finance = Visitor(app, make.cookie("operator_finance", "console"))
    assert "Suspend tenant" not in finance.get(f"{DESK}/acme").text
    finance.get(f"{DESK}/acme/suspend", then=403)
    finance.post(f"{DESK}/acme/suspend", then=403, **GIVEN)
    assert not entries("tenant.suspended")


def test_a_suspension_ends_sessions_and_is_in_both_logs(app, as_operator, as_officer):
    assert "sessions end" in as_operator.get(f"{DESK}/acme/suspend").text or live_sessions() == 1
    as_operator.post(f"{DESK}/acme/suspend", **GIVEN)
    assert live_sessions() == 0
    refused = as_officer.get("controls/", then=403).text
    assert "Acme Insurance is suspended" in refused and "nothing was deleted" in refused
    assert "suspended" in Visitor(app).get("/login?tenant=acme", then=403).text
    ours, theirs = entries("tenant.suspended", "console"), entries("tenant.suspended")
    assert len(ours) == len(theirs) == 1
    assert {each.actor_kind for each in ours + theirs} == {"operator"}
    assert ours[0].actor != theirs[0].actor, "nobody can link the operator across the two logs"
    assert "Acme Insurance is suspended" in as_operator.get(f"{DESK}/acme").text


def test_a_neighbour_notices_nothing(as_operator, as_neighbour):
    as_operator.post(f"{DESK}/acme/suspend", **GIVEN)
    assert len(entries("tenant.suspended")) == 1
    as_neighbour.get("controls/")
    assert entries("tenant.suspended", "globex") == [] and live_sessions("globex") == 1


def test_the_name_and_a_reason_are_needed(as_operator):
    wrong = as_operator.post(f"{DESK}/acme/suspend", then=422, **GIVEN | {"typed": "Acme"})
    assert "Type Acme Insurance exactly as shown" in wrong.text
    as_operator.post(f"{DESK}/acme/suspend", then=422, **GIVEN | {"reason": "  "})
    as_operator.post(f"{DESK}/console/suspend", then=422, **GIVEN | {"typed": "Console"})
    assert not entries("tenant.suspended")


def test_a_suspension_needs_a_fresh_sign_in(app, isolated):
    old = make.cookie("operator_admin", "console", signed_in_ago=timedelta(minutes=10))
    Visitor(app, old).post(f"{DESK}/acme/suspend", then=401, **GIVEN)
    assert not entries("tenant.suspended")


def test_keys_are_refused_with_the_reason(app, as_operator):
    machine = create_machine_client(app)
    machine.get("/audit/acme/checkpoint", then=404)
    as_operator.post(f"{DESK}/acme/suspend", **GIVEN)
    assert "is suspended" in machine.get("/audit/acme/checkpoint", then=403).json["title"]
    as_operator.post(f"{DESK}/acme/resume", reason="Paid")
    machine.get("/audit/acme/checkpoint", then=404)


@pytest.mark.parametrize(("tier", "filter_now"), [("standard", "strict"), ("regulated", "stopped")])
def test_decisions_are_safe_by_the_tenants_tier(app, as_operator, tier, filter_now):
    """Turn switches off in every tier; the strict ones also stop serving stored answers."""
    register_system("support-assistant", "standard")
    put_in_force(policy_content(tier))
    product = Product(app, create_machine_client(app, scopes=("flags:read",)).key)
    assert product.value("switch.support-assistant") is True
    as_operator.post(f"{DESK}/acme/suspend", **GIVEN)
    answer = product.ask("switch.support-assistant").get_json()
    assert answer["value"] is False and answer["reason"] == "DISABLED"
    assert product.value("policy.content_filter") == filter_now
    as_operator.post(f"{DESK}/acme/resume", reason="Paid")
    assert product.value("switch.support-assistant") is True


def test_resuming_brings_everything_back(app, as_operator):
    as_operator.post(f"{DESK}/acme/suspend", **GIVEN)
    as_operator.post(f"{DESK}/acme/suspend", then=409, **GIVEN)
    as_operator.post(f"{DESK}/acme/resume", then=422, reason="")
    as_operator.post(f"{DESK}/acme/resume", reason="Paid")
    Visitor(app, make.cookie("compliance_officer")).get("controls/")
    assert len(entries("tenant.resumed")) == len(entries("tenant.resumed", "console")) == 1
    as_operator.post(f"{DESK}/acme/resume", then=409, reason="Paid again")


def test_a_tier_of_two_people_needs_a_second_operator(app, as_operator, two_people):
    make.add_member("second_operator", "console", since=clock.now() - make.MEMBERS_FOR)
    reply = as_operator.post(f"{DESK}/acme/suspend", **GIVEN)
    path = newest_approval_page("console")
    assert reply.location == path and not entries("tenant.suspended")
    assert "A second operator has to approve" in as_operator.get(f"{DESK}/acme").text
    decide_approval(as_operator, path, then=403, verb="approve", typed="Acme Insurance")
    noor = visitor(app, "second_operator", "console")
    assert "Suspend tenant" in noor.get(path).text
    decide_approval(noor, path, verb="approve", typed="Acme Insurance")
    assert entries("tenant.suspended") and entries("tenant.suspended", "console")


def test_two_logs_commit_together_or_not_at_all(acting):
    """Roll back the tenant's entry when an error follows it."""
    with pytest.raises(RuntimeError), acting("operator_admin", "console"):
        tenant = directory.any_tenant_by_slug("acme")
        suspension_actions.suspend(tenant, reason="A test")
        raise RuntimeError("after both entries")
    assert not entries("tenant.suspended") and not entries("tenant.suspended", "console")


def test_acting_within_a_tenant_sees_and_writes_only_there(acting):
    with acting("operator_admin", "console"):
        own = len(session().scalars(select(Session)).all())
        with within(make.system_actor("globex")):
            inside = session().scalars(select(Session.tenant_id)).all()
            assert set(inside) <= {current.actor().tenant_id}
        assert len(session().scalars(select(Session)).all()) == own
