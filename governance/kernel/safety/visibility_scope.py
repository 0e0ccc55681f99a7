"""The visible scope of the acting person: everything for members, less for an auditor.

An auditor's engagement narrows it. The port `scope_finder` returns it from the feature that knows
engagements; until then everybody is a member. Features call `scope()` wherever they read a row by
its id or list rows, and answer as if the others did not exist. Repeated calls cost as much as one:
the answer is cached in the current transaction, by actor, until that transaction writes anything or
ends.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Select, event, select
from sqlalchemy.orm import ORMExecuteState, Session

from governance.kernel import current
from governance.kernel.current import Actor
from governance.kernel.data import db
from governance.kernel.ports import Port


@dataclass(frozen=True, slots=True)
class Scope:
    """The extent of an engagement.

    It has the ids of its controls and evidence (None: all), its period, and whether its window is
    open for testing now.

    `frameworks` are keys, `requirements` the audited part of them: the engagement's criteria and
    their groups, or everything. `versions` were provided in a request, about any object.
    """

    controls: frozenset[UUID] | None
    period_from: date
    period_to: date
    open: bool = True
    says: str = ""
    evidence: frozenset[UUID] | None = None
    versions: frozenset[UUID] = frozenset()
    frameworks: frozenset[str] | None = None
    requirements: frozenset[UUID] | None = None
    shows_names: bool = False  # Names of people, in place of role and letter.

    @property
    def is_limited(self) -> bool:
        """False if the engagement is over everything that the tenant has."""
        return self.controls is not None

    def holds(self, control_id: UUID) -> bool:
        return self.controls is None or control_id in self.controls

    def holds_evidence(self, evidence_id: UUID) -> bool:
        return self.evidence is None or evidence_id in self.evidence

    def holds_framework(self, key: str) -> bool:
        return self.frameworks is None or key in self.frameworks

    def holds_requirement(self, requirement_id: UUID) -> bool:
        return self.requirements is None or requirement_id in self.requirements


type Finder = Callable[[Actor], Scope | None]


def _members(_actor: Actor) -> Scope | None:
    return None


scope_finder: Port[Finder] = Port("what an actor may see", default=_members)


def scope_of(actor: Actor) -> Scope | None:
    """Return the actor's scope, computed again; None = all of the tenant."""
    return scope_finder()(actor)


def scope() -> Scope | None:
    """Return the acting person's scope; None = all of the tenant."""
    who = current.actor()
    if not db.is_open():
        return scope_of(who)
    kept: dict[Actor, Scope | None] = db.info().setdefault(KEPT, {})
    if who not in kept:
        kept[who] = scope_of(who)
    return kept[who]


def limits() -> Scope | None:
    """Return the acting person's scope if it leaves anything out; None = all of the tenant."""
    current_scope = scope()
    return current_scope if current_scope is not None and current_scope.is_limited else None


def seen_by_control(row_id: Any, control_id: Any) -> Select[UUID] | None:
    """Select the ids of rows about the reader's controls; None: the reader may see all rows."""
    found = limits()
    return None if found is None else select(row_id).where(control_id.in_(found.controls or ()))


KEPT = "scopes"


@event.listens_for(Session, "after_flush")
@event.listens_for(Session, "after_soft_rollback")
def _forget(work: Session, _context: object) -> None:
    """Clear the cached scope: a write or a rollback may have changed the engagement."""
    work.info.pop(KEPT, None)


@event.listens_for(Session, "do_orm_execute")
def _forget_for(state: ORMExecuteState) -> None:
    if not state.is_select:
        state.session.info.pop(KEPT, None)
