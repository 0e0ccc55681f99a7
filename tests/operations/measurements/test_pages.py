"""Pages of indicators: the list, a definition of each kind, the minutes of a span, retiring."""

import csv
import io
from datetime import timedelta
from decimal import Decimal

import pytest
from bs4 import BeautifulSoup

from governance.kernel import clock
from governance.operations.measurements import actions, queries
from tests import make
from tests.operations.measurements.measurement_helpers import (
    MINUTE,
    NOW,
    Machine,
    defined,
    system_of,
)

INDEX = "reliability/indicators/"


@pytest.fixture(autouse=True)
def _now():
    with clock.frozen(NOW):
        yield


@pytest.fixture
def system_id(database):
    with make.acting("compliance_officer"):
        return system_of().id


def store(indicator_id, *minutes, slug="acme"):
    with make.acting("admin", slug):
        actions.store([(indicator_id, NOW - n * MINUTE, good, total) for n, good, total in minutes])


# ---- the list


def test_an_empty_list_tells_what_will_appear(as_admin, as_viewer):
    page = as_admin.get(INDEX)
    assert "No indicators yet" in page.text and "Define indicator" in page.text
    assert "Define indicator" not in as_viewer.get(INDEX).text


def test_the_list_shows_the_last_minute_and_the_coverage(as_viewer):
    one = defined("availability")
    defined("latency", "threshold", vendor="Provider One")
    defined("theirs", slug="globex")
    store(one, *((n, 1, 1) for n in range(1, 1009)))
    page = as_viewer.get(INDEX)
    text = page.text
    assert "2 indicators measured" in text and "Provider One" in text and "theirs" not in text
    assert "10%" in text and "1 minute ago" in text and "no data yet" in text
    assert "latency" not in as_viewer.get(f"{INDEX}?q=avail").text.split("</thead>")[1]
    assert "availability" not in as_viewer.get(f"{INDEX}?kind=threshold").text.split("</thead>")[1]


# ---- definitions


def form_of(system, **changed):
    return {
        "name": "Claims availability",
        "key": "claims-availability",
        "system_id": str(system),
        "feature": "",
        "kind": "ratio",
        "unit": "requests",
        "bound": "",
        "bound_unit": "",
        "good_side": "at_most",
        "min_requests": "",
        "floor": "",
        "vendor": "",
        "source": "push",
    } | changed


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({}, "Counts good and total requests."),
        (
            {"kind": "threshold", "bound": "0.50", "bound_unit": "s"},
            "good ones have at most 0.5 s.",
        ),
        (
            {
                "kind": "threshold",
                "unit": "answers",
                "bound": "20",
                "bound_unit": "tokens/s",
                "good_side": "more_than",
            },
            "Counts answers; good ones have more than 20 tokens/s.",
        ),
        (
            {"kind": "downtime", "min_requests": "3"},
            "A minute is down when 3 or more requests arrive and none is good.",
        ),
        (
            {"kind": "downtime", "min_requests": "3", "floor": "99.5"},
            "when 3 or more requests arrive and less than 99.5% of them are good.",
        ),
    ],
)
def test_each_kind_is_defined_by_the_form_and_recorded(as_officer, system_id, changed, sentence):
    page = as_officer.post("reliability/indicators/new", then=303, **form_of(system_id, **changed))
    assert page.headers["Location"].endswith("/reliability/indicators/claims-availability")
    text = as_officer.get("reliability/indicators/claims-availability").text
    assert sentence in text and "defined an indicator" in text


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"key": "Claims"}, "3 to 64 lowercase letters"),
        ({"key": "taken"}, "already has the slug"),
        ({"name": " "}, "Enter a name."),
        ({"unit": ""}, "Enter what it counts"),
        ({"system_id": ""}, "Choose an AI system."),
        ({"feature": "nothing"}, "has no feature nothing"),
        ({"kind": "threshold"}, "Enter the bound"),
        ({"kind": "threshold", "bound": "1"}, "Enter the unit of the bound"),
        ({"kind": "threshold", "bound": "NaN", "bound_unit": "s"}, "Enter a number such as 0.5."),
        ({"kind": "threshold", "bound": "1e999999", "bound_unit": "s"}, "Enter a number"),
        ({"kind": "threshold", "bound": "half", "bound_unit": "s"}, "Enter a number"),
        ({"kind": "downtime", "min_requests": "0"}, "at least 1 request"),
        ({"kind": "downtime", "floor": "100.1"}, "from 0% to 100%"),
        ({"kind": "downtime", "floor": "-1"}, "from 0% to 100%"),
        ({"kind": "nothing"}, "Choose one of the list."),
        ({"name": "\u200b\u202e"}, "Enter a name."),
        ({"source": "nothing"}, "Choose one of the list."),
    ],
)
def test_a_definition_that_is_wrong_says_what_to_enter(as_officer, system_id, changed, error):
    defined("taken")
    page = as_officer.post("reliability/indicators/new", then=422, **form_of(system_id, **changed))
    assert error in page.text
    with make.acting("admin"):
        assert [each.key for each in queries.live_indicators()] == ["taken"]


def test_another_tenants_system_is_no_choice(as_officer, database):
    with make.acting("compliance_officer", "globex"):
        theirs = system_of().id
    as_officer.post("reliability/indicators/new", then=422, **form_of(theirs))


def test_only_those_who_may_define_and_retire(as_contributor, as_viewer, as_auditor, system_id):
    mine = defined()
    for visitor in (as_contributor, as_viewer, as_auditor):
        visitor.post("reliability/indicators/new", then=403, **form_of(system_id))
        visitor.post(f"reliability/indicators/{mine}/retire", then=403, reason="Why not")
        assert "Retire…" not in visitor.get(f"{INDEX}availability").text


# ---- one indicator


def test_the_page_opens_at_a_span_with_its_gaps(as_viewer):
    mine = defined("down", "downtime", min_requests=3, floor=Decimal("0.5"))
    store(mine, *((n, 3, 3) for n in range(1, 31)), *((n, 0, 3) for n in range(40, 101)))
    page = as_viewer.get(f"{INDEX}down?from=2026-11-25T10:00Z&to=2026-11-25T12:00")
    text = page.text
    assert "75.8% of the minutes have data" in text and "61 of 91 minutes down" in text
    assert "2 gaps" in text and "9 minutes" in text and "20 minutes" in text
    assert "Down" in text and "Up" in text and "Earlier minutes" in text
    after = BeautifulSoup(text, "html.parser").find("a", rel="next")["href"].split("/t/acme/")[1]
    rest = as_viewer.get(after)
    assert len(BeautifulSoup(rest.text, "html.parser").select("tbody tr[data-row]")) == 31
    assert "60 minutes shown" in text and "31 minutes shown" in rest.text


@pytest.mark.parametrize(
    "query",
    [
        "from=yesterday",
        "from=2026-11-25T12:00&to=2026-11-25T12:00",
        "from=2026-11-25T12:00:30",
        "from=0001-01-01T00:00",
        "to=9999-12-31T23:59",
        "from=2020-01-01T00:00&to=2026-01-01T00:00",
        "after=nothing",
    ],
)
def test_a_span_that_cannot_be_shown_is_refused(as_viewer, query):
    defined()
    as_viewer.get(f"{INDEX}availability?{query}", then=422)


def test_minutes_are_exported_as_csv(as_viewer):
    mine = defined()
    store(mine, (1, 5, 6), (2, 0, 0), (1441, 1, 1))
    reply = as_viewer.get(f"{INDEX}availability/minutes.csv?from=2026-11-25T11:00Z")
    rows = list(csv.reader(io.StringIO(reply.data.decode("utf-8-sig"))))
    assert rows == [
        ["minute", "good", "total", "down"],
        ["2026-11-25T11:58Z", "0", "0", "no"],
        ["2026-11-25T11:59Z", "5", "6", "no"],
    ]
    assert "availability-minutes.csv" in reply.headers["Content-Disposition"]


def test_another_tenants_indicator_is_not_there(as_stranger, as_admin):
    mine = defined()
    for path in ("availability", str(mine), f"{mine}/retire", "availability/minutes.csv"):
        as_stranger.get(f"{INDEX}{path}", then=404)
    theirs = defined("theirs", slug="globex")
    for path in ("theirs", str(theirs), f"{theirs}/retire", "theirs/minutes.csv"):
        as_admin.get(f"{INDEX}{path}", then=404)


def test_a_retired_indicator_takes_no_more_minutes_and_keeps_its_own(app, as_officer):
    mine = defined()
    store(mine, (1, 5, 6))
    page = as_officer.get(f"{INDEX}{mine}/retire")
    assert "Retire Availability" in page.text
    as_officer.post(f"{INDEX}{mine}/retire", then=422, reason="")
    as_officer.post(f"{INDEX}{mine}/retire", then=303, reason="Replaced by another")
    text = as_officer.get(f"{INDEX}availability").text
    assert "Retired" in text and "Replaced by another" in text and "Retire…" not in text
    as_officer.post(f"{INDEX}{mine}/retire", then=422, reason="Again")
    assert "No live indicators" in as_officer.get(INDEX).text
    assert "Availability" in as_officer.get(f"{INDEX}?state=retired").text
    at = (NOW - timedelta(minutes=3)).isoformat()
    sent = [{"indicator": "availability", "at": at, "good": 1, "total": 1}]
    assert Machine(app).send(sent)["errors"][0]["field"] == "indicator"


def test_the_palette_finds_indicators_and_defines_them(as_officer):
    defined("claims-availability")
    for typed, found in (("claims-avail", "claims-availability"), ("define ind", "indicators/new")):
        assert found in as_officer.get("jump", query_string={"q": typed}).text


def test_a_key_is_created_for_the_scope(as_admin):
    assert "Send minute counts of indicators" in as_admin.get("settings/keys/new").text
