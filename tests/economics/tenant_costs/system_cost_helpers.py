"""Usage with a price, and the operator who shows its cost."""

from governance.economics.tenant_costs import actions, jobs
from governance.economics.usage import jobs as usage_jobs
from governance.foundation.people.jobs import actor_of
from governance.kernel.work import jobs as kernel_jobs
from tests import make
from tests.economics.prices import price_helpers
from tests.economics.usage.usage_helpers import event


def used(number, day="2026-11-24", **changed):
    values = {"provider": "anthropic", "tokens": {"input": 1_000_000}, "at": f"{day}T10:00:00Z"}
    return event(number, **values | changed)


def share():
    with make.acting("operator_finance", "console"):
        actions.share(is_shared=True)
    kernel_jobs.drain(actor_of)
    price_helpers.collect()
    usage_jobs.count_tasks()
    jobs.copy_prices()
