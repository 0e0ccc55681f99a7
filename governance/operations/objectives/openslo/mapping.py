"""Conversion of OpenSLO objectives to Meridian's, and back. Pure.

Occurrences   the indicator counts events: kind ratio, or threshold with the objective's op and value
Timeslices    of one minute: kind downtime; a minute is down below timeSliceTarget
rolling       a window of full days
calendar      1M from the first of a month at 00:00, in the tenant's time zone

Data without an OpenSLO field is an annotation: meridian.example/unit, /bound-unit, /min-requests,
/feature, /vendor, /minimum-coverage, /service-hours (JSON), /ai ("true").

An indicator whose minutes are down when no request is good has the time slice target 10^-12: counts
are at most 10^12, so no other minute is below it.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from typing import Any

from governance.operations.objectives.openslo.values import (
    Calendar,
    Goal,
    Sli,
    Slo,
    ThresholdMetric,
    TimeWindow,
)

PREFIX = "meridian.example/"
KNOWN = {
    "unit",
    "bound-unit",
    "min-requests",
    "feature",
    "vendor",
    "minimum-coverage",
    "service-hours",
    "ai",
}
NONE_GOOD = Decimal("0.000000000001")  # Less than one of at most 10^12 events
SHARE_DIGITS = 8  # Digits of a floor after the point
BOUND_DIGITS = 6
MIN_SLICE = {"1m", Decimal(1)}
DAYS = {"d": 1, "w": 7}
MINUTES_A_DAY = {"m": 1440, "h": 24}
MONTH_START = re.compile(r"\d{4}-\d\d-01 00:00:00")
SIDES = {"lte": "at_most", "gt": "more_than"}
DEFAULT_COVERAGE = Decimal("0.95")


class NotImportable(Exception):
    """A field that the specification allows and Meridian can't import."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(reason)
        self.path, self.reason = path, reason


@dataclass(frozen=True, slots=True)
class IndicatorSpec:
    """The meaning of an SLI, with the objective that uses it."""

    key: str
    name: str
    kind: str
    unit: str
    source: str  # push | prometheus
    feature: str | None = None
    vendor: str | None = None
    min_requests: int = 1
    floor: Decimal | None = None
    bound: Decimal | None = None
    bound_unit: str | None = None
    good_side: str = "at_most"


@dataclass(frozen=True, slots=True)
class ObjectiveSpec:
    key: str
    name: str
    target: Decimal
    window: str
    window_days: int
    minimum_coverage: Decimal = DEFAULT_COVERAGE
    service_hours: dict[str, Any] | None = None
    is_ai: bool = False


# ---- from OpenSLO


def objective_of(slo: Slo, zone: str) -> ObjectiveSpec:
    """Return the objective. Raises NotImportable with the field and the reason."""
    if len(slo.goals) != 1:
        raise NotImportable("spec.objectives", "Write one SLO for each objective.")
    own = _annotations(slo.metadata.annotations)
    window, days = _window(slo.window, zone)
    target = slo.goals[0].share
    if target == 0:
        raise NotImportable("spec.objectives[0].target", "A target of 0% promises nothing.")
    return ObjectiveSpec(
        key=slo.metadata.name,
        name=slo.metadata.display_name or slo.metadata.name,
        target=target,
        window=window,
        window_days=days,
        minimum_coverage=_number(own, "minimum-coverage", DEFAULT_COVERAGE),
        service_hours=_hours(own),
        is_ai=own.get("ai") == "true",
    )


def indicator_of(slo: Slo, sli: Sli) -> IndicatorSpec:
    """Return the indicator that the objective needs. Raises NotImportable as objective_of."""
    own = _annotations(sli.metadata.annotations)
    made = IndicatorSpec(
        key=sli.metadata.name,
        name=sli.metadata.display_name or sli.metadata.name,
        kind="ratio",
        unit=own.get("unit", "requests"),
        source="prometheus" if is_prometheus(sli) else "push",
        feature=own.get("feature"),
        vendor=own.get("vendor"),
    )
    if slo.method == "RatioTimeslices":
        raise NotImportable(
            "spec.budgetingMethod",
            "Meridian adds up counts; an average of the ratios of time slices isn't one of them.",
        )
    if isinstance(sli.metric, ThresholdMetric):
        return _threshold(made, slo, own)
    if sli.metric.raw is not None:
        raise NotImportable("spec.ratioMetric.raw", "A ratio without counts can't be added up.")
    if sli.metric.bad is not None and made.source == "prometheus":
        raise NotImportable("spec.ratioMetric.bad", "Meridian reads good events. Select these.")
    return _downtime(made, slo, own) if slo.method == "Timeslices" else made


def is_prometheus(sli: Sli) -> bool:
    metric = sli.metric
    source = metric.source if isinstance(metric, ThresholdMetric) else metric.total
    return source is not None and (source.type or "").lower() == "prometheus"


def _annotations(annotations: Mapping[str, str] | None) -> dict[str, str]:
    found = {
        key.removeprefix(PREFIX): value
        for key, value in (annotations or {}).items()
        if key.startswith(PREFIX)
    }
    for key in found.keys() - KNOWN:
        raise NotImportable(f"metadata.annotations.{PREFIX}{key}", "Meridian doesn't know it.")
    return found


def _number(own: Mapping[str, str], key: str, default: Decimal) -> Decimal:
    try:
        found = Decimal(own.get(key, default))
    except InvalidOperation:
        found = Decimal("NaN")
    if not found.is_finite():
        raise NotImportable(f"metadata.annotations.{PREFIX}{key}", "Expected a number.")
    return found


def _hours(own: Mapping[str, str]) -> dict[str, Any] | None:
    if "service-hours" not in own:
        return None
    try:
        found = json.loads(own["service-hours"])
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise NotImportable(
            f"metadata.annotations.{PREFIX}service-hours", "Expected service hours."
        )
    return found


def _threshold(made: IndicatorSpec, slo: Slo, own: Mapping[str, str]) -> IndicatorSpec:
    goal = slo.goals[0]
    if slo.method != "Occurrences":
        raise NotImportable("spec.budgetingMethod", "A threshold metric is counted by Occurrences.")
    if goal.op not in SIDES:
        raise NotImportable(
            "spec.objectives[0].op", "Good events are at most the value (lte) or above it (gt)."
        )
    if goal.value is None or _digits(goal.value) > BOUND_DIGITS:
        raise NotImportable(
            "spec.objectives[0].value", f"Expected up to {BOUND_DIGITS} digits after the point."
        )
    return replace(
        made,
        kind="threshold",
        bound=goal.value,
        bound_unit=own.get("bound-unit", "units"),
        good_side=SIDES[goal.op],
    )


def _downtime(made: IndicatorSpec, slo: Slo, own: Mapping[str, str]) -> IndicatorSpec:
    goal = slo.goals[0]
    if goal.slice_window not in MIN_SLICE:
        raise NotImportable("spec.objectives[0].timeSliceWindow", "Meridian's time slices are 1m.")
    floor = goal.slice_target or Decimal(0)
    if floor == NONE_GOOD:
        floor = Decimal(0)
    elif _digits(floor) > SHARE_DIGITS:
        raise NotImportable(
            "spec.objectives[0].timeSliceTarget",
            f"Expected up to {SHARE_DIGITS} digits after the point.",
        )
    requests = _number(own, "min-requests", Decimal(1))
    if requests != requests.to_integral_value():
        raise NotImportable(
            f"metadata.annotations.{PREFIX}min-requests", "Expected a whole number."
        )
    return replace(made, kind="downtime", floor=floor or None, min_requests=int(requests))


def _digits(value: Decimal) -> int:
    return max(0, -int(value.normalize().as_tuple().exponent))


def _window(window: TimeWindow, zone: str) -> tuple[str, int]:
    """Return ("rolling", days) or ("calendar", 30)."""
    at = "spec.timeWindow[0]"
    count, unit = int(window.duration[:-1]), window.duration[-1]
    if window.calendar is None:
        whole, rest = divmod(count, MINUTES_A_DAY.get(unit, 1))
        if unit not in DAYS and (unit not in MINUTES_A_DAY or rest):
            raise NotImportable(f"{at}.duration", "A rolling window has whole days, such as 28d.")
        return "rolling", whole * DAYS.get(unit, 1)
    if window.duration != "1M":
        raise NotImportable(f"{at}.duration", "Meridian's calendar window is one month (1M).")
    if not MONTH_START.fullmatch(window.calendar.start_time):
        raise NotImportable(f"{at}.calendar.startTime", "A month begins on the first at 00:00:00.")
    if not same_zone(window.calendar.time_zone, zone):
        raise NotImportable(f"{at}.calendar.timeZone", f"The tenant's time zone is {zone}.")
    return "calendar", 30


def same_zone(one: str, other: str) -> bool:
    utc = {"UTC", "Etc/UTC"}
    return one == other or {one, other} <= utc


# ---- to OpenSLO


def updated(slo: Slo, objective: ObjectiveSpec, zone: str) -> Slo:
    """Return the SLO with the objective's current values; unchanged parts keep their spelling."""
    try:
        same = objective_of(slo, zone)
    except NotImportable:
        same = None
    if same == objective:
        return slo
    goal = slo.goals[0]
    if same is None or same.target != objective.target:
        goal = replace(goal, target=objective.target, target_percent=None)
    window = slo.window
    if same is None or (same.window, same.window_days) != (
        objective.window,
        objective.window_days,
    ):
        window = window_of(objective, zone)
    metadata = replace(
        slo.metadata,
        display_name=objective.name,
        annotations={
            **{
                key: value
                for key, value in (slo.metadata.annotations or {}).items()
                if not key.startswith(PREFIX)
            },
            **_own(objective),
        }
        or None,
    )
    return replace(slo, metadata=metadata, goals=(goal,), window=window)


def window_of(objective: ObjectiveSpec, zone: str) -> TimeWindow:
    if objective.window == "rolling":
        return TimeWindow(f"{objective.window_days}d", is_rolling=True)
    start = Calendar("2026-01-01 00:00:00", "Etc/UTC" if zone == "UTC" else zone)
    return TimeWindow("1M", is_rolling=False, calendar=start)


def _own(objective: ObjectiveSpec) -> dict[str, str]:
    found = {}
    if objective.minimum_coverage != DEFAULT_COVERAGE:
        found["minimum-coverage"] = f"{objective.minimum_coverage:f}"
    if objective.service_hours is not None:
        found["service-hours"] = json.dumps(objective.service_hours)
    if objective.is_ai:
        found["ai"] = "true"
    return {PREFIX + key: value for key, value in found.items()}


def annotations_of(objective: ObjectiveSpec) -> dict[str, str] | None:
    return _own(objective) or None


def indicator_annotations(indicator: IndicatorSpec) -> dict[str, str] | None:
    """Return the data that the SLI's own fields lack, as `indicator_of` reads it."""
    found = {
        "unit": None if indicator.unit == "requests" else indicator.unit,
        "bound-unit": indicator.bound_unit,
        "min-requests": None if indicator.min_requests == 1 else f"{indicator.min_requests}",
        "feature": indicator.feature,
        "vendor": indicator.vendor,
    }
    return {PREFIX + key: value for key, value in found.items() if value} or None


def goal_of(indicator: IndicatorSpec, target: Decimal) -> Goal:
    """Return the goal of an objective that wasn't imported."""
    if indicator.kind == "threshold":
        op = next(op for op, side in SIDES.items() if side == indicator.good_side)
        return Goal(target=target, op=op, value=indicator.bound)
    if indicator.kind == "downtime":
        return Goal(target=target, slice_target=indicator.floor or NONE_GOOD, slice_window="1m")
    return Goal(target=target)
