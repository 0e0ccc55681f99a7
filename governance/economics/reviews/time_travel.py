"""Definition time travel: twelve months recomputed with another version of a formula. Pure.

Published figures aren't restated.

    choices()                      versions that can be compared
    compared(chosen, headlines)    the months under one of them, in order
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from governance.economics.formulas import definitions
from governance.economics.formulas.definitions import Definition, PublishedMonth, VersionComparison
from governance.economics.formulas.estimates import Estimate, NotEstimable
from governance.economics.reviews.facts.review_facts import Headline
from governance.kernel.months import Month

# Maps a formula to the ratio of a headline that it computes.
MEASURES = {
    "gross_margin": "gross_margin",
    "net_revenue_retention": "nrr",
    "quick_ratio": "quick_ratio",
}


def choices() -> list[tuple[str, str]]:
    """Return ("quick_ratio:2", title) for each version that isn't the published one."""
    return [
        (f"{each.name}:{each.version}", f"{each.title}, version {each.version}")
        for name in MEASURES
        for each in definitions.versions(name)
        if each.version != definitions.CURRENT[name]
    ]


def find(text: str) -> Definition | None:
    """Return the definition of such a choice, or None if it isn't one."""
    known = dict(choices())
    if text not in known:
        return None
    name, _, version = text.partition(":")
    return definitions.definition(name, int(version))


def compared(chosen: Definition, headlines: Sequence[Headline]) -> VersionComparison:
    """Return the months of these headlines under that version, in order."""
    published = [
        PublishedMonth(
            Month.parse(each.month),
            _figure(getattr(each.ratios, MEASURES[chosen.name])),
            definitions.CURRENT[chosen.name],
            inputs_of(each),
        )
        for each in headlines
    ]
    return definitions.compare(chosen.name, chosen.version, published)


def inputs_of(headline: Headline) -> dict[str, Any]:
    """Return a month as inputs of formulas: the residual is model cost, the residue infrastructure."""
    w, m = headline.waterfall, headline.mrr
    return {
        "revenue": w.revenue,
        "inference": w.costs.models + w.residual,
        "guardrails": w.costs.guardrails,
        "infrastructure": w.costs.infrastructure + w.residue,
        "support": w.costs.support,
        "acquisition": w.acquisition,
        "mrr_at_start": m.start,
        "new": m.new,
        "expansion": m.expansion,
        "contraction": m.contraction,
        "churn": m.churn,
        "reactivation": m.reactivation,
    }


def known(estimate: Estimate) -> Decimal | None:
    """Return the figure, or None if it isn't estimable."""
    return None if isinstance(estimate, NotEstimable) else estimate


def _figure(value: Decimal | None) -> Estimate:
    return NotEstimable("not published") if value is None else value
