"""Points about agreements in an AI system's documents (kernel/record_points.py)."""

from collections.abc import Iterator
from uuid import UUID

from sqlalchemy import func

from governance.kernel.data.db import session
from governance.kernel.record_points import RecordPoint
from governance.operations.agreements import queries
from governance.operations.agreements.models import TO_TENANT, Agreement, Commitment
from governance.operations.measurements.models import Indicator
from governance.operations.objectives.figures import exact_percent
from governance.operations.objectives.models import Objective


def points_of(system_id: UUID) -> Iterator[RecordPoint]:
    """Yield the system's service levels that are promised to the tenant. Runs one statement."""
    query = (
        queries.commitments_in_force()
        .outerjoin(Objective, Objective.id == Commitment.objective_id)
        .join(
            Indicator,
            Indicator.id == func.coalesce(Commitment.indicator_id, Objective.indicator_id),
        )
        .where(Agreement.direction == TO_TENANT, Indicator.system_id == system_id)
        .add_columns(func.coalesce(Objective.name, Indicator.name))
    )
    for agreement, commitment, name in session().execute(query):
        yield RecordPoint(
            ("3.a", "9"),
            f"{name}: at least {exact_percent(commitment.target)} a month is promised.",
            f"Agreement {agreement.ref} {agreement.name}",
            "agreements.agreement",
            {"agreement_id": agreement.id},
        )
