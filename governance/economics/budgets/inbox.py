"""Inbox sources of budgets: alerts for the operator, notices for a customer."""

from typing import Any

from sqlalchemy import Select, String, case, cast, func

from governance.economics.budgets import permissions
from governance.economics.budgets.models import CostBudget, CostBudgetAlert, CostBudgetNotice
from governance.kernel.work.inbox import InboxRow, InboxSource, item_select

WORDS = {"actual": "of the budget is spent", "forecast": "of the budget is forecast to be spent"}

PROVISIONAL = " provisional"


def _alerts() -> Select[Any]:
    a, b = CostBudgetAlert, CostBudget
    query = item_select(
        a,
        about=b.name,
        place=_basis(a),
        detail=cast(a.percent, String),
        since=a.created_at,
        parent=a.budget_id,
    ).join(b, (b.tenant_id == a.tenant_id) & (b.id == a.budget_id))
    return query.where(a.acknowledged_at.is_(None))


def _basis(alert: Any) -> Any:
    """Return the basis, with a suffix if a rate is provisional."""
    is_provisional = func.jsonb_array_length(alert.provisional) > 0
    return alert.basis + case((is_provisional, PROVISIONAL), else_="")


def _notices() -> Select[Any]:
    n = CostBudgetNotice
    query = item_select(
        n, about=n.name, place=_basis(n), detail=cast(n.percent, String), since=n.created_at
    )
    return query.where(n.acknowledged_at.is_(None))


def _crossed(row: InboxRow) -> str:
    basis, mark, _ = row.place.partition(PROVISIONAL)
    return f"{row.detail}% {WORDS[basis]}" + (", at a provisional rate" if mark else "")


ALERTS = InboxSource(
    name="cost-budgets",
    group="incidents",
    needs=permissions.EDIT,
    select=_alerts,
    icon="coins",
    verb="Review",
    title=lambda row: f"Review the budget: {row.about}",
    detail=_crossed,
    why="you set the budgets of AI cost",
    endpoint="operator_budgets.budget",
    values=lambda row: {"budget_id": row.parent},
)
NOTICES = InboxSource(
    name="cost-budget-notices",
    group="incidents",
    needs=permissions.NOTICES,
    select=_notices,
    icon="coins",
    verb="Review",
    title=lambda row: f"Review the budget: {row.about}",
    detail=_crossed,
    why="you administer this tenant, or you manage its compliance",
    endpoint="budgets.notice",
    values=lambda row: {"notice_id": row.id},
)
