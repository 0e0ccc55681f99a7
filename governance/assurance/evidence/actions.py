"""Create, change, assign, retire and restore evidence items.

See also link_actions.py (controls), version_actions.py (uploads and reviews), push.py (uploads
through the API), integrity.py (stored files), deletion.py (holds, retention, permanent deletion)
and reminders.py.
"""

from collections.abc import Collection, Mapping
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from governance.assurance.evidence import queries
from governance.assurance.evidence.freshness import CADENCES
from governance.assurance.evidence.models import (
    Evidence,
    EvidenceLink,
)
from governance.assurance.evidence.queries import require_live_controls
from governance.assurance.evidence.reference_numbers import next_ref
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.people.events import OwnerAssigned
from governance.foundation.people.owners import check_may_own
from governance.foundation.people.queries import last_actor
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.kernel.errors import DomainError, Invalid, Stale
from governance.kernel.formatting import long_day
from governance.kernel.pages import undo
from governance.kernel.pages.undo import Overtaken, UndoStep
from governance.kernel.work.events import publish

CREATED = action(
    "evidence.created",
    "created an evidence item",
    target="Evidence",
    activity="create",
    severity="informational",
    fields="ref title kind cadence confidentiality due_on controls",
    persons="owner",
)
EDITED = action(
    "evidence.changed",
    "changed an evidence item",
    target="Evidence",
    activity="update",
    severity="informational",
    fields="title kind cadence confidentiality due_on",
)
ASSIGNED = action(
    "evidence.assigned",
    "assigned an evidence item",
    target="Evidence",
    activity="update",
    severity="informational",
    fields="undoes",
    persons="owner",
)
RETIRED = action(
    "evidence.retired",
    "retired an evidence item",
    target="Evidence",
    activity="delete",
    severity="low",
    fields="ref",
    shape="stop",
)
RESTORED = action(
    "evidence.restored",
    "restored a retired evidence item",
    target="Evidence",
    activity="update",
    severity="low",
    fields="ref undoes",
    shape="ok",
)
KINDS = (
    "document",
    "record",
    "report",
    "screenshot",
    "export",
    "log",
    "attestation",
    "configuration",
)
CONFIDENTIALITY = ("public", "internal", "confidential", "restricted")


class EvidenceExists(DomainError):
    pass


class EvidenceRetired(DomainError):
    pass


# ---- Items


def create_item(
    title: str,
    *,
    kind: str,
    cadence: str,
    owner_id: UUID | None = None,
    due_on: date | None = None,
    confidentiality: str = "internal",
    controls: Mapping[UUID, str] | None = None,
) -> Evidence:
    """Create an evidence item. Raises EvidenceExists if a live item has the same title.

    `controls` maps the ids of supported controls to notes on how the item supports them.
    """
    title = _check_title(title, "title")
    check_choices(
        kind=(kind, KINDS),
        cadence=(cadence, CADENCES),
        confidentiality=(confidentiality, CONFIDENTIALITY),
    )
    check_may_own(owner_id)
    supported = controls or {}
    found = require_live_controls(supported)
    ref = next_ref(Evidence.ref, "EV", width=4)
    _check_title_is_free(title)
    evidence = Evidence(
        ref=ref,
        title=title,
        kind=kind,
        cadence=cadence,
        confidentiality=confidentiality,
        owner_id=owner_id,
        due_on=due_on,
        retired_at=None,
        created_at=clock.now(),
        version=1,
    )
    session().add(evidence)
    session().flush()
    session().add_all(
        EvidenceLink(
            evidence_id=evidence.id, control_id=c, note=note.strip()[:500], created_at=clock.now()
        )
        for c, note in supported.items()
    )
    entry = record(
        CREATED,
        evidence,
        ref=ref,
        title=title,
        kind=kind,
        cadence=cadence,
        confidentiality=confidentiality,
        due_on=due_on,
        owner=owner_id,
        controls=sorted(found.values()),
    )
    _tell_owner(evidence, entry.id)
    return evidence


def edit(
    evidence: Evidence,
    *,
    version: int,
    title: str,
    kind: str,
    cadence: str,
    confidentiality: str,
    due_on: date | None,
) -> None:
    """Change an item. Raises Stale, with the differences, unless `version` is the current one."""
    check_is_live(evidence)
    after: dict[str, Any] = {
        "title": _check_title(title, "title"),
        "kind": kind,
        "cadence": cadence,
        "confidentiality": confidentiality,
        "due_on": due_on,
    }
    check_choices(
        kind=(kind, KINDS),
        cadence=(cadence, CADENCES),
        confidentiality=(confidentiality, CONFIDENTIALITY),
    )
    before = {name: getattr(evidence, name) for name in after}
    changes = {
        name: (before[name], value) for name, value in after.items() if before[name] != value
    }
    if not changes:
        return
    if version != evidence.version:
        raise Stale(
            f"Someone else changed {evidence.ref} while you were editing. Review it, then save"
            " again.",
            {n: (new, old) for n, (old, new) in changes.items()},
        )
    if "title" in changes:
        next_ref(Evidence.ref, "EV", width=4)
        _check_title_is_free(after["title"])
    for name, value in after.items():
        setattr(evidence, name, value)
    evidence.version += 1
    record(EDITED, evidence, before=before, after=after)


def assign(evidence: Evidence, owner_id: UUID | None, *, undoes: UUID | None = None) -> None:
    """Assign an owner, or remove the owner with None. Idempotent.

    `undoes` is the id of the audit entry that this reverses.
    """
    check_is_live(evidence)
    if evidence.owner_id == owner_id:
        return
    check_may_own(owner_id)
    before, after = {"owner": evidence.owner_id}, {"owner": owner_id}
    evidence.owner_id = owner_id
    entry = record(ASSIGNED, evidence, before=before, after=after, undoes=undoes)
    undo.remember("evidence.owner", evidence.id, entry.id, before=before, after=after)
    _tell_owner(evidence, entry.id)


def assign_all(ids: Collection[UUID], owner_id: UUID | None) -> None:
    """Assign several items. If one fails, none is changed."""
    for evidence in queries.find_items(ids, lock=True):
        assign(evidence, owner_id)  # Also calls record().


def _tell_owner(evidence: Evidence, entry_id: UUID) -> None:
    if evidence.owner_id is not None:
        title, path = f"{evidence.ref} {evidence.title}", f"evidence/{evidence.id}"
        publish(OwnerAssigned(evidence.owner_id, title, path, entry_id))


def why_not(evidence: Evidence) -> str | None:
    """Return why the item can't be changed, or None if it can."""
    return (
        f"{evidence.ref} was retired on {long_day(evidence.retired_at.date())}."
        if evidence.retired_at is not None
        else None
    )


def retire(evidence: Evidence, *, reason: str) -> None:
    """Retire an item. It is removed from lists and doesn't count. Its history is kept."""
    check_is_live(evidence)
    reason = check_reason(reason, "Enter a reason. It is stored with the item.")
    evidence.retired_at = clock.now()
    entry = record(RETIRED, evidence, reason=reason, ref=evidence.ref)
    undo.remember(
        "evidence.retired",
        evidence.id,
        entry.id,
        before={},
        after={"retired_at": evidence.retired_at},
    )


def restore(evidence: Evidence, *, undoes: UUID) -> None:
    """Undo a retirement. Raises EvidenceExists if another live item has the title now.

    `undoes` is the id of the audit entry of the retirement.
    """
    next_ref(Evidence.ref, "EV", width=4)  # Takes the lock that also keeps titles unique.
    _check_title_is_free(evidence.title)
    evidence.retired_at = None
    record(RESTORED, evidence, ref=evidence.ref, undoes=undoes)


# ---- Undo


UNDOABLE = {"evidence.owner", "evidence.link", "evidence.retired"}


@undo.restores("evidence.owner")
def _restore_owner(step: UndoStep) -> None:
    evidence = queries.find_evidence(step.target_id, lock=True)
    if undo.plain(evidence.owner_id) != step.after["owner"]:
        raise Overtaken(
            f"{evidence.ref} {evidence.title} was reassigned by"
            f" {last_actor(evidence.id, ASSIGNED)}."
        )
    assign(evidence, undo.id_or_none(step.before["owner"]), undoes=step.entry_id)


@undo.restores("evidence.retired")
def _restore_retired(step: UndoStep) -> None:
    evidence = queries.find_evidence(step.target_id, lock=True)
    if undo.plain(evidence.retired_at) != step.after["retired_at"]:
        raise Overtaken(
            f"{evidence.ref} {evidence.title} was restored by {last_actor(evidence.id, RESTORED)}."
        )
    restore(evidence, undoes=step.entry_id)


# ---- Checks


def check_is_live(evidence: Evidence) -> None:
    if (why := why_not(evidence)) is not None:
        raise EvidenceRetired(why)


def check_choices(**choices: tuple[str, Collection[str]]) -> None:
    for field, (value, known) in choices.items():
        if value not in known:
            raise Invalid(f"“{value}” isn't an option. Choose one from the list.", field=field)


def _check_title_is_free(title: str) -> None:
    same = select(Evidence.ref).where(
        func.lower(Evidence.title) == title.lower(), Evidence.retired_at.is_(None)
    )
    if taken := session().scalars(same).first():
        raise EvidenceExists(
            f"{taken} already has this title. Upload a version there, or choose another title.",
            field="title",
        )


def check_reason(text: str, missing: str) -> str:
    if not text.strip():
        raise Invalid(missing, field="reason")
    return text.strip()[:2000]


def _check_title(text: str, field: str) -> str:
    words = " ".join(text.split())
    if not words or len(words) > 200:  # noqa: PLR2004 - a title
        raise Invalid("Enter a title of 1 to 200 characters.", field=field)
    return words
