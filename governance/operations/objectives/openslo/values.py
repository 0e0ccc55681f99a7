"""OpenSLO v1 as values: services, indicators and objectives. Pure.

Fields have the specification's meaning (github.com/OpenSLO/OpenSLO, v1); None means that the file
doesn't have the field, so that the file can be reproduced. Numbers are exact decimals.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

API_VERSION = "openslo/v1"
METHODS = ("Occurrences", "Timeslices", "RatioTimeslices")
OPERATORS = ("lte", "gte", "lt", "gt")
RAW_TYPES = ("success", "failure")

type Labels = Mapping[str, str | list[str]]
type Method = Literal["Occurrences", "Timeslices", "RatioTimeslices"]


@dataclass(frozen=True, slots=True)
class Metadata:
    name: str
    display_name: str | None = None
    labels: Labels | None = None
    annotations: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class MetricSource:
    """The source of a metric. `spec` belongs to the data source: a query, for example."""

    spec: Mapping[str, Any]
    ref: str | None = None
    type: str | None = None


@dataclass(frozen=True, slots=True)
class ThresholdMetric:
    source: MetricSource


@dataclass(frozen=True, slots=True)
class RatioMetric:
    """Good or bad events and all events; or `raw`, one metric that already is the ratio."""

    counter: bool | None = None
    good: MetricSource | None = None
    bad: MetricSource | None = None
    total: MetricSource | None = None
    raw: MetricSource | None = None
    raw_type: str | None = None


@dataclass(frozen=True, slots=True)
class Sli:
    metadata: Metadata
    metric: ThresholdMetric | RatioMetric
    description: str | None = None


@dataclass(frozen=True, slots=True)
class Calendar:
    """`start_time` is local, such as "2026-01-01 00:00:00"."""

    start_time: str
    time_zone: str


@dataclass(frozen=True, slots=True)
class TimeWindow:
    """A duration such as "28d": rolling, or repeated from the calendar's start."""

    duration: str
    is_rolling: bool | None = None
    calendar: Calendar | None = None


@dataclass(frozen=True, slots=True)
class Goal:
    """An entry of the SLO's `objectives`: one of `target` (a share) and `target_percent`."""

    target: Decimal | None = None
    target_percent: Decimal | None = None
    display_name: str | None = None
    op: str | None = None
    value: Decimal | None = None
    slice_target: Decimal | None = None
    slice_window: str | Decimal | None = None  # A number counts minutes

    @property
    def share(self) -> Decimal:
        if self.target is not None:
            return self.target
        return (self.target_percent or Decimal(0)).scaleb(-2)


@dataclass(frozen=True, slots=True)
class Slo:
    metadata: Metadata
    service: str
    method: Method
    goals: tuple[Goal, ...]
    window: TimeWindow
    indicator: Sli | None = None
    indicator_ref: str | None = None
    description: str | None = None
    alert_policies: tuple[Any, ...] | None = None


@dataclass(frozen=True, slots=True)
class Service:
    metadata: Metadata
    description: str | None = None


type Document = Service | Sli | Slo
KINDS: dict[type, str] = {Service: "Service", Sli: "SLI", Slo: "SLO"}


@dataclass(frozen=True, slots=True)
class Refusal:
    """A rejected field, with the reason. `document` counts from 1; `path` may be empty."""

    document: int
    path: str
    reason: str

    def __str__(self) -> str:
        return f"Document {self.document}{f', {self.path}' if self.path else ''}: {self.reason}"


@dataclass(slots=True)
class OpenSloFile:
    """The content of a file.

    It has accepted documents by number, rejected fields, and documents of kinds that Meridian
    doesn't import.
    """

    documents: dict[int, Document] = field(default_factory=dict)
    refused: list[Refusal] = field(default_factory=list)
    not_imported: list[Refusal] = field(default_factory=list)
