"""The calendar feed: valid for other programs, secret, and stable while nothing changes."""

from datetime import UTC, timedelta
from urllib.parse import urlsplit

import pytest
from bs4 import BeautifulSoup
from dateutil.rrule import rrulestr
from icalendar import Calendar, vText

from governance.kernel import clock
from governance.kernel.web.bearer import digest
from governance.operations.maintenance import actions, feed_actions, queries
from governance.operations.maintenance.recurrence import occurrences
from tests.operations.maintenance.conftest import at, planned


@pytest.fixture
def address(as_admin):
    """Return the path of acme's feed, created by its admin."""
    page = as_admin.post("reliability/maintenance/feed", then=201).text
    start = page.index("http://localhost/feeds/")
    return urlsplit(page[start : page.index("maintenance.ics", start)] + "maintenance.ics").path


def read(client, address):
    reply = client.get(address)
    assert reply.content_type == "text/calendar; charset=utf-8"
    return Calendar.from_ical(reply.data)


def test_a_calendar_program_reads_times_zones_and_rules(client, address, announced, acting):
    single = announced(at(29, 1))
    series = announced(at(29, 12), title="Weekly; patch, all", rrule="FREQ=WEEKLY;COUNT=20")
    announced(at(30, 1), is_customer_visible=False)
    announced(at(20, 1))  # It awaits approval.
    feed = read(client, address)
    assert feed["version"] == "2.0" and feed["prodid"]
    events = {str(e["uid"]).partition("@")[0]: e for e in feed.walk("VEVENT")}
    assert set(events) == {str(single), str(series)}
    event = events[str(single)]
    assert event["dtstart"].dt == at(29, 1) and event["dtend"].dt == at(29, 3)
    assert event["dtstamp"].dt.tzinfo is not None and str(event["status"]) == "CONFIRMED"
    [zone] = feed.walk("VTIMEZONE")
    assert str(zone["tzid"]) == "Europe/Berlin"
    event = events[str(series)]
    assert str(event["summary"]) == "Weekly; patch, all (All systems)"
    start = event["dtstart"].dt
    assert event["dtstart"].params["tzid"] == "Europe/Berlin" and start == at(29, 12)
    rule = event["rrule"].to_ical().decode()
    local = [
        each.replace(tzinfo=start.tzinfo).astimezone(UTC)
        for each in rrulestr(rule, dtstart=start.replace(tzinfo=None))
    ]
    with acting(read_only=True):
        own = [e.start for e in occurrences(queries.series_of(queries.exclusion(series)))]
    assert local == own and len(own) == 20 and own[0].hour == 12 and own[-1].hour == 11


def test_every_line_is_short_and_ends_as_the_standard_says(client, address, announced):
    announced(at(29, 1), title="Größere Wartung der Übertragung " * 3)
    content = client.get(address).data
    lines = content.split(b"\r\n")
    assert lines[0] == b"BEGIN:VCALENDAR" and lines[-2:] == [b"END:VCALENDAR", b""]
    assert all(len(line) <= 75 for line in lines) and b"\n" not in content.replace(b"\r\n", b"")


HOSTILE = "Fix\r\nEND:VEVENT\r\nATTACH:x\rY\x0b\x85\u2028\u202e, a;b\\nc\\"


def test_a_title_with_line_ends_adds_no_line(client, address, as_officer):
    times = {"starts_at": "2026-11-29T01:00", "ends_at": "2026-11-29T02:00"}
    as_officer.post(
        "reliability/maintenance/new",
        title=HOSTILE,
        category="maintenance",
        reason="x\r\nATTACH:y",
        is_customer_visible="y",
        **times,
    )
    content = client.get(address).data.decode()
    assert "\nATTACH" not in content.replace("\r\n ", "") and "\u202e" not in content
    [event] = Calendar.from_ical(content).walk("VEVENT")
    shown = "Fix END:VEVENT ATTACH:x Y , a;b\\nc\\ (All systems)"
    assert str(event["summary"]) == shown and "attach" not in event


@pytest.mark.parametrize(
    "name", ["Smith, Wesson; Sons", "Back\\nslash", "Größe " * 15 + "Größe", "x\r\nMETHOD:PUBLISH"]
)
def test_the_tenants_name_is_escaped_in_the_name_of_its_calendar(client, address, as_admin, name):
    shown = as_admin.get("settings/").text
    mark = BeautifulSoup(shown, "html.parser").find("input", {"name": "mark"})["value"]
    rest = {"region": "EU", "time_zone": "Europe/Berlin", "classification": "Internal"}
    as_admin.post("settings/", name=name, mark=mark, **rest)
    reply = client.get(address)
    lines = reply.text.replace("\r\n ", "").split("\r\n")
    [line] = [each for each in lines if each.startswith("X-WR-CALNAME:")]
    escaped = vText(f"Maintenance, {' '.join(name.split())}").to_ical().decode()
    assert line == f"X-WR-CALNAME:{escaped}"
    assert line.count(",") == line.count("\\,") and line.count(";") == line.count("\\;")
    assert all(len(each.encode()) <= 75 for each in reply.text.split("\r\n"))


def test_a_withdrawn_one_is_cancelled_under_the_same_uid(client, address, announced, acting):
    made = announced(at(29, 1))
    [before] = read(client, address).walk("VEVENT")
    with acting():
        actions.withdraw(queries.exclusion(made), reason="Not needed.")
    [after] = read(client, address).walk("VEVENT")
    assert after["uid"] == before["uid"] and str(after["status"]) == "CANCELLED"
    assert after["sequence"] > before["sequence"]


def test_a_series_that_was_ended_has_an_until(client, address, announced, acting):
    made = announced(at(28, 1), rrule="FREQ=DAILY;COUNT=30")
    with clock.frozen(at(29, 2)), acting():
        actions.end_series(queries.exclusion(made))
    [event] = read(client, address).walk("VEVENT")
    assert "COUNT" not in event["rrule"] and event["rrule"]["UNTIL"] == [at(29, 2)]


def test_an_unchanged_feed_is_not_sent_again(client, address, announced, acting):
    made = announced(at(29, 1))
    first = client.get(address)
    tag = first.headers["ETag"]
    with clock.frozen(clock.now() + timedelta(hours=1)):
        client.get(address, then=304, headers={"If-None-Match": tag})
    with acting():
        actions.change(queries.exclusion(made), planned(at(29, 1), title="Renamed"), seen=1)
    assert client.get(address, headers={"If-None-Match": tag}).headers["ETag"] != tag


def test_an_old_or_a_foreign_or_a_malformed_token_is_not_found(
    client, address, as_officer, as_auditor, as_contributor, announced, acting
):
    announced(at(29, 1))
    token = address.split("/")[2]
    client.get(address)
    for wrong in (
        token.replace("cal_acme_", "cal_globex_"),
        token.replace("cal_acme_", "cal_nobody_"),
        token[:-1] + ("A" if token[-1] != "A" else "B"),
        token + "A",
        "x",
        "cal__" + "a" * 43,
    ):
        client.get(f"/feeds/{wrong}/maintenance.ics", then=404)
    for visitor in (as_auditor, as_contributor):
        visitor.post("reliability/maintenance/feed", then=403)
    as_officer.get("reliability/maintenance/feed")
    as_officer.post("reliability/maintenance/feed", then=201)
    client.get(address, then=404)
    with acting("admin", "globex"):
        other = feed_actions.rotate()
    assert "Database upgrade" not in client.get(f"/feeds/{other}/maintenance.ics").text


def test_only_the_hash_of_a_token_is_stored(address, acting, as_officer):
    token = address.split("/")[2]
    with acting(read_only=True):
        feed = queries.feed()
        assert feed.token_hash == digest(token) and token.endswith(feed.hint)
    assert token not in as_officer.get("reliability/maintenance/").text
