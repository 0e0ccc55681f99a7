"""The workbook of a review: inputs as values, and every figure as a formula over their cells.

    build(facts, revision) -> bytes     XLSX, which any spreadsheet recomputes to the same cents

Pure: the same facts give the same bytes. Sheets: Review, Tenants, Segments, Tiers, Tasks, MRR,
Reconciliation, Allocation, Inputs.
"""

import io
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from governance.economics.formulas.currencies import DECIMALS
from governance.economics.reviews.facts.review_facts import ReviewFacts
from governance.publishing.review_files import workbook_tables
from governance.publishing.review_files.review_data import RevisionInfo
from governance.publishing.review_files.workbook_sheet import (
    COUNT,
    MONEY,
    SHARE,
    UNIT,
    Sheet,
    column_sum,
    formats_of,
    formula,
    ratio,
)


def build(facts: ReviewFacts, revision: RevisionInfo) -> bytes:
    """Return the file's bytes."""
    import xlsxwriter  # noqa: PLC0415 - only background work writes workbooks

    stream = io.BytesIO()
    book = xlsxwriter.Workbook(stream, {"in_memory": True, "strings_to_formulas": False})
    book.set_properties(
        {
            "title": f"Unit-economics review {facts.month}, revision {revision.number}",
            "company": facts.operator,
            "created": revision.closed_at.replace(tzinfo=None),
        }
    )
    formats = formats_of(book)
    review = Sheet(book, formats, "Review", (34, 18, 60))
    tenants = workbook_tables.tenants(
        Sheet(book, formats, "Tenants", (26, 16, 14, *[14] * 14)), facts
    )
    workbook_tables.segments(Sheet(book, formats, "Segments", (22, *[15] * 9)), facts, tenants)
    workbook_tables.tiers(Sheet(book, formats, "Tiers", (18, *[15] * 9)), facts, tenants)
    workbook_tables.tasks(Sheet(book, formats, "Tasks", (26, 22, 18, *[15] * 4)), facts)
    workbook_tables.mrr(Sheet(book, formats, "MRR", (28, 18)), facts)
    residual = _reconciliation(Sheet(book, formats, "Reconciliation", (28, 22, 16, 16, 16)), facts)
    residue = _allocation(Sheet(book, formats, "Allocation", (26, *[16] * 7)), facts)
    _inputs(Sheet(book, formats, "Inputs", (26, 30, 18, 70)), facts, revision)
    _review(review, facts, tenants, residual, residue)
    book.close()
    return stream.getvalue()


def _reconciliation(sheet: Sheet, facts: ReviewFacts) -> int:
    """Write models, then causes and days. Return the row of the models' sums."""
    checked = facts.reconciliation
    sheet.head("Provider", "Model", "Computed", "Invoiced", "Residual", "Share")
    for each in checked.models:
        n = sheet.row
        share = each.residual / each.invoiced if each.invoiced else None
        sheet.line(
            each.provider,
            (each.model, "text"),
            (each.computed, MONEY),
            (each.invoiced, MONEY),
            formula(f"=D{n}-C{n}", MONEY, each.residual),
            formula(ratio(f"E{n}", f"D{n}"), SHARE, share),
        )
    last = sheet.row - 1
    n = sheet.row
    total = sheet.line(
        "Total",
        ("", "text"),
        formula(column_sum("C", last), MONEY, checked.computed),
        formula(column_sum("D", last), MONEY, checked.invoiced),
        formula(column_sum("E", last), MONEY, checked.residual),
        formula(
            ratio(f"E{n}", f"D{n}"),
            SHARE,
            checked.residual / checked.invoiced if checked.invoiced else None,
        ),
        total=True,
    )
    _parts(sheet, "Cause", [(each.name, each.amount) for each in checked.causes], checked.residual)
    _parts(
        sheet,
        "Day",
        [(each.day or "Whole month", each.amount) for each in checked.days],
        checked.residual,
    )
    return total


def _parts(sheet: Sheet, head: str, parts: Sequence[tuple[str, Decimal]], total: Decimal) -> None:
    """Write the parts of the residual, and their sum."""
    if not parts:
        return
    sheet.row += 1
    sheet.head(head, "", "", "", "Residual")
    start = sheet.row
    for label, amount in parts:
        sheet.line(label, ("", "text"), ("", "text"), ("", "text"), (amount, MONEY))
    sheet.line(
        f"All of it, by {head.lower()}",
        ("", "text"),
        ("", "text"),
        ("", "text"),
        formula(f"=SUM(E{start}:E{sheet.row - 1})", MONEY, total),
        total=True,
    )


def _allocation(sheet: Sheet, facts: ReviewFacts) -> int:
    """Write pools with their residue, then tenants' margins by rule. Return the row of the sums."""
    sheet.head("Pool", "Total", "Allocated", "Residue")
    for each in facts.pools:
        n = sheet.row
        sheet.line(
            each.name,
            (each.total, MONEY),
            (each.allocated, MONEY),
            formula(f"=B{n}-C{n}", MONEY, each.residue),
        )
    last = sheet.row - 1
    sums = [
        sum((getattr(each, name) for each in facts.pools), Decimal(0))
        for name in ("total", "allocated", "residue")
    ]
    total = sheet.line(
        "All pools",
        *(
            formula(column_sum(column, last), MONEY, amount)
            for column, amount in zip("BCD", sums, strict=True)
        ),
        total=True,
    )
    rules = sorted({rule for each in facts.tenants for rule in each.margin_by_driver})
    if rules:
        sheet.row += 1
        sheet.head("Margin by rule", *rules)
        start = sheet.row
        for tenant in facts.tenants:
            by_rule = tenant.margin_by_driver
            sheet.line(tenant.name, *((by_rule.get(each, tenant.margin), MONEY) for each in rules))
        sheet.line(
            "All tenants",
            *(
                formula(
                    f"=SUM({column}{start}:{column}{sheet.row - 1})",
                    MONEY,
                    sum(
                        (each.margin_by_driver.get(rule, each.margin) for each in facts.tenants),
                        Decimal(0),
                    ),
                )
                for column, rule in zip("BCDEFGH", rules, strict=False)
            ),
            total=True,
        )
    return total


def _inputs(sheet: Sheet, facts: ReviewFacts, revision: RevisionInfo) -> None:
    sheet.head("Input", "Source", "Rows", "SHA-256")
    for each in facts.inputs:
        sheet.line(each.label, (each.source, "text"), (each.rows, COUNT), (each.sha256, "text"))
    sheet.line("All inputs", ("", "text"), ("", "text"), (revision.input_digest, "text"))
    for rate in facts.rates:
        sheet.line(f"1 {rate.currency}", (f"in {facts.currency}", "text"), (rate.rate, UNIT))
    for said in facts.without_price:
        sheet.line("Usage without a price", (said, "text"))
    for rule in facts.rules:
        sheet.line(
            f"Rule: {rule.pool}",
            (f"by {rule.driver}", "text"),
            (rule.version, COUNT),
            (f"since {rule.since}", "text"),
        )
    for each_formula in facts.formulas:
        sheet.line(
            f"Formula: {each_formula.name}",
            (each_formula.unit, "text"),
            (each_formula.version, COUNT),
            (each_formula.text, "text"),
        )


def _review(sheet: Sheet, facts: ReviewFacts, tenants: int, residual: int, residue: int) -> None:
    """Write the waterfall (B2 to B10) and the ratios, each a formula over the other sheets."""
    w, r = facts.waterfall, facts.ratios
    sheet.head(f"{facts.operator}, {facts.month}", facts.currency, "Definition")
    rows: list[tuple[str, Any, str, str]] = [
        ("Revenue", formula(f"=Tenants!D{tenants}", MONEY, w.revenue), "", "Sum of tenants"),
        ("Models", formula(f"=Tenants!F{tenants}", MONEY, w.costs.models), "", "Usage × prices"),
        ("Guardrails", formula(f"=Tenants!G{tenants}", MONEY, w.costs.guardrails), "", "Allocated"),
        ("Infrastructure", formula(f"=Tenants!H{tenants}", MONEY, w.costs.infrastructure), "",
         "Allocated, idle capacity included"),
        ("Support", formula(f"=Tenants!I{tenants}", MONEY, w.costs.support), "", "Allocated"),
        ("Residual",
         formula(f"=ROUND(Reconciliation!E{residual},{DECIMALS[facts.currency]})", MONEY, w.residual),
         "", "Invoiced − computed model cost, to the cent"),
        ("Residue", formula(f"=Allocation!D{residue}", MONEY, w.residue), "",
         "Shared cost that no rule allocates"),
        ("Gross margin", formula("=B2-B3-B4-B5-B6-B7-B8", MONEY, w.gross_margin), "total",
         "Revenue − all cost of serving"),
        ("Acquisition", (w.acquisition, MONEY), "", "Input"),
        ("Contribution", formula("=B9-B10", MONEY, w.contribution), "total",
         "Gross margin − acquisition"),
        ("Gross margin, share", formula(ratio("B9", "B2"), SHARE, r.gross_margin), "",
         "Gross margin ÷ revenue"),
        ("Contribution, share", formula(ratio("B11", "B2"), SHARE, r.contribution), "",
         "Contribution ÷ revenue"),
        ("ARPA", formula(ratio("MRR!B8", "MRR!B13"), MONEY, r.arpa), "", "MRR ÷ paying accounts"),
        ("Logo churn", formula(ratio("MRR!B12", "MRR!B9"), SHARE, r.logo_churn), "",
         "Lost ÷ accounts at the start"),
        ("Gross revenue retention", formula(ratio("(MRR!B2-MRR!B6-MRR!B7)", "MRR!B2"), SHARE, r.grr),
         "", "(Start − contraction − churn) ÷ start"),
        ("Net revenue retention",
         formula(ratio("(MRR!B2+MRR!B4-MRR!B6-MRR!B7)", "MRR!B2"), SHARE, r.nrr), "",
         "(Start + expansion − contraction − churn) ÷ start"),
        ("Quick ratio", formula(ratio("(MRR!B3+MRR!B4)", "(MRR!B6+MRR!B7)"), UNIT, r.quick_ratio), "",
         "(New + expansion) ÷ (contraction + churn)"),
        ("Cost per request",
         formula(ratio("SUM(B3:B8)", f"Tenants!M{tenants}"), UNIT, r.cost_per_request), "",
         "All cost of serving ÷ requests"),
        ("Guardrails per request",
         formula(ratio("B4", f"Tenants!M{tenants}"), UNIT, r.guardrails_per_request), "",
         "Guardrails ÷ requests"),
        ("Cost per completed task",
         formula(ratio("B3", f"Tenants!O{tenants}"), UNIT, r.cost_per_task), "",
         "Model cost of all attempts ÷ completed tasks"),
    ]  # fmt: skip # rows of a sheet
    for label, cell, kind, said in rows:
        sheet.line(label, cell, (said, "text"), total=kind == "total")
