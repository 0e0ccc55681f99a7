"""FOCUS 1.0 to 1.4: the version, rejected rows, and the lines of a bill."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from governance.economics.costs import focus_columns
from governance.economics.costs.focus_bill import UnreadableBill
from governance.economics.costs.focus_lines import PoolRule
from tests.economics.costs.focus_helpers import read, row, said, sample, total
from tests.hypothesis_profiles import examples


def test_the_official_sample_of_1_0_is_read_with_its_nulls_and_stray_column():
    file = read(sample("sample-1.0-40-rows.csv"))
    assert (file.version, file.rows, file.rejected_rows) == ("1.0", 40, 0)
    assert "Id: not a FOCUS column, ignored." in file.notes
    assert "ContractedCost: is empty in 7 rows." in file.notes
    oracle = [line for line in file.lines if line.bill.provider == "Oracle"]
    assert {line.contracted for line in oracle} == {None}
    assert total(oracle, "billed") == Decimal("0.53707392473")
    assert total(file.lines, "source_lines") == 40


def test_the_sample_of_1_2_has_two_invoices_and_its_unused_commitment_is_idle():
    file = read(sample("toolkit-1.2-cost-and-usage.csv"))
    assert (file.version, file.rejected_rows, file.notes) == ("1.2", 0, [])
    assert sorted(key.invoice_id for key in file.bills) == ["INV-2026-05-0001", "INV-2026-05-0002"]
    assert total(file.lines, "billed") == Decimal("27.339199")
    idle = [line for line in file.lines if line.pool == "idle"]
    assert idle and not total(idle, "billed") and total(idle, "effective") > 0


@pytest.mark.parametrize("name", ["a1", "a2"])
def test_days_in_the_american_order_are_rejected_since_they_are_ambiguous(name):
    file = read(sample(f"spec-1.2-virtual_currency_pricing_model_{name}.csv"))
    assert file.version == "1.2" and file.rejected_rows == file.rows and not file.lines
    assert (2, "BillingPeriodStart") in said(file) and (2, "BilledCost") not in said(file)
    reason = "“5/1/25” is not a date such as 2026-10-01T00:00:00Z. Other orders are ambiguous."
    assert file.rejected[0].reason == f"BillingPeriodEnd: {reason}"


def test_an_amount_with_a_currency_sign_is_rejected():
    file = read(sample("spec-1.2-simple_saas_agreements_a1.csv"))
    assert (2, "BilledCost") in said(file)
    assert "“$10,000.00” is not a plain number" in file.rejected[0].reason


@pytest.mark.parametrize(
    ("names", "version"),
    [
        (("ProviderName", "BilledCost"), "1.0"),
        (("ProviderName", "CapacityReservationId"), "1.1"),
        (("ProviderName", "InvoiceId"), "1.2"),
        (("ProviderName", "ServiceProviderName"), "1.3"),
        (("ServiceProviderName", "BilledCost"), "1.4"),
        (("ProviderName", "ServiceProviderName", "InvoiceDetailId"), "1.4"),
    ],
)
def test_the_columns_say_which_version_a_file_follows(names, version):
    assert focus_columns.version_of(names) == version


def test_a_file_without_costs_is_no_bill_and_says_what_is_missing():
    with pytest.raises(UnreadableBill, match="EffectiveCost, ServiceProviderName are missing"):
        read([row(EffectiveCost=..., ServiceProviderName=...)])


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"BilledCost": "1,50"}, "BilledCost"),
        ({"BilledCost": "NULL"}, "BilledCost"),
        ({"EffectiveCost": ""}, "EffectiveCost"),
        ({"EffectiveCost": "NaN"}, "EffectiveCost"),
        ({"EffectiveCost": "1e99"}, "EffectiveCost"),
        ({"ListCost": "10000000000000"}, "ListCost"),
        ({"PricingQuantity": "ten"}, "PricingQuantity"),
        ({"BillingCurrency": "€"}, "BillingCurrency"),
        ({"ChargeCategory": "Fee"}, "ChargeCategory"),
        ({"ChargeClass": "Fix"}, "ChargeClass"),
        ({"ServiceName": "null"}, "ServiceName"),
        ({"ServiceProviderName": " "}, "ServiceProviderName"),
        ({"ChargePeriodStart": "46312"}, "ChargePeriodStart"),
        ({"ChargePeriodStart": "2026-13-01"}, "ChargePeriodStart"),
        ({"ChargePeriodEnd": "2026-10-17T00:00:00Z"}, "ChargePeriodEnd"),
        ({"BillingPeriodEnd": "2026-09-01"}, "BillingPeriodEnd"),
    ],
)
def test_one_wrong_row_is_named_by_line_and_field_and_no_line_is_made(changed, field):
    file = read([row(), row(**changed)])
    assert said(file) == [(3, field)]
    assert (file.rows, file.rejected_rows, file.lines) == (2, 1, [])
    assert field in file.rejected[0].reason and file.rejected[0].reason.endswith(".")


def test_a_value_that_no_figure_depends_on_is_noted():
    file = read([row(ServiceCategory="Database", InvoiceIssuerName="")])
    assert not file.rejected and file.lines[0].pool == "infrastructure"
    assert file.notes == [
        "InvoiceIssuerName: is empty in 1 row.",
        "ServiceCategory: has a value that FOCUS doesn't allow in 1 row.",
    ]


def test_a_prepaid_commitment_is_billed_once_and_drawn_down_at_effective_cost():
    file = read(
        [
            row(
                ChargeCategory="Purchase",
                BilledCost="500000.00",
                EffectiveCost="0",
                ListCost="500000.00",
                ChargePeriodEnd="2027-10-17T00:00:00Z",
            ),
            row(BilledCost="0", ListCost="62.50", EffectiveCost="50.00", ContractedCost="50.00"),
        ]
    )
    purchase, usage = sorted(file.lines, key=lambda line: line.category)
    assert (purchase.billed, purchase.effective) == (500_000, 0)
    assert (usage.billed, usage.list, usage.effective) == (0, Decimal("62.5"), 50)


def test_a_correction_belongs_to_the_month_that_it_corrects():
    file = read(
        [
            row(
                ChargeClass="Correction",
                BillingPeriodStart="2026-06-01",
                BillingPeriodEnd="2026-07-01",
                ChargePeriodStart="2026-05-12",
                ChargePeriodEnd="2026-05-13",
                EffectiveCost="1500",
            )
        ]
    )
    (line,) = file.lines
    assert line.is_correction and line.bill.period_start == date(2026, 6, 1)
    assert (line.day, line.effective) == (date(2026, 5, 12), 1500)


@pytest.mark.parametrize(
    ("zone", "start", "end", "day"),
    [
        ("America/New_York", "2026-10-01T00:00:00Z", "2026-10-02T00:00:00Z", date(2026, 10, 1)),
        ("America/New_York", "2026-10-01T00:00:00Z", "2026-10-01T01:00:00Z", date(2026, 9, 30)),
        ("Europe/Berlin", "2026-09-30T22:00:00Z", "2026-09-30T23:00:00Z", date(2026, 10, 1)),
        ("Europe/Berlin", "2026-10-01 00:30:00+02", "2026-10-01 01:30:00+02", date(2026, 10, 1)),
        ("UTC", "2026-10-01", "2026-11-01", date(2026, 10, 1)),
    ],
)
def test_a_day_of_utc_keeps_its_date_and_an_hour_is_of_the_operators_day(zone, start, end, day):
    file = read([row(ChargePeriodStart=start, ChargePeriodEnd=end)], zone=zone)
    assert file.lines[0].day == day


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"PricingUnit": "1M Tokens"}, (10_000_000, "Token")),
        ({"PricingUnit": "1000 tokens"}, (10_000, "Token")),
        ({"PricingUnit": "Token"}, (10, "Token")),
        ({"PricingUnit": "Hours"}, (10, "Hours")),
        ({"ConsumedQuantity": "7", "ConsumedUnit": "Tokens"}, (7, "Token")),
        ({"PricingQuantity": ""}, (None, "Token")),
    ],
)
def test_quantities_of_tokens_are_counted_in_tokens(changed, expected):
    (line,) = read([row(**changed)]).lines
    assert (line.quantity, line.unit) == expected


@pytest.mark.parametrize(
    ("meter", "expected"),
    [
        ("Input tokens", "input"),
        ("Cached input tokens", "cache_read"),
        ("Cache creation", "cache_write"),
        ("Output tokens", "output"),
        ("Reasoning output", "reasoning"),
        ("Requests", "request"),
        ("Searches", None),
    ],
)
def test_the_meter_says_which_tokens_are_billed(meter, expected):
    assert read([row(SkuMeter=meter)]).lines[0].meter == expected


@pytest.mark.parametrize(
    ("changed", "model"),
    [
        ({}, "helio-large"),
        ({"x_Model": "", "Tags": '{"model": "helio-small"}'}, "helio-small"),
        ({"x_Model": "", "Tags": "{broken", "SkuId": "HL-3"}, "HL-3"),
        ({"x_Model": "NULL", "ResourceId": "endpoint-4"}, "endpoint-4"),
        ({"ServiceCategory": "Compute"}, None),
    ],
)
def test_the_model_comes_from_the_first_column_that_names_one(changed, model):
    assert read([row(**changed)]).lines[0].model == model


TOKEN_BILL = {"x_Model": "", "SkuPriceDetails": '{"ModelId": "solora-atlas-5.5"}'}


def test_input_and_output_of_a_model_are_of_one_model():
    """Recognize one model by SkuPriceDetails, although each of its SKUs has one meter."""
    bill = [
        row(**TOKEN_BILL, SkuId=f"solora-atlas-5.5-{meter}", SkuMeter=f"{meter} tokens")
        for meter in ("input", "output")
    ]
    assert [(each.model, each.meter) for each in read(bill).lines] == [
        ("solora-atlas-5.5", "input"),
        ("solora-atlas-5.5", "output"),
    ]
    other = row(x_Model="helio-large", SkuPriceDetails='{"ModelId": "other"}')
    assert read([other]).lines[0].model == "helio-large"


@pytest.mark.parametrize("details", ["", "{broken", "[]", '"text"', '{"ModelId": null}', "NULL"])
def test_price_details_without_a_model_name_none(details):
    bill = [row(x_Model="", SkuPriceDetails=details, SkuId="HL-3")]
    assert read(bill).lines[0].model == "HL-3"


def test_a_commitment_purchase_is_no_model():
    """Keep a commitment of 500,000 USD in the bill, without a model named after its SKU."""
    bought = {
        "x_Model": "",
        "SkuPriceDetails": "",
        "ChargeCategory": "Purchase",
        "SkuId": "TOKEN-COMMITMENT-PURCHASE",
        "ResourceId": "commitment-1",
        "BilledCost": "500000",
    }
    used = row(**TOKEN_BILL, SkuId="solora-atlas-5.5-input", ResourceId="")
    lines = read([row(**bought), used]).lines
    assert {(each.category, each.model) for each in lines} == {
        ("Purchase", None),
        ("Usage", "solora-atlas-5.5"),
    }
    assert total(lines, "billed") == 500_050
    named = row(**bought | TOKEN_BILL)  # For example a reserved endpoint of one model.
    assert read([named]).lines[0].model == "solora-atlas-5.5"


@pytest.mark.slow
def test_the_first_rule_that_matches_places_a_charge():
    rules = [
        PoolRule("*", "Content safety*", "*", "guardrails"),
        PoolRule("Helio*", "*", "100%_ready", "support"),
        PoolRule("helio cloud", "*", "*", "other"),
    ]

    def pool(**changed: str) -> str:
        return read([row(**changed)], rules=rules).lines[0].pool

    assert pool(ServiceName="content safety scans") == "guardrails"
    assert pool() == "other"
    assert pool(ResourceName="100%_ready") == "support"
    assert pool(ResourceName="100 is ready") == "other"
    assert pool(ServiceProviderName="Lattice", ServiceCategory="Compute") == "infrastructure"
    assert pool(ServiceProviderName="Lattice") == "models"
    unused = {"CommitmentDiscountStatus": "Unused", "ServiceProviderName": "Lattice"}
    assert pool(**unused) == "idle"


costs = st.decimals(-10_000, 10_000, places=9)


@pytest.mark.slow
@settings(max_examples=examples(15))
@given(
    st.lists(
        st.tuples(
            costs, costs, st.sampled_from(["HC-1", "HC-2", ""]), st.sampled_from(["EUR", "USD"])
        ),
        min_size=1,
        max_size=30,
    )
)
def test_the_lines_add_up_to_the_rows_exactly(charges):
    file = read(
        [
            row(BilledCost=f"{billed}", EffectiveCost=f"{effective}", InvoiceId=bill)
            | {"BillingCurrency": currency}
            for billed, effective, bill, currency in charges
        ]
    )
    assert total(file.lines, "source_lines") == len(charges)
    for currency in ("EUR", "USD"):
        lines = [line for line in file.lines if line.currency == currency]
        assert total(lines, "billed") == sum(each[0] for each in charges if each[3] == currency)
        assert total(lines, "effective") == sum(each[1] for each in charges if each[3] == currency)
