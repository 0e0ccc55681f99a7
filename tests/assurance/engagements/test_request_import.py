"""Import of a request list: read, previewed, imported completely, repeatable without change.

Hostile files are rejected.
"""

import io
import zipfile
from datetime import date

import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from governance.assurance.engagements.models import AuditRequest
from governance.assurance.engagements.requests import parsing as request_import
from governance.kernel.data.db import session
from governance.kernel.errors import DomainError, Invalid
from tests import make
from tests.assurance.engagements import engagement_helpers

HEADER = ("Ref", "Request", "Details", "Criteria", "Due date", "Owner")


def make_workbook(*rows, head=HEADER, formulas=(), merged=(), above=()):
    """Return an XLSX file. `formulas` are (cell, text), `merged` a (range, text)."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False}) as workbook:
        sheet, day = (
            workbook.add_worksheet("PBC"),
            workbook.add_format({"num_format": "yyyy-mm-dd"}),
        )
        for number, row in enumerate([*above, head, *rows]):
            for column, value in enumerate(row):
                if isinstance(value, date):
                    sheet.write_datetime(number, column, value, day)
                elif value is not None:
                    sheet.write(number, column, value)
        for cell, text in formulas:
            sheet.write_formula(cell, text, value="worked out")
        for cells, text in merged:
            sheet.merge_range(cells, text)
    return out.getvalue()


ROWS = (
    (
        "A-1",
        "List of members",
        "All of them",
        "CC6.1, CC6.2",
        date(2026, 12, 1),
        "contributor@acme.example",
    ),
    ("A-2", "Change tickets", None, "CC8.1", "2026-12-05", None),
)


# ---- reading, pure


def test_rows_become_requests():
    found = request_import.read(make_workbook(*ROWS))
    assert found.problems == []
    assert [(r.ref, r.title, r.criteria, r.due_on) for r in found.rows] == [
        ("A-1", "List of members", ("CC6.1", "CC6.2"), date(2026, 12, 1)),
        ("A-2", "Change tickets", ("CC8.1",), date(2026, 12, 5)),
    ]


def test_the_head_may_stand_lower_and_be_called_otherwise():
    found = request_import.read(
        make_workbook(
            (7, "Policies"),
            head=("#", "ITEM"),
            above=(("Halden & Co",), (), ("Prepared by client",)),
        )
    )
    assert [(r.line, r.ref, r.title) for r in found.rows] == [(5, "7", "Policies")]


def test_errors_are_listed_by_row_with_a_reason():
    rows = (
        ("A-1", "Fine"),
        ("A-2", None, "Only details"),
        ("A-1", "Twice"),
        ("A-3", "x", None, "CC99.9"),
        ("A-4", "x", None, None, "soon"),
    )
    found = request_import.read(make_workbook(*rows), known=frozenset({"CC6.1"}))
    assert found.problems == [
        (3, "The request is missing"),
        (4, "A-1 is already used in row 2"),
        (5, "CC99.9 isn't a requirement of this engagement's framework"),
        (6, "The due date “soon” isn't a date such as 2026-11-25"),
    ]
    assert [r.ref for r in found.rows] == ["A-1"]


def test_formulas_are_text_and_never_evaluated():
    found = request_import.read(
        make_workbook(
            ("A-1", ""),
            ("A-2", "Fine"),
            formulas=[("B2", '=HYPERLINK("https://x.example","go")'), ("E3", "=TODAY()")],
        )
    )
    assert [r.title for r in found.rows] == ['=HYPERLINK("https://x.example","go")']
    [(line, says)] = found.problems
    assert line == 3 and "is a formula (=TODAY()" in says


def test_a_cell_merged_downwards_counts_for_each_of_its_rows():
    found = request_import.read(
        make_workbook(("A-1", "One"), ("A-2", "Two"), ("A-3", "Three"), merged=[("D2:D4", "CC7.2")])
    )
    assert [r.criteria for r in found.rows] == [("CC7.2",)] * 3


def test_a_heading_merged_across_is_no_request_of_its_own():
    found = request_import.read(
        make_workbook(("A-1", "One"), (), ("A-2", "Two"), merged=[("A3:F3", "Logical access")])
    )
    assert [r.title for r in found.rows] == ["One", "Two"]
    assert found.problems == [(3, "The request is missing")]


def test_fifty_thousand_rows_are_read_and_one_more_is_refused():
    assert (
        len(
            request_import.read(
                make_workbook(*((f"R-{n}", f"Request {n}") for n in range(50_000)))
            ).rows
        )
        == 50_000
    )
    with pytest.raises(Invalid, match="more than 50,000 rows"):
        request_import.read(make_workbook(*((f"R-{n}", "x") for n in range(50_030))))


def test_what_is_no_list_is_refused_in_words():
    for content in (b"", b"PK\x03\x04 cut", b"%PDF-1.7", make_workbook()[:-200], make_workbook()):
        with pytest.raises(DomainError):
            request_import.read(content)
    with pytest.raises(Invalid, match="have no column for the request"):
        request_import.read(make_workbook(("x", "y"), head=("Colour", "Taste")))
    other = io.BytesIO()
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("word/document.xml", "<x/>")
    with pytest.raises(Invalid, match="isn't an XLSX"):
        request_import.read(other.getvalue())


def workbook_with_part(name, content):
    """Return a workbook with one part replaced."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(make_workbook(*ROWS))) as source,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for entry in source.infolist():
            target.writestr(
                entry.filename, content if entry.filename == name else source.read(entry)
            )
        if name not in source.namelist():
            target.writestr(name, content)
    return out.getvalue()


def test_what_no_table_needs_is_never_unpacked():
    assert (
        len(
            request_import.read(
                workbook_with_part("xl/media/image1.bin", b"\0" * (97 * 1024 * 1024))
            ).rows
        )
        == 2
    )


def test_a_row_that_is_merged_and_has_nothing_of_its_own_is_no_request():
    found = request_import.read(
        make_workbook(
            ("A-1", "One"), (), ("A-3", "Three"), merged=[("B2:B3", "One"), ("A2:A3", "A-1")]
        )
    )
    assert [(r.line, r.ref) for r in found.rows] == [
        (2, "A-1"),
        (4, "A-3"),
    ] and found.problems == []


def test_a_document_type_is_refused_before_anything_reads_it():
    laughs = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa">]><worksheet>&a;</worksheet>'
    with pytest.raises(Invalid, match="document type"):
        request_import.read(workbook_with_part("xl/worksheets/sheet1.xml", laughs))


@given(st.binary(max_size=400))
def test_whatever_bytes_come_they_are_a_list_or_a_refusal(content):
    with pytest.raises(DomainError):
        request_import.read(content)


@given(st.lists(st.tuples(st.text(max_size=30), st.text(max_size=30)), min_size=1, max_size=8))
def test_whatever_is_typed_each_row_is_taken_named_or_empty(rows):
    cleaned = [tuple("".join(c for c in text if c.isprintable()) for text in row) for row in rows]
    try:
        found = request_import.read(make_workbook(*cleaned, head=("Ref", "Request")))
    except Invalid:
        assert not any(text.strip() for row in cleaned for text in row)
        return
    assert len({r.ref for r in found.rows}) == len(found.rows)
    assert [request_import.ImportedRequest.from_json(r.as_json) for r in found.rows] == found.rows


# ---- through the front door


def count_requests(acting):
    with acting("admin"):
        return session().scalar(select(func.count()).select_from(AuditRequest))


def send_list(who, engagement, content, name="PBC list.xlsx", then=303):
    return who.post(
        f"engagements/{engagement}/imports/new", then=then, file=(io.BytesIO(content), name)
    )


def test_a_list_is_previewed_first_and_imported_when_confirmed(as_auditor, acting, database):
    engagement = engagement_helpers.world_engagement()
    preview = send_list(as_auditor, engagement, make_workbook(*ROWS)).location
    shown = as_auditor.get(preview).text
    assert "2 requests to add" in shown and "List of members" in shown
    assert count_requests(acting) == 0
    as_auditor.post(preview)
    assert count_requests(acting) == 2
    with acting("admin"):
        owner = session().scalar(select(AuditRequest.owner_id).where(AuditRequest.ref == "A-1"))
    assert owner == make.person_id("contributor")


def test_the_same_file_twice_changes_nothing(as_officer, acting, database):
    engagement = engagement_helpers.world_engagement()
    for _ in range(2):
        preview = send_list(as_officer, engagement, make_workbook(*ROWS)).location
        as_officer.post(preview)
        as_officer.post(preview)
    assert count_requests(acting) == 2
    assert (
        "This list has no new requests"
        in as_officer.get(send_list(as_officer, engagement, make_workbook(*ROWS)).location).text
    )
    other = make_workbook(("A-1", "Another text"), ("A-9", "New"))
    shown = as_officer.get(send_list(as_officer, engagement, other).location).text
    assert "Already in the list, with different text" in shown and "1 request to add" in shown


def test_lines_without_a_ref_are_known_again_too(as_officer, acting, database):
    engagement = engagement_helpers.world_engagement()
    content = make_workbook(("List of members",), ("Change tickets",), head=("Request",))
    for _ in range(2):
        as_officer.post(send_list(as_officer, engagement, content).location)
    assert count_requests(acting) == 2


def test_a_list_with_an_error_is_not_imported(as_officer, acting, database):
    engagement = engagement_helpers.world_engagement()
    preview = send_list(
        as_officer, engagement, make_workbook(*ROWS, ("A-3", None, "no title"))
    ).location
    shown = as_officer.get(preview).text
    assert "1 error to fix" in shown and "The request is missing" in shown
    as_officer.post(preview, then=409)
    assert count_requests(acting) == 0


def test_what_is_no_list_comes_back_with_the_reason_beside_the_field(as_officer, acting, database):
    engagement = engagement_helpers.world_engagement()
    assert "0 bytes" in send_list(as_officer, engagement, b"", then=422).text
    assert "isn&#39;t an XLSX" in send_list(as_officer, engagement, b"PK no", then=422).text
    as_officer.post(f"engagements/{engagement}/imports/new", then=422)


def test_a_name_with_a_path_is_kept_without_it(as_officer, acting, database):
    shown = as_officer.get(
        send_list(
            as_officer,
            engagement_helpers.world_engagement(),
            make_workbook(*ROWS),
            name="../../etc/pass<wd>.xlsx",
        ).location
    ).text
    assert "pass_wd_.xlsx" in shown and "etc" not in shown


@pytest.mark.parametrize("many", [250, pytest.param(2_500, marks=pytest.mark.nightly)])
def test_many_requests_are_one_entry_of_the_log(as_officer, acting, database, many):
    from governance.foundation.audit.models import AuditEntry

    content = make_workbook(*((f"R-{n}", f"Request {n}") for n in range(many)))
    as_officer.post(send_list(as_officer, engagement_helpers.world_engagement(), content).location)
    assert count_requests(acting) == many
    with acting("admin"):
        facts = (
            session()
            .scalars(
                select(AuditEntry.facts).where(
                    AuditEntry.action == "engagement.request_list.imported"
                )
            )
            .all()
        )
    assert [f["added"] for f in facts] == [many]


def test_only_those_who_may_ask_bring_lists(as_contributor, as_viewer, database):
    for who in (as_contributor, as_viewer):
        send_list(who, engagement_helpers.world_engagement(), make_workbook(*ROWS), then=403)
