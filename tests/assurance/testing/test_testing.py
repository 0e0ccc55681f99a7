"""Type II testing through the front door: who may, who may not, and what never changes."""

import io
import re
from datetime import date, timedelta

import pytest
import xlsxwriter
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from governance.assurance.controls import control_ledger
from governance.assurance.controls.status import last_test, status
from governance.assurance.testing import (
    control_scope,
    exception_actions,
    exception_queries,
    matrix_queries,
    population_queries,
    sample_queries,
)
from governance.assurance.testing.models import (
    Finding,
    ItemResult,
    Population,
    Sample,
    SampleItem,
    TestException,
)
from governance.foundation.audit.models import AuditEntry
from governance.kernel import clock, visibility_scope
from governance.kernel.db import session
from governance.kernel.errors import DomainError
from governance.kernel.formatting import plural
from governance.kernel.spreadsheet_writer import xlsx_bytes
from tests import make
from tests.assurance.evidence import evidence_helpers
from tests.assurance.testing import type2_helpers

FORM = {"title": "Releases", "query": "select * from releases", "run_by": "release register"}


def upload_form(content, name="releases.csv", **more):
    today = clock.today()
    days = {
        "run_on": str(today),
        "period_from": str(today - timedelta(days=364)),
        "period_to": str(today),
    }
    return FORM | days | {"file": (io.BytesIO(content), name)} | more


def entries_of_action(action):
    with make.acting("compliance_officer", read_only=True):
        found = (
            session()
            .scalars(select(AuditEntry).where(AuditEntry.action == action).order_by(AuditEntry.at))
            .all()
        )
        session().expunge_all()
        return found


def count_rows(model):
    with make.acting(read_only=True):
        return len(session().scalars(select(model.id)).all())


def status_word(control_id):
    with make.acting(read_only=True):
        facts = control_ledger.ledger(control_id).of(control_id, clock.now())
        return status(
            facts, today=clock.today(), period_from=date(2020, 1, 1), period_to=clock.today()
        ).word, last_test(facts)


# ---- populations


def test_a_population_is_uploaded_and_frozen_with_all_that_proves_it(as_officer):
    control = type2_helpers.create_control()
    as_officer.get(f"evidence/type-ii/{control}/upload")
    page = as_officer.post(
        f"evidence/type-ii/{control}/upload",
        follow=True,
        **upload_form(type2_helpers.population_csv()),
    )
    assert (
        "61 rows" in page.text
        and "select * from releases" in page.text
        and "SHA-256 verified" in page.text
        and "Suggested size: 25 items" in page.text
    )
    (entry,) = entries_of_action("population.frozen")
    assert entry.facts["row_count"] == 61 and len(entry.facts["sha256"]) == 64
    as_officer.post(
        f"evidence/type-ii/{control}/upload", **upload_form(type2_helpers.population_csv())
    )
    assert count_rows(Population) == 1, "the same rows of the same query are frozen once"


def make_workbook(fill):
    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as made:
        fill(made.add_worksheet())
    return out.getvalue()


def formula(sheet):
    sheet.write_row(0, 0, ["id", "n"])
    sheet.write_row(1, 0, ["a", 1])
    sheet.write_formula(2, 0, '=HYPERLINK("https://evil.example")')


def merged(sheet):
    sheet.write_row(0, 0, ["id", "n"])
    sheet.merge_range(1, 0, 2, 0, "a")


@pytest.mark.parametrize(
    ("content", "name", "says"),
    [
        (make_workbook(formula), "a.xlsx", "cell A3 has a formula"),
        (make_workbook(merged), "a.xlsx", "A2:A3 are merged"),
        (b"id,n\na,1\na,2\n", "a.csv", "id a appears 2 times"),
        (b"id,n\n,1\n", "a.csv", "a row has no id"),
        (b"id,n\n", "a.csv", "has no rows"),
        (b"", "a.csv", "0 bytes"),
        (b"id,n\na,1,2\n", "a.csv", "more cells than there are columns"),
        (b"id,id\na,1\n", "a.csv", "two columns are called id"),
        (b"id,n\n\xff\xfe,1\n", "a.csv", "Evidence may be"),
        (b"%PDF-1.7\n" + b"x" * 99, "a.pdf", "Upload a CSV or XLSX table"),
        (b"id\n" + b"".join(b"r%d\n" % n for n in range(50_001)), "a.csv", "more than 50,000 rows"),
        (xlsx_bytes("x", ["id"], [["a"]])[:-300], "a.xlsx", "a.xlsx"),
    ],
)
def test_a_file_that_is_no_population_is_refused_by_name(as_officer, content, name, says):
    control = type2_helpers.create_control()
    page = as_officer.post(
        f"evidence/type-ii/{control}/upload", then=422, **upload_form(content, name)
    )
    assert says in page.text
    assert count_rows(Population) == 0


def test_fifty_thousand_rows_are_taken_and_a_formula_in_text_is_harmless(as_officer):
    control = type2_helpers.create_control()
    lines = b"".join(b"r%d,=1+1\n" % n for n in range(50_000))
    page = as_officer.post(
        f"evidence/type-ii/{control}/upload", follow=True, **upload_form(b"id,note\n" + lines)
    )
    assert f"{plural(50_000, 'row')} frozen" in page.text
    with make.acting(read_only=True):
        held = session().scalars(select(Population.id)).one()
    assert (
        b"r0,'=1+1"
        in as_officer.post(f"evidence/type-ii/populations/{held}/download", then=200).data
    )
    assert entries_of_action("population.downloaded")


def test_a_workbook_gives_the_same_rows_as_its_csv(as_officer):
    control = type2_helpers.create_control()
    lines = [line.split(",") for line in type2_helpers.population_csv(5).decode().splitlines()]
    as_officer.post(
        f"evidence/type-ii/{control}/upload", **upload_form(type2_helpers.population_csv(5))
    )
    as_officer.post(
        f"evidence/type-ii/{control}/upload",
        **upload_form(xlsx_bytes("R", lines[0], lines[1:]), "r.xlsx"),
    )
    assert count_rows(Population) == 1


def test_the_evidence_of_a_control_is_a_population(as_officer):
    control = type2_helpers.create_control("SEC-04", "quarterly")
    piece = evidence_helpers.create_evidence(supports=[control])
    evidence_helpers.accept_version(evidence_helpers.upload_version(piece))
    as_officer.get(f"evidence/type-ii/{control}/freeze")
    today = clock.today()
    form = {
        "key": "evidence",
        "period_from": str(today - timedelta(days=364)),
        "period_to": str(today),
    }
    page = as_officer.post(f"evidence/type-ii/{control}/freeze", follow=True, **form)
    assert "EV-0001 version 1" in page.text
    as_officer.post(f"evidence/type-ii/{control}/freeze", then=422, **form | {"key": "nothing"})


@pytest.mark.parametrize("who", ["as_contributor", "as_viewer", "as_auditor"])
def test_others_look_and_freeze_nothing(database, who, request):
    control = type2_helpers.create_control()
    visitor = request.getfixturevalue(who)
    assert "Freeze population" not in visitor.get(f"evidence/type-ii/{control}").text
    visitor.post(
        f"evidence/type-ii/{control}/upload",
        then=403,
        **upload_form(type2_helpers.population_csv()),
    )
    assert count_rows(Population) == 0


@pytest.mark.parametrize("table", ["populations", "samples", "sample_items", "item_results"])
@pytest.mark.parametrize("verb", ["UPDATE {} SET created_at = now()", "DELETE FROM {}"])
def test_nothing_that_was_frozen_drawn_or_found_is_changed(database, table, verb):
    type2_helpers.create_failed_sample()
    with (
        make.acting(),
        pytest.raises(DBAPIError, match=r"append-only|permission denied"),
        session().begin_nested(),
    ):
        session().execute(text(verb.format(table)))


def test_a_population_that_was_changed_behind_our_back_is_noticed_and_refused(as_officer):
    control = type2_helpers.create_control()
    honest = type2_helpers.freeze_population(control)
    with make.acting():
        held = population_queries.population(honest, whole=True)
        facts = {
            c.name: getattr(held, c.name)
            for c in Population.__table__.columns
            if c.name not in {"id", "tenant_id"}
        }
        bent = Population(
            **facts | {"rows": [*held.rows[:-1], held.rows[-1] | {"owner": "nobody"}]}
        )
        session().add(bent)
        session().flush()
        bent_id = bent.id
    assert (
        "Changed since it was frozen"
        in as_officer.get(f"evidence/type-ii/populations/{bent_id}").text
    )
    page = as_officer.post(
        f"evidence/type-ii/populations/{bent_id}/samples", then=422, attributes="Signed"
    )
    assert "changed after it was frozen" in page.text
    assert count_rows(Sample) == 0


def test_a_re_run_says_whether_it_gave_the_same_rows(as_officer):
    control = type2_helpers.create_control()
    type2_helpers.freeze_population(control)
    type2_helpers.freeze_population(control, type2_helpers.population_csv(60))
    assert "a rerun gave different rows" in as_officer.get(f"evidence/type-ii/{control}").text


# ---- samples


def test_an_auditor_draws_a_sample_and_the_same_seed_draws_it_again(as_auditor):
    population = type2_helpers.freeze_population(type2_helpers.create_control())
    form = {"attributes": "Signed before the release\nSigned by someone else", "seed": "4417 90ce"}
    page = as_auditor.post(
        f"evidence/type-ii/populations/{population}/samples", follow=True, **form
    )
    assert "none of 25 tested" in page.text and "seed 4417 90ce" in page.text
    page = as_auditor.post(
        f"evidence/type-ii/populations/{population}/samples", follow=True, **form
    )
    assert "Seed 4417 90ce draws the same 25 items" in page.text
    assert count_rows(Sample) == 1 and count_rows(SampleItem) == 25
    assert len(entries_of_action("sample.drawn")) == len(entries_of_action("sample.redrawn")) == 1


def test_without_a_seed_one_is_made_and_shown(as_officer):
    population = type2_helpers.freeze_population(type2_helpers.create_control())
    page = as_officer.post(
        f"evidence/type-ii/populations/{population}/samples", follow=True, attributes="Signed"
    )
    assert re.search(r"seed [0-9a-f]{4} [0-9a-f]{4}", page.text)


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ({"size": "62", "reason": "x"}, "The population has only 61 items"),
        ({"size": "12"}, "The rule asks for 25 items. Give a reason for 12"),
        ({"size": "0", "reason": "x"}, "1 to 500"),
        ({"size": "9" * 30, "reason": "x"}, "1 to 500"),
        ({"attributes": "  \n "}, "attributes to check, one per line"),
        ({"seed": "\u2603"}, "A seed can have up to 64 letters"),
    ],
)
def test_a_sample_that_cannot_be_is_refused(as_officer, form, says):
    population = type2_helpers.freeze_population(type2_helpers.create_control())
    page = as_officer.post(
        f"evidence/type-ii/populations/{population}/samples",
        then=422,
        **{"attributes": "Signed"} | form,
    )
    assert says in page.text
    assert count_rows(Sample) == 0


@pytest.mark.parametrize("who", ["as_contributor", "as_viewer"])
def test_who_only_looks_draws_and_records_nothing(database, who, request):
    _, sample, _ = type2_helpers.create_failed_sample()
    visitor = request.getfixturevalue(who)
    assert (
        "Record results for selected items"
        not in visitor.get(f"evidence/type-ii/samples/{sample}").text
    )
    visitor.post(f"evidence/type-ii/samples/{sample}/results", then=403)


def test_the_tenants_own_table_counts_from_then_on(as_officer):
    population = type2_helpers.freeze_population(type2_helpers.create_control())
    sizes = {
        "yearly": 1,
        "half_yearly": 2,
        "quarterly": 2,
        "monthly": 5,
        "weekly": 8,
        "daily": 20,
        "up_to_25": 20,
        "to_100": 30,
        "to_250": 40,
        "over_250": 50,
    }
    as_officer.get("evidence/type-ii/sizes")
    as_officer.post("evidence/type-ii/sizes", **sizes, reason="Halden asks for 30", number="0")
    assert (
        "Suggested size: 30 items"
        in as_officer.get(f"evidence/type-ii/populations/{population}").text
    )
    as_officer.post("evidence/type-ii/sizes", then=409, **sizes, reason="Again", number="0")
    as_officer.post(
        "evidence/type-ii/sizes", then=422, **sizes | {"to_250": 10}, reason="Fewer", number="1"
    )


# ---- results, exceptions, findings


def test_a_failed_item_opens_an_exception_and_lowers_the_control(as_auditor):
    control = type2_helpers.create_control()
    sample = type2_helpers.draw_sample(type2_helpers.freeze_population(control))
    type2_helpers.record_results(sample, set(range(2, 26)))
    with make.acting(read_only=True):
        first = str(sample_queries.items(sample)[0].item.id)
    as_auditor.get(f"evidence/type-ii/items/{first}")
    as_auditor.post(f"evidence/type-ii/items/{first}", then=422, a0="no", a1="yes")
    page = as_auditor.post(
        f"evidence/type-ii/items/{first}", follow=True, a0="no", a1="yes", note="Nobody signed"
    )
    assert "1 of 25 failed" in page.text and "EXC-01" in page.text
    word, last = status_word(control)
    assert word == "1 of 25 failed" and last.finding_ref == "EXC-01"
    assert count_rows(TestException) == 1
    (entry,) = entries_of_action("test.exception.opened")
    assert entry.facts["ref"] == "EXC-01" and "says" in entry.sealed


def test_a_sample_that_passes_is_a_passed_test(as_officer):
    control = type2_helpers.create_control()
    sample = type2_helpers.draw_sample(type2_helpers.freeze_population(control))
    with make.acting(read_only=True):
        ids = [str(v.item.id) for v in sample_queries.items(sample)]
    page = as_officer.post(
        f"evidence/type-ii/samples/{sample}/results", follow=True, ids=ids, a0="yes", a1="na"
    )
    assert "all 25 passed" in page.text
    assert (status_word(control)[1].sample, status_word(control)[1].failed) == (25, 0)


def test_a_result_is_superseded_and_never_deleted(as_officer):
    control, sample, exception = type2_helpers.create_failed_sample()
    with make.acting(read_only=True):
        item = next(v.item.id for v in sample_queries.items(sample) if v.item.number == 17)
    as_officer.post(f"evidence/type-ii/items/{item}", then=422, a0="yes", a1="yes")
    as_officer.post(
        f"evidence/type-ii/items/{item}", a0="yes", a1="yes", note="The signature was in the annex"
    )
    page = as_officer.get(f"evidence/type-ii/items/{item}")
    assert "superseded" in page.text and "Release without sign-off" in page.text
    assert count_rows(ItemResult) == 26 and count_rows(TestException) == 1
    assert "Set aside" in as_officer.get(f"evidence/type-ii/exceptions/{exception}").text
    assert status_word(control)[1].failed == 0


def test_items_of_another_sample_and_empty_ticks_are_refused(as_officer):
    _, sample, _ = type2_helpers.create_failed_sample()
    other = type2_helpers.draw_sample(
        type2_helpers.freeze_population(type2_helpers.create_control("SEC-08")), seed="1"
    )
    with make.acting(read_only=True):
        foreign = str(sample_queries.items(other)[0].item.id)
    as_officer.post(
        f"evidence/type-ii/samples/{sample}/results", then=422, ids=[foreign], a0="yes", a1="yes"
    )
    page = as_officer.post(
        f"evidence/type-ii/samples/{sample}/results", then=422, a0="yes", a1="yes"
    )
    assert "Select the items that you tested" in page.text
    page = as_officer.post(
        f"evidence/type-ii/samples/{other}/results", then=422, ids=[foreign], a0="na", a1="na"
    )
    assert "At least one attribute must apply" in page.text


def test_an_exception_goes_the_whole_way_to_a_passed_retest(as_officer, as_contributor, as_auditor):
    control, _, exception = type2_helpers.create_failed_sample()
    page = f"evidence/type-ii/exceptions/{exception}"
    as_officer.get(page)
    said = {
        "cause": "The gate was off",
        "effect": "One release unsigned",
        "correction": "Signed on Monday",
        "response": "The gate stays on",
    }
    as_officer.post(page, then=422, **said | {"response": " "}, version="1")
    as_officer.post(page, **said, version="1")
    as_officer.post(page, then=409, **said | {"cause": "Another"}, version="1")
    plan = {
        "title": "The gate can be turned off",
        "plan": "Remove the switch",
        "owner_id": str(make.person_id("contributor")),
    }
    as_officer.post(
        f"{page}/finding", then=422, **plan, due_on=str(clock.today() - timedelta(days=1))
    )
    as_officer.post(f"{page}/finding", **plan, due_on=str(clock.today() + timedelta(days=19)))
    as_officer.post(
        f"{page}/finding", then=422, **plan, due_on=str(clock.today() + timedelta(days=19))
    )
    with make.acting(read_only=True):
        finding = session().scalars(select(Finding.id)).one()
    assert "FND-01" in as_officer.get("evidence/type-ii/findings").text
    tried = {
        "tested_on": str(clock.today()),
        "sample": "10",
        "failed": "0",
        "note": "Ten releases, all signed",
    }
    early = as_auditor.post(f"evidence/type-ii/findings/{finding}/retest", then=422, **tried)
    assert "Retest it once it is reported as fixed." in early.text
    as_contributor.post(f"evidence/type-ii/findings/{finding}/remedy", remedy="The switch is gone")
    as_contributor.post(f"evidence/type-ii/findings/{finding}/retest", then=403, **tried)
    shown = as_auditor.post(
        f"evidence/type-ii/findings/{finding}/retest",
        follow=True,
        **tried | {"failed": "1", "note": "One unsigned"},
    )
    assert "stays open" in shown.text and status_word(control)[0] == "1 of 10 failed"
    as_contributor.post(f"evidence/type-ii/findings/{finding}/remedy", remedy="Now it is")
    shown = as_auditor.post(f"evidence/type-ii/findings/{finding}/retest", follow=True, **tried)
    assert "Closed, retest passed" in shown.text and "FND-01 is closed" in shown.text
    assert status_word(control)[1].failed == 0
    assert [e.facts["closed"] for e in entries_of_action("finding.retested")] == [False, True]
    assert "EXC-01" in as_auditor.get("evidence/type-ii/exceptions").text


def test_who_fixed_it_does_not_retest_it(as_officer):
    _, _, exception = type2_helpers.create_failed_sample()
    with make.acting():
        held = exception_queries.exception(exception)
        found = exception_actions.raise_finding(
            held, title="T", plan="P", owner_id=make.person_id("contributor"), due_on=clock.today()
        )
        exception_actions.report_fixed(found, "Done")
        finding = found.id
    tried = {"tested_on": str(clock.today()), "sample": "10", "failed": "0", "note": "Tried"}
    assert (
        "so another person retests it"
        in as_officer.post(f"evidence/type-ii/findings/{finding}/retest", then=403, **tried).text
    )


def test_telling_again_that_it_is_fixed_does_not_make_somebody_else_of_who_fixed_it(as_officer):
    """Otherwise the person who fixed it could close it, as soon as a second person sent a form that was
    left open.
    """
    _, _, exception = type2_helpers.create_failed_sample()
    with make.acting():
        held = exception_queries.exception(exception)
        found = exception_actions.raise_finding(
            held, title="T", plan="P", owner_id=make.person_id("contributor"), due_on=clock.today()
        )
        exception_actions.report_fixed(found, "Done")
        exception_actions.report_fixed(found, "Done")  # a double click
        finding = found.id
    assert [e.facts["ref"] for e in entries_of_action("finding.remediated")] == ["FND-01"]
    with make.acting("admin"):
        found, _ = exception_queries.finding(finding, lock=True)
        with pytest.raises(DomainError, match="already reported as fixed"):
            exception_actions.report_fixed(found, "Done, I hear")
    tried = {"tested_on": str(clock.today()), "sample": "10", "failed": "0", "note": "Tried"}
    assert (
        "so another person retests it"
        in as_officer.post(f"evidence/type-ii/findings/{finding}/retest", then=403, **tried).text
    )


def test_exceptions_and_hand_recorded_tests_share_one_row_of_numbers(acting):
    from governance.assurance.controls import control_test_actions

    control = type2_helpers.create_control("GOV-01", "yearly")
    with acting():
        test = control_test_actions.record_test(
            control_scope.control_in_scope(control),
            tested_on=clock.today(),
            sample=4,
            failed=1,
            finding="One was missing",
        )
        assert test.finding_ref == "EXC-01"
    type2_helpers.create_failed_sample()
    with acting():
        assert session().scalars(select(TestException.ref)).one() == "EXC-02"


# ---- the engagement's scope


def test_an_auditor_tests_only_within_his_engagement(as_auditor, monkeypatch):
    inside, outside = (
        type2_helpers.freeze_population(type2_helpers.create_control()),
        type2_helpers.freeze_population(type2_helpers.create_control("SEC-08")),
    )
    with make.acting(read_only=True):
        mine = population_queries.population(inside).control_id
    held = visibility_scope.Scope(
        frozenset([mine]), clock.today() - timedelta(days=364), clock.today()
    )
    monkeypatch.setattr(
        visibility_scope.scope_finder,
        "_answer",
        lambda who: held if who.role == "auditor" else None,
    )
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
    monkeypatch.setattr(
        visibility_scope.scope_finder,
        "_answer",
        lambda who: closed if who.role == "auditor" else None,
    )
    as_auditor.post(f"evidence/type-ii/populations/{inside}/samples", then=403, attributes="Signed")


# ---- the matrix


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
    assert len(many) == len(few) <= 14


def test_another_tenants_things_are_not_there(as_stranger, as_neighbour):
    control, sample, exception = type2_helpers.create_failed_sample()
    for visitor in (as_stranger, as_neighbour):
        for path in (f"{control}", f"samples/{sample}", f"exceptions/{exception}"):
            visitor.get(f"evidence/type-ii/{path}", then=404)
