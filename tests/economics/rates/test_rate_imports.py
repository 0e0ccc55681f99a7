"""Exchange rates imported from a file."""

from decimal import Decimal

import pytest

from governance.economics.rates import queries
from governance.kernel.months import Month
from tests.browser import words
from tests.economics.imports.import_helpers import apply, row_of, upload

HEAD = "month,currency,rate,source\n"
GOOD = HEAD + "2026-09,USD,0.91,ECB\n2026-10,USD,0.9207,ECB\n2026-10,GBP,1.15,ECB\n"


def test_a_file_of_rates_is_entered(as_operator, acting):
    address = upload(as_operator, GOOD, "rates.csv", "rates")
    assert "Reporting currency EUR" in words(as_operator.get(address))
    apply(as_operator, address)
    with acting("operator_finance", "console"):
        october = queries.month_rates(Month(2026, 10))
        assert october.rates == {"USD": Decimal("0.9207"), "GBP": Decimal("1.15")}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("2026-10,EUR,1,ECB", "EUR is the reporting currency"),
        ("2099-01,USD,1,ECB", "January 2099 is still to come"),
        ("2026-10,USD,0,ECB", "Enter a rate above 0"),
        ("2026-09,USD,0.92,ECB", "Line 2 has the rate of USD in 2026-09 already"),
        ("2026-10,XAU,1,ECB", "XAU"),
    ],
)
def test_a_line_that_is_no_rate_is_rejected_and_nothing_is_entered(
    as_operator, acting, line, reason
):
    address = upload(as_operator, f"{HEAD}2026-09,USD,0.91,ECB\n{line}\n", "rates.csv", "rates")
    assert reason in words(as_operator.get(address))
    assert not row_of(address).can_be_applied
    with acting("operator_finance", "console"):
        assert queries.entered_rates() == []
