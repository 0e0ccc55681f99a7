"""Tables as files: a spreadsheet reads the intended values, and runs none of them."""

import csv
import io
import re
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from governance.kernel.files.spreadsheet_writer import DANGEROUS, csv_bytes, harmless, xlsx_bytes
from tests.hypothesis_profiles import examples

FORMULAS = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "=cmd|' /C calc'!A0",
    "＝1",
    "－1",
    "＋1",
    "＠x",
    "\0=1",
]
TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=60)


def read_xlsx(content: bytes):
    return CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()


@pytest.mark.parametrize("formula", FORMULAS)
def test_what_looks_like_a_formula_becomes_text(formula):
    assert harmless(formula) == f"'{formula}"
    rows = list(
        csv.reader(io.StringIO(csv_bytes([formula], [[formula]]).decode("utf-8-sig"), newline=""))
    )
    assert all(cell.startswith("'") for row in rows for cell in row)


@pytest.mark.parametrize("separator", [";", "\t", "\n", "\r\n", "; ", ';"', '";"'])
@pytest.mark.parametrize("formula", ["=1+1", "+1", "-1", "@SUM(A1)", "\uff1d1"])
def test_no_cell_of_another_locale_begins_as_a_formula(formula, separator):
    """Cover locales with a decimal comma, where a spreadsheet splits a CSV file at semicolons."""
    content = csv_bytes(["Ref", "Title"], [["INC-1", f"Outage, again{separator}{formula}"]])
    cells = re.split(r"[;\t\r\n]", content.decode("utf-8-sig"))
    assert not [each for each in cells if each.lstrip(' "').startswith(DANGEROUS)]


def test_text_that_only_contains_such_characters_stays_as_it_is():
    text = "a; b - c; d=1, x@y.example\nnext line"
    [_, row] = csv.reader(io.StringIO(csv_bytes(["Note"], [[text]]).decode("utf-8-sig"), ""))
    assert row == [text]


@pytest.mark.parametrize("formula", [f for f in FORMULAS if f.isprintable()])
def test_xlsx_holds_text_and_no_formula(formula):
    content = xlsx_bytes("Controls", ["Ref", formula], [["AC-1", formula]])
    assert read_xlsx(content) == [["Ref", f"'{formula}"], ["AC-1", f"'{formula}"]]
    import zipfile

    sheet = zipfile.ZipFile(io.BytesIO(content)).read("xl/worksheets/sheet1.xml")
    assert b"<f>" not in sheet


def test_numbers_stay_numbers_and_dates_become_iso():
    row = [
        3,
        -2.5,
        0,
        date(2026, 11, 25),
        datetime(2026, 11, 25, 9, tzinfo=UTC),
        None,
        True,
        float("nan"),
        float("inf"),
        2**60,
    ]
    assert [harmless(c) for c in row] == [
        3,
        -2.5,
        0,
        "2026-11-25",
        "2026-11-25T09:00:00+00:00",
        "",
        "yes",
        "",
        "",
        str(2**60),
    ]
    assert read_xlsx(xlsx_bytes("Numbers", ["a"] * len(row), [row]))[1][:3] == [3, -2.5, 0]


def test_xlsx_has_dates_that_a_spreadsheet_can_calculate_with():
    """Write days as days and moments in UTC. Dates that Excel can't represent stay text."""
    day, ancient = date(2026, 11, 25), date(1899, 12, 31)
    moment = datetime(2026, 11, 25, 9, 30, 15, tzinfo=ZoneInfo("Europe/Berlin"))
    content = xlsx_bytes("Dates", ["a", "b", "c"], [[day, moment, ancient]])
    assert read_xlsx(content)[1] == [day, datetime(2026, 11, 25, 8, 30, 15), "1899-12-31"]
    [_, cells] = openpyxl.load_workbook(io.BytesIO(content)).active.iter_rows()
    assert [cell.is_date for cell in cells] == [True, True, False]
    assert [cell.value for cell in cells[:2]] == [
        datetime(2026, 11, 25),
        datetime(2026, 11, 25, 8, 30, 15),
    ]
    assert "UTC" in cells[1].number_format


@settings(max_examples=examples(20), deadline=None)
@given(st.lists(st.tuples(TEXT, TEXT), max_size=8))
def test_any_text_comes_back(rows):
    shown = [[harmless(a), harmless(b)] for a, b in rows]
    assert (
        list(
            csv.reader(io.StringIO(csv_bytes(["One", "Two"], rows).decode("utf-8-sig"), newline=""))
        )[1:]
        == shown
    )
    back = read_xlsx(xlsx_bytes("Table", ["One", "Two"], rows))[1:]
    assert [[str(c) for c in row] for row in back if any(row)] == [row for row in shown if any(row)]
    assert not any(str(cell).startswith(DANGEROUS) for row in back for cell in row)


@pytest.mark.parametrize("title", ["a" * 60, "Q1/Q2: [draft]*?\\", "'quoted'", "", "///"])
def test_any_title_names_a_sheet(title):
    assert read_xlsx(xlsx_bytes(title, ["One"], [])) == [["One"]]


def test_text_longer_than_a_cell_is_cut_and_not_lost():
    assert len(read_xlsx(xlsx_bytes("Long", ["One"], [["x" * 40_000]]))[1][0]) == 32_767


def test_csv_opens_in_a_spreadsheet():
    content = csv_bytes(["Prüfung", "B"], [['ä,"b"', "two\r\nlines"]])
    assert content.startswith(b"\xef\xbb\xbf") and b"\r\n" in content
    assert content.decode("utf-8-sig") == 'Prüfung,B\r\n"ä,""b""","two\r\nlines"\r\n'
