"""OpenSLO files: previewed, imported completely or not at all, and exported unchanged."""

import io
import re
from datetime import timedelta
from decimal import Decimal

import pytest

from governance.foundation.audit import queries as audit
from governance.kernel import clock
from governance.kernel.files import storage
from governance.operations.measurements import prometheus_actions, prometheus_queries
from governance.operations.measurements import queries as measurements
from governance.operations.objectives import actions, queries
from governance.operations.objectives.openslo import actions as openslo_actions
from governance.operations.objectives.openslo.export import export
from governance.operations.objectives.openslo.parser import parse
from governance.operations.objectives.openslo.plan import plan
from tests import make
from tests.assurance.evidence.deletion_helpers import run_nightly_cleanup
from tests.operations.objectives import objective_helpers

AT = "reliability/objectives/openslo"
FILE = """
apiVersion: openslo/v1
kind: Service
metadata: {name: claims-triage, labels: {team: [claims, ml]}}
spec: {description: Sorts claims.}
---
apiVersion: openslo/v1
kind: SLI
metadata: {name: triage-answered, displayName: Answered requests}
spec:
  ratioMetric:
    counter: true
    good: {metricSource: {metricSourceRef: production, type: Prometheus, spec: {query: 'sum(http_requests_total{code!~"5.."})'}}}
    total: {metricSource: {metricSourceRef: production, type: Prometheus, spec: {query: http_requests_total}}}
---
apiVersion: openslo/v1
kind: SLO
metadata: {name: triage-availability, displayName: Triage · Availability, annotations: {team: ml}}
spec:
  description: What we promise.
  service: claims-triage
  indicatorRef: triage-answered
  timeWindow: [{duration: 4w, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{displayName: Good, targetPercent: 99.950}]
  alertPolicies: [page-us]
---
apiVersion: openslo/v1
kind: SLO
metadata: {name: triage-latency, displayName: Triage · Latency}
spec:
  service: claims-triage
  indicator:
    metadata: {name: triage-duration, annotations: {meridian.example/bound-unit: s}}
    spec: {thresholdMetric: {metricSource: {type: Datadog, spec: {query: 'p:x{*}', n: 0.10}}}}
  timeWindow: [{duration: 1M, isRolling: false, calendar: {startTime: '2026-01-01 00:00:00', timeZone: Europe/Berlin}}]
  budgetingMethod: Occurrences
  objectives: [{op: lte, value: 1.50, target: 0.9}]
---
apiVersion: openslo/v1
kind: SLO
metadata: {name: triage-uptime, displayName: Triage · Uptime}
spec:
  service: claims-triage
  indicator:
    metadata: {name: triage-minutes, annotations: {meridian.example/min-requests: '3'}}
    spec:
      ratioMetric:
        counter: false
        bad: {metricSource: {type: Datadog, spec: {query: errors}}}
        total: {metricSource: {type: Datadog, spec: {query: all}}}
  timeWindow: [{duration: 168h, isRolling: true}]
  budgetingMethod: Timeslices
  objectives: [{target: 0.999, timeSliceTarget: 0.95, timeSliceWindow: 1m}]
---
apiVersion: openslo/v1
kind: DataSource
metadata: {name: production}
spec: {type: Prometheus, connectionDetails: [{url: http://prometheus}]}
"""

pytestmark = pytest.mark.usefixtures("database")


def system(slug="acme"):
    with make.acting("compliance_officer", slug):
        objective_helpers.define("unrelated-indicator")


@pytest.fixture(autouse=True)
def _system(database):
    system()


def import_file(text=FILE, slug="acme"):
    with make.acting("compliance_officer", slug):
        return openslo_actions.import_openslo(text.encode())


def first_objective():
    """Create the first objective of FILE as the acting person."""
    return next(each for each in queries.active_objectives() if each.key == "triage-availability")


def state(slug="acme"):
    """Return everything that an import could change."""
    with make.acting("viewer", slug):
        objectives = [
            (each.key, each.name, each.target, each.window, each.window_days, each.number)
            for is_retired in (False, True)
            for each, _ in queries.objectives_with_indicators(retired=is_retired)
        ]
        indicators = [each.key for each in measurements.every_indicator()]
        return objectives, indicators, audit.head()


def test_a_file_becomes_indicators_and_objectives_with_exact_targets():
    import_file()
    with make.acting("viewer"):
        found = {each.key: each for each in queries.active_objectives()}
        indicators = queries.indicators_of(list(found.values()))
        of = {key: indicators[each.indicator_id] for key, each in found.items()}
        first, latency, uptime = (
            found[f"triage-{each}"] for each in ("availability", "latency", "uptime")
        )
        assert (first.target, first.window, first.window_days) == (
            Decimal("0.9995"),
            "rolling",
            28,
        )
        assert first.owner_id == make.person_id("compliance_officer")
        assert (latency.target, latency.window) == (Decimal("0.9"), "calendar")
        assert uptime.window_days == 7
        availability, duration, minutes = (of[each.key] for each in (first, latency, uptime))
        assert (availability.kind, availability.source) == ("ratio", "prometheus")
        assert (duration.kind, duration.bound, duration.bound_unit, duration.source) == (
            "threshold",
            Decimal("1.5"),
            "s",
            "push",
        )
        assert (minutes.kind, minutes.floor, minutes.min_requests) == (
            "downtime",
            Decimal("0.95"),
            3,
        )


def test_the_same_file_twice_changes_nothing():
    import_file()
    before = state()
    again = import_file()
    assert again.changes == 0
    assert state()[:2] == before[:2]
    with make.acting("viewer"):
        assert [each.number for each in queries.active_objectives()] == [1, 1, 1]


def test_counters_get_their_query_where_the_source_is_there():
    with make.acting("admin"):
        prometheus_actions.add_source(name="Production", url="http://127.0.0.1:9")
    import_file()
    with make.acting("viewer"):
        [pull] = prometheus_queries.pulls()
        assert (pull.query.good, pull.query.total) == (
            'http_requests_total{code!~"5.."}',
            "http_requests_total",
        )


def test_an_export_is_the_file_that_was_imported():
    import_file()
    with make.acting("viewer"):
        text = export(queries.active_objectives())
    original = {
        (type(each), each.metadata.name): each for each in parse(FILE.encode()).documents.values()
    }
    found = parse(text.encode())
    assert (found.refused, found.not_imported) == ([], [])
    written = {(type(each), each.metadata.name): each for each in found.documents.values()}
    assert repr(sorted(written.items(), key=str)) == repr(sorted(original.items(), key=str))


def test_an_export_has_the_present_target_and_window():
    import_file()
    with make.acting("compliance_officer"):
        objective = first_objective()
        actions.change(
            queries.objective(objective.id, lock=True),
            seen=1,
            reason="Tighter",
            target=Decimal("0.9999"),
            minimum_coverage=Decimal("0.8"),
        )
        text = export([first_objective()])
    slo = list(parse(text.encode()).documents.values())[-1]
    assert (slo.goals[0].target, slo.goals[0].target_percent) == (Decimal("0.9999"), None)
    assert slo.goals[0].display_name == "Good"
    assert slo.window.duration == "4w"
    assert slo.metadata.annotations == {"team": "ml", "meridian.example/minimum-coverage": "0.8"}
    with make.acting("compliance_officer"):
        assert plan(text.encode()).objectives[0].outcome == "unchanged"


def test_objectives_made_in_meridian_are_the_same_in_another_tenant_after_export_and_import():
    hours = {"days": {"mon": [["09:00", "17:00"]]}}
    with make.acting("compliance_officer"):
        down = objective_helpers.define("triage-down", kind="downtime", min_requests=5)
        slow = objective_helpers.define(
            "triage-fast",
            kind="threshold",
            bound=Decimal("20.5"),
            bound_unit="tokens/s",
            good_side="more_than",
            unit="answers",
        )
        objective_helpers.objective(down, name="Down", window="calendar", service_hours=hours)
        objective_helpers.objective(slow, name="Fast", is_ai=True, target=Decimal("0.90"))
        text = export(queries.active_objectives())
    system("globex")
    done = import_file(text, "globex")
    assert [each.outcome for each in done.objectives] == ["create", "create"]
    with make.acting("compliance_officer", "globex"):
        found = {each.name: each for each in queries.active_objectives()}
        assert found["Down"].service_hours["days"] == hours["days"]
        indicators = queries.indicators_of(list(found.values()))
        assert indicators[found["Down"].indicator_id].floor is None
        assert indicators[found["Fast"].indicator_id].good_side == "more_than"
        assert export(queries.active_objectives()) == text
        assert plan(text.encode()).changes == 0


REFUSED = [
    ("service: claims-triage\n  indicatorRef", "service: other\n  indicatorRef", "spec.service"),
    ("indicatorRef: triage-answered", "indicatorRef: nothing", "spec.indicatorRef"),
    ("duration: 4w", "duration: 1M", "spec.timeWindow[0].duration"),
    ("duration: 4w", "duration: 90m", "spec.timeWindow[0].duration"),
    ("duration: 1M", "duration: 1Q", "spec.timeWindow[0].duration"),
    ("2026-01-01", "2026-01-02", "spec.timeWindow[0].calendar.startTime"),
    ("Europe/Berlin", "America/New_York", "spec.timeWindow[0].calendar.timeZone"),
    ("op: lte", "op: lt", "spec.objectives[0].op"),
    ("value: 1.50", "value: 1.0000005", "spec.objectives[0].value"),
    ("timeSliceWindow: 1m", "timeSliceWindow: 5m", "spec.objectives[0].timeSliceWindow"),
    (
        "budgetingMethod: Timeslices\n  objectives: [{target: 0.999, timeSliceTarget: 0.95,",
        "budgetingMethod: RatioTimeslices\n  objectives: [{target: 0.999,",
        "spec.budgetingMethod",
    ),
    ("target: 0.9}", "target: 0.9}, {target: 0.8, value: 2, op: lte}", "spec.objectives"),
    ("target: 0.9}", "target: 0}", "spec.objectives[0].target"),
    ("name: triage-uptime", "name: triage.uptime", "metadata.name"),
    ("Triage · Uptime", "Triage · Latency", "metadata.displayName"),
    ("meridian.example/min-requests: '3'", "meridian.example/x: '3'", "spec.indicator: metadata.a"),
    (
        "    good: {metricSource",
        "    bad: {metricSource",
        "spec.indicatorRef: spec.ratioMetric.bad",
    ),
]


@pytest.mark.parametrize(("old", "new", "path"), REFUSED)
def test_one_refused_field_keeps_the_whole_file_out(old, new, path):
    assert FILE.count(old) >= 1
    before = state()[:2]
    text = FILE.replace(old, new, 1)
    with make.acting("compliance_officer"):
        found = plan(text.encode())
        assert any(path in each.path for each in found.refused), list(map(str, found.refused))
        with pytest.raises(Exception, match="Nothing was imported. Document"):
            openslo_actions.import_openslo(text.encode())
    assert state()[:2] == before


def test_a_definition_that_data_may_depend_on_is_not_changed_by_a_file():
    import_file()
    for old, new in (
        ("value: 1.50", "value: 2"),
        ("timeSliceTarget: 0.95", "timeSliceTarget: 0.9"),
        ("displayName: Answered requests", "displayName: Other"),
    ):
        with make.acting("compliance_officer"):
            [refused] = plan(FILE.replace(old, new).encode()).refused
            assert "is defined differently" in refused.reason


def test_a_changed_target_makes_a_version_and_nothing_else_changes():
    import_file()
    done = import_file(FILE.replace("99.950", "99.990"))
    assert [each.outcome for each in done.objectives] == ["change", "unchanged", "unchanged"]
    with make.acting("viewer"):
        objective = first_objective()
        assert (objective.number, objective.target) == (2, Decimal("0.9999"))


# ---- pages


def preview(visitor, text, then=200):
    file = (io.BytesIO(text.encode()), "slo.yaml")
    return visitor.post(f"{AT}/import", then=then, file=file)


def fields(reply):
    return {
        name: re.search(rf'name="{name}" value="([0-9a-f]+)"', reply.text)[1]
        for name in ("sha256", "basis")
    }


def test_a_file_is_previewed_then_imported_in_the_browser(as_officer, as_viewer):
    assert "Import OpenSLO" in as_officer.get("reliability/").text
    assert "Import OpenSLO" not in as_viewer.get("reliability/").text
    as_officer.get(f"{AT}/import")
    shown = preview(as_officer, FILE)
    assert "Import 3 objectives?" in shown.text
    assert "99.95%" in shown.text
    assert "DataSource" in shown.text
    assert state()[0] == []
    as_officer.post(f"{AT}/import/confirm", **fields(shown))
    assert len(state()[0]) == 3
    assert "The file changes nothing" in preview(as_officer, FILE).text
    reply = as_viewer.get(f"{AT}.yaml")
    assert reply.mimetype == "application/yaml"
    assert len(parse(reply.data).documents) == 5
    one = id_of_first()
    assert (
        "triage-availability.openslo.yaml"
        in as_viewer.get(f"reliability/objectives/{one}/openslo.yaml").headers[
            "Content-Disposition"
        ]
    )


def id_of_first():
    with make.acting("viewer"):
        return first_objective().id


def test_a_refused_file_names_each_field_and_offers_no_import(as_officer):
    shown = preview(as_officer, FILE.replace("duration: 4w", "duration: 4x"), then=422).text
    assert "spec.timeWindow[0].duration" in shown
    assert "Import file" not in shown
    assert "isn&#39;t valid YAML" in preview(as_officer, "a: b: c", then=422).text
    assert "larger than 1 MB" in preview(as_officer, "#" * 1_000_001, then=422).text


def test_an_import_that_no_longer_fits_its_preview_is_shown_again(as_officer):
    seen = fields(preview(as_officer, FILE))
    import_file()
    shown = as_officer.post(f"{AT}/import/confirm", then=409, **seen).text
    assert "Something changed since the preview" in shown
    as_officer.post(f"{AT}/import/confirm", then=404, sha256="0" * 64, basis="0" * 64)


def test_a_previewed_file_is_kept_for_a_day_and_no_other_file_can_be_confirmed(as_officer, acting):
    seen, kept = fields(preview(as_officer, FILE)), lambda: str([*storage.store().aged(folder)])
    with acting("compliance_officer") as who:
        folder = f"{who.tenant_id.hex}/{storage.PREVIEWS}"
        stored = storage.store().write(who.tenant_id, io.BytesIO(b"a: 1"), limit=10)
    run_nightly_cleanup()
    as_officer.post(f"{AT}/import/confirm", then=404, sha256=stored.sha256, basis=seen["basis"])
    assert seen["sha256"] in kept()
    with clock.frozen(clock.now() + timedelta(days=2)):
        run_nightly_cleanup()
    assert seen["sha256"] not in kept()
    as_officer.post(f"{AT}/import/confirm", then=404, **seen)


def test_others_cant_import_and_see_no_other_tenants_objectives(
    as_officer, as_contributor, as_viewer, as_auditor, as_neighbour
):
    seen = fields(preview(as_officer, FILE))
    for visitor in (as_contributor, as_viewer, as_auditor):
        visitor.get(f"{AT}/import", then=403)
        preview(visitor, FILE, then=403)
        visitor.post(f"{AT}/import/confirm", then=403, **seen)
    as_neighbour.post(f"{AT}/import/confirm", then=404, **seen)
    import_file()
    assert parse(as_neighbour.get(f"{AT}.yaml").data).documents == {}
    as_neighbour.get(f"reliability/objectives/{id_of_first()}/openslo.yaml", then=404)
