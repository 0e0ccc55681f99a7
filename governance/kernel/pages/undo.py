"""Undo: a person's latest changes, kept for ten minutes so that they can undo them.

    remember(…)                  next to an action's `record`: the values before and after, and the
                                 entry
    offer(confirmation)          at the end of a view: stores what this transaction remembered
    applied(confirmation)        the offer that the same press of a button has left already
    take(offer_id, kinds)        runs each step's own action with the previous values
    forget()                     nightly: offers that are over

A step is undone by its feature's own action (`restores`), so permissions, change freezes and closed
periods apply as to any change, and each leaves an entry that names the entry it undoes. A row whose
value is no longer the one that the step left doesn't change. Only the person who made the change
can undo it. Steps have ids and days, no text.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Index, delete, select
from sqlalchemy.orm import Mapped

from governance.kernel import clock, current
from governance.kernel.data.db import Model, Tenanted, session
from governance.kernel.errors import DomainError, NotFound

WINDOW = timedelta(minutes=10)
REMEMBERED = "steps that can be undone"
NOT_UNDONE = {
    403,
    404,
    409,
    422,
}  # Errors that concern one row; the others stop the entire undo.


class UndoOffer(Tenanted, Model):
    """The changes of one request, for the person who made it, until it expires or is used."""

    __tablename__ = "undo_offers"
    __table_args__ = (
        Index(None, "tenant_id", "expires_at"),
        Index(None, "tenant_id", "person_id", "confirmation"),
    )

    person_id: Mapped[UUID]
    confirmation: Mapped[str | None]
    steps: Mapped[list[Any]]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


@dataclass(frozen=True, slots=True)
class UndoStep:
    """One row's change and its audit entry. Values are as JSON has them: ids and days are text."""

    kind: str
    target_id: UUID
    entry_id: UUID
    before: Mapping[str, Any]
    after: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Undone:
    """The result of an undo: how many steps were undone, and why the others were not."""

    steps: int
    restored: int
    left: list[str] = field(default_factory=list)
    was_used: bool = False


class Overtaken(DomainError):
    """Another person changed the row after the change that would be undone."""


class Expired(DomainError):
    pass


Restore = Callable[[UndoStep], None]
_restorers: dict[str, Restore] = {}


def restores(kind: str) -> Callable[[Restore], Restore]:
    """Declare the function that undoes steps of a kind.

    It raises Overtaken if the row has another value.
    """

    def declare(function: Restore) -> Restore:
        if kind in _restorers:
            raise ValueError(f"undoing {kind} is declared twice")
        _restorers[kind] = function
        return function

    return declare


def remember(
    kind: str,
    target_id: UUID,
    entry_id: UUID,
    *,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
) -> None:
    """Remember a change of this transaction that can be undone."""
    steps: list[UndoStep] = session().info.setdefault(REMEMBERED, [])
    steps.append(UndoStep(kind, target_id, entry_id, _plain(before), _plain(after)))


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: plain(value) for name, value in values.items()}


def plain(value: Any) -> Any:
    """Return a value as a step stores it: an id, a day or an instant (in UTC) as text."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return (
        value.isoformat()
        if isinstance(value, date)
        else str(value)
        if isinstance(value, UUID)
        else value
    )


def id_or_none(text: str | None) -> UUID | None:
    return UUID(text) if text else None


def day_or_none(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def offer(confirmation: str | None = None) -> UUID | None:
    """Store what this transaction remembered; None if it changed nothing that can be undone."""
    steps: list[UndoStep] = session().info.pop(REMEMBERED, [])
    if not steps:
        return None
    now = clock.now()
    made = UndoOffer(
        person_id=current.person_id(),
        confirmation=confirmation,
        expires_at=now + WINDOW,
        used_at=None,
        created_at=now,
        steps=[{name: plain(value) for name, value in asdict(step).items()} for step in steps],
    )
    session().add(made)
    session().flush()
    return made.id


def applied(confirmation: str) -> UndoOffer | None:
    """Return the acting person's live offer of this confirmation: the button was pressed twice."""
    query = select(UndoOffer).where(
        UndoOffer.person_id == current.person_id(), UndoOffer.confirmation == confirmation
    )
    query = query.where(UndoOffer.used_at.is_(None), UndoOffer.expires_at > clock.now())
    return session().scalars(query.order_by(UndoOffer.created_at.desc()).limit(1)).one_or_none()


def take(offer_id: UUID, kinds: Collection[str]) -> Undone:
    """Undo what can still be undone of an offer whose steps are all of these kinds.

    Raises NotFound for an offer of another person, and Expired after ten minutes. Idempotent.
    """
    query = select(UndoOffer).where(
        UndoOffer.id == offer_id, UndoOffer.person_id == current.person_id()
    )
    found = session().scalars(query.with_for_update()).one_or_none()
    if found is None or {step["kind"] for step in found.steps} - set(kinds):
        raise NotFound("This change doesn't exist, or someone else made it.")
    if found.used_at is not None:
        return Undone(len(found.steps), 0, was_used=True)
    if found.expires_at <= clock.now():
        minutes = WINDOW.seconds // 60
        raise Expired(
            f"You can undo a change for {minutes} minutes, and that time has passed. Nothing was"
            " changed."
        )
    left = [why for why in (_undo(_step(each)) for each in found.steps) if why is not None]
    restored = len(found.steps) - len(left)
    found.used_at = clock.now() if restored else None
    return Undone(len(found.steps), restored, left)


def _step(stored: Mapping[str, Any]) -> UndoStep:
    return UndoStep(
        stored["kind"],
        UUID(stored["target_id"]),
        UUID(stored["entry_id"]),
        stored["before"],
        stored["after"],
    )


def _undo(step: UndoStep) -> str | None:
    """Undo a step; return None, or why the row didn't change. A failed step leaves nothing."""
    try:
        with session().begin_nested():
            _restorers[step.kind](step)
            session().flush()
    except DomainError as refusal:
        if refusal.status not in NOT_UNDONE:
            raise
        return refusal.message
    return None


def forget() -> int:
    """Delete the acting tenant's offers that have expired; return how many."""
    gone = session().execute(
        delete(UndoOffer).where(UndoOffer.expires_at <= clock.now()).returning(UndoOffer.id)
    )
    return len(gone.all())
