"""The layout of a review's PDF: five pages, from its data file. Pure.

    build(data) -> Built     the input of kernel/pdf.render; `data` is that of review_data.content

The same data gives the same bytes. The signature confirms its fingerprint.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec
from markupsafe import Markup

from governance.economics.formulas.money import MINUS, whole_money
from governance.economics.reviews import conclusions, figures, review_charts, review_frame
from governance.economics.reviews.facts.review_facts import Headline, ReviewFacts, decode
from governance.economics.reviews.reconciliation import conclusions as reconciled
from governance.economics.reviews.reconciliation import page as reconciliation_page
from governance.economics.reviews.review_page import before_of
from governance.kernel.pictures import charts
from governance.kernel.pictures.pdf import Attachment
from governance.publishing.reports.ai_rmf.attachments import with_manifest
from governance.publishing.reports.built_document import Built
from governance.publishing.reports.page_environment import environment
from governance.publishing.review_files import review_data
from governance.publishing.review_files.review_drawing import intervals

PDF_NAME = "unit-economics-review.pdf"
SNAPSHOT = "snapshot.json"  # The name under which every report attaches its data.
CONFIDENTIAL = "Confidential: finance and product"
MAX_LOSERS = 12
SMALL = 100  # Thousands of MRR. Below this, amounts have one decimal.
UP, DOWN = 1, -1  # The direction in which a measure is better.


@dataclass(frozen=True, slots=True)
class Measure:
    """A row of the first page: this month, its changes, and twelve months as a line."""

    label: str
    value: str
    on_month: str
    on_year: str
    is_worse: bool
    chart: Markup


def build(data: Mapping[str, Any]) -> Built:
    """Return the document with the data and its manifest attached."""
    frozen = review_data.canonical(data)
    facts, revision = decode(data["facts"]), data["revision"]
    parameters = {
        "month": facts.month,
        "revision": revision["number"],
        "input_digest": revision["input_digest"],
    }
    snapshot = {
        "schema": review_data.FORMAT,
        "tenant": {"slug": facts.operator},
        "document": {"number": f"review-{facts.month}", "version": f"r{revision['number']}"},
        "as_of": revision["closed_at"],
        "requested_at": revision["closed_at"],
        "signing_key": data["signing_key"],
        "log": None,
    }
    files = with_manifest(
        snapshot, (Attachment(SNAPSHOT, frozen, "Frozen facts of the month"),), parameters
    )
    fingerprint = review_data.digest(frozen)
    html = (
        environment()
        .get_template("publishing/review_files/pdf/review.html")
        .render(**context(data), fingerprint=fingerprint, attachments=files)
    )
    at = datetime.fromisoformat(revision["closed_at"])
    return Built(html, files, fingerprint, PDF_NAME, at)


def context(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the context of the template."""
    facts = decode(data["facts"])
    headlines = [msgspec.convert(each, Headline) for each in data["months"]]
    revision, checked = data["revision"], facts.reconciliation
    before = before_of(headlines, facts.month)
    money, segments = conclusions.money(facts), conclusions.segments(facts)
    return {
        "facts": facts,
        "revision": revision,
        "signing_key": "+".join(data["signing_key"].split("+", 2)[:2]),
        "confidential": CONFIDENTIAL,
        "name": f"Unit-economics review, {figures.month_name(facts.month)}",
        "month": figures.month_name(facts.month, year=False),
        "before": figures.month_name(before.month, year=False) if before else "the month before",
        "span": _span(headlines),
        "title": conclusions.report_title(facts, before),
        "lede": lede(facts, headlines, revision["accepted_residual"]),
        "measures": measures(facts, headlines),
        "fmt": review_frame.amounts(facts.currency),
        "figure": figures,
        "say": {
            "money": money,
            "tiers": conclusions.tiers(facts),
            "losses": conclusions.losses(facts),
            "segments": segments,
            "adoption": conclusions.adoption(facts),
            "unnamed_tasks": conclusions.unnamed_tasks(facts),
            "reconciliation": reconciled.headline(facts, revision["accepted_residual"]),
            "models": reconciled.models(checked),
            "causes": reconciled.causes(checked, facts.currency),
            "days": reconciled.days(checked),
            "shared": reconciled.shared(facts),
            "sensitivity": reconciled.sensitivity(facts),
        },
        "waterfall": charts.for_print(review_charts.waterfall(facts, money)),
        "intervals": charts.for_print(intervals(facts.segments, segments)),
        "ratio": conclusions.ratio,
        "losers": conclusions.losers(facts)[:MAX_LOSERS],
        "rows": reconciliation_page.reconciled_rows(checked),
        "days": charts.for_print(
            review_charts.days(checked, facts.currency, reconciled.days(checked))
        ),
        "sensitive": reconciliation_page.shown_tenants(facts.tenants),
        "rules": reconciliation_page.rules_of(facts.tenants)[:5],
        "allocated": sum((each.allocated for each in facts.pools), Decimal(0)),
        "meaning": meaning(facts),
    }


def _span(headlines: Sequence[Headline]) -> str:
    if not headlines:
        return "no month"
    first, last = (figures.month_name(each.month) for each in (headlines[0], headlines[-1]))
    return first if first == last else f"{first} to {last}"


def lede(facts: ReviewFacts, headlines: Sequence[Headline], accepted: str | None) -> str:
    """Return four sentences: customers, tenants, tasks, and how certain the figures are."""
    said = [
        conclusions.segments(facts),
        conclusions.losses(facts),
        conclusions.tasks(headlines),
        reconciled.headline(facts, accepted),
    ]
    return " ".join(f"{each}." for each in said)


def meaning(facts: ReviewFacts) -> str:
    """Return which segment has most revenue, and which one falls short."""
    revenue = facts.waterfall.revenue
    by_segment = {
        each.name: sum((t.revenue for t in facts.tenants if t.segment == each.name), Decimal(0))
        for each in facts.segments
    }
    if not by_segment or revenue <= 0:
        return "No segment has revenue this month."
    name, amount = max(by_segment.items(), key=lambda pair: (pair[1], pair[0]))
    said = [
        f"{name} brings {figures.percent(amount / revenue)} of revenue: "
        + whole_money(amount, facts.currency)
        + "."
    ]
    weakest = conclusions.weakest_segment(facts)
    if weakest is not None and weakest[0].ltv_high is not None and weakest[0].cac:
        high = weakest[0].ltv_high / weakest[0].cac
        short = high < conclusions.GOOD
        said.append(
            f"{weakest[0].name} falls short by more than chance: its interval ends at"
            f" {figures.times(high)}."
            if short
            else f"The interval of {weakest[0].name} reaches {figures.times(high)}."
        )
    missing = [each.name for each in facts.segments if each.ltv is None]
    if missing:
        said.append(f"No lifetime value is printed for {figures.names(missing)}: not estimable.")
    return " ".join(said)


def measures(facts: ReviewFacts, headlines: Sequence[Headline]) -> list[Measure]:
    """Return eight measures with their changes from the previous month and from a year before."""

    def amounts(each: Headline) -> dict[str, Decimal | None]:
        r = each.ratios
        return {
            f"MRR, {facts.currency} thousand": each.mrr.end / 1000,
            "Gross margin": r.gross_margin,
            "Contribution margin": r.contribution,
            f"ARPA, {facts.currency}": r.arpa,
            "Net revenue retention": r.nrr,
            "Logo churn in the month": r.logo_churn,
            "Quick ratio": r.quick_ratio,
            f"Cost per completed task, {facts.currency}": r.cost_per_task,
        }

    found = []
    history = [amounts(each) for each in headlines]
    shares = {
        "Gross margin",
        "Contribution margin",
        "Net revenue retention",
        "Logo churn in the month",
    }
    for label in history[-1] if history else {}:
        values = [each[label] for each in history]
        better = DOWN if label.startswith(("Logo", "Cost")) else UP
        changed = figures.points if label in shares else figures.growth
        on_month = changed(values[-1], values[-2]) if len(values) > 1 else ""
        on_year = changed(values[-1], values[0]) if len(values) > 1 else ""
        known = [float(each) for each in values if each is not None]
        line = charts.sparkline(known, f"{label}, {_span(headlines)}", width=150, height=26)
        is_up = {"+": True, MINUS: False}.get(on_month[:1])
        found.append(
            Measure(
                label,
                _written(label, values[-1], label in shares, facts.currency),
                on_month or figures.UNKNOWN,
                on_year or figures.UNKNOWN,
                is_up is not None and is_up != (better == UP),
                charts.for_print(line),
            )
        )
    return found


def _written(label: str, value: Decimal | None, is_share: bool, currency: str) -> str:  # noqa: FBT001 - of one caller
    if value is None:
        return "n.e."
    if is_share:
        return figures.percent(value)
    if label.startswith("Quick"):
        return figures.times(value)
    if label.startswith("Cost"):
        return review_frame.amounts(currency)["unit"](value)
    return review_frame.plain(value, 1 if label.startswith("MRR") and value < SMALL else 0)
