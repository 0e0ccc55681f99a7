"""CAC, payback and lifetime value of each segment in a month. Pure."""

from collections.abc import Sequence
from decimal import Decimal

from governance.economics.formulas import acquisition, margin, retention, survival
from governance.economics.formulas.estimates import Estimate, NotEstimable
from governance.economics.formulas.margin import Result
from governance.economics.reviews.facts.review_facts import SegmentMonth, TenantMonth
from governance.economics.reviews.inputs.month_inputs import ZERO, MonthInputs, SegmentHistory
from governance.kernel.months import Month

CAC_MONTHS = 12
LAG_MONTHS = 3  # see version 2 of the formula "cac"


def segments_of(inputs: MonthInputs, tenants: Sequence[TenantMonth]) -> list[SegmentMonth]:
    """Return every segment with accounts, wins or spend, the largest by MRR first."""
    month = Month.parse(inputs.month)
    months = [month.plus(-back) for back in range(CAC_MONTHS)]
    costs = acquisition.cac_by_segment(inputs.acquisition, months, lag_months=LAG_MONTHS)
    names = {each.segment for each in tenants} | costs.keys()
    mrr = {
        name: sum((each.mrr for each in tenants if each.segment == name), ZERO) for name in names
    }
    return [
        _segment(
            name,
            [each for each in tenants if each.segment == name],
            costs.get(name, NotEstimable("no wins")),
            inputs.history.get(name, SegmentHistory()),
        )
        for name in sorted(names, key=lambda name: (-mrr[name], name))
    ]


def _segment(
    name: str, tenants: Sequence[TenantMonth], cac: Estimate, history: SegmentHistory
) -> SegmentMonth:
    paying = [each for each in tenants if each.mrr > 0]
    arpa = retention.arpa(sum((each.mrr for each in paying), ZERO), len(paying))
    gross = margin.gross_margin(margin.total(_result(each) for each in tenants))
    stay = survival.lifetime(history.tenures)
    ltv = survival.survival_ltv(arpa, gross, stay)
    churn = retention.logo_churn(history.account_months, history.lost)
    by_churn = acquisition.simple_ltv(arpa, gross, churn)
    return SegmentMonth(
        name=name,
        accounts=len(paying),
        arpa=_known(arpa),
        gross_margin=_known(gross),
        cac=_known(cac),
        payback_months=_known(acquisition.payback_months(cac, arpa, gross)),
        ltv=None if isinstance(ltv, NotEstimable) else ltv.point,
        ltv_low=None if isinstance(ltv, NotEstimable) else ltv.low,
        ltv_high=None if isinstance(ltv, NotEstimable) else ltv.high,
        why=ltv.reason if isinstance(ltv, NotEstimable) else "",
        ltv_by_churn=_known(by_churn),
    )


def _result(tenant: TenantMonth) -> Result:
    costs = tenant.costs
    return Result(
        tenant.revenue, costs.models, costs.guardrails, costs.infrastructure, costs.support
    )


def _known(estimate: Estimate) -> Decimal | None:
    return None if isinstance(estimate, NotEstimable) else estimate
