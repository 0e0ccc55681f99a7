"""Time comes from one place, and ids sort by it."""

import threading
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from governance.kernel import clock
from governance.kernel.ids import uuid7

INSTANTS = st.datetimes(datetime(1971, 1, 1), datetime(9000, 1, 1), timezones=st.just(UTC))


def test_frozen_time_stands_and_thaws():
    at = datetime(2025, 6, 1, 12, tzinfo=UTC)
    with clock.frozen(at):
        assert clock.now() == at and clock.today() == at.date()
        with clock.frozen(at + timedelta(days=1)):
            assert clock.now() == at + timedelta(days=1)
        assert clock.now() == at
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(seconds=5)


def test_frozen_time_is_its_own_threads():
    seen = []
    with clock.frozen(datetime(2025, 6, 1, tzinfo=UTC)):
        thread = threading.Thread(target=lambda: seen.append(clock.now()))
        thread.start()
        thread.join()
    assert seen[0].year >= 2026


@given(INSTANTS)
def test_an_id_is_of_version_7_and_carries_its_millisecond(at):
    with clock.frozen(at):
        made = uuid7()
    assert made.version == 7 and made.variant == "specified in RFC 4122"
    assert made.int >> 80 == int(at.timestamp() * 1_000_000) // 1000


@given(INSTANTS, st.integers(1, 10**9))
def test_a_later_id_sorts_later(at, microseconds):
    with clock.frozen(at):
        first = uuid7()
    with clock.frozen(at + timedelta(microseconds=microseconds + 1)):
        assert uuid7() > first


def test_ids_of_one_instant_sort_by_their_making():
    with clock.frozen(datetime(2026, 1, 1, tzinfo=UTC)):
        made = [uuid7() for _ in range(500)]
    assert made == sorted(made) and len(set(made)) == 500


def test_ids_made_by_many_threads_are_all_different():
    made: list = []
    threads = [
        threading.Thread(target=lambda: made.extend(uuid7() for _ in range(500))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(made)) == 4000
