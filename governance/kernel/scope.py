"""What the acting person may see here: all of it for members; an auditor's engagement narrows it.

`narrow(finder)` is called once, where engagements are known; until then everybody stands as a member. Features ask
`scope()` wherever they read a row by its id or list rows, and answer as if the others did not exist.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from governance.kernel import current
from governance.kernel.current import Actor


@dataclass(frozen=True, slots=True)
class Scope:
    """Ids of an engagement's controls and evidence (None: all), its period, and whether its window is open for testing now.

    `frameworks` are keys; `versions` were provided in a request, whatever they are about.
    """

    controls: frozenset[UUID] | None
    period_from: date
    period_to: date
    open: bool = True
    says: str = ""
    evidence: frozenset[UUID] | None = None
    versions: frozenset[UUID] = frozenset()
    frameworks: frozenset[str] | None = None

    def holds(self, control_id: UUID) -> bool:
        return self.controls is None or control_id in self.controls

    def holds_evidence(self, evidence_id: UUID) -> bool:
        return self.evidence is None or evidence_id in self.evidence

    def holds_framework(self, key: str) -> bool:
        return self.frameworks is None or key in self.frameworks


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


def scope() -> Scope | None:
    """The acting person's; None: all of the tenant."""
    return scope_of(current.actor())
