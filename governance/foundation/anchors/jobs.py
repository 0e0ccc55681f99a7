"""Send each new checkpoint to the tenant's anchors, every minute and on request."""

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import structlog

from governance.foundation.anchors import actions, queries
from governance.foundation.anchors.polling_backoff import is_due
from governance.foundation.audit import queries as audit
from governance.foundation.tenants import queries as directory
from governance.foundation.tenants.system_actor import system_actor_in
from governance.kernel import clock, current
from governance.kernel.data.db import transaction
from governance.kernel.errors import NotFound
from governance.kernel.work.jobs import Progress, WorkItem, work

MAX_CONCURRENT_TENANTS = 4  # Slow anchors of one tenant don't delay the others.
log = structlog.get_logger("anchors")


def due(*, impatient: bool = False) -> list[UUID]:
    """Return the acting tenant's anchors that are due to get the newest checkpoint."""
    with transaction(read_only=True):
        anchors = queries.anchors()
        signed = audit.last_checkpoint() if anchors else None
        if signed is None:
            return []
        now = clock.now()
        return [
            a.id
            for a in anchors
            if is_due(a, size=signed.size, signed_at=signed.at, now=now, impatient=impatient)
        ]


def push(*, impatient: bool = False) -> int:
    """Send the acting tenant's newest checkpoint to each anchor that is due; return how many."""
    anchor_ids = due(impatient=impatient)
    for anchor_id in anchor_ids:
        _exchange(anchor_id)
    return len(anchor_ids)


def _exchange(anchor_id: UUID) -> None:
    """Send to one anchor. One that was just removed, or that fails, doesn't stop the others."""
    try:
        actions.exchange(anchor_id)
    except NotFound:
        return
    except Exception:
        log.exception("checkpoint not sent to anchor", anchor=str(anchor_id))


def push_all(*, side_by_side: int = MAX_CONCURRENT_TENANTS) -> None:
    """Send for every tenant, each minute, in the process that leads the schedule."""
    with transaction():
        every = [(t.id, t.slug, t.name) for t in directory.living_tenants()]
    with ThreadPoolExecutor(side_by_side, thread_name_prefix="anchors") as pool:
        for tenant_id, slug, name in every:
            pool.submit(_push_for, tenant_id, slug, name)


def _push_for(tenant_id: UUID, slug: str, name: str) -> None:
    try:
        with current.acting_as(system_actor_in(tenant_id, slug, name)):
            push()
    except Exception:  # A fault of one tenant doesn't stop the others.
        log.exception("checkpoints not sent", tenant=slug)


@work(queries.WORK)
def send_checkpoints(item: WorkItem, progress: Progress) -> None:
    """Do requested work: test one anchor (item.target_id), or send the checkpoint to all."""
    if item.target_id is not None:
        progress(0, 1, "Waiting for its answer")
        actions.test(item.target_id)
        return
    anchor_ids = due(impatient=True)
    for count, anchor_id in enumerate(anchor_ids):
        progress(count, len(anchor_ids), f"Waiting for answer {count + 1} of {len(anchor_ids)}")
        _exchange(anchor_id)
