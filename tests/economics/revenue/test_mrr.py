"""MRR movements: contracts at month's end, and the bridge from one month to the next."""

from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.economics.revenue.lifetimes import lifetime
from governance.economics.revenue.mrr import (
    Movement,
    SubscriptionVersion,
    bridge,
    in_force,
    mrr_movements,
)
from governance.kernel.months import Month

ACME, GLOBEX = UUID(int=1), UUID(int=2)
JANUARY, DECEMBER = Month(2026, 1), Month(2026, 12)
YEAR = [JANUARY.plus(n) for n in range(12)]
ZERO = Decimal(0)


def same(amount: Decimal, _currency: str, _month: Month) -> Decimal:
    return amount


def version(
    starts_on: date,
    amount: int | str,
    *,
    ends_on: date | None = None,
    reference: str = "S-1",
    customer_id: UUID = ACME,
    currency: str = "EUR",
) -> SubscriptionVersion:
    return SubscriptionVersion(
        customer_id, reference, starts_on, ends_on, Decimal(amount), currency
    )


def moved(versions: list[SubscriptionVersion], months: list[Month]) -> list[dict[str, Decimal]]:
    """Return the movements that aren't zero, without both ends."""
    names = ("new", "expansion", "contraction", "churn", "reactivation")
    return [
        {name: value for name in names if (value := getattr(each, name))}
        for each in mrr_movements(versions, months, same)
    ]


def test_a_subscription_is_new_expands_contracts_churns_and_comes_back():
    versions = [
        version(date(2026, 2, 10), 1000),
        version(date(2026, 4, 1), 1500),
        version(date(2026, 5, 20), 900, ends_on=date(2026, 7, 15)),
        version(date(2026, 9, 1), 700, reference="S-2"),
    ]
    assert moved(versions, YEAR[:9]) == [
        {"new": Decimal(1000)},
        {},
        {"expansion": Decimal(500)},
        {"contraction": Decimal(600)},
        {},
        {"churn": Decimal(900)},
        {"reactivation": Decimal(700)},
    ]


def test_what_starts_and_ends_within_a_month_moves_nothing_and_its_customer_is_new_later():
    versions = [
        version(date(2026, 3, 2), 500, ends_on=date(2026, 3, 20)),
        version(date(2026, 6, 1), 400, reference="S-2"),
    ]
    assert moved(versions, YEAR) == [{"new": Decimal(400)}, *[{}] * 6]


def test_a_subscription_that_ends_on_the_first_churns_in_the_month_that_begins():
    versions = [version(date(2026, 1, 1), 500, ends_on=date(2026, 3, 1))]
    found = mrr_movements(versions, YEAR, same)
    assert [(each.month, each.end, each.churn) for each in found] == [
        (JANUARY, 500, 0),
        (Month(2026, 2), 500, 0),
        (Month(2026, 3), 0, 500),
    ]


def test_subscriptions_of_a_customer_are_added_up_before_they_are_compared():
    versions = [
        version(date(2025, 1, 1), 300),
        version(date(2025, 1, 1), 700, reference="S-2"),
        version(date(2026, 1, 5), 500),
        version(date(2026, 1, 5), 400, reference="S-2"),
    ]
    assert moved(versions, [JANUARY]) == [{"contraction": Decimal(100)}]


def test_a_rate_that_moves_is_no_expansion():
    rates = {Month(2026, 1): Decimal("0.9"), Month(2026, 2): Decimal("0.8")}
    versions = [version(date(2025, 6, 1), 1000, currency="USD")]
    january, february = mrr_movements(versions, rates, lambda a, _c, m: a * rates[m])
    assert (january.start, january.end) == (900, 900)
    assert (february.start, february.expansion, february.contraction) == (800, 0, 0)


def test_a_later_version_replaces_only_its_own_reference():
    versions = [
        version(date(2026, 1, 1), 10),
        version(date(2026, 2, 1), 20),
        version(date(2026, 1, 1), 5, reference="S-2"),
    ]
    assert sorted(each.amount for each in in_force(versions, date(2026, 1, 31))) == [5, 10]
    assert sorted(each.amount for each in in_force(versions, date(2026, 2, 1))) == [5, 20]
    assert in_force(versions, date(2025, 12, 31)) == []


def test_the_bridge_counts_the_accounts_behind_each_amount():
    versions = [
        version(date(2025, 1, 1), 300),
        version(date(2026, 1, 10), 200, customer_id=GLOBEX),
    ]
    found = bridge(JANUARY, mrr_movements(versions, YEAR, same))
    assert (found.start, found.new, found.end) == (300, 200, 500)
    assert (found.started, found.won, found.lost, found.returned, found.ended) == (1, 1, 0, 0, 2)


def _subscriptions() -> st.SearchStrategy[list[SubscriptionVersion]]:
    days = st.dates(date(2024, 11, 1), date(2027, 2, 28))

    def build(values: tuple[int, int, date, int | None, int]) -> SubscriptionVersion:
        customer, number, starts_on, length, cents = values
        return SubscriptionVersion(
            UUID(int=customer),
            f"S-{customer}-{number}",
            starts_on,
            starts_on + timedelta(days=length) if length else None,
            Decimal(cents) / 100,
            "EUR",
        )

    one = st.tuples(
        st.integers(1, 3),
        st.integers(1, 2),
        days,
        st.none() | st.integers(1, 400),
        st.integers(0, 10**8),
    ).map(build)
    return st.lists(one, max_size=12, unique_by=lambda each: (each.reference, each.starts_on))


def _balance(each: Movement) -> Decimal:
    gained = each.new + each.expansion + each.reactivation
    return each.start + gained - each.contraction - each.churn


@given(_subscriptions())
def test_the_movements_lead_from_start_to_end_for_each_customer_and_in_total(versions):
    found = mrr_movements(versions, YEAR, same)
    for each in found:
        assert _balance(each) == each.end
        changes = (each.new, each.expansion, each.contraction, each.churn, each.reactivation)
        assert min(changes) >= 0 and sum(1 for change in changes if change) <= 1
    for month in YEAR:
        total = bridge(month, found)
        assert _balance(total) == total.end
        assert total.started + total.won + total.returned - total.lost == total.ended


@given(_subscriptions())
def test_each_month_starts_where_the_one_before_ended(versions):
    found = mrr_movements(versions, YEAR, same)
    bridges = [bridge(month, found) for month in YEAR]
    for before, after in zip(bridges, bridges[1:], strict=False):
        assert (before.end, before.ended) == (after.start, after.started)


@given(_subscriptions())
def test_a_customer_is_new_once_and_comes_back_only_after_churn(versions):
    every = [Month(2024, 10).plus(n) for n in range(30)]
    for customer_id in {each.customer_id for each in versions}:
        has_paid = False
        for each in mrr_movements(versions, every, same):
            if each.customer_id == customer_id:
                assert not (each.new and has_paid) and not (each.reactivation and not has_paid)
                has_paid = has_paid or each.end > ZERO


@pytest.mark.parametrize(
    ("won_on", "lost_on", "expected"),
    [
        (date(2026, 3, 2), None, (7, False)),
        (date(2026, 3, 2), date(2026, 6, 1), (3, True)),
        (date(2026, 3, 2), date(2026, 3, 20), (1, True)),  # Churn in the month of winning.
        (date(2026, 3, 2), date(2026, 11, 1), (7, False)),  # Not known yet.
        (date(2026, 10, 31), None, (1, False)),
        (date(2026, 11, 1), None, None),
    ],
)
def test_a_lifetime_is_what_was_known_on_the_day(won_on, lost_on, expected):
    assert lifetime(won_on, lost_on, date(2026, 10, 31)) == expected
