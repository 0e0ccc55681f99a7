"""Carry out approved erasures, and destroy expired keys of encrypted fields every night."""

from governance.foundation.people import queries as people
from governance.foundation.privacy import (
    erasure_actions,
    erasure_list,
    legal_hold_actions,
    queries,
    retention_actions,
)
from governance.foundation.tenants.for_each_tenant import once_a_day_in_each
from governance.kernel.data.db import transaction
from governance.kernel.work import background_work
from governance.kernel.work.jobs import Progress, WorkItem, work


@work(erasure_actions.ERASING.name)
def erase(item: WorkItem, progress: Progress) -> None:
    """Carry out one Erasure (item.target_id).

    The list outside the database comes first, then the rows. A killed run resumes anywhere.
    """
    erasure_id = background_work.target_of(erasure_actions.ERASING, item)
    progress(0, 2, "Adding to the erasure list")
    with transaction():
        erasure = queries.erasure(erasure_id, lock=True)
        listed, person_id, state = (
            erasure_actions.begin_erasure(erasure),
            erasure.person_id,
            erasure.state,
        )
    if state == "rejected":
        raise legal_hold_actions.UnderLegalHold(
            "A legal hold was placed since this was approved. Nothing was erased."
        )
    if listed is None:
        return
    erasure_list.add(listed)
    progress(1, 2, "Erasing data")
    with transaction(person_id=person_id):
        erasure = queries.erasure(erasure_id, lock=True)
        erasure_actions.finish_erasure(erasure, people.by_pseudonym(erasure.subject))


def destroy_expired_keys() -> None:
    """Destroy keys of log fields that are older than the tenant keeps them. Runs nightly."""
    once_a_day_in_each("destroy expired log keys", retention_actions.destroy_expired_keys)
