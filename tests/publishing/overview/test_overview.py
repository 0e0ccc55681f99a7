"""The overview through the front door: each role, an empty tenant, a year's work, another day."""

import pytest
from bs4 import BeautifulSoup

from governance.assurance.assessments import assessment_queries, conclusion_actions
from governance.assurance.controls import adoption_actions
from governance.assurance.evidence import actions as evidencing
from governance.assurance.evidence import queries as evidence
from governance.foundation.people import member_actions
from governance.foundation.people import queries as people
from governance.kernel import clock
from governance.operations.systems import actions as systems
from governance.publishing.overview import queries
from tests import make
from tests.assurance.frameworks.framework_files import main_text
from tests.publishing.overview.conftest import NOW, days_ago
from tests.publishing.overview.page_helpers import page_heading, section_links, section_text

# ---- a year of work


def test_the_page_says_the_conclusion(as_officer, year_of_work):
    reply = as_officer.get("")
    assert (
        page_heading(reply)
        == "1 of 72 requirements proven, 1 fewer than 30 days ago. 2% coverage. "
        "3 items need you; no conclusion of Q4 2026 is signed off yet."
    )
    assert "Wednesday 25 November 2026, 10:24 Berlin" in main_text(reply)
    table = section_text(reply, "functions")
    assert "Measure is the only function that fell in 30 days" in table
    assert "4 of 216 points up to the targets are reached" in table
    assert "2% All: 1% to 2% since May 2026" in table and "−0.9 71" in table


def test_numbers_agree_with_the_board(acting, year_of_work):
    with acting(read_only=True):
        board = queries.board()
        shares = queries.trend(board)[-1].shares
        moved = queries.movement(board)
        assert (
            sum(shares[f].reached for f in ("GOVERN", "MAP", "MEASURE", "MANAGE"))
            == shares["all"].reached
            == board.share.reached
            == 4
        )
        assert [(m.row.ref, m.before, m.now) for m in moved.fell] == [("MEASURE 2.7", 3, 1)]
        assert moved.rose == ()
        assert round(moved.points["all"], 2) == round(100 * (4 - 6) / 216, 2)
        assert [p.at.month for p in queries.quarters(queries.trend(board))] == [6, 9, 11]


def test_evidence_is_counted_by_state_and_by_week(as_officer, acting, year_of_work):
    with acting(read_only=True):
        state = queries.evidence_at(queries.board())
    assert (state.fresh, state.due, state.in_review, state.late, state.missing, state.total) == (
        1,
        0,
        1,
        1,
        1,
        4,
    )
    assert [(monday.isoformat(), n) for monday, n in state.weeks if n] == [("2026-11-30", 1)]
    text = section_text(as_officer.get(""), "freshness")
    assert (
        text.startswith("1 of 4 evidence items is fresh")
        and "1 in review 1 overdue 1 missing" in text
    )


def test_changes_come_from_the_log_and_are_grouped(as_officer, year_of_work):
    text = section_text(as_officer.get(""), "changes")
    assert text.startswith(
        "1 level fell in 30 days MEASURE 2.7 fell from 3 Evidenced to 1 Partial Penetration"
        " test report is 12 days overdue"
    )
    assert "Jun Chen recorded a conclusion, 2 times MEASURE 2.7, GOVERN 1.6" in text
    assert "Jun Chen uploaded an evidence version EV-0003" in text


def test_the_next_report_says_what_holds_it_up(as_officer, year_of_work):
    reply = as_officer.get("")
    text = section_text(reply, "next-report")
    assert "Period 29 January 2026 to 31 December 2026" in text
    assert (
        "MEASURE 2.7: penetration test report is 12 days overdue" in text
    )  # Failures come before requirements without a control.
    assert (
        "GOVERN 1.6: conclusion awaits sign-off" in text
        and "0 of 72 conclusions signed off" in text
        and "No report yet" in text
    )
    form = BeautifulSoup(reply.text, "html.parser").find("form", action="/t/acme/reports/")
    assert form.find("input", attrs={"name": "assessment_id"})["value"] == str(
        year_of_work["assessment"]
    )


# ---- the inbox of each role


def test_an_officer_assigns_signs_and_reviews_oldest_first(as_officer, year_of_work):
    reply = as_officer.get("")
    text = section_text(reply, "waits")
    found = [
        text.index(part)
        for part in (
            "Assign an owner to overdue penetration test report",
            "Sign off GOVERN 1.6",
            "Review evidence: Drill record",
        )
    ]
    assert found == sorted(found)
    assert "12 days late" in text and "keeps MEASURE 2.7 at level 1" in text
    assert "Sign off MEASURE 2.7" not in text  # A red reason blocks the sign-off.
    assert f"/t/acme/inbox/items/evidence-review.{year_of_work['pending']}/open" in section_links(
        reply, "waits"
    )
    assert (
        BeautifulSoup(reply.text, "html.parser")
        .select_one(".c-waits[href='/t/acme/inbox/'] b")
        .get_text()
        == "3"
    )


def test_nobody_reviews_or_signs_their_own(app, year_of_work):
    from tests.conftest import visitor

    text = section_text(visitor(app, "reviewer").get(""), "waits")
    assert "Review" not in text and "Sign off" not in text
    assert "Assign an owner to overdue penetration test report" in text


def test_a_returned_conclusion_waits_for_its_assessor(app, acting, year_of_work):
    from tests.conftest import visitor

    with acting("compliance_officer"):
        conclusion_actions.return_conclusion(
            assessment_queries.item(year_of_work["items"]["GOVERN 1.6"]),
            revision=1,
            reason="Which systems does it cover?",
        )
    assert (
        "Revise the conclusion on GOVERN 1.6 Returned: Which systems does it cover?"
        in section_text(visitor(app, "reviewer").get(""), "waits")
    )


def test_what_another_one_is_late_with_is_asked_for(as_officer, acting, year_of_work):
    with acting("compliance_officer"):
        evidencing.assign(
            evidence.find_evidence(year_of_work["pieces"]["TST-02"]), make.person_id("contributor")
        )
    assert "Follow up with Anna Rossi on the overdue penetration test report" in section_text(
        as_officer.get(""), "waits"
    )


def test_a_contributor_sees_their_own_work_first(as_contributor, year_of_work):
    reply = as_contributor.get("")
    text = main_text(reply)
    assert text.index("2 items need you") < text.index("12 months")
    waits = section_text(reply, "waits")
    assert "Upload interview notes EV-0004 Mon 30 Nov" in waits
    assert "Raise MAP 1.1 from level 0 to 3 Below its target in Q4 2026" in waits
    assert "Assign" not in waits and "Generate report" not in text
    assert (
        f"/t/acme/inbox/items/evidence-upload.{year_of_work['pieces']['TST-04']}/open"
        in section_links(reply, "waits")
    )


@pytest.mark.parametrize("role", ["viewer", "auditor"])
def test_readers_see_the_posture_without_verbs(app, year_of_work, role):
    from tests.conftest import visitor

    reply = visitor(app, role).get("")
    assert (
        page_heading(reply)
        == "1 of 72 requirements proven, 1 fewer than 30 days ago. 2% coverage. No conclusion of Q4"
        " 2026 is signed off yet."
    )
    assert "Gaps that would raise coverage most" in section_text(reply, "waits")
    soup = BeautifulSoup(reply.text, "html.parser")
    assert not soup.main.find_all("form", method="post")
    assert "Generate report" not in main_text(reply) and "Start an" not in section_text(
        reply, "next-report"
    )


def test_an_auditor_reads_pseudonyms(as_auditor, year_of_work):
    text = section_text(as_auditor.get(""), "changes")
    assert "Officer " in text
    assert "Jun Chen" not in text and "Ines Duarte" not in text


# ---- another day


def test_another_day_is_shown_as_it_was_known(as_officer, year_of_work):
    reply = as_officer.get("?as_of=2026-10-20")
    text = main_text(reply)
    assert page_heading(reply) == "2 of 72 requirements proven on 20 October 2026, 3% coverage"
    assert "This is what Meridian knew at the end of that day." in reply.text
    assert "recorded a conclusion" not in text and "Generate report" not in text
    assert "0 of 72 conclusions signed off" in text
    assert "Review evidence: Drill record" not in text


def test_before_the_first_day_there_was_nothing(as_officer, year_of_work):
    reply = as_officer.get("?as_of=2020-01-01")
    assert page_heading(reply) == "0 of 72 requirements proven on 1 January 2020, 0% coverage"
    assert "there was no assessment on that day" in main_text(reply)


@pytest.mark.parametrize("day", ["2026-11-25", "2027-01-01", ""])
def test_today_and_later_are_now(as_officer, year_of_work, day):
    assert page_heading(as_officer.get(f"?as_of={day}")).startswith(
        "1 of 72 requirements proven, 1 fewer than"
    )


@pytest.mark.parametrize("day", ["yesterday", "2026-02-30", "2026-13-01", "<b>"])
def test_a_day_that_is_none_is_refused(as_officer, day):
    assert "a date. Enter one such as" in main_text(
        as_officer.get("", query_string={"as_of": day}, then=422)
    )


# ---- an empty tenant, and others


def test_an_empty_tenant_is_told_its_first_steps(as_officer):
    reply = as_officer.get("")
    assert page_heading(reply) == "Next step: adopt a framework"
    assert section_links(reply, "steps") == [
        "/t/acme/frameworks/",
        "/t/acme/controls/",
        "/t/acme/systems/new",
        "/t/acme/evidence/",
        "/t/acme/assessments/new",
    ]
    assert "Done: Invite a second person" in section_text(reply, "steps")


@pytest.mark.parametrize("role", ["viewer", "auditor"])
def test_an_empty_tenant_offers_a_reader_no_steps(app, isolated, role):
    from tests.conftest import visitor

    assert section_links(visitor(app, role).get(""), "steps") == []


def test_a_contributor_is_offered_only_the_step_that_is_theirs(as_contributor):
    assert section_links(as_contributor.get(""), "steps") == ["/t/acme/evidence/"]


def test_an_admin_alone_is_asked_to_invite_a_second_person(as_admin, acting):
    with acting("admin"):
        for each in people.members():
            if each.person_id != make.person_id("admin"):
                member_actions.remove_member(people.membership(each.membership_id))
    assert "/t/acme/settings/members" in section_links(as_admin.get(""), "steps")
    assert "Done: Invite a second person" not in section_text(as_admin.get(""), "steps")


def test_the_steps_go_when_they_are_done(as_officer, acting, year_of_work):
    assert section_links(as_officer.get(""), "steps") == ["/t/acme/systems/new"]
    with acting("admin"):
        systems.register(
            key="claims-triage",
            stage="live",
            name="Claims triage",
            lane="standard",
            purpose="Sorts claims.",
            owner_id=None,
        )
    assert "First steps" not in main_text(as_officer.get(""))


def test_other_tenants_see_nothing_of_it(as_stranger, as_neighbour, client, year_of_work):
    as_stranger.get("", then=404)
    assert "Penetration" not in as_neighbour.get("/t/globex/").text
    client.get("", then=302)
    client.get("/t/nowhere/", then=404)


def test_the_operator_sees_the_tenants_and_nothing_of_theirs(as_operator, year_of_work):
    reply = as_operator.get("/operator/")
    assert page_heading(reply) == "3 tenants, 2 of them customers"
    assert "Acme Insurance acme Customer Frankfurt Standard" in main_text(reply)
    assert "/operator/tenants/new" in reply.text and "Penetration" not in reply.text
    assert as_operator.get("/t/console/", then=302).location.endswith("/operator/")


def test_finance_may_look_but_found_no_tenant(app, isolated):
    from tests.conftest import visitor

    reply = visitor(app, "operator_finance", "console").get("/operator/")
    assert "3 tenants" in page_heading(reply) and "Create tenant" not in main_text(reply)


def test_a_tenant_has_no_operator_page(as_officer):
    assert as_officer.get("/operator/", then=None).status_code in {302, 403, 404}


def test_rows_do_not_cost_statements(as_officer, acting, year_of_work, statements):
    as_officer.get("")
    with statements() as few:
        as_officer.get("")
    with clock.frozen(days_ago(20)), acting("compliance_officer"):
        adoption_actions.adopt()
    with statements() as many:
        as_officer.get("")
    assert len(many) == len(few)


def test_what_is_remembered_never_outlives_a_change(acting, year_of_work):
    with acting(read_only=True):
        before = queries.trend(queries.board())
    with clock.frozen(days_ago(250)), acting("compliance_officer"):
        # Only the demo's clock can record at a past time. None of them has evidence.
        adoption_actions.adopt()
    with acting(read_only=True):
        after = queries.trend(queries.board())
    assert after[-2].shares["all"].reached < before[-2].shares["all"].reached
    assert after[-1].at == NOW
