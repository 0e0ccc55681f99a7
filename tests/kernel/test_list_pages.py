"""The addresses of a declared list: pure, except for those that it builds."""

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from governance.kernel.errors import Invalid
from governance.kernel.pages import list_pages
from governance.kernel.pages.list_pages import (
    Column,
    Export,
    Filter,
    ListPage,
    arrange,
    keep,
    one_page,
)
from tests import faults

COLUMNS = (
    Column("name", "Name", sort=True),
    Column("size", "Size", sort=True, optional=True),
    Column("note", "Note", extra=True),
)
FILTERS = (
    Filter("kind", "Kind", (("a", "Apple"), ("b", "Berry"))),
    Filter("tier", "Tier", (("low", "Low"),), unknown="ignored"),
    Filter("year", "Year", (("2026", "2026"),), unknown="rejected"),
    Filter("scope", "Scope", (("all", "All"), ("own", "Own")), cleared="all"),
)


@pytest.fixture
def fruit():
    with faults.restored(list_pages.declared):
        yield ListPage(
            name="fruit",
            title="Fruit",
            noun="fruit",
            endpoint="fruit",
            columns=COLUMNS,
            filters=FILTERS,
            search="Search",
            sort="name",
            size=2,
            carried=("as_of",),
            exports=(Export("csv", "file", {}, {"kind": "a"}),),
        )


@pytest.fixture
def site():
    app = Flask(__name__)
    app.add_url_rule("/fruit", "fruit", lambda: "")
    app.add_url_rule("/fruit.csv", "file", lambda: "")
    with app.test_request_context():
        yield app


def read(listed: ListPage, query: str, **more):
    with Flask(__name__).test_request_context(f"/?{query}"):
        return listed.read(**more)


def test_what_is_given_is_read_and_what_is_default_is_left_out(fruit, site):
    asked = read(fruit, "kind=a&q=+red+&sort=-size&after=x&other=1&as_of=2026-01-01")
    assert asked.criteria == {"kind": "a", "q": "red"} and asked.after == "x"
    assert (asked.column, asked.is_descending) == ("size", True)
    assert asked.query == {"q": "red", "kind": "a", "sort": "-size"}
    assert asked.address() == "/fruit?as_of=2026-01-01&q=red&kind=a&sort=-size"
    assert read(fruit, "sort=name").query == {}


def test_unknown_values_do_what_the_filter_says(fruit):
    assert read(fruit, "kind=zebra").filters == {"kind": "zebra"}
    assert read(fruit, "tier=zebra").filters == {}
    with pytest.raises(Invalid, match="Year can be 2026"):
        read(fruit, "year=1999")


@pytest.mark.parametrize("sort", ["note", "-", "--name", "password", "-note"])
def test_a_list_is_sorted_by_its_columns_only(fruit, sort):
    with pytest.raises(Invalid):
        read(fruit, f"sort={sort}")


def test_chips_lead_to_the_list_without_them(fruit, site):
    asked = read(fruit, "kind=a&q=red&scope=own&after=x", defaults={"scope": "own"})
    assert [(chip["label"], chip["value"], chip["href"]) for chip in asked.chips] == [
        ("Search", "red", "/fruit?kind=a&scope=own"),
        ("Kind", "Apple", "/fruit?q=red&scope=own"),
        ("Scope", "Own", "/fruit?q=red&kind=a&scope=all"),
    ]
    assert asked.clear == "/fruit?scope=all"
    assert [
        chip["label"] for chip in read(fruit, "scope=all", defaults={"scope": "own"}).chips
    ] == []


@pytest.mark.parametrize(
    ("query", "shown", "words"),
    [
        ("", ["name", "size"], ""),
        ("columns=note", ["name", "note"], "note"),
        ("columns=size&columns=note", ["name", "size", "note"], "size,note"),
        ("columns=none", ["name"], "none"),
        ("columns=none&columns=size", ["name", "size"], ""),
        ("columns=name", ["name", "size"], ""),
        ("columns=password", ["name", "size"], ""),
    ],
)
def test_columns_follow_the_address(fruit, query, shown, words):
    asked = read(fruit, query)
    assert [column.name for column in asked.columns] == shown and asked.query.get(
        "columns", ""
    ) == words


def test_heads_sort_and_turn_round(fruit, site):
    name, size, note = COLUMNS
    asked = read(fruit, "kind=a")
    assert (
        asked.sort_address(name) == "/fruit?kind=a&sort=-name"
        and asked.sorted_by(name) == "ascending"
    )
    assert asked.sort_address(size) == "/fruit?kind=a&sort=size" and asked.sorted_by(size) is None
    assert asked.sort_address(note) is None
    assert read(fruit, "sort=-name").sort_address(name) == "/fruit"


def test_a_form_sends_along_what_it_does_not_have(fruit):
    asked = read(fruit, "kind=a&q=red&sort=size&columns=note&as_of=2026-01-01")
    assert asked.hidden("q", "kind") == {"sort": "size", "columns": "note", "as_of": "2026-01-01"}


def test_exports_ask_for_what_is_filtered(fruit, site):
    assert read(fruit, "q=red&columns=note").exports == [("csv", "/fruit.csv?kind=a&q=red")]
    assert read(fruit, "kind=b").exports == [("csv", "/fruit.csv?kind=b")]


def test_a_declaration_that_contradicts_itself_stops_the_start(fruit):
    with pytest.raises(ValueError, match="declared twice"):
        ListPage(name="fruit", title="", noun="", endpoint="", columns=COLUMNS)
    with pytest.raises(ValueError, match="names a part of its address twice"):
        ListPage(
            name="other",
            title="",
            noun="",
            endpoint="",
            columns=COLUMNS,
            filters=(Filter("sort", "Sort"),),
        )
    with pytest.raises(ValueError, match="can't be sorted"):
        ListPage(name="third", title="", noun="", endpoint="", columns=COLUMNS, sort="note")
    with pytest.raises(ValueError, match="needs both a place and a way to find it"):
        ListPage(name="fourth", title="", noun="", endpoint="", columns=COLUMNS, place=("key",))


ROWS = ["apple", "berry", "cherry", "date", "elder"]


def test_rows_in_memory_are_filtered_ordered_and_paged(fruit):
    tests = {"kind": lambda row, value: row.startswith(value)}
    assert keep(ROWS, read(fruit, "kind=a"), tests, str) == ["apple"]
    assert keep(ROWS, read(fruit, "q=ER+RR"), tests, str) == ["berry", "cherry"]
    assert arrange(ROWS, read(fruit, "sort=-name"), {"name": str})[0] == "elder"
    first = one_page(ROWS, read(fruit, ""), str)
    assert (first.rows, first.next) == (["apple", "berry"], "berry")
    assert one_page(ROWS, read(fruit, "after=date"), str).rows == ["elder"]
    assert one_page(ROWS, read(fruit, "after=gone"), str).rows == ["apple", "berry"]


@given(st.lists(st.text(min_size=1), unique=True, max_size=30))
def test_pages_hold_each_row_once(rows):
    listed = list_pages.declared.get("pages") or ListPage(
        name="pages",
        title="",
        noun="row",
        endpoint="",
        columns=(Column("name", "Name", sort=True),),
        sort="name",
        size=4,
    )
    seen, after = [], None
    while True:
        asked = listed.parse(MultiDict({"after": after} if after else {}))
        page = one_page(rows, asked, str)
        seen += page.rows
        after = page.next
        if after is None:
            break
    assert seen == rows


@given(
    st.dictionaries(
        st.sampled_from(["q", "kind", "tier", "scope", "columns", "as_of"]), st.text(max_size=300)
    )
)
def test_an_address_reads_back_as_itself(given_parts):
    listed = list_pages.declared.get("round") or ListPage(
        name="round",
        title="",
        noun="row",
        endpoint="",
        columns=COLUMNS,
        filters=FILTERS,
        search="Search",
        carried=("as_of",),
    )
    asked = listed.parse(MultiDict(given_parts))
    again = listed.parse(MultiDict({**asked.carried, **asked.query}))
    assert (again.query, again.carried, again.columns) == (
        asked.query,
        asked.carried,
        asked.columns,
    )
    assert all(
        len(value) <= list_pages.MAX_VALUE_LENGTH and "\0" not in value
        for value in asked.filters.values()
    )
