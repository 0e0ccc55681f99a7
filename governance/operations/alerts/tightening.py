"""Tighten the tenant's policy tier when an AI objective's budget is exhausted.

This only tightens: the policies' own action rejects changes that would loosen a setting or need two
people. Nothing is loosened when the budget is back; people undo it with a new policy version.
"""

from sqlalchemy.exc import DBAPIError

from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.kernel.data.db import session
from governance.kernel.errors import DomainError
from governance.operations.alerts import queries
from governance.operations.alerts.events import BudgetExhausted
from governance.operations.alerts.models import BudgetExhaustion
from governance.operations.objectives import queries as objectives
from governance.operations.objectives.models import Objective
from governance.operations.policies import actions as policies
from governance.operations.policies import queries as policy_queries
from governance.operations.policies.policy_diff import with_tier

TIGHTENED = action(
    "budget.policy.tightened",
    "tightened the policy because the error budget of an objective is gone",
    target="BudgetExhaustion",
    activity="update",
    severity="high",
    fields="objective tier number",
    shape="down",
)


def on_exhausted(event: BudgetExhausted) -> None:
    """Tighten the tier if the objective's response requires it. Record the reason if it can't."""
    response = queries.response_of(event.objective_id)
    if response is None or response.tier is None:
        return
    gone = queries.exhaustion(event.exhaustion_id)
    objective = objectives.objective(event.objective_id)
    if not objective.is_ai:
        return
    try:
        with session().begin_nested():
            _tighten(gone, objective, response.tier)
    except (DomainError, DBAPIError) as error:
        gone.note = str(error)[:400]


def _tighten(gone: BudgetExhaustion, objective: Objective, tier: str) -> None:
    now = policy_queries.current_policy()
    if now.content.tier == tier:
        gone.note = f"The tenant had the tier {now.tier.name} already."
        return
    published = policies.tighten_now(
        with_tier(now.content, tier),
        base=now.number,
        reason=f"The error budget of {objective.name} is gone.",
    )
    gone.tier, gone.policy_number = tier, published.number
    record(TIGHTENED, gone, objective=objective.name, tier=tier, number=published.number)
