"""The CSV of a list: every page of the filtered rows, with length and hash, and no formulas."""

import hashlib

from flask import Flask

from governance.kernel.pages.list_export import csv_file, every_page
from governance.kernel.pages.rendering import Keyset

ROWS = [(n, f"row {n}") for n in range(7)]


def three_at_once(after: str | None) -> Keyset:
    start = int(after or 0)
    return Keyset(ROWS[start : start + 3], str(start + 3) if start + 3 < len(ROWS) else None, 3)


def test_every_page_is_read_once():
    assert [row for page in every_page(three_at_once) for row in page] == ROWS


def test_an_empty_list_is_one_empty_page():
    assert list(every_page(lambda _: Keyset((), None, 3))) == [()]


def test_the_file_has_every_row_its_length_and_its_hash():
    with Flask(__name__).test_request_context():
        answer = csv_file("fruit", ("Number", "Name"), every_page(three_at_once))
        content = b"".join(answer.response)
    lines = content.decode("utf-8-sig").splitlines()
    assert lines == ["Number,Name", *(f"{n},{name}" for n, name in ROWS)]
    assert answer.content_length == len(content)
    assert answer.headers["X-Content-SHA256"] == hashlib.sha256(content).hexdigest()
    assert answer.headers["Content-Disposition"] == 'attachment; filename="fruit.csv"'


def test_a_cell_that_looks_like_a_formula_stays_text():
    with Flask(__name__).test_request_context():
        content = b"".join(csv_file("fruit", ("Name",), [[("=1+1",)]]).response)
    assert b"'=1+1" in content
