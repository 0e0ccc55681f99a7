"""What the acting person may see and test here: all of it for members; an auditor's engagement narrows it.

`narrow(finder)` is called once, where engagements are known; until then everybody stands as a member.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from governance.kernel.current import Actor


@dataclass(frozen=True, slots=True)
class Scope:
    """The controls (None: all) and the period of an engagement, and whether its window is open for testing now."""

    controls: frozenset[UUID] | None
    period_from: date
    period_to: date
    open: bool = True
    says: str = ""

    def holds(self, control_id: UUID) -> bool:
        return self.controls is None or control_id in self.controls


type Finder = Callable[[Actor], Scope | None]


def _members(_actor: Actor) -> Scope | None:
    return None


_finders: list[Finder] = [_members]


def narrow(finder: Finder) -> None:
    """From now on `finder` says what an actor's scope is."""
    _finders[:] = [finder]


def scope_of(actor: Actor) -> Scope | None:
    """None: all of the tenant."""
    return _finders[0](actor)
