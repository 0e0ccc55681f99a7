"""Import an OpenSLO file, all or nothing. Importing it again changes nothing."""

from collections.abc import Mapping
from uuid import UUID

from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.kernel import current
from governance.kernel.data.db import lock_tenant, session
from governance.kernel.errors import Invalid, Stale
from governance.operations.measurements import actions as measuring
from governance.operations.measurements import prometheus_actions
from governance.operations.objectives import actions, queries
from governance.operations.objectives.openslo import records
from governance.operations.objectives.openslo.models import OpenSloDocument
from governance.operations.objectives.openslo.plan import (
    ImportPlan,
    PlannedIndicator,
    PlannedObjective,
    plan,
)
from governance.operations.objectives.openslo.values import KINDS, Document
from governance.operations.objectives.openslo.writer import emit

IMPORTED = action(
    "openslo.document.imported",
    "imported an OpenSLO document",
    target="OpenSloDocument",
    activity="create",
    severity="low",
    fields="kind name revision sha256",
)
REASON = "Imported from an OpenSLO file"


def import_openslo(data: bytes, *, basis: str | None = None) -> ImportPlan:
    """Apply a file in the caller's transaction and return the result.

    `basis` is that of the plan that a person saw. Raises Stale if the tenant changed since. Raises
    UnreadableFile or Invalid, and changes nothing, if anything in the file is rejected.
    """
    lock_tenant("openslo")
    planned = plan(data)
    if planned.refused:
        raise Invalid(f"Nothing was imported. {planned.refused[0]}")
    if basis is not None and basis != planned.basis:
        raise Stale("Something changed since the preview. Review the import, then confirm it.", {})
    with session().begin_nested():
        ids = {key: _define(each) for key, each in planned.indicators.items()}
        for each in planned.objectives:
            _create_or_change(each, ids)
        rows = records.rows()
        for document in planned.documents:
            _store(document, rows, planned.sha256)
    return planned


def _define(planned: PlannedIndicator) -> UUID:
    """Define the indicator unless the tenant has it already. Return its id."""
    if planned.existing is not None:
        return planned.existing.id
    spec = planned.spec
    indicator = measuring.define(
        key=spec.key,
        name=spec.name,
        system_id=planned.system.id,
        kind=spec.kind,
        feature=spec.feature,
        unit=spec.unit,
        min_requests=spec.min_requests,
        floor=spec.floor,
        bound=spec.bound,
        bound_unit=spec.bound_unit,
        good_side=spec.good_side,
        vendor=spec.vendor,
        source=spec.source,
    )
    query = planned.query
    if query is not None:
        prometheus_actions.set_query(
            indicator, source_id=query.source_id, kind="counter", good=query.good, total=query.total
        )
    return indicator.id


def _create_or_change(planned: PlannedObjective, indicators: Mapping[str, UUID]) -> None:
    spec = planned.spec
    values = {
        "name": spec.name,
        "target": spec.target,
        "window": spec.window,
        "service_hours": spec.service_hours,
        "minimum_coverage": spec.minimum_coverage,
        "is_ai": spec.is_ai,
    }
    if spec.window == "rolling":
        values["window_days"] = spec.window_days
    if planned.existing is None:
        actions.create(
            key=spec.key,
            indicator_id=indicators[planned.indicator],
            owner_id=current.actor().person_id,
            reason=REASON,
            **values,  # type: ignore[arg-type]
        )
    elif planned.outcome == "change":
        objective = queries.objective(planned.existing.id, lock=True)
        actions.change(objective, seen=planned.seen, reason=REASON, **values)


def _store(
    document: Document, rows: Mapping[tuple[str, str], OpenSloDocument], sha256: str
) -> None:
    kind, name = KINDS[type(document)], document.metadata.name
    row = rows.get((kind, name))
    if row is None:
        row = OpenSloDocument(kind=kind, name=name, content="", imported_by=None, revision=0)
        session().add(row)
    row.content, row.imported_by = emit([document]), current.actor().person_id
    row.revision += 1
    session().flush()
    record(IMPORTED, row, kind=kind, name=name, revision=row.revision, sha256=sha256)
