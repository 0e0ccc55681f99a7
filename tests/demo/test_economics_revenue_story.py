"""The demo's customers: their files are imported, and their months add up."""

from collections import Counter

from governance.demo import economics_revenue_story
from governance.economics.formulas.survival import MIN_LOST
from governance.economics.revenue import queries
from governance.economics.revenue.models import AcquisitionMonth
from governance.kernel.data.db import session
from governance.kernel.months import Month
from tests import make


def test_eighteen_months_of_twenty_six_customers_are_imported(app, database):
    economics_revenue_story.create_customers()
    economics_revenue_story.tell(make.actor("operator_finance", "console"))
    now = Month.of(economics_revenue_story.days_ago(economics_revenue_story.IMPORTED))
    months = [now.plus(-n) for n in range(18, -1, -1)]
    with make.acting("operator_finance", "console"):
        movements = queries.mrr_movements(months)
        assert {each.month for each in movements} == set(months)
        assert len({each.customer_id for each in movements}) == 26
        assert any(each.churn for each in movements) and any(each.contraction for each in movements)
        assert sum(1 for each in movements if each.reactivation) == 1
        billed = queries.invoiced(months)
        assert all(sum(billed[month].values()) > 0 for month in months[:-1])
        wins = sum(each.wins for each in session().query(AcquisitionMonth))
        assert wins == len(queries.all_accounts()) == 26
        assert len(queries.support_by_customer(now.plus(-1))) == 16


def test_enough_small_businesses_left_to_estimate_how_long_they_stay_and_of_nobody_else():
    lost = Counter(
        each.segment for each in economics_revenue_story.CUSTOMERS if each.lost is not None
    )
    assert {name for name, count in lost.items() if count >= MIN_LOST} == {
        economics_revenue_story.SMALL
    }
