"""Export objectives as OpenSLO.

Imported ones are written as they were, with current targets; others from Meridian's data.
"""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import select

from governance.kernel.data.db import session
from governance.operations.measurements.models import Indicator
from governance.operations.measurements.prometheus_models import PrometheusQuery, PrometheusSource
from governance.operations.objectives import queries
from governance.operations.objectives.models import Objective
from governance.operations.objectives.openslo import records
from governance.operations.objectives.openslo.mapping import (
    annotations_of,
    goal_of,
    indicator_annotations,
    updated,
    window_of,
)
from governance.operations.objectives.openslo.values import (
    Document,
    Metadata,
    MetricSource,
    RatioMetric,
    Service,
    Sli,
    Slo,
    ThresholdMetric,
)
from governance.operations.objectives.openslo.writer import emit
from governance.operations.systems.models import AISystem

type Query = tuple[PrometheusQuery, PrometheusSource]


def export(objectives: Sequence[Objective]) -> str:
    """Return YAML: services, then indicators, then objectives.

    The number of statements doesn't depend on the number of objectives.
    """
    indicators = queries.indicators_of(objectives)
    every = _Exporter(indicators.values())
    slos = [every.slo(each, indicators[each.indicator_id]) for each in objectives]
    inline = {each.indicator.metadata.name for each in slos if each.indicator is not None}
    used = sorted({each.indicator_id for each in objectives}, key=lambda i: indicators[i].key)
    slis = [every.sli(indicators[each]) for each in used if indicators[each].key not in inline]
    names = sorted({each.service for each in slos})
    services = [every.service(each) for each in names]
    return emit([*services, *slis, *slos])


class _Exporter:
    def __init__(self, indicators: Collection[Indicator]) -> None:
        self.imported = records.rows()
        self.zone = records.time_zone()
        wanted = {each.system_id for each in indicators}
        found = session().scalars(select(AISystem).where(AISystem.id.in_(wanted)))
        self.systems = {each.id: each for each in found}
        self.queries = _queries({each.id for each in indicators})

    def _imported_document(self, kind: str, name: str) -> Document | None:
        row = self.imported.get((kind, name))
        return records.document_of(row) if row is not None else None

    def service(self, key: str) -> Service:
        found = self._imported_document("Service", key)
        if isinstance(found, Service):
            return found
        system = next(each for each in self.systems.values() if each.key == key)
        return Service(Metadata(key, system.name))

    def sli(self, indicator: Indicator) -> Sli:
        found = self._imported_document("SLI", indicator.key)
        if isinstance(found, Sli):
            return found
        spec = records.indicator_spec(indicator)
        metadata = Metadata(indicator.key, indicator.name, annotations=indicator_annotations(spec))
        return Sli(metadata, _metric(indicator, self.queries.get(indicator.id)))

    def slo(self, objective: Objective, indicator: Indicator) -> Slo:
        spec = records.objective_spec(objective)
        found = self._imported_document("SLO", objective.key)
        if isinstance(found, Slo):
            return updated(found, spec, self.zone)
        return Slo(
            Metadata(objective.key, objective.name, annotations=annotations_of(spec)),
            service=self.systems[indicator.system_id].key,
            indicator_ref=indicator.key,
            window=window_of(spec, self.zone),
            method="Timeslices" if indicator.kind == "downtime" else "Occurrences",
            goals=(goal_of(records.indicator_spec(indicator), spec.target),),
        )


def _queries(indicator_ids: Collection[UUID]) -> dict[UUID, Query]:
    query = (
        select(PrometheusQuery, PrometheusSource)
        .join(PrometheusSource, PrometheusSource.id == PrometheusQuery.source_id)
        .where(PrometheusQuery.indicator_id.in_(indicator_ids))
    )
    return {row[0].indicator_id: (row[0], row[1]) for row in session().execute(query)}


def _metric(indicator: Indicator, found: Query | None) -> ThresholdMetric | RatioMetric:
    if found is not None:
        query, source = found
        total, good = _prometheus(query.total, source), _prometheus(query.good, source)
        if query.kind == "histogram":
            return ThresholdMetric(total)
        if indicator.kind != "threshold":
            return RatioMetric(counter=query.kind == "counter", good=good, total=total)
        return ThresholdMetric(total)
    type_ = "Prometheus" if indicator.source == "prometheus" else "Meridian"

    def own(field: str) -> MetricSource:
        return MetricSource({"indicator": indicator.key, "count": field}, type=type_)

    if indicator.kind == "threshold":
        return ThresholdMetric(own("good"))
    return RatioMetric(counter=False, good=own("good"), total=own("total"))


def _prometheus(query: str, source: PrometheusSource) -> MetricSource:
    return MetricSource({"query": query}, records.slug(source.name), "Prometheus")
