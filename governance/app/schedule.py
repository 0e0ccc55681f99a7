"""What runs by itself: the features' schedules (UTC), whose jobs claim their period so that two
schedulers do it once; and the sequencer.
"""

import threading
from collections.abc import Callable
from typing import Any
from uuid import UUID

import structlog

from governance.app.features import FEATURES
from governance.foundation.audit import sequencer
from governance.foundation.logbook import search
from governance.foundation.tenants import actions as tenants
from governance.foundation.tenants import queries as directory
from governance.kernel import current
from governance.kernel.data.db import transaction
from governance.kernel.errors import Unavailable
from governance.kernel.manifest import Manifest

log = structlog.get_logger("schedule")


def jobs_of(
    manifests: tuple[Manifest, ...],
) -> dict[str, tuple[Callable[[], None], dict[str, Any]]]:
    """Job name → what it runs, and its trigger arguments of 'cron'."""
    return {job.name: (job.run, job.cron) for each in manifests for job in each.schedule}


JOBS = jobs_of(FEATURES)
HANDLERS = tuple(
    handler for each in FEATURES for handler in each.work
)  # every kind of work but mail (kernel/work/outbox.py)

SEQUENCE_EVERY = 0.5  # seconds: the merge delay is at most two
LOOK_ROUND = 120  # turns: once a minute every log is looked at, for its heartbeat


def sequence_logs(stop: threading.Event) -> None:
    """Until told to stop: give waiting entries their places, log by log; an idle log signs its
    heartbeat.
    """
    turn, late, away = 0, False, False
    while not stop.is_set():
        try:
            late, away = sequence_round(everybody=turn % LOOK_ROUND == 0, was_late=late), False
        except Unavailable as problem:
            if not away:  # said once, not twice a second
                log.warning("sequencer waits for the database", reason=problem.message)
            away = True
        except Exception:  # whatever it is, the next round may do better
            log.exception("sequencer failed")
        turn += 1
        stop.wait(SEQUENCE_EVERY)


def sequence_round(*, everybody: bool = False, was_late: bool = False) -> bool:
    """One round over the logs with waiting entries (or over all).

    True, and said once, when one waits too long.
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
    """All that waits in one log, batch by batch; then the words of what is full, for the search.

    What is wrong with one log does not keep the others waiting.
    """
    try:
        with current.acting_as(tenants.founder(tenant_id, slug, name)):
            while sequencer.sequence() == sequencer.BATCH:
                pass
            search.index_new_blocks()  # a few: a long backlog must not delay the other logs
    except Exception:
        log.exception("log not sequenced", tenant=slug)
