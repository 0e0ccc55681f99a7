"""Give committed entries their place in the tree, and sign the tree.

Entries commit without waiting for each other. A trigger queues each of them. The sequencer of a log
(one at a time, by an advisory lock of its transaction) takes committed entries in the order of
their queue number, and writes places, tiles, head and checkpoint in one transaction. An entry whose
transaction is slow is sequenced later; a sequencer that is killed leaves nothing behind.

    sequence() -> int           sequence the acting tenant's next batch
    waiting() -> {tenant: …}    tenants with pending entries, outside of any tenant
"""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import func, insert, select, text

from governance.foundation.audit import checkpoint, logs, merkle, tiles
from governance.foundation.audit.models import AuditEntry, Checkpoint, LogHead, PendingEntry, Tile
from governance.kernel import clock, current
from governance.kernel.data.db import session, transaction
from governance.kernel.data.ids import uuid7

BATCH = 10_000
HEARTBEAT = timedelta(hours=1)
ALARM_SECONDS = 10  # An entry that is pending longer is worth a page to the operator.
LOCK = 7_305_713


@dataclass(frozen=True, slots=True)
class SequencerBacklog:
    """The pending entries of one tenant: how many, and the age of the oldest.

    `seconds` are of the database's clock.
    """

    count: int
    seconds: float


def waiting() -> dict[UUID, SequencerBacklog]:
    """Return the backlog of each tenant that has one, by id; needs a transaction of no tenant."""
    age = func.extract("epoch", func.clock_timestamp() - func.min(PendingEntry.created_at))
    rows = session().execute(
        select(PendingEntry.tenant_id, func.count(), age).group_by(PendingEntry.tenant_id)
    )
    return {
        tenant_id: SequencerBacklog(count, max(0.0, float(seconds)))
        for tenant_id, count, seconds in rows
    }


def sequence(*, limit: int = BATCH) -> int:
    """Sequence the acting tenant's next batch in a transaction of its own.

    Signs a checkpoint when the tree grew, and a heartbeat when the last one is older than an hour.
    Returns how many entries got their place.
    """
    with transaction():
        if not _try_lock():
            return 0
        head = logs.open_log()
        if head.trouble is not None:
            return 0
        batch = _batch(limit)
        if not batch and not _is_due(head):
            return 0
        leaves = [merkle.leaf_hash(body) for _, body in batch]
        grown = tiles.grow(head.size, head.edge, leaves)
        _place([entry_id for entry_id, _ in batch], head.size)
        _keep(grown.full)
        head.size, head.edge = grown.size, grown.edge
        _sign(head)
        return len(batch)


def _try_lock() -> bool:
    """Lock the log for this sequencer; the lock ends with the transaction."""
    query = text("SELECT pg_try_advisory_xact_lock(:lock, hashtext(:tenant))")
    return bool(session().scalar(query, {"lock": LOCK, "tenant": str(current.actor().tenant_id)}))


def _is_due(head: LogHead) -> bool:
    """Return whether a heartbeat is due.

    It also is after the clock was set back by more than an hour: otherwise the log would be silent
    until the clock has caught up.
    """
    return head.signed_at is None or abs(clock.now() - head.signed_at) >= HEARTBEAT


def _batch(limit: int) -> list[tuple[UUID, bytes]]:
    query = select(PendingEntry.id, AuditEntry.body).join(
        AuditEntry,
        (AuditEntry.tenant_id == PendingEntry.tenant_id) & (AuditEntry.id == PendingEntry.id),
    )
    return [
        (row.id, row.body)
        for row in session().execute(query.order_by(PendingEntry.number).limit(limit))
    ]


PLACE = text(
    "INSERT INTO audit_leaves (tenant_id, id, index, created_at)"
    " SELECT :tenant, entry.id, :first + entry.place - 1, :now"
    " FROM unnest(CAST(:ids AS uuid[])) WITH ORDINALITY AS entry (id, place)"
)

TAKE = text(
    "DELETE FROM audit_pending WHERE tenant_id = :tenant AND id = ANY(CAST(:ids AS uuid[]))"
)


def _place(ids: list[UUID], first: int) -> None:
    if not ids:
        return
    tenant_id = current.actor().tenant_id
    session().execute(PLACE, {"tenant": tenant_id, "first": first, "now": clock.now(), "ids": ids})
    session().execute(TAKE, {"tenant": tenant_id, "ids": ids})


def _keep(full: list[tiles.Full]) -> None:
    if full:
        rows = [{"level": tile.level, "index": tile.index, "hashes": tile.hashes} for tile in full]
        session().execute(insert(Tile), rows)


def _sign(head: LogHead) -> None:
    key = logs.signing_key()
    if key is None:
        raise RuntimeError("a log always has a signing key")
    at = clock.now()
    stated = checkpoint.Head(
        head.origin, head.size, merkle.root(head.size, tiles.nodes(head.size, head.edge, full_tile))
    )
    head.number, head.signed_at = head.number + 1, at
    session().add(
        Checkpoint(
            id=uuid7(),
            number=head.number,
            origin=head.origin,
            size=head.size,
            root=stated.root,
            at=at,
            key_id=logs.key_id(key),
            note=checkpoint.sign(logs.private_key(key), key.name, stated),
        )
    )
    session().flush()


def full_tile(level: int, index: int) -> bytes:
    """Return a stored tile of the acting tenant; LookupError where there is none."""
    found = session().scalar(select(Tile.hashes).where(Tile.level == level, Tile.index == index))
    if found is None:
        raise LookupError(f"tile {level}/{index} is not there")
    return found


def oldest(waits: dict[UUID, SequencerBacklog]) -> float:
    return max((wait.seconds for wait in waits.values()), default=0.0)
