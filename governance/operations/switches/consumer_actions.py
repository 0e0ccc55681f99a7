"""Record consumers, the versions that they obey, and their first obedience to a stop.

note_consumers, forget_consumers
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import batched
from uuid import UUID

from sqlalchemy import String, and_, cast, delete, func, or_, select, tuple_
from sqlalchemy.dialects.postgresql import insert

from governance.foundation.api_keys import actions as api_keys
from governance.foundation.api_keys.models import ApiKey
from governance.kernel import clock, current
from governance.kernel.data.db import session
from governance.kernel.data.ids import uuid7
from governance.operations.switches import consumers
from governance.operations.switches.consumers import Heard
from governance.operations.switches.models import Acknowledgement, Consumer, Stop
from governance.operations.switches.stop_propagation import FORGOTTEN_AFTER

MAX_CONSUMERS_PER_KEY = 200  # Per day
QUIET_TIME = timedelta(days=30)
MAX_ROWS = 5_000  # Rows per statement; PostgreSQL takes 65,535 parameters


def note_consumers(heard: Sequence[Heard]) -> None:
    """Record a batch of one tenant, in five statements.

    Versions only increase, and the first acknowledgement of a stop counts. The log gets no entry:
    the stop's page shows each acknowledgement, and a drill files them as evidence.

    A key has at most MAX_CONSUMERS_PER_KEY consumers a day. Further ones count under the key's own
    name, so that invented names can't fill the table.
    """
    known = _known(heard)
    beyond = consumers.beyond(heard, known, MAX_CONSUMERS_PER_KEY, clock.now() - FORGOTTEN_AFTER)
    if beyond:
        key_names = {row.id: row.name for row in session().execute(select(ApiKey.id, ApiKey.name))}
        heard = [
            replace(h, name=key_names[h.key_id], region="") if (h.key_id, h.name) in beyond else h
            for h in heard
        ]
        known = _known(heard)
    batch = consumers.steps(heard)
    if not batch:
        return
    api_keys.record_uses({h.key_id for h in heard})
    rows = [
        _consumer(steps)
        for _, steps in sorted(batch.items(), key=lambda pair: (str(pair[0][0]), pair[0][1]))
    ]
    write = insert(Consumer).values(rows)
    write = write.on_conflict_do_update(
        index_elements=[Consumer.tenant_id, Consumer.key_id, Consumer.name],
        set_={
            "version": func.greatest(Consumer.version, write.excluded.version),
            "region": write.excluded.region,
            "system_id": write.excluded.system_id,
            "seen_at": func.greatest(Consumer.seen_at, write.excluded.seen_at),
        },
    )
    ids = {
        (row.key_id, row.name): row.id
        for row in session().execute(write.returning(Consumer.id, Consumer.key_id, Consumer.name))
    }
    versions = {whose: listener.version for whose, listener in known.items()}
    moved = {
        whose: steps for whose, steps in batch.items() if steps[-1].version > versions.get(whose, 0)
    }
    if moved:
        _acknowledge(moved, versions, ids)


def _known(heard: Sequence[Heard]) -> dict[consumers.ConsumerKey, consumers.KnownConsumer]:
    """Return the consumers of this batch, and all consumers of the same keys in the last day."""
    of_these = tuple_(Consumer.key_id, Consumer.name).in_([(h.key_id, h.name) for h in heard])
    lately = and_(
        Consumer.key_id.in_({h.key_id for h in heard}),
        Consumer.seen_at > clock.now() - FORGOTTEN_AFTER,
    )
    query = select(Consumer.key_id, Consumer.name, Consumer.version, Consumer.seen_at).where(
        or_(of_these, lately)
    )
    return {
        (row.key_id, row.name): consumers.KnownConsumer(row.version, row.seen_at)
        for row in session().execute(query)
    }


def _consumer(steps: Sequence[Heard]) -> dict[str, object]:
    last = steps[-1]
    return {
        "id": uuid7(),
        "tenant_id": current.actor().tenant_id,
        "key_id": last.key_id,
        "name": last.name,
        "region": last.region,
        "system_id": last.system_id,
        "version": last.version,
        "seen_at": max(h.seen_at for h in steps),
        "created_at": clock.now(),
    }


def _acknowledge(
    moved: dict[consumers.ConsumerKey, Sequence[Heard]],
    known: dict[consumers.ConsumerKey, int],
    ids: dict[consumers.ConsumerKey, UUID],
) -> None:
    """Record when each consumer first obeyed the stops that were new to it."""
    oldest, newest = (
        min(known.get(w, 0) for w in moved),
        max(steps[-1].version for steps in moved.values()),
    )
    query = select(Stop.id, Stop.version, Stop.system_id, Stop.restarted_at).where(
        Stop.version > oldest, Stop.version <= newest
    )
    recent = Stop.restarted_at.is_(None) | (Stop.restarted_at > clock.now() - FORGOTTEN_AFTER)
    rows = [
        {
            "id": uuid7(),
            "tenant_id": current.actor().tenant_id,
            "stop_id": found.id,
            "consumer_id": ids[whose],
            "at": at,
            "created_at": clock.now(),
        }
        for found in session().execute(query.where(recent).order_by(Stop.version))
        for whose, steps in moved.items()
        if (
            steps[-1].system_id is None
            or found.system_id is None
            or steps[-1].system_id == found.system_id
        )
        and (
            at := consumers.acknowledged(
                steps, known.get(whose, 0), found.version, found.restarted_at
            )
        )
    ]
    for some in batched(rows, MAX_ROWS):
        session().execute(insert(Acknowledgement).values(some).on_conflict_do_nothing())


def forget_consumers() -> int:
    """Delete consumers that were silent for 30 days and that no stop refers to. Return how many."""
    c = Consumer
    expected = select(Stop.id).where(
        Stop.tenant_id == c.tenant_id, Stop.expected.has_key(cast(c.id, String))
    )
    obeyed = select(Acknowledgement.id).where(
        Acknowledgement.tenant_id == c.tenant_id, Acknowledgement.consumer_id == c.id
    )
    gone = delete(c).where(
        c.seen_at < clock.now() - QUIET_TIME, ~expected.exists(), ~obeyed.exists()
    )
    return int(session().execute(gone).rowcount)  # type: ignore[attr-defined]  # a cursor's result
