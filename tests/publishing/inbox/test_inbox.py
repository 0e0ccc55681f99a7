"""The inbox through the front door: items and their order, snoozing, assigning, the next item."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import select

from governance.assurance.assessments import assessment_queries, item_actions
from governance.assurance.evidence import actions as evidencing
from governance.assurance.evidence import queries as evidence
from governance.assurance.evidence import version_actions
from governance.foundation.approvals.models import Approval
from governance.foundation.approvals.queries import open_approval
from governance.foundation.audit.models import AuditEntry
from governance.foundation.people import member_actions
from governance.foundation.people import queries as directory
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.operations.switches import drill_actions
from governance.operations.systems import actions as systems
from governance.operations.systems import queries as register
from governance.publishing.inbox import queries, statements
from governance.publishing.inbox.models import InboxSnooze
from governance.publishing.inbox.sources import sources
from tests import make
from tests.assurance.engagements import engagement_helpers
from tests.assurance.frameworks.framework_files import main_text
from tests.conftest import visitor
from tests.foundation.approvals.approval_helpers import decide_approval
from tests.publishing.overview.conftest import NOW, days_ago


def parse_page(reply):
    return BeautifulSoup(reply.text, "html.parser")


def heading(reply):
    return parse_page(reply).h1.get_text()


def page_text(reply):
    """Return every word of the page. Messages are before the main part."""
    return " ".join(parse_page(reply).get_text(" ").split())


def titles(reply):
    return [row.a.get_text() for row in parse_page(reply).find_all(attrs={"data-row": True})]


def groups(reply):
    return [title.get_text() for title in parse_page(reply).select(".c-inboxgrp h2")]


def count(reply):
    found = parse_page(reply).select_one(".c-waits:not(.c-bell) b")
    return found.get_text() if found else None


def key_of(reply, title):
    row = next(
        row
        for row in parse_page(reply).find_all(attrs={"data-row": True})
        if row.a.get_text() == title
    )
    return row["data-item"]


@pytest.fixture
def tenant_with_planned_drill(year_of_work):
    """Request a drill as Sanjay that is due in three days."""
    with clock.frozen(days_ago(100)), make.acting("compliance_officer"):
        systems.register(
            key="ad-copywriter",
            stage="live",
            name="Ad copywriter",
            purpose="Writes.",
            lane="high_risk",
            owner_id=None,
        )
    with clock.frozen(days_ago(1)), make.acting("admin"):
        due = NOW + timedelta(days=3)
        drill = drill_actions.plan(
            register.system("ad-copywriter"), None, due_at=due, seconds=10, reason="A yearly proof"
        )
        return {**year_of_work, "approval": open_approval("drill", drill.id).id, "due": due}


LATE = "Assign an owner to overdue penetration test report"
DRILL = "Review the request to drill ad-copywriter"
SIGN, REVIEW = "Sign off GOVERN 1.6", "Review evidence: Drill record"


# ---- content


def test_the_most_urgent_group_comes_first_and_the_heading_counts(
    as_officer, tenant_with_planned_drill
):
    reply = as_officer.get("inbox/")
    assert heading(reply) == "4 items need you: 1 is overdue"
    assert groups(reply) == ["Evidence and requests", "Approvals", "Reviews"]
    assert titles(reply) == [LATE, DRILL, SIGN, REVIEW]
    text = page_text(reply)
    assert "12 days late" in text and "decide each one on its page" in text
    assert "Inbox · Ines Duarte, compliance officer · 25 November 2026, 10:24 CET" in text
    assert count(reply) == "4"


def test_a_tab_shows_one_group(as_officer, tenant_with_planned_drill):
    reply = as_officer.get("inbox/?group=approvals")
    assert titles(reply) == [DRILL] and heading(reply).startswith("4 items need you")
    assert parse_page(reply).select_one(".c-tabs [aria-current]").get_text().split() == [
        "Approvals",
        "1",
    ]
    as_officer.get("inbox/?group=parcels", then=404)
    as_officer.get("inbox/?view=parcels", then=404)


def test_every_page_counts_it_in_the_top_bar(
    as_officer, as_viewer, as_stranger, tenant_with_planned_drill
):
    for path in ("", "evidence/", "controls/", "settings/", "reports/", "inbox/"):
        assert count(as_officer.get(path)) == "4", path
    assert count(as_viewer.get("evidence/")) is None
    as_stranger.get("inbox/", then=404)


def test_late_evidence_says_what_it_holds_back_in_the_list_and_the_panel(
    as_officer, tenant_with_planned_drill
):
    with clock.frozen(days_ago(40)), make.acting("compliance_officer"):
        evidencing.create_item(
            "Fire drill",
            kind="report",
            cadence="yearly",
            owner_id=None,
            due_on=days_ago(20).date(),
            controls={},
        )
    reply = as_officer.get("inbox/")
    rows = parse_page(reply).find_all(attrs={"data-row": True})
    detail = {row.a.get_text(): row.select_one(".c-cellsub").get_text() for row in rows}
    assert re.fullmatch(r"EV-\d+, keeps MEASURE 2\.7 at level 1", detail[LATE].strip())
    other = "Assign an owner to overdue fire drill"
    assert re.fullmatch(r"EV-\d+", detail[other].strip())
    held = "keeps MEASURE 2.7 at level 1"
    assert held in main_text(as_officer.get(f"inbox/items/{key_of(reply, LATE)}"))
    assert held not in main_text(as_officer.get(f"inbox/items/{key_of(reply, other)}"))


def test_an_item_leaves_when_its_work_is_done(as_officer, tenant_with_planned_drill):
    with make.acting("compliance_officer"):
        version_actions.accept(*evidence.find_version(tenant_with_planned_drill["pending"]))
    assert REVIEW not in titles(as_officer.get("inbox/"))
    assert count(as_officer.get("controls/")) == "3"


def test_another_tenant_has_none_of_it(as_neighbour, tenant_with_planned_drill):
    reply = as_neighbour.get("/t/globex/inbox/")
    assert heading(reply) == "Nothing needs you" and "Penetration" not in reply.text
    as_neighbour.get(
        f"/t/globex/inbox/items/approval.{tenant_with_planned_drill['approval']}", then=404
    )
    as_neighbour.get(
        f"/t/globex/inbox/items/approval.{tenant_with_planned_drill['approval']}/open", then=404
    )


def test_an_empty_inbox_tells_the_next_due_date(app, as_contributor, year_of_work):
    with make.acting("compliance_officer"):
        for ref in ("TST-02", "TST-03", "TST-04"):
            evidencing.retire(
                evidence.find_evidence(year_of_work["pieces"][ref]), reason="It is over"
            )
        evidencing.assign(
            evidence.find_evidence(year_of_work["pieces"]["TST-01"]), make.person_id("contributor")
        )
        item_actions.assign(assessment_queries.item(year_of_work["items"]["MAP 1.1"]), None, None)
    reply = as_contributor.get("inbox/")
    assert heading(reply) == "Nothing needs you" and count(reply) is None
    assert "Your next due date is 13 June 2027." in page_text(
        reply
    )  # The day on which TST-01's accepted version ends.
    assert "next due date" not in page_text(visitor(app, "viewer").get("inbox/"))


def test_an_auditor_has_what_the_engagement_is_about(as_auditor, app, year_of_work):
    mine, other = (
        engagement_helpers.world_engagement(),
        engagement_helpers.create_engagement("Brook Audit", opens=-400),
    )
    ids = {}
    for held, title in ((mine, "Members"), (other, "Payroll")):
        ids[title] = engagement_helpers.create_request(held, title)
        engagement_helpers.provide_request(held, ids[title], said="Here.")
    with clock.frozen(clock.now()):
        reply = as_auditor.get("inbox/")
    assert titles(reply) in (
        ["Review response: Members"],
        [],
    )  # The world's engagement is open on the machine's day.
    assert "Payroll" not in reply.text
    as_auditor.get(f"inbox/items/audit-answer.{ids['Payroll']}", then=404)


# ---- one item


def test_the_panel_is_a_fragment_and_a_page(as_officer, tenant_with_planned_drill):
    key = f"approval.{tenant_with_planned_drill['approval']}"
    part = as_officer.get(
        f"inbox/items/{key}", headers={"HX-Request": "true", "HX-Target": "section#preview"}
    )
    assert (
        "<html" not in part.text
        and "You get this because another person requested it, and you can approve it"
        in page_text(part)
    )
    assert f"/t/acme/inbox/items/{key}/open" in part.text
    whole = as_officer.get(f"inbox/items/{key}")
    assert heading(whole) == DRILL


@pytest.mark.parametrize(
    "key", ["drill", "drill.", "drill.x", "parcel.01a21584-b442-75e3-9fe9-2d33b9ca888f", "x" * 300]
)
def test_a_key_that_names_nothing_is_not_found(as_officer, tenant_with_planned_drill, key):
    reply = as_officer.get(f"inbox/items/{key}", then=404)
    assert "This left your inbox" in page_text(reply)


def test_what_somebody_else_did_is_said_and_the_page_can_ask(as_officer, tenant_with_planned_drill):
    listed = as_officer.get("inbox/keys").json["items"]
    key = f"evidence-review.{tenant_with_planned_drill['pending']}"
    assert key in listed and len(listed) == 4
    with make.acting("compliance_officer"):
        version_actions.accept(*evidence.find_version(tenant_with_planned_drill["pending"]))
    assert key not in as_officer.get("inbox/keys").json["items"]
    gone = as_officer.get(f"inbox/items/{key}", then=404)
    assert "someone decided it, it has another owner, or your access changed" in main_text(gone)


def test_a_person_who_lost_the_permission_lost_the_item(app, tenant_with_planned_drill):
    for role in ("contributor", "viewer", "admin"):  # An admin requested it.
        visitor(app, role).get(
            f"inbox/items/approval.{tenant_with_planned_drill['approval']}", then=404
        )


# ---- the next item


def test_after_a_decision_comes_the_next_item(as_officer, tenant_with_planned_drill):
    key = f"approval.{tenant_with_planned_drill['approval']}"
    page = as_officer.get(f"inbox/items/{key}/open", then=302).location
    assert "Skip to the next item" in page_text(as_officer.get(page))
    after = decide_approval(
        as_officer, f"/t/acme/approvals/{tenant_with_planned_drill['approval']}", verb="approve"
    )
    assert after.location.endswith("/t/acme/inbox/next")
    following = as_officer.get(after.location, then=302).location
    assert following.endswith("/frameworks/nist-ai-rmf-1.0/GOVERN-1.6")
    assert "Sign off GOVERN 1.6" in page_text(as_officer.get(following))


def test_a_form_that_leaves_the_item_undone_comes_back_to_it(as_officer, tenant_with_planned_drill):
    key = f"sign-off.{_conclusion(tenant_with_planned_drill)}"
    page = as_officer.get(f"inbox/items/{key}/open", then=302).location
    item_id = tenant_with_planned_drill["items"]["GOVERN 1.6"]
    form = next(
        f
        for f in parse_page(as_officer.get(page)).find_all("form", method="post")
        if "comment" in f.get("action", "")
    )
    assert str(item_id) in form["action"]
    after = as_officer.post(form["action"], then=303, text="Which systems?")
    back = as_officer.get(after.location, then=302).location
    assert "GOVERN-1.6" in back


def _conclusion(asking):
    with make.acting("compliance_officer", read_only=True):
        return next(item.row.id for item in queries.page().items if item.title == SIGN)


def test_the_last_item_leads_back_to_the_inbox_and_others_wrap_around(
    as_officer, tenant_with_planned_drill
):
    as_officer.get(
        f"inbox/items/evidence-review.{tenant_with_planned_drill['pending']}/open", then=302
    )
    first = as_officer.get("inbox/next?skip=1", then=302).location
    assert first.endswith(f"/evidence/{tenant_with_planned_drill['pieces']['TST-02']}")
    as_officer.get("inbox/")
    assert as_officer.get("inbox/next", then=302).location.endswith("/t/acme/inbox/"), (
        "the inbox forgets what was opened"
    )


def test_other_forms_lead_where_they_always_led(as_officer, tenant_with_planned_drill):
    as_officer.get(f"inbox/items/approval.{tenant_with_planned_drill['approval']}/open", then=302)
    after = as_officer.post(
        f"evidence/{tenant_with_planned_drill['pieces']['TST-02']}/owner",
        owner_id=make.person_id("contributor"),
        then=303,
    )
    assert "inbox" not in after.location


# ---- snooze


def snoozed(visitor, key, choice="tomorrow", then=303, **more):
    return visitor.post("inbox/snooze", items=key, choice=choice, then=then, **more)


def test_a_snoozed_item_is_away_for_its_person_and_returns_by_itself(
    app, as_officer, as_reviewer, tenant_with_planned_drill
):
    key = f"approval.{tenant_with_planned_drill['approval']}"
    reply = as_officer.get(snoozed(as_officer, key).location)
    assert "1 item snoozed until 26 Nov 2026, 08:00 CET." in page_text(reply)
    assert DRILL not in titles(reply) and count(reply) == "3"
    assert DRILL in titles(as_reviewer.get("inbox/")), "each person snoozes for themselves"
    away = as_officer.get("inbox/?view=snoozed")
    assert titles(away) == [DRILL]
    with clock.frozen(NOW + timedelta(hours=24)):
        later = visitor(app, "compliance_officer")
        assert DRILL in titles(later.get("inbox/")) and count(later.get("controls/")) == "4"


def test_a_snoozed_item_can_be_returned(as_officer, tenant_with_planned_drill):
    key = f"approval.{tenant_with_planned_drill['approval']}"
    snoozed(as_officer, key)
    as_officer.post("inbox/return", items=key)
    assert DRILL in titles(as_officer.get("inbox/"))
    reply = as_officer.post("inbox/return", items=key, follow=True)
    assert "It is already in your inbox." in page_text(reply)


def test_a_change_of_the_item_ends_its_snooze(as_officer, tenant_with_planned_drill):
    key = f"evidence-owner.{tenant_with_planned_drill['pieces']['TST-02']}"
    snoozed(as_officer, f"approval.{tenant_with_planned_drill['approval']}", "change")
    assert DRILL not in titles(as_officer.get("inbox/"))
    with make.acting("admin"):
        session().scalars(
            select(Approval).where(Approval.id == tenant_with_planned_drill["approval"])
        ).one().expires_at = NOW + timedelta(days=9)
    assert DRILL in titles(as_officer.get("inbox/")), key


@pytest.mark.parametrize(
    ("choice", "day", "says"),
    [
        ("monday", None, "It is due on 28 November 2026, so it comes back before then"),
        ("day", "2026-11-29", "comes back before then"),
        ("day", "2026-11-24", "choose a day after today"),
        ("day", None, "Choose a day"),
        ("never", None, "Not a valid choice"),
    ],
)
def test_nothing_is_snoozed_past_its_deadline_or_for_nonsense(
    as_officer, tenant_with_planned_drill, choice, day, says
):
    reply = as_officer.get(
        snoozed(
            as_officer, f"approval.{tenant_with_planned_drill['approval']}", choice, day=day
        ).location
    )
    assert says.lower() in page_text(reply).lower()
    assert DRILL in titles(reply)


def test_an_overdue_item_cannot_be_snoozed_and_one_refusal_snoozes_none(
    as_officer, tenant_with_planned_drill
):
    late, drill = (
        f"evidence-owner.{tenant_with_planned_drill['pieces']['TST-02']}",
        f"approval.{tenant_with_planned_drill['approval']}",
    )
    reply = as_officer.get(snoozed(as_officer, [drill, late], "hour").location)
    assert "it is overdue, so it can't be snoozed" in page_text(reply)
    assert set(titles(reply)) >= {LATE, DRILL}
    with make.acting("compliance_officer"):
        assert session().scalars(select(InboxSnooze)).all() == []


def test_only_what_is_in_the_own_inbox_can_be_snoozed(
    as_contributor, as_officer, tenant_with_planned_drill
):
    snoozed(as_contributor, f"approval.{tenant_with_planned_drill['approval']}", then=404)
    snoozed(as_officer, "drill.01a21584-b442-75e3-9fe9-2d33b9ca888f", then=404)


@pytest.mark.parametrize("verb", ["snooze", "return", "assign"])
def test_a_bulk_action_on_nothing_says_so_on_the_page(as_officer, tenant_with_planned_drill, verb):
    anna = make.person_id("contributor")
    reply = as_officer.get(
        as_officer.post(
            f"inbox/{verb}", choice="hour", owner_id=anna, back="/t/acme/inbox/?group=reviews"
        ).location
    )
    assert "Select at least one item first." in page_text(reply) and groups(reply) == ["Reviews"]


def test_snoozing_is_in_the_log_and_twice_is_once(as_officer, tenant_with_planned_drill):
    key = f"approval.{tenant_with_planned_drill['approval']}"
    snoozed(as_officer, key)
    as_officer.post("inbox/return", items=key)
    snoozed(as_officer, key, "hour")
    with make.acting("compliance_officer"):
        said = (
            session()
            .scalars(
                select(AuditEntry.action)
                .where(AuditEntry.action.startswith("inbox."))
                .order_by(AuditEntry.at, AuditEntry.id)
            )
            .all()
        )
        assert said == ["inbox.item.snoozed", "inbox.item.returned", "inbox.item.snoozed"]
        assert len(session().scalars(select(InboxSnooze)).all()) == 1


def test_the_panel_offers_only_what_the_deadline_allows(as_officer, tenant_with_planned_drill):
    part = as_officer.get(f"inbox/items/approval.{tenant_with_planned_drill['approval']}")
    offered = {
        button["value"] for button in parse_page(part).find_all("button", attrs={"name": "choice"})
    }
    assert offered == {"hour", "tomorrow", "change"}
    late = as_officer.get(
        f"inbox/items/evidence-owner.{tenant_with_planned_drill['pieces']['TST-02']}"
    )
    assert "It is overdue, so it can't be snoozed." in main_text(late)


def test_what_is_back_soon_comes_first_and_stands_beside_the_open_items(
    as_officer, tenant_with_planned_drill, statements
):
    sign = f"sign-off.{_conclusion(tenant_with_planned_drill)}"
    review, drill = (
        f"evidence-review.{tenant_with_planned_drill['pending']}",
        f"approval.{tenant_with_planned_drill['approval']}",
    )
    for key, choice in ((sign, "change"), (review, "week"), (drill, "tomorrow")):
        snoozed(as_officer, key, choice)
    with statements() as seen:
        reply = as_officer.get("inbox/")
    assert len(unions(seen)) == 1
    beside = parse_page(reply).select_one("section[aria-labelledby=soon]")
    shown = [" ".join(each.get_text(" ").split()) for each in beside.select("li")]
    assert shown == [
        f"{DRILL} 26 Nov 2026, 08:00 CET",
        f"{REVIEW} 2 Dec 2026, 08:00 CET",
        f"{SIGN} when it changes",
    ]
    away = as_officer.get("inbox/?view=snoozed")
    assert groups(away) == ["Back soon", "Later"] and titles(away) == [DRILL, REVIEW, SIGN]
    assert "Snoozed until 26 Nov 2026, 08:00 CET" in page_text(
        as_officer.get(f"inbox/items/{drill}")
    )
    as_officer.post("inbox/return", items=[sign, review, drill])
    assert parse_page(as_officer.get("inbox/")).select_one("section[aria-labelledby=soon]") is None


# ---- done


def done(reply):
    return [
        " ".join(row.div.get_text(" ").split())
        for row in parse_page(reply).find_all(attrs={"data-row": True})
    ]


def test_the_done_tab_shows_what_the_person_did_newest_first(
    as_officer, as_reviewer, tenant_with_planned_drill, statements
):
    with make.acting("compliance_officer"):
        version_actions.accept(*evidence.find_version(tenant_with_planned_drill["pending"]))
    with statements() as seen:
        reply = as_officer.get("inbox/?view=done")
    assert len(unions(seen)) == 1
    assert done(reply)[0] == "Drill record You accepted an evidence version"
    assert parse_page(reply).select_one(".c-tabs [aria-current]").get_text() == "Done" and heading(
        reply
    ).startswith("3 items need you")
    link = parse_page(reply).select_one("[data-row] a")["href"]
    assert link.endswith(
        f"/evidence/{tenant_with_planned_drill['pieces']['TST-03']}"
    ) and as_officer.get(link)
    theirs = done(as_reviewer.get("inbox/?view=done"))
    assert "GOVERN 1.6 You recorded a conclusion" in theirs and not any(
        "accepted" in each for each in theirs
    )


def test_what_was_done_long_ago_or_by_somebody_else_is_not_listed(
    app, as_neighbour, as_viewer, tenant_with_planned_drill
):
    with clock.frozen(NOW + timedelta(days=91)):
        assert done(visitor(app, "compliance_officer").get("inbox/?view=done")) == []
    assert "Nothing done yet" in page_text(as_neighbour.get("/t/globex/inbox/?view=done"))
    assert "Nothing done yet" in page_text(as_viewer.get("inbox/?view=done"))


def test_what_is_done_comes_in_pages(as_officer, tenant_with_planned_drill):
    with make.acting("compliance_officer"):
        for number in range(60):
            ids = evidencing.create_item(
                f"Record {number}",
                kind="report",
                cadence="yearly",
                owner_id=None,
                due_on=None,
                controls={},
            )
            evidencing.assign(ids, make.person_id("contributor"))
    first = as_officer.get("inbox/?view=done")
    second = as_officer.get(parse_page(first).find("a", rel="next")["href"])
    assert (
        len(done(first)) == 50
        and len(done(second)) >= 10
        and not set(done(first)) & set(done(second))
    )
    as_officer.get("inbox/?view=done&after=x", then=422)


def test_each_source_that_is_done_leads_to_a_page_with_the_shared_columns(app):
    kinds = {each for source in sources() for each in source.done}
    for kind in kinds:
        assert [column.key for column in kind.select().selected_columns] == list(
            statements.COLUMNS[1:-1]
        ), kind.name
        assert kind.endpoint in app.view_functions, kind.name
    assert len({each.name for each in kinds}) == len(kinds)


# ---- operators


def test_operators_have_an_inbox_counted_on_every_page(as_operator, app):
    reply = as_operator.get("/t/console/inbox/")
    assert heading(reply) == "Nothing needs you"
    assert (
        parse_page(as_operator.get("/operator/")).select_one(".c-waits")["href"]
        == "/t/console/inbox/"
    )
    assert "Nothing done yet" in page_text(as_operator.get("/t/console/inbox/?view=done"))
    finance = visitor(app, "operator_finance", "console")
    assert heading(finance.get("/t/console/inbox/")) == "Nothing needs you"


# ---- assign


def test_items_are_assigned_after_a_preview_and_it_can_be_undone(
    as_officer, tenant_with_planned_drill
):
    late, drill = (
        f"evidence-owner.{tenant_with_planned_drill['pieces']['TST-02']}",
        f"approval.{tenant_with_planned_drill['approval']}",
    )
    anna = make.person_id("contributor")
    preview = as_officer.post("inbox/assign", items=[late, drill], owner_id=anna, then=200)
    assert "1 selected item can't be assigned and is left out." in page_text(preview)
    seen = [i["value"] for i in parse_page(preview).find_all("input", attrs={"name": "seen"})]
    assert len(set(seen)) == 1
    reply = as_officer.get(
        as_officer.post("inbox/assign", seen=sorted(set(seen)), owner_id=anna).location
    )
    assert "1 item is now assigned to Anna Rossi." in page_text(reply)
    assert "Follow up with Anna Rossi on the overdue penetration test report" in titles(reply)
    undo = parse_page(reply).find("button", attrs={"data-undo": True}).find_parent("form")["action"]
    as_officer.post(undo)
    assert LATE in titles(as_officer.get("inbox/"))


def test_who_lost_the_role_since_undoes_nothing(as_officer, tenant_with_planned_drill):
    late, anna = (
        f"evidence-owner.{tenant_with_planned_drill['pieces']['TST-02']}",
        make.person_id("contributor"),
    )
    preview = as_officer.post("inbox/assign", items=late, owner_id=anna, then=200)
    seen = parse_page(preview).find("input", attrs={"name": "seen"})["value"]
    reply = as_officer.get(as_officer.post("inbox/assign", seen=seen, owner_id=anna).location)
    undo = parse_page(reply).find("button", attrs={"data-undo": True}).find_parent("form")["action"]
    with make.acting("admin"):
        member_actions.change_role(
            directory.membership_of(make.person_id("compliance_officer")), "viewer"
        )
    as_officer.client.set_cookie("session", make.cookie("compliance_officer"))
    as_officer.post(undo, then=404)
    with make.acting("admin", read_only=True):
        assert (
            evidence.find_evidence(tenant_with_planned_drill["pieces"]["TST-02"]).owner_id == anna
        )


def test_auditors_requests_are_assigned_too(as_officer, year_of_work):
    held = engagement_helpers.create_engagement("Brook Audit")
    with make.acting():
        from sqlalchemy import update

        from governance.assurance.engagements.models import Engagement

        session().execute(
            update(Engagement).values(opens_at=days_ago(300), closes_at=NOW + timedelta(days=300))
        )
    asked = engagement_helpers.create_request(held, "Training", owner=None)
    preview = as_officer.post(
        "inbox/assign",
        items=f"audit-request-owner.{asked}",
        owner_id=make.person_id("contributor"),
        then=200,
    )
    seen = parse_page(preview).find("input", attrs={"name": "seen"})["value"]
    as_officer.post("inbox/assign", seen=seen, owner_id=make.person_id("contributor"))
    assert not any("Training" in title for title in titles(as_officer.get("inbox/")))


def test_approvals_are_not_assigned_and_not_by_whoever_may_not(
    as_officer, as_contributor, tenant_with_planned_drill
):
    anna = make.person_id("contributor")
    why = "None of the selected items can be assigned. Select evidence items or auditors' requests."
    reply = as_officer.get(
        as_officer.post(
            "inbox/assign", items=f"approval.{tenant_with_planned_drill['approval']}", owner_id=anna
        ).location
    )
    assert why in page_text(reply) and titles(reply)
    mine = f"evidence-upload.{tenant_with_planned_drill['pieces']['TST-04']}"
    assert why in page_text(
        as_contributor.get(as_contributor.post("inbox/assign", items=mine, owner_id=anna).location)
    )
    assert "Assign…" not in main_text(as_contributor.get("inbox/"))


# ---- pages and their statements


def test_a_long_inbox_comes_in_pages(as_officer, tenant_with_planned_drill):
    with make.acting("compliance_officer"):
        for number in range(60):
            evidencing.create_item(
                f"Record {number}",
                kind="report",
                cadence="yearly",
                owner_id=None,
                due_on=None,
                controls={},
            )
    first = as_officer.get("inbox/")
    assert (
        heading(first) == "64 items need you: 1 is overdue"
        and len(titles(first)) == 50
        and "50 of 64" in main_text(first)
    )
    second = as_officer.get(parse_page(first).find("a", rel="next")["href"])
    assert len(titles(second)) == 14 and not set(titles(first)) & set(titles(second))
    assert titles(second)[-3:] == [DRILL, SIGN, REVIEW] and count(second) == "64"
    assert parse_page(second).find("a", rel="next") is None


@pytest.mark.parametrize("after", ["x", "bm90aGluZw==", "WzEsMiwzLDRd", "W10=", "bnVsbA=="])
def test_a_bent_page_mark_is_refused(as_officer, tenant_with_planned_drill, after):
    as_officer.get("inbox/", query_string={"after": after}, then=422)


def unions(seen):
    return [each for each in seen if "UNION ALL" in each]


def test_the_list_and_its_counts_are_one_statement(
    as_officer, as_auditor, tenant_with_planned_drill, statements
):
    as_officer.get("inbox/")
    with statements() as seen:
        as_officer.get("inbox/")
    assert len(unions(seen)) == 1, "\n".join(seen)
    with statements() as seen:
        as_officer.get("inbox/?group=reviews")
    assert len(unions(seen)) == 1


def test_the_count_on_a_page_is_one_statement_and_none_while_nothing_changes(
    tenant_with_planned_drill, database
):
    from sqlalchemy import event

    seen = []
    event.listen(
        database.engine,
        "before_cursor_execute",
        note := lambda _c, _k, statement, *_: seen.append(statement),
    )
    try:
        for expected in (1, 1, 1):
            with make.acting("compliance_officer", read_only=True):
                queries.tally()
                queries.tally()
            assert len([each for each in seen if "the shell: the inbox" in each]) == expected
        with make.acting("compliance_officer"):
            version_actions.accept(*evidence.find_version(tenant_with_planned_drill["pending"]))
        with make.acting("compliance_officer", read_only=True):
            assert queries.tally().open == 3
    finally:
        event.remove(database.engine, "before_cursor_execute", note)
    assert len([each for each in seen if "the shell: the inbox" in each]) == 2


def test_every_source_reads_the_same_columns_and_leads_to_a_page(app):
    icons = (Path(app.root_path) / "static" / "icons.svg").read_text()
    for source in sources():
        assert [column.key for column in source.select().selected_columns] == list(
            statements.COLUMNS[1:-1]
        ), source.name
        assert source.endpoint in app.view_functions, source.name
        assert re.fullmatch(r"[a-z-]+", source.name)
        assert f'id="i-{source.icon}"' in icons, source.name
    assert len({each.name for each in sources()}) == len(sources())


def test_whoever_signs_in_next_in_the_browser_learns_nothing_of_what_was_opened(
    as_officer, tenant_with_planned_drill
):
    page = as_officer.get(
        f"inbox/items/approval.{tenant_with_planned_drill['approval']}/open", then=302
    ).location
    assert "Skip to the next item" in page_text(as_officer.get(page))
    as_officer.client.set_cookie("session", make.cookie("reviewer"))
    reply = as_officer.get(page)
    assert "Skip to the next item" not in page_text(reply)
    assert as_officer.get("inbox/next?skip=1", then=302).location.endswith("/t/acme/inbox/")
