"""Scheduled jobs and the sequencer.

The schedules of features are in UTC. Their jobs claim their period, so that two schedulers run it
once.
"""

import threading
from collections.abc import Callable
from typing import Any
from uuid import UUID

import structlog

from governance.app.features import FEATURES
from governance.foundation.audit import sequencer
from governance.foundation.logbook import search
from governance.foundation.tenants import queries as directory
from governance.foundation.tenants.system_actor import system_actor_in
from governance.kernel import current
from governance.kernel.data.db import transaction
from governance.kernel.errors import Unavailable
from governance.kernel.manifest import Manifest

log = structlog.get_logger("schedule")


def jobs_of(
    manifests: tuple[Manifest, ...],
) -> dict[str, tuple[Callable[[], None], dict[str, Any]]]:
    """Map each job's name to its function and its `cron` trigger arguments."""
    return {job.name: (job.run, job.cron) for each in manifests for job in each.schedule}


JOBS = jobs_of(FEATURES)
HANDLERS = tuple(
    handler for each in FEATURES for handler in each.work
)  # Every kind of work except mail (kernel/work/outbox.py).

SEQUENCE_EVERY = 0.5  # Seconds. The merge delay is at most two.
LOOK_ROUND = 120  # Rounds between heartbeats: every log is checked once a minute.


def sequence_logs(stop: threading.Event) -> None:
    """Sequence waiting entries, log by log, until `stop` is set.

    An idle log signs its heartbeat.
    """
    turn, late, away = 0, False, False
    while not stop.is_set():
        try:
            late, away = sequence_round(everybody=turn % LOOK_ROUND == 0, was_late=late), False
        except Unavailable as problem:
            if not away:  # Logged once, not twice a second.
                log.warning("sequencer waits for the database", reason=problem.message)
            away = True
        except Exception:  # The next round may succeed, whatever the error is.
            log.exception("sequencer failed")
        turn += 1
        stop.wait(SEQUENCE_EVERY)


def sequence_round(*, everybody: bool = False, was_late: bool = False) -> bool:
    """Run one round over the logs with waiting entries, or over all logs.

    Returns True if an entry waits too long, and logs it once.
    """
    with transaction():
        waits = sequencer.waiting()
        tenants_here = (
            [t for t in directory.living_tenants() if everybody or t.id in waits]
            if everybody or waits
            else []
        )
        every = [(t.id, t.slug, t.name) for t in tenants_here]
    late = sequencer.oldest(waits) > sequencer.ALARM_SECONDS
    if late and not was_late:
        log.error(
            "audit entries wait too long for their place",
            seconds=round(sequencer.oldest(waits)),
            logs=len(waits),
        )
    for tenant_id, slug, name in every:
        sequence_log(tenant_id, slug, name)
    return late


def sequence_log(tenant_id: UUID, slug: str, name: str) -> None:
    """Sequence everything that waits in one log, in batches, then index full blocks for search.

    An error in one log doesn't delay the others.
    """
    try:
        with current.acting_as(system_actor_in(tenant_id, slug, name)):
            while sequencer.sequence() == sequencer.BATCH:
                pass
            # This indexes a few, because a long backlog must not delay the other logs.
            search.index_new_blocks()
    except Exception:
        log.exception("log not sequenced", tenant=slug)
