"""The register by stage, class and kind; recertification in inboxes; effects of a retirement."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from governance.foundation.audit.models import AuditEntry
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.operations.systems import actions, queries
from governance.operations.systems.horizon import models_in_use
from governance.operations.systems.models import AISystem
from governance.operations.systems.retirement_actions import Announcement, follow_announcements
from tests import make
from tests.assurance.frameworks.framework_files import main_text
from tests.operations.switches import switch_helpers

pytestmark = pytest.mark.usefixtures("database")


def register(key="claims-triage", slug="acme", **more):
    with make.acting("compliance_officer", slug):
        return actions.register(
            **{
                "key": key,
                "name": key.replace("-", " ").capitalize(),
                "lane": "standard",
                "purpose": "Works.",
                "owner_id": None,
                "stage": "live",
                **more,
            }
        ).id


def in_days(days):
    return clock.today() + timedelta(days=days)


# ---- the list


def test_the_register_is_filtered_by_stage_class_and_kind(as_viewer):
    register("claims-triage", facts={"ai_act_class": "high_risk", "ai_act_reason": "Annex III."})
    register("refund-agent", kind="agent", stage="in_review", valid_until=in_days(90))
    register("order-server", kind="mcp_server", stage="proposed")
    for query, slug in (
        ("stage=live", "claims-triage"),
        ("class=high_risk", "claims-triage"),
        ("kind=agent", "refund-agent"),
        ("stage=in_review&class=unclassified", "refund-agent"),
        ("kind=mcp_server", "order-server"),
    ):
        shown = as_viewer.get(f"systems/?{query}").text
        slugs = ("claims-triage", "refund-agent", "order-server")
        assert [each for each in slugs if f'/systems/{each}"' in shown] == [slug], query
    exported = as_viewer.get("systems/export.csv?kind=agent").text
    assert "Agent" in exported and "In review" in exported and "claims-triage" not in exported
    assert "claims-triage" in as_viewer.get("systems/?stage=nonsense&class=x&kind=%27").text


# ---- recertification in inboxes


def test_an_agent_near_its_end_is_in_the_inbox_of_who_may_recertify_it(as_officer, as_viewer):
    register("refund-agent", kind="agent", valid_until=in_days(9))
    register("order-server", kind="mcp_server", valid_until=in_days(90))
    shown = main_text(as_officer.get("inbox/"))
    assert "Recertify Refund agent" in shown and "Order server" not in shown
    assert "Refund agent" not in main_text(as_viewer.get("inbox/"))
    day = in_days(180).isoformat()
    as_officer.post("systems/refund-agent/recertify", valid_until=day, reason="Checked.")
    assert "Recertify Refund agent" not in main_text(as_officer.get("inbox/"))


def test_an_expired_agent_stays_in_the_inbox_until_it_is_retired(as_officer):
    with clock.frozen(clock.now() - timedelta(days=40)):
        register("refund-agent", kind="agent", valid_until=in_days(9))
    assert "Its validity has ended" in main_text(as_officer.get("inbox/"))
    assert "expired" in main_text(as_officer.get("systems/"))
    as_officer.post("systems/refund-agent/retire", reason="Replaced.")
    assert "Refund agent" not in main_text(as_officer.get("inbox/"))


# ---- retirement


def test_retirement_lists_what_depends_on_the_system_first(as_officer):
    register("ad-copy")
    assert "Nothing that Meridian knows of." in main_text(as_officer.get("systems/ad-copy/retire"))
    switch_helpers.register_system("claims-triage")
    switch_helpers.stop_feature()
    shown = main_text(as_officer.get("systems/claims-triage/retire"))
    assert "1 active stop: someone still has to restart" in shown
    assert "feature" in shown and "products that read its switch" in shown
    refused = as_officer.post("systems/claims-triage/retire", then=422, reason=" ")
    assert "1 active stop" in main_text(refused)


def test_what_depends_on_it_is_one_statement_however_much_there_is(as_officer, statements):
    register("ad-copy")
    with statements() as sent:
        as_officer.get("systems/ad-copy/retire")
    assert len([each for each in sent if "UNION ALL" in each and "waivers" in each]) == 1


# ---- models and their retirement


HELIO = "Helio, helio-4-large, 2026-08"


def test_the_horizon_shows_the_earliest_retirement_first_and_who_uses_the_model(as_viewer):
    soon, later = in_days(40).isoformat(), in_days(400).isoformat()
    register("claims-triage", facts={"models": f"{HELIO}, {soon}, helio-5-medium\nNimbus, ocr"})
    register("ad-copy", facts={"models": f"helio, Helio-4-Large, 2026-08, {later}"})
    register("old-bot", facts={"models": "Gone, gone-1, , 2026-01-31"})
    with make.acting("compliance_officer"):
        actions.retire(queries.system("old-bot"), reason="Gone.")
    shown = main_text(as_viewer.get("systems/model-retirements"))
    assert "1 model in use retires within 180 days" in shown and "In 40 days" in shown
    assert "Ad copy , Claims triage" in shown and "helio-5-medium" in shown
    assert "not announced" in shown and "gone-1" not in shown
    own = main_text(as_viewer.get("systems/claims-triage/models"))
    assert "helio-4-large" in own and "in 40 days" in own


def test_the_models_of_systems_are_grouped_by_name_however_it_is_written():
    model = {"provider": "Helio", "name": "h-4", "version": "", "retires_on": "2027-03-31"}
    other = model | {"name": "H-4", "retires_on": "2027-02-28", "successor": "h-5"}
    [found] = models_in_use([("a", "A", [model]), ("b", "B", [other])])
    assert (found.retires_on, found.successor) == (date(2027, 2, 28), "h-5")
    assert found.systems == (("a", "A"), ("b", "B"))
    assert found.days_left(date(2027, 3, 1)) == -1


def test_an_empty_horizon_says_what_appears_there(as_viewer):
    register("claims-triage")
    assert "No models yet" in main_text(as_viewer.get("systems/model-retirements"))
    assert "Models and data" not in main_text(as_viewer.get("systems/claims-triage"))


def test_a_tab_appears_once_it_has_content(as_viewer):
    register("claims-triage", facts={"dependencies": "Helio Cloud"})
    assert "Models and data" in main_text(as_viewer.get("systems/claims-triage"))
    assert "Helio Cloud" in main_text(as_viewer.get("systems/claims-triage/models"))


def test_the_vendors_day_replaces_what_was_entered_and_is_a_version(as_officer):
    register("claims-triage", facts={"models": f"{HELIO}, 2030-01-01\nNimbus, ocr, , 2031-01-01"})
    register("ad-copy", facts={"models": "Nimbus, ocr"})

    def announced(provider, name):
        known = Announcement(date(2027, 3, 31), "helio-5-medium")
        return known if (provider, name) == ("Helio", "helio-4-large") else None

    with make.acting("compliance_officer"):
        assert follow_announcements(announced) == 1
        assert follow_announcements(announced) == 0
        system = queries.system("claims-triage")
        assert [each["retires_on"] for each in system.models] == ["2027-03-31", "2031-01-01"]
        assert system.version == 2 and queries.version(system.id, 2).substantial == []
        query = select(AuditEntry).where(AuditEntry.action == "system.model_retirement.entered")
        [entry] = session().scalars(query)
        assert entry.facts["models"] == ["helio-4-large"]


def test_another_tenants_models_are_not_shown(as_viewer, as_stranger, as_neighbour):
    register("claims-triage", slug="globex", facts={"models": HELIO})
    assert "helio-4-large" not in as_viewer.get("systems/model-retirements").text
    as_viewer.get("systems/claims-triage/models", then=404)
    as_stranger.get("systems/model-retirements", then=404)
    with make.acting("admin", read_only=True):
        assert session().scalars(select(AISystem)).all() == []


def test_no_system_takes_the_address_of_the_horizon(as_officer):
    as_officer.post(
        "systems/new",
        then=422,
        key="model-retirements",
        name="X",
        lane="standard",
        purpose="Works.",
    )
