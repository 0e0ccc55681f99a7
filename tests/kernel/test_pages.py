"""Keyset pages: together they are the complete list; an altered cursor is rejected."""

import base64
import json
from uuid import UUID, uuid4

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select

from governance.kernel import clock
from governance.kernel.data.db import session
from governance.kernel.errors import Invalid
from governance.kernel.pages.rendering import filters, keyset, page
from governance.kernel.work.jobs import WorkItem
from tests import make
from tests.hypothesis_profiles import examples

ROWS = st.lists(
    st.tuples(st.sampled_from(["a", "b", "c'", "é", ""]), st.integers(-3, 3)), max_size=25
)


def fill(rows) -> str:
    """Add rows of one kind, several with the same values. Return the kind."""
    kind = uuid4().hex
    values = [
        {"kind": kind, "step": step, "total": total, "params": {}, "created_at": clock.now()}
        for step, total in rows
    ]
    if values:
        session().execute(
            insert(WorkItem).values(
                [
                    v
                    | {
                        "id": uuid4(),
                        "tenant_id": make.system_actor("acme").tenant_id,
                        "state": "queued",
                        "done": 0,
                        "cancel_requested": False,
                    }
                    for v in values
                ]
            )
        )
    return kind


def walk(query, columns, size, *, descending=False):
    seen, after, pages = [], None, 0
    while True:
        part = keyset(query, *columns, after=after, size=size, descending=descending)
        assert len(part.rows) <= size
        seen += part.rows
        after, pages = part.next, pages + 1
        if after is None:
            return seen, pages


@settings(
    max_examples=examples(20),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(ROWS, st.integers(1, 7), st.booleans())
def test_the_pages_are_the_whole_list(app, acting, rows, size, descending):
    with acting("admin"):
        kind = fill(rows)
        columns = (WorkItem.step, WorkItem.total, WorkItem.created_at, WorkItem.id)
        query = select(WorkItem).where(WorkItem.kind == kind)
        whole = (
            session()
            .scalars(query.order_by(*((c.desc() if descending else c.asc()) for c in columns)))
            .all()
        )
        seen, pages = walk(query, columns, size, descending=descending)
        assert [r.id for r in seen] == [r.id for r in whole]
        assert len(seen) == len(rows) and pages == max(1, -(-len(rows) // size))


def test_rows_of_columns_and_of_one_statement(app, acting):
    with acting("admin"):
        kind = fill([("a", n) for n in range(5)])
        query = select(WorkItem.step, WorkItem.total).where(WorkItem.kind == kind)
        part = keyset(query, WorkItem.total, WorkItem.id, after=None, size=3)
        assert [tuple(r) for r in part.rows] == [("a", 0), ("a", 1), ("a", 2)]
        assert [tuple(r) for r in walk(query, (WorkItem.total, WorkItem.id), 2)[0]] == [
            ("a", n) for n in range(5)
        ]


def mark(*values) -> str:
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode()


@pytest.mark.parametrize(
    "after",
    [
        "zzz",
        "é",
        "=",
        mark(),
        mark("1"),
        mark("x", str(UUID(int=7))),
        mark("1", "no uuid"),
        mark("99999999999", str(UUID(int=7))),
        mark("1", str(UUID(int=7)), "3"),
        base64.urlsafe_b64encode(b"{}").decode(),
        base64.urlsafe_b64encode(b"[" * 9000).decode(),
        base64.urlsafe_b64encode(b"\xff").decode(),
    ],
)
def test_a_bent_mark_is_refused(app, acting, after):
    with acting("admin"), pytest.raises(Invalid, match="This link"):
        keyset(select(WorkItem), WorkItem.total, WorkItem.id, after=after)


@pytest.mark.parametrize("text", ["a\0b", "\ud800"])
def test_a_mark_with_text_that_cannot_be_kept_is_refused(app, acting, text):
    with acting("admin"), pytest.raises(Invalid, match="This link"):
        keyset(select(WorkItem), WorkItem.step, WorkItem.id, after=mark(text, str(uuid4())))


def test_a_mark_is_data_and_never_sql(app, acting):
    with acting("admin"):
        kind = fill([("a", 1)])
        query = select(WorkItem).where(WorkItem.kind == kind)
        assert keyset(
            query,
            WorkItem.step,
            WorkItem.id,
            after=mark("'; DROP TABLE work_items; --", str(uuid4())),
        ).rows


def test_filters_are_the_ones_asked_for_and_short():
    with Flask(__name__).test_request_context("/?q=+fraud+&owner=&other=x&lane=" + "y" * 500):
        assert filters("q", "owner", "lane") == {"q": "fraud", "lane": "y" * 200}


def test_a_fragment_is_a_block_of_its_page():
    from jinja2 import DictLoader

    app = Flask(__name__)
    app.jinja_loader = DictLoader(
        {"list.html": "<h1>All</h1>{% block rows %}<p>{{ n }}</p>{% endblock %}"}
    )
    for headers, expected in (
        ({}, "<h1>All</h1><p>3</p>"),
        ({"HX-Request": "true", "HX-Target": "table#rows"}, "<p>3</p>"),
        ({"HX-Request": "true", "HX-Target": "table#secret"}, "<h1>All</h1><p>3</p>"),
        ({"HX-Target": "table#rows"}, "<h1>All</h1><p>3</p>"),
    ):
        with app.test_request_context("/", headers=headers):
            assert page("list.html", n=3, fragments=("rows",)).get_data(as_text=True) == expected
