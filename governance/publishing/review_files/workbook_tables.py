"""The tables of a review's workbook that count customers: tenants, segments, tiers, tasks, MRR.

Each function writes one sheet. Pure.
"""

from decimal import Decimal
from typing import Any

from governance.economics.reviews.facts.review_facts import ReviewFacts
from governance.publishing.review_files.workbook_sheet import (
    COUNT,
    FIRST,
    MONEY,
    NOT_ESTIMABLE,
    SHARE,
    UNIT,
    Formula,
    Sheet,
    column_sum,
    formula,
    ratio,
)


def tenants(sheet: Sheet, facts: ReviewFacts) -> int:
    """Write a row for each tenant, then their sums. Return the row of the sums.

    Columns: A name, B segment, C tier, D revenue, E MRR, F models, G guardrails, H infrastructure,
    I support, J cost, K margin, L share, M requests, N refused, O completed tasks, P active users.
    """
    sheet.head(
        "Tenant", "Segment", "Tier", "Revenue", "MRR", "Models", "Guardrails", "Infrastructure",
        "Support", "Cost", "Margin", "Margin share", "Requests", "Refused", "Completed tasks",
        "Active users",
    )  # fmt: skip # heads of columns
    for each in facts.tenants:
        n, costs = sheet.row, each.costs
        share = each.margin / each.revenue if each.revenue else None
        sheet.line(
            each.name,
            (each.segment, "text"),
            (each.tier, "text"),
            *(
                (amount, MONEY)
                for amount in (
                    each.revenue,
                    each.mrr,
                    costs.models,
                    costs.guardrails,
                    costs.infrastructure,
                    costs.support,
                )
            ),
            formula(f"=SUM(F{n}:I{n})", MONEY, costs.total),
            formula(f"=D{n}-J{n}", MONEY, each.margin),
            formula(ratio(f"K{n}", f"D{n}"), SHARE, share),
            *(
                (count, COUNT)
                for count in (each.requests, each.refused, each.completed_tasks, each.active_users)
            ),
        )
    w, last = facts.waterfall, sheet.row - 1
    margin = sum((each.margin for each in facts.tenants), Decimal(0))
    stored: dict[str, Any] = dict.fromkeys("DEFGHIJKMNOP", 0) | {
        "D": w.revenue,
        "E": sum(each.mrr for each in facts.tenants),
        "F": w.costs.models,
        "G": w.costs.guardrails,
        "H": w.costs.infrastructure,
        "I": w.costs.support,
        "J": w.costs.total,
        "K": margin,
        "M": sum(each.requests for each in facts.tenants),
        "N": sum(each.refused for each in facts.tenants),
        "O": sum(each.completed_tasks for each in facts.tenants),
        "P": sum(each.active_users for each in facts.tenants),
    }

    def added(column: str) -> tuple[Formula, str, Any]:
        form = COUNT if column in "MNOP" else MONEY
        return formula(column_sum(column, last), form, stored[column])

    n = sheet.row
    whole = margin / w.revenue if w.revenue else None
    return sheet.line(
        "All tenants",
        ("", "text"),
        ("", "text"),
        *(added(column) for column in "DEFGHIJK"),
        formula(ratio(f"K{n}", f"D{n}"), SHARE, whole),
        *(added(column) for column in "MNOP"),
        total=True,
    )


def _if(by: str, criterion: str, of: str, total: int) -> str:
    """Return the formula that sums a column of Tenants over the rows that match the criterion."""
    last = max(total - 1, FIRST)
    return (
        f"SUMIF(Tenants!${by}${FIRST}:${by}${last},{criterion},Tenants!${of}${FIRST}:${of}${last})"
    )


def segments(sheet: Sheet, facts: ReviewFacts, total: int) -> None:
    """Write CAC, payback and LTV. The expected lifetime is an input, from the survival curve."""
    sheet.head(
        "Segment", "Accounts", "ARPA", "Gross margin", "CAC", "Expected lifetime, months",
        "Payback, months", "LTV", "LTV ÷ CAC", "Why not",
    )  # fmt: skip # heads of columns
    for each in facts.segments:
        n = sheet.row
        earned = each.arpa * each.gross_margin if each.arpa and each.gross_margin else None
        lifetime = each.ltv / earned if each.ltv is not None and earned else None
        times = each.ltv / each.cac if each.ltv is not None and each.cac else None
        monthly = f"(C{n}*D{n})"
        known = f"COUNT(C{n},D{n},E{n})=3"
        sheet.line(
            each.name,
            (each.accounts, COUNT),
            formula(ratio(_if("B", f"A{n}", "E", total), f"B{n}"), MONEY, each.arpa),
            formula(
                ratio(_if("B", f"A{n}", "K", total), _if("B", f"A{n}", "D", total)),
                SHARE,
                each.gross_margin,
            ),
            (each.cac, MONEY),
            (lifetime, UNIT),
            formula(
                f'=IF({known},IF({monthly}>0,E{n}/{monthly},"{NOT_ESTIMABLE}"),"{NOT_ESTIMABLE}")',
                UNIT,
                each.payback_months,
            ),
            formula(
                f'=IF(COUNT(C{n},D{n},F{n})=3,C{n}*D{n}*F{n},"{NOT_ESTIMABLE}")', MONEY, each.ltv
            ),
            formula(f'=IF(COUNT(H{n},E{n})=2,H{n}/E{n},"{NOT_ESTIMABLE}")', UNIT, times),
            (each.why, "text"),
        )


def tiers(sheet: Sheet, facts: ReviewFacts, total: int) -> None:
    sheet.head(
        "Tier", "Tenants", "Requests", "Guardrails", "Per request", "Refused share",
        "Gross margin", "Confirmed blocks", "False blocks", "Per prevented harm",
    )  # fmt: skip # heads of columns
    for each in facts.tiers:
        n = sheet.row
        sheet.line(
            each.name,
            (each.tenants, COUNT),
            formula("=" + _if("C", f"A{n}", "M", total), COUNT, each.requests),
            formula("=" + _if("C", f"A{n}", "G", total), MONEY, each.guardrails),
            formula(ratio(f"D{n}", f"C{n}"), UNIT, each.per_request),
            formula(ratio(_if("C", f"A{n}", "N", total), f"C{n}"), SHARE, each.refused_share),
            formula(
                ratio(_if("C", f"A{n}", "K", total), _if("C", f"A{n}", "D", total)),
                SHARE,
                each.gross_margin,
            ),
            (each.confirmed_blocks, COUNT),
            (each.false_blocks, COUNT),
            formula(ratio(f"D{n}", f"H{n}"), MONEY, each.per_prevented_harm),
        )


def tasks(sheet: Sheet, facts: ReviewFacts) -> None:
    """Write tasks. H has how many of E are requests that succeeded without naming a task."""
    sheet.head(
        "Tenant", "AI system", "Feature", "Attempts", "Completed tasks", "Cost", "Per task",
        "Without a task",
    )  # fmt: skip # heads of columns
    for each in facts.systems:
        n = sheet.row
        cost = each.cost  # In whole cents. The cost per task uses the exact cost.
        if each.per_task is not None:
            cost = each.per_task * each.completed_tasks
        sheet.line(
            each.tenant,
            (each.system, "text"),
            (each.feature, "text"),
            (each.attempts, COUNT),
            (each.completed_tasks, COUNT),
            (cost, MONEY),
            formula(ratio(f"F{n}", f"E{n}"), UNIT, each.per_task),
            (each.unnamed_tasks, COUNT),
        )


def mrr(sheet: Sheet, facts: ReviewFacts) -> None:
    """Write B2 to B8, the bridge, and B9 to B13, the accounts."""
    m, a = facts.mrr, facts.accounts
    sheet.head("MRR and accounts", facts.currency)
    for label, amount in (
        ("Start", m.start),
        ("New", m.new),
        ("Expansion", m.expansion),
        ("Reactivation", m.reactivation),
        ("Contraction", m.contraction),
        ("Churn", m.churn),
    ):
        sheet.line(label, (amount, MONEY))
    sheet.line("End", formula("=B2+B3+B4+B5-B6-B7", MONEY, m.end), total=True)
    for label, count in (
        ("Accounts at the start", a.start),
        ("Won", a.won),
        ("Returned", a.returned),
        ("Lost", a.lost),
    ):
        sheet.line(label, (count, COUNT))
    sheet.line("Accounts at the end", formula("=B9+B10+B11-B12", COUNT, a.end), total=True)
