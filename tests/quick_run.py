"""What `make check`, which has ninety seconds, does less of than `make test`.

It tries properties less often, looks at the same page less often, and leaves out what takes long:
the functions in snapshots/slow.txt, 0.04 seconds or more each. That list is written from a
whole run on an idle machine:

    PYTEST_ADDOPTS=--junitxml=/tmp/run.xml make test && python -m tests.quick_run /tmp/run.xml
"""

import os
import sys
from collections import defaultdict
from pathlib import Path
from xml.etree import ElementTree as ET

QUICK = bool(os.environ.get("GOVERNANCE_QUICK"))
CHECKS_PER_PAGE = (
    3 if QUICK else None
)  # at the HTML of one address with one status; None: at every answer
SLOW = Path(__file__).parent / "snapshots" / "slow.txt"
SLOW_TEST_SECONDS = 0.04  # seconds, the mean over a function's parameters


def examples(whole: int) -> int:
    """How many examples a property is tried with."""
    return max(20, whole // 10) if QUICK else whole


def function_of(nodeid: str) -> str:
    """tests/kernel/test_pdf.py::test_it of tests/kernel/test_pdf.py::test_it[a-b]@group."""
    return nodeid.partition("[")[0].partition("@")[0]


def left_out_tests() -> frozenset[str]:
    return frozenset(SLOW.read_text().split()) if QUICK else frozenset()


def main(report: str) -> None:
    taken = defaultdict(list)
    for case in ET.parse(report).iter("testcase"):  # noqa: S314 - of our own run
        path = case.get("classname", "").replace(".", "/")
        if not Path(f"{path}.py").exists():
            continue  # of a class, whose tests a library defines
        taken[function_of(f"{path}.py::{case.get('name')}")].append(float(case.get("time", 0)))
    slow = sorted(
        name for name, seconds in taken.items() if sum(seconds) / len(seconds) >= SLOW_TEST_SECONDS
    )
    SLOW.write_text("".join(f"{name}\n" for name in slow))


if __name__ == "__main__":
    main(sys.argv[1])
