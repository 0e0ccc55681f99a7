"""Parts that risks add to AI systems: a tab, stale acceptances and a consequence of retirement."""

from typing import Any
from uuid import UUID

from sqlalchemy import Select, String, case, cast, func, select

from governance.assurance.risks import acceptance_actions, permissions
from governance.assurance.risks.models import Risk, RiskAcceptance, RiskControl, RiskSystem
from governance.kernel.formatting import plural
from governance.operations.systems.models import AISystem
from governance.operations.systems.parts import Consequence, OutdatedRecords, SystemTab, UsedBy


def _open(system_id: UUID) -> Select[*tuple[Any, ...]]:
    """Count the open risks that name the system."""
    return (
        select(func.count())
        .select_from(Risk)
        .join(RiskSystem, RiskSystem.risk_id == Risk.id)
        .where(RiskSystem.system_id == system_id, Risk.closed_at.is_(None))
    )


def _tab(system_id: UUID) -> Select[*tuple[Any, ...]]:
    """Select the number of open risks, as text."""
    count = _open(system_id).scalar_subquery()
    return select(cast(count, String)).where(count > 0)


def _stale(system_id: UUID) -> Select[*tuple[Any, ...]]:
    """Select the acceptances that a substantial change of the system made stale."""
    query: Select[*tuple[Any, ...]] = (
        select(
            Risk.id,
            func.concat("Acceptance of RSK-", Risk.number).label("name"),
            RiskAcceptance.stale_reason.label("detail"),
        )
        .join(RiskAcceptance, RiskAcceptance.risk_id == Risk.id)
        .join(RiskSystem, RiskSystem.risk_id == Risk.id)
    )
    return query.where(
        RiskSystem.system_id == system_id,
        Risk.closed_at.is_(None),
        RiskAcceptance.state == "accepted",
        RiskAcceptance.stale_at.is_not(None),
    )


RISKS_TAB = SystemTab(
    label="Risks",
    endpoint="risks.of_system",
    argument="system_key",
    permission=permissions.VIEW,
    order=30,
    content=_tab,
    counts_everything=True,
)
OUTDATED = OutdatedRecords(
    select=_stale,
    verb="Open",
    endpoint="risks.risk",
    argument="risk_id",
    permission=permissions.VIEW,
    confirming=permissions.ACCEPT,
    confirm=acceptance_actions.confirm,
    counts_everything=True,
)
OPEN = Consequence(
    name="risks",
    order=70,
    count=_open,
    text=lambda n: (
        f"{plural(n, 'open risk')} of it stays until someone closes it"
        if n == 1
        else f"{plural(n, 'open risk')} of it stay until someone closes them"
    ),
)


def _controls(system_id: UUID) -> Select[*tuple[Any, ...]]:
    """Select how many controls lower the system's open risks, with the system's slug."""
    count = func.count(RiskControl.control_id.distinct())
    return (
        select(AISystem.key, func.concat(count, case((count == 1, " control"), else_=" controls")))
        .join(RiskSystem, RiskSystem.system_id == AISystem.id)
        .join(Risk, Risk.id == RiskSystem.risk_id)
        .join(RiskControl, RiskControl.risk_id == Risk.id)
        .where(AISystem.id == system_id, Risk.closed_at.is_(None))
        .group_by(AISystem.key)
    )


USED_BY = UsedBy(
    order=60,
    permission=permissions.VIEW,
    select=_controls,
    endpoint="risks.of_system",
    argument="system_key",
    counts_everything=True,
)
