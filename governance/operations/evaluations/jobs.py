"""Jobs that end unanswered requests every hour, and delete old data every night."""

from governance.foundation.tenants.for_each_tenant import in_each, is_active, once_a_day_in_each
from governance.kernel import clock
from governance.kernel.data.db import transaction
from governance.operations.evaluations.requests import actions as request_actions
from governance.operations.evaluations.runs import retention


def end_unanswered() -> None:
    """End requests that no runner answered in time, in each tenant."""
    in_each(_end, "evaluation requests not ended", wanted=is_active)


def _end() -> None:
    with transaction():
        request_actions.end_unanswered(clock.now())


def forget_cases() -> None:
    """Delete the cases of old runs."""
    once_a_day_in_each("forget evaluation cases", retention.forget_cases, in_steps=True)


def remove_files() -> None:
    """Remove files of runs that couldn't be read."""
    once_a_day_in_each("remove evaluation files", retention.remove_files, in_steps=True)
