"""Amounts of money as people write them."""

import pytest

from governance.kernel.errors import Invalid
from governance.operations.agreements.money import read_amount


@pytest.mark.parametrize(
    ("text", "amount"), [("12,400.00", 1_240_000), ("0", 0), (" 7 ", 700), ("1e3", 100_000)]
)
def test_an_amount_is_read_in_minor_units(text, amount):
    assert read_amount(text, "EUR", field="fee") == amount


@pytest.mark.parametrize(
    "text",
    ["", "x", "NaN", "sNaN", "Infinity", "-1", "1e999999", "9" * 400, "1e15", "0.001", "1e-9"],
)
def test_what_is_no_amount_is_refused_beside_its_field(text):
    with pytest.raises(Invalid) as refused:
        read_amount(text, "EUR", field="fee")
    assert refused.value.field == "fee"
