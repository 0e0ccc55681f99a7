"""The Maintenance tab: calendar, list, forms and permissions."""

from datetime import timedelta
from uuid import uuid4

import pytest
from bs4 import BeautifulSoup

from governance.kernel import clock
from governance.operations.maintenance import queries
from tests.operations.maintenance.conftest import at
from tests.operations.measurements import measurement_helpers

FORM = {
    "title": "Database upgrade",
    "category": "maintenance",
    "system_id": "",
    "indicator_id": "",
    "starts_at": "2026-11-29T02:00",
    "ends_at": "2026-11-29T04:00",
    "repeats": "",
    "rrule": "",
    "repeat_until": "",
    "reason": "The database needs a new version.",
    "is_customer_visible": "y",
    "verb": "save",
}
HOME = "reliability/maintenance/"


def test_an_officer_announces_maintenance_and_everyone_sees_it_in_the_calendar(
    as_officer, as_viewer, as_neighbour
):
    once = str(uuid4())
    first = as_officer.post(f"{HOME}new", once=once, **FORM)
    assert as_officer.post(f"{HOME}new", once=once, **FORM).location == first.location
    page = as_viewer.get(first.location).text
    assert "Sun 29 Nov 2026, 02:00 to 04:00 CET" in page and "Not needed: announced in time" in page
    assert "3 days before its start" in page
    page = as_viewer.get(HOME).text
    day = BeautifulSoup(page, "html.parser").select_one("td:has(time[datetime='2026-11-29']) a")
    assert " ".join(day.get_text(" ").split()) == "Database upgrade 02:00 to 04:00"
    assert "Next maintenance Sun 29 Nov 2026, 02:00 to 04:00 CET" in page
    assert "maintenance/new" not in page
    assert "Database upgrade" not in as_neighbour.get(HOME).text
    assert "December 2026" in as_viewer.get(f"{HOME}?month=2026-12").text


@pytest.mark.parametrize("month", ["2026-13", "x", "1999-01", "2101-01", "2026-1"])
def test_a_month_that_is_none_is_refused(as_viewer, database, month):
    as_viewer.get(f"{HOME}?month={month}", then=422)


def test_a_series_is_drawn_in_each_week_at_its_local_time(as_officer, database):
    given = {"repeats": "FREQ=WEEKLY", "repeat_until": "2027-04-30"}
    as_officer.post(f"{HOME}new", **{**FORM, **given})
    for month, days in (("2026-12", 5), ("2027-03", 5)):
        page = BeautifulSoup(as_officer.get(f"{HOME}?month={month}").text, "html.parser")
        hours = {a.select_one(".c-cal-hours").get_text() for a in page.select(".c-cal td a")}
        assert len(page.select(".c-cal td a")) == days
        assert hours <= {"02:00 to 04:00", "03:00 to 05:00"}  # 28 March skips 02:00.


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"ends_at": "2026-11-29T01:00"}, "Choose an end after the start."),
        ({"ends_at": "2026-12-09T01:00"}, "lasts 7 days at most"),
        ({"starts_at": "2027-03-28T02:30"}, "The clocks skip this time."),
        ({"starts_at": ""}, "Choose a start."),
        ({"starts_at": "9999-12-31T23:59", "ends_at": "9999-12-31T23:59"}, "Choose a"),
        ({"repeats": "custom"}, "Enter a rule."),
        ({"repeats": "custom", "rrule": "FREQ=SECONDLY;COUNT=2"}, "FREQ can be DAILY"),
        ({"repeats": "custom", "rrule": "FREQ=DAILY;COUNT=1001"}, "COUNT can be 1 to 1,000."),
        ({"repeats": "FREQ=DAILY"}, "the repetition needs an end"),
        ({"repeat_until": "tomorrow"}, "isn’t a date"),
        ({"title": " "}, "Enter a title."),
        ({"reason": ""}, "Enter a reason."),
        ({"category": "vacation"}, "Choose one of the options."),
        ({"system_id": str(uuid4())}, "Choose one of the options."),
    ],
)
def test_bad_input_is_said_beside_its_field(as_officer, database, given, sentence):
    page = as_officer.post(f"{HOME}new", then=422, **{**FORM, **given}).text
    assert sentence.replace("’", "&#39;") in page or sentence in page


def test_the_preview_shows_what_would_be_hidden_and_saves_nothing(as_officer, acting, now):
    indicator = measurement_helpers.defined("downtime", "downtime", name="Approvals down")
    with acting():
        from governance.operations.measurements import actions as measuring

        start = at(25, 10)
        measuring.store(
            [(indicator, start + timedelta(minutes=n), 0 if n < 3 else 5, 5) for n in range(20)]
        )
    times = {"starts_at": "2026-11-25T11:00", "ends_at": "2026-11-25T12:00", "verb": "preview"}
    page = as_officer.post(f"{HOME}new", then=200, **{**FORM, **times}).text
    assert "Another person decides." in page and "3 minutes" in page and "Approvals down" in page
    assert "Database upgrade" in page
    with acting(read_only=True):
        assert queries.page_of({}).rows == []


def test_a_late_one_leads_to_its_approval_which_another_person_gives(
    as_officer, as_reviewer, acting, decide
):
    times = {"starts_at": "2026-11-24T02:00", "ends_at": "2026-11-24T04:00"}
    reply = as_officer.post(f"{HOME}new", **{**FORM, **times})
    assert "/approvals/" in reply.location
    assert "You announced this exclusion" in as_officer.get(reply.location).text
    page = as_reviewer.get(reply.location).text
    assert "Database upgrade" in page and "35 hours after its start" in page
    with acting(read_only=True):
        made = queries.page_of({}).rows[0].id
    decide(made)
    assert "Database upgrade" in as_officer.get(f"{HOME}?state=past").text
    assert "Announced after the fact." in as_officer.get(f"{HOME}{made}").text


def test_editing_shows_what_someone_else_saved(as_officer, as_reviewer, announced):
    made = announced(at(29, 1))
    address = f"{HOME}{made}/edit"
    assert 'value="2026-11-29T02:00"' in as_officer.get(address).text
    as_reviewer.post(address, seen="1", **{**FORM, "title": "Theirs"})
    page = as_officer.post(address, then=409, seen="1", **FORM).text
    assert "Someone else changed MNT-" in page and "Theirs" in page
    as_officer.post(address, seen="2", **FORM)


def test_withdrawing_before_and_after_the_start(as_officer, announced, state_of):
    made = announced(at(29, 1))
    address = f"{HOME}{made}/withdrawal"
    assert "disappears from the calendar" in as_officer.get(address).text
    as_officer.post(address, then=422, reason="")
    as_officer.post(address, reason="Not needed.")
    assert state_of(made) == "withdrawn"
    with clock.frozen(at(20, 1)):
        started = announced(at(25, 11))
    reply = as_officer.post(f"{HOME}{started}/withdrawal", reason="It didn't happen.")
    assert "/approvals/" in reply.location
    assert "Withdrawal requested" in as_officer.get(f"{HOME}{started}").text
    assert state_of(started) == "approved"


def test_a_series_is_ended_by_its_button(as_officer, announced):
    with clock.frozen(at(20, 1)):
        made = announced(at(25, 11), 0.5, rrule="FREQ=DAILY;COUNT=30")
    assert "End repetition" in as_officer.get(f"{HOME}{made}").text
    as_officer.post(f"{HOME}{made}/end-of-series")
    assert "End repetition" not in as_officer.get(f"{HOME}{made}").text


def test_who_only_looks_may_not_change(
    announced, as_viewer, as_contributor, as_auditor, as_stranger, as_neighbour
):
    made = announced(at(29, 1))
    for person in (as_viewer, as_contributor, as_auditor):
        person.get(f"{HOME}{made}")
        person.get(f"{HOME}new", then=403)
        person.post(f"{HOME}{made}/withdrawal", then=403, reason="x")
        person.get(f"{HOME}feed", then=403)
    as_stranger.get(f"{HOME}{made}", then=404)
    for path in ("", "/edit", "/withdrawal"):
        as_neighbour.get(f"{HOME}{made}{path}", then=404)
    as_neighbour.post(f"{HOME}{made}/withdrawal", then=404, reason="x")


def test_the_list_filters(as_officer, announced):
    announced(at(29, 1))
    announced(at(20, 1), title="Emergency patch")
    assert "Emergency patch" in as_officer.get(f"{HOME}?state=proposed&month=2026-01").text
    page = as_officer.get(f"{HOME}?state=coming&month=2026-01").text
    assert "Emergency patch" not in page
    assert "No exclusions match" in as_officer.get(f"{HOME}?q=no-such-word").text
    assert "No exclusions match" in as_officer.get(f"{HOME}?system=nonsense").text
