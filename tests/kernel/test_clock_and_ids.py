"""The clock, the only source of time, and ids that sort by time."""

import os
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from governance.kernel import clock
from governance.kernel.data.db import session
from governance.kernel.data.ids import uuid7

INSTANTS = st.datetimes(datetime(1971, 1, 1), datetime(9000, 1, 1), timezones=st.just(UTC))


def test_frozen_time_stands_and_thaws():
    at = datetime(2025, 6, 1, 12, tzinfo=UTC)
    with clock.frozen(at):
        assert clock.now() == at and clock.today() == at.date()
        with clock.frozen(at + timedelta(days=1)):
            assert clock.now() == at + timedelta(days=1)
        assert clock.now() == at
    assert abs(clock.now() - clock.running()) < timedelta(seconds=5)


def test_frozen_time_is_its_own_threads():
    seen = []
    with clock.frozen(datetime(2025, 6, 1, tzinfo=UTC)):
        thread = threading.Thread(target=lambda: seen.append(clock.now()))
        thread.start()
        thread.join()
    assert abs(seen[0] - clock.running()) < timedelta(minutes=1)


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


# ---- TODAY


def read_elsewhere(code: str, **environment: str) -> str:
    """Return what a separate process prints after it imported the clock."""
    own = {"GOVERNANCE_DEMO", "TODAY", clock.MOVED_BY}
    kept = {name: value for name, value in os.environ.items() if name not in own}
    asked = f"from governance.kernel import clock; {code}"
    return subprocess.run(
        [sys.executable, "-c", asked],
        env=kept | environment,
        check=True,
        capture_output=True,
        text=True,
    ).stdout


MOVED = "clock.move_as_told(); print(clock.now().isoformat())"
YEAR = str(366 * 86_400)


@pytest.mark.parametrize(
    ("told", "begins"), [("2028-02-29", "2028-02-29T"), ("2027-01-01T00:10", "2027-01-01T00:10:")]
)
def test_today_moves_the_clock_of_the_demo_and_time_goes_on(told, begins):
    demo = {"GOVERNANCE_DEMO": "1", "TODAY": told}
    assert read_elsewhere(MOVED, **demo).startswith(begins)
    later = "import time; clock.move_as_told(); a = clock.now(); time.sleep(0.01); "
    assert read_elsewhere(f"{later}print(clock.now() > a)", **demo) == "True\n"


def test_a_child_takes_the_length_from_its_parent_and_not_the_day_again():
    days = "print((clock.now() - clock.machine_now()).days in {365, 366})"
    demo = {"GOVERNANCE_DEMO": "1", "TODAY": "2021-05-05", clock.MOVED_BY: YEAR}
    assert read_elsewhere(f"clock.move_as_told(); {days}", **demo) == "True\n"
    assert read_elsewhere(days, **demo) == "True\n"


def test_in_production_nothing_moves_the_clock():
    still = "clock.move_as_told(); print(clock.moved_by())"
    for environment in ({"TODAY": "2028-02-29"}, {clock.MOVED_BY: YEAR}):
        assert read_elsewhere(still, **environment) == "0:00:00\n"


def test_the_database_has_the_same_time_and_the_application_cannot_move_it(database, acting):
    with acting("admin"):
        found = session().scalars(text("SELECT current_instant()")).one()
    assert abs(found - clock.running()) < timedelta(minutes=1)
    moved = text(
        "CREATE OR REPLACE FUNCTION current_instant() RETURNS timestamptz LANGUAGE sql VOLATILE"
        " RETURN clock_timestamp() + interval '1 day'"
    )
    with (
        pytest.raises(ProgrammingError, match="permission denied for schema public"),
        acting("admin"),
    ):
        session().execute(moved)


def test_a_file_of_the_machine_has_an_age_on_our_clock(tmp_path):
    (tmp_path / "new").touch()
    written = datetime.fromtimestamp((tmp_path / "new").stat().st_mtime, UTC)
    assert abs(clock.from_machine(written) - clock.now()) < timedelta(minutes=1)


@pytest.mark.parametrize(
    ("environment", "day"),
    [
        ({"GOVERNANCE_DEMO": "1", "TODAY": "2027-01-31T23:50"}, "2027-02-01T00:05:00+00:00"),
        ({"GOVERNANCE_DEMO": "1", "TODAY": "2028-02-29T00:01"}, "2028-02-29T00:05:00+00:00"),
        ({}, "T00:05:00+00:00"),
    ],
)
def test_a_daily_job_runs_at_its_hour_of_the_moved_day(environment, day):
    next_time = (
        "clock.move_as_told(); from governance.kernel.work.schedule_times import cron;"
        " daily, now = cron({'hour': 0, 'minute': 5}), clock.machine_now();"
        " first = daily.get_next_fire_time(None, now);"
        " second = daily.get_next_fire_time(first, first);"
        " print(first - now, (second - first).days, clock.from_machine(first).isoformat())"
    )
    waits, days, told = read_elsewhere(next_time, **environment).rsplit(maxsplit=2)
    assert days == "1" and told.endswith(day)
    assert not environment or waits.startswith(("0:14:", "0:15:00", "0:03:", "0:04:00"))
