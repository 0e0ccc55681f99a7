"""OpenSLO v1 files, read and written exactly; unsupported content is named."""

import json
import string
from datetime import datetime
from decimal import Decimal

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from referencing import Registry, Resource

from governance.operations.objectives.openslo import values
from governance.operations.objectives.openslo.parser import parse
from governance.operations.objectives.openslo.writer import emit
from governance.operations.objectives.openslo.yaml_text import UnreadableFile, read
from tests.conftest import DATA

FILES = DATA / "openslo"

# ---- the files of the project and its schema

ACCEPTED = {
    "services": 1,
    "slis": 4,
    "slos": 1,
    "alert_conditions": 0,
    "alert_notification_targets": 0,
    "alert_policies": 0,
    "data_sources": 0,
}
REFUSED = {"services": ["Document 2, metadata.name: The file has this Service twice."]}
NOT_IMPORTED = {
    "alert_conditions": ["AlertCondition"] * 2,
    "alert_notification_targets": ["AlertNotificationTarget"] * 2,
    "alert_policies": ["AlertPolicy"] * 3,
    "data_sources": ["DataSource"] * 2,
}


def need_files():
    if not FILES.is_dir():
        pytest.skip(f"NOT TESTED: {FILES} is missing (the project's example files and schema)")


@pytest.mark.parametrize("name", ACCEPTED)
def test_an_example_file_is_read_and_what_is_left_out_has_a_reason(name):
    need_files()
    found = parse((FILES / f"example-v1-{name}.yaml").read_bytes())
    assert len(found.documents) == ACCEPTED[name]
    assert [str(each) for each in found.refused] == REFUSED.get(name, [])
    kinds = [each.reason.partition(":")[0] for each in found.not_imported]
    assert kinds == NOT_IMPORTED.get(name, [])


@pytest.mark.parametrize("name", ["services", "slis", "slos"])
def test_an_example_file_is_the_same_after_it_was_written_and_read(name):
    need_files()
    found = parse((FILES / f"example-v1-{name}.yaml").read_bytes())
    again = parse(emit(found.documents.values()).encode())
    assert list(again.documents.values()) == list(found.documents.values())
    assert again.refused == again.not_imported == []
    original = yaml.safe_load((FILES / f"example-v1-{name}.yaml").read_text())
    written = list(yaml.safe_load_all(emit(found.documents.values())))
    if name != "services":  # Of two with one name, one remains.
        assert [_comparable(each) for each in written] == [_comparable(each) for each in original]


def _comparable(tree):
    """Return the tree for comparison. PyYAML reads unquoted times as datetimes; we quote them."""
    if isinstance(tree, dict):
        return {key: _comparable(value) for key, value in tree.items()}
    if isinstance(tree, list):
        return [_comparable(each) for each in tree]
    return f"{tree:%Y-%m-%d %H:%M:%S}" if isinstance(tree, datetime) else tree


@pytest.fixture(scope="module")
def validator():
    need_files()
    resources = []
    for path in (FILES / "schemas" / "v1").rglob("*.json"):
        content = json.loads(path.read_text())
        resources.append((content["$id"], Resource.from_contents(content)))
    registry = Registry().with_resources(resources)
    schema = registry.contents("https://openslo.com/schemas/v1/openslo.schema.json")
    return jsonschema.Draft7Validator(schema, registry=registry)


# ---- any file of the specification

names = st.from_regex(r"[a-z][a-z0-9-]{0,20}[a-z0-9]", fullmatch=True)
texts = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=40
)
labels = st.from_regex(r"[a-zA-Z0-9][a-zA-Z0-9._-]{0,15}[a-zA-Z0-9]", fullmatch=True)
label_maps = st.dictionaries(labels, labels | st.lists(labels, min_size=1, max_size=3), max_size=3)
annotations = st.dictionaries(
    st.sampled_from(["openslo.com/service-folder", "team", "example.com/x"]), texts, max_size=2
)
metadata = st.builds(
    values.Metadata, names, st.none() | texts, st.none() | label_maps, st.none() | annotations
)


def decimals(low, high, *, places=9):
    return st.decimals(low, high, places=places, allow_nan=False, allow_infinity=False)


scalars = (
    texts
    | decimals(-1000, 1000)
    | st.booleans()
    | st.none()
    | st.sampled_from(
        [
            "1e3",
            "yes",
            "no",
            "null",
            "~",
            "12:30:00",
            "2026-01-01",
            "0x1F",
            ".5",
            "- a",
            "a: b",
            "#x",
        ]
    )
)
trees = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
sources = st.builds(
    values.MetricSource,
    st.dictionaries(texts.filter(lambda key: key != "<<"), trees, max_size=3),
    st.none() | names,
    st.none() | texts,
)
ratios = st.one_of(
    st.builds(values.RatioMetric, st.booleans(), good=sources, total=sources),
    st.builds(values.RatioMetric, st.booleans(), bad=sources, total=sources),
    st.builds(values.RatioMetric, raw=sources, raw_type=st.sampled_from(values.RAW_TYPES)),
)
metrics = ratios | st.builds(values.ThresholdMetric, sources)
slis = st.builds(values.Sli, metadata, metrics, st.none() | texts)
durations = st.from_regex(r"[1-9][0-9]{0,2}[mhdwMQY]", fullmatch=True)
calendars = st.builds(
    values.Calendar,
    st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)).map(
        lambda at: f"{at:%Y-%m-%d %H:%M:%S}"
    ),
    st.sampled_from(["America/New_York", "Europe/Paris", "Etc/UTC"]),
)
windows = st.builds(values.TimeWindow, durations, st.just(True)) | st.builds(
    values.TimeWindow, durations, st.sampled_from([None, False]), calendars
)
one_target = st.one_of(
    st.builds(dict, target=decimals(0, Decimal("0.999999999"))),
    st.builds(dict, target_percent=decimals(0, Decimal("99.9999999"), places=7)),
)
minutes_or_duration = durations | decimals(Decimal("0.5"), 60, places=1)
slices = {
    "Occurrences": st.just({}),
    "Timeslices": st.builds(
        dict, slice_target=decimals(Decimal("0.000001"), 1), slice_window=minutes_or_duration
    ),
    "RatioTimeslices": st.builds(dict, slice_window=minutes_or_duration),
}


def goals(method):
    compared = st.builds(
        dict,
        display_name=st.none() | texts,
        op=st.none() | st.sampled_from(values.OPERATORS),
        value=st.none() | decimals(-1000, 1000, places=3),
    )
    parts = st.tuples(one_target, slices[method], compared)
    return parts.map(lambda three: values.Goal(**three[0], **three[1], **three[2]))


indicators = st.builds(dict, indicator=slis) | st.builds(dict, indicator_ref=names)


def slos_of(method):
    return st.builds(
        lambda which, **fields: values.Slo(**which, **fields),
        indicators,
        metadata=metadata,
        service=names,
        method=st.just(method),
        goals=st.lists(goals(method), min_size=1, max_size=3).map(tuple),
        window=windows,
        description=st.none() | texts,
        alert_policies=st.none() | st.lists(names, max_size=2).map(tuple),
    )


slos = st.sampled_from(values.METHODS).flatmap(slos_of)
services = st.builds(values.Service, metadata, st.none() | texts)
files = st.lists(services | slis | slos, max_size=4, unique_by=lambda d: (type(d), d.metadata.name))


@given(files)
def test_what_is_written_is_read_again_as_it_was_to_the_last_digit(documents):
    found = parse(emit(documents).encode())
    assert (found.refused, found.not_imported) == ([], [])
    assert repr(list(found.documents.values())) == repr(documents)


@given(documents=files)
def test_what_is_written_keeps_to_the_published_schema(documents, validator):
    """Skip what the schema lacks: RatioTimeslices, targetPercent and raw ratios."""
    for each in documents:
        if _is_of_the_schema(each):
            [written] = yaml.safe_load_all(emit([each]))
            validator.validate(written)


def _is_of_the_schema(document):
    if isinstance(document, values.Service):
        return True
    sli = document if isinstance(document, values.Sli) else document.indicator
    if isinstance(sli and sli.metric, values.RatioMetric) and sli.metric.raw is not None:
        return False
    return isinstance(document, values.Sli) or (
        document.method != "RatioTimeslices"
        and all(each.target is not None for each in document.goals)
    )


# ---- rejected input

SLO = """
apiVersion: openslo/v1
kind: SLO
metadata: {name: triage-availability}
spec:
  service: claims-triage
  indicatorRef: availability
  timeWindow: [{duration: 28d, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{target: 0.995}]
"""


def refused(text):
    return [f"{each.path}: {each.reason}" for each in parse(text.encode()).refused]


def test_an_exact_decimal_stays_the_decimal_that_was_written():
    [slo] = parse(SLO.replace("0.995", "0.99500000000000000001").encode()).documents.values()
    assert str(slo.goals[0].target) == "0.99500000000000000001"
    [slo] = parse(SLO.replace("target: 0.995", "targetPercent: 99.95").encode()).documents.values()
    assert slo.goals[0].share == Decimal("0.9995")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("openslo/v1", "openslo/v2alpha", "apiVersion: Meridian reads openslo/v1."),
        ("kind: SLO", "kind: Slo", "kind: Expected one of Service, SLI, SLO."),
        ("kind: SLO", "kind: [SLO]", "kind: Expected one of Service, SLI, SLO."),
        ("name: triage-availability", "name: Triage", "metadata.name: Expected lowercase"),
        ("{name: triage-availability}", "{}", "metadata.name: This field is required."),
        ("{name: triage-availability}", "x", "metadata: Expected fields"),
        ("name: triage-availability", "name: a1, labels: {a: 1}", "metadata.labels.a: Expected a"),
        ("name: triage-availability", "name: a1, x: 1", "metadata.x: Unknown field."),
        ("  service: claims-triage\n", "", "spec.service: This field is required."),
        ("service: claims-triage", "service: 12", "spec.service: Expected text. Put it in quotes."),
        ("  indicatorRef: availability\n", "", "spec.indicator: Expected either"),
        ("[{duration: 28d, isRolling: true}]", "[]", "spec.timeWindow: Expected exactly one"),
        ("28d", "28 days", "spec.timeWindow[0].duration: Expected a number and one of"),
        ("isRolling: true", "isRolling: false", "spec.timeWindow[0].calendar: This field is req"),
        ("isRolling: true", "isRolling: 'true'", "spec.timeWindow[0].isRolling: Expected true"),
        (
            "isRolling: true",
            "calendar: {startTime: 2026-02-30 00:00:00, timeZone: Europe/Paris}",
            "spec.timeWindow[0].calendar.startTime: Expected a local time",
        ),
        (
            "isRolling: true",
            "calendar: {startTime: 2026-02-01 00:00:00, timeZone: Europe/Atlantis}",
            "spec.timeWindow[0].calendar.timeZone: Expected a name of the IANA",
        ),
        ("Occurrences", "Guesses", "spec.budgetingMethod: Expected one of Occurrences,"),
        ("[{target: 0.995}]", "[]", "spec.objectives: Expected at least one"),
        ("target: 0.995", "target: 1", "spec.objectives[0].target: Expected a number in [0, 1)."),
        ("target: 0.995", "target: 99.5%", "spec.objectives[0].target: Expected a number."),
        ("target: 0.995", "target: .nan", "spec.objectives[0].target: Expected a number."),
        ("target: 0.995", "target: -0.1", "spec.objectives[0].target: Expected a number in [0"),
        ("target: 0.995", "targetPercent: 100", "spec.objectives[0].targetPercent: Expected a"),
        ("target: 0.995", "target: 0.9, targetPercent: 90", "spec.objectives[0].target: Expected"),
        ("target: 0.995", "displayName: x", "spec.objectives[0].target: Expected either"),
        ("target: 0.995", "target: 0.9, op: eq", "spec.objectives[0].op: Expected one of lte"),
        (
            "target: 0.995",
            "target: 0.9, indicatorRef: a, compositeWeight: 2",
            "spec.objectives[0].indicatorRef: Composite objectives aren't supported.",
        ),
        ("target: 0.995", "target: 0.9, timeSliceTarget: 0.9", "Only Timeslices have it."),
        ("Occurrences", "Timeslices", "timeSliceTarget: This field is required for Timeslices."),
        ("Occurrences", "RatioTimeslices", "timeSliceWindow: This field is required for Ratio"),
        ("  service:", "  unknown: 1\n  service:", "spec.unknown: Unknown field."),
    ],
)
def test_a_field_that_cant_be_accepted_is_named_with_the_reason(old, new, says):
    assert old in SLO
    found = refused(SLO.replace(old, new))
    assert any(says in each for each in found), found


def test_every_wrong_field_of_every_document_is_named_at_once():
    wrong = SLO.replace("0.995", "2").replace("28d", "1y")
    found = parse(f"{SLO}---{wrong.replace('triage-', 'b-')}---\njust text\n".encode())
    assert [(each.document, each.path) for each in found.refused] == [
        (2, "spec.objectives[0].target"),
        (2, "spec.timeWindow[0].duration"),
        (3, ""),
    ]
    assert list(found.documents) == [1]


def test_an_indicator_has_one_kind_of_metric_and_one_side():
    text = """
apiVersion: openslo/v1
kind: SLI
metadata: {name: availability}
spec:
  ratioMetric:
    counter: true
    good: {metricSource: {spec: {}}}
    bad: {metricSource: {spec: {}}}
    total: {metricSource: {type: Prometheus}}
"""
    assert refused(text) == [
        "spec.ratioMetric.total.metricSource.spec: Expected fields.",
        "spec.ratioMetric.good: Expected either good or bad events.",
    ]


# ---- harmful YAML


def nested(levels):
    return "[" * levels + "]" * levels


BOMB = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + place)}: &{chr(98 + place)} [{','.join([f'*{chr(97 + place)}'] * 10)}]\n"
    for place in range(8)
)

LONG_TEXT = f"a: &a {'x' * 400_000}\nb: *a\n" + "".join(f"c{n}: *a\n" for n in range(20_000))
LONG_LIST = f"a: &a [{'x' * 9_000}]\nb: [{','.join(['*a'] * 20_000)}]\n"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: 1\na: 2\n", "appears twice"),
        ("a: {b: 1, b: 2}\n", "appears twice"),
        ("a: !!python/object/apply:os.system [id]\n", "tags"),
        ("a: !!float 1\n", "tags"),
        (BOMB, "more than 50,000 values"),
        ("a: &a [*a]\n", "has no anchor before it"),
        ("a: *b\n", "has no anchor before it|undefined alias"),
        ("a: &a {x: 1}\nb: {<<: *a}\n", "merge keys"),
        (nested(200), "levels of nesting"),
        ("? [a]\n: b\n", "a key isn't text"),
        ("a: b: c\n", "isn't valid YAML"),
        ("a: 'b\n", "isn't valid YAML"),
        ("a: \x00\n", "isn't valid YAML|doesn't allow"),
        ("---\na\n" * 1001, "more than 1,000 documents"),
        ("[" + "a," * 60_000 + "]", "more than 50,000 values"),
        ("- a\n" * 1001, "more than 1,000 documents"),
        ("#" * 1_000_001, "larger than 1 MB"),
        (LONG_TEXT, "Line 3: with what its aliases repeat, the file has more than 1,000,000"),
        (LONG_LIST, "with what its aliases repeat, the file has more than 1,000,000 characters"),
    ],
)
def test_a_file_that_could_do_harm_is_refused_as_a_whole(text, says):
    with pytest.raises(UnreadableFile, match=says):
        parse(text.encode())


def test_bytes_that_are_no_text_are_refused():
    with pytest.raises(UnreadableFile, match="Line 2 isn't UTF-8"):
        read(b"a: 1\nb: \xff\n")


def test_an_alias_that_grows_little_is_read():
    assert read(b"a: &a {x: 1.50}\nb: *a\n") == [
        {"a": {"x": Decimal("1.50")}} | {"b": {"x": Decimal("1.50")}}
    ]


@given(st.text(string.printable, max_size=80))
def test_any_text_is_read_or_refused_and_never_breaks(text):
    try:
        parse(text.encode())
    except UnreadableFile as fault:
        assert str(fault)
