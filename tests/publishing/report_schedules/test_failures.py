"""Scheduled reports that aren't generated: one notification, and the state on the page."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from governance.foundation.audit.models import AuditEntry
from governance.foundation.notifications.models import Notification
from governance.foundation.people.jobs import actor_of
from governance.foundation.people.models import Membership
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.kernel.work import jobs
from governance.publishing.report_schedules.models import ReportSchedule
from governance.publishing.reports.models import ReportRun
from tests import make
from tests.assurance.frameworks.framework_files import main_text
from tests.conftest import visitor
from tests.publishing.report_schedules.schedule_helpers import (
    DECEMBER,
    PAGE,
    entries,
    generated,
    scheduled,
    start_assessment,
)

HOUR = timedelta(hours=1)
FAILED = "report_schedule.report.failed"
NO_ASSESSMENT = "needs an assessment of the NIST AI RMF"
NO_FRAMEWORK = "This framework doesn't exist"


def told():
    """Return the words and the path of each notification."""
    n = Notification
    with make.acting("admin", read_only=True):
        query = select(n.person_id, n.says, n.title, n.path).where(n.kind == "report_failure")
        rows = session().execute(query.order_by(n.created_at, n.id))
        return [(row.person_id, f"{row.says} {row.title}", row.path) for row in rows]


def page_at(app, at=DECEMBER):
    with clock.frozen(at):
        return main_text(visitor(app, "compliance_officer").get(PAGE))


def change(model, **values):
    """Cause a failure by a change that no page makes."""
    with make.acting("admin"):
        session().execute(update(model).values(**values))


def work_fails(at):
    """Run the hourly job, let its work fail, and run the hourly job again."""
    [report] = generated(at)
    change(ReportRun, parameters=report.parameters | {"framework": "gone"})
    with clock.frozen(at):
        jobs.drain(actor_of)
    generated(at + HOUR)
    return report


# ---- requests that fail


def test_who_scheduled_a_report_that_has_no_assessment_is_told_once_for_each_period(as_officer):
    scheduled(as_officer, "viewer", kind="ai-rmf")
    for hours in range(3):
        assert generated(DECEMBER + hours * HOUR) == []
    officer = make.person_id("compliance_officer")
    november = "couldn't generate the report for November 2026: AI RMF compliance"
    assert told() == [(officer, november, "reports/schedules/")]
    assert entries(FAILED) == 1
    for hours in range(3):
        generated(datetime(2027, 1, 1, hours, 17, tzinfo=UTC))
    december = november.replace("November", "December")
    assert [what for _, what, _ in told()] == [november, december]


def test_the_page_shows_the_day_the_reason_and_what_to_do_until_the_report_is_generated(
    as_officer, app
):
    scheduled(as_officer, kind="ai-rmf")
    assert "Failed" not in page_at(app)  # Due, and not tried yet.
    generated()
    page = page_at(app)
    assert "Failed on 1 Dec 2026" in page and NO_ASSESSMENT in page
    assert "Meridian tries again every hour" in page
    with clock.frozen(DECEMBER):
        start_assessment()
    generated(DECEMBER + HOUR)
    assert "Failed" not in page_at(app, DECEMBER + HOUR)


def test_the_log_says_which_report_failed_and_why(as_officer):
    scheduled(as_officer, kind="ai-rmf")
    generated()
    with make.acting("admin", read_only=True):
        facts = session().scalars(select(AuditEntry.facts).where(AuditEntry.action == FAILED)).one()
    assert facts["period"] == "November 2026" and NO_ASSESSMENT in facts["cause"]


def test_a_mail_says_what_failed_and_links_to_the_schedules(as_officer):
    scheduled(as_officer, kind="ai-rmf")
    generated()
    [mail] = failure_mails()
    assert mail["subject"] == (
        "Meridian couldn't generate the report for November 2026: AI RMF compliance"
    )
    assert "/t/acme/reports/schedules/" in mail["body"]


def failure_mails():
    with make.acting("admin", read_only=True):
        query = select(jobs.WorkItem.params).where(jobs.WorkItem.kind == "mail")
        found = session().scalars(query).all()
        return [each for each in found if "couldn't generate" in each["subject"]]


@pytest.mark.parametrize(
    "change_of_role",
    [{"ended_at": datetime(2026, 11, 30, tzinfo=UTC)}, {"role": "viewer"}, {"role": "auditor"}],
    ids=["left", "viewer", "auditor"],
)
def test_the_admins_are_told_when_who_scheduled_it_left_or_may_no_longer(
    as_officer, change_of_role
):
    scheduled(as_officer, "viewer", kind="ai-rmf")
    with make.acting("admin"):
        theirs = Membership.person_id == make.person_id("compliance_officer")
        session().execute(update(Membership).where(theirs).values(**change_of_role))
    generated()
    assert [who for who, _, _ in told()] == [make.person_id("admin")]


def test_a_framework_that_is_gone_is_told_and_the_page_still_opens(as_officer, app):
    scheduled(as_officer, kind="type-ii-matrix")
    change(ReportSchedule, parameters={"framework": "gone"})
    generated()
    page = page_at(app)
    assert "Type II evidence matrix: gone" in page and NO_FRAMEWORK in page
    assert [what for _, what, _ in told()] == [
        "couldn't generate the report for November 2026: Type II evidence matrix: gone"
    ]


def test_a_fault_of_meridian_is_told_and_keeps_no_other_schedule_waiting(as_officer, app):
    scheduled(as_officer, kind="soc2-readiness", categories="security")
    change(ReportSchedule, parameters={})
    scheduled(as_officer)
    [report] = generated()
    assert report.kind == "policy-attestation"
    assert "Something went wrong in Meridian" in page_at(app) and len(told()) == 1


# ---- work that fails


def test_a_report_whose_work_failed_is_told_once_and_shown_until_it_is_generated(as_officer, app):
    scheduled(as_officer, kind="type-ii-matrix")
    report = work_fails(DECEMBER)
    generated(DECEMBER + 2 * HOUR)
    [(who, what, path)] = told()
    assert who == make.person_id("compliance_officer")
    assert what == "couldn't generate the report for November 2026: Type II evidence matrix"
    assert path == f"reports/{report.id}" and entries(FAILED) == 1
    page = page_at(app)
    assert "Failed on 1 Dec 2026" in page and NO_FRAMEWORK in page
    assert "December 2026 on 1 Jan 2027" in page
    change(ReportRun, parameters=report.parameters)
    with clock.frozen(DECEMBER + 3 * HOUR):
        visitor(app, "compliance_officer").post(f"reports/{report.id}/again")
    page = page_at(app, DECEMBER + 3 * HOUR)
    assert "Failed" not in page and "November 2026" in page


def test_the_report_that_an_ended_schedule_had_requested_is_told_too(as_officer):
    scheduled(as_officer, kind="type-ii-matrix")
    generated()
    change(ReportSchedule, ended_at=DECEMBER)
    work_fails(DECEMBER)
    assert len(told()) == 1


def test_what_one_tenant_could_not_generate_is_told_to_nobody_else(as_officer, as_neighbour):
    scheduled(as_officer, kind="ai-rmf")
    generated()
    with make.acting("admin", "globex", read_only=True):
        n = Notification
        assert session().scalars(select(n).where(n.kind == "report_failure")).all() == []
    assert "AI RMF" not in main_text(as_neighbour.get(PAGE)).partition("Schedule a report")[0]
