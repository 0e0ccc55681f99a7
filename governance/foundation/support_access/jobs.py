"""The job that records the end of an operator's access."""

from governance.foundation.support_access import actions, queries
from governance.kernel.data.db import transaction
from governance.kernel.work.jobs import Progress, WorkItem, work


@work(actions.EXPIRY)
def note_expiry(item: WorkItem, _progress: Progress) -> None:
    """Record the end in both logs: at its time, or when the jobs process runs again."""
    if item.target_id is not None:
        with transaction():
            actions.note_expiry(queries.grant(item.target_id))
