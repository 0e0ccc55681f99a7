"""Strangers' workbooks: their content is read, and costly ones are rejected without a crash."""

import io
import re
import zipfile
from datetime import date

import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from governance.assurance.engagements.requests import parsing as request_import
from governance.assurance.testing import population_import
from governance.kernel.errors import DomainError, Invalid
from governance.kernel.files import spreadsheet_reader
from governance.kernel.files.spreadsheet_reader import Formula, first_sheet, ref
from tests.hypothesis_profiles import examples
from tests.peak_memory import peak_of

NS = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
WORKBOOK = (
    f"<workbook {NS}"
    ' xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><workbookPr{}/><sheets><sheet'
    ' name="S" sheetId="1" r:id="rId1"/></sheets></workbook>'
)
LINKS = (
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="rId1" Target="worksheets/sheet1.xml"/></Relationships>'
)
MB = 1024**2


def make_workbook(rows, *, strings="", styles="", properties="", after="", **parts):
    """Return a workbook with handwritten parts. `rows` is the content of sheetData."""
    out = io.BytesIO()
    held = {
        "xl/workbook.xml": WORKBOOK.format(properties),
        "xl/_rels/workbook.xml.rels": LINKS,
        "xl/worksheets/sheet1.xml": (
            f"<worksheet {NS}><sheetData>{rows}</sheetData>{after}</worksheet>"
        ),
        "xl/sharedStrings.xml": f"<sst {NS}>{strings}</sst>",
        "xl/styles.xml": f"<styleSheet {NS}>{styles}</styleSheet>",
    } | parts
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in held.items():
            archive.writestr(name, text)
    return out.getvalue()


def text(where, value):
    return f'<c r="{where}" t="inlineStr"><is><t>{value}</t></is></c>'


def read(content, rows=100, columns=10):
    return first_sheet(content, "a.xlsx", rows=rows, columns=columns)


def as_population(content):
    return population_import.read_population(io.BytesIO(content), "a.xlsx")


BOTH = [request_import.read, as_population]
READERS = pytest.mark.parametrize("reader", BOTH, ids=["requests", "population"])
HEAD = (
    f'<row r="1">{text("A1", "Request")}{text("B1", "id")}</row><row'
    f' r="2">{text("A2", "One")}{text("B2", "1")}</row>'
)


def refusal_of(reader, content):
    """Return the reader's result, or the message of its error."""
    try:
        return reader(content)
    except Invalid as refusal:
        return refusal.message


# ---- content


def test_each_kind_of_cell_is_told_as_the_text_that_it_shows():
    strings = (
        "<si><t>plain</t></si><si><r><t>rich </t></r><r><t>text</t></r><rPh><t>aid</t></rPh></si>"
    )
    styles = (
        '<numFmts><numFmt numFmtId="164" formatCode="[Red]0&quot; days&quot;"/><numFmt'
        ' numFmtId="165" formatCode="dd/mm/yyyy"/></numFmts><cellStyleXfs><xf'
        ' numFmtId="14"/></cellStyleXfs><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf'
        ' numFmtId="164"/><xf numFmtId="165"/></cellXfs>'
    )
    cells = (
        '<c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c><c r="C1"><v>7</v></c><c'
        ' r="D1"><v>7.0</v></c><c r="E1" s="1"><v>46357</v></c><c r="F1" s="2"><v>46357</v></c><c'
        ' r="G1" s="3"><v>46357.5</v></c><c r="H1" t="b"><v>1</v></c><c r="I1"'
        ' t="d"><v>2026-12-01T00:00:00</v></c><c r="J1" t="str"><f>A1&amp;B1</f><v>x</v></c><c'
        ' r="K1" s="1"><v>1e300</v></c>'
    )
    ((number, found),) = read(
        make_workbook(f'<row r="1">{cells}</row>', strings=strings, styles=styles), columns=11
    ).rows
    assert (number, found[:5]) == (1, ["plain", "rich text", "7", "7", "2026-12-01"])
    assert found[5:] == ["46357", "2026-12-01", "yes", "2026-12-01", "=A1&B1", "1e300"]
    assert isinstance(found[9], Formula)


def test_days_are_counted_from_1904_where_the_workbook_says_so():
    content = make_workbook(
        '<row><c s="0"><v>0</v></c></row>',
        styles='<cellXfs><xf numFmtId="14"/></cellXfs>',
        properties=' date1904="1"',
    )
    assert read(content).rows == [(1, ["1904-01-01"])]


def test_rows_keep_their_numbers_and_empty_ones_are_left_out():
    content = make_workbook(
        f'<row r="3"/><row r="5">{text("B5", "x")}<c r="ZZ5" s="1"/></row><row'
        f' r="1048576">{text("A1048576", "y")}</row>'
    )
    assert read(content).rows == [(5, ["", "x"]), (1048576, ["y"])]


def test_the_first_sheet_that_is_shown_and_holds_something_is_read():
    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as made:
        made.add_worksheet("Empty")
        hidden, shown = made.add_worksheet("Hidden"), made.add_worksheet("Shown")
        hidden.write(0, 0, "hidden")
        hidden.hide()
        shown.write(0, 0, "shown")
    assert read(out.getvalue()).rows == [(1, ["shown"])]


def test_merged_cells_are_told_and_a_sheet_of_nothing_has_no_rows():
    (merged,) = read(
        make_workbook("", after='<mergeCells><mergeCell ref="B2:C9"/></mergeCells>')
    ).merged
    assert (merged.top, merged.left, merged.bottom, merged.right) == (2, 1, 9, 2)


@given(st.integers(1, 1_048_576), st.integers(0, 16_383))
def test_a_cell_is_called_as_a_spreadsheet_calls_it(row, column):
    assert spreadsheet_reader._place(ref(row, column)) == (row, column)


@settings(max_examples=examples(40))
@given(
    st.lists(
        st.lists(
            st.text(st.characters(codec="utf-8", exclude_categories=["C"]), max_size=8), max_size=5
        ),
        max_size=8,
    )
)
def test_what_a_writer_wrote_is_read(rows):
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as made:
        sheet = made.add_worksheet()
        for n, row in enumerate(rows):
            for column, value in enumerate(row):
                sheet.write_string(n, column, value)
    found = dict(read(out.getvalue()).rows)
    for n, row in enumerate(rows, 1):
        shown = [value if value.strip() else "" for value in row]
        assert found.get(n, [])[: len(row)] == shown[: len(found.get(n, []))]
        assert any(shown) == (n in found)


# ---- both readers of workbooks


@READERS
def test_two_cells_at_the_corners_of_the_sheet_make_no_room_for_those_between(reader):
    far = f'{HEAD}<row r="1048576">{text("XFD1048576", "far")}</row>'
    says, more = peak_of(refusal_of, reader, make_workbook(far))
    assert "more than 60 columns: cell XFD1048576 has a value" in says
    assert more < 50


@pytest.mark.slow
@READERS
def test_fifty_thousand_rows_are_read_and_one_more_is_not(reader):
    def of(count):
        rows = "".join(
            f'<row r="{n}">{text(f"A{n}", f"r{n}")}{text(f"B{n}", n)}</row>'
            for n in range(2, count + 2)
        )
        return make_workbook(f'<row r="1">{text("A1", "Request")}{text("B1", "id")}</row>{rows}')

    assert len(reader(of(50_000)).rows) == 50_000
    with pytest.raises(Invalid, match="more than 50,000 rows"):
        reader(of(50_030))


def test_formulas_and_merged_cells_mean_what_each_reader_says():
    formula = make_workbook(
        f'{HEAD}<row r="3"><c r="A3"><f>1+1</f><v>2</v></c>{text("B3", "2")}</row>'
    )
    merged = make_workbook(
        f'{HEAD}<row r="3">{text("B3", "2")}</row>',
        after='<mergeCells><mergeCell ref="A2:A3"/></mergeCells>',
    )
    assert [r.title for r in request_import.read(formula).rows] == ["One", "=1+1"]
    assert [(r.title, r.ref) for r in request_import.read(merged).rows] == [
        ("One", "1"),
        ("One", "2"),
    ]
    for content, says in ((formula, "cell A3 has a formula"), (merged, "A2:A3 are merged")):
        with pytest.raises(Invalid, match=says):
            as_population(content)


@pytest.mark.slow
@READERS
def test_a_part_that_unpacks_to_more_than_it_may_is_refused_while_it_unpacks(reader):
    """Reject 143 kB of empty texts, which took 1.7 GB and a minute."""
    for part in ("xl/sharedStrings.xml", "xl/styles.xml"):
        open_, close = f"<x {NS}>".encode(), b"</x>"
        bomb = open_ + (b"<si/>" if "Strings" in part else b"<xf/>") * (20 * MB) + close
        workbook = make_workbook(HEAD, **{part: bomb})
        says, more = peak_of(refusal_of, reader, workbook)
        assert "contains more than" in says or "unpacks to more than 32 MB" in says
        assert more < 60


@pytest.mark.parametrize(
    ("limit", "value", "content", "says"),
    [
        ("MAX_STRINGS", 3, make_workbook(HEAD, strings="<si/>" * 4), "more than 3 texts"),
        (
            "MAX_PART_BYTES",
            500,
            make_workbook(HEAD, strings="<si><t>aaaa</t></si>" * 40),
            "unpacks to more than 0 MB in sharedStrings.xml",
        ),
        (
            "MAX_PART_BYTES",
            500,
            make_workbook(HEAD, styles="<xf/>" * 200),
            "unpacks to more than 0 MB in styles.xml",
        ),
        (
            "MAX_SHEETS_BYTES",
            500,
            make_workbook(HEAD * 3),
            "unpacks to more than 0 MB in sheet1.xml",
        ),
        ("MAX_CELLS", 3, make_workbook(HEAD), "more than 3 cells"),
        ("MAX_TAGS", 9, make_workbook(HEAD), "more than Meridian can read"),
        ("MAX_STYLE_TAGS", 9, make_workbook(HEAD, styles="<xf/>" * 9), "more than Meridian can"),
        ("MAX_TEXT_LENGTH", 12, make_workbook(HEAD), "characters"),
        ("MAX_CELL_LENGTH", 6, make_workbook(HEAD), "characters in one cell"),
        (
            "MAX_MERGED_RANGES",
            1,
            make_workbook(HEAD, after='<mergeCell ref="A1:A2"/>' * 2),
            "more than 1 merged cells",
        ),
        (
            "MAX_TEXT_LENGTH",
            30,
            make_workbook(
                '<row><c t="s"><v>0</v></c><c t="s"><v>0</v></c></row>',
                strings=f"<si><t>{'x' * 20}</t></si>",
            ),
            "characters",
        ),
    ],
)
def test_every_bound_is_kept(monkeypatch, limit, value, content, says):
    """Test each limit. In the last case one text that many cells share counts for each of them."""
    monkeypatch.setattr(spreadsheet_reader, limit, value)
    with pytest.raises(Invalid, match=says):
        read(content)


def test_merging_the_same_cells_again_and_again_is_refused():
    rows = "".join(
        f'<row r="{n}">{text(f"A{n}", "Request" if n == 1 else "x")}</row>' for n in range(1, 2000)
    )
    content = make_workbook(rows, after='<mergeCell ref="A2:A1999"/>' * 9000)
    with pytest.raises(Invalid, match="merges more than"):
        request_import.read(content)


BILLION_LAUGHS = (
    f'<!DOCTYPE x [<!ENTITY a "aaaa">]><worksheet {NS}><sheetData>&a;</sheetData></worksheet>'
)


@READERS
@pytest.mark.parametrize(
    "content",
    [
        b"PK",
        b"PK\x03\x04",
        make_workbook(HEAD)[:-60],
        make_workbook(HEAD, **{"xl/workbook.xml": "<a>"}),
        make_workbook(HEAD, **{"xl/worksheets/sheet1.xml": BILLION_LAUGHS}),
        make_workbook("<row r='-1'/>"),
        make_workbook("<row r='2'/><row r='1'/>"),
        make_workbook("<row r='x'/>"),
        make_workbook("<row r='" + "9" * 5000 + "'/>"),
        make_workbook("<row><c t='s'><v>9</v></c></row>"),
        make_workbook("<row><c t='s'><v>-1</v></c></row>"),
        make_workbook("<row><c r='AAAA1'/></row>"),
        make_workbook("<row><c s='x'><v>1</v></c></row>"),
        make_workbook(HEAD, after="<mergeCell ref='A1:x'/>"),
        make_workbook(HEAD, after="<mergeCell/>"),
        make_workbook(HEAD, styles="<cellXfs><xf numFmtId='x'/></cellXfs>"),
        make_workbook(HEAD, **{"xl/_rels/workbook.xml.rels": "<a/>"}),
        make_workbook(HEAD, **{"xl/worksheets/sheet1.xml": "<a>" * 30_000}),
        make_workbook(HEAD, **{"xl/worksheets/sheet1.xml": b"\xff\xfe\x00"}),
    ],
)
def test_a_workbook_that_is_bent_is_refused_and_nothing_falls_over(reader, content):
    with pytest.raises(DomainError):
        reader(content)


@pytest.mark.parametrize("reader", BOTH)
def test_parts_that_share_their_bytes_are_refused(reader):
    content = bytearray(make_workbook(HEAD))
    listed = [found.start() for found in re.finditer(b"PK\\x01\\x02", content)]
    workbook = next(at for at in listed if content[at + 46 :].startswith(b"xl/workbook.xml"))
    other = next(at for at in listed if at != workbook)
    content[other + 42 : other + 46] = content[workbook + 42 : workbook + 46]
    with pytest.raises(DomainError):
        reader(bytes(content))


@settings(max_examples=examples(80))
@given(st.data())
def test_whatever_byte_is_bent_it_is_a_table_or_a_refusal(data):
    content = bytearray(
        make_workbook(
            HEAD, strings="<si><t>a</t></si>", styles='<cellXfs><xf numFmtId="14"/></cellXfs>'
        )
    )
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    for reader in BOTH:
        try:
            reader(bytes(content))
        except DomainError:
            continue


def test_other_ways_to_pack_are_refused():
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(make_workbook(HEAD))) as source,
        zipfile.ZipFile(out, "w", zipfile.ZIP_LZMA) as target,
    ):
        for name in source.namelist():
            target.writestr(name, source.read(name))
    with pytest.raises(Invalid, match="isn't an XLSX"):
        read(out.getvalue())


def test_a_day_as_excel_keeps_it_is_a_due_date():
    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as made:
        sheet = made.add_worksheet()
        sheet.write_row(0, 0, ["Request", "Due"])
        sheet.write(1, 0, "One")
        sheet.write_datetime(1, 1, date(2026, 12, 1), made.add_format({"num_format": "d mmm yyyy"}))
    assert [r.due_on for r in request_import.read(out.getvalue()).rows] == [date(2026, 12, 1)]
