"""Pages of objectives through HTTP: list, details, forms, exports and permissions."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from markupsafe import Markup
from sqlalchemy import literal, select

from governance.kernel import clock
from governance.kernel.data import tenant_cache
from governance.kernel.data.db import session
from governance.kernel.intervals import MINUTE, Span
from governance.operations.measurements import actions as measuring
from governance.operations.objectives import ports
from governance.operations.objectives.models import Objective
from tests import make
from tests.browser import words
from tests.operations.objectives.objective_helpers import (
    before,
    define,
    exclude,
    minutes_of,
    objective,
)

NOW = datetime(2026, 11, 25, 10, 10, tzinfo=UTC)
LIST = "reliability/"


@pytest.fixture(autouse=True)
def _frozen():
    with clock.frozen(NOW + timedelta(seconds=20)):
        yield


@pytest.fixture
def availability(acting, database):
    """Add two days of minutes: 25 down in the last 24 hours, an hour without data, an exclusion."""
    with acting():
        indicator = define(kind="downtime", min_requests=3)
        span, down = before(NOW, days=2), Span(NOW - 3 * 60 * MINUTE, NOW - 155 * MINUTE)
        gap = Span(NOW - 600 * MINUTE, NOW - 540 * MINUTE)
        measuring.store(
            [
                *minutes_of(indicator, Span(span.start, gap.start)),
                *minutes_of(indicator, Span(gap.end, down.start)),
                *minutes_of(indicator, down, good=0),
                *minutes_of(indicator, Span(down.end, NOW)),
            ]
        )
        exclude(Span(NOW - 160 * MINUTE, NOW - 140 * MINUTE))
        return objective(indicator, window_days=2, owner_id=make.person_id("reviewer")).id


def test_without_objectives_the_list_says_what_will_appear(as_officer, as_viewer):
    shown = words(as_officer.get(LIST))
    assert "No objectives yet" in shown and "New objective" in shown
    assert "New objective" not in words(as_viewer.get(LIST))


def test_the_list_shows_budget_pace_coverage_and_state(as_viewer, availability):
    shown = words(as_viewer.get(LIST))
    assert "Claims triage · Availability has overspent its budget" in shown
    assert "99.5%" in shown and "2 days" in shown
    assert "minutes down" in shown
    assert "97.9%" in shown  # 2,800 of 2,860 expected minutes.
    assert "One objective has gaps" in shown
    assert "Show as table" in shown


def test_least_budget_left_comes_first_and_unknown_last(acting, as_viewer, availability):
    with acting():
        unknown, calm = define("empty"), define("calm")
        measuring.store(minutes_of(calm, before(NOW, hours=24)))
        objective(unknown, name="A never measured one")
        objective(calm, name="A calm one", window_days=1)
    shown = words(as_viewer.get(LIST))
    places = [shown.index(name) for name in ("minutes down", "A calm one", "A never measured one")]
    assert places == sorted(places)
    reply = as_viewer.get(f"{LIST}?state=unknown")
    assert "A never measured one" in reply.text and "A calm one" not in reply.text
    assert "No data yet" in words(reply)
    assert "c-state-none" in reply.text and "c-state-bad" not in reply.text
    assert "A calm one" in as_viewer.get(f"{LIST}?q=calm&sort=-name").text
    as_viewer.get(f"{LIST}?sort=nothing", then=422)


def test_an_objective_that_asks_for_no_coverage_shows_none(acting, as_viewer):
    """Show none: a run measures one minute of a week, and 0.0% would read as unknown."""
    with acting():
        weekly = define(kind="downtime", min_requests=3)
        measuring.store(minutes_of(weekly, Span(NOW - 61 * MINUTE, NOW - 60 * MINUTE)))
        objective(weekly, minimum_coverage=Decimal(0))
    shown = words(as_viewer.get(LIST))
    assert "no minimum is set" in shown and "0.0%" not in shown


def test_the_objective_shows_its_arithmetic(as_viewer, availability):
    shown = words(as_viewer.get(f"reliability/objectives/{availability}"))
    for part in (
        "Window of 2 days 2,880",
        "Excluded 1 entry − 20",
        "No data 1 gap − 60",
        "Measured coverage 97.9%, minimum 95% 2,800",
        "Budget 0.5% of measured 14",
        "Lost − 20",
        "Left −42.8% of the budget − 6",
        "Attained, with exclusions 99.285%",
        "Attained, without them 99.113%",
        "Without exclusions 25 of 2,820 min are lost.",
        "Exclusions hide 5 lost minutes",
        "Gaps: 60 minutes without data",
        "announced 7 days before",
        "the budget is overspent",
        "owner Jun Chen",
    ):
        assert part in shown, part
    assert "A minute is down when 3 or more requests arrive and none is good." in shown


def test_below_its_minimum_coverage_nothing_is_stated(acting, as_viewer, availability):
    with acting():
        found = objective(define("silent"), name="Silent")
        measuring.store(minutes_of(found.indicator_id, before(NOW, hours=40), every=3))
        found_id = found.id
    shown = words(as_viewer.get(f"reliability/objectives/{found_id}"))
    assert "Silent: not determinable" in shown
    assert "Left not determinable" in shown
    assert "100%" not in shown.partition("How the budget is counted")[2].partition("What uses")[0]


def test_the_list_asks_no_more_whatever_its_length(acting, as_viewer, availability, statements):
    as_viewer.get(LIST)
    with statements() as few:
        as_viewer.get(LIST)
    with acting():
        for number in range(8):
            indicator = define(f"more-{number}")
            measuring.store(minutes_of(indicator, before(NOW, hours=2)))
            objective(indicator, name=f"More {number}")
    with statements() as many:
        as_viewer.get(LIST)
    shown = "\n".join(f"{n}: {each[:120]}" for n, each in enumerate(many))
    assert len(many) <= len(few) + 1, shown  # One more, for the gaps panel.


def test_another_tenants_objective_is_not_there(as_stranger, as_neighbour, availability):
    as_stranger.get(LIST, then=404)
    as_neighbour.get(f"reliability/objectives/{availability}", then=404)
    as_neighbour.get(f"reliability/objectives/{availability}/versions", then=404)
    assert "No objectives yet" in as_neighbour.get(LIST).text
    as_neighbour.post(f"reliability/objectives/{availability}/retire", reason="r", then=404)


def test_an_officer_creates_edits_and_retires(acting, as_officer, as_viewer, database):
    with acting():
        indicator = define()
    form = {
        "name": "Claims triage · Availability",
        "indicator_id": str(indicator),
        "target": "99.95 %",
        "window": "calendar",
        "window_days": "30",
        "hours": "service",
        "mon": "09:00-12:00, 13:00-17:30",
        "zone": "Europe/Paris",
        "minimum_coverage": "90",
    }
    page = as_officer.post("reliability/objectives/new", follow=True, **form)
    assert "99.95%" in page.text
    with acting():
        found = session().scalars(select(Objective)).one()
        assert found.target == Decimal("0.9995") and found.window == "calendar"
        assert found.service_hours == {
            "days": {"mon": [["09:00", "12:00"], ["13:00", "17:30"]]},
            "zone": "Europe/Paris",
        }
        address = f"reliability/objectives/{found.id}"
    edit = as_officer.get(f"{address}/edit")
    assert "09:00-12:00, 13:00-17:30" in edit.text and 'value="99.95"' in edit.text
    change = form | {"target": "99.9", "seen": "1"}
    refused = as_officer.post(f"{address}/edit", then=422, **change)
    assert "Enter a reason" in refused.text
    as_officer.post(f"{address}/edit", **change | {"reason": "Vendor is slower"})
    stale = as_officer.post(f"{address}/edit", then=409, **change | {"reason": "x", "target": "99"})
    assert "Someone else saved version 2" in stale.text
    versions = words(as_viewer.get(f"{address}/versions"))
    assert "Version 2" in versions and "Vendor is slower" in versions and "7 h a week" in versions
    as_officer.post(f"{address}/retire", then=422, reason="")
    as_officer.post(f"{address}/retire", reason="Replaced")
    assert "No objectives yet" in as_officer.get(LIST).text
    assert "Retired" in as_officer.get(f"{LIST}?state=retired").text
    assert "Retired" in as_officer.get(address).text


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("target", "ninety", "Enter a percentage such as 99.5."),
        ("target", "100", "at 100% there is no budget"),
        ("target", "NaN", "Enter a percentage such as 99.5."),
        ("target", "1e400", "above 0% and below 100%"),
        ("window_days", "0", "Enter 1 to 366 days."),
        ("window_days", "1" + "0" * 400, "A number in the form is too large."),
        ("mon", "9 to 5", "Write hours such as"),
        ("mon", "25:00-26:00", "is not a time"),
        ("zone", "Mars", "Enter a time zone such as"),
        ("minimum_coverage", "101", "from 0% to 100%"),
        ("indicator_id", "00000000-0000-0000-0000-000000000000", "Not a valid choice"),
    ],
)
def test_a_form_that_cant_be_meant_comes_back_with_the_reason(
    acting, as_officer, database, field, value, said
):
    with acting():
        indicator = define()
    form = {
        "name": "N",
        "indicator_id": str(indicator),
        "target": "99.5",
        "window": "rolling",
        "window_days": "30",
        "hours": "service",
        "mon": "09:00-17:00",
        "minimum_coverage": "95",
    }
    refused = as_officer.post("reliability/objectives/new", then=422, **form | {field: value})
    assert said in words(refused)


def test_only_admins_and_officers_manage_objectives(
    as_admin, as_contributor, as_viewer, as_auditor, availability
):
    address = f"reliability/objectives/{availability}"
    as_admin.get(f"{address}/edit")
    for other in (as_contributor, as_viewer, as_auditor):
        other.get(address)
        other.get("reliability/objectives/new", then=403)
        other.get(f"{address}/edit", then=403)
        other.post(f"{address}/retire", then=403, reason="r")
        assert "Edit objective" not in other.get(address).text


def test_the_export_has_what_the_filters_match(as_viewer, availability):
    reply = as_viewer.get("reliability/objectives/export.csv")
    head, row = reply.data.decode("utf-8-sig").splitlines()
    assert head.startswith("Slug,Objective,Indicator,Target")
    assert "claims-triage-availability" in row and "99.5%" in row and "99.285%" in row
    sheet = as_viewer.get("reliability/objectives/export.xlsx").data
    assert sheet.startswith(b"PK")
    none = as_viewer.get("reliability/objectives/export.csv?state=unknown").data
    assert len(none.decode("utf-8-sig").splitlines()) == 1


def test_the_badge_counts_what_the_port_selects(as_viewer, availability):
    assert "2 firing" not in as_viewer.get(LIST).text
    tenant_cache.forget()  # An entry of the log does the same.
    with ports.firing_count.answered_by(lambda: select(literal(2))):
        assert "2 firing" in as_viewer.get(LIST).text


def test_an_open_alert_comes_first_and_takes_the_row(as_viewer, availability):
    state = ports.AlertState("firing", availability, "ALR-1", "since 08:20")
    use = ports.Use("AGR-2", "Agreement AGR-2", "/x", "99.0% a month", ("ok", "Met"))
    with (
        ports.alert_states.answered_by(lambda ids: dict.fromkeys(ids, state)),
        ports.alert_panel.answered_by(lambda _ids: Markup("<p>ALR-1 fires</p>")),
        ports.uses_of.answered_by(lambda ids: dict.fromkeys(ids, (use,))),
    ):
        reply = as_viewer.get(LIST)
        page = words(as_viewer.get(f"reliability/objectives/{availability}"))
    shown = words(reply)
    assert "One alert is firing: Claims triage · Availability" in shown
    assert "ALR-1 fires" in shown and "since 08:20" in shown and "AGR-2" in shown
    assert f'data-alert="{availability}"' in reply.text
    assert "Agreement AGR-2" in page and "ALR-1 fires" in page and "Firing" in page


def test_the_headline_of_an_alert_names_overspent_objectives_too(as_viewer, acting, availability):
    with acting():
        first = session().scalars(select(Objective).where(Objective.id == availability)).one()
        objective(first.indicator_id, name="The same, without an alert", window_days=2)
    state = ports.AlertState("firing", availability, "ALR-1", "since 08:20")
    with ports.alert_states.answered_by(lambda _ids: {availability: state}):
        shown = words(as_viewer.get(LIST))
    assert "One alert is firing: Claims triage · Availability" in shown
    assert "; 1 objective is overspent" in shown


def test_objectives_are_found_by_the_palette(as_viewer, availability):
    found = as_viewer.get("jump?q=triage-avail").json
    hrefs = [each["href"] for each in found]
    assert f"/t/acme/reliability/objectives/{availability}" in hrefs
