"""Reads of proposals: the queue, one of them, and the one that opened a system."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Select, Uuid, bindparam, func, or_, select

from governance.foundation.approvals import queries as approvals
from governance.foundation.approvals.models import Approval
from governance.kernel import clock
from governance.kernel.data.db import find, session
from governance.kernel.data.selects import Rows
from governance.kernel.pages.rendering import Keyset, sorted_page
from governance.operations.intake.models import SystemProposal
from governance.operations.intake.triage import Triage, triage
from governance.operations.systems.models import AISystem

PROPOSAL = "system_proposal"  # Kind of its approval
SORTS: Mapping[str, tuple[Any, ...]] = {
    "proposal": (SystemProposal.name, SystemProposal.id),
    "proposed": (SystemProposal.created_at, SystemProposal.id),
}


def proposal(proposal_id: UUID, *, lock: bool = False) -> SystemProposal:
    """Return a proposal. Raises NotFound."""
    return find(SystemProposal, proposal_id, what="proposal", lock=lock)


def exists(proposal_id: UUID) -> bool:
    query = select(SystemProposal.id).where(SystemProposal.id == proposal_id)
    return session().scalar(query) is not None


def next_number() -> int:
    return (session().scalar(select(func.max(SystemProposal.number))) or 0) + 1


def triage_of(found: SystemProposal) -> Triage:
    """Return the triage of its answers, with the classes that apply."""
    return triage(
        found.answers,
        act=found.law,
        on=clock.today(),
        placed_on=found.placed_on,
        eu_class=found.eu_class,
        risk_class=found.risk_class,
    )


def derived_triage(found: SystemProposal) -> Triage:
    """Return the triage of its answers alone."""
    return triage(found.answers, act=found.law, on=clock.today(), placed_on=found.placed_on)


def open_request(found: SystemProposal) -> Approval | None:
    """Return the open request to approve it."""
    return approvals.open_approval(PROPOSAL, found.id)


PROPOSALS = Rows(
    SystemProposal,
    lambda m: m.system_id == bindparam("system_id", type_=Uuid()),
    lambda m: (m.id,),
)


def proposal_of_system(system_id: UUID) -> SystemProposal | None:
    """Return the proposal whose approval opened that system."""
    return next(iter(PROPOSALS.read(system_id=system_id)), None)


def system_of_slug(key: str) -> AISystem | None:
    """Return the system with this slug, including retired ones."""
    return session().scalars(select(AISystem).where(AISystem.key == key)).one_or_none()


def counts() -> dict[str, int]:
    """Count the proposals in review, and those of them that lack answers."""
    is_open = SystemProposal.state == "in_review"
    query = select(
        func.count().filter(is_open).label("in_review"),
        func.count().filter(is_open, SystemProposal.open_questions > 0).label("lacking"),
        func.count().label("every"),
    ).select_from(SystemProposal)
    row = session().execute(query).one()
    return {"in_review": row.in_review, "lacking": row.lacking, "every": row.every}


def page_of(
    wanted: Mapping[str, str],
    *,
    sort: str = "-proposed",
    after: str | None = None,
    size: int = 50,
) -> Keyset:
    """Return a page of the queue. `wanted` has q, state, eu_class and risk_class."""
    return sorted_page(_filtered(wanted), SORTS, sort, after=after, size=size)


def _filtered(wanted: Mapping[str, str]) -> Select[Any]:
    query = select(SystemProposal)
    for name in ("state", "eu_class", "risk_class"):
        if name in wanted:
            query = query.where(getattr(SystemProposal, name) == wanted[name])
    if "q" in wanted:
        columns = (SystemProposal.name, SystemProposal.key, SystemProposal.purpose)
        query = query.where(or_(*(c.icontains(wanted["q"], autoescape=True) for c in columns)))
    return query
