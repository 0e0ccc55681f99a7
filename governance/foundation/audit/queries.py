"""Reading the record: what happened to an object, newest first; where an entry stands in the tree,
and its proof.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Subquery, func, select

from governance.foundation.audit import merkle, tiles
from governance.foundation.audit.models import AuditEntry, Checkpoint, Leaf, LogHead, PendingEntry
from governance.foundation.audit.proof import Proof
from governance.foundation.audit.sequencer import full_tile
from governance.kernel.db import find, session
from governance.kernel.errors import NotFound


def entries_about(
    target_ids: Collection[UUID], *, limit: int = 30, without: Collection[str] = ()
) -> Sequence[AuditEntry]:
    """The newest entries on any of these objects, but for these actions."""
    query = select(AuditEntry).where(AuditEntry.target_id.in_(target_ids))
    if without:
        query = query.where(AuditEntry.action.not_in(without))
    return (
        session()
        .scalars(query.order_by(AuditEntry.at.desc(), AuditEntry.id.desc()).limit(limit))
        .all()
    )


def newest(*, limit: int = 30) -> Sequence[AuditEntry]:
    query = select(AuditEntry).order_by(AuditEntry.at.desc(), AuditEntry.id.desc())
    return session().scalars(query.limit(limit)).all()


def entry(entry_id: UUID) -> AuditEntry:
    return find(AuditEntry, entry_id, what="entry")


# ---- the tree


def head() -> LogHead | None:
    """The acting tenant's log, read only; None before its first entry was sequenced."""
    return session().scalars(select(LogHead)).one_or_none()


def last_checkpoint() -> Checkpoint | None:
    return (
        session()
        .scalars(select(Checkpoint).order_by(Checkpoint.number.desc()).limit(1))
        .one_or_none()
    )


def checkpoint(number: int) -> Checkpoint:
    found = session().scalars(select(Checkpoint).where(Checkpoint.number == number)).one_or_none()
    if found is None:
        raise NotFound("There is no such checkpoint here.")
    return found


def checkpoint_as_of(at: datetime) -> Checkpoint | None:
    """The last one that was signed by then."""
    query = (
        select(Checkpoint).where(Checkpoint.at <= at).order_by(Checkpoint.number.desc()).limit(1)
    )
    return session().scalars(query).one_or_none()


def place_of(entry_id: UUID) -> int | None:
    """The entry's index; None while it waits for the sequencer."""
    return session().scalar(select(Leaf.index).where(Leaf.id == entry_id))


def entry_at(index: int) -> AuditEntry:
    query = select(AuditEntry).join(
        Leaf, (Leaf.tenant_id == AuditEntry.tenant_id) & (Leaf.id == AuditEntry.id)
    )
    found = session().scalars(query.where(Leaf.index == index)).one_or_none()
    if found is None:
        raise NotFound("There is no such entry here.")
    return found


@dataclass(frozen=True, slots=True)
class InclusionPath:
    """An entry's place and the path from it to a checkpoint's root."""

    index: int
    path: Sequence[bytes]
    checkpoint: Checkpoint

    @property
    def proof(self) -> Proof:
        return Proof(self.index, self.path, self.checkpoint.note)


def nodes() -> merkle.Node:
    """The hashes of the acting tenant's tree."""
    log = head()
    return tiles.nodes(log.size, log.edge, full_tile) if log else tiles.nodes(0, b"", full_tile)


def standing(entry_id: UUID, *, under: Checkpoint | None = None) -> InclusionPath | None:
    """The entry's proof under that checkpoint, by default the last one; None while it has no place
    under it.
    """
    index, signed = place_of(entry_id), under or last_checkpoint()
    if index is None or signed is None or index >= signed.size:
        return None
    return InclusionPath(index, merkle.inclusion(index, signed.size, nodes()), signed)


def consistency(old: int, new: int) -> list[bytes]:
    """The proof that the tree of `old` entries is the beginning of that of `new`."""
    log = head()
    if log is None or not 0 < old <= new <= log.size:
        raise NotFound(f"This log has no two trees of {old} and {new} entries.")
    return merkle.consistency(old, new, nodes())


def checkpoint_of(size: int) -> Checkpoint | None:
    """The newest one that signs a tree of that size."""
    query = (
        select(Checkpoint)
        .where(Checkpoint.size == size)
        .order_by(Checkpoint.number.desc())
        .limit(1)
    )
    return session().scalars(query).one_or_none()


def daily_sizes(size: int) -> Sequence[int]:
    """The size that the last checkpoint of each day (UTC) signs, of those that are no larger than
    this one.
    """
    day = func.date_trunc("day", Checkpoint.at, "UTC")
    query = (
        select(func.max(Checkpoint.size))
        .where(Checkpoint.size > 0, Checkpoint.size <= size)
        .group_by(day)
    )
    return session().scalars(query).all()


def tile(level: int, index: int) -> bytes:
    """The hashes that the acting tenant's tree has in a tile; more than a checkpoint covers, when
    one is signed just now.
    """
    log = head()
    return tiles.tile(level, index, log.size, log.edge, full_tile) if log else b""


def bodies(first: int, count: int) -> list[bytes]:
    """The entries of these places, as they were hashed, in one statement."""
    query = select(AuditEntry.body).join(
        Leaf, (Leaf.tenant_id == AuditEntry.tenant_id) & (Leaf.id == AuditEntry.id)
    )
    found = (
        session()
        .scalars(query.where(Leaf.index >= first, Leaf.index < first + count).order_by(Leaf.index))
        .all()
    )
    if len(found) != count:
        raise LookupError(
            f"{count - len(found)} of the entries {first} to {first + count - 1} are not there"
        )
    return list(found)


def pending() -> int:
    """How many of the acting tenant's entries wait for their place."""
    return session().scalar(select(func.count()).select_from(PendingEntry)) or 0


COUNTED = 1000  # entries that wait; a longer queue is not counted to its end on every page


def waiting_here() -> Subquery:
    """One row: the `count` of the acting tenant's entries that wait, and the `seconds` that the
    oldest has waited (NULL: none).

    With the size of the log's head, read in the same statement, they are all entries that were
    committed: each is either counted by the head or waits, and a sequencer moves it from one to the
    other in one transaction. A count above COUNTED says only that there are more.
    """
    first = (
        select(PendingEntry.created_at).order_by(PendingEntry.number).limit(COUNTED + 1).subquery()
    )
    seconds = func.extract("epoch", func.clock_timestamp() - func.min(first.c.created_at))
    return (
        select(func.count().label("count"), seconds.label("seconds")).select_from(first).subquery()
    )
