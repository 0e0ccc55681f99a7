"""Link evidence items to the controls they support, and unlink them."""

from uuid import UUID

from sqlalchemy import select

from governance.assurance.evidence import queries
from governance.assurance.evidence.actions import check_is_live
from governance.assurance.evidence.models import (
    Evidence,
    EvidenceLink,
)
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.people.queries import last_actor
from governance.kernel import clock
from governance.kernel.data.db import find, session
from governance.kernel.data.ids import uuid7
from governance.kernel.pages import undo
from governance.kernel.pages.undo import Overtaken, UndoStep

LINKED = action(
    "evidence.linked",
    "linked an evidence item to a control",
    target="Evidence",
    activity="update",
    severity="informational",
    fields="control undoes",
    personal="note",
    shape="up",
)
UNLINKED = action(
    "evidence.unlinked",
    "unlinked an evidence item from a control",
    target="Evidence",
    activity="update",
    severity="informational",
    fields="control undoes",
    shape="down",
)


def link(
    evidence: Evidence, control_id: UUID, note: str = "", *, undoes: UUID | None = None
) -> EvidenceLink:
    """Link an item to a control with a note on how it supports the control.

    Idempotent. A different note ends the old link and creates a new one.
    """
    check_is_live(evidence)
    ref, note = queries.require_live_controls([control_id])[control_id], note.strip()[:500]
    existing = _open_link(evidence, control_id)
    if existing is not None and existing.note == note:
        return existing
    if existing is not None:
        existing.removed_at = clock.now()
        session().flush()
    new_link = EvidenceLink(
        id=uuid7(),
        evidence_id=evidence.id,
        control_id=control_id,
        note=note,
        created_at=clock.now(),
    )
    session().add(new_link)
    entry = record(LINKED, evidence, control=ref, note=note or None, undoes=undoes)
    _remember_link(evidence, control_id, entry.id, existing, new_link)
    return new_link


def unlink(evidence: Evidence, control_id: UUID, *, undoes: UUID | None = None) -> None:
    """End a link. Idempotent. The link still counts for past dates."""
    existing = _open_link(evidence, control_id)
    if existing is None:
        return
    existing.removed_at = clock.now()
    entry = record(UNLINKED, evidence, control=queries.ref_of_control(control_id), undoes=undoes)
    _remember_link(evidence, control_id, entry.id, existing, None)


def _remember_link(
    evidence: Evidence,
    control_id: UUID,
    entry_id: UUID,
    before: EvidenceLink | None,
    after: EvidenceLink | None,
) -> None:
    """Remember a link for undo by its row id. The row keeps the note after the link ends."""
    control_key = {"control_id": control_id}
    undo.remember(
        "evidence.link",
        evidence.id,
        entry_id,
        before={**control_key, "link_id": before.id if before else None},
        after={**control_key, "link_id": after.id if after else None},
    )


@undo.restores("evidence.link")
def _restore_link(step: UndoStep) -> None:
    evidence, control_id = (
        queries.find_evidence(step.target_id, lock=True),
        UUID(step.after["control_id"]),
    )
    existing, before = _open_link(evidence, control_id), undo.id_or_none(step.before["link_id"])
    if (str(existing.id) if existing else None) != step.after["link_id"]:
        who = last_actor(evidence.id, LINKED, UNLINKED)
        raise Overtaken(
            f"{evidence.ref}'s link to {queries.ref_of_control(control_id)} was changed by {who}."
        )
    if before is None:
        unlink(evidence, control_id, undoes=step.entry_id)
    else:
        link(
            evidence, control_id, find(EvidenceLink, before, what="link").note, undoes=step.entry_id
        )


def _open_link(evidence: Evidence, control_id: UUID) -> EvidenceLink | None:
    return (
        session()
        .scalars(
            select(EvidenceLink).where(
                EvidenceLink.evidence_id == evidence.id,
                EvidenceLink.control_id == control_id,
                EvidenceLink.removed_at.is_(None),
            )
        )
        .one_or_none()
    )
