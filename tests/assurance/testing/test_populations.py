"""Freezing, uploading and downloading populations."""

import io
from datetime import timedelta

import pytest
import xlsxwriter
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from governance.assurance.testing import (
    population_queries,
)
from governance.assurance.testing.models import (
    Population,
    Sample,
)
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.kernel.files.spreadsheet_writer import xlsx_bytes
from governance.kernel.formatting import plural
from tests import make
from tests.assurance.evidence import evidence_helpers
from tests.assurance.testing import type2_helpers
from tests.assurance.testing.form_helpers import count_rows, entries_of_action

FORM = {"title": "Releases", "query": "select * from releases", "run_by": "release register"}


def upload_form(content, name="releases.csv", **more):
    today = clock.today()
    days = {
        "run_on": str(today),
        "period_from": str(today - timedelta(days=364)),
        "period_to": str(today),
    }
    return FORM | days | {"file": (io.BytesIO(content), name)} | more


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
        (b"id,n\n\xff\xfe,1\n", "a.csv", " instead."),
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
