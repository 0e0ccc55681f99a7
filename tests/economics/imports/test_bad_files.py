"""Files that can't be imported: each gets a reason in a sentence, and writes nothing."""

import io
import random
import zipfile
from datetime import date
from decimal import Decimal

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.economics.imports import kinds
from governance.economics.imports.cells import WrongCell, read_cell
from governance.economics.imports.kinds import Column
from tests.conftest import visitor
from tests.economics.imports.import_helpers import HEADER, INDEX, SPEND, row_of, upload, written

LINE = "acme,2026-10,1,EUR,\n"


@pytest.fixture
def finance(app, database):
    return visitor(app, "operator_finance", "console")


def _workbook() -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
    return held.getvalue()


UNREADABLE = {
    "a workbook": (_workbook(), "is an Excel workbook or another ZIP file"),
    "an old workbook": (b"\xd0\xcf\x11\xe0" + bytes(600), "is an Excel workbook"),
    "an archive": (b"\x1f\x8b\x08" + bytes(20), "is compressed with gzip. Unpack it first."),
    "UTF-16": ((HEADER + LINE).encode("utf-16"), "is UTF-16 text"),
    "UTF-16 without a mark": ((HEADER + LINE).encode("utf-16-le"), "is UTF-16 text"),
    "Latin-1": (
        (HEADER + LINE + "acme,2026-11,1,EUR,für\n").encode("latin-1"),
        "line 3 has a byte of another encoding",
    ),
    "NUL": ((HEADER + LINE + "acme,\0").encode(), "line 3 has a NUL character"),
    "spaces": (b"\xef\xbb\xbf \r\n\n", "has no rows"),
    "a header alone": (HEADER.encode(), "has no rows below its header"),
    "a JSON list": (b'[{"customer": "acme"}]', "is one JSON list"),
    "another column": (HEADER.replace("note", "colour").encode(), "the column “colour” isn"),
    "a column twice": (
        b"customer,month,amount,spend,currency\nacme,2026-10,1,1,EUR\n",
        "the column amount is there twice",
    ),
    "a missing column": (b"customer,month,amount\nacme,2026-10,1\n", "has no column currency"),
    "a million columns": (
        b",".join(b"c%d" % n for n in range(1_000_000)) + b"\n1\n",
        "The file has 1,000,000 columns. The maximum is 200.",
    ),
    "a cut off Parquet file": (b"PAR1" + bytes(400), "is cut off"),
    "a damaged Parquet file": (b"PAR1" + bytes(400) + b"PAR1", "The Parquet file is damaged."),
    "too many rows": (
        (HEADER + LINE * (kinds.MAX_ROWS + 1)).encode(),
        "The file has more than 200,000 rows. Split it.",
    ),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_cannot_be_read_says_why(finance, name):
    content, sentence = UNREADABLE[name]
    page = upload(finance, content)
    row = row_of(page)
    assert row.state == "failed" and sentence in row.problem
    assert "can&#39;t be imported" in finance.get(page).text
    finance.post(f"{page}/apply", then=409)
    assert written() == []


def test_an_empty_file_is_refused_at_once(finance):
    assert "The file is empty" in upload(finance, b"", then=422)


def test_garbage_is_refused(finance):
    row = row_of(upload(finance, random.Random(1).randbytes(10_000_000)))
    assert row.state == "failed" and row.problem


REJECTED = {
    "too few cells": ("acme,2026-10", "", "The row has 2 cells and the header has 5."),
    "too many cells": ("acme,2026-10,1,EUR,,", "", "The row has 6 cells"),
    "an open quote": ('acme,2026-10,1,EUR,"a', "", "A quote opens in this row and never closes"),
    "text behind a quote": ('acme,2026-10,1,EUR,"a" b', "", "followed by more text"),
    "an Excel date": ("acme,46327,1,EUR,", "month", "46327 is a day as Excel counts it."),
    "an ambiguous date": ("acme,03/04/2026,1,EUR,", "month", "can mean two different days"),
    "a formula": ('acme,2026-10,1,EUR,"=1+1"', "note", "looks like a formula"),
    "a function": ("acme,2026-10,1,EUR,@SUM(A1)", "note", "looks like a formula"),
    "an exponent": ("acme,2026-10,1e999999,EUR,", "amount", "has an exponent"),
    "400 digits": (f"acme,2026-10,{'9' * 400},EUR,", "amount", "isn't an amount of up to 12"),
    "thousands": ('acme,2026-10,"1,234.50",EUR,', "amount", "can mean two different numbers"),
    "a negative amount": ("acme,2026-10,-1,EUR,", "amount", "The amount is negative."),
    "NaN": ("acme,2026-10,NaN,EUR,", "amount", "isn't an amount"),
    "no currency": ("acme,2026-10,1,euro,", "currency", "isn't a currency"),
    "an empty cell": (",2026-10,1,EUR,", "customer", "The cell is empty."),
    "the operator": ("console,2026-10,1,EUR,", "customer", "No customer has the slug"),
    "a month that isn't": ("acme,2026-13,1,EUR,", "month", "isn't a month"),
    "a month of long ago": ("acme,1887-01,1,EUR,", "month", "from 2000 to 2100"),
    "a long text": (f"acme,2026-10,1,EUR,{'a' * 21}", "note", "The text has 21 characters"),
    "a line break": ('acme,2026-10,1,EUR,"a\nb"', "note", "has a line break"),
}


@pytest.mark.parametrize("name", REJECTED)
def test_a_row_that_is_wrong_is_named_with_line_field_and_reason(finance, name):
    wrong, field, reason = REJECTED[name]
    row = row_of(upload(finance, HEADER + "globex,2026-01,1,EUR,\n\n" + wrong + "\n"))
    assert row.state == "ready" and row.rows_accepted == 1 and row.rows_rejected == 1
    assert row.rejected[0][:2] == [4, field] and reason in row.rejected[0][2]


def test_lines_are_those_of_the_file_behind_a_quoted_line_break(finance):
    text = HEADER + 'acme,2026-10,1,EUR,"a\nb"\nnobody,2026-10,1,EUR,\n'
    assert [each[0] for each in row_of(upload(finance, text)).rejected] == [2, 4]


ACCEPTED = {
    "a byte order mark": b"\xef\xbb\xbf" + (HEADER + LINE).encode(),
    "mixed line ends": (HEADER + "acme,2026-10,1,EUR,\r\nacme,2026-11,1,EUR,\r").encode(),
    "no last line end": (HEADER + LINE.strip()).encode(),
    "semicolons": (HEADER + LINE).replace(",", ";").encode(),
    "tabs": (HEADER + LINE).replace(",", "\t").encode(),
    "another header": b"Customer,MONTH,Spend,currency\nacme,2026-10-01,1,EUR\n",
    "empty lines": (HEADER + "\n,,,,\n" + LINE).encode(),
    "JSON Lines": b'{"customer": "acme", "month": "2026-10", "amount": 1.50, "currency": "EUR"}\n\n',
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_harmless_differences_are_accepted(finance, name):
    row = row_of(upload(finance, ACCEPTED[name]))
    assert (row.state, row.rejected, row.problem) == ("ready", [], None)
    assert row.rows_accepted >= 1


JSON_LINES = {
    "no JSON": ('{"customer"', "", "The line isn't valid JSON."),
    "no object": ('"acme"', "", "The line isn't a JSON object."),
    "another field": ('{"colour": "red"}', "colour", "Fields are customer"),
    "a number that overflows": (
        '{"customer": "acme", "month": "2026-10", "amount": 1e400, "currency": "EUR"}',
        "amount",
        "has an exponent",
    ),
    "a list in a cell": (
        '{"customer": ["acme"], "month": "2026-10", "amount": 1, "currency": "EUR"}',
        "customer",
        "No customer has the slug",
    ),
    "brackets": ("{" + '"a":[' * 100_000, "", "The line isn't valid JSON."),
}


@pytest.mark.parametrize("name", JSON_LINES)
def test_a_line_of_json_that_is_wrong_is_named(finance, name):
    wrong, field, reason = JSON_LINES[name]
    good = '{"customer": "acme", "month": "2026-10", "amount": 1, "currency": "EUR"}\n'
    row = row_of(upload(finance, good + wrong + "\n", name="a.jsonl"))
    assert row.rejected[0][:2] == [2, field] and reason in row.rejected[0][2]


def _parquet(tmp_path, query: str) -> bytes:
    path = tmp_path / "made.parquet"
    duckdb.execute(f"COPY ({query}) TO '{path}' (FORMAT parquet)")
    return path.read_bytes()


def test_parquet_is_read_with_its_types(finance, tmp_path):
    content = _parquet(
        tmp_path,
        "SELECT 'acme' AS customer, DATE '2026-10-01' AS month, 1.25::DECIMAL(9,2) AS amount,"
        " 'EUR' AS currency",
    )
    row = row_of(upload(finance, content, name="spend.parquet"))
    assert (row.state, row.rejected, row.rows_accepted) == ("ready", [], 1)
    assert row.totals == [
        {"month": "2026-10", "tenant": "acme", "rows": 1, "amounts": {"EUR": "1.25"}}
    ]


def test_a_parquet_bomb_is_refused_by_what_it_declares(finance, tmp_path):
    content = _parquet(
        tmp_path,
        "SELECT 'acme'::ENUM ('acme') AS customer, '2026-10'::ENUM ('2026-10') AS month,"
        " 1 AS amount, 'EUR'::ENUM ('EUR') AS currency FROM range(50_000_000)",
    )
    assert len(content) < 5_000_000
    row = row_of(upload(finance, content, name="spend.parquet"))
    assert row.state == "failed" and "The file has 50,000,000 rows." in row.problem


def test_a_parquet_file_that_unpacks_to_too_much_is_refused(finance, tmp_path):
    content = _parquet(
        tmp_path,
        "SELECT repeat('a', 30_000_000) AS customer, '2026-10' AS month, 1 AS amount,"
        " 'EUR' AS currency FROM range(60)",
    )
    row = row_of(upload(finance, content, name="spend.parquet"))
    assert row.state == "failed" and "unpacks to more than Meridian can read" in row.problem


class Untouched(io.RawIOBase):
    """A body that must not be read."""

    def readable(self) -> bool:
        return True

    def readinto(self, _buffer) -> int:
        raise AssertionError("the body was read")


def _announce(person, size: int) -> int:
    """Return the status for an upload that declares this body size."""
    environ = {
        "wsgi.input": Untouched(),
        "CONTENT_LENGTH": str(size),
        "CONTENT_TYPE": "multipart/form-data; boundary=x",
    }
    return person.client.post(INDEX, environ_overrides=environ).status_code


def test_a_file_over_the_limit_is_refused_before_it_is_read(app, finance):
    assert _announce(finance, kinds.MAX_FILE_BYTES + 10**6) == 413
    assert _announce(finance, kinds.MAX_FILE_BYTES) == 500  # It was read.


def test_only_people_who_import_may_send_large_files(app, database):
    assert _announce(visitor(app, "admin", "acme"), 100 * 1024**2) == 413
    assert _announce(visitor(app, "admin", "globex"), 100 * 1024**2) == 413


def test_a_file_over_the_limit_of_its_kind_is_refused(finance):
    text = upload(finance, HEADER.encode() + b"a" * SPEND.max_bytes, then=413)
    assert "larger than 50 MB" in text


@given(st.text(max_size=40))
def test_any_text_is_a_value_or_has_a_reason(text):
    for kind in ("text", "date", "month", "instant", "whole number", "amount", "currency"):
        try:
            value = read_cell(Column("c", kind, negative=True), text, {})
        except WrongCell as wrong:
            assert str(wrong).endswith((".", "”.")) and len(str(wrong)) < 200
        else:
            assert value is not None
            assert not isinstance(value, Decimal) or abs(value) < 10**12


@given(st.decimals(min_value=0, max_value=10**11, places=4))
def test_every_amount_is_read_exactly(amount):
    assert read_cell(Column("c", "amount"), f"{amount:f}", {}) == amount


@given(st.dates(min_value=date(2000, 1, 1), max_value=date(2100, 12, 31)))
def test_every_day_is_read_exactly(day):
    assert read_cell(Column("c", "date"), day.isoformat(), {}) == day
