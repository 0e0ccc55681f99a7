"""The rollout gate on the cost of a completed task: decided from usage and list prices."""

from datetime import timedelta
from decimal import Decimal

import pytest

from governance.economics.rates import actions as rates
from governance.economics.tenant_costs import gates
from governance.kernel import clock
from governance.kernel.months import Month
from governance.operations.gates.gates import GateReading, GateResult, GateSubject
from governance.operations.gates.stage import Stage
from tests import make
from tests.economics.prices import price_helpers
from tests.economics.tenant_costs.system_cost_helpers import share, used
from tests.economics.usage.usage_helpers import NOW, Product, register

OCTOBER, NOVEMBER = Month(2026, 10), Month(2026, 11)


@pytest.fixture(autouse=True)
def _now():
    with clock.frozen(NOW):
        yield


@pytest.fixture
def product(app, isolated):
    """Let Acme send usage. A million input tokens cost 3 dollars; a dollar is half a euro."""
    register()
    price_helpers.add()
    with make.acting("operator_finance", "console"):
        for month in (OCTOBER, NOVEMBER):
            rates.enter_rate(month, "USD", Decimal("0.5"), source="ECB")
    return Product(app)


def _send(product: Product, earlier: int, present: int, tokens: int = 1_000_000) -> None:
    """Send completed tasks of October and of now, with `tokens` tokens per request."""
    sent = [used(n, "2026-10-30", task=f"o-{n}") for n in range(earlier)]
    sent += [used(1_000 + n, task=f"n-{n}", tokens={"input": tokens}) for n in range(present)]
    product.send(sent)
    share()


def _readings(role: str = "contributor", key: str = "claims-triage") -> list[GateReading]:
    with make.acting(role, read_only=True):
        subject = GateSubject(
            register(key),
            key,
            "letters",
            "2026.12.0",
            "2026.11.2",
            Stage(500, 24, 400),
            NOW - timedelta(days=2),
            is_reachable=True,
        )
        return list(gates.COST.read(subject))


@pytest.mark.parametrize(
    ("tokens", "verdict", "figure"),
    [(1_200_000, "pass", "€1.80"), (1_300_000, "fail", "€1.95")],
)
def test_a_task_may_cost_a_fifth_more_than_before(product, tokens, verdict, figure):
    _send(product, 100, 120, tokens)
    (read,) = _readings()
    assert (read.verdict, read.figure, read.n) == (verdict, figure, "120")
    assert read.needs == "at most €1.80"
    assert read.detail == "in November 2026, €1.50 in October 2026"
    assert gates.COST.kind == "signal"


def test_too_few_tasks_and_requests_without_a_price_decide_nothing(product):
    _send(product, 100, 60)
    (read,) = _readings()
    assert (read.verdict, read.detail) == ("undecided", "40 more tasks needed")
    product.send([used(5_000, model="local-7b", provider=None)])
    share()
    (read,) = _readings()
    assert (read.verdict, read.detail) == ("undecided", "1 request without a price")


def test_a_month_without_a_task_is_missing_and_a_system_without_cost_has_no_gate(product):
    register("billing")
    _send(product, 100, 0)
    (read,) = _readings()
    assert (read.verdict, read.figure) == ("missing", "none")
    assert _readings(key="billing") == []


def test_who_may_not_see_costs_sees_the_verdict_alone_and_the_log_keeps_no_more(product):
    _send(product, 100, 120)
    (read,) = _readings()
    kept = GateResult("task_cost", "signal", read).plain()
    assert (kept["figure"], kept["needs"], kept["verdict"]) == ("", "", "pass")
    with make.acting("contributor", read_only=True):
        assert read.is_shown and read.shown_link is not None
    with make.acting("auditor", read_only=True):
        assert not read.is_shown and read.shown_link is None
