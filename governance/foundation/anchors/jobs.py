"""Shows each new checkpoint to the tenant's anchors: every minute by the schedule, and when
somebody asks.
"""

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import structlog

from governance.foundation.anchors import actions, queries
from governance.foundation.anchors.polling_backoff import is_due
from governance.foundation.audit import queries as audit
from governance.foundation.tenants import queries as directory
from governance.foundation.tenants import system_actor
from governance.kernel import clock, current
from governance.kernel.db import transaction
from governance.kernel.errors import NotFound
from governance.kernel.jobs import Progress, WorkItem, work

SIDE_BY_SIDE = 4  # tenants: one whose anchors answer slowly does not keep the others waiting
log = structlog.get_logger("anchors")


def due(*, impatient: bool = False) -> list[UUID]:
    """The acting tenant's anchors whose turn it is."""
    with transaction(read_only=True):
        places = queries.anchors()
        signed = audit.last_checkpoint() if places else None
        if signed is None:
            return []
        now = clock.now()
        return [
            a.id
            for a in places
            if is_due(a, size=signed.size, signed_at=signed.at, now=now, impatient=impatient)
        ]


def push(*, impatient: bool = False) -> int:
    """Show the acting tenant's newest checkpoint to each anchor whose turn it is; how many were
    asked.
    """
    asked = due(impatient=impatient)
    for anchor_id in asked:
        _exchange(anchor_id)
    return len(asked)


def _exchange(anchor_id: UUID) -> None:
    """One that is removed meanwhile, or whose answer we trip over, does not keep the others
    waiting.
    """
    try:
        actions.exchange(anchor_id)
    except NotFound:
        return
    except Exception:
        log.exception("anchor not asked", anchor=str(anchor_id))


def push_all(*, side_by_side: int = SIDE_BY_SIDE) -> None:
    """Every minute, in the process that leads the schedule."""
    with transaction():
        every = [(t.id, t.slug, t.name) for t in directory.all_tenants()]
    with ThreadPoolExecutor(side_by_side, thread_name_prefix="anchors") as pool:
        for tenant_id, slug, name in every:
            pool.submit(_push_for, tenant_id, slug, name)


def _push_for(tenant_id: UUID, slug: str, name: str) -> None:
    try:
        with current.acting_as(system_actor.founder(tenant_id, slug, name)):
            push()
    except Exception:  # what is wrong with one tenant does not keep the others waiting
        log.exception("checkpoints not sent", tenant=slug)


@work(queries.WORK)
def send_checkpoints(item: WorkItem, progress: Progress) -> None:
    """Somebody asked: a test of one anchor (item.target_id), or the newest checkpoint to all of
    them.
    """
    if item.target_id is not None:
        progress(0, 1, "Waiting for its answer")
        actions.test(item.target_id)
        return
    asked = due(impatient=True)
    for count, anchor_id in enumerate(asked):
        progress(count, len(asked), f"Waiting for answer {count + 1} of {len(asked)}")
        _exchange(anchor_id)
