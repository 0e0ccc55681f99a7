"""Parts that findings add to AI systems: a figure, a tab and a consequence of retirement."""

from typing import Any
from uuid import UUID

from sqlalchemy import Select, case, func, select

from governance.assurance.evaluation_findings import permissions
from governance.assurance.evaluation_findings.models import EvaluationFinding
from governance.kernel.formatting import plural
from governance.operations.systems.parts import (
    Consequence,
    Figure,
    SystemFigure,
    SystemRecords,
    SystemTab,
)


def _content(system_id: UUID) -> Select[*tuple[Any, ...]]:
    """Select the tab's text: the number of open findings. Returns no row without any finding."""
    f = EvaluationFinding
    still_open = func.count().filter(f.closed_at.is_(None))
    words = case((still_open > 0, func.concat(still_open, " open")), else_="")
    return select(words).where(f.system_id == system_id).having(func.count() > 0)


def _open(system_id: UUID) -> Select[*tuple[Any, ...]]:
    f = EvaluationFinding
    return select(func.count()).where(f.system_id == system_id, f.closed_at.is_(None))


TAB = SystemTab(
    label="Findings",
    endpoint="evaluation_findings.of_system",
    argument="system_key",
    permission=permissions.VIEW,
    order=45,
    content=_content,
)
OPEN = Consequence(
    name="findings of evaluations",
    order=70,
    count=_open,
    text=lambda n: f"{plural(n, 'open finding')} of evaluations will lower no control any more",
)


def _open_ones(system_id: UUID) -> Select[*tuple[Any, ...]]:
    f = EvaluationFinding
    refs = func.string_agg(func.concat("EVF-", f.number), ", ")
    return (
        select(func.count(), refs, func.max(f.misses))
        .where(f.system_id == system_id, f.closed_at.is_(None))
        .having(func.count() > 0)
    )


FIGURE = SystemFigure(
    label="Open findings",
    order=50,
    permission=permissions.VIEW,
    select=_open_ones,
    words=lambda count, refs, _misses: Figure(f"{count} open", refs, "bad"),
)
RECORDS = SystemRecords(
    permission=permissions.VIEW,
    select=lambda system_id: (
        select(EvaluationFinding.id)
        .where(EvaluationFinding.system_id == system_id)
        .order_by(EvaluationFinding.number.desc())
    ),
    counts_everything=True,
)
