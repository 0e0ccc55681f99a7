"""Pages of Prometheus sources: permissions and messages."""

from uuid import uuid4

import pytest

from governance.operations.measurements import prometheus_queries as queries
from tests.operations.measurements.measurement_helpers import define, defined
from tests.operations.measurements.prometheus_servers import (
    StubServer,
    answer,
    run_requested_work,
)
from tests.step_up_helpers import visitor_needing_step_up

AT = "reliability/indicators/sources/"
QUERY = {"kind": "counter", "good": "a_total", "total": "a_total"}


@pytest.fixture
def stub():
    with StubServer.serving() as server:
        one = [{"metric": {}, "value": [1.0, "1"]}]
        server.answer = lambda *_: answer({"resultType": "vector", "result": one})
        yield server


def added(visitor, url, **fields):
    form = {"name": "Production", "url": url, "auth": "bearer", "secret": "s3cret"} | fields
    visitor.post(f"{AT}new", **form)


def source_id(acting):
    with acting("viewer"):
        [found] = queries.sources()
        return str(found.id)


def test_an_empty_page_says_what_will_be_here(as_viewer, as_admin):
    assert "No Prometheus source yet" in as_viewer.get(AT).text
    assert "Add source" not in as_viewer.get(AT).text
    assert "Add source" in as_admin.get(AT).text


def test_a_source_is_added_tested_and_shown_without_its_token(as_officer, as_viewer, acting, stub):
    added(as_officer, stub.url)
    assert "Testing Production" in as_officer.get(AT).text
    run_requested_work()
    page = as_viewer.get(AT).text
    assert "Answers" in page
    edit = as_officer.get(f"{AT}{source_id(acting)}/edit").text
    assert "s3cret" not in page + edit
    assert stub.headers[0]["Authorization"] == "Bearer s3cret"


def test_a_test_says_what_is_wrong(as_admin, acting, stub):
    stub.answer = lambda *_: (401, {}, b"")
    added(as_admin, stub.url)
    run_requested_work()
    page = as_admin.get(AT).text
    assert "Production doesn’t answer" in page
    assert "Prometheus denied access (401). Check the token." in page
    assert "Next try" in page
    stub.answer = lambda *_: answer({"resultType": "vector", "result": []})
    as_admin.post(f"{AT}{source_id(acting)}/test")
    run_requested_work()
    assert "but not as Prometheus does" in as_admin.get(AT).text


def test_an_edit_keeps_the_token_unless_another_is_typed(as_admin, acting, stub):
    added(as_admin, stub.url)
    path = f"{AT}{source_id(acting)}/edit"
    form = {"name": "Renamed", "url": stub.url, "auth": "bearer", "secret": ""}
    as_admin.post(path, **form)
    run_requested_work()
    assert stub.headers[-1]["Authorization"] == "Bearer s3cret"
    as_admin.post(path, **form | {"auth": "header", "header": "X-Api-Key", "secret": "k"})
    run_requested_work()
    assert stub.headers[-1]["X-Api-Key"] == "k"
    as_admin.post(path, **form | {"auth": "none"})
    run_requested_work()
    assert not {"Authorization", "X-Api-Key"} & set(stub.headers[-1])


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"url": "https://10.1.2.3"}, "private network"),
        ({"url": "ftp://prometheus.example"}, "https address"),
        ({"url": "https://prometheus.example/?a=b"}, "without ? and #"),
        ({"name": ""}, "Enter a name."),
        ({"auth": "header", "header": ""}, "Enter both the header and its value"),
        ({"secret": ""}, "Enter both the header and its value"),
    ],
)
def test_a_wrong_field_is_named(as_admin, stub, changes, says):
    form = {"name": "Production", "url": stub.url, "auth": "bearer", "secret": "s"} | changes
    assert says in as_admin.post(f"{AT}new", then=422, **form).text


def test_two_sources_cant_have_one_name(as_admin, stub):
    added(as_admin, stub.url)
    form = {"name": "Production", "url": stub.url, "auth": "none"}
    assert (
        "Another Prometheus source has this name"
        in as_admin.post(f"{AT}new", then=422, **form).text
    )


def test_an_indicator_gets_its_query_and_a_change_needs_a_reason(as_officer, acting, stub):
    added(as_officer, stub.url)
    indicator_id = defined(source="prometheus")
    assert "1 indicator has no query" in as_officer.get(AT).text
    path = f"{AT}queries/{indicator_id}"
    form = {"source_id": source_id(acting), **QUERY}
    as_officer.get(path)
    wrong = as_officer.post(path, then=422, **form | {"good": "rate(a_total[5m])"}).text
    assert "without sum(), rate() or a range" in wrong
    as_officer.post(path, **form)
    assert "Counters" in as_officer.get(AT).text
    assert "Enter a reason" in as_officer.post(path, then=422, **form | {"total": "b_total"}).text
    as_officer.post(path, **form | {"total": "b_total", "reason": "Renamed"})
    as_officer.post(path, **form | {"total": "b_total"})
    with acting("viewer"):
        assert queries.query_of(indicator_id).revision == 2


def test_a_backfill_is_requested_and_shows_its_progress(as_officer, acting, stub):
    added(as_officer, stub.url)
    indicator_id = defined(source="prometheus")
    path = f"{AT}queries/{indicator_id}"
    as_officer.post(path, source_id=source_id(acting), **QUERY)
    as_officer.get(f"{path}/backfill")
    form = {"since": "2026-11-01T00:00", "reason": "Outage"}
    assert (
        "Enter a reason"
        in as_officer.post(f"{path}/backfill", then=422, **form | {"reason": ""}).text
    )
    as_officer.post(f"{path}/backfill", then=None, **form)


def test_a_removed_source_is_gone_and_its_indicators_need_another(as_admin, acting, stub):
    added(as_admin, stub.url)
    found = source_id(acting)
    indicator_id = defined(source="prometheus")
    as_admin.post(f"{AT}queries/{indicator_id}", source_id=found, **QUERY)
    assert "1 indicator gets no more data" in as_admin.get(f"{AT}{found}/removal").text
    as_admin.post(f"{AT}{found}/removal")
    assert "Needs another source" in as_admin.get(AT).text
    as_admin.get(f"{AT}{found}/edit", then=404)


def test_nobody_else_changes_a_source(
    as_admin, as_contributor, as_viewer, as_auditor, acting, stub
):
    added(as_admin, stub.url)
    found = source_id(acting)
    indicator_id = defined(source="prometheus")
    for visitor in (as_contributor, as_viewer, as_auditor):
        visitor.get(AT)
        for path in ("new", f"{found}/edit", f"{found}/removal", f"queries/{indicator_id}"):
            visitor.get(f"{AT}{path}", then=403)
            visitor.post(f"{AT}{path}", then=403)
        visitor.post(f"{AT}{found}/test", then=403)
        visitor.post(f"{AT}queries/{indicator_id}/backfill", then=403)


def test_another_tenant_sees_nothing_of_a_source(as_admin, as_neighbour, as_stranger, acting, stub):
    added(as_admin, stub.url)
    found = source_id(acting)
    assert "No Prometheus source yet" in as_neighbour.get(AT).text
    as_neighbour.get(f"{AT}{found}/edit", then=404)
    as_neighbour.post(f"{AT}{found}/test", then=404)
    as_stranger.get(f"{AT}{found}/edit", then=404)
    with acting("compliance_officer", "globex"):
        foreign = define(source="prometheus")
    as_admin.get(f"{AT}queries/{foreign}", then=404)
    as_admin.get(f"{AT}{uuid4()}/edit", then=404)


def test_a_source_is_added_edited_and_removed_after_a_fresh_sign_in_only(
    app, as_admin, acting, stub
):
    added(as_admin, stub.url)
    found, late = source_id(acting), visitor_needing_step_up(app, "admin")
    form = {"name": "Elsewhere", "url": stub.url, "auth": "none"}
    for path in ("new", f"{found}/edit"):
        assert late.get(f"{AT}{path}")
        assert "keeps your form" in late.post(f"{AT}{path}", then=401, **form).text
    late.post(f"{AT}{found}/removal", then=401)
    with acting("viewer"):
        assert [each.name for each in queries.sources()] == ["Production"]
