"""Waivers of the platform minimum: requested by one person, approved by two others.

The minimum returns by itself.
"""

import csv
import io
from datetime import timedelta
from uuid import uuid4

import pytest
from bs4 import BeautifulSoup

from governance.foundation.approvals import actions as approvals
from governance.foundation.audit import models as log
from governance.kernel import clock
from governance.kernel.data import tenant_revision
from governance.kernel.data.db import session
from governance.operations.policies import queries, waiver_list, waivers
from governance.operations.systems import actions as registering
from governance.operations.systems import queries as register
from tests import make
from tests.assurance.frameworks.framework_files import main_text
from tests.browser import Visitor
from tests.foundation.approvals.approval_helpers import (
    approvals_in_inbox,
    decide_approval,
    fingerprint_on_page,
    newest_approval_page,
)
from tests.operations.policies.conftest import effective_policy, policy_content, put_in_force
from tests.operations.policies.page_helpers import form_values


@pytest.fixture
def lenient_systems(systems):
    """Publish a tier that isn't stricter than the platform minimum, so that waivers matter."""
    put_in_force(policy_content("baseline"))
    return systems


def request(visitor, systems, then=303, days=20, **more):
    day = (clock.now() + timedelta(days=days)).date().isoformat()
    given = {
        "system": str(systems["support-assistant"]),
        "dimension": "retention_days",
        "value": "120",
        "expires_on": day,
        "reason": "A claim runs longer than 90 days",
        "compensation": "Weekly review of what is kept",
    } | more
    return visitor.post("policies/waivers/new", then=then, **given)


def newest_waiver_page():
    with make.acting("admin", read_only=True):
        return f"policies/waivers/{waiver_list.waivers({}).rows[0][0].id}"


def state():
    with make.acting("admin", read_only=True):
        return waiver_list.waivers({}).rows[0][0].state


def approve(*visitors):
    for visitor in visitors:
        decide_approval(visitor, newest_approval_page(), verb="approve")


def end(visitor, then=303, **more):
    return visitor.post(f"{newest_waiver_page()}/end", then=then, **more)


def retention(key="support-assistant"):
    now = effective_policy()
    return now.effective(next(s for s in now.systems if s.key == key))["retention_days"]


def recorded(prefix="waiver."):
    with make.acting("admin", read_only=True):
        entries = session().query(log.AuditEntry).filter(log.AuditEntry.action.startswith(prefix))
        return [(e.action, e.facts) for e in entries.order_by(log.AuditEntry.at, log.AuditEntry.id)]


# ---- approval


def test_a_waiver_is_live_when_two_others_have_approved(
    lenient_systems, as_admin, as_officer, as_reviewer, as_viewer, acting
):
    assert "No waivers yet" in main_text(as_viewer.get("policies/waivers"))
    assert request(as_admin, lenient_systems).location == newest_approval_page()
    own = as_admin.get(newest_approval_page()).text
    assert (
        "awaits 2 of 2 people" in " ".join(own.split()) and '/policies/" aria-current="page"' in own
    )
    page = main_text(as_officer.get(newest_approval_page()))
    assert (
        "Sanjay Patel asks to waive retention of support-assistant" in page
        and "0 of 2 people have approved it so far" in page
    )
    assert "90 days to 120 days" in page and "policy.retention_days" in page and "loosens" in page
    assert (
        "1 of 3 AI systems" in page
        and "Retention of support-assistant goes from 90 days to 120 days." in page
        and "Weekly review" in page
    )
    decide_approval(
        as_officer, newest_approval_page(), verb="approve", reason="For this claim only"
    )
    assert retention().value == 90 and "1 of 2 approvals" in main_text(
        as_reviewer.get(newest_approval_page())
    )
    with acting("admin"):
        before = tenant_revision.current_revision()
    approve(as_reviewer)
    with acting("admin"):
        assert tenant_revision.current_revision() == before + 1
    found = retention()
    assert found.value == 120 and found.set_by == "waiver"
    assert retention("ad-copywriter").value == 90
    page = main_text(as_viewer.get("policies/waivers"))
    assert (
        "1 waiver is live" in page
        and "Weekly review" in page
        and "days left" in page
        and "Ines Duarte, Jun Chen" in page
    )
    assert "Retention can be 120 days instead of 90 days" in main_text(
        as_viewer.get(newest_waiver_page())
    )
    assert "1 waiver is live" in main_text(
        as_viewer.get("policies/in-force?system=support-assistant")
    )
    told = {"system": "support-assistant", "dimension": "retention_days", "value": 120}
    steps = recorded()
    assert [action for action, _ in steps] == [
        "waiver.requested",
        "waiver.partially_approved",
        "waiver.approved",
    ]
    assert all(told.items() <= facts.items() and facts["until"] for _, facts in steps)


def test_a_waiver_that_the_tenants_own_tier_outdoes_says_that_it_changes_nothing(
    systems, as_admin, as_officer, as_reviewer
):
    request(as_admin, systems)
    assert "It would change nothing now. Standard tier requires 90 days." in main_text(
        as_officer.get(newest_approval_page())
    )
    approve(as_officer, as_reviewer)
    assert "The waiver allows 120 days, but Standard tier requires 90 days" in main_text(
        as_admin.get(newest_waiver_page())
    )


def test_all_three_are_different_persons(lenient_systems, as_admin, as_officer, as_reviewer):
    request(as_officer, lenient_systems)
    where = newest_approval_page()
    assert "two other people decide" in main_text(
        as_officer.get(where)
    ) and where not in approvals_in_inbox(as_officer)
    seen = fingerprint_on_page(as_admin, where)
    decide_approval(as_officer, where, 403, verb="approve", seen=seen)
    decide_approval(as_officer, where, 403, verb="reject", reason="x")
    assert where in approvals_in_inbox(as_admin)
    decide_approval(as_admin, where, verb="approve")
    decide_approval(
        as_admin, where, verb="approve", seen=seen
    )  # The second of two clicks changes nothing.
    assert "You approved this already" in main_text(
        as_admin.get(where)
    ) and where not in approvals_in_inbox(as_admin)
    decide_approval(as_admin, where, 403, verb="withdraw")
    assert retention().value == 90
    approve(as_reviewer)
    assert retention().value == 120


def test_what_was_approved_is_what_both_saw(lenient_systems, as_admin, as_officer, as_reviewer):
    """Void earlier approvals when the tenant's own values, which the page shows, change."""
    request(as_admin, lenient_systems)
    approve(as_officer)
    seen = fingerprint_on_page(as_reviewer, newest_approval_page())
    put_in_force(policy_content("strict"))
    decide_approval(as_reviewer, newest_approval_page(), 409, verb="approve", seen=seen)
    approve(as_reviewer)
    assert state() == "requested"
    approve(as_officer)
    assert state() == "live"


def test_after_its_end_the_minimum_is_back_without_anybody(
    lenient_systems, as_admin, as_officer, as_reviewer
):
    request(as_admin, lenient_systems)
    approve(as_officer, as_reviewer)
    with clock.frozen(clock.now() + timedelta(days=22)):
        assert retention().value == 90
    now = effective_policy()
    assert now.next_change(clock.now()) == now.waivers[0].until


def test_one_person_ends_it_early(lenient_systems, as_admin, as_officer, as_reviewer):
    request(as_admin, lenient_systems)
    end(as_admin, 422)
    approve(as_officer, as_reviewer)
    end(as_admin, reason="Claim settled")
    assert retention().value == 90 and recorded("waiver.ended")
    assert "isn't live" in main_text(end(as_admin, 422))
    assert "has ended" in main_text(as_admin.get(newest_waiver_page()))


def test_a_rejected_or_withdrawn_waiver_is_never_live(
    lenient_systems, as_admin, as_officer, as_reviewer
):
    request(as_admin, lenient_systems)
    decide_approval(as_officer, newest_approval_page(), 422, verb="reject", reason=" ")
    decide_approval(as_officer, newest_approval_page(), verb="reject", reason="Not for this")
    decide_approval(as_reviewer, newest_approval_page(), 409, verb="approve")
    assert state() == "rejected" and "was rejected" in main_text(as_admin.get(newest_waiver_page()))
    request(as_admin, lenient_systems)
    decide_approval(as_admin, newest_approval_page(), verb="withdraw")
    decide_approval(as_reviewer, newest_approval_page(), 409, verb="approve")
    assert state() == "withdrawn" and retention().value == 90
    assert [action for action, _ in recorded()][1::2] == ["waiver.rejected", "waiver.withdrawn"]


def test_a_request_expires_at_the_waivers_end_and_after_two_weeks(lenient_systems, as_admin):
    """Block no other request by an expired one, even before the nightly job."""
    request(as_admin, lenient_systems, days=2)
    with clock.frozen(clock.now() + timedelta(days=4)):
        with make.acting("admin"):
            approvals.expire()
        assert state() == "expired"
        requested_below_the_pages(lenient_systems)
    with clock.frozen(clock.now() + timedelta(days=19)):
        requested_below_the_pages(lenient_systems)
    with make.acting("admin", read_only=True):
        assert sorted(w.state for w, _ in waiver_list.waivers({}).rows) == [
            "expired",
            "expired",
            "requested",
        ]
    assert "was never approved" in main_text(as_admin.get(f"policies/waivers/{oldest()}"))


def oldest():
    with make.acting("admin", read_only=True):
        return waiver_list.waivers({}, sort="requested").rows[0][0].id


def requested_below_the_pages(systems):
    """Request without a page, since sessions end within days and requests don't."""
    ends = clock.now() + timedelta(days=20)
    with make.acting("admin"):
        waivers.request(
            systems["support-assistant"],
            "retention_days",
            120,
            expires_at=ends,
            reason="x",
            compensation="x",
        )


def test_what_the_operator_made_unwaivable_is_refused_and_blocks_what_was_requested(
    lenient_systems, as_admin, as_officer, as_operator
):
    request(as_admin, lenient_systems)
    sent = form_values(as_operator.get("/operator/floor/change").text)
    as_operator.post(
        "/operator/floor/change",
        **sent | {"unwaivable": ["retention_days"], "verb": "confirm", "reason": "x"},
    )
    why = "The operator doesn't allow waivers of Retention"
    assert why in as_officer.get(newest_approval_page()).text.replace("&#39;", "'")
    decide_approval(as_officer, newest_approval_page(), 409, verb="approve")
    decide_approval(as_admin, newest_approval_page(), verb="withdraw")
    assert why in main_text(request(as_admin, lenient_systems, 422))


def test_a_waiver_of_a_system_that_was_retired_is_blocked(lenient_systems, as_admin, as_officer):
    request(as_admin, lenient_systems)
    with make.acting("compliance_officer"):
        registering.retire(register.system("support-assistant"), reason="Replaced")
    assert "Its AI system was retired." in main_text(as_officer.get(newest_approval_page()))
    decide_approval(as_officer, newest_approval_page(), 409, verb="approve")


# ---- requests


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"expires_on": ""}, "day on which the waiver ends"),
        ({"expires_on": "2999-01-01"}, "at most 30 days"),
        ({"expires_on": "2001-01-01"}, "future day"),
        ({"reason": " "}, "Enter a reason"),
        ({"compensation": " "}, "compensating measure"),
        ({"value": "60"}, "needs no waiver"),
        ({"value": "many"}, "whole number"),
        ({"dimension": "memory", "value": "on"}, "nothing to waive"),
        ({"dimension": "mood"}, "Not a valid choice"),
        ({"dimension": "content_filter", "value": "none"}, "no level"),
    ],
)
def test_what_is_wrong_is_named(lenient_systems, as_admin, given, said):
    assert said in main_text(request(as_admin, lenient_systems, 422, **given))
    with make.acting("admin", read_only=True):
        assert not waiver_list.count()


def test_a_waiver_of_thirty_days_is_allowed_and_of_thirty_one_is_not(lenient_systems, as_admin):
    request(as_admin, lenient_systems, 422, days=32)
    with make.acting("admin", read_only=True):
        assert waiver_list.count() == 0
    request(as_admin, lenient_systems, days=30)
    with make.acting("admin", read_only=True):
        assert waiver_list.count() == 1


def test_requested_twice_is_refused_the_second_time(lenient_systems, as_admin):
    request(as_admin, lenient_systems)
    assert "already requested or live" in main_text(request(as_admin, lenient_systems, 422))


def test_who_may_not_and_who_comes_from_elsewhere(
    app, lenient_systems, as_admin, as_contributor, as_viewer, as_neighbour, as_stranger
):
    request(as_contributor, lenient_systems, 403)
    request(as_viewer, lenient_systems, 403)
    assert "Not a valid choice" in main_text(request(as_neighbour, lenient_systems, 422))
    request(as_admin, lenient_systems, 422, system=str(uuid4()))
    request(as_admin, lenient_systems)
    where, record = newest_approval_page(), newest_waiver_page()
    assert (
        "Open approval" not in as_viewer.get(record).text
        and "Open approval" in as_admin.get(record).text
    )
    as_viewer.post(where, then=403, verb="approve")
    as_contributor.get(where, then=404)
    for path in (where, record):
        as_neighbour.get(path, then=404)
        as_stranger.get(path, then=404)
    as_neighbour.post(where.replace("/t/acme/", "/t/globex/"), then=404, verb="approve")
    stale = Visitor(app, make.cookie("compliance_officer", signed_in_ago=timedelta(minutes=6)))
    stale.post(where, then=401, verb="approve")
    as_neighbour.post(f"{record}/end", then=404)
    as_viewer.post(f"{record}/end", then=403)


# ---- the list


@pytest.fixture
def several(lenient_systems, as_admin, as_officer, as_reviewer):
    """Create three waivers: one live, one rejected, one requested."""
    request(as_admin, lenient_systems, days=9)
    approve(as_officer, as_reviewer)
    request(
        as_admin,
        lenient_systems,
        system=str(lenient_systems["ad-copywriter"]),
        days=5,
        reason="A campaign",
        compensation="Two editors",
    )
    decide_approval(as_officer, newest_approval_page(), verb="reject", reason="No")
    request(
        as_admin,
        lenient_systems,
        system=str(lenient_systems["ad-copywriter"]),
        dimension="content_filter",
        value="off",
        days=7,
    )
    return lenient_systems


def listed(visitor, query=""):
    rows = soup(visitor.get(f"policies/waivers{query}")).select("tbody tr[data-row]")
    return [
        (
            row.select_one("td[data-label='AI system']").get_text(strip=True),
            row.select_one("code").get_text(strip=True),
        )
        for row in rows
    ]


def soup(reply):
    return BeautifulSoup(reply.text, "html.parser")


LIVE = ("support-assistant", "policy.retention_days")
REJECTED = ("ad-copywriter", "policy.retention_days")
REQUESTED = ("ad-copywriter", "policy.content_filter")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", [REQUESTED, REJECTED, LIVE]),
        ("?state=live", [LIVE]),
        ("?state=requested", [REQUESTED]),
        ("?state=rejected", [REJECTED]),
        ("?state=withdrawn", []),
        ("?state=mood", []),
        ("?system=ad-copywriter", [REQUESTED, REJECTED]),
        ("?dimension=retention_days", [REJECTED, LIVE]),
        ("?dimension=retention_days&system=ad-copywriter", [REJECTED]),
        ("?q=editors", [REJECTED]),
        ("?q=Content+filter", [REQUESTED]),
        ("?sort=ends", [REJECTED, REQUESTED, LIVE]),
        ("?sort=-system", [LIVE, REQUESTED, REJECTED]),
    ],
)
def test_the_list_is_filtered_searched_and_sorted(several, as_viewer, query, found):
    assert listed(as_viewer, query) == found


def test_each_filter_is_a_chip_that_can_be_removed(several, as_viewer):
    page = soup(as_viewer.get("policies/waivers?state=live&q=claim"))
    chips = {
        chip.span.get_text(" ", strip=True): chip.a["href"]
        for chip in page.select(".c-tools .c-chip")
        if chip.a
    }
    assert chips == {
        "Search: claim": "/t/acme/policies/waivers?state=live",
        "State: Live": "/t/acme/policies/waivers?q=claim",
    }
    none = main_text(as_viewer.get("policies/waivers?state=withdrawn"))
    assert "No waivers match" in none and "Clear filters to see all 3" in none
    as_viewer.get("policies/waivers?sort=mood", then=422)


def test_what_is_filtered_is_exported(several, as_viewer, as_neighbour):
    reply = as_viewer.get("policies/waivers/export.csv?state=live")
    head, *rows = list(csv.reader(io.StringIO(reply.text.removeprefix("\ufeff"))))
    told = [dict(zip(head, row, strict=True)) for row in rows]
    assert [
        (row["AI system"], row["Value"], row["Requested by"], row["Approved by"], row["State"])
        for row in told
    ] == [("support-assistant", "120 days", "Sanjay Patel", "Ines Duarte, Jun Chen", "Live")]
    assert "support-assistant" not in as_neighbour.get("policies/waivers/export.csv").text


def test_the_list_continues_behind_the_last_waiver(several, as_viewer):
    with make.acting("viewer", read_only=True):
        first = waiver_list.waivers({}, size=2)
        rest = waiver_list.waivers({}, after=first.next, size=2)
        assert [len(first.rows), len(rest.rows), rest.next] == [2, 1, None]
        assert len({w.id for w, _ in [*first.rows, *rest.rows]}) == 3


def test_a_waiver_that_has_ended_by_itself_is_listed_as_ended(several, as_viewer):
    with clock.frozen(clock.now() + timedelta(days=11)), make.acting("viewer", read_only=True):
        ended, expired = (
            waiver_list.waivers({"state": each}).rows for each in ("ended", "expired")
        )
        assert [(system, w.dimension) for w, system in ended] == [
            ("support-assistant", "retention_days")
        ]
        assert [(system, w.dimension) for w, system in expired] == [
            ("ad-copywriter", "content_filter")
        ]
        assert [waiver_list.state_of(w) for w, _ in (*ended, *expired)] == ["ended", "expired"]
        assert queries.current_policy().waivers == ()
