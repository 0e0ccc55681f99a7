"""The usage page: a month of a tenant's requests and tokens, and its files."""

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest
from bs4 import BeautifulSoup

from governance.economics.usage.usage_list import amount
from governance.kernel import clock
from tests.economics.usage.usage_helpers import NOW, Product, at, event, register

INDEX = "economics/"


@pytest.fixture(autouse=True)
def _now():
    with clock.frozen(NOW):
        yield


@pytest.fixture
def product(app, database):
    register()
    register("ad-copywriter")
    return Product(app)


def rows_of(page) -> list[list[str]]:
    table = BeautifulSoup(page.text, "html.parser").select("tr[data-row]")
    return [[" ".join(cell.stripped_strings) for cell in row.select("td")] for row in table]


def test_a_month_without_usage_says_how_it_arrives(as_admin, as_viewer):
    page = as_admin.get(INDEX)
    assert "No usage in November 2026" in page.text and "usage:write" in page.text
    assert "API keys" in BeautifulSoup(page.text, "html.parser").select_one("main").text
    assert "No usage in October 2026" in as_viewer.get(f"{INDEX}?month=2026-10").text


def test_the_month_is_added_up_by_system_and_model(app, product, as_viewer):
    product.send(
        [
            event(1, feature="summaries", provider="anthropic"),
            event(2, feature="summaries", provider="anthropic", outcome="refused"),
            event(3, feature="summaries", provider="anthropic", outcome="failed"),
            event(4, system="ad-copywriter", model="gpt-5", tokens={"input": 50}),
            event(5, at=at(datetime(2026, 10, 31, 12, tzinfo=UTC))),
        ]
    )
    register(slug="globex")
    Product(app, slug="globex").send([event(9, model="theirs")])
    page = as_viewer.get(INDEX)
    assert "2 AI systems used 500 tokens, claims-triage 90% of them" in page.text
    assert "4 requests in November 2026" in page.text and "theirs" not in page.text
    first, second = rows_of(page)
    assert first == [
        "claims-triage summaries",
        "claude-sonnet-4-5 anthropic",
        "3",
        "1",
        "1",
        "29%",
        "450",
    ]
    assert second[:3] == ["ad-copywriter", "gpt-5", "1"] and second[-1] == "50"


def test_the_list_is_sorted_filtered_and_searched(product, as_viewer):
    product.send([event(1, model="one"), event(2, system="ad-copywriter", model="two", tokens=...)])
    assert [row[1] for row in rows_of(as_viewer.get(INDEX))] == ["one", "two"]
    assert [row[1] for row in rows_of(as_viewer.get(f"{INDEX}?sort=tokens"))] == ["two", "one"]
    assert [row[1] for row in rows_of(as_viewer.get(f"{INDEX}?q=tw"))] == ["two"]
    wanted = f"{INDEX}?system={register('ad-copywriter')}"
    assert [row[0] for row in rows_of(as_viewer.get(wanted))] == ["ad-copywriter"]


def test_a_reader_goes_from_month_to_month_as_far_as_there_is_usage(product, as_viewer):
    product.send([event(1), event(2, at=at(NOW - timedelta(days=60)))])
    now = as_viewer.get(INDEX)
    assert "October 2026" in now.text and "December 2026" not in now.text
    first = as_viewer.get(f"{INDEX}?month=2026-09")
    assert "August 2026" not in first.text and len(rows_of(first)) == 1
    for bad in ("2026-13", "soon", "9999-01"):
        as_viewer.get(f"{INDEX}?month={bad}", then=422)


def test_the_files_hold_what_is_filtered(product, as_viewer):
    product.send([event(1, model="one"), event(2, model="two")])
    reply = as_viewer.get("economics/usage.csv?q=one&month=2026-11")
    table = list(csv.DictReader(io.StringIO(reply.data.decode("utf-8-sig"))))
    assert [(row["Model"], row["Requests"], row["Cache read tokens"]) for row in table] == [
        ("one", "1", "40")
    ]
    assert "usage-acme-2026-11.csv" in reply.headers["Content-Disposition"]
    assert as_viewer.get("economics/usage.xlsx").data[:2] == b"PK"


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (0, "0"),
        (999, "999"),
        (1000, "1.0 thousand"),
        (999_999, "999.9 thousand"),
        (41_250_000, "41.2 million"),
        (12_345_678_901, "12.3 billion"),
    ],
)
def test_a_large_amount_is_cut_off_never_rounded_up(number, said):
    assert amount(number) == said
