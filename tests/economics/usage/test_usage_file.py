"""The operator's usage files: events of many customers, stored as a batch stores them."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from uuid import UUID

import duckdb
import pytest

from governance.economics.imports import duckdb_files
from governance.economics.usage import file_storing, storing, usage_file, usage_file_child
from governance.economics.usage import usage_file_checks as checks
from governance.economics.usage.usage_file_checks import COLUMNS
from governance.kernel import clock
from tests.conftest import visitor
from tests.economics.imports.import_helpers import INDEX, apply, row_of, upload
from tests.economics.usage.usage_helpers import (
    EACH_STORE,
    NOW,
    SYSTEM,
    Product,
    at,
    days,
    event,
    register,
    stored,
)

KIND = usage_file.USAGE.name
TEXTS = ("feature", "provider", "request", "task", "user")


@pytest.fixture(autouse=True)
def _now():
    with clock.frozen(NOW):
        yield


@pytest.fixture
def finance(app, database):
    register()
    register(slug="globex")
    return visitor(app, "operator_finance", "console")


def row(number: int = 1, tenant: str = "acme", **changed) -> dict[str, object]:
    """Return a row of a CSV file. `...` leaves a field empty."""
    sent = event(number, **changed)
    tokens = sent.pop("tokens", {})
    return {"tenant": tenant, **sent} | {f"{name}_tokens": n for name, n in tokens.items()}


def row_of_event(sent: dict[str, object]) -> dict[str, object]:
    """Return the same event in CSV."""
    return row(0, **({"tokens": ...} | sent))


def table(*rows: dict[str, object], columns=COLUMNS) -> str:
    held = io.StringIO()
    writer = csv.DictWriter(held, columns, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    return held.getvalue()


def lines(*rows: dict[str, object]) -> str:
    return "".join(json.dumps(each) + "\n" for each in rows)


def facts(rows) -> list[tuple]:
    """Return rows of a table without the times of their arrival."""
    return [
        tuple(
            v
            for k, v in each._mapping.items()
            if k not in {"received_at", "changed_at", "tenant_id", "system_id"}
        )
        for each in rows
    ]


EVENTS = [
    event(1, feature="summaries", provider="helio", request="r-1", task="t-1", user="u-1"),
    event(2, outcome="refused", tokens={"output": 5, "reasoning": 7}),
    event(3, at=at(datetime(2026, 10, 31, 12, 30, tzinfo=UTC)), model="gpt-5"),
    event(4, at="2026-11-20T10:00:00.123456+02:00"),
    event(5, tokens=...),
]


@EACH_STORE
def test_a_file_and_the_api_store_the_same_events_and_days(app, finance):
    register(slug="globex")
    Product(app, slug="globex").send(EVENTS)
    page = upload(finance, table(*map(row_of_event, EVENTS)), kind=KIND)
    assert "5 rows are ready: acme, October to November 2026" in finance.get(page).text
    assert stored() == [] and days() == []
    apply(finance, page)
    assert facts(stored()) == facts(stored("globex")) and len(stored()) == 5
    assert facts(days()) == facts(days("globex"))
    assert "New events" in finance.get(page).text


@EACH_STORE
def test_csv_json_lines_and_parquet_store_the_same(finance, tmp_path):
    csv_text = table(*map(row_of_event, EVENTS))
    apply(finance, upload(finance, csv_text, kind=KIND))
    source, target = tmp_path / "a.csv", tmp_path / "a.parquet"
    source.write_text(csv_text.replace("acme,", "globex,"))
    duckdb.execute(
        f"""COPY (SELECT * REPLACE ("at"::TIMESTAMPTZ AS "at") FROM read_csv('{source}'))"""
        f" TO '{target}' (FORMAT parquet)"
    )
    page = upload(finance, target.read_bytes(), "a.parquet", kind=KIND)
    assert row_of(page).rejected == []
    apply(finance, page)
    assert facts(stored()) == facts(stored("globex")) and facts(days()) == facts(days("globex"))
    same = lines(*({"tenant": "acme"} | each for each in EVENTS))
    page = upload(finance, same, "a.jsonl", kind=KIND)
    assert row_of(page).rejected == [] and row_of(page).rows_accepted == 5
    apply(finance, page)
    assert len(stored()) == 5 and row_of(page).notes == [["New events", "0"]]


@EACH_STORE
def test_several_customers_each_get_their_own_and_nothing_of_others(finance, as_viewer):
    text = table(row(1), row(1, "globex", model="theirs"), row(2), row(3, "globex"))
    page = upload(finance, text, kind=KIND)
    assert "4 rows are ready: acme and globex, November 2026" in finance.get(page).text
    apply(finance, page)
    assert [each.event_id for each in stored()] == ["req-1", "req-2"]
    assert [each.model for each in stored("globex")] == ["theirs", "claude-sonnet-4-5"]
    assert "theirs" not in as_viewer.get("economics/").text


@EACH_STORE
def test_the_file_twice_changes_nothing(app, finance):
    text = table(*(row(n) for n in range(1, 40)))
    apply(finance, upload(finance, text, kind=KIND))
    before, counted = stored(), days()
    page = upload(finance, text, kind=KIND)
    assert "This file was applied on" in finance.get(page).text
    longer = upload(finance, text + table(row(40)).split("\n", 1)[1], kind=KIND)
    apply(finance, longer)
    assert row_of(longer).notes == [["New events", "1"]]
    assert len(stored()) == 40 and stored()[:1] == before[:1]
    assert days()[0].requests == counted[0].requests + 1
    Product(app).send([event(n) for n in range(1, 41)])
    assert sum(each.requests for each in days()) == 40


@EACH_STORE
@pytest.mark.parametrize("known", [1, 9])
def test_known_events_among_new_ones_stay_and_the_new_ones_count_once(app, finance, known):
    Product(app).send([event(known)])
    before = stored()
    page = upload(finance, table(*(row(n) for n in range(1, 10)), row(9, "globex")), kind=KIND)
    apply(finance, page)
    assert row_of(page).notes == [["New events", "9"]]
    assert before[0] in stored() and len(stored()) == 9 and len(stored("globex")) == 1
    assert sum(each.requests for each in days()) == 9


@EACH_STORE
def test_a_row_that_is_repeated_counts_once_also_in_another_part(finance, monkeypatch):
    monkeypatch.setattr(file_storing, "PART_BYTES", 400)
    rows = [row(n % 7) for n in range(30)]
    page = upload(finance, table(*rows), kind=KIND)
    assert "23, each counted once" in finance.get(page).text
    apply(finance, page)
    assert len(stored()) == 7 and sum(each.requests for each in days()) == 7


@EACH_STORE
def test_events_older_than_the_remembered_ids_are_known_by_their_instant(app, finance):
    old = row(1, at=at(NOW - timedelta(days=90)))
    apply(finance, upload(finance, table(old), kind=KIND))
    with clock.frozen(NOW + timedelta(days=8)):
        from tests import make

        with make.acting("admin"):
            assert storing.forget_keys() == 1
        finance = visitor(app, "operator_finance", "console")
        page = upload(finance, table(old, row(2)), kind=KIND)
        apply(finance, page)
    assert row_of(page).notes == [["New events", "1"]] and len(stored()) == 2


@EACH_STORE
def test_an_id_that_is_taken_by_another_event_stops_the_whole_file(app, finance):
    Product(app).send([event(3, model="other")])
    page = upload(finance, table(row(1), row(2, "globex"), row(3)), kind=KIND)
    apply(finance, page)
    found = row_of(page)
    assert found.state == "failed" and "Row 3 has the id of an event of Acme" in found.problem
    assert [each.event_id for each in stored()] == ["req-3"] and stored("globex") == []
    assert sum(each.requests for each in days()) == 1


class Killed(Exception):
    """An error that stands for a killed process."""


@EACH_STORE
@pytest.mark.parametrize("number", range(1, 14))
def test_killed_at_any_statement_nothing_is_left_and_a_retry_stores_it_once(
    finance, database, monkeypatch, number
):
    from sqlalchemy import event as events

    monkeypatch.setattr(file_storing, "PART_BYTES", 300)
    page = upload(finance, table(*(row(n) for n in range(1, 9)), row(1, "globex")), kind=KIND)
    count = 0

    def kill(_conn, _cursor, statement, *_rest):
        nonlocal count
        count += "usage_file" in statement or "usage_event" in statement
        if count == number:
            count += 1
            raise Killed

    finance.post(f"{page}/apply")
    events.listen(database.engine, "before_cursor_execute", kill)
    from governance.foundation.people.jobs import actor_of
    from governance.kernel.work import jobs

    jobs.drain(actor_of)
    events.remove(database.engine, "before_cursor_execute", kill)
    if count <= number:
        assert len(stored()) == 8  # The file needs fewer statements.
        return
    assert stored() == [] and stored("globex") == [] and days() == []
    assert row_of(page).state == "applying" and "Failed" in finance.get(page).text
    finance.post(f"{page}/again")
    jobs.drain(actor_of)
    assert len(stored()) == 8 and len(stored("globex")) == 1
    assert row_of(page).state == "applied"


WRONG = {
    "an unknown customer": (row(1, "initech"), "tenant", "“initech”: No customer has this slug."),
    "the operator": (row(1, "console"), "tenant", "No customer has this slug."),
    "no customer": (row(1, ""), "tenant", "Enter tenant."),
    "an unknown system": (row(1, system="nobody"), "system", "no AI system with this slug"),
    "a slug in capitals": (row(1, system="Claims"), "system", "is a slug"),
    "no id": (row(1, id=""), "id", "Enter id."),
    "an address as user": (row(1, user="ana@acme.example"), "user", "is a pseudonym"),
    "another outcome": (row(1, outcome="fine"), "outcome", "outcome is one of success"),
    "no model": (row(1, model=""), "model", "Enter model."),
    "a formula": (row(1, model="=1+1"), "model", "“=1+1”: model has up to"),
    "negative tokens": (row(1, tokens={"input": -1}), "input_tokens", "is negative"),
    "a part of a token": (row(1, tokens={"input": 1.5}), "input_tokens", "a whole number"),
    "too many tokens": (row(1, tokens={"output": 10**9 + 1}), "output_tokens", "is more than"),
    "an overflow": (row(1, tokens={"output": "9" * 400}), "output_tokens", "is more than"),
    "an exponent": (row(1, tokens={"output": "1e999999"}), "output_tokens", "a whole number"),
    "the future": (row(1, at=at(NOW + timedelta(hours=1))), "at", "in the future"),
    "three years ago": (row(1, at="2023-11-25T12:00:00Z"), "at", "older than 400 days"),
    "no zone": (row(1, at="2026-11-25T09:00:00"), "at", "no time zone"),
    "an Excel date": (row(1, at="46327.5"), "at", "Write an instant"),
    "an ambiguous date": (row(1, at="03/04/2026"), "at", "Write an instant"),
}


HARD = [
    "",
    "0",
    "007",
    "999999999",
    "1000000001",
    "1 ",
    "1e3",
    "-1",
    "a",
    "a b",
    "a@b.example",
    "ä",
]
HARD += ["x" * 100, "x" * 101, "A", "refused", "2026-11-25T09:00:00Z", "2026-11-25 09:00", "a\tb"]


def test_a_row_that_is_right_at_first_sight_breaks_no_check():
    good = dict.fromkeys(checks.TOKENS, "'1'") | {
        "tenant_no": "1",
        "system_id": "uuid()",
        "instant": "TIMESTAMPTZ '2026-11-25T09:00:00Z'",
        "broken": "false",
        "strange": "false",
        "tenant": "'acme'",
        **dict.fromkeys(("system", *checks.TEXTS), "'abc'"),
        "outcome": "'success'",
        "at": "'2026-11-25T09:00:00Z'",
    }
    rows = [good]
    for field in (*checks.TEXTS, *checks.TOKENS, "at"):
        rows += [good | {field: f"'{each}'"} for each in HARD]
    alone = {"broken", "strange", "tenant", "system"}  # A missing name has no id either.
    rows += [good | {field: "NULL"} for field in good if field not in alone]
    rows += [good | {field: "true"} for field in ("broken", "strange")]
    rows += [good | {"instant": f"TIMESTAMPTZ '{y}-11-25 00:00Z'"} for y in (2020, 2030)]
    table = ", ".join(f"({', '.join(each.values())})" for each in rows)
    names = ", ".join(map(checks.name, good))
    chain = " OR ".join(f"coalesce({each.when}, false)" for each in checks.CHECKS)
    found = duckdb.execute(
        f"SELECT ({checks.RIGHT}) IS TRUE, {chain} FROM (VALUES {table}) AS t ({names})".replace(
            "$earliest", "TIMESTAMPTZ '2025-11-25 00:00Z'"
        ).replace("$latest", "TIMESTAMPTZ '2026-11-26 00:00Z'")
    ).fetchall()
    assert (True, False) in found and (False, True) in found
    assert (True, True) not in found


@pytest.mark.parametrize("name", WRONG)
def test_a_row_that_is_wrong_is_named_with_line_field_and_reason(finance, name):
    wrong, field, reason = WRONG[name]
    found = row_of(upload(finance, table(row(7), wrong, row(8)), kind=KIND))
    assert (found.rows_read, found.rows_accepted, found.rows_rejected) == (3, 2, 1)
    assert found.rejected[0][:2] == [3, field] and reason in found.rejected[0][2]


def test_the_page_says_how_many_of_very_many_rejected_rows_the_download_has(finance):
    wrong = "acme,id-{},then,claims-triage,one,success\n"
    count = checks.MAX_REJECTED + 2
    head = "tenant,id,at,system,model,outcome\n"
    page = upload(finance, head + "".join(map(wrong.format, range(count))), kind=KIND)
    shown = finance.get(page).text
    assert "The first 500 are shown." in shown and shown.count('data-label="line"') == 500
    assert "The download has the first 100,000 of 100,002" in " ".join(shown.split())
    listed = finance.get(f"{page}/rejected.csv").text.splitlines()
    assert len(listed) == 1 + checks.MAX_REJECTED
    few = finance.get(upload(finance, head + wrong.format(1), kind=KIND)).text
    assert "are shown" not in few and "Download as CSV" in few


def test_the_same_id_with_other_content_is_rejected(finance):
    found = row_of(upload(finance, table(row(1), row(2), row(1, model="x")), kind=KIND))
    assert [each[:2] for each in found.rejected] == [[4, "id"]]
    other = table(row(1), row(1, "globex", model="x"))
    assert row_of(upload(finance, other, kind=KIND)).rejected == []


def test_lines_are_those_of_the_file_whatever_is_between(finance):
    text = table(row(1))
    text += "acme,too,few\n\n" + table(row(2, model='a "b"\nc')).split("\n", 1)[1]
    text += table(row(3, "initech")).split("\n", 1)[1]
    found = row_of(upload(finance, text, kind=KIND))
    assert [each[0] for each in found.rejected] == [3, 5, 7]
    assert (found.rows_read, found.rows_rejected) == (4, 3)


def test_json_lines_are_named_too(finance):
    good = {"tenant": "acme"} | event(1)
    text = (
        lines(good)
        + "nope\n\n"
        + lines(good | {"id": "b", "colour": 1}, good | {"id": "c", "tokens": {"in": 1}}, [1])
    )
    found = row_of(upload(finance, text, "a.jsonl", kind=KIND))
    assert [each[0] for each in found.rejected] == [2, 4, 5, 6]
    assert found.rows_read == 5


UNREADABLE = {
    "an open quote": (table(row(1)) + 'acme,"a\n', "A quote opens and never closes."),
    "another column": (table(row(1), columns=(*COLUMNS[:-1], "cost")), "The column “cost” isn"),
    "a missing column": (table(row(1), columns=COLUMNS[1:]), "has no column tenant"),
    "a million columns": (",".join(f"c{n}" for n in range(1_000_000)) + "\n1\n", "columns"),
    "a header alone": (table(), "has no rows"),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_cannot_be_read_says_why(finance, name):
    text, sentence = UNREADABLE[name]
    found = row_of(upload(finance, text, kind=KIND))
    assert found.state == "failed" and sentence in found.problem


def test_a_parquet_bomb_is_refused(finance, tmp_path):
    target = tmp_path / "a.parquet"
    values = {"tenant": "acme", "id": "a", "at": at(NOW), "system": SYSTEM, "model": "m"}
    # The file's columns are text: DuckDB writes enumerations ten times as fast.
    written = ", ".join(
        f"""'{value}'::ENUM ('{value}') AS "{name}\""""
        for name, value in (values | {"outcome": "success"}).items()
    )
    duckdb.execute(f"COPY (SELECT {written} FROM range(60_000_000)) TO '{target}' (FORMAT parquet)")
    found = row_of(upload(finance, target.read_bytes(), kind=KIND))
    assert found.state == "failed" and "The file has 60,000,000 rows." in found.problem


def test_the_template_has_every_column(finance):
    text = finance.get(f"{INDEX}templates/{KIND}.csv").text
    assert text.splitlines()[0].split(",") == list(COLUMNS)
    found = row_of(upload(finance, text, kind=KIND))
    assert (found.rows_accepted, found.rejected) == (1, [])


def test_lines_go_to_the_file_of_their_customer_wherever_a_piece_ends(tmp_path, monkeypatch):
    written = [(n % 3 if n < 40 else 7, f"{n}\tx{'y' * (n % 5)}\n") for n in range(80)]
    source = tmp_path / "written"
    source.write_text("".join(f"{number}\t{rest}" for number, rest in written))
    for size in (1, 7, 64, 10_000):
        monkeypatch.setattr(usage_file_child, "SPLIT_BYTES", size)
        folder = tmp_path / str(size)
        usage_file_child.split(source, folder)
        assert {each.name for each in folder.iterdir()} == {"0", "1", "2", "7"}
        for each in folder.iterdir():
            mine = [rest for number, rest in written if str(number) == each.name]
            assert each.read_text() == "".join(mine)


def test_memory_does_not_grow_with_the_events_of_a_file(tmp_path, monkeypatch):
    path = tmp_path / "given"
    duckdb.execute(
        f"""COPY (SELECT ['acme', 'globex'][1 + i % 2] AS tenant, 'req-' || i AS id,
          '{at(NOW)}' AS "at", '{SYSTEM}' AS system, 'm-' || i % 4 AS model,
          'success' AS outcome, 'task-' || i // 3 AS task, 'u-' || i % 997 AS user
        FROM range(300_000) AS r (i)) TO '{path}' (HEADER, FORMAT csv)"""
    )
    monkeypatch.setattr(duckdb_files, "MEMORY", "64MB")
    orders = {
        "path": str(path),
        "format": "csv",
        "max_rows": usage_file.MAX_ROWS,
        "zone": "Europe/Berlin",
        "earliest": at(NOW - timedelta(days=400)),
        "latest": at(NOW),
        "tenants": [("acme", 0), ("globex", 1)],
        "systems": [(n, SYSTEM, str(UUID(int=n))) for n in (0, 1)],
    }
    assert usage_file_child.main(orders | {"do": "check"})["accepted"] == 300_000
    usage_file_child.main(orders | {"do": "write"})
    for n in (0, 1):
        assert (tmp_path / "events" / str(n)).read_bytes().count(b"\n") == 150_000
