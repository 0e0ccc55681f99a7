"""The workbook of a review, which a formula engine recomputes to the cents of its facts."""

import io
import warnings
from datetime import UTC, datetime
from decimal import Decimal

import formulas
import msgspec
import openpyxl
import pytest

from governance.economics.reviews.facts.review_facts import ReviewFacts
from governance.publishing.review_files import workbook
from governance.publishing.review_files.review_data import RevisionInfo
from tests.economics.reviews.facts_helpers import empty_facts, rich_facts
from tests.economics.reviews.tenant_facts import D

REVISION = RevisionInfo(
    number=1,
    closed_at=datetime(2026, 11, 5, 7, tzinfo=UTC),
    reason="The month was closed.",
    input_digest="ab" * 32,
)


class Recomputed:
    """The workbook as an engine without our figures computes it."""

    def __init__(self, facts: ReviewFacts, folder) -> None:
        path = folder / "review.xlsx"
        path.write_bytes(workbook.build(facts, REVISION))
        self.labels = openpyxl.load_workbook(path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = formulas.ExcelModel().loads(str(path)).finish().calculate()
        self.cells = {
            name.upper(): each.value[0, 0]
            for name, each in found.items()
            if hasattr(each, "value") and each.value.size == 1
        }

    def of(self, sheet: str, label: str, column: str = "B", last: bool = False):
        """Return the recomputed cell in that column of the row with that label."""
        rows = [
            row[0].row for row in self.labels[sheet].iter_rows(min_row=2) if row[0].value == label
        ]
        name = f"'[REVIEW.XLSX]{sheet.upper()}'!{column}{rows[-1 if last else 0]}"
        return self.cells[name]

    def cents(self, *place: str) -> Decimal:
        return D(str(round(float(self.of(*place)), 2))).quantize(D("0.01"))


@pytest.fixture(scope="module")
def recomputed(tmp_path_factory):
    return Recomputed(rich_facts(), tmp_path_factory.mktemp("workbook"))


def cents(amount: Decimal) -> Decimal:
    return amount.quantize(D("0.01"))


def test_the_waterfall_is_recomputed_to_the_cent(recomputed):
    w = rich_facts().waterfall
    for label, amount in (
        ("Revenue", w.revenue),
        ("Models", w.costs.models),
        ("Guardrails", w.costs.guardrails),
        ("Infrastructure", w.costs.infrastructure),
        ("Support", w.costs.support),
        ("Residual", w.residual),
        ("Residue", w.residue),
        ("Gross margin", w.gross_margin),
        ("Acquisition", w.acquisition),
        ("Contribution", w.contribution),
    ):
        assert recomputed.cents("Review", label) == cents(amount), label


def with_exact_cost():
    """Return a closed month: cost in cents, but an inexact residual and cost of a task."""
    facts = rich_facts()
    systems = [
        msgspec.structs.replace(each, cost=D("0.23"), completed_tasks=90, per_task=D("0.00257295"))
        for each in facts.systems
    ]
    checked, less = facts.reconciliation, D("0.00349")

    def first(parts, **changed):
        return [msgspec.structs.replace(parts[0], **changed), *parts[1:]]

    model = checked.models[0]
    exact = msgspec.structs.replace(
        checked,
        models=first(
            checked.models, computed=model.computed + less, residual=model.residual - less
        ),
        causes=first(checked.causes, amount=checked.causes[0].amount - less),
        days=first(checked.days, amount=checked.days[0].amount - less),
        computed=checked.computed + less,
        residual=checked.residual - less,
        share=D("0.00515295"),
    )
    return msgspec.structs.replace(facts, systems=systems, reconciliation=exact)


@pytest.mark.parametrize("make", [rich_facts, with_exact_cost, empty_facts])
def test_every_formula_gives_the_figure_that_its_cell_shows(make, tmp_path):
    """Compare with the stored figures, without which a spreadsheet shows the same."""
    found = Recomputed(make(), tmp_path)
    shown = openpyxl.load_workbook(tmp_path / "review.xlsx", data_only=True)
    differing, count = {}, 0
    for sheet in found.labels:
        for cell in (each for row in sheet.iter_rows() for each in row if each.data_type == "f"):
            name = f"'[REVIEW.XLSX]{sheet.title.upper()}'!{cell.coordinate}"
            figures = (shown[sheet.title][cell.coordinate].value, found.cells[name])
            count += 1
            is_same = (
                figures[0] == figures[1]
                if isinstance(figures[0], str)
                else figures[1] == pytest.approx(figures[0], rel=1e-12, abs=1e-9)
            )
            if not is_same:
                differing[sheet.title, cell.coordinate, cell.value] = figures
    assert count > 40
    assert not differing


def test_the_ratios_are_recomputed(recomputed):
    r = rich_facts().ratios
    for label, figure in (
        ("Gross margin, share", r.gross_margin),
        ("Contribution, share", r.contribution),
        ("ARPA", r.arpa),
        ("Logo churn", r.logo_churn),
        ("Gross revenue retention", r.grr),
        ("Net revenue retention", r.nrr),
        ("Quick ratio", r.quick_ratio),
        ("Cost per request", r.cost_per_request),
        ("Guardrails per request", r.guardrails_per_request),
        ("Cost per completed task", r.cost_per_task),
    ):
        assert float(recomputed.of("Review", label)) == pytest.approx(float(figure), rel=1e-12)


def test_each_tenants_cost_and_margin_is_recomputed_to_the_cent(recomputed):
    for each in rich_facts().tenants:
        assert recomputed.cents("Tenants", each.name, "J") == cents(each.costs.total)
        assert recomputed.cents("Tenants", each.name, "K") == cents(each.margin)


def test_segments_tiers_and_tasks_are_recomputed(recomputed):
    facts = rich_facts()
    for segment in facts.segments:
        assert recomputed.cents("Segments", segment.name, "C") == cents(segment.arpa)
        payback = recomputed.of("Segments", segment.name, "G")
        if segment.payback_months is None:
            assert payback == "not estimable"
        else:
            assert float(payback) == pytest.approx(float(segment.payback_months), rel=1e-9)
    enterprise, public = facts.segments[0], facts.segments[3]
    assert recomputed.cents("Segments", enterprise.name, "H") == cents(enterprise.ltv)
    assert recomputed.of("Segments", public.name, "H") == "not estimable"
    assert recomputed.of("Segments", public.name, "I") == "not estimable"
    for tier in facts.tiers:
        assert recomputed.cents("Tiers", tier.name, "D") == cents(tier.guardrails)
        assert recomputed.cents("Tiers", tier.name, "J") == cents(tier.per_prevented_harm)
    for system in facts.systems:
        found = float(recomputed.of("Tasks", system.tenant, "G"))
        assert found == pytest.approx(float(system.per_task), rel=1e-12)


def test_reconciliation_and_allocation_are_recomputed_to_the_cent(recomputed):
    facts = rich_facts()
    checked = facts.reconciliation
    assert recomputed.cents("Reconciliation", "Total", "E") == cents(checked.residual)
    assert recomputed.cents("Reconciliation", "All of it, by cause", "E") == cents(checked.residual)
    assert recomputed.cents("Reconciliation", "All of it, by day", "E") == cents(checked.residual)
    assert recomputed.cents("Allocation", "All pools", "D") == cents(facts.waterfall.residue)
    margin = sum((each.margin for each in facts.tenants), D(0))
    for column in "BCDEF":
        assert recomputed.of("Allocation", "All tenants", column) == pytest.approx(float(margin))


def test_an_empty_month_divides_by_nothing(tmp_path):
    empty = Recomputed(empty_facts(), tmp_path)
    assert empty.of("Review", "Gross margin") == 0
    for label in ("Gross margin, share", "ARPA", "Quick ratio", "Cost per completed task"):
        assert empty.of("Review", label) == "not estimable"


def test_the_file_shows_the_figures_before_anything_recomputes_it():
    facts = rich_facts()
    stored = openpyxl.load_workbook(io.BytesIO(workbook.build(facts, REVISION)), data_only=True)[
        "Review"
    ]
    by_label = {row[0].value: row[1].value for row in stored.iter_rows(min_row=2)}
    assert by_label["Gross margin"] == float(facts.waterfall.gross_margin)
    assert by_label["Net revenue retention"] == pytest.approx(float(facts.ratios.nrr))


def test_the_same_facts_give_the_same_bytes():
    assert workbook.build(rich_facts(), REVISION) == workbook.build(rich_facts(), REVISION)


def test_a_customers_name_never_becomes_a_formula():
    facts = rich_facts()
    named = msgspec.structs.replace(facts.tenants[0], name='=HYPERLINK("https://evil.example")')
    changed = msgspec.structs.replace(facts, tenants=[named, *facts.tenants[1:]])
    sheet = openpyxl.load_workbook(io.BytesIO(workbook.build(changed, REVISION)))["Tenants"]
    assert sheet["A2"].data_type == "s" and str(sheet["A2"].value).startswith("'=")
