"""Settings of the close: the day of the month, and the residual limit."""

from decimal import Decimal

from sqlalchemy import select

from governance.economics.reviews import permissions, queries
from governance.economics.reviews.models import ReviewSettings
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.kernel.data.db import lock_tenant, session
from governance.kernel.errors import Invalid
from governance.kernel.safety.access import require

CHANGED = action(
    "review.settings.changed",
    "changed how months are closed",
    target="ReviewSettings",
    activity="update",
    severity="low",
    fields="close_day residual_limit",
)
LAST_DAY = 28
SMALLEST = Decimal("0.0001")  # step of a residual limit


def save_settings(close_day: int, residual_limit: Decimal) -> None:
    """Set the day of the following month on which months close, and the residual limit.

    The limit is a share, such as 0.02. Raises Invalid.
    """
    require(permissions.CLOSE)
    if not 1 <= close_day <= LAST_DAY:
        raise Invalid(f"Choose a day from 1 to {LAST_DAY}.", field="close_day")
    if not 0 <= residual_limit <= 1 or residual_limit != residual_limit.quantize(SMALLEST):
        raise Invalid("Enter a limit from 0% to 100%, with two decimals.", field="residual_limit")
    lock_tenant("review settings")
    before = queries.settings()
    if before == (close_day, residual_limit):
        return
    row = session().scalar(select(ReviewSettings))
    if row is None:
        row = ReviewSettings(close_day=close_day, residual_limit=residual_limit)
        session().add(row)
    row.close_day, row.residual_limit = close_day, residual_limit
    session().flush()
    record(CHANGED, row, close_day=close_day, residual_limit=f"{residual_limit:f}")
