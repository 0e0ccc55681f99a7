"""Parts of policies on an AI system's page: the tier in force, and the effect of retirement.

Retirement affects its waivers and the policy's values for only this system.
"""

from typing import Any
from uuid import UUID

from sqlalchemy import Select, Text, cast, func, select
from sqlalchemy.dialects.postgresql import JSONPATH

from governance.kernel import clock
from governance.kernel.formatting import plural
from governance.operations.policies import permissions
from governance.operations.policies.models import PolicyVersion, Waiver
from governance.operations.systems.models import AISystem
from governance.operations.systems.parts import Consequence, Figure, SystemFigure


def _waivers(system_id: UUID) -> Select[*tuple[Any, ...]]:
    return select(func.count()).where(
        Waiver.system_id == system_id, Waiver.state.in_(("requested", "live"))
    )


WAIVERS = Consequence(
    name="waivers",
    order=15,
    count=_waivers,
    text=lambda n: f"{plural(n, 'waiver')} of its policy: withdraw or end what no longer matters",
)


def _in_force(system_id: UUID) -> Select[*tuple[Any, ...]]:
    """Select the tier, its number and how many own values the system has."""
    v = PolicyVersion
    of_system = v.content["systems"][cast(AISystem.id, Text)]
    own = func.jsonb_array_length(
        func.jsonb_path_query_array(of_system, cast("$.keyvalue()", JSONPATH))
    )
    return (
        select(v.content["tier"].astext, v.number, func.coalesce(own, 0))
        .join(AISystem, AISystem.tenant_id == v.tenant_id)
        .where(AISystem.id == system_id, v.in_force_from <= clock.now())
        .order_by(v.number.desc())
        .limit(1)
    )


def _policy(tier: str, number: str, own: str) -> Figure:
    words = tier.replace("_", " ").capitalize()
    note = plural(int(own), "value of its own", "values of its own") if int(own) else ""
    return Figure(f"{words}, version {number}", note)


POLICY = SystemFigure(
    label="Policy tier", order=10, permission=permissions.VIEW, select=_in_force, words=_policy
)


def _own_values(system_id: UUID) -> Select[*tuple[Any, ...]]:
    found = _in_force(system_id).subquery()
    return select(found.columns[2])


OVERRIDES = Consequence(
    name="policy overrides",
    order=14,
    count=_own_values,
    text=lambda n: (
        f"{plural(n, 'value')} of the policy for it alone: nothing reads"
        f" {'it' if n == 1 else 'them'} any more"
    ),
)
