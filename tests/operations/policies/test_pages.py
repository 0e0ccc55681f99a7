"""The pages of a policy, through the front door."""

from datetime import timedelta
from uuid import uuid4

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import insert, select

from governance.kernel import clock
from governance.kernel.data.db import session
from governance.operations.decision_counts import actions as counting
from governance.operations.policies import actions, queries
from governance.operations.policies.effective_policies import read_content
from governance.operations.policies.models import PolicyVersion
from tests import make
from tests.assurance.frameworks.framework_files import main_text
from tests.browser import Visitor
from tests.foundation.approvals.approval_helpers import (
    approvals_in_inbox,
    decide_approval,
    fingerprint_on_page,
    newest_approval_page,
)
from tests.operations.policies.conftest import (
    REASON,
    approve_version,
    confirm_change,
    effective_policy,
    fingerprint_of_version,
    hidden_value,
    policy_content,
    put_in_force,
    request_version,
)


def draft():
    with make.acting("admin", read_only=True):
        row = queries.draft()
        return (row.state, read_content(row.content)) if row else None


def draft_id():
    with make.acting("admin", read_only=True):
        return queries.draft().id


# ---- choosing a tier


def test_looking_at_a_tier_writes_nothing_and_shows_what_it_changes_by_system(
    systems, as_admin, as_viewer, acting
):
    page = main_text(as_admin.get("policies/?tier=strict"))
    assert (
        "Preview of Strict" in page and "claims-triage" in page and "Tighten to Strict now" in page
    )
    assert "Applies immediately" in page and "Going back loosens" in page
    assert draft() is None
    assert "Only a tenant admin can change the policy" in main_text(
        as_viewer.get("policies/?tier=strict")
    )


def test_confirming_tightens_at_once_and_says_so(systems, as_admin):
    confirm_change(as_admin, "policies/?tier=strict", "apply", reason=REASON)
    page = as_admin.get("policies/")
    assert "Strict is in force." in main_text(page) and "version 1" in main_text(page)
    assert "Policy published. It takes effect within a second" in page.text


def test_a_reason_is_asked_for_whatever_the_direction(systems, as_admin):
    for verb in ("apply", "schedule", "ask"):
        at = (clock.now() + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M")
        assert "Enter a reason" in main_text(
            confirm_change(as_admin, "policies/?tier=strict", verb, 422, reason=" ", apply_at=at)
        )
    assert draft() is None and effective_policy().number == 0


def test_a_double_click_is_harmless(systems, as_admin):
    page = as_admin.get("policies/?tier=strict").text
    sent = {name: hidden_value(page, name) for name in ("tier", "on", "base", "seen")}
    for _ in range(2):
        as_admin.post("policies/change", **sent, verb="apply", reason=REASON)
    assert effective_policy().number == 1


def test_a_looser_tier_offers_to_ask_and_one_person_cannot_apply_it(systems, as_admin):
    put_in_force(policy_content("strict"))
    page = main_text(as_admin.get("policies/?tier=standard"))
    assert (
        "Request to loosen" in page
        and "Needs a second person and a fresh sign-in" in page
        and "Applies immediately" not in page
    )
    refused = confirm_change(as_admin, "policies/?tier=standard", "apply", 422, reason=REASON)
    assert "a second person has to approve it" in main_text(refused)
    assert "Enter a reason" in main_text(
        confirm_change(as_admin, "policies/?tier=standard", "ask", 422, reason=" ")
    )
    assert draft() is None


def test_a_tier_that_the_floor_contradicts_is_explained(systems, as_admin):
    put_in_force(policy_content("regulated"))
    page = main_text(as_admin.get("policies/?tier=baseline"))
    assert "The platform minimum is stricter than Baseline in 4 settings" in page
    assert "Content capture is Redacted instead of Full" in page
    assert "below minimum in 4" in main_text(as_admin.get("policies/"))


def test_a_tier_that_does_not_exist_is_named(systems, as_admin):
    assert "There is no tier lenient. Choose one of baseline" in main_text(
        as_admin.get("policies/?tier=lenient", then=422)
    )
    as_admin.post("policies/change", then=422, tier="lenient", verb="apply")
    as_admin.post("policies/change", then=422, tier="strict", verb="dance", base="0", seen="")


def test_the_tier_in_force_changes_nothing(systems, as_admin):
    assert "Standard is in force already" in main_text(as_admin.get("policies/?tier=standard"))


def test_two_tabs_the_second_is_told_and_keeps_its_words(systems, as_admin):
    first = as_admin.get("policies/?tier=strict").text
    second = as_admin.get("policies/?tier=regulated").text
    as_admin.post(
        "policies/change",
        **{n: hidden_value(first, n) for n in ("tier", "on", "base", "seen")},
        verb="draft",
        reason="mine",
    )
    reply = as_admin.post(
        "policies/change",
        then=409,
        **{n: hidden_value(second, n) for n in ("tier", "on", "base", "seen")},
        verb="draft",
        reason="my own reason",
    )
    assert "Someone else edited the draft" in main_text(reply) and "my own reason" in reply.text
    assert draft()[1].tier == "strict"
    again = {n: hidden_value(reply.text, n) for n in ("tier", "on", "base", "seen")}
    as_admin.post("policies/change", **again, verb="draft", reason="my own reason")
    assert draft()[1].tier == "regulated"


def test_a_version_that_came_into_force_meanwhile_is_told(systems, as_admin):
    page = as_admin.get("policies/?tier=regulated").text
    put_in_force(policy_content("strict"))
    reply = as_admin.post(
        "policies/change",
        then=409,
        **{n: hidden_value(page, n) for n in ("tier", "on", "base", "seen")},
        verb="apply",
        reason=REASON,
    )
    assert "Version 1 was published after this was drafted" in main_text(reply)


def test_scheduling_says_when_and_withdrawing_leaves_what_is_in_force(systems, as_admin):
    confirm_change(as_admin, "policies/?tier=strict", "schedule", 422, reason=REASON, apply_at="")
    confirm_change(
        as_admin,
        "policies/?tier=strict",
        "schedule",
        422,
        reason=REASON,
        apply_at="2001-01-01T10:00",
    )
    at = (clock.now() + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M")
    confirm_change(as_admin, "policies/?tier=strict", "schedule", reason=REASON, apply_at=at)
    page = as_admin.get("policies/")
    assert "Scheduled to take effect" in main_text(page)
    as_admin.post("policies/draft/withdraw", seen=hidden_value(page.text, "seen"))
    assert draft() is None and effective_policy().tier.key == "standard"


def test_a_draft_behind_is_brought_up_to_date(systems, as_admin):
    confirm_change(as_admin, "policies/?tier=strict", "draft", reason=REASON)
    put_in_force(policy_content("standard", {"retention_days": 7}))
    page = as_admin.get("policies/")
    assert "Version 1 was published after this draft was created" in main_text(page)
    as_admin.post("policies/draft/update", seen=hidden_value(page.text, "seen"))
    assert draft()[1] == policy_content("strict", {"retention_days": 7})
    as_admin.post("policies/draft/update", seen="x.1")
    assert "Someone else edited the draft" in as_admin.get("policies/").text


def test_what_was_asked_is_counted_and_replayed(systems, as_admin, acting):
    minute = clock.now().replace(second=0, microsecond=0) - timedelta(minutes=5)
    with acting("admin"):
        counting.add(
            {
                (minute, "support-assistant", "policy.memory", "opt_out"): 40,
                (minute, "support-assistant", "bulk", "x"): 60,
                (minute - timedelta(days=3), "support-assistant", "policy.memory", "off"): 7,
                (minute, "gone", "policy.memory", "on"): 9,
            }
        )
    page = main_text(as_admin.get("policies/?tier=strict"))
    assert "100 evaluations in the last 24 hours" in page
    assert "Replayed over the last 14 days, 107 decisions" in page
    assert "Stricter 100" in page and "Looser 7" in page


# ---- overrides


def test_an_override_goes_into_the_draft_and_its_effect_is_shown(systems, as_admin):
    as_admin.get(f"policies/override?dimension=memory&system={systems['claims-triage']}", then=302)
    page = as_admin.get(f"policies/override/memory?system={systems['claims-triage']}")
    assert "Never" in main_text(page)
    as_admin.post(
        f"policies/override/memory?system={systems['claims-triage']}",
        verb="set",
        level="off",
        seen=hidden_value(page.text, "seen"),
    )
    assert draft() == ("draft", policy_content(on=[(systems["claims-triage"], "memory", "off")]))
    assert "Memory of claims-triage" in main_text(as_admin.get("policies/"))
    page = as_admin.get(f"policies/override/memory?system={systems['claims-triage']}")
    as_admin.post(
        f"policies/override/memory?system={systems['claims-triage']}",
        verb="remove",
        seen=hidden_value(page.text, "seen"),
    )
    assert draft()[1].systems == {}


@pytest.mark.parametrize(
    ("key", "field", "value", "said"),
    [
        ("memory", "level", "sometimes", "Memory has no level"),
        ("memory", "level", "", "Memory has no level"),
        ("retention_days", "number", "-3", "takes a whole number"),
        ("retention_days", "number", "", "takes a whole number"),
        ("model_access", "names", "a b", "isn't a valid model name"),
        ("model_access", "names", "*, atlas", "Enter a list of names, or *"),
    ],
)
def test_a_value_that_is_none_is_named_beside_its_field(systems, as_admin, key, field, value, said):
    reply = as_admin.post(
        f"policies/override/{key}", then=422, verb="set", seen="", **{field: value}
    )
    assert said in main_text(reply) and f'href="#{field}"' in reply.text
    assert draft() is None


def test_an_empty_allow_list_means_nothing_and_the_page_says_so(systems, as_admin):
    as_admin.post("policies/override/model_access", verb="set", seen="", names="  ")
    page = main_text(as_admin.get("policies/"))
    assert "allows no model" in page and "denies every model call" in page
    assert draft()[1].overrides == {"model_access": frozenset()}


def test_an_override_without_effect_is_explained(systems, as_admin):
    as_admin.post("policies/override/memory", verb="set", seen="", level="opt_out")
    assert "Memory is already Opt-out in Standard" in main_text(as_admin.get("policies/"))
    page = as_admin.get("policies/override/memory").text
    as_admin.post(
        "policies/override/memory", verb="set", seen=hidden_value(page, "seen"), level="on"
    )
    assert "The override of Memory to On has no effect" in main_text(as_admin.get("policies/"))


def test_what_does_not_exist_is_not_found(systems, as_admin):
    as_admin.get("policies/override/mood", then=404)
    as_admin.get("policies/override?dimension=mood", then=422)
    as_admin.get(f"policies/override/memory?system={uuid4()}", then=404)
    as_admin.post(
        f"policies/override/memory?system={uuid4()}", then=404, verb="set", level="off", seen=""
    )
    as_admin.get("policies/in-force?system=nothing", then=404)
    as_admin.get("policies/versions/7", then=404)
    put_in_force(policy_content("strict"))
    as_admin.get("policies/versions/1?against=9", then=404)


# ---- in force, versions


def test_each_value_in_force_opens_to_the_layers_that_spoke(systems, as_viewer):
    page = main_text(as_viewer.get("policies/in-force?system=claims-triage"))
    assert "High risk class" in page and "Standard tier" in page and "Platform minimum" in page
    assert "Requests without a system" in page


def test_a_past_day_shows_what_was_in_force_then(systems, as_viewer):
    with clock.frozen(clock.now() - timedelta(days=40)):
        put_in_force(policy_content("strict"))
    put_in_force(policy_content("regulated"))
    day = (clock.now() - timedelta(days=10)).date()
    assert "Strict for" in main_text(as_viewer.get(f"policies/in-force?at={day}&system="))
    assert "Regulated for" in main_text(as_viewer.get("policies/in-force?system="))
    assert "Standard for" in main_text(as_viewer.get("policies/in-force?at=2020-01-01&system="))


@pytest.mark.parametrize("at", ["tomorrow", "2999-01-01", "0001-01-01", "2026-13-01"])
def test_a_day_that_is_none_is_refused(as_viewer, at):
    as_viewer.get(f"policies/in-force?at={at}", then=422)


def heading(reply):
    return BeautifulSoup(reply.text, "html.parser").find("h1").get_text(" ", strip=True)


def test_what_meridian_published_is_not_by_a_former_member(systems, as_viewer, acting):
    put_in_force(policy_content("strict"))
    with acting("admin"):
        version = session().scalars(select(PolicyVersion)).one()
        made_by = {"made_by": None, "id": uuid4(), "number": 2, "base": 1}
        columns = {c.name: getattr(version, c.name) for c in PolicyVersion.__table__.columns}
        session().execute(insert(PolicyVersion).values({**columns, **made_by}))
    for page in ("policies/versions/2", "policies/versions"):
        text = main_text(as_viewer.get(page))
        assert "Meridian" in text and "former member" not in text


def test_versions_are_listed_compared_and_rolled_back(systems, as_admin, as_viewer):
    put_in_force(policy_content("strict"))
    put_in_force(policy_content("regulated", {"memory": "off"}))
    put_in_force(policy_content("strict", {"retention_days": 20}))
    assert "3 versions published" in main_text(as_viewer.get("policies/versions"))
    page = main_text(as_viewer.get("policies/versions/3"))
    assert (
        "from Regulated to Strict" in page
        and "Approved by Ines Duarte" in page
        and "Return to" not in page
    )
    assert "differs from version 2" in page or "differ from version 2" in page
    chosen = as_viewer.get("policies/versions/3?against=1")
    assert "Retention from" in main_text(chosen)
    assert "from version 1" in main_text(chosen) and "built-in policy" not in heading(chosen)
    assert "the built-in policy" in heading(as_viewer.get("policies/versions/3?against=0"))
    assert "Nothing differs" not in main_text(as_viewer.get("policies/versions/1?against=0"))
    as_admin.post("policies/versions/2/back", then=422, reason=" ", seen="")
    as_admin.post("policies/versions/2/back", reason="The audit asks for it", seen="")
    page = main_text(as_admin.get("policies/"))
    assert "Draft 4" in page and "changes the tier to Regulated" in page
    assert draft() == ("draft", policy_content("regulated", {"memory": "off"}))
    as_admin.post("policies/versions/1/back", then=409, reason="x", seen="")


# ---- a second person


def test_a_second_person_approves_what_they_saw(systems, as_admin, as_officer, as_viewer):
    put_in_force(policy_content("strict"))
    where = confirm_change(as_admin, "policies/?tier=standard", "ask", reason=REASON).location
    assert (
        where == newest_approval_page()
        and where in approvals_in_inbox(as_officer)
        and where not in approvals_in_inbox(as_admin)
    )
    own = main_text(as_admin.get(where))
    assert (
        "Your request to move the policy from Strict to Standard" in own
        and "You edited this version" in own
    )
    page = main_text(as_officer.get(where))
    assert "Sanjay Patel asks to move the policy from Strict to Standard" in page and REASON in page
    assert (
        "Tier policy.tier = standard from Strict to Standard loosens" in page
        and "claims-triage" in page
    )
    assert "AI systems change" in page and "The platform minimum still applies" in page
    as_viewer.post(where, then=403, verb="approve", seen=fingerprint_on_page(as_officer, where))
    decide_approval(as_admin, where, 403, verb="approve")
    decide_approval(as_officer, where, verb="approve")
    assert effective_policy().tier.key == "standard"
    assert "was approved" in main_text(as_officer.get(where)) and where not in approvals_in_inbox(
        as_officer
    )
    assert "Approved by Ines Duarte" in main_text(as_viewer.get("policies/versions/2"))
    assert f'href="{where}"' in as_officer.get("policies/versions/2").text


def test_a_double_click_of_the_second_person_brings_one_version_into_force(
    systems, as_admin, as_officer
):
    put_in_force(policy_content("strict"))
    where = confirm_change(as_admin, "policies/?tier=standard", "ask", reason=REASON).location
    seen = fingerprint_on_page(as_officer, where)
    for _ in range(2):
        decide_approval(as_officer, where, verb="approve", seen=seen)
    assert (effective_policy().number, effective_policy().tier.key) == (2, "standard")


def test_an_approval_of_a_draft_that_was_edited_is_refused(systems, as_admin, as_officer):
    put_in_force(policy_content("strict"))
    where = confirm_change(as_admin, "policies/?tier=standard", "ask", reason=REASON).location
    seen = fingerprint_on_page(as_officer, where)
    request_version(policy_content("baseline"))
    reply = decide_approval(as_officer, where, 409, verb="approve", seen=seen)
    assert "The draft was edited, so this request is void" in main_text(
        reply
    ) and "edited after this request" in main_text(reply)
    assert effective_policy().tier.key == "strict"
    assert newest_approval_page() != where
    decide_approval(as_officer, newest_approval_page(), verb="approve")
    assert effective_policy().tier.key == "baseline"


def test_an_approval_after_something_else_came_into_force_is_refused_and_says_which(
    systems, as_admin, as_officer
):
    put_in_force(policy_content("strict"))
    where = confirm_change(as_admin, "policies/?tier=standard", "ask", reason=REASON).location
    seen = fingerprint_on_page(as_officer, where)
    with make.acting("admin"):
        actions.tighten_now(policy_content("strict", {"memory": "off"}), base=1, reason=REASON)
    reply = main_text(decide_approval(as_officer, where, 409, verb="approve", seen=seen))
    assert "Version 2 was published" in reply and "Update the draft" in reply
    page = main_text(as_admin.get("policies/"))
    assert (
        "Returned to draft." in page
        and "Version 2 was published after this draft was created" in page
    )
    assert (effective_policy().number, effective_policy().tier.key) == (2, "strict")


def test_a_rejection_says_why_and_an_old_sign_in_decides_nothing(
    app, systems, as_admin, as_officer
):
    put_in_force(policy_content("strict"))
    where = confirm_change(as_admin, "policies/?tier=standard", "ask", reason=REASON).location
    version = draft_id()
    stale = Visitor(app, make.cookie("compliance_officer", signed_in_ago=timedelta(minutes=6)))
    stale.post(where, then=401, verb="approve", seen="x")
    decide_approval(as_officer, where, 422, verb="dance")
    decide_approval(as_officer, where, 422, verb="reject", reason=" ")
    decide_approval(as_officer, where, verb="reject", reason="Not before the audit")
    page = main_text(as_admin.get(where))
    assert "was rejected" in page and "Not before the audit" in page
    decide_approval(as_officer, where, 409, verb="approve", seen="x")
    page = main_text(as_admin.get(f"policies/versions/{version}"))
    assert "Rejected, so the published policy stays" in page and "Not before the audit" in page


def test_withdrawing_the_request_withdraws_the_version(systems, as_admin, as_officer):
    put_in_force(policy_content("strict"))
    where = confirm_change(as_admin, "policies/?tier=standard", "ask", reason=REASON).location
    decide_approval(as_admin, where, verb="withdraw")
    assert draft() is None and where not in approvals_in_inbox(as_officer)


def test_a_looser_change_is_requested_and_approved_for_a_time(systems, as_admin, as_officer):
    put_in_force(policy_content("strict"))
    at = (clock.now() + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M")
    where = confirm_change(
        as_admin, "policies/?tier=standard", "schedule", reason=REASON, apply_at=at
    ).location
    page = main_text(as_officer.get(where))
    assert "Approve and schedule" in page and "Takes effect" in page
    decide_approval(as_officer, where, verb="approve")
    assert draft()[0] == "scheduled" and effective_policy().tier.key == "strict"


def test_an_open_version_has_a_page_that_leads_to_its_request(
    systems, as_admin, as_officer, as_viewer
):
    put_in_force(policy_content("strict"))
    where = confirm_change(as_admin, "policies/?tier=standard", "ask", reason=REASON).location
    version = draft_id()
    assert f'href="{where}"' in as_officer.get(f"policies/versions/{version}").text
    assert where in as_admin.get("policies/").text
    page = as_viewer.get(f"policies/versions/{version}")
    assert "Awaiting approval" in main_text(page) and where not in page.text
    assert as_officer.get(f"policies/decisions/{version}", then=303).location == where
    assert as_viewer.get(f"policies/decisions/{version}", then=303).location.endswith(
        f"policies/versions/{version}"
    )
    approve_version(version)
    assert as_viewer.get(f"policies/versions/{version}", then=303).location.endswith(
        "policies/versions/2"
    )


# ---- another tenant


def test_another_tenants_versions_waivers_and_systems_are_not_found(
    systems, as_neighbour, as_stranger, as_admin
):
    put_in_force(policy_content("strict"))
    version = request_version(policy_content("standard"))
    for page in (
        f"policies/versions/{version}",
        f"policies/decisions/{version}",
        newest_approval_page().removeprefix("/t/acme/"),
    ):
        as_neighbour.get(page, then=404)
    as_neighbour.post(
        newest_approval_page().removeprefix("/t/acme/"),
        then=404,
        verb="approve",
        seen=fingerprint_of_version(version),
    )
    as_neighbour.get("policies/versions/1", then=404)
    as_neighbour.get("policies/in-force?system=claims-triage", then=404)
    as_stranger.get("policies/", then=404)
    assert "Tenant policy, built in" in main_text(as_neighbour.get("policies/"))


@pytest.mark.parametrize("who", ["as_contributor", "as_viewer", "as_auditor", "as_officer"])
def test_only_an_admin_drafts(who, request, systems):
    visitor = request.getfixturevalue(who)
    visitor.get("policies/")
    visitor.post("policies/change", then=403, tier="strict", verb="apply", base="0", seen="")
    visitor.get("policies/override", then=403)
    visitor.post("policies/override/memory", then=403, verb="set", level="off")
    visitor.post("policies/versions/1/back", then=403, reason="x")


# ---- more systems


@pytest.mark.parametrize(
    "path",
    [
        "policies/",
        "policies/?tier=regulated",
        "policies/in-force",
        "policies/versions",
        "policies/versions/1",
        "policies/waivers",
        "policies/override/memory",
        "policies/waivers/new",
    ],
)
def test_pages_ask_the_database_no_more_with_more_systems(
    systems, as_admin, statements, acting, path
):
    put_in_force(policy_content("strict"))
    confirm_change(as_admin, "policies/?tier=regulated", "draft", reason=REASON)
    with statements() as few:
        as_admin.get(path)
    from governance.operations.systems import actions as registering

    with acting("compliance_officer"):
        for n in range(8):
            registering.register(
                key=f"more-{n}",
                stage="live",
                name=f"More {n}",
                lane="high_risk",
                purpose="x",
                owner_id=None,
            )
    with statements() as many:
        as_admin.get(path)
    assert len(many) == len(few), "\n".join(few)
