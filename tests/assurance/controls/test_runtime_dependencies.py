"""Controls that depend on drills and on the policy: status, linked reasons, other days, cost."""

from datetime import UTC, datetime, timedelta

import pytest
from bs4 import BeautifulSoup

from governance.assurance.controls import adoption_actions, queries
from governance.assurance.controls.models import Control
from governance.assurance.controls.runtime_dependencies import DRILL_VALID_DAYS
from governance.assurance.controls.status import status
from governance.assurance.frameworks import actions as adopting
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.operations.systems import actions as systems
from governance.operations.systems import queries as registered
from tests import make
from tests.assurance.controls.policy_and_switch_rows import (
    add_finished_drill,
    add_live_version,
    add_live_waiver,
)

NOW = datetime(2026, 11, 25, 9, 24, tzinfo=UTC)
RMF = "nist-ai-rmf-1.0"


def days_ago(days):
    return NOW - timedelta(days=days)


@pytest.fixture(autouse=True)
def fixed_day(app):
    with clock.frozen(NOW):
        yield


@pytest.fixture
def tenant_with_policy_and_drills(app, isolated):
    """Create two systems, one with drills 20 and 200 days ago and one with a waiver.

    claims-triage has the drills, ad-copywriter the open waiver. The tier is strict since 60 days.
    """
    with clock.frozen(days_ago(300)), make.acting("compliance_officer"):
        adopting.adopt_framework(RMF)
        triage = systems.register(
            key="claims-triage",
            stage="live",
            name="Claims triage",
            purpose="Sorts claims.",
            lane="high_risk",
            owner_id=None,
        )
        copywriter = systems.register(
            key="ad-copywriter",
            stage="live",
            name="Ad copywriter",
            purpose="Writes ads.",
            lane="standard",
            owner_id=None,
        )
        adoption_actions.adopt(["OPS-08", "HUM-01", "GOV-01"])
        ids = (triage.id, copywriter.id)
    with make.acting("admin"):
        for system_id, days in ((ids[0], 200), (ids[0], 20), (ids[1], 5)):
            add_finished_drill(system_id, days_ago(days))
        add_live_version(days_ago(60), 1, "strict")
        add_live_waiver(ids[1], "retention_days", 120, since=days_ago(9), until=days_ago(-8))
    return ids


def judged(ref, at=NOW):
    with make.acting("compliance_officer", read_only=True):
        control = next(c for c in queries.posture(at) if c.ref == ref)
        return status(
            control,
            today=at.date(),
            period_from=at.date() - timedelta(days=365),
            period_to=at.date(),
        )


def facts(ref, at=NOW):
    return [
        reason.fact
        for reason in judged(ref, at).reasons
        if reason.kind in {"switch", "policy", "waiver"}
    ]


def test_the_starter_pack_says_what_its_controls_rest_on(tenant_with_policy_and_drills):
    with make.acting("compliance_officer", read_only=True):
        found = {c.ref: c.rests_on for c in session().query(Control)}
    assert found == {"OPS-08": "drill", "HUM-01": "policy", "GOV-01": None}


def test_a_drill_and_a_waiver_are_facts_of_a_control(tenant_with_policy_and_drills):
    assert facts("OPS-08") == []
    assert facts("HUM-01") == [
        (
            "A waiver is open until 3 December 2026: retention of ad-copywriter is below the platform"
            " minimum."
        )
    ]
    assert facts("GOV-01") == []


def test_a_failed_drill_fails_the_control_until_one_passes(tenant_with_policy_and_drills):
    with make.acting("admin"):
        add_finished_drill(tenant_with_policy_and_drills[0], days_ago(2), passed=False)
    assert judged("OPS-08").name == "failing" and facts("OPS-08") == [
        "The last drill of claims-triage failed on 23 November 2026."
    ]
    with make.acting("admin"):
        add_finished_drill(tenant_with_policy_and_drills[0], days_ago(1), passed=True)
    assert facts("OPS-08") == []


def test_a_feature_is_proven_by_its_own_drill_and_fails_by_it_too(tenant_with_policy_and_drills):
    with make.acting("admin"):
        system = registered.system("ad-copywriter")
        part = systems.add_feature(system, key="images", fallback="No image.").id
        add_finished_drill(
            tenant_with_policy_and_drills[1], days_ago(2), passed=False, feature_id=part
        )
    assert facts("OPS-08") == [
        "The last drill of images of ad-copywriter failed on 23 November 2026."
    ]
    with make.acting("admin"):
        # A drill of the complete system.
        add_finished_drill(tenant_with_policy_and_drills[1], days_ago(1))
    assert facts("OPS-08") == []
    with make.acting("admin"):
        add_finished_drill(tenant_with_policy_and_drills[1], days_ago(0.5), feature_id=part)
    assert facts("OPS-08", NOW + timedelta(days=89)) == [
        "The kill switch of claims-triage needs a drill."
    ]
    assert "The kill switch of ad-copywriter needs a drill." in facts(
        "OPS-08", NOW + timedelta(days=92)
    )


def test_another_day_is_judged_by_what_stood_then(tenant_with_policy_and_drills):
    assert facts("OPS-08", days_ago(4)) == []
    assert facts("OPS-08", days_ago(10)) == ["The kill switch of ad-copywriter needs a drill."]
    assert facts("OPS-08", days_ago(201)) == [
        "The kill switch of ad-copywriter needs a drill.",
        "The kill switch of claims-triage needs a drill.",
    ]
    assert facts("OPS-08", days_ago(200 - DRILL_VALID_DAYS)) == [
        "The kill switch of ad-copywriter needs a drill."
    ]
    assert (
        facts("HUM-01", days_ago(9) + timedelta(seconds=1)) != []
        and facts("HUM-01", days_ago(9) - timedelta(seconds=1)) == []
    )
    assert facts("HUM-01", days_ago(61)) == ["No policy has been published."]


def test_the_pages_say_why_and_lead_there(as_officer, tenant_with_policy_and_drills):
    with make.acting("admin"):
        add_finished_drill(tenant_with_policy_and_drills[0], days_ago(2), passed=False)
    with make.acting("compliance_officer", read_only=True):
        ids = {c.ref: c.id for c in session().query(Control)}
    page = as_officer.get(f"controls/{ids['OPS-08']}")
    assert (
        "The last drill of claims-triage failed on 23 November 2026." in page.text
        and "1 of 2 kill switches drilled in 90 days" in page.text
    )
    assert "/t/acme/systems/claims-triage/switches" in links(page)
    page = as_officer.get(f"controls/{ids['HUM-01']}")
    assert (
        "A waiver is open until 3 December 2026" in page.text
        and "Tier Strict, version 1 since 26 September 2026" in page.text
    )
    assert any(href.startswith("/t/acme/policies/waivers/") for href in links(page))
    page = as_officer.get(f"frameworks/{RMF}/MANAGE-2.4")
    assert (
        "The last drill of claims-triage failed on 23 November 2026." in page.text
        and "/t/acme/systems/claims-triage/switches" in links(page)
    )


def links(page):
    return {
        a["href"] for a in BeautifulSoup(page.text, "html.parser").main.find_all("a", href=True)
    }


def test_another_tenant_rests_on_its_own(tenant_with_policy_and_drills):
    with make.acting("compliance_officer", "globex"):
        adoption_actions.adopt(["OPS-08", "HUM-01"])
        found = {c.ref: c.live for c in queries.posture()}
    assert (
        found["OPS-08"].switches == ()
        and found["HUM-01"].version == 0
        and found["HUM-01"].waivers == ()
    )


def test_what_they_rest_on_costs_no_statement(tenant_with_policy_and_drills):
    with make.acting("compliance_officer", read_only=True):
        assert len(queries.posture()) == 3


def test_what_a_control_rests_on_is_chosen_and_told(as_officer, tenant_with_policy_and_drills):
    with make.acting("compliance_officer", read_only=True):
        held = next(c for c in session().query(Control) if c.ref == "GOV-01").id
    form = {
        "title": "AI policy",
        "does": "Approved.",
        "kind": "preventive",
        "automation": "manual",
        "cadence": "yearly",
        "version": "1",
    }
    assert (
        "<dt>Policy</dt>"
        in as_officer.post(f"controls/{held}/edit", follow=True, rests_on="policy", **form).text
    )
    as_officer.post(
        f"controls/{held}/edit", then=422, rests_on="the weather", **form | {"version": "2"}
    )
    assert (
        "<dt>Policy</dt>"
        not in as_officer.post(
            f"controls/{held}/edit", follow=True, rests_on="", **form | {"version": "2"}
        ).text
    )


def test_the_history_of_a_requirement_tells_what_a_drill_did(
    as_officer, tenant_with_policy_and_drills
):
    with make.acting("admin"):
        add_finished_drill(tenant_with_policy_and_drills[0], days_ago(2), passed=False)
    page = as_officer.get(f"frameworks/{RMF}/MANAGE-2.4")
    assert "23 Nov" in page.text
