"""FOCUS bills on the page of imports: preview, complete application, replacement, restatements."""

from datetime import date
from decimal import Decimal

import duckdb
import pytest
from sqlalchemy import select

from governance.economics.costs import queries
from governance.economics.costs.models import CostBill, CostLine
from governance.foundation.audit.models import AuditEntry
from governance.kernel.data.db import session
from governance.kernel.months import Month
from tests.browser import words
from tests.economics.costs.focus_helpers import KIND, SAMPLES, csv_of, import_rows, row
from tests.economics.imports.import_helpers import apply, row_of, upload

MAY, OCTOBER = Month(2026, 5), Month(2026, 10)


def lines():
    return session().scalars(select(CostLine).order_by(CostLine.day, CostLine.effective)).all()


def test_a_bill_is_previewed_and_then_applied(as_operator, acting):
    address = upload(as_operator, csv_of([row(), row(EffectiveCost="62.50")]), "hc.csv", KIND)
    preview = words(as_operator.get(address))
    assert "FOCUS 1.4" in preview
    assert "Bill HC-2026-10 is new: €112.50 effective, 2 charges." in preview
    assert "112.50 EUR effective" in preview and "100.00 EUR billed" in preview
    with acting("operator_finance", "console"):
        assert not lines()
    apply(as_operator, address)
    with acting("operator_finance", "console"):
        (line,) = lines()
        assert (line.usage_month, line.day, line.pool) == ("2026-10", date(2026, 10, 17), "models")
        assert (line.billed, line.effective, line.source_lines) == (100, Decimal("112.5"), 2)
        assert (line.quantity, line.unit, line.meter) == (20_000_000, "Token", "input")
        assert queries.pools(OCTOBER)["models"] == Decimal("112.5")


def test_rejected_rows_keep_the_whole_file_out(as_operator, acting):
    wrong = [row(), row(BilledCost="$10"), row(ChargePeriodStart="5/1/25")]
    address = upload(as_operator, csv_of(wrong), "hc.csv", KIND)
    preview = words(as_operator.get(address))
    assert "BilledCost: “$10” is not a plain number such as 1234.56." in preview
    assert "“5/1/25” is not a date" in preview
    as_operator.post(f"{address}/apply", then=422)
    with acting("operator_finance", "console"):
        assert not lines()


def test_the_page_says_how_many_of_many_rejected_rows_are_listed(as_operator):
    address = upload(as_operator, csv_of([row(BilledCost="$1")] * 1_200), "hc.csv", KIND)
    said = "The first 500 are shown. The download has the first 1,000 of 1,200"
    assert said in words(as_operator.get(address))
    assert len(as_operator.get(f"{address}/rejected.csv").text.splitlines()) == 1_001


def test_a_line_with_too_few_cells_is_named(as_operator):
    address = upload(as_operator, csv_of([row()]) + b"one,two\n", "hc.csv", KIND)
    assert "The line doesn't have the cells of the header." in words(as_operator.get(address))
    assert row_of(address).rejected[0][0] == 3


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"day,amount\n2026-10-01,3\n", "This isn't a FOCUS Cost and Usage file"),
        (csv_of([row(billedcost="1")]), "The column BilledCost is there twice."),
        (b"a" * 300 + b"," * 5_000 + b"\n1\n", "columns. The maximum is 200."),
    ],
)
def test_a_file_that_is_no_bill_says_why(as_operator, content, reason):
    page = as_operator.get(upload(as_operator, content, "hc.csv", KIND))
    assert reason in words(page)


def test_a_parquet_file_with_typed_columns_is_the_same_bill(as_operator, acting, tmp_path):
    source, target = tmp_path / "bill.csv", tmp_path / "bill.parquet"
    source.write_bytes(csv_of([row(), row(EffectiveCost="0.00000123")]))
    duckdb.sql(f"COPY (FROM read_csv('{source}')) TO '{target}' (FORMAT parquet)")
    address = upload(as_operator, target.read_bytes(), "bill.parquet", KIND)
    assert row_of(address).rows_rejected == 0
    apply(as_operator, address)
    with acting("operator_finance", "console"):
        assert sum(line.effective for line in lines()) == Decimal("50.00000123")


def test_the_published_sample_of_1_2_is_imported(as_operator, acting):
    content = (SAMPLES / "toolkit-1.2-cost-and-usage.csv").read_bytes()
    apply(as_operator, upload(as_operator, content, "aws.csv", KIND))
    with acting("operator_finance", "console"):
        assert len(queries.bills(MAY)) == 2
        assert sum(line.billed for line in lines()) == Decimal("27.339199")


def test_the_same_file_again_changes_nothing(as_operator, acting):
    rows = csv_of([row()])
    apply(as_operator, upload(as_operator, rows, "hc.csv", KIND))
    again = as_operator.get(upload(as_operator, rows, "hc-copy.csv", KIND))
    assert "Nothing was changed" in again.text
    with acting("operator_finance", "console"):
        assert len(lines()) == 1


def test_a_second_file_replaces_the_bill_as_a_whole_and_says_the_difference(as_operator, acting):
    import_rows(as_operator, [row(), row(EffectiveCost="100"), row(InvoiceId="HC-other")])
    newer = csv_of([row(EffectiveCost="1650")])
    address = upload(as_operator, newer, "newer.csv", KIND)
    assert "This file replaces the bill HC-2026-10 of" in words(as_operator.get(address))
    assert ": +€1,500.00." in words(as_operator.get(address))
    apply(as_operator, address)
    with acting("operator_finance", "console"):
        assert sorted(line.effective for line in lines()) == [50, 1650]
        bills = session().scalars(select(CostBill)).all()
        assert [bill.effective for bill in bills if bill.replaced_at] == [150]
        entries = session().scalars(
            select(AuditEntry.action).where(AuditEntry.action.like("cost_bill.%"))
        )
        assert sorted(entries) == ["cost_bill.added"] * 3 + ["cost_bill.replaced"]


def test_a_correction_billed_in_june_restates_the_usage_month_of_may(as_operator, acting):
    may = {"BillingPeriodStart": "2026-05-01", "BillingPeriodEnd": "2026-06-01"}
    days = {"ChargePeriodStart": "2026-05-12", "ChargePeriodEnd": "2026-05-13"}
    first = import_rows(as_operator, [row(InvoiceId="HC-05", EffectiveCost="48000", **may, **days)])
    june = {"BillingPeriodStart": "2026-06-01", "BillingPeriodEnd": "2026-07-01"}
    in_june = {"ChargePeriodStart": "2026-06-02", "ChargePeriodEnd": "2026-06-03"}
    second = import_rows(
        as_operator,
        [
            row(InvoiceId="HC-06", EffectiveCost="50000", **june, **in_june),
            row(InvoiceId="HC-06", EffectiveCost="1500", ChargeClass="Correction", **june, **days),
        ],
    )
    with acting("operator_finance", "console"):
        assert queries.pools(MAY)["models"] == 49_500
        assert [(str(c.month), c.before) for c in queries.restated_months(first.id)] == [
            ("2026-05", 0)
        ]
        changed = queries.restated_months(second.id)
        assert [(str(c.month), c.before, c.after, c.corrections) for c in changed] == [
            ("2026-05", 48_000, 49_500, 1_500),
            ("2026-06", 0, 50_000, 0),
        ]
        since = queries.months_changed_since(changed[0].at)
        assert {str(each.month) for each in since} <= {"2026-05", "2026-06"}


def test_a_prepaid_commitment_counts_as_it_is_drawn_down(as_operator, acting):
    purchase = {"ChargeCategory": "Purchase", "BilledCost": "500000", "EffectiveCost": "0"}
    drawdown = {"BilledCost": "0", "ListCost": "62.50", "EffectiveCost": "50.00"}
    import_rows(as_operator, [row(**purchase), row(**drawdown)])
    with acting("operator_finance", "console"):
        (total,) = queries.month_totals(OCTOBER)
        assert (total.billed, total.effective) == (500_000, 50)
        assert queries.pools(OCTOBER)["models"] == 50


def test_rules_place_the_charges_of_later_files(as_operator, acting):
    as_operator.post(
        "/operator/economics/costs/rules", service="Content safety*", pool="guardrails"
    )
    import_rows(as_operator, [row(), row(ServiceName="Content safety scan", EffectiveCost="9")])
    with acting("operator_finance", "console"):
        found = queries.pools(OCTOBER)
        assert (found["models"], found["guardrails"]) == (50, 9)


def test_nobody_of_a_customer_reads_a_bill(as_operator, as_admin, acting):
    import_rows(as_operator, [row()])
    as_admin.get("/operator/economics/costs", then=404)
    with acting("admin"):
        assert not lines() and not session().scalars(select(CostBill)).all()
