"""The scheduled jobs of the operator's desk."""

from datetime import timedelta

from sqlalchemy import delete

from governance.kernel import clock
from governance.kernel.data.db import session, transaction
from governance.kernel.work.jobs import WorkFailure

LISTED_FOR = timedelta(days=90)


def forget_old_failures() -> None:
    """Remove work that failed long ago from the list. Its row stays with its tenant."""
    with transaction():
        old = WorkFailure.created_at < clock.now() - LISTED_FOR
        session().execute(delete(WorkFailure).where(old))
