"""What a request, an active user and a completed task cost.

Source: design/economics.md §4. The cost is of everything that was tried: refused, failed and
retried attempts cost money too, so they are in the numerator and only success is in the
denominator.
"""

from decimal import Decimal

from governance.economics.formulas.estimates import Estimate, ratio


def cost_per_request(cost: Decimal, requests: int) -> Estimate:
    """Return cost ÷ requests, money for each request of any outcome."""
    return ratio(cost, requests, otherwise="no requests")


def cost_per_active_user(cost: Decimal, active_users: int) -> Estimate:
    """Return cost ÷ users who sent at least one request in the month."""
    return ratio(cost, active_users, otherwise="no active users")


def cost_per_completed_task(cost_of_attempts: Decimal, completed_tasks: int) -> Estimate:
    """Return the cost of all attempts ÷ tasks that were completed.

    At £0.02 an attempt and 50% success, a completed task costs £0.04.
    """
    return ratio(cost_of_attempts, completed_tasks, otherwise="no completed tasks")
