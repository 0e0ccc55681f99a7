"""Scheduled reports: once each month or quarter, for the chosen people, by a link."""

import threading
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from governance.foundation.notifications.models import Notification
from governance.foundation.people.jobs import actor_of
from governance.foundation.people.models import Membership
from governance.foundation.people.preferences import Preferences
from governance.foundation.tenants.system_actor import system_actor_in
from governance.kernel import clock, current
from governance.kernel.data.db import session, transaction
from governance.kernel.work import jobs
from governance.kernel.work.jobs import WorkItem
from governance.publishing.report_schedules import actions, queries
from governance.publishing.report_schedules.models import ReportSchedule, ScheduledReport
from governance.publishing.report_schedules.periods import ended_periods, period_of
from governance.publishing.reports.events import ReportGenerated
from tests import make
from tests.assurance.frameworks.framework_files import main_text
from tests.conftest import visitor
from tests.publishing.report_schedules.schedule_helpers import (
    DECEMBER,
    PAGE,
    POLICY,
    entries,
    generated,
    recipients,
    reports,
    scheduled,
    start_assessment,
)
from tests.waiting import MAX_WAIT_SECONDS

# ---- periods


def test_a_period_is_named_as_people_say():
    assert period_of("monthly", date(2026, 11, 25)).title == "November 2026"
    assert period_of("quarterly", date(2026, 11, 25)).title == "Q4 2026"


@given(
    st.sampled_from(["monthly", "quarterly"]),
    st.dates(date(2001, 1, 1), date(2099, 1, 1)),
    st.integers(0, 2000),
)
def test_periods_follow_each_other_without_a_gap_until_the_day(cadence, first, days):
    day = date.fromordinal(first.toordinal() + days)
    found = list(ended_periods(cadence, first, day))
    assert all(b.first == a.due_on for a, b in zip(found, found[1:], strict=False))
    assert all(each.last < day for each in found)
    if found:
        assert found[0].first <= first <= found[0].last
    assert period_of(cadence, found[-1].due_on if found else first).last >= day


# ---- the page


def test_a_scheduled_report_is_listed_with_its_next_date_and_recipients(as_officer):
    scheduled(as_officer, "compliance_officer", "viewer")
    page = main_text(as_officer.get(PAGE))
    assert "Policy attestation Every month" in page
    assert "November 2026 on 1 Dec 2026" in page
    assert "Ines Duarte, Maya Okafor" in page
    assert entries("report_schedule.created") == 1
    assert "Schedules" in as_officer.get("reports/").text


def test_the_same_report_scheduled_twice_is_scheduled_once(as_officer):
    scheduled(as_officer)
    scheduled(as_officer)
    assert entries("report_schedule.created") == 1
    refused = scheduled(as_officer, "viewer", then=422)
    assert "This report is scheduled already" in refused.text


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"kind": "board-summary"}, ""),
        ({"cadence": "daily"}, ""),
        ({"kind": "soc2-readiness"}, "Choose at least one category."),
        ({"recipients": []}, "Choose at least one person."),
        ({"recipients": ["not-an-id"]}, ""),
    ],
)
def test_a_schedule_that_makes_no_sense_is_refused(as_officer, fields, sentence):
    sent = POLICY | {"recipients": recipients("viewer")} | fields
    assert sentence in as_officer.post(PAGE, then=422, **sent).text
    assert entries("report_schedule.created") == 0


@pytest.mark.parametrize("person", ["auditor", "stranger"])
def test_only_members_who_read_all_reports_receive_one(as_officer, person):
    """Exclude auditors, who get reports through the engagement, and people of other tenants."""
    who = (
        make.person_id("auditor")
        if person == "auditor"
        else make.person_id("compliance_officer", "globex")
    )
    as_officer.post(PAGE, then=422, **POLICY, recipients=[str(who)])
    assert entries("report_schedule.created") == 0


def test_who_reads_reports_alone_schedules_none(as_viewer, as_contributor):
    for each in (as_viewer, as_contributor):
        each.get(PAGE, then=403)
        each.post(PAGE, then=403, **POLICY, recipients=recipients("viewer"))
        assert "Schedules" not in each.get("reports/").text


def test_an_ended_schedule_generates_nothing_and_is_ended_once(as_officer):
    scheduled(as_officer)
    with make.acting("admin", read_only=True):
        [found] = queries.active_ids()
    for _ in range(2):
        as_officer.post(f"{PAGE}{found}/end")
    assert entries("report_schedule.ended") == 1
    assert generated() == []
    assert "No scheduled reports yet" in as_officer.get(PAGE).text


def test_a_stranger_finds_no_schedule(as_officer, as_stranger):
    scheduled(as_officer)
    with make.acting("admin", read_only=True):
        [found] = queries.active_ids()
    as_stranger.post(f"{PAGE}{found}/end", then=404)


# ---- generating


def test_nothing_is_generated_before_the_month_has_ended(as_officer):
    scheduled(as_officer)
    assert generated(datetime(2026, 11, 30, 23, 59, tzinfo=UTC)) == []


def test_each_month_has_one_report_however_often_the_job_runs(as_officer):
    scheduled(as_officer)
    generated()
    [report] = generated()
    assert report.title == "Policy attestation, 1 November 2026 to 30 November 2026"
    assert report.requested_by is None
    page = main_text(as_officer.get(PAGE))
    assert "December 2026 on 1 Jan 2027" in page and "November 2026" in page


def test_months_that_passed_while_nothing_ran_are_made_up_for(as_officer):
    scheduled(as_officer)
    made = generated(datetime(2027, 2, 3, 9, tzinfo=UTC))
    assert [each.parameters["from"] for each in made] == ["2026-11-01", "2026-12-01", "2027-01-01"]


def test_a_quarter_is_reported_whole(as_officer):
    scheduled(as_officer, kind="type-ii-matrix", cadence="quarterly")
    [report] = generated(datetime(2027, 1, 1, 1, tzinfo=UTC))
    assert (report.parameters["from"], report.parameters["to"]) == ("2026-10-01", "2026-12-31")


def test_readiness_is_of_the_last_day_and_the_categories_chosen(as_officer):
    scheduled(as_officer, kind="soc2-readiness", categories=["security", "privacy"])
    [report] = generated()
    assert report.parameters["to"] == "2026-11-30"
    assert report.parameters["categories"] == ["security", "privacy"]


def test_what_a_person_requested_and_may_cancel_is_not_the_scheduled_report(as_officer, app):
    scheduled(as_officer, kind="soc2-readiness", categories=["security"])
    with clock.frozen(DECEMBER):
        by_hand = {"categories": ["security"], "on": "2026-11-30"}
        visitor(app, "compliance_officer").post("reports/readiness", **by_hand)
    [requested] = generated()
    assert requested.requested_by == make.person_id("compliance_officer")
    with clock.frozen(DECEMBER):
        visitor(app, "compliance_officer").post(f"reports/{requested.id}/cancel")
    _, own = generated(DECEMBER + timedelta(hours=1))
    assert own.requested_by is None and own.parameters == requested.parameters


def test_an_ai_rmf_report_waits_for_an_assessment(as_officer, app):
    scheduled(as_officer, kind="ai-rmf")
    assert generated() == []
    with clock.frozen(DECEMBER):
        page = visitor(app, "compliance_officer").get(PAGE)
        assert "needs an assessment" in page.text
        begun = start_assessment()
    [report] = generated()
    assert report.assessment_id == begun
    assert report.as_of == datetime(2026, 11, 30, 23, 59, 59, tzinfo=UTC)


def test_each_month_has_an_ai_rmf_report_of_its_own_although_another_is_under_way(as_officer):
    assessed = start_assessment()
    scheduled(as_officer, kind="ai-rmf")
    as_officer.post("reports/", assessment_id=str(assessed))
    made = generated(datetime(2027, 1, 3, 9, tzinfo=UTC))
    assert [f"{each.as_of:%Y-%m-%d}" for each in made] == ["2026-11-25", "2026-11-30", "2026-12-31"]


def test_what_is_refused_for_one_schedule_keeps_no_other_waiting(as_officer):
    """Skip a schedule whose framework no longer exists."""
    scheduled(as_officer, kind="type-ii-matrix")
    with make.acting("admin"):
        session().execute(update(ReportSchedule).values(parameters={"framework": "gone"}))
    scheduled(as_officer)
    [report] = generated()
    assert report.kind == "policy-attestation"


def test_the_database_keeps_a_second_report_of_a_period_out(as_officer):
    scheduled(as_officer)
    generated()
    with make.acting("admin"):
        known = session().scalars(select(ScheduledReport)).one()
        again = ScheduledReport(
            schedule_id=known.schedule_id,
            report_run_id=known.report_run_id,
            first_day=known.first_day,
            last_day=known.last_day,
        )
        session().add(again)
        with pytest.raises(IntegrityError):
            session().flush()
        session().rollback()


def test_two_processes_at_the_same_moment_request_one_report(committed_world):
    with make.acting("compliance_officer"):
        made = actions.schedule_report(**POLICY, recipients=[make.person_id("compliance_officer")])
        schedule_id, tenant_id = made.id, current.actor().tenant_id
    start, counts = threading.Barrier(2), []

    def run():
        with clock.frozen(DECEMBER), current.acting_as(system_actor_in(tenant_id, "acme", "Acme")):
            start.wait(MAX_WAIT_SECONDS)
            with transaction():
                counts.append(actions.generate_due(schedule_id))

    both = [threading.Thread(target=run) for _ in range(2)]
    for each in both:
        each.start()
    for each in both:
        each.join(MAX_WAIT_SECONDS)
    assert sorted(counts) == [0, 1]
    assert len([each for each in reports() if each.kind == "policy-attestation"]) == 1


# ---- delivering


@pytest.mark.slow
def test_recipients_get_a_link_when_the_report_is_ready_and_no_file(as_officer, app):
    scheduled(as_officer, "compliance_officer", "viewer", "contributor")
    with make.acting("admin"):
        _prefer("viewer", "app")
        _end("contributor")
    [report] = generated()
    assert mails() == []
    with clock.frozen(DECEMBER):
        jobs.drain(actor_of)
    [mail] = mails()
    assert mail["subject"] == (
        "Meridian generated the report for November 2026:"
        " Policy attestation, 1 November 2026 to 30 November 2026"
    )
    told = {
        make.person_id(role): f"reports/{report.id}" for role in ("compliance_officer", "viewer")
    }
    assert notified() == told
    with clock.frozen(DECEMBER):
        viewer = visitor(app, "viewer")
        assert "the report for November 2026" in viewer.get("notifications/").text
        assert "Meridian, by a schedule" in viewer.get(f"reports/{report.id}").text
        assert "Meridian" in main_text(viewer.get("reports/"))


def _prefer(role, channel):
    session().execute(
        update(Membership)
        .where(Membership.person_id == make.person_id(role))
        .values(preferences=Preferences(channels={"report": channel}).stored())
    )


def _end(role):
    session().execute(
        update(Membership)
        .where(Membership.person_id == make.person_id(role))
        .values(ended_at=clock.now())
    )


def notified():
    """Return the path of each person's notification."""
    n = Notification
    with make.acting("admin", read_only=True):
        rows = session().execute(select(n.person_id, n.path).where(n.kind == "report"))
        return {row.person_id: row.path for row in rows}


def mails():
    with make.acting("admin", read_only=True):
        found = session().scalars(select(WorkItem).where(WorkItem.kind == "mail")).all()
        return [each.params for each in found if "report for" in each.params.get("subject", "")]


def tell(report):
    with make.acting("compliance_officer"):
        actions.tell_recipients(ReportGenerated(report.id, report.title))


def test_the_recipients_of_two_schedules_of_the_same_report_are_told(as_officer):
    for cadence, role in (("monthly", "viewer"), ("quarterly", "contributor")):
        scheduled(as_officer, role, kind="soc2-readiness", categories="security", cadence=cadence)
    november, december = generated(datetime(2027, 1, 1, 1, tzinfo=UTC))
    tell(november)
    assert set(notified()) == {make.person_id("viewer")}
    tell(december)
    assert set(notified()) == {make.person_id("viewer"), make.person_id("contributor")}


def test_a_recipient_who_is_an_auditor_now_is_told_nothing(as_officer):
    scheduled(as_officer, "viewer", "contributor")
    [report] = generated()
    with make.acting("admin"):
        mine = Membership.person_id == make.person_id("viewer")
        session().execute(update(Membership).where(mine).values(role="auditor"))
    tell(report)
    assert set(notified()) == {make.person_id("contributor")}


def test_a_report_that_a_person_requested_is_told_to_nobody(as_officer):
    scheduled(as_officer, "viewer")
    as_officer.post("reports/attestations", span="day", until="2026-11-25")
    [report] = reports()
    tell(report)
    assert mails() == [] and notified() == {}
