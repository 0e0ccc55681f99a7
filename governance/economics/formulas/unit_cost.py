"""Unit costs: per request, per active user and per completed task.

Source: design/economics.md §4. The numerator is the cost of all attempts, since refused, failed and
retried attempts cost money too. Only the denominator is limited to successes.
"""

from decimal import Decimal

from governance.economics.formulas.estimates import Estimate, ratio


def cost_per_request(cost: Decimal, requests: int) -> Estimate:
    """Return cost ÷ requests, in money per request. Requests of any outcome count."""
    return ratio(cost, requests, otherwise="no requests")


def cost_per_active_user(cost: Decimal, active_users: int) -> Estimate:
    """Return cost ÷ users who sent at least one request in the month."""
    return ratio(cost, active_users, otherwise="no active users")


def cost_per_completed_task(cost_of_attempts: Decimal, completed_tasks: int) -> Estimate:
    """Return the cost of all attempts ÷ completed tasks.

    At £0.02 per attempt and a success rate of 50%, a completed task costs £0.04.
    """
    return ratio(cost_of_attempts, completed_tasks, otherwise="no completed tasks")
