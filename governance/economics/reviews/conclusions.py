"""Conclusions from a review's figures, as sentences that are true of any month. Pure.

headline(facts, before)      of the page
report_title(facts, before)  of the report, shorter
money(facts)                 on the waterfall
losses(facts)                on the tenants that lose money
segments(facts)              on CAC and LTV
tiers(facts)                 on the price of a tier
tasks(headlines)             on the cost per completed task
unnamed_tasks(facts)         on the tasks that no event names
adoption(facts)              on the features
"""

from collections.abc import Sequence
from decimal import Decimal

from governance.economics.formulas.money import whole_money
from governance.economics.reviews.facts.review_facts import (
    Headline,
    ReviewFacts,
    SegmentMonth,
    TenantMonth,
)
from governance.economics.reviews.figures import (
    capital,
    month_name,
    percent,
    points,
    spelled,
    times,
)
from governance.kernel.formatting import plural

BARELY = Decimal("1.5")  # LTV ÷ CAC; below it, a segment barely pays back
GOOD = Decimal(3)  # the LTV ÷ CAC that investors expect
RECENT = 3  # months over which a change of cost is measured
LIKE = Decimal("0.005")  # changes below 0.5% count as none
ZERO = Decimal(0)


def headline(facts: ReviewFacts, before: Headline | None) -> str:
    """Return "Gross margin is 57.2%, up 1.4 points. Three of 34 tenants lose money."."""
    weakest = weakest_segment(facts)
    losing, ending = _losing(facts), ""
    if weakest is not None and weakest[1] < 1:
        ending = f", and {weakest[0].name} doesn't earn back what it costs to win"
    elif weakest is not None and weakest[1] < BARELY:
        ending = f", and {weakest[0].name} barely pays back"
    return f"{_margin(facts, before)}. {losing}{ending}."


def report_title(facts: ReviewFacts, before: Headline | None) -> str:
    """Return "Gross margin is 57.2%, up 1.4 points; three of 34 tenants lose money"."""
    losing = _losing(facts)
    return f"{_margin(facts, before)}; {losing[:1].lower()}{losing[1:]}"


def _margin(facts: ReviewFacts, before: Headline | None) -> str:
    now = facts.ratios.gross_margin
    if now is None:
        return "Gross margin isn't estimable"
    change = points(now, before.ratios.gross_margin if before else None)
    said = {"+": f", up {change[1:]}", "": ""}.get(change[:1], f", down {change[1:]}")
    return f"Gross margin is {percent(now)}" + ("" if change.startswith("0") else said)


def losers(facts: ReviewFacts) -> list[TenantMonth]:
    """Return the tenants with a negative margin, the largest loss first."""
    found = [each for each in facts.tenants if each.margin < 0]
    return sorted(found, key=lambda each: (each.margin, each.name))


def _losing(facts: ReviewFacts) -> str:
    count, all_of_them = len(losers(facts)), len(facts.tenants)
    if not facts.tenants:
        return "No tenant used the product or paid for it"
    if count == 0:
        return "No tenant loses money"
    if count == all_of_them:
        return "Every tenant loses money" if count > 1 else "The only tenant loses money"
    return f"{capital(spelled(count))} of {all_of_them} tenants {'loses' if count == 1 else 'lose'} money"


def losses(facts: ReviewFacts) -> str:
    """Return "Three tenants lost €5,210 in October"."""
    lost = losers(facts)
    month = month_name(facts.month, year=False)
    if not lost:
        return f"No tenant lost money in {month}"
    amount = whole_money(-sum((each.margin for each in lost), ZERO), facts.currency)
    who = "tenant" if len(lost) == 1 else "tenants"
    return f"{capital(spelled(len(lost)))} {who} lost {amount} in {month}"


def money(facts: ReviewFacts) -> str:
    """Return "Guardrails take 5.5% of revenue; models take 3.2 times as much"."""
    revenue, costs = facts.waterfall.revenue, facts.waterfall.costs
    if revenue <= 0:
        return "The month has no revenue, so no cost has a share of it"
    said = f"Guardrails take {percent(costs.guardrails / revenue)} of revenue"
    if costs.guardrails > 0 and costs.models >= costs.guardrails:
        return f"{said}; models take {times(costs.models / costs.guardrails)} times as much"
    return f"{said}; models take {percent(costs.models / revenue)}"


# ---- customers


def ratio(segment: SegmentMonth) -> Decimal | None:
    """Return LTV ÷ CAC, or None if either isn't estimable."""
    if segment.ltv is None or not segment.cac:
        return None
    return segment.ltv / segment.cac


def weakest_segment(facts: ReviewFacts) -> tuple[SegmentMonth, Decimal] | None:
    """Return the segment with the lowest LTV ÷ CAC, and that ratio, or None."""
    found = [(each, of) for each in facts.segments if (of := ratio(each)) is not None]
    return min(found, key=lambda pair: (pair[1], pair[0].name)) if found else None


def segments(facts: ReviewFacts) -> str:
    """Return "Small business earns back 1.3 times its cost, and may not earn it back at all"."""
    weakest = weakest_segment(facts)
    if weakest is None:
        return "Lifetime value isn't estimable for any segment yet"
    segment, of = weakest
    if of >= GOOD:
        return (
            f"Every segment that can be estimated earns back {times(GOOD)} times its cost or more"
        )
    said = f"{segment.name} earns back {times(of)} times its cost"
    low = segment.ltv_low
    if of >= 1 and low is not None and segment.cac and low < segment.cac:
        return f"{said}, and may not earn it back at all"
    return said


def tiers(facts: ReviewFacts) -> str:
    """Return "Strict keeps 3.1 points of margin less than standard"."""
    known = [each for each in facts.tiers if each.gross_margin is not None and each.tenants]
    if len(known) < 2:  # noqa: PLR2004 - a difference has two sides
        return "What each tier costs and keeps"
    usual = max(known, key=lambda each: (each.tenants, each.name))
    low = min(known, key=lambda each: (each.gross_margin or ZERO, each.name))
    change = points(usual.gross_margin, low.gross_margin)
    if low is usual or not change.startswith("+"):
        return (
            f"{capital(usual.name)}, the usual tier, keeps {percent(usual.gross_margin)} of revenue"
        )
    return f"{capital(low.name)} keeps {change[1:]} of margin less than {usual.name}"


# ---- cost per task


def tasks(headlines: Sequence[Headline]) -> str:
    """Return "claims-triage costs 11% more per completed task than in August"."""
    if not headlines or not headlines[-1].tasks:
        return "No AI system reported completed tasks"
    earlier = headlines[-RECENT:][0]
    before = {(each.tenant, each.system): each.per_task for each in earlier.tasks}
    changes = [
        (each.per_task / old - 1, each.system)
        for each in headlines[-1].tasks
        if (old := before.get((each.tenant, each.system))) and old > 0
    ]
    change, system = max(changes, key=lambda pair: abs(pair[0]), default=(ZERO, ""))
    if earlier is headlines[-1] or abs(change) < LIKE:
        return "Cost per completed task of AI systems"
    than = month_name(earlier.month, year=False)
    word = "more" if change > 0 else "less"
    share = percent(abs(change), Decimal(1))
    return f"{system} costs {share} {word} per completed task than in {than}"


def unnamed_tasks(facts: ReviewFacts) -> str:
    """Return "3 of 41,200 completed tasks are requests that succeeded without naming a task"."""
    completed = sum(each.completed_tasks for each in facts.tenants)
    unnamed = sum(each.unnamed_tasks for each in facts.tenants)
    if not completed:
        return "No task was completed"
    if not unnamed:
        return f"{plural(completed, 'completed task')}, each counted once"
    return (
        f"{unnamed:,} of {plural(completed, 'completed task')} are requests that succeeded without"
        " naming a task"
    )


def adoption(facts: ReviewFacts) -> str:
    """Return "14,910 of 42,100 people used chat in October"."""
    known = [each for each in facts.adoption if each.eligible]
    if not known:
        return "No feature reported people who may use it"
    widest = max(known, key=lambda each: (each.eligible, each.feature))
    return (
        f"{widest.monthly:,} of {widest.eligible:,} people used {widest.feature} in"
        f" {month_name(facts.month, year=False)}"
    )
