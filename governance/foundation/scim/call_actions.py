"""The directory's latest requests, for the page of settings: bounded, and they name nobody."""

from datetime import timedelta

from sqlalchemy import delete, select

from governance.foundation.scim.models import ScimCall
from governance.kernel import clock, current
from governance.kernel.data.db import session

MAX_CALLS = 500  # Per tenant, after the nightly sweep.
RETENTION = timedelta(days=14)
MAX_PATH_LENGTH = 120
MAX_PROBLEM_LENGTH = 300


def note(method: str, path: str, status: int, problem: str) -> None:
    """Record a request of the acting key."""
    session().add(
        ScimCall(
            key_id=current.key_id(),
            method=method,
            path=path[:MAX_PATH_LENGTH],
            status=status,
            problem=problem[:MAX_PROBLEM_LENGTH],
            created_at=clock.now(),
        )
    )


def forget_old() -> None:
    """Keep the newest requests of the last two weeks, and delete the others."""
    kept = (
        select(ScimCall.id)
        .where(ScimCall.created_at >= clock.now() - RETENTION)
        .order_by(ScimCall.created_at.desc(), ScimCall.id.desc())
        .limit(MAX_CALLS)
    )
    session().execute(
        delete(ScimCall)
        .where(ScimCall.id.not_in(kept))
        .execution_options(synchronize_session=False)
    )
