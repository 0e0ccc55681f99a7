"""What happens when an operator's access is over by its time."""

from governance.foundation.support_access import actions, queries
from governance.kernel.data.db import transaction
from governance.kernel.work.jobs import Progress, WorkItem, work


@work(actions.EXPIRY)
def note_expiry(item: WorkItem, _progress: Progress) -> None:
    """Write the end into both logs: at its time, or when the jobs process runs again."""
    if item.target_id is not None:
        with transaction():
            actions.note_expiry(queries.grant(item.target_id))
