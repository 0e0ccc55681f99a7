"""Compare an OpenSLO file with the tenant, and list the changes of an import."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from governance.operations.measurements import actions as measuring
from governance.operations.measurements import prometheus_queries
from governance.operations.measurements import prometheus_selector as selectors
from governance.operations.measurements.models import Indicator
from governance.operations.objectives import actions
from governance.operations.objectives.models import Objective
from governance.operations.objectives.openslo import records
from governance.operations.objectives.openslo.mapping import (
    IndicatorSpec,
    NotImportable,
    ObjectiveSpec,
    indicator_of,
    objective_of,
)
from governance.operations.objectives.openslo.parser import parse
from governance.operations.objectives.openslo.values import (
    KINDS,
    Document,
    MetricSource,
    OpenSloFile,
    RatioMetric,
    Refusal,
    Service,
    Sli,
    Slo,
)
from governance.operations.objectives.openslo.writer import emit
from governance.operations.systems import queries as systems
from governance.operations.systems.models import AISystem


@dataclass(frozen=True, slots=True)
class CounterQuery:
    """The counters of an indicator, as queried from its Prometheus source."""

    source_id: UUID
    good: str
    total: str


@dataclass(frozen=True, slots=True)
class PlannedIndicator:
    """An indicator of the import.

    `existing` has the same definition; without it, the import defines the indicator.
    """

    spec: IndicatorSpec
    system: AISystem
    existing: Indicator | None
    query: CounterQuery | None = None


@dataclass(frozen=True, slots=True)
class PlannedObjective:
    """An objective of the import.

    `outcome` is create, change (a new version of `existing`) or unchanged; `seen` is the version
    that it was compared with.
    """

    spec: ObjectiveSpec
    indicator: str  # Key of the indicator
    existing: Objective | None
    outcome: str
    seen: int


@dataclass(slots=True)
class ImportPlan:
    """The effects of an import. If anything is rejected, it changes nothing."""

    sha256: str
    refused: list[Refusal] = field(default_factory=list)
    not_imported: list[Refusal] = field(default_factory=list)
    indicators: dict[str, PlannedIndicator] = field(default_factory=dict)
    objectives: list[PlannedObjective] = field(default_factory=list)
    documents: list[Document] = field(default_factory=list)  # To store if they differ

    @property
    def changes(self) -> int:
        """The number of indicators, objectives and stored documents that would differ."""
        return (
            sum(each.existing is None for each in self.indicators.values())
            + sum(each.outcome != "unchanged" for each in self.objectives)
            + len(self.documents)
        )

    @property
    def basis(self) -> str:
        """A digest of the preview. An import applies exactly that."""
        seen = [
            self.sha256,
            *map(str, self.refused),
            *(f"{key} {each.existing is None}" for key, each in self.indicators.items()),
            *(f"{each.spec.key} {each.outcome} {each.seen}" for each in self.objectives),
            *(each.metadata.name for each in self.documents),
        ]
        return hashlib.sha256("\n".join(seen).encode()).hexdigest()


def plan(data: bytes) -> ImportPlan:
    """Compare a file with the tenant. Raises UnreadableFile if it isn't acceptable YAML."""
    file = parse(data)
    result = ImportPlan(hashlib.sha256(data).hexdigest(), file.refused, file.not_imported)
    _Planner(file, result).run()
    result.refused.sort(key=lambda each: each.document)
    result.not_imported.sort(key=lambda each: each.document)
    return result


class _Planner:
    """Planner that reads what the file names, in a few statements."""

    def __init__(self, file: OpenSloFile, plan: ImportPlan) -> None:
        self.file, self.plan = file, plan
        self.slos = {n: d for n, d in file.documents.items() if isinstance(d, Slo)}
        self.slis = {d.metadata.name: d for d in file.documents.values() if isinstance(d, Sli)}
        self.imported = records.rows()
        self.zone = records.time_zone()
        self.systems = {each.key: each for each in systems.live_systems()}
        self.features = {
            system_id: {each.key for each in features}
            for system_id, features in systems.every_feature().items()
        }
        self.names = dict(records.live_names())
        self.used: set[str] = set()
        keys = {each.indicator_ref or _inline(each) for each in self.slos.values()}
        self.indicators = records.indicators_by_key(keys)
        self.objectives = records.objectives_by_key(
            each.metadata.name for each in self.slos.values()
        )
        self.sources = prometheus_queries.sources()

    def run(self) -> None:
        for number, slo in self.slos.items():
            try:
                self._slo(slo)
            except NotImportable as fault:
                self.plan.refused.append(Refusal(number, fault.path, fault.reason))
        services = {each.service for each in self.slos.values()}
        for number, document in self.file.documents.items():
            name = document.metadata.name
            if isinstance(document, Sli) and name not in self.used:
                reason = "SLI: no SLO of the file uses it, so its AI system isn't known."
                self.plan.not_imported.append(Refusal(number, "kind", reason))
            elif isinstance(document, Service) and name not in services:
                reason = "Service: no SLO of the file belongs to it."
                self.plan.not_imported.append(Refusal(number, "kind", reason))
            elif self._differs(document):
                self.plan.documents.append(document)

    def _differs(self, document: Document) -> bool:
        row = self.imported.get((KINDS[type(document)], document.metadata.name))
        return row is None or row.content != emit([document])

    def _slo(self, slo: Slo) -> None:
        system = self.systems.get(slo.service)
        if system is None:
            raise NotImportable(
                "spec.service",
                f"No AI system has the slug {slo.service}. Register it, then import again.",
            )
        spec = objective_of(slo, self.zone)
        if not actions.SLUG.match(spec.key):
            raise NotImportable(
                "metadata.name", "A slug is 2 to 63 lowercase letters, digits and hyphens."
            )
        if self.names.setdefault(spec.name, spec.key) != spec.key:
            raise NotImportable(
                "metadata.displayName", f"Another objective has the name {spec.name}."
            )
        key = self._indicator(slo, system)
        existing = self.objectives.get(spec.key)
        if existing is not None and existing.is_retired:
            raise NotImportable("metadata.name", f"The objective {spec.key} is retired.")
        if existing is not None:
            known = self.indicators.get(key)
            if known is None or known.id != existing.indicator_id:
                raise NotImportable("spec.indicator", "An objective keeps its indicator.")
        outcome, seen = "create", 0
        if existing is not None:
            same = records.objective_spec(existing) == spec
            outcome, seen = "unchanged" if same else "change", existing.number
        self.plan.objectives.append(PlannedObjective(spec, key, existing, outcome, seen))

    def _indicator(self, slo: Slo, system: AISystem) -> str:
        sli = self._sli(slo)
        key = slo.indicator_ref or _inline(slo)
        at = "spec.indicatorRef" if slo.indicator_ref else "spec.indicator"
        existing = self.indicators.get(key)
        if sli is None and existing is None:
            raise NotImportable(at, f"Neither the file nor the tenant has an indicator {key}.")
        try:
            spec = self._spec(slo, sli, existing)
        except NotImportable as fault:
            is_own = fault.path.startswith(("spec.objectives", "spec.budgeting"))
            raise fault if is_own else NotImportable(f"{at}: {fault.path}", fault.reason) from fault
        if existing is None:
            self._check_new(at, spec, system)
        elif existing.is_retired:
            raise NotImportable(at, f"The indicator {key} is retired.")
        elif records.indicator_spec(existing) != spec or existing.system_id != system.id:
            raise NotImportable(at, f"The tenant's indicator {key} is defined differently.")
        planned = self.plan.indicators.get(key)
        if planned is not None and (planned.spec, planned.system) != (spec, system):
            raise NotImportable(at, f"Another SLO of the file uses {key} in another way.")
        query = _counters(sli, self.sources_by_ref()) if existing is None and sli else None
        self.plan.indicators[key] = PlannedIndicator(spec, system, existing, query)
        self.used.add(key)
        return key

    def _sli(self, slo: Slo) -> Sli | None:
        if slo.indicator is not None:
            return slo.indicator
        in_file = self.slis.get(slo.indicator_ref or "")
        row = self.imported.get(("SLI", slo.indicator_ref or ""))
        if in_file is None and row is not None:
            document = records.document_of(row)
            return document if isinstance(document, Sli) else None
        return in_file

    def _spec(self, slo: Slo, sli: Sli | None, existing: Indicator | None) -> IndicatorSpec:
        if sli is not None:
            return indicator_of(slo, sli)
        if existing is None:
            raise AssertionError("one of the two is there")
        return _fitting(slo, records.indicator_spec(existing))

    def _check_new(self, at: str, spec: IndicatorSpec, system: AISystem) -> None:
        if not measuring.SLUG.match(spec.key):
            raise NotImportable(at, "A slug is 3 to 64 lowercase letters, digits and hyphens.")
        if spec.feature and spec.feature not in self.features.get(system.id, set()):
            raise NotImportable(at, f"{system.name} has no feature {spec.feature}.")

    def sources_by_ref(self) -> Mapping[str, UUID]:
        return {records.slug(each.name): each.id for each in self.sources}


def _inline(slo: Slo) -> str:
    return slo.indicator.metadata.name if slo.indicator else ""


def _fitting(slo: Slo, known: IndicatorSpec) -> IndicatorSpec:
    """Return the tenant's indicator if it fits the objective. Raises NotImportable."""
    goal = slo.goals[0]
    method = "Timeslices" if known.kind == "downtime" else "Occurrences"
    if slo.method != method:
        raise NotImportable("spec.budgetingMethod", f"The indicator {known.key} is for {method}.")
    if known.kind == "threshold":
        side = {"lte": "at_most", "gt": "more_than"}.get(goal.op or "")
        if (goal.value, side) != (known.bound, known.good_side):
            raise NotImportable(
                "spec.objectives[0].value", f"The indicator {known.key} has another bound."
            )
    return known


def _counters(sli: Sli, sources: Mapping[str, UUID]) -> CounterQuery | None:
    """Return the query of an SLI whose counters Meridian can read; None leaves it to a person."""
    metric = sli.metric
    if not isinstance(metric, RatioMetric) or not metric.counter:
        return None
    good, total = metric.good, metric.total
    if good is None or total is None or good.ref != total.ref:
        return None
    source_id = sources.get(total.ref or "")
    if total.ref is None and len(sources) == 1:
        source_id = next(iter(sources.values()))
    queries = [_selector(each) for each in (good, total)]
    if source_id is None or None in queries:
        return None
    return CounterQuery(source_id, queries[0] or "", queries[1] or "")


def _selector(source: MetricSource) -> str | None:
    text = source.spec.get("query")
    if not isinstance(text, str):
        return None
    try:
        return str(selectors.parse(selectors.inside_sum(text)))
    except selectors.NotASelector:
        return None
