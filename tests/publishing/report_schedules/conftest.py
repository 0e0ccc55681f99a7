"""Fixtures of scheduled reports, whose tests start in November 2026."""

import pytest

from governance.kernel import clock
from tests.publishing.report_schedules.schedule_helpers import NOVEMBER


@pytest.fixture(autouse=True)
def _november():
    with clock.frozen(NOVEMBER):
        yield
