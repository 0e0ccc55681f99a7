"""Downloads: a route declares each file and stream that it answers with, which has custody."""

import ast
from pathlib import Path

import pytest
from flask import Response

from governance.app.factory import create_app
from governance.foundation.people import permissions
from governance.kernel.files import downloads
from governance.kernel.files.downloads import FILE, PAGE, STREAM
from governance.kernel.web.feature import Feature
from tests import make
from tests.browser import Visitor

ROOT = Path(__file__).parents[2] / "governance"
LEAVES = (
    "Content-Disposition",
    "text/event-stream",
    "table_file(",
    "csv_file(",
    "work_pages.attachment(",
)


def functions(path):
    return {f.name: f for f in ast.parse(path.read_text()).body if isinstance(f, ast.FunctionDef)}


def called(function):
    return {
        n.func.id
        for n in ast.walk(function)
        if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)
    }


def leaving(path):
    """Return the functions of a module that answer with a file or a stream.

    They may do so directly or by a helper in the same module.
    """
    known = functions(path)
    source = {name: "\n".join(ast.unparse(part) for part in f.body) for name, f in known.items()}
    found = {name for name, text in source.items() if any(mark in text for mark in LEAVES)}
    while more := {name for name, f in known.items() if name not in found and called(f) & found}:
        found |= more
    return [known[name] for name in sorted(found)]


def routes_of(function):
    return [
        d
        for d in function.decorator_list
        if isinstance(d, ast.Call) and any(k.arg == "needs" for k in d.keywords)
    ]


@pytest.mark.slow
def test_every_route_whose_code_answers_with_a_file_or_a_stream_declares_it():
    declared, missing = 0, []
    for path in sorted(ROOT.rglob("*.py")):
        for function in leaving(path):
            for route in routes_of(function):
                is_declared = any(k.arg == "answers" for k in route.keywords)
                declared += is_declared
                if not is_declared:
                    missing.append(f"{path.relative_to(ROOT)} {function.name}")
    assert missing == []
    assert declared >= 19


def test_what_the_routes_declare(app):
    by = {
        kind: {e for e, v in app.view_functions.items() if getattr(v, "answers", PAGE) == kind}
        for kind in (FILE, STREAM)
    }
    assert by[STREAM] == {"work.events", "incidents.events"}
    assert {
        "evidence.download",
        "reports.pdf",
        "engagements.take_package",
        "log_exports.file",
        "testing.download",
    } <= by[FILE]


@pytest.fixture(scope="module")
def toys():
    """Add two routes that answer with a file, one of which declares it."""
    feature = Feature("toys", __name__)
    headers = {"Content-Disposition": 'attachment; filename="toy.csv"'}
    feature.get("/toys/undeclared", needs=permissions.OWN, endpoint="undeclared")(
        lambda: Response(b"a,b", headers=headers)
    )
    feature.get("/toys/declared", needs=permissions.OWN, endpoint="declared", answers=FILE)(
        lambda: Response(b"a,b", headers=headers)
    )
    feature.get("/toys/stream", needs=permissions.OWN, endpoint="stream")(
        lambda: Response(iter([b"a"]))
    )
    return feature


@pytest.fixture
def with_toys(settings, database, toys):
    app = create_app(settings)
    app.config["PROPAGATE_EXCEPTIONS"] = False
    app.register_blueprint(toys)
    from governance.kernel.data import db

    db.connect(database)
    return app


@pytest.mark.parametrize("role", ["viewer", "auditor"])
def test_an_undeclared_file_leaves_nobody_s_route(with_toys, role):
    visitor = Visitor(with_toys, make.cookie(role), "acme")
    assert visitor.client.get("/t/acme/toys/declared").data == b"a,b"
    for path in ("undeclared", "stream"):
        reply = visitor.client.get(f"/t/acme/toys/{path}")
        assert reply.status_code == 500 and reply.data != b"a,b"


def test_a_custody_that_fails_keeps_the_file(app, as_officer):
    class Away:
        def begin(self, answer, *, answers, may_write):
            raise RuntimeError("the custody is away")

    with downloads.custody.answered_by(Away()):
        reply = as_officer.client.get("/t/acme/controls/export.csv")
    assert reply.status_code == 500 and "Content-Disposition" not in reply.headers
