"""Systems classified under an earlier version of the law, and the changes for each.

is_to_confirm(today)     a condition on AISystem
page_of(after)           a page of them, by slug
change_of(system)        the changes for one; changes_of(systems) for several, in one statement
"""

from collections.abc import Iterable, Mapping
from datetime import date
from uuid import UUID

from sqlalchemy import ColumnElement, Date, and_, case, func, literal, select

from governance.kernel import clock
from governance.kernel.data.db import among, session
from governance.kernel.pages.rendering import Keyset, keyset
from governance.operations.intake import law
from governance.operations.intake.law_change import Classified, LawChange, compare
from governance.operations.intake.models import SystemProposal
from governance.operations.systems.models import AISystem


def is_to_confirm(today: ColumnElement[date]) -> ColumnElement[bool]:
    """Select classified systems in use whose class is under an earlier version than today's."""
    return and_(
        AISystem.retired_at.is_(None),
        AISystem.ai_act_class != "",
        AISystem.law_version < version_on(today),
    )


def version_on(day: ColumnElement[date]) -> ColumnElement[str]:
    """Return the version of the law in force on a day."""
    in_force = ((day >= date.fromisoformat(each), each) for each in law.VERSIONS)
    return case(*in_force, else_=law.ORIGINAL)


def _today() -> ColumnElement[date]:
    return literal(clock.today(), Date())


def needs_confirmation(system: AISystem) -> bool:
    """Return True if is_to_confirm() selects it."""
    has_class = system.ai_act_class != "" and not system.is_retired
    return has_class and system.law_version < law.current_version()


def page_of(after: str | None = None, *, size: int = 50) -> Keyset:
    """Return a page of the systems to confirm."""
    return keyset(
        select(AISystem).where(is_to_confirm(_today())), AISystem.key, after=after, size=size
    )


def count() -> int:
    """Count the systems to confirm."""
    return (
        session().scalar(select(func.count()).select_from(AISystem).where(is_to_confirm(_today())))
        or 0
    )


def change_of(system: AISystem) -> LawChange:
    return changes_of([system])[system.id]


def changes_of(systems: Iterable[AISystem]) -> dict[UUID, LawChange]:
    """Return the changes of today's version for each of them."""
    systems = list(systems)
    proposals = proposals_of(each.id for each in systems)
    return {
        each.id: compare(
            classified(each, proposals.get(each.id)),
            before=law.law(law.kept_version(each.law_version)),
            after=law.current(),
            on=clock.today(),
        )
        for each in systems
    }


def classified(system: AISystem, proposal: SystemProposal | None) -> Classified:
    """Return a system's record. The register's role and day override the proposal's."""
    return Classified(
        system.ai_act_class,
        system.eu_role,
        system.placed_on,
        proposal.answers if proposal is not None else None,
    )


def proposals_of(ids: Iterable[UUID]) -> Mapping[UUID, SystemProposal]:
    """Return the proposals that opened these systems, by system. Runs one statement."""
    query = select(SystemProposal).where(among(SystemProposal.system_id, list(ids)))
    return {each.system_id: each for each in session().scalars(query) if each.system_id}
