"""The objectives and indicators of the acting tenant that commitments measure, by name."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select

from governance.kernel.data.db import session
from governance.kernel.data.selects import one_of
from governance.kernel.errors import Invalid
from governance.operations.agreements.drafts import Content
from governance.operations.agreements.models import Commitment
from governance.operations.measurements.models import Indicator
from governance.operations.objectives.models import Objective


@dataclass(frozen=True, slots=True)
class Measured:
    """The indicator that a commitment is scored by, and its objective if it names one."""

    indicator: Indicator
    objective: Objective | None

    @property
    def name(self) -> str:
        return self.objective.name if self.objective else self.indicator.name


def _ids_in(column: Any) -> Select[Any]:
    """Select the ids in that column of some versions' commitments."""
    return select(column).where(one_of(Commitment.version_id, "versions"))


def of(commitments: Collection[Commitment]) -> dict[UUID, Measured]:
    """Map each commitment to what it measures; a vendor's has none. Runs at most two statements."""
    ids = {each.objective_id for each in commitments if each.objective_id}
    objectives = {o.id: o for o in _all(Objective, ids)}
    wanted = {each.indicator_id for each in commitments if each.indicator_id}
    wanted |= {each.indicator_id for each in objectives.values()}
    indicators = {i.id: i for i in _all(Indicator, wanted)}
    found = {}
    for each in commitments:
        objective = objectives.get(each.objective_id) if each.objective_id else None
        indicator = indicators.get(
            objective.indicator_id if objective else each.indicator_id or UUID(int=0)
        )
        if indicator is not None:
            found[each.id] = Measured(indicator, objective)
    return found


def names(commitments: Collection[Commitment]) -> dict[UUID, str]:
    """Map objective and indicator ids to names."""
    found = of(commitments)
    return {
        each.objective_id or each.indicator_id or each.id: found[each.id].name
        for each in commitments
        if each.id in found
    }


def check_known(content: Content) -> None:
    """Raise Invalid for a commitment to another tenant's objective or indicator."""
    objectives = {o.id for o in _all(Objective, {c.objective_id for c in content.commitments})}
    indicators = {i.id for i in _all(Indicator, {c.indicator_id for c in content.commitments})}
    for row, each in enumerate(content.commitments):
        known = each.objective_id in objectives or each.indicator_id in indicators
        if not known:
            raise Invalid(
                f"Commitment {row + 1}: choose one of the tenant's objectives or indicators.",
                field=f"c{row}_measures",
            )


def choices() -> list[tuple[str, str]]:
    """List what a commitment may name: active objectives, then active indicators."""
    o = select(Objective.id, Objective.name).where(Objective.retired_at.is_(None))
    i = select(Indicator.id, Indicator.name).where(Indicator.retired_at.is_(None))
    return [
        *(
            (f"objective:{row.id}", row.name)
            for row in session().execute(o.order_by(Objective.name))
        ),
        *(
            (f"indicator:{row.id}", f"{row.name} (indicator)")
            for row in session().execute(i.order_by(Indicator.name))
        ),
    ]


def _all[M: (Objective, Indicator)](model: type[M], ids: Collection[UUID | None]) -> Sequence[M]:
    wanted = {each for each in ids if each is not None}
    return session().scalars(select(model).where(model.id.in_(wanted))).all()
