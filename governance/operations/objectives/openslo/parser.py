"""Parse an OpenSLO v1 file. Each rejected field is named with its reason. Pure."""

import re
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any, cast
from zoneinfo import available_timezones

from governance.operations.objectives.openslo.fields import Fields, Notes
from governance.operations.objectives.openslo.values import (
    API_VERSION,
    KINDS,
    METHODS,
    OPERATORS,
    RAW_TYPES,
    Calendar,
    Document,
    Goal,
    Metadata,
    Method,
    MetricSource,
    OpenSloFile,
    RatioMetric,
    Refusal,
    Service,
    Sli,
    Slo,
    ThresholdMetric,
    TimeWindow,
)
from governance.operations.objectives.openslo.yaml_text import MAX_DOCUMENTS, UnreadableFile, read

NAME = re.compile(r"[a-z0-9][a-z0-9.|/\\-]*")
NAME_SAYS = "Expected lowercase letters, digits, and the characters . | / \\ -"
DURATION = re.compile(r"[1-9][0-9]{0,5}[mhdwMQY]")
DURATION_SAYS = "Expected a number and one of m, h, d, w, M, Q, Y, such as 28d."
START = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
LABEL = re.compile(r"[a-z0-9A-Z][a-z0-9A-Z._-]{0,62}")
LABEL_SAYS = "Expected a label of up to 63 letters, digits, and the characters . _ -"
ANNOTATION = re.compile(r"(?:[a-z0-9.-]{2,253}/)?[a-z0-9A-Z][a-z0-9A-Z._-]{0,62}")
MAX_NAME = 255
OTHER_KINDS = {
    "DataSource": "Meridian's Prometheus sources are set up on their own page.",
    "AlertPolicy": "Meridian's burn-rate rules belong to the objective.",
    "AlertCondition": "Meridian's burn-rate rules belong to the objective.",
    "AlertNotificationTarget": "Meridian notifies people of the tenant and its webhooks.",
}
COMPOSITE = ("indicator", "indicatorRef", "compositeWeight")


def parse(data: bytes) -> OpenSloFile:
    """Parse a file of one or more documents, or of lists of them.

    Raises UnreadableFile if the file isn't YAML or is too large.
    """
    found = OpenSloFile()
    seen: set[tuple[str, str]] = set()
    for number, tree in _numbered(read(data)):
        notes = Notes(number)
        document = _document(tree, notes, found)
        if document is not None:
            identity = (KINDS[type(document)], document.metadata.name)
            if identity in seen:
                notes.refuse("metadata.name", f"The file has this {identity[0]} twice.")
            seen.add(identity)
            if not notes.refused:
                found.documents[number] = document
        found.refused.extend(notes)
    return found


def _numbered(trees: list[Any]) -> Iterator[tuple[int, Any]]:
    """Count the documents from 1; those of a list count separately."""
    flat = [each for tree in trees for each in (tree if isinstance(tree, list) else [tree])]
    if len(flat) > MAX_DOCUMENTS:
        raise UnreadableFile(f"The file has more than {MAX_DOCUMENTS:,} documents.")
    return enumerate(flat, start=1)


def _document(tree: Any, notes: Notes, found: OpenSloFile) -> Document | None:
    fields = Fields(tree, "", notes)
    if notes.refused:
        return None
    version, kind = fields.take("apiVersion"), fields.take("kind")
    if version != API_VERSION:
        notes.refuse("apiVersion", f"Meridian reads {API_VERSION}.")
        return None
    if isinstance(kind, str) and kind in OTHER_KINDS:
        reason = f"{kind}: {OTHER_KINDS[kind]}"
        found.not_imported.append(Refusal(notes.document, "kind", reason))
        return None
    if kind not in KINDS.values():
        notes.refuse("kind", f"Expected one of {', '.join(KINDS.values())}.")
        return None
    made: Document
    if kind == "SLI":
        made = _sli(fields)
    else:
        metadata = _metadata(fields)
        spec = fields.mapping("spec") or _missing(fields, "spec")
        made = _slo(metadata, spec) if kind == "SLO" else _service(metadata, spec)
        spec.end()
    fields.end()
    return made


def _missing(fields: Fields, name: str) -> Fields:
    fields.refuse(name, "This field is required.")
    return Fields({}, name, Notes(0))


def _name(fields: Fields, name: str, *, required: bool = False) -> str | None:
    return fields.text(name, required=required, pattern=NAME, says=NAME_SAYS, longest=MAX_NAME)


# ---- metadata


def _metadata(fields: Fields) -> Metadata:
    inner = fields.mapping("metadata") or _missing(fields, "metadata")
    found = Metadata(
        _name(inner, "name", required=True) or "",
        inner.text("displayName", longest=500),
        _labels(inner),
        _annotations(inner),
    )
    inner.end()
    return found


def _labels(fields: Fields) -> dict[str, str | list[str]] | None:
    if not fields.has("labels"):
        return None
    found = dict(fields.tree("labels"))
    for key, value in found.items():
        every = value if isinstance(value, list) else [value]
        if not all(isinstance(each, str) and LABEL.fullmatch(each) for each in every):
            fields.refuse(f"labels.{key}", LABEL_SAYS)
    return cast("dict[str, str | list[str]]", found)


def _annotations(fields: Fields) -> dict[str, str] | None:
    if not fields.has("annotations"):
        return None
    found = dict(fields.tree("annotations"))
    for key, value in found.items():
        if not ANNOTATION.fullmatch(key):
            fields.refuse(f"annotations.{key}", "Expected a key such as example.com/folder.")
        elif not isinstance(value, str):
            fields.refuse(f"annotations.{key}", "Expected text. Put it in quotes.")
    return cast("dict[str, str]", found)


# ---- services and indicators


def _service(metadata: Metadata, spec: Fields) -> Service:
    return Service(metadata, spec.text("description", shortest=0))


def _sli(fields: Fields) -> Sli:
    metadata = _metadata(fields)
    spec = fields.mapping("spec") or _missing(fields, "spec")
    description = spec.text("description", shortest=0)
    threshold, ratio = spec.mapping("thresholdMetric"), spec.mapping("ratioMetric")
    if (threshold is None) == (ratio is None):
        spec.refuse("", "Expected either thresholdMetric or ratioMetric.")
    metric: ThresholdMetric | RatioMetric = RatioMetric()
    if ratio is not None:
        metric = _ratio(ratio)
    elif threshold is not None:
        metric = ThresholdMetric(_source(threshold))
        threshold.end()
    spec.end()
    return Sli(metadata, metric, description)


def _ratio(fields: Fields) -> RatioMetric:
    sides = {
        name: _side(fields, name) for name in ("good", "bad", "total", "raw") if fields.has(name)
    }
    counter = fields.boolean("counter")
    raw_type = fields.choice("rawType", RAW_TYPES, required="raw" in sides)
    if "raw" in sides:
        for name in sides.keys() - {"raw"}:
            fields.refuse(name, "A raw ratio has no good, bad or total events.")
    else:
        if raw_type is not None:
            fields.refuse("rawType", "Expected raw beside it.")
        if counter is None:
            fields.refuse("counter", "This field is required.")
        if "total" not in sides:
            fields.refuse("total", "This field is required.")
        if ("good" in sides) == ("bad" in sides):
            fields.refuse("good", "Expected either good or bad events.")
    fields.end()
    return RatioMetric(counter, raw_type=raw_type, **sides)


def _side(fields: Fields, name: str) -> MetricSource:
    inner = fields.mapping(name) or _missing(fields, name)
    found = _source(inner)
    inner.end()
    return found


def _source(fields: Fields) -> MetricSource:
    inner = fields.mapping("metricSource") or _missing(fields, "metricSource")
    ref = _name(inner, "metricSourceRef")
    found = MetricSource(inner.tree("spec"), ref, inner.text("type", longest=100))
    inner.end()
    return found


# ---- objectives


def _slo(metadata: Metadata, spec: Fields) -> Slo:
    description, service = (
        spec.text("description", shortest=0),
        _name(spec, "service", required=True),
    )
    if spec.has("indicator") == spec.has("indicatorRef"):
        spec.refuse("indicator", "Expected either indicator or indicatorRef.")
    inline = spec.mapping("indicator")
    indicator = None
    if inline is not None:
        indicator = _sli(inline)
        inline.end()
    method = spec.choice("budgetingMethod", METHODS, required=True) or METHODS[0]
    policies = spec.items("alertPolicies")
    return Slo(
        metadata,
        service or "",
        cast("Method", method),
        _goals(spec, method),
        _window(spec),
        indicator,
        _name(spec, "indicatorRef"),
        description,
        None if policies is None else tuple(policies),
    )


def _window(spec: Fields) -> TimeWindow:
    windows = spec.items("timeWindow")
    if windows is None or len(windows) != 1:
        spec.refuse("timeWindow", "Expected exactly one time window.")
        return TimeWindow("1d")
    holder = Fields({"timeWindow[0]": windows[0]}, spec.path, spec.notes)
    fields = holder.mapping("timeWindow[0]") or _missing(holder, "timeWindow[0]")
    duration = fields.text("duration", required=True, pattern=DURATION, says=DURATION_SAYS)
    is_rolling = fields.boolean("isRolling")
    inner = fields.mapping("calendar")
    calendar = None
    if inner is not None:
        calendar = _calendar(inner)
        if is_rolling:
            fields.refuse("calendar", "A rolling window has no calendar.")
    elif not is_rolling:
        fields.refuse("calendar", "This field is required unless isRolling is true.")
    fields.end()
    return TimeWindow(duration or "1d", is_rolling, calendar)


def _calendar(fields: Fields) -> Calendar:
    says = "Expected a local time such as 2026-01-01 00:00:00."
    start = fields.text("startTime", required=True, pattern=START, says=says)
    if start is not None and not _is_time(start):
        fields.refuse("startTime", says)
    zone = fields.text("timeZone", required=True, longest=100)
    if zone is not None and zone not in available_timezones():
        fields.refuse("timeZone", "Expected a name of the IANA time zones, such as Europe/Paris.")
    fields.end()
    return Calendar(start or "", zone or "")


def _is_time(text: str) -> bool:
    try:
        datetime.strptime(text, "%Y-%m-%d %H:%M:%S")  # noqa: DTZ007 - local by specification
    except ValueError:
        return False
    return True


def _goals(spec: Fields, method: str) -> tuple[Goal, ...]:
    entries = spec.items("objectives")
    if not entries:
        spec.refuse("objectives", "Expected at least one objective.")
        return ()
    goals = []
    for place, entry in enumerate(entries):
        name = f"objectives[{place}]"
        holder = Fields({name: entry}, spec.path, spec.notes)
        goals.append(_goal(holder.mapping(name) or _missing(holder, name), method))
    return tuple(goals)


def _goal(fields: Fields, method: str) -> Goal:
    for name in COMPOSITE:
        if fields.has(name):
            fields.take(name)
            fields.refuse(name, "Composite objectives aren't supported.")
    if fields.has("target") == fields.has("targetPercent"):
        fields.refuse("target", "Expected either target or targetPercent.")
    goal = Goal(
        _in_range(fields, "target", Decimal(0), Decimal(1), "[0, 1)"),
        _in_range(fields, "targetPercent", Decimal(0), Decimal(100), "[0, 100)"),
        fields.text("displayName", longest=500),
        fields.choice("op", OPERATORS),
        fields.number("value"),
        *_slices(fields, method),
    )
    fields.end()
    return goal


def _in_range(fields: Fields, name: str, low: Decimal, high: Decimal, says: str) -> Decimal | None:
    found = fields.number(name)
    if found is not None and not low <= found < high:
        fields.refuse(name, f"Expected a number in {says}.")
    return found


def _slices(fields: Fields, method: str) -> tuple[Decimal | None, str | Decimal | None]:
    target, window = fields.number("timeSliceTarget"), fields.take("timeSliceWindow")
    if method == "Timeslices" and target is None:
        fields.refuse("timeSliceTarget", "This field is required for Timeslices.")
    if method != "Timeslices" and target is not None:
        fields.refuse("timeSliceTarget", "Only Timeslices have it.")
    if target is not None and not 0 < target <= 1:
        fields.refuse("timeSliceTarget", "Expected a number in (0, 1].")
    if method == "Occurrences" and window is not None:
        fields.refuse("timeSliceWindow", "Only Timeslices and RatioTimeslices have it.")
    if method != "Occurrences" and window is None:
        fields.refuse("timeSliceWindow", f"This field is required for {method}.")
    if window is not None and not _is_slice(window):
        fields.refuse("timeSliceWindow", f"{DURATION_SAYS} A number alone counts minutes.")
    return target, window


def _is_slice(window: object) -> bool:
    if isinstance(window, Decimal):
        return window > 0
    return isinstance(window, str) and DURATION.fullmatch(window) is not None
