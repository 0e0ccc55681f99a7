"""Reads of the tenant's external witnesses (anchors): states, answers, and a summary."""

import re
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, func, select

from governance.foundation.anchors.models import Anchor, Receipt
from governance.foundation.audit.models import Checkpoint
from governance.kernel.data.db import find, session
from governance.kernel.errors import NotFound
from governance.kernel.safety.signed_note import DASH
from governance.kernel.work.jobs import WorkItem

WORK = "anchors"
SIGNATURE_LINE = re.compile(rf"{DASH} [^\s+]+ [A-Za-z0-9+/]+=*\n")
MAX_ANCHORS = 10  # Per tenant. Each anchor is called whenever the log has grown.


@dataclass(frozen=True, slots=True)
class AnchorSummary:
    """The number of anchors by state; `newest` is when one last agreed."""

    total: int
    agree: int
    away: int  # Includes those that refuse.
    conflict: int
    newest: datetime | None


def anchors() -> Sequence[Anchor]:
    """Return the anchors that were not removed, oldest first."""
    query = select(Anchor).where(Anchor.removed_at.is_(None))
    return session().scalars(query.order_by(Anchor.created_at, Anchor.id).limit(MAX_ANCHORS)).all()


def anchor(anchor_id: UUID, *, lock: bool = False) -> Anchor:
    """Return an anchor; NotFound for a removed one."""
    found = find(Anchor, anchor_id, what="external witness", lock=lock)
    if found.removed_at is not None:
        raise NotFound("This external witness doesn't exist or was removed.")
    return found


def receipts(checkpoint_ids: Collection[UUID]) -> dict[UUID, list[Receipt]]:
    """Return checkpoint → receipts for it, oldest first, in one statement."""
    query = select(Receipt).where(Receipt.checkpoint_id.in_(checkpoint_ids))
    found: dict[UUID, list[Receipt]] = defaultdict(list)
    for receipt in session().scalars(query.order_by(Receipt.created_at, Receipt.id)):
        found[receipt.checkpoint_id].append(receipt)
    return dict(found)


def cosignatures(checkpoint_id: UUID) -> str:
    """Return the cosignatures of a checkpoint as signature lines, one for each witness."""
    query = (
        select(Receipt.anchor_id, Receipt.answer)
        .join(Anchor, (Anchor.tenant_id == Receipt.tenant_id) & (Anchor.id == Receipt.anchor_id))
        .where(
            Receipt.checkpoint_id == checkpoint_id,
            Receipt.outcome == "agrees",
            Anchor.kind == "witness",
        )
        .order_by(Receipt.created_at, Receipt.id)
    )
    lines = {anchor_id: _signature_line(answer) for anchor_id, answer in session().execute(query)}
    return "".join(lines.values())


def _signature_line(answer: bytes) -> str:
    """Return a receipt as the line of a note; empty for anything else."""
    match = SIGNATURE_LINE.fullmatch(answer.decode("utf-8", "replace"))
    return match[0] if match else ""


def summary() -> AnchorSummary:
    """Summarize the anchors in one statement."""
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
    return AnchorSummary(*row)


def anchor_at(url: str) -> Anchor | None:
    """Return the anchor with that address."""
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
    """Return anchor → its latest receipts, newest first, in one statement."""
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
    """Return a receipt with its checkpoint, and its anchor, which may have been removed."""
    row = session().execute(_with_checkpoint().where(Receipt.id == receipt_id)).one_or_none()
    if row is None:
        raise NotFound("This receipt doesn't exist.")
    return CheckpointReceipt(*row), find(Anchor, row[0].anchor_id, what="external witness")


def _with_checkpoint() -> Select[Receipt, Checkpoint]:
    return select(Receipt, Checkpoint).join(
        Checkpoint,
        (Checkpoint.tenant_id == Receipt.tenant_id) & (Checkpoint.id == Receipt.checkpoint_id),
    )


def under_way() -> Sequence[WorkItem]:
    """Return requested sending that is still in progress, oldest first."""
    query = select(WorkItem).where(WorkItem.kind == WORK, WorkItem.state.in_(("queued", "running")))
    return (
        session().scalars(query.order_by(WorkItem.created_at, WorkItem.id).limit(MAX_ANCHORS)).all()
    )
