"""Missed cycles, which a person turns into exceptions like any other."""

import json
import zlib
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, text

from governance.assurance.evidence import queries as evidence
from governance.assurance.testing import matrix_queries
from governance.assurance.testing.models import Finding, TestException
from governance.foundation.audit.models import AuditEntry
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.kernel.safety import visibility_scope as scopes
from tests import make
from tests.assurance.testing import type2_helpers
from tests.conftest import visitor

NOW = datetime(2026, 11, 25, 9, 24, tzinfo=UTC)
RAISED_FORM = {
    "cause": "The supplier cancelled the date",
    "effect": "The third quarter was not tested",
    "correction": "Two tests in the fourth",
}
Q3, Q2 = "2026-09-30", "2026-06-30"


@pytest.fixture(autouse=True)
def fixed_day(app):
    with clock.frozen(NOW):
        yield


@pytest.fixture
def control_with_missed_cycle(isolated):
    """Create SEC-04, a quarterly control that started a year ago and never had evidence."""
    control_id = type2_helpers.create_control("SEC-04", "quarterly")
    with make.acting():
        session().execute(text("UPDATE controls SET created_at = created_at - interval '1 year'"))
    return control_id


def address(control_id):
    return f"evidence/type-ii/{control_id}/missed"


def raise_missed_cycle(who, control_id, day=Q3):
    return who.post(address(control_id), follow=True, occurrence=day, **RAISED_FORM)


def exceptions_on_file():
    with make.acting(read_only=True):
        return session().scalars(select(TestException.id)).one()


def month(control_id, which="2026-09"):
    with make.acting(read_only=True):
        row = matrix_queries.control_row(control_id, *matrix_queries.default_period())
        return row, next(c for c in row.months if f"{c.month:%Y-%m}" == which)


def test_the_cell_of_a_missed_cycle_leads_to_the_form_with_that_cycle(
    as_officer, control_with_missed_cycle
):
    opened = as_officer.get("evidence/type-ii?cell=SEC-04.2026-09")
    assert (
        f"/t/acme/{address(control_with_missed_cycle)}?of={Q3}" in opened.text
        and "Record exception" in opened.text
    )
    assert (
        f"{address(control_with_missed_cycle)}?of={Q2}"
        in as_officer.get(f"evidence/type-ii/{control_with_missed_cycle}").text
    )
    form = as_officer.get(f"{address(control_with_missed_cycle)}?of={Q3}").text
    assert f'selected value="{Q3}"' in form and "Q3 2026" in form and "Q2 2026" in form
    assert "Q4 2026" not in form, "what is not due yet is not missed"


def test_it_is_recorded_with_cause_effect_and_correction_and_told_in_the_log(
    as_auditor, control_with_missed_cycle
):
    page = raise_missed_cycle(as_auditor, control_with_missed_cycle)
    assert (
        "EXC-01" in page.text
        and "as a missed cycle, Q3 2026" in page.text
        and "Not performed for Q3" in page.text
    )
    with make.acting("compliance_officer", read_only=True):
        entry = (
            session()
            .scalars(select(AuditEntry).where(AuditEntry.action == "test.exception.recorded"))
            .one()
        )
        assert entry.facts["missed_to"] == Q3 and entry.facts["control"] == "SEC-04"
        assert {"says", "cause", "effect", "correction"} <= set(entry.sealed)


def test_the_cell_becomes_an_exception_that_explains_itself_and_the_gap_stays(
    as_officer, control_with_missed_cycle
):
    assert month(control_with_missed_cycle)[1].kind == "missed"
    raise_missed_cycle(as_officer, control_with_missed_cycle)
    row, cell = month(control_with_missed_cycle)
    assert (
        cell.kind == "exception"
        and "Recorded as an exception: EXC-01 for Q3." in cell.why
        and not cell.unrecorded
    )
    assert row.exceptions == ("EXC-01",) and "Q3" in row.lacks
    page = as_officer.get("evidence/type-ii?cell=SEC-04.2026-09")
    assert (
        "EXC-01" in page.text and "for SEC-04" in page.text and "Record exception" not in page.text
    )
    assert month(control_with_missed_cycle, "2026-06")[1].kind == "missed"


def test_twice_for_the_same_cycle_is_refused_and_once_for_another_is_not(
    as_officer, control_with_missed_cycle
):
    raise_missed_cycle(as_officer, control_with_missed_cycle)
    again = as_officer.post(
        address(control_with_missed_cycle), then=422, occurrence=Q3, **RAISED_FORM
    )
    assert "Q3 is already recorded as EXC-01" in again.text
    assert "EXC-02" in raise_missed_cycle(as_officer, control_with_missed_cycle, Q2).text


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ({"occurrence": "2026-12-31"}, "Choose a cycle that was missed"),
        ({"occurrence": "2026-09-29"}, "Choose a cycle that was missed"),
        ({"occurrence": "9" * 40}, "Choose a cycle that was missed"),
        ({"occurrence": ""}, "Choose the cycle that was missed."),
        ({"cause": " "}, "Enter the cause, the effect and the correction"),
        ({"effect": ""}, "Describe the effect"),
        ({"correction": "x" * 2001}, "2000"),
    ],
)
def test_what_is_not_missed_or_not_explained_is_refused(
    as_officer, control_with_missed_cycle, form, says
):
    page = as_officer.post(
        address(control_with_missed_cycle), then=422, **{"occurrence": Q3} | RAISED_FORM | form
    )
    assert says in page.text
    with make.acting(read_only=True):
        assert not session().scalars(select(TestException.id)).all()


def test_a_control_that_follows_events_misses_no_cycle(as_officer, isolated):
    control_id = type2_helpers.create_control()
    assert "No missed cycles to record" in as_officer.get(address(control_id)).text
    as_officer.post(address(control_id), then=422, occurrence=Q3, **RAISED_FORM)


@pytest.mark.parametrize("role", ["contributor", "viewer"])
def test_who_does_not_test_records_nothing(app, control_with_missed_cycle, role):
    who = visitor(app, role)
    assert "Record exception" not in who.get("evidence/type-ii?cell=SEC-04.2026-09").text
    who.get(address(control_with_missed_cycle), then=403)
    who.post(address(control_with_missed_cycle), then=403, occurrence=Q3, **RAISED_FORM)


def test_an_auditor_records_it_only_within_their_engagement_and_its_window(
    as_auditor, control_with_missed_cycle
):
    def scope(controls, **more):
        days = NOW.date() - timedelta(days=364), NOW.date()
        return type2_helpers.auditors_see(scopes.Scope(frozenset(controls), *days, **more))

    with scope([]):
        as_auditor.get(address(control_with_missed_cycle), then=404)
    with scope([control_with_missed_cycle], open=False, says="Fieldwork begins on 7 December."):
        as_auditor.post(address(control_with_missed_cycle), then=403, occurrence=Q3, **RAISED_FORM)
    with scope([control_with_missed_cycle]):
        assert "EXC-01" in raise_missed_cycle(as_auditor, control_with_missed_cycle).text


def test_another_tenant_has_no_such_cycle(as_neighbour, control_with_missed_cycle):
    as_neighbour.get(f"/t/globex/{address(control_with_missed_cycle)}", then=404)
    as_neighbour.post(
        f"/t/globex/{address(control_with_missed_cycle)}", then=404, occurrence=Q3, **RAISED_FORM
    )


def test_it_goes_the_whole_way_response_finding_repair_retest_closed(
    as_officer, as_contributor, as_auditor, control_with_missed_cycle
):
    raise_missed_cycle(as_auditor, control_with_missed_cycle)
    page = f"evidence/type-ii/exceptions/{exceptions_on_file()}"
    shown = as_officer.get(page)
    assert RAISED_FORM["cause"] in shown.text and "Open" in shown.text
    as_officer.post(
        page, **RAISED_FORM, response="We book two dates a quarter from now on", version="1"
    )
    assert "Response recorded" in as_officer.get(page).text
    due = str(NOW.date() + timedelta(days=20))
    as_officer.post(
        f"{page}/finding",
        title="One date, no second",
        plan="Book two",
        owner_id=str(make.person_id("contributor")),
        due_on=due,
    )
    with make.acting(read_only=True):
        finding = session().scalars(select(Finding.id)).one()
    as_contributor.post(
        f"evidence/type-ii/findings/{finding}/remedy", remedy="Two dates are booked"
    )
    tried = {
        "tested_on": str(NOW.date()),
        "sample": "1",
        "failed": "0",
        "note": "The report of November is there",
    }
    done = as_auditor.post(f"evidence/type-ii/findings/{finding}/retest", follow=True, **tried)
    assert "Closed, retest passed" in done.text
    assert "missed cycle" in as_auditor.get("evidence/type-ii/exceptions").text
    assert "FND-01" in as_auditor.get("evidence/type-ii/findings").text
    row, cell = month(control_with_missed_cycle)
    assert cell.kind == "exception" and "Q3" in row.lacks, (
        "a missed cycle stays an exception even if it is repaired"
    )


def test_the_type_two_report_and_the_package_list_it_by_its_cycle(
    as_officer, control_with_missed_cycle
):
    from governance.assurance.engagements import queries as engagements
    from governance.assurance.engagements.packages import contents as package_contents
    from governance.publishing.reports.type2.attachments import exceptions_csv
    from governance.publishing.reports.type2.snapshot import snapshot

    raise_missed_cycle(as_officer, control_with_missed_cycle)
    with make.acting(read_only=True):
        frozen = snapshot(NOW.date().replace(year=2025, month=12, day=1), NOW.date())
        (case,) = frozen["exceptions"]
        assert (case["ref"], case["control"], case["item"], case["state"]) == (
            "EXC-01",
            "SEC-04",
            "Q3 2026",
            "open",
        )
        assert b"Q3 2026" in exceptions_csv(frozen)
        early = snapshot(
            NOW.date().replace(year=2026, month=1, day=1), NOW.date().replace(month=8, day=31)
        )
        assert early["exceptions"] == []
        engagement = engagements.engagements()[0]
        index: dict = {}
        made = package_contents._testing(engagement, {control_with_missed_cycle}, index)
        assert json.loads(zlib.decompress(made["testing/exceptions.json"]))[0]["item"] == "Q3 2026"


def test_evidence_that_was_there_in_time_and_is_accepted_later_ends_the_miss_and_keeps_the_record(
    as_officer, control_with_missed_cycle
):
    from governance.assurance.evidence import version_actions
    from tests.assurance.evidence import evidence_helpers

    piece = evidence_helpers.create_evidence(supports=[control_with_missed_cycle])
    day = NOW.date().replace(month=9, day=30)
    with clock.frozen(NOW.replace(month=10, day=2)), make.acting("reviewer"):
        version = version_actions.link_version(
            evidence.find_evidence(piece),
            "https://files.acme.example/q3",
            collected_on=day,
            period_from=day.replace(month=7, day=1),
            period_to=day,
            valid_until=day + timedelta(days=120),
        ).id
    raise_missed_cycle(as_officer, control_with_missed_cycle)
    with make.acting("compliance_officer"):
        version_actions.accept(*evidence.find_version(version))
    row, cell = month(control_with_missed_cycle)
    assert cell.kind == "performed" and "Q3" not in row.lacks and row.exceptions == ()
    assert "EXC-01" in as_officer.get("evidence/type-ii/exceptions").text
