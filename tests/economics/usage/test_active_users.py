"""Distinct people by day, week and month, whose counts outlive their events."""

from collections import defaultdict
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from governance.economics.usage import active_users
from governance.kernel import clock
from governance.kernel.months import Month
from tests import make
from tests.economics.usage.usage_helpers import NOW, SYSTEM, Product, at, event, register
from tests.hypothesis_profiles import examples

NOVEMBER, OCTOBER = Month(2026, 11), Month(2026, 10)
OTHER = "ad-copywriter"


@pytest.fixture(autouse=True)
def _now():
    with clock.frozen(NOW):
        yield


@pytest.fixture
def product(app, isolated):
    register()
    register(OTHER)
    return Product(app)


def used(number, day, user, **changed):
    return event(number, at=f"{day}T10:00:00Z", user=user, **changed)


def active(month=NOVEMBER, slug="acme"):
    with make.acting("admin", slug):
        return {(row.system, row.feature): row for row in active_users.active_users(month)}


def cohorts(first, last, slug="acme"):
    with make.acting("admin", slug):
        return [
            (row.system, str(row.first), str(row.month), row.people)
            for row in active_users.cohorts(first, last)
        ]


def test_a_person_of_two_features_counts_once_for_the_system_and_for_the_tenant(product):
    product.send(
        [
            used(1, "2026-11-02", "u-1", feature="summaries"),
            used(2, "2026-11-02", "u-1", feature="letters"),
            used(3, "2026-11-03", "u-2", feature="letters"),
            used(4, "2026-11-03", "u-1", system=OTHER),
            used(5, "2026-11-03", None),
        ]
    )
    found = active()
    assert {name: row.monthly for name, row in found.items()} == {
        (None, None): 2,
        (OTHER, None): 1,
        (OTHER, ""): 1,
        (SYSTEM, None): 2,
        (SYSTEM, "letters"): 2,
        (SYSTEM, "summaries"): 1,
    }
    assert found[None, None].daily[:4] == (0, 1, 2, 0) and len(found[None, None].daily) == 25
    with clock.frozen(NOW + timedelta(days=20)):
        assert len(active()[None, None].daily) == 30
    assert active(slug="globex") == {} == active(OCTOBER)


def test_a_week_reaches_into_the_month_before(product):
    product.send([used(1, "2026-10-30", "u-1"), used(2, "2026-11-06", "u-2")])
    weekly = active()[None, None].weekly
    assert weekly[:7] == (1, 1, 1, 1, 1, 1, 1) and weekly[11] == 1 and weekly[12] == 0
    assert active()[None, None].monthly == 1


def test_people_are_kept_for_their_first_month_and_counted_when_they_come_back(product):
    product.send(
        [
            used(1, "2026-08-10", "u-1"),
            used(2, "2026-10-10", "u-1"),
            used(3, "2026-10-11", "u-2"),
            used(4, "2026-11-10", "u-1"),
            used(5, "2026-11-11", "u-2", system=OTHER),
        ]
    )
    assert cohorts(Month(2026, 8), NOVEMBER) == [
        (None, "2026-08", "2026-08", 1),
        (None, "2026-08", "2026-10", 1),
        (None, "2026-08", "2026-11", 1),
        (None, "2026-10", "2026-10", 1),
        (None, "2026-10", "2026-11", 1),
        (OTHER, "2026-11", "2026-11", 1),
        (SYSTEM, "2026-08", "2026-08", 1),
        (SYSTEM, "2026-08", "2026-10", 1),
        (SYSTEM, "2026-08", "2026-11", 1),
        (SYSTEM, "2026-10", "2026-10", 1),
    ]
    assert cohorts(NOVEMBER, NOVEMBER) == [(OTHER, "2026-11", "2026-11", 1)]
    assert cohorts(OCTOBER, NOVEMBER, "globex") == []


USES = st.lists(st.tuples(st.integers(0, 1500), st.integers(1, 5)), min_size=1, max_size=30)


@settings(
    max_examples=examples(12),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    deadline=None,
)
@given(uses=USES)
def test_counts_are_those_of_sets_of_people(product, uses):
    """Compare with sets of (hours before now, user). Days are the operator's."""
    days = _days_of(product, uses)
    row = active().get((None, None))
    of_month = [people for day, people in days.items() if day.month == 11]
    assert (row.monthly if row else 0) == len(set().union(*of_month))
    for n, (daily, weekly) in enumerate(zip(row.daily, row.weekly, strict=True) if row else []):
        day = date(2026, 11, n + 1)
        assert daily == len(days.get(day, set()))
        week = [days.get(day - timedelta(days=back), set()) for back in range(7)]
        assert weekly == len(set().union(*week))


def _days_of(product, uses):
    """Send the uses. Return the people of each day, including those of earlier examples."""
    days, sent = product.__dict__.setdefault("sent", (defaultdict(set), []))
    for hours, user in uses:
        instant = NOW - timedelta(hours=hours)
        product.send([event(len(sent), at=at(instant), user=f"u-{user}")])
        sent.append(instant)
        days[instant.astimezone(ZoneInfo("Europe/Berlin")).date()].add(user)
    return days
