"""Evidence items that Meridian uploads versions to, such as one for all drills of a system."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import select

from governance.assurance.evidence import link_actions
from governance.assurance.evidence.actions import create_item
from governance.assurance.evidence.models import Evidence, EvidenceLink
from governance.kernel.data.db import session


def item_for(title: str, *, cadence: str, control_ids: Collection[UUID], note: str) -> Evidence:
    """Return the live item with this title, or create it.

    It is linked to each of the controls with `note`, except where someone removed the link.
    """
    query = select(Evidence).where(Evidence.title == title, Evidence.retired_at.is_(None)).limit(1)
    item = session().scalars(query).one_or_none()
    if item is None:
        return create_item(
            title,
            kind="record",
            cadence=cadence,
            owner_id=None,
            controls=dict.fromkeys(control_ids, note),
        )
    linked_before = set(
        session().scalars(
            select(EvidenceLink.control_id).where(EvidenceLink.evidence_id == item.id)
        )
    )
    for control_id in set(control_ids) - linked_before:
        link_actions.link(item, control_id, note)
    return item
