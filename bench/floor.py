"""The floors: the least time that Flask, psycopg and PostgreSQL need for a page or a write."""

import os

from flask import Flask, redirect, request
from jinja2 import Environment
from psycopg import Connection
from psycopg.rows import TupleRow
from psycopg_pool import ConnectionPool

app = Flask("floor")
PAGE = Environment(autoescape=True).from_string(
    """<!doctype html><html lang="en"><head><title>{{ name }}</title></head><body><h1>{{ name }}</h1>
<ul>{% for row in rows %}<li>{{ row[0] }} {{ row[1] }}</li>{% endfor %}</ul></body></html>"""
)

TABLES = """
CREATE TABLE IF NOT EXISTS floor_rows (id int PRIMARY KEY, ref text, title text);
CREATE TABLE IF NOT EXISTS floor_items (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), batch uuid, requirement int, target int);
CREATE TABLE IF NOT EXISTS floor_log (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), entry jsonb);
INSERT INTO floor_rows SELECT n, 'MEASURE 2.' || n, 'Requirement number ' || n FROM generate_series(1, 72) n ON CONFLICT DO NOTHING;
GRANT ALL ON floor_rows, floor_items, floor_log TO governance_app;
"""


def _prepare_always(connection: Connection[TupleRow]) -> None:
    connection.prepare_threshold = 0
    connection.autocommit = True


_pool: ConnectionPool[Connection[TupleRow]] | None = None


def pool() -> ConnectionPool[Connection[TupleRow]]:
    global _pool  # noqa: PLW0603 - opened in the worker, not before it is forked
    if _pool is None:
        _pool = ConnectionPool(
            os.environ["FLOOR_DATABASE"],
            min_size=4,
            max_size=16,
            configure=_prepare_always,
            open=True,
        )
    return _pool


@app.get("/hello")
def hello() -> str:
    return "hello"


@app.get("/page")
def page() -> str:
    """Serve one indexed select and a small template."""
    with pool().connection() as connection:
        rows = connection.execute("SELECT ref, title FROM floor_rows WHERE id = %s", [7]).fetchall()
    return PAGE.render(name="Requirement", rows=rows)


@app.get("/list")
def listing() -> str:
    """Serve one select of 72 rows and a template that writes them."""
    with pool().connection() as connection:
        rows = connection.execute("SELECT ref, title FROM floor_rows ORDER BY id").fetchall()
    return PAGE.render(name="Requirements", rows=rows)


@app.post("/write")
def write():
    """Write one row and its log entry, in one transaction of one statement."""
    with pool().connection() as connection:
        connection.execute(
            "WITH made AS (INSERT INTO floor_items (requirement, target) VALUES (1, %s) RETURNING"
            " id) INSERT INTO floor_log (entry) SELECT jsonb_build_object('id', id) FROM made",
            [len(request.form)],
        )
    return redirect("/page", 303)


@app.post("/assessment")
def assessment():
    """Write 72 rows and a log entry, in one statement."""
    with pool().connection() as connection:
        connection.execute(
            "WITH batch AS (SELECT gen_random_uuid() AS id), made AS (INSERT INTO floor_items"
            " (batch, requirement, target) SELECT batch.id, r.id, 3 FROM floor_rows r, batch"
            " RETURNING id) INSERT INTO floor_log (entry) SELECT jsonb_build_object('count',"
            " count(*)) FROM made"
        )
    return redirect("/page", 303)
