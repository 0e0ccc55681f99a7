"""Reads of the log: an object's entries, an entry's place and proof, checkpoints."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    Select,
    String,
    Subquery,
    Uuid,
    all_,
    func,
    literal,
    select,
    true,
    tuple_,
)
from sqlalchemy.orm import aliased

from governance.foundation.audit import merkle, personal_field_encryption, ports, tiles
from governance.foundation.audit.models import (
    AuditEntry,
    Checkpoint,
    DataKey,
    Leaf,
    LogHead,
    PendingEntry,
)
from governance.foundation.audit.proof import Proof
from governance.foundation.audit.sequencer import full_tile
from governance.kernel.data.db import find, session
from governance.kernel.errors import NotFound

MAX_ENTRIES = 30  # Entries in a page's list of what happened.


def entries_about(
    target_ids: Collection[UUID], *, limit: int = MAX_ENTRIES, without: Collection[str] = ()
) -> Sequence[AuditEntry]:
    """Return the newest entries on any of these objects, without these actions.

    The keys of their reasons are read with them.
    """
    if not target_ids:
        return []
    entries = session().scalars(_newest_about(target_ids, limit, without)).all()
    _keep_keys_of_reasons(entries)
    return entries


def _newest_about(
    target_ids: Collection[UUID], limit: int, without: Collection[str]
) -> Select[AuditEntry]:
    """Select the newest entries on any of these objects.

    Read the newest of each object first, whose order an index has, then the newest of those. An
    order over all of them at once lets the database scan the complete log backwards.
    """
    e = AuditEntry
    ids = func.unnest(literal(list(target_ids), ARRAY(Uuid)))
    target = ids.table_valued("id").render_derived("target")
    unwanted = all_(literal(list(without), ARRAY(String)))
    theirs = select(e).where(e.target_id == target.c.id, e.action != unwanted)
    newest = theirs.order_by(e.at.desc(), e.id.desc()).limit(limit).lateral()
    entries = aliased(e, newest)
    query = select(entries).select_from(target).join(newest, true())
    return query.order_by(entries.at.desc(), entries.id.desc()).limit(limit)


def _keep_keys_of_reasons(entries: Sequence[AuditEntry]) -> None:
    """Read the keys of all encrypted reasons at once, for those who decrypt them one by one."""
    reasons = [each.sealed["reason"] for each in entries if "reason" in each.sealed]
    named = {(reason["subject"], reason.get("period", "")) for reason in reasons}
    if named:
        query = select(DataKey).where(tuple_(DataKey.subject, DataKey.period).in_(named))
        personal_field_encryption.keep_wrapped(session().scalars(query))


def newest(*, limit: int = 30) -> Sequence[AuditEntry]:
    query = select(AuditEntry).order_by(AuditEntry.at.desc(), AuditEntry.id.desc())
    return session().scalars(query.limit(limit)).all()


def entry(entry_id: UUID) -> AuditEntry:
    return find(AuditEntry, entry_id, what="entry")


# ---- the tree


def head() -> LogHead | None:
    """Return the acting tenant's log; None before its first entry was sequenced."""
    return session().scalars(select(LogHead)).one_or_none()


def last_checkpoint() -> Checkpoint | None:
    return (
        session()
        .scalars(select(Checkpoint).order_by(Checkpoint.number.desc()).limit(1))
        .one_or_none()
    )


def cosigned_note(signed: Checkpoint) -> str:
    """Return a checkpoint's note with the cosignatures that witnesses gave for it."""
    return signed.note + ports.cosignatures()(signed.id)


def checkpoint(number: int) -> Checkpoint:
    found = session().scalars(select(Checkpoint).where(Checkpoint.number == number)).one_or_none()
    if found is None:
        raise NotFound("This checkpoint doesn't exist, or you don't have access to it.")
    return found


def checkpoint_as_of(at: datetime) -> Checkpoint | None:
    """Return the last checkpoint that was signed by then."""
    query = (
        select(Checkpoint).where(Checkpoint.at <= at).order_by(Checkpoint.number.desc()).limit(1)
    )
    return session().scalars(query).one_or_none()


def place_of(entry_id: UUID) -> int | None:
    """Return the entry's index; None while it is pending."""
    return session().scalar(select(Leaf.index).where(Leaf.id == entry_id))


def entry_at(index: int) -> AuditEntry:
    query = select(AuditEntry).join(
        Leaf, (Leaf.tenant_id == AuditEntry.tenant_id) & (Leaf.id == AuditEntry.id)
    )
    found = session().scalars(query.where(Leaf.index == index)).one_or_none()
    if found is None:
        raise NotFound("This entry doesn't exist, or you don't have access to it.")
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

    @property
    def cosigned_proof(self) -> Proof:
        """The proof for a file: its checkpoint has the witnesses' cosignatures too."""
        return Proof(self.index, self.path, cosigned_note(self.checkpoint))


def nodes() -> merkle.Node:
    """Return the hashes of the acting tenant's tree."""
    log = head()
    return tiles.nodes(log.size, log.edge, full_tile) if log else tiles.nodes(0, b"", full_tile)


def inclusion_path(entry_id: UUID, *, under: Checkpoint | None = None) -> InclusionPath | None:
    """Return the entry's proof under that checkpoint, by default the last one.

    Returns None if the checkpoint doesn't cover it.
    """
    index, signed = place_of(entry_id), under or last_checkpoint()
    if index is None or signed is None or index >= signed.size:
        return None
    return InclusionPath(index, merkle.inclusion(index, signed.size, nodes()), signed)


def root_at(size: int) -> bytes | None:
    """Return the root of the acting tenant's tree at that size; None when it is smaller."""
    log = head()
    return merkle.root(size, nodes()) if log and size <= log.size else None


def consistency(old: int, new: int) -> list[bytes]:
    """Return the proof that the tree of `old` entries is the beginning of that of `new`."""
    log = head()
    if log is None or not 0 < old <= new <= log.size:
        raise NotFound(f"This log never had both {old} and {new} entries. Choose smaller numbers.")
    return merkle.consistency(old, new, nodes())


def checkpoint_of(size: int) -> Checkpoint | None:
    """Return the newest checkpoint over that many entries."""
    query = (
        select(Checkpoint)
        .where(Checkpoint.size == size)
        .order_by(Checkpoint.number.desc())
        .limit(1)
    )
    return session().scalars(query).one_or_none()


def daily_sizes(size: int) -> Sequence[int]:
    """Return the sizes that the last checkpoints of each day (UTC) sign, up to this size."""
    day = func.date_trunc("day", Checkpoint.at, "UTC")
    query = (
        select(func.max(Checkpoint.size))
        .where(Checkpoint.size > 0, Checkpoint.size <= size)
        .group_by(day)
    )
    return session().scalars(query).all()


def tile(level: int, index: int) -> bytes:
    """Return the hashes of a tile of the acting tenant's tree.

    It includes hashes that are newer than the last checkpoint.
    """
    log = head()
    return tiles.tile(level, index, log.size, log.edge, full_tile) if log else b""


def bodies(first: int, count: int) -> list[bytes]:
    """Return the hashed bytes of the entries at these places, in one statement."""
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
    """Count the acting tenant's pending entries."""
    return session().scalar(select(func.count()).select_from(PendingEntry)) or 0


MAX_COUNTED = 1000  # Pending entries. A longer queue is not counted to its end on every page.


def waiting_here() -> Subquery:
    """Return one row about the acting tenant's pending entries.

    Its columns are `count` and `seconds`, the age of the oldest entry (NULL: none).

    Together with the size of the log's head, read in the same statement, they are all committed
    entries: a sequencer moves each from pending into the head in one transaction. A count above
    MAX_COUNTED means only that there are more.
    """
    first = (
        select(PendingEntry.created_at)
        .order_by(PendingEntry.number)
        .limit(MAX_COUNTED + 1)
        .subquery()
    )
    seconds = func.extract("epoch", func.clock_timestamp() - func.min(first.c.created_at))
    return (
        select(func.count().label("count"), seconds.label("seconds")).select_from(first).subquery()
    )
