"""Create, edit, assign and retire playbooks. Editing the steps creates a new version."""

import hashlib
import json
from collections.abc import Collection, Sequence
from datetime import date, timedelta
from uuid import UUID

from governance.assurance.evidence.reference_numbers import next_ref
from governance.assurance.playbooks import queries, step_actions
from governance.assurance.playbooks.models import (
    Playbook,
    PlaybookVersion,
)
from governance.assurance.playbooks.steps import PlaybookStep, check_steps, read_steps
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.people.events import OwnerAssigned
from governance.foundation.people.owners import check_may_own
from governance.foundation.people.queries import last_actor
from governance.kernel import clock, current
from governance.kernel.data.db import session
from governance.kernel.errors import DomainError, Invalid, Stale
from governance.kernel.formatting import long_day
from governance.kernel.pages import undo
from governance.kernel.pages.undo import Overtaken, UndoStep
from governance.kernel.work.events import publish

CREATED = action(
    "playbook.created",
    "created a playbook",
    target="Playbook",
    activity="create",
    severity="informational",
    fields="ref title steps",
    persons="owner",
)
EDITED = action(
    "playbook.edited",
    "edited a playbook",
    target="Playbook",
    activity="update",
    severity="informational",
    fields="ref title version steps",
    persons="owner",
)
ASSIGNED = action(
    "playbook.assigned",
    "assigned a playbook",
    target="Playbook",
    activity="update",
    severity="informational",
    fields="ref undoes",
    persons="owner",
)
RETIRED = action(
    "playbook.retired",
    "retired a playbook",
    target="Playbook",
    activity="delete",
    severity="low",
    fields="ref title",
    shape="stop",
)


MAX_TITLE_LENGTH = 120


MAX_TEXT_LENGTH = 2000


DRILL_INTERVALS = {
    30: "Every month",
    91: "Every quarter",
    182: "Every half year",
    365: "Every year",
}


class PlaybookRetired(DomainError):
    """The playbook is retired, so it can't be edited or started."""


def create(
    *,
    title: str,
    used_for: str,
    steps: Sequence[PlaybookStep],
    owner_id: UUID | None = None,
    drill_every_days: int | None = None,
) -> Playbook:
    """Create a playbook and its first version. Raises Invalid with the wrong field or step."""
    title, used_for = _check_texts(title, used_for)
    check_steps(steps)
    _check_targets(steps)
    _check_owner_and_drill(owner_id, drill_every_days)
    book = Playbook(
        ref=next_ref(Playbook.ref, "PLB", width=2),
        title=title,
        used_for=used_for,
        owner_id=owner_id,
        drill_every_days=drill_every_days,
        next_drill_on=next_drill(drill_every_days),
        version=1,
        retired_at=None,
        created_at=clock.now(),
    )
    session().add(book)
    session().flush()
    _add_version(book, steps, reason="")
    record(
        CREATED, book, about=owner_id, ref=book.ref, title=title, steps=len(steps), owner=owner_id
    )
    return book


def revision(book: Playbook) -> str:
    """Return a digest of the editable fields. Forms send it back to detect concurrent edits."""
    held = [book.title, book.used_for, str(book.owner_id), book.drill_every_days, book.version]
    return hashlib.sha256(json.dumps(held).encode()).hexdigest()[:16]


def edit(
    book: Playbook,
    *,
    seen: str,
    title: str,
    used_for: str,
    steps: Sequence[PlaybookStep],
    owner_id: UUID | None,
    drill_every_days: int | None,
    reason: str = "",
) -> Playbook:
    """Save changes to a playbook. Changed steps become a new version and need a reason.

    The caller must lock the playbook. Runs in progress keep their version. Raises Stale if `seen`
    isn't its current revision.
    """
    check_live(book)
    title, used_for = _check_texts(title, used_for)
    check_steps(steps)
    if seen != revision(book):
        raise Stale(
            f"Someone else changed {book.title} while you were editing. Review it, then save"
            " again.",
            {"title": (title, book.title), "used_for": (used_for, book.used_for)},
        )
    _check_owner_and_drill(owner_id, drill_every_days)
    before = {"title": book.title, "owner": book.owner_id, "version": book.version}
    present = queries.present_version(book).steps
    if [s.plain() for s in steps] != present:
        _check_targets(steps, present=read_steps(present))
        if not reason.strip():
            raise Invalid("Enter what changed and why, for the people who run it.", field="reason")
        book.version += 1
        _add_version(book, steps, reason=reason.strip()[:MAX_TEXT_LENGTH])
    book.title, book.used_for, book.owner_id = title, used_for, owner_id
    if drill_every_days != book.drill_every_days:
        book.drill_every_days = drill_every_days
        book.next_drill_on = next_drill(drill_every_days)
    record(
        EDITED,
        book,
        about=owner_id,
        reason=reason.strip() or None,
        before=before,
        after={"title": title, "owner": owner_id, "version": book.version},
        ref=book.ref,
        steps=len(steps),
    )
    return book


def assign(book: Playbook, owner_id: UUID | None, *, undoes: UUID | None = None) -> None:
    """Assign an owner, or remove the owner with None. Idempotent.

    `undoes` is the id of the audit entry that this reverses.
    """
    check_live(book)
    if book.owner_id == owner_id:
        return
    check_may_own(owner_id)
    before, after = {"owner": book.owner_id}, {"owner": owner_id}
    book.owner_id = owner_id
    entry = record(ASSIGNED, book, before=before, after=after, ref=book.ref, undoes=undoes)
    undo.remember("playbook.owner", book.id, entry.id, before=before, after=after)
    if owner_id is not None:
        title, path = f"{book.ref} {book.title}", f"reliability/playbooks/{book.id}"
        publish(OwnerAssigned(owner_id, title, path, entry.id))


def assign_all(ids: Collection[UUID], owner_id: UUID | None) -> None:
    """Assign several playbooks. If one fails, none is changed."""
    for book in queries.find_playbooks(ids, lock=True):
        assign(book, owner_id)  # Also calls record().


UNDOABLE = {"playbook.owner"}


@undo.restores("playbook.owner")
def _restore_owner(step: UndoStep) -> None:
    book = queries.playbook(step.target_id, lock=True)
    if undo.plain(book.owner_id) != step.after["owner"]:
        who = last_actor(book.id, ASSIGNED, EDITED)
        raise Overtaken(f"{book.ref} {book.title} was reassigned by {who}.")
    assign(book, undo.id_or_none(step.before["owner"]), undoes=step.entry_id)


def retire(book: Playbook, *, reason: str) -> None:
    """Retire a playbook. Its runs are kept, and those in progress can be finished."""
    check_live(book)
    if not reason.strip():
        raise Invalid("Enter a reason. It is kept in the audit log.", field="reason")
    book.retired_at, book.next_drill_on = clock.now(), None
    record(RETIRED, book, reason=reason.strip(), ref=book.ref, title=book.title)


def check_live(book: Playbook) -> None:
    if book.retired_at is not None:
        raise PlaybookRetired(f"{book.title} was retired. Create a new playbook instead.")


def why_not(book: Playbook) -> str | None:
    """Return why the playbook can't be changed, or None if it can."""
    if book.retired_at is None:
        return None
    return f"{book.ref} was retired on {long_day(book.retired_at)}."


def _check_texts(title: str, used_for: str) -> tuple[str, str]:
    title, used_for = " ".join(title.split()), used_for.strip()
    if not title or len(title) > MAX_TITLE_LENGTH:
        raise Invalid(
            f"Enter a title of up to {MAX_TITLE_LENGTH} characters, such as Ungrounded output.",
            field="title",
        )
    if not used_for or len(used_for) > MAX_TEXT_LENGTH:
        raise Invalid("Describe in a sentence when to use it.", field="used_for")
    return title, used_for


def _check_targets(steps: Sequence[PlaybookStep], present: Sequence[PlaybookStep] = ()) -> None:
    """Raise Invalid unless the target of each action step exists, or `present` already has it."""
    offered = {value for value, _ in step_actions.target_choices()}
    offered |= {step.choice for step in present}
    for number, step in enumerate(steps, 1):
        if step.choice not in offered:
            raise Invalid(f"Step {number}: choose what it does.", field="steps")


def _check_owner_and_drill(owner_id: UUID | None, days: int | None) -> None:
    check_may_own(owner_id)
    if days is not None and days not in DRILL_INTERVALS:
        raise Invalid("Choose how often to drill it.", field="drill_every_days")


def next_drill(days: int | None) -> date | None:
    return clock.today() + timedelta(days=days) if days else None


def _add_version(book: Playbook, steps: Sequence[PlaybookStep], *, reason: str) -> None:
    session().add(
        PlaybookVersion(
            playbook_id=book.id,
            number=book.version,
            steps=[step.plain() for step in steps],
            reason=reason,
            written_by=current.actor().person_id,
            created_at=clock.now(),
        )
    )
    session().flush()
