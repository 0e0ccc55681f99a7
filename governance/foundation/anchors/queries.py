"""The tenant's outside places: which there are, what they answered, and in one line how they
stand.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, func, select

from governance.foundation.anchors.models import Anchor, Receipt
from governance.foundation.audit.models import Checkpoint
from governance.kernel.db import find, session
from governance.kernel.errors import NotFound
from governance.kernel.jobs import WorkItem

WORK = "anchors"
MOST = 10  # live anchors of one tenant: each is called whenever its log has grown


@dataclass(frozen=True, slots=True)
class Summary:
    """How many live anchors there are, and how they stand; `newest` is when one last agreed."""

    total: int
    agree: int
    away: int  # or refusing
    conflict: int
    newest: datetime | None


def anchors() -> Sequence[Anchor]:
    """Those that were not removed, the oldest first."""
    query = select(Anchor).where(Anchor.removed_at.is_(None))
    return session().scalars(query.order_by(Anchor.created_at, Anchor.id).limit(MOST)).all()


def anchor(anchor_id: UUID, *, lock: bool = False) -> Anchor:
    """A live one; a removed one is not found."""
    found = find(Anchor, anchor_id, what="outside anchor", lock=lock)
    if found.removed_at is not None:
        raise NotFound("There is no such external witness here.")
    return found


def receipts(checkpoint_ids: Collection[UUID]) -> dict[UUID, list[Receipt]]:
    """Checkpoint → what anchors answered for it, the oldest first, in one statement."""
    query = select(Receipt).where(Receipt.checkpoint_id.in_(checkpoint_ids))
    found: dict[UUID, list[Receipt]] = defaultdict(list)
    for receipt in session().scalars(query.order_by(Receipt.created_at, Receipt.id)):
        found[receipt.checkpoint_id].append(receipt)
    return dict(found)


def summary() -> Summary:
    """One statement: the foot of the rail shows it on every page."""
    count = func.count()
    row = (
        session()
        .execute(
            select(
                count,
                count.filter(Anchor.state == "agrees"),
                count.filter(Anchor.state.in_(("away", "refuses"))),
                count.filter(Anchor.state == "conflict"),
                func.max(Anchor.seen_at),
            )
            .select_from(Anchor)
            .where(Anchor.removed_at.is_(None))
        )
        .one()
    )
    return Summary(*row)


def live(url: str) -> Anchor | None:
    """The one at that address."""
    return (
        session()
        .scalars(select(Anchor).where(Anchor.url == url, Anchor.removed_at.is_(None)).limit(1))
        .one_or_none()
    )


@dataclass(frozen=True, slots=True)
class CheckpointReceipt:
    """A receipt, and the checkpoint that it is for."""

    receipt: Receipt
    checkpoint: Checkpoint


def newest_receipts(*, each: int = 3) -> dict[UUID, list[CheckpointReceipt]]:
    """Live anchor → its last receipts, the newest first, in one statement."""
    place = func.row_number().over(
        partition_by=Receipt.anchor_id, order_by=(Receipt.created_at.desc(), Receipt.id.desc())
    )
    ranked = (
        select(Receipt.id, place.label("place"))
        .join(Anchor, (Anchor.tenant_id == Receipt.tenant_id) & (Anchor.id == Receipt.anchor_id))
        .where(Anchor.removed_at.is_(None))
        .subquery()
    )
    query = _with_checkpoint().join(ranked, ranked.c.id == Receipt.id).where(ranked.c.place <= each)
    found: dict[UUID, list[CheckpointReceipt]] = defaultdict(list)
    for receipt, checkpoint in session().execute(
        query.order_by(Receipt.created_at.desc(), Receipt.id.desc())
    ):
        found[receipt.anchor_id].append(CheckpointReceipt(receipt, checkpoint))
    return dict(found)


def receipt(receipt_id: UUID) -> tuple[CheckpointReceipt, Anchor]:
    """One receipt with its checkpoint and its anchor, which may be removed since."""
    row = session().execute(_with_checkpoint().where(Receipt.id == receipt_id)).one_or_none()
    if row is None:
        raise NotFound("There is no such receipt here.")
    return CheckpointReceipt(*row), find(Anchor, row[0].anchor_id, what="outside anchor")


def _with_checkpoint() -> Select[Receipt, Checkpoint]:
    return select(Receipt, Checkpoint).join(
        Checkpoint,
        (Checkpoint.tenant_id == Receipt.tenant_id) & (Checkpoint.id == Receipt.checkpoint_id),
    )


def under_way() -> Sequence[WorkItem]:
    """Sending that somebody asked for and that has not ended, the oldest first."""
    query = select(WorkItem).where(WorkItem.kind == WORK, WorkItem.state.in_(("queued", "running")))
    return session().scalars(query.order_by(WorkItem.created_at, WorkItem.id).limit(MOST)).all()
