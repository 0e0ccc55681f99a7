"""Policies and switches on the overview and in the palette: pending approvals and changes."""

from datetime import timedelta
from uuid import UUID

import pytest

from governance.foundation.approvals import actions as approvals
from governance.foundation.approvals.queries import approval as find_approval
from governance.foundation.approvals.queries import open_approval
from governance.kernel import clock
from governance.kernel.work.inbox import InboxRow
from governance.operations.policies import actions as policies
from governance.operations.policies import queries as policy_queries
from governance.operations.policies import waivers
from governance.operations.policies.effective_policies import Content
from governance.operations.switches import actions as switches
from governance.operations.switches import drill_actions
from governance.operations.switches import queries as switches_of
from governance.operations.systems import actions as systems
from governance.operations.systems import queries as registered
from governance.publishing.inbox import queries as inbox
from governance.publishing.inbox.sources import by_name
from governance.publishing.overview import queries
from tests import make
from tests.assurance.controls.policy_and_switch_rows import add_live_version, add_stop
from tests.conftest import visitor
from tests.foundation.approvals import approval_helpers
from tests.publishing.overview.conftest import NOW, days_ago
from tests.publishing.overview.page_helpers import section_links, section_text


@pytest.fixture
def tenant_with_requests(year_of_work):
    """Request a looser policy, a waiver, a restart and a drill, as Sanjay."""
    with clock.frozen(days_ago(100)), make.acting("compliance_officer"):
        copywriter = systems.register(
            key="ad-copywriter",
            stage="live",
            name="Ad copywriter",
            purpose="Writes.",
            lane="high_risk",
            owner_id=None,
        ).id
    with make.acting("admin"):
        add_live_version(days_ago(90), 1, "strict")
        version = policies.request_approval(
            Content("standard"), seen="", reason="Support needs memory."
        )
        waiver = waivers.request(
            copywriter,
            "retention_days",
            120,
            expires_at=clock.now() + timedelta(days=20),
            reason="A claim runs longer.",
            compensation="A weekly review.",
        )
        targets = {policy_queries.POLICY: version.id, policy_queries.WAIVER: waiver.id}
        stop_id = add_stop(copywriter, days_ago(8)).id
    with clock.frozen(days_ago(1)), make.acting("admin"):
        stop = switches_of.stop(stop_id)
        switches.request_restart(stop, seen=switches.seen(stop), reason="It was fixed.")
        drill = drill_actions.plan(
            registered.system("ad-copywriter"),
            None,
            due_at=NOW + timedelta(days=3),
            seconds=9,
            reason="Yearly.",
        )
        targets |= {"restart": stop_id, "drill": drill.id}
    with make.acting("admin", read_only=True):
        return {kind: open_approval(kind, target).id for kind, target in targets.items()} | {
            "system": copywriter
        }


REVIEW_SENTENCES = (
    "Review the request to move the policy from Strict to Standard",
    "Review the request to waive retention of ad-copywriter",
    "Review the request to restart ad-copywriter",
    "Review the request to drill ad-copywriter",
)


def test_what_another_person_asked_for_waits_for_the_second(as_officer, tenant_with_requests):
    with make.acting("compliance_officer", read_only=True):
        found = inbox.page().items
    titles = {item.title: item for item in found}
    assert set(REVIEW_SENTENCES) <= set(titles)
    assert titles[REVIEW_SENTENCES[0]].detail == "Requested by Sanjay Patel: Support needs memory."
    assert titles[REVIEW_SENTENCES[2]].detail == "Requested by Sanjay Patel: It was fixed."
    assert titles[REVIEW_SENTENCES[3]].row.due == NOW + timedelta(days=3)
    assert [(item.rank, item.at) for item in found] == sorted(
        (item.rank, item.at) for item in found
    )
    page = as_officer.get("")
    assert REVIEW_SENTENCES[0] in section_text(
        page, "waits"
    ) and f"/t/acme/inbox/items/approval.{tenant_with_requests['policy']}/open" in section_links(
        page, "waits"
    )
    opened = as_officer.get(f"inbox/items/approval.{tenant_with_requests['policy']}/open", then=302)
    assert opened.location == f"/t/acme/approvals/{tenant_with_requests['policy']}"


@pytest.mark.parametrize("which", range(4))
def test_each_leads_to_where_it_is_decided(as_officer, tenant_with_requests, which):
    path = (
        "approvals/{policy}",
        "approvals/{waiver}",
        "approvals/{restart}",
        "approvals/{drill}",
    )[which]
    as_officer.get(path.format(**tenant_with_requests), then=200)


def test_nobody_decides_on_what_they_asked_for_or_may_not(app, tenant_with_requests):
    for role in ("admin", "contributor"):
        assert not any(
            said in section_text(visitor(app, role).get(""), "waits") for said in REVIEW_SENTENCES
        )


def test_who_approved_first_is_not_asked_again(as_officer, as_reviewer, tenant_with_requests):
    approval_helpers.approve_below_pages(tenant_with_requests["waiver"], "compliance_officer")
    assert REVIEW_SENTENCES[1] not in section_text(as_officer.get(""), "waits")
    assert REVIEW_SENTENCES[1] in section_text(as_reviewer.get(""), "waits")


def test_an_approval_is_never_left_out_of_the_short_list():
    old = [item(f"Old {n}", NOW - timedelta(days=90 - n)) for n in range(9)]
    new = item("Decide", NOW, source="approval")
    assert [each.row.about for each in queries.most_pressing([*old, new], 6)] == [
        "Old 0",
        "Old 1",
        "Old 2",
        "Old 3",
        "Old 4",
        "Decide",
    ]
    assert len(queries.most_pressing(old, 6)) == 6 and queries.most_pressing([], 6) == []
    assert len(queries.most_pressing([new] * 9, 6)) == 6
    rare = item("Sign", NOW, source="sign-off")
    assert [each.row.about for each in queries.most_pressing([*old, rare], 3)] == [
        "Old 0",
        "Old 1",
        "Sign",
    ], "the first of each kind comes first"


def item(about, since, source="evidence-upload"):
    row = InboxRow(source, UUID(int=0), None, "", about, None, "", since, None)
    return inbox.InboxItem(row, by_name()[source], by_name()[source].rank, since)


def test_what_was_decided_waits_no_more(as_reviewer, tenant_with_requests):
    with make.acting("admin"):
        for each in (policy_queries.POLICY, policy_queries.WAIVER):
            approvals.withdraw(find_approval(tenant_with_requests[each]))
    for each in ("restart", "drill"):
        approval_helpers.approve_below_pages(tenant_with_requests[each], "compliance_officer")
    assert not any(said in section_text(as_reviewer.get(""), "waits") for said in REVIEW_SENTENCES)


def test_another_tenant_is_asked_for_nothing(as_neighbour, tenant_with_requests):
    assert not any(said in as_neighbour.get("/t/globex/").text for said in REVIEW_SENTENCES)


def test_what_changed_lists_policies_and_stops(as_officer, year_of_work):
    with make.acting("admin"):
        first = policies.tighten_now(Content("strict"), base=0, reason="Claims need it.")
        systems.register(
            key="ad-copywriter",
            stage="live",
            name="Ad copywriter",
            purpose="Writes.",
            lane="standard",
            owner_id=None,
        )
        assert first.number == 1
    with make.acting("contributor"):
        switches.stop(
            "system", registered.system("ad-copywriter"), None, reason="It answered wrongly."
        )
    text = section_text(as_officer.get(""), "changes")
    assert "Anna Rossi stopped" in text and "Sanjay Patel published a policy version 1" in text
    assert "It answered wrongly" not in text  # The reason is encrypted in the log.


# ---- the palette


def palette_results(visitor, text):
    return {
        (each["label"], each["href"]) for each in visitor.get("jump", query_string={"q": text}).json
    }


def test_a_system_brings_its_switch_and_its_stop(as_contributor, as_viewer, tenant_with_requests):
    stop = ("Stop Ad copywriter…", "/t/acme/systems/ad-copywriter/stop")
    switch = ("Switches of Ad copywriter", "/t/acme/systems/ad-copywriter/switches")
    assert {stop, switch} <= palette_results(as_contributor, "ad-copy")
    assert switch in palette_results(as_viewer, "ad-copy") and stop not in palette_results(
        as_viewer, "ad-copy"
    )
    found = palette_results(as_contributor, "stop copywriter")
    assert stop in found and switch not in found
    assert {stop, ("Stop everything…", "/t/acme/switches/stop")} <= palette_results(
        as_contributor, "stop"
    )


def test_policies_are_found(as_viewer, as_admin, as_neighbour, tenant_with_requests):
    version = ("1 Policy version 1", "/t/acme/policies/versions/1")
    for text in ("policy", "version 1", "policy strict"):
        assert any(href == version[1] for _, href in palette_results(as_viewer, text)), text
    assert ("View policy in force", "/t/acme/policies/in-force") in palette_results(
        as_viewer, "policy"
    )
    assert ("Change policy", "/t/acme/policies/") in palette_results(as_admin, "change pol")
    assert ("Change policy", "/t/acme/policies/") not in palette_results(as_viewer, "change pol")
    assert not any("version" in label for label, _ in palette_results(as_neighbour, "policy"))


@pytest.mark.parametrize(
    "text", ["policy 99999999999999999999", "stop", "stop %", "version", "_", "policy ' or 1=1"]
)
def test_odd_words_break_nothing(as_officer, tenant_with_requests, text):
    as_officer.get("jump", query_string={"q": text}, then=200)


def test_a_jump_is_one_statement(as_officer, tenant_with_requests, statements):
    as_officer.get("jump", query_string={"q": "copy"})
    with statements() as seen:
        as_officer.get("jump", query_string={"q": "copy"})
    assert len([s for s in seen if "UNION" in s]) == 1
