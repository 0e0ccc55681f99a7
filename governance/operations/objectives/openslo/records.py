"""Objectives and indicators of the acting tenant, as values to compare with OpenSLO."""

import re
from collections.abc import Iterable, Sequence

from sqlalchemy import select

from governance.foundation.tenants.time_zones import zone_periods
from governance.kernel.data.db import session
from governance.operations.measurements.models import Indicator
from governance.operations.objectives.models import Objective
from governance.operations.objectives.openslo.mapping import IndicatorSpec, ObjectiveSpec
from governance.operations.objectives.openslo.models import OpenSloDocument
from governance.operations.objectives.openslo.parser import parse
from governance.operations.objectives.openslo.values import Document


def time_zone() -> str:
    """Return the tenant's current time zone."""
    return zone_periods()[-1].zone


def indicator_spec(indicator: Indicator) -> IndicatorSpec:
    return IndicatorSpec(
        key=indicator.key,
        name=indicator.name,
        kind=indicator.kind,
        unit=indicator.unit,
        source=indicator.source,
        feature=indicator.feature,
        vendor=indicator.vendor,
        min_requests=indicator.min_requests,
        floor=indicator.floor.normalize() if indicator.floor else None,
        bound=None if indicator.bound is None else indicator.bound.normalize(),
        bound_unit=indicator.bound_unit,
        good_side=indicator.good_side,
    )


def objective_spec(objective: Objective) -> ObjectiveSpec:
    return ObjectiveSpec(
        key=objective.key,
        name=objective.name,
        target=objective.target,
        window=objective.window,
        # A month has no fixed number of days.
        window_days=objective.window_days if objective.window == "rolling" else 30,
        minimum_coverage=objective.minimum_coverage,
        service_hours=objective.service_hours,
        is_ai=objective.is_ai,
    )


def rows() -> dict[tuple[str, str], OpenSloDocument]:
    """Return every imported document by its kind and name. Runs one statement."""
    return {(each.kind, each.name): each for each in session().scalars(select(OpenSloDocument))}


def document_of(row: OpenSloDocument) -> Document | None:
    """Return the document of a row, or None if this version of Meridian no longer accepts it."""
    return next(iter(parse(row.content.encode()).documents.values()), None)


def objectives_by_key(keys: Iterable[str]) -> dict[str, Objective]:
    found = session().scalars(select(Objective).where(Objective.key.in_(list(keys))))
    return {each.key: each for each in found}


def indicators_by_key(keys: Iterable[str]) -> dict[str, Indicator]:
    found = session().scalars(select(Indicator).where(Indicator.key.in_(list(keys))))
    return {each.key: each for each in found}


def live_names() -> Sequence[tuple[str, str]]:
    """Return (name, key) of the objectives that aren't retired."""
    query = select(Objective.name, Objective.key).where(Objective.retired_at.is_(None))
    return [(row.name, row.key) for row in session().execute(query)]


def slug(name: str) -> str:
    """Return the reference of a Prometheus source in a file."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "source"
