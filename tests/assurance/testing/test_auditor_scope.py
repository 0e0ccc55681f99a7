"""Auditors' tests within their engagement, and what the matrix shows them."""

import re
from datetime import timedelta

from sqlalchemy import text

from governance.assurance.testing import (
    matrix_queries,
    population_queries,
)
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.kernel.safety import visibility_scope
from tests import make
from tests.assurance.evidence import evidence_helpers
from tests.assurance.testing import type2_helpers


def test_an_auditor_tests_only_within_their_engagement(as_auditor):
    inside, outside = (
        type2_helpers.freeze_population(type2_helpers.create_control()),
        type2_helpers.freeze_population(type2_helpers.create_control("SEC-08")),
    )
    with make.acting(read_only=True):
        mine = population_queries.population(inside).control_id
    held = visibility_scope.Scope(
        frozenset([mine]), clock.today() - timedelta(days=364), clock.today()
    )
    with type2_helpers.auditors_see(held):
        assert "SEC-08" not in as_auditor.get("evidence/type-ii").text
        as_auditor.get(f"evidence/type-ii/populations/{outside}", then=404)
        as_auditor.post(
            f"evidence/type-ii/populations/{outside}/samples", then=404, attributes="Signed"
        )
        as_auditor.post(f"evidence/type-ii/populations/{inside}/samples", attributes="Signed")
    closed = visibility_scope.Scope(
        held.controls,
        held.period_from,
        held.period_to,
        open=False,
        says="Fieldwork begins on 7 December.",
    )
    with type2_helpers.auditors_see(closed):
        as_auditor.post(
            f"evidence/type-ii/populations/{inside}/samples", then=403, attributes="Signed"
        )


def test_the_matrix_says_what_is_on_file_and_every_cell_explains_itself(as_viewer):
    control, _, _ = type2_helpers.create_failed_sample()
    monthly = type2_helpers.create_control("SEC-04", "monthly")
    evidence_helpers.accept_version(
        evidence_helpers.upload_version(evidence_helpers.create_evidence(supports=[monthly]))
    )
    with make.acting():
        session().execute(text("UPDATE controls SET created_at = created_at - interval '1 year'"))
    page = as_viewer.get("evidence/type-ii")
    assert "expected occurrence" in page.text and "25 of 25" in page.text
    cells = re.findall(r'href="([^"]*cell=SEC-07[^"]*)#why"', page.text)
    assert len(cells) == 12
    with make.acting(read_only=True):
        row = matrix_queries.control_row(control, *matrix_queries.default_period())
        month = next(c.month for c in row.months if c.kind == "exception")
    opened = as_viewer.get(f"evidence/type-ii?cell=SEC-07.{month:%Y-%m}")
    assert "EXC-01" in opened.text and "failed" in opened.text
    assert "No controls match" in as_viewer.get("evidence/type-ii?q=nothing-like-it").text
    assert "cell=SEC-07" not in as_viewer.get("evidence/type-ii?has=missed&months=3").text
    as_viewer.get("evidence/type-ii?months=5", then=422)
    as_viewer.get("evidence/type-ii?framework=no-such", then=422)
    table = as_viewer.get("evidence/type-ii.csv").data.decode("utf-8-sig")
    assert table.count("\r\n") == 1 + 24 and "SEC-07,Red-team sign-off" in table


def test_an_empty_console_says_what_the_matrix_is_for(as_officer):
    assert "No controls to test yet" in as_officer.get("evidence/type-ii").text
    assert "No exceptions yet" in as_officer.get("evidence/type-ii/exceptions").text
    assert "No findings yet" in as_officer.get("evidence/type-ii/findings").text


def test_the_matrix_reads_as_many_statements_for_many_controls_as_for_few(as_viewer, statements):
    type2_helpers.create_failed_sample()
    as_viewer.get("evidence/type-ii")
    with statements() as few:
        as_viewer.get("evidence/type-ii")
    for n in range(20):
        control = type2_helpers.create_control(f"MON-{n:02}", "monthly")
        evidence_helpers.accept_version(
            evidence_helpers.upload_version(
                evidence_helpers.create_evidence(f"Report {n}", supports=[control])
            )
        )
    type2_helpers.draw_sample(type2_helpers.freeze_population(control))
    with statements() as many:
        as_viewer.get("evidence/type-ii")
    assert len(many) == len(few)


def test_another_tenants_things_are_not_there(as_stranger, as_neighbour):
    control, sample, exception = type2_helpers.create_failed_sample()
    for visitor in (as_stranger, as_neighbour):
        for path in (f"{control}", f"samples/{sample}", f"exceptions/{exception}"):
            visitor.get(f"evidence/type-ii/{path}", then=404)
