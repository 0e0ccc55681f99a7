"""Clocks of an incident: decisions, notices, pauses, reminders, and support by the agreement."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from governance.assurance.incidents import (
    clock_actions,
    deadlines,
    queries,
    reminders,
)
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.kernel.errors import DomainError, Forbidden, Invalid, Stale
from governance.kernel.intervals import Span
from governance.kernel.work.jobs import WorkItem
from tests import make
from tests.assurance.incidents import incident_helpers as incidents

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 25, 9, 36, tzinfo=BERLIN)


def mails() -> list[dict]:
    query = select(WorkItem.params).where(WorkItem.kind == "mail").order_by(WorkItem.created_at)
    return list(session().scalars(query))


def test_a_decision_has_a_person_a_reason_and_a_version(database, acting):
    found = incidents.declare()
    with acting("compliance_officer"):
        each = queries.incident(found)
        with pytest.raises(Invalid, match="doesn't apply"):
            clock_actions.classify(each, "gdpr", applies=False)
        row = clock_actions.classify(each, "gdpr", applies=False, reason="no personal data")
        assert (row.rules_version, row.version) == (2, 1)
        with pytest.raises(Stale):
            clock_actions.classify(each, "gdpr", applies=True, version=0)
        clock_actions.classify(each, "gdpr", applies=True, version=1)
        with pytest.raises(Invalid, match="listed laws"):
            clock_actions.classify(each, "hammurabi", applies=True)
    with acting("contributor"), pytest.raises(Forbidden):
        clock_actions.classify(queries.incident(found), "gdpr", applies=True)


def test_a_notice_ends_its_clock_once(database, acting):
    found = incidents.declare()
    with acting("compliance_officer"):
        each, now = queries.incident(found), clock.now()
        with pytest.raises(DomainError, match="Decide first"):
            clock_actions.record_notice(each, "gdpr", "notification", sent_at=now, recipient="LfDI")
        clock_actions.classify(each, "gdpr", applies=True)
        with pytest.raises(Invalid, match="future"):
            clock_actions.record_notice(
                each,
                "gdpr",
                "notification",
                sent_at=now + timedelta(hours=1),
                recipient="LfDI",
            )
        clock_actions.record_notice(
            each, "gdpr", "notification", sent_at=clock.now(), recipient="LfDI", reference="7/26"
        )
        (met,) = [c for c in deadlines.clocks_of(each) if c.regime == "gdpr"]
        assert (met.state, met.text) == ("met", "sent to LfDI, reference 7/26")
        with pytest.raises(DomainError, match="already"):
            clock_actions.record_notice(
                each, "gdpr", "notification", sent_at=clock.now(), recipient="LfDI"
            )
        with pytest.raises(DomainError, match="so it applies"):
            clock_actions.classify(each, "gdpr", applies=False, reason="none")


def test_the_draft_notice_marks_what_is_unknown_and_can_be_downloaded(
    database, acting, as_officer, as_stranger
):
    system = incidents.register_system()
    found = incidents.declare(systems=[system])
    path = f"incidents/{found}/laws/ai-act"
    as_officer.post(path, applies="yes", variant="serious", version="0")
    page = as_officer.get(f"{path}/report").text
    assert "<mark>Unknown:" in page
    assert "Claims Triage" in page
    file = as_officer.get(f"{path}/report/draft.txt")
    assert "DRAFT REPORT UNDER EU AI ACT, ART. 73" in file.text
    assert "Unknown: number of people" in file.text
    assert "Confirm with counsel" in file.text
    assert as_stranger.get(f"{path}/report/draft.txt", then=404)
    assert as_officer.get(f"{path}/nonsense", then=404)
    assert as_officer.get(f"incidents/{found}/laws/nonsense", then=404)


def test_deciding_on_a_page_and_asking_a_colleague(database, as_officer, as_reviewer):
    found = incidents.declare()
    assert "Decide which laws apply to INC-1" in as_officer.get("inbox/").text
    path = f"incidents/{found}/laws/ai-act"
    reviewer = str(make.person_id("reviewer"))
    as_officer.post(f"{path}/decider", decider_id=reviewer)
    assert "Decide whether EU AI Act, Art. 73 applies" in as_reviewer.get("inbox/").text
    refused = as_reviewer.post(path, then=422, applies="no", reason="", version="1")
    assert "Nothing was decided." in refused.text
    as_reviewer.post(path, applies="no", reason="no serious incident", version="1")
    stale = as_officer.post(path, then=409, applies="yes", variant="death", version="1")
    assert "Someone else decided this meanwhile" in stale.text
    page = as_officer.get(f"incidents/{found}").text
    assert "not applicable: no serious incident" in page


def test_a_notice_that_applies_is_in_the_inbox_until_it_is_recorded(database, as_officer):
    found = incidents.declare()
    as_officer.post(f"incidents/{found}/laws/nis2", applies="yes", version="0")
    inbox = as_officer.get("inbox/").text
    assert "Send the early warning under NIS2, Art. 23 for INC-1" in inbox
    sent_at = f"{clock.now().astimezone(BERLIN):%Y-%m-%dT%H:%M:%S}"
    as_officer.post(
        f"incidents/{found}/laws/nis2/warning", sent_at=sent_at, recipient="BSI", reference="1"
    )
    assert "Send the notification under NIS2" in as_officer.get("inbox/").text


def test_people_are_reminded_before_a_deadline_once(database, acting):
    found = incidents.declare(at=NOW)
    with clock.frozen(NOW + timedelta(hours=2)), acting("admin"):
        assert reminders.remind() == 0
    with clock.frozen(NOW + timedelta(hours=20)), acting("admin"):
        assert reminders.remind() == 2  # NIS2 and CRA are within six hours of their 24.
        assert reminders.remind() == 0
        assert {each["to"] for each in mails()} == {
            "jun.chen@acme.example",
            "officer@acme.example",
        }
        assert queries.incident(found).ref in mails()[0]["subject"]
    with clock.frozen(NOW + timedelta(hours=20)), acting("admin", "globex"):
        assert reminders.remind() == 0


def test_without_an_agreement_there_is_no_support_clock_and_no_result(database, acting):
    found = incidents.declare()
    with acting("admin"):
        clocks = deadlines.clocks_of(queries.incident(found))
        assert {each.kind for each in clocks} == {"statutory"}
        now = clock.now()
        day = timedelta(days=1)
        assert queries.support_results(Span(now - day, now + day)) == {}


def test_a_pause_is_once_and_ends(database, acting):
    found = incidents.declare()
    with acting("reviewer"):
        each = queries.incident(found)
        with pytest.raises(Invalid):
            clock_actions.pause(each, reason="")
        first = clock_actions.pause(each, reason="The customer tests the fix")
        assert clock_actions.pause(each, reason="Again").id == first.id
        clock_actions.resume(each)
        clock_actions.resume(each)
        assert first.ends_at is not None
