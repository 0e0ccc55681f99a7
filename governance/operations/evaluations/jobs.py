"""Every hour: requests that no runner has answered in time end."""

from governance.foundation.tenants.for_each_tenant import in_each, is_active
from governance.kernel import clock
from governance.kernel.db import transaction
from governance.operations.evaluations import request_actions


def end_unanswered() -> None:
    """End them in each tenant."""
    in_each(_end, "evaluation requests not ended", wanted=is_active)


def _end() -> None:
    with transaction():
        request_actions.end_unanswered(clock.now())
