"""Completed tasks: each counts at its first success, in that month and for that feature."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from governance.economics.usage import completed_tasks, jobs
from governance.economics.usage.completed_tasks import CompletedTasks
from governance.kernel import clock
from governance.kernel.months import Month
from tests import make
from tests.economics.usage.usage_helpers import (
    EACH_STORE,
    NOW,
    SYSTEM,
    Product,
    at,
    event,
    register,
)
from tests.hypothesis_profiles import examples

pytestmark = EACH_STORE

NOVEMBER, OCTOBER = Month(2026, 11), Month(2026, 10)
OTHER = "ad-copywriter"
START = datetime(2026, 10, 31, 23, tzinfo=UTC)  # The start of November in the operator's zone.


@pytest.fixture(autouse=True)
def _now():
    with clock.frozen(NOW):
        yield


@pytest.fixture
def product(app, isolated):
    register()
    register(OTHER)
    return Product(app)


def counted(month=NOVEMBER, slug="acme"):
    with make.acting("admin", slug):
        completed_tasks.count(month)
        found = completed_tasks.completed_tasks(month)
        return {name: (each.named, each.unnamed) for name, each in found.items()}


def attempt(number, outcome="success", task="task-1", minutes=0, **changed):
    return event(
        number,
        at=at(NOW - timedelta(days=1) + timedelta(minutes=minutes)),
        outcome=outcome,
        task=task,
        **changed,
    )


def test_a_task_of_three_attempts_is_completed_once(product):
    product.send(
        [
            attempt(1, "failed"),
            attempt(2, "retried", minutes=1),
            attempt(3, minutes=2),
            attempt(4, "failed", task="task-2"),
            attempt(5, "refused", task="task-3"),
        ]
    )
    assert counted() == {(SYSTEM, ""): (1, 0)}


def test_a_success_without_a_task_counts_by_itself_and_is_told_apart(product):
    product.send([attempt(1), attempt(2, task=None), attempt(3, task=None)])
    assert counted() == {(SYSTEM, ""): (1, 2)}
    assert CompletedTasks(1, 2).all == 3


def test_a_task_counts_for_the_feature_of_its_first_success_and_in_each_system_apart(product):
    product.send(
        [
            attempt(1, "failed", feature="search"),
            attempt(2, feature="letters", minutes=1),
            attempt(3, feature="search", minutes=2),
            attempt(4, system=OTHER),
        ]
    )
    assert counted() == {
        (SYSTEM, "letters"): (1, 0),
        (SYSTEM, "search"): (0, 0),
        (OTHER, ""): (1, 0),
    }


def test_a_task_that_succeeds_on_both_sides_of_midnight_counts_in_the_earlier_month(product):
    product.send(
        [
            event(1, at=at(START - timedelta(minutes=1)), task="task-1"),
            event(2, at=at(START + timedelta(minutes=1)), task="task-1"),
            event(3, at=at(START), task="task-2"),
        ]
    )
    assert counted(OCTOBER) == {(SYSTEM, ""): (1, 0)}
    assert counted(NOVEMBER) == {(SYSTEM, ""): (1, 0)}


def test_a_late_event_is_counted_by_the_next_hour_and_an_unchanged_month_is_left(product):
    product.send([attempt(1, "failed")])
    assert counted() == {(SYSTEM, ""): (0, 0)}
    product.send([attempt(2, minutes=3)])
    jobs.count_tasks()
    with make.acting("admin"):
        assert completed_tasks.months_to_count() == []
        assert completed_tasks.count(NOVEMBER) is False
    assert counted() == {(SYSTEM, ""): (1, 0)}


def test_each_tenant_has_its_own_tasks(app, product):
    register(slug="globex")
    Product(app, slug="globex").send([attempt(1), attempt(2, task="task-2")])
    product.send([attempt(1)])
    jobs.count_tasks()
    assert counted() == {(SYSTEM, ""): (1, 0)}
    assert counted(slug="globex") == {(SYSTEM, ""): (2, 0)}


def test_a_month_whose_events_are_dropped_keeps_its_tasks(app, isolated):
    july, sent = Month(2025, 7), datetime(2025, 7, 10, 12, tzinfo=UTC)
    register()
    with clock.frozen(sent + timedelta(days=60)):
        Product(app).send([event(1, at=at(sent), task="t"), event(2, at=at(sent), task="t")])
        jobs.count_tasks()
    jobs.drop_old_events()
    with make.acting("admin"):
        assert completed_tasks.months_to_count() == []
    assert counted(july) == {(SYSTEM, ""): (1, 0)}


ATTEMPTS = st.lists(
    st.tuples(
        st.integers(-9 * 24, 9 * 24),  # Hours from the start of the month.
        st.sampled_from(["success", "failed", "retried", "refused"]),
        st.sampled_from([None, "a", "b", "c"]),
        st.sampled_from([SYSTEM, OTHER]),
        st.sampled_from([None, "letters", "search"]),
    ),
    min_size=1,
    max_size=25,
)


@settings(
    max_examples=examples(20),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(ATTEMPTS)
def test_the_counts_are_those_of_each_tasks_first_success(product, attempts):
    """Count them here one by one, with those of earlier examples.

    Ids are unique to this example.
    """
    before, example = counted(), uuid4().hex
    rows = [
        (START + timedelta(hours=hours, seconds=n), outcome, task, system, feature)
        for n, (hours, outcome, task, system, feature) in enumerate(attempts)
    ]
    product.send(
        [
            event(
                id=f"{example}-{n}",
                at=at(instant),
                outcome=outcome,
                task=task and f"{task}-{example}",
                system=system,
                feature=feature,
            )
            for n, (instant, outcome, task, system, feature) in enumerate(rows)
        ]
    )
    expected, done = Counter[tuple[str, str, int]](), set()
    for instant, outcome, task, system, feature in sorted(rows, key=itemgetter(0)):
        is_known = (system, task) in done
        if outcome != "success" or instant < START - completed_tasks.LOOK_BACK or is_known:
            continue
        done |= {(system, task)} if task else set()
        expected[system, feature or "", 0 if task else 1] += instant >= START
    found = {
        (*name, place): count - before.get(name, (0, 0))[place]
        for name, counts in counted().items()
        for place, count in enumerate(counts)
    }
    assert {name: n for name, n in found.items() if n} == {
        name: n for name, n in expected.items() if n
    }
