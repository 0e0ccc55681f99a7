"""Write services, indicators and objectives as OpenSLO v1. Pure; `parse` reads the same values."""

from collections.abc import Iterable
from typing import Any

from governance.operations.objectives.openslo.values import (
    API_VERSION,
    KINDS,
    Document,
    Goal,
    Metadata,
    MetricSource,
    RatioMetric,
    Service,
    Sli,
    Slo,
    TimeWindow,
)
from governance.operations.objectives.openslo.yaml_text import write


def emit(documents: Iterable[Document]) -> str:
    """Return YAML with one document per value."""
    return write(tree(each) for each in documents)


def tree(document: Document) -> dict[str, Any]:
    """Return a document as mappings, lists, text and decimals."""
    if isinstance(document, Sli):
        body = _sli(document)
    else:
        spec = _slo(document) if isinstance(document, Slo) else _service(document)
        body = {"metadata": _metadata(document.metadata), "spec": spec}
    return {"apiVersion": API_VERSION, "kind": KINDS[type(document)], **body}


def _given(**fields: Any) -> dict[str, Any]:
    """Return the fields that aren't None."""
    return {name: value for name, value in fields.items() if value is not None}


def _metadata(metadata: Metadata) -> dict[str, Any]:
    return _given(
        name=metadata.name,
        displayName=metadata.display_name,
        labels=None if metadata.labels is None else dict(metadata.labels),
        annotations=None if metadata.annotations is None else dict(metadata.annotations),
    )


def _service(service: Service) -> dict[str, Any]:
    return _given(description=service.description)


def _sli(sli: Sli) -> dict[str, Any]:
    metric = sli.metric
    if isinstance(metric, RatioMetric):
        spec = _given(description=sli.description, ratioMetric=_ratio(metric))
    else:
        spec = _given(description=sli.description, thresholdMetric=_source(metric.source))
    return {"metadata": _metadata(sli.metadata), "spec": spec}


def _ratio(metric: RatioMetric) -> dict[str, Any]:
    sides = {
        name: None if source is None else _source(source)
        for name, source in (
            ("good", metric.good),
            ("bad", metric.bad),
            ("total", metric.total),
            ("raw", metric.raw),
        )
    }
    return _given(counter=metric.counter, rawType=metric.raw_type, **sides)


def _source(source: MetricSource) -> dict[str, Any]:
    inner = _given(metricSourceRef=source.ref, type=source.type, spec=dict(source.spec))
    return {"metricSource": inner}


def _slo(slo: Slo) -> dict[str, Any]:
    return _given(
        description=slo.description,
        service=slo.service,
        indicator=None if slo.indicator is None else _sli(slo.indicator),
        indicatorRef=slo.indicator_ref,
        timeWindow=[_window(slo.window)],
        budgetingMethod=slo.method,
        objectives=[_goal(each) for each in slo.goals],
        alertPolicies=None if slo.alert_policies is None else list(slo.alert_policies),
    )


def _window(window: TimeWindow) -> dict[str, Any]:
    calendar = window.calendar and {
        "startTime": window.calendar.start_time,
        "timeZone": window.calendar.time_zone,
    }
    return _given(duration=window.duration, isRolling=window.is_rolling, calendar=calendar)


def _goal(goal: Goal) -> dict[str, Any]:
    return _given(
        displayName=goal.display_name,
        op=goal.op,
        value=goal.value,
        target=goal.target,
        targetPercent=goal.target_percent,
        timeSliceTarget=goal.slice_target,
        timeSliceWindow=goal.slice_window,
    )
