"""Benchmarks of a month: released once within the budget, copied to tenants, shown with accuracy."""

from datetime import UTC, date, datetime
from decimal import Decimal as D
from uuid import UUID

import pytest
from sqlalchemy import insert, select

from governance.economics.benchmarks import actions, jobs, queries
from governance.economics.benchmarks.models import Benchmark
from governance.economics.prices.models import USAGE_COSTS
from governance.economics.usage.usage_events import BUCKETS
from governance.foundation.audit.models import AuditEntry
from governance.kernel import clock, current
from governance.kernel.db import session
from governance.kernel.months import Month
from tests import make
from tests.browser import words

OCTOBER = Month(2026, 10)
NOW = datetime(2026, 11, 5, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _now(database):
    with clock.frozen(NOW):
        yield


def use(customers: int, *, failed: int = 1, day: date = date(2026, 10, 15)) -> None:
    """Each customer sends ten requests, of which so many fail, and reads a quarter from the cache."""
    tokens = dict.fromkeys((f"{each}_tokens" for each in BUCKETS), 0)
    tokens |= {"input_tokens": 300, "cache_read_tokens": 100}
    with make.acting("operator_admin", "console"):
        for n in range(1, customers + 1):
            for outcome, requests in (("success", 10 - failed), ("failed", failed)):
                values = {
                    "tenant_id": current.actor().tenant_id,
                    "day": day,
                    "customer_id": UUID(int=n),
                    "system_id": UUID(int=n),
                    "feature": "",
                    "provider": "",
                    "model": "m",
                    "outcome": outcome,
                    "system": "s",
                    "match_key": "m",
                    "requests": requests,
                    "cost": 0,
                    "collected_at": NOW,
                    **tokens,
                }
                session().execute(insert(USAGE_COSTS).values(values))


def rows(role="operator_admin", slug="console") -> dict[str, Benchmark]:
    with make.acting(role, slug):
        found = session().scalars(select(Benchmark)).all()
        session().expunge_all()
        return {each.measure: each for each in found}


def test_each_customer_has_one_share_of_a_measure(acting):
    use(2, failed=3)
    use(1, day=date(2026, 11, 1))
    with acting("operator_admin", "console"):
        found = queries.tenant_shares(OCTOBER)
    assert found["failed_share"] == {UUID(int=1): D("0.3"), UUID(int=2): D("0.3")}
    assert found["cached_share"] == {UUID(int=1): D("0.25"), UUID(int=2): D("0.25")}


def test_a_month_is_released_once_and_copied_to_every_customer():
    use(8)
    for _ in range(2):
        jobs.release_benchmarks()
    released = rows()
    assert released.keys() == {"cached_share", "failed_share"}
    assert all((each.tenants, each.epsilon) == (8, D("0.5")) for each in released.values())
    for slug in ("acme", "globex"):
        copies = rows("admin", slug)
        assert {name: (each.mean, each.accuracy) for name, each in copies.items()} == {
            name: (each.mean, each.accuracy) for name, each in released.items()
        }
    with make.acting("operator_admin", "console"):
        entries = (
            session()
            .scalars(select(AuditEntry.facts).where(AuditEntry.action == "benchmark.released"))
            .all()
        )
        assert sorted(each["spent"] for each in entries) == ["0.5", "1"]
        assert queries.spent_in(Month(2026, 12)) == 1, "December is in the same quarter"
        assert queries.spent_in(Month(2026, 9)) == 0


def test_a_group_under_five_is_refused():
    use(4)
    jobs.release_benchmarks()
    assert {(each.refusal, each.mean, each.epsilon) for each in rows().values()} == {
        ("fewer than five tenants", None, D(0))
    }


def test_a_spent_budget_ends_the_releases_of_the_quarter(acting):
    use(6)
    with acting("operator_admin", "console"):
        session().add(
            Benchmark(
                month="2026-12",
                measure="earlier",
                tenants=6,
                epsilon=D("2.5"),
                mean=D(0),
                accuracy=D(1),
            )
        )
        session().flush()
        actions.release(OCTOBER)
        assert queries.spent_in(OCTOBER) == 3
    refused = [each.refusal for each in rows().values() if each.mean is None]
    assert refused == ["the privacy budget of the quarter is spent"]


def test_a_month_waits_until_late_events_have_come():
    use(8)
    with clock.frozen(datetime(2026, 11, 2, 12, tzinfo=UTC)):
        jobs.release_benchmarks()
    assert rows() == {}, "September had no usage, and October isn't complete"


def test_the_page_shows_the_mean_its_accuracy_and_the_budget(as_viewer):
    use(8)
    assert "Beside all tenants" not in words(as_viewer.get("economics/?month=2026-10"))
    jobs.release_benchmarks()
    shown = words(as_viewer.get("economics/?month=2026-10"))
    assert "Beside all tenants" in shown and "± 74.9 points 8 0.5" in shown
    assert "larger than most differences" in shown
    assert "Privacy budget of the quarter: 1 of 3 used." in shown
    assert "Beside all tenants" not in words(as_viewer.get("economics/?month=2026-09"))


def test_the_page_says_why_nothing_was_released(as_viewer):
    use(3)
    jobs.release_benchmarks()
    shown = words(as_viewer.get("economics/?month=2026-10"))
    assert "Not released: fewer than five tenants." in shown
