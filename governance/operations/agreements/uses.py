"""Commitments that use an objective, and agreements that depend on an AI system."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from flask import url_for
from sqlalchemy import Select, func, or_, select

from governance.kernel import current
from governance.kernel.data.db import among, session
from governance.kernel.safety.access import allowed
from governance.operations.agreements import permissions, queries
from governance.operations.agreements.models import TO_TENANT, Agreement, Commitment
from governance.operations.measurements.models import Indicator
from governance.operations.objectives.figures import exact_percent
from governance.operations.objectives.models import Objective
from governance.operations.objectives.ports import Use
from governance.operations.systems.parts import UsedBy


def uses_of(objective_ids: Collection[UUID]) -> Mapping[UUID, Sequence[Use]]:
    """Return the commitments in force for these objectives. Runs one statement."""
    if not objective_ids or not allowed(permissions.VIEW):
        return {}
    found = defaultdict[UUID, list[Use]](list)
    query = queries.commitments_in_force().where(among(Commitment.objective_id, objective_ids))
    for agreement, commitment in session().execute(query):
        if commitment.objective_id is None:
            continue
        found[commitment.objective_id].append(
            Use(
                agreement.ref,
                f"Agreement {agreement.ref}, commitment {commitment.clause}:"
                f" {exact_percent(commitment.target)} a month",
                url_for(
                    "agreements.agreement",
                    tenant=current.actor().tenant_slug,
                    agreement_id=agreement.id,
                ),
                note=agreement.name,
            )
        )
    return found


def _of_system(system_id: UUID) -> Select[*tuple[Any, ...]]:
    """Select the agreements to the tenant with a commitment about a system."""
    indicators = select(Indicator.id).where(Indicator.system_id == system_id)
    objectives = select(Objective.id).where(Objective.indicator_id.in_(indicators))
    promised = or_(Commitment.objective_id.in_(objectives), Commitment.indicator_id.in_(indicators))
    ref = func.concat("AGR-", Agreement.number)
    return (
        queries.commitments_in_force()
        .where(promised, Agreement.direction == TO_TENANT)
        .with_only_columns(Agreement.id, ref.label("ref"))
        .order_by(None)
        .distinct()
    )


USED_BY = UsedBy(
    order=20,
    permission=permissions.VIEW,
    select=_of_system,
    endpoint="agreements.agreement",
    argument="agreement_id",
    counts_everything=True,
)
