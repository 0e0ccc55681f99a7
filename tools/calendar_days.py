"""Run the demo and the date-dependent tests on the special days of a year.

    make calendar                                 all of them: the demo once, then the tests
    make calendar ONLY="2027-01-01 2028-02-29"    only these days
    python -m tools.calendar_days --demo          only the demo
    make calendar ONLY=today                      the fast tests, on today's turn of the list

Demo and tests read the day from TODAY. Exits with 1 if one fails.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from governance.kernel import clock
from tests.free_ports import free_port

ROOT = Path(__file__).parents[1]
WORKERS = os.environ.get("JOBS", "2")
PYTEST = ("-m", "pytest", "-n", WORKERS, "--dist", "loadgroup", "--no-loadscope-reorder")
LINES_SHOWN = 30  # Last lines shown of a failure.


@dataclass(frozen=True, slots=True)
class CalendarDay:
    """A day to test: its date, why it is special, and the time of day in UTC at which it starts."""

    day: str
    name: str
    hour: str = "12:00"

    @property
    def told(self) -> str:
        return f"{self.day}T{self.hour}"


DAYS = (
    CalendarDay("2027-01-01", "1 January"),
    CalendarDay("2027-02-28", "28 February, the last day of a month"),
    CalendarDay("2028-02-29", "29 February"),
    CalendarDay("2027-03-14", "daylight saving time begins in New York"),
    CalendarDay("2027-03-28", "daylight saving time begins in Berlin"),
    CalendarDay("2027-03-31", "31 March, the last day of a quarter"),
    CalendarDay("2027-04-15", "the 15th of a month"),
    CalendarDay("2027-04-30", "the last day of a month of 30 days"),
    CalendarDay("2027-06-01", "the first day of a month"),
    CalendarDay("2027-06-02", "the second day of a month"),
    CalendarDay("2027-06-03", "the third day of a month"),
    CalendarDay("2027-08-31", "ten minutes before a month begins in UTC", "23:50"),
    CalendarDay("2027-09-01", "ten minutes after a month began in UTC", "00:10"),
    CalendarDay("2027-10-13", "ten minutes before midnight in UTC", "23:50"),
    CalendarDay("2027-10-31", "daylight saving time ends in Berlin"),
    CalendarDay("2027-11-07", "daylight saving time ends in New York"),
)


def day_of_today() -> CalendarDay:
    """Return the day whose turn it is. The list is used in rotation."""
    return DAYS[clock.machine_now().toordinal() % len(DAYS)]


def run_demo(day: CalendarDay) -> bool:
    """Build the demo once on that day, in its own folder."""
    with tempfile.TemporaryDirectory(prefix="calendar-", ignore_cleanup_errors=True) as folder:
        asked = ("-m", "governance.app.cli", "demo", "--once", "--data", folder)
        return _run(f"{day.told} demo", (*asked, "--port", str(free_port(4))), day)


def run_tests(day: CalendarDay, marks: str) -> bool:
    return _run(f"{day.told} tests", (*PYTEST, "-m", marks), day)


def _run(name: str, asked: tuple[str, ...], day: CalendarDay) -> bool:
    """Run a command on that day. Print its result and duration, and the last lines of a failure."""
    began = time.monotonic()
    environment = {k: v for k, v in os.environ.items() if k != clock.MOVED_BY}
    done = subprocess.run(  # noqa: S603 - our own interpreter and modules
        [sys.executable, *asked],
        env=environment | {"TODAY": day.told},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    passed = done.returncode == 0
    lines = done.stdout.splitlines()
    result = "passed" if passed else "FAILED"
    _say(f"{name:<24} {result} in {time.monotonic() - began:4.0f} s   {day.name}")
    for line in lines[-1:] if passed else lines[-LINES_SHOWN:]:
        _say(f"    {line}")
    return passed


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - it speaks to the person who started it


def main() -> int:
    """Run the days and parts that the arguments name. Return the exit code."""
    parser = argparse.ArgumentParser(description="Run the demo and tests on days of a calendar.")
    parser.add_argument("days", nargs="*", help="such as 2027-01-01, or today; all without one")
    parser.add_argument("--demo", action="store_true", help="only the demo")
    given = parser.parse_args()
    if given.days == ["today"]:
        return 0 if run_tests(day_of_today(), "calendar and not slow and not browser") else 1
    unknown = sorted(set(given.days) - {each.day for each in DAYS})
    if unknown:
        parser.error(f"{unknown[0]} isn't one of the days: {', '.join(d.day for d in DAYS)}")
    failed = 0
    for day in DAYS:
        if not given.days or day.day in given.days:
            failed += not run_demo(day)
            failed += not (given.demo or run_tests(day, "calendar"))
    _say("Every day passed." if not failed else f"{failed} of these failed.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
