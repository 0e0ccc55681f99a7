"""The tenant's outside places: which there are, what they answered, and in one line how they stand."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select

from governance.anchors.models import Anchor, Receipt
from governance.kernel.db import find, session
from governance.kernel.errors import NotFound

MOST = 20  # live anchors of one tenant: each is called whenever its log has grown


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
        raise NotFound("There is no such outside anchor here.")
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
    row = session().execute(
        select(
            count, count.filter(Anchor.state == "agrees"), count.filter(Anchor.state.in_(("away", "refuses"))),
            count.filter(Anchor.state == "conflict"), func.max(Anchor.seen_at),
        ).select_from(Anchor).where(Anchor.removed_at.is_(None))
    ).one()  # fmt: skip
    return Summary(*row)
