"""Acme's evaluation runner, which uses the console's API as any team's CI does."""

import json
import threading
from contextlib import contextmanager
from uuid import UUID

import pytest
from werkzeug.serving import make_server

from governance.demo.evaluation_runner import EvaluationRunner
from governance.foundation.api_keys import actions as keys
from governance.foundation.webhooks import actions as webhooks
from governance.foundation.webhooks.queue_actions import body_of
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.operations.evaluations import queries
from governance.operations.evaluations.requests import actions as request_actions
from governance.operations.evaluations.requests import queries as request_queries
from governance.operations.evaluations.requests import runner_messages
from governance.operations.systems import queries as register
from tests import make
from tests.foundation.webhooks.receiver import Receiver
from tests.operations.evaluations.evaluation_helpers import drain, published_suite, system


@pytest.fixture(autouse=True)
def _suite(app, isolated):
    with make.acting("admin"):
        published_suite()
        system()
    with Receiver(204).serving() as receiver:
        with make.acting("admin"):
            webhooks.add(name="CI", url=receiver.url, events=[runner_messages.EVENT_TYPE])
        yield


@contextmanager
def serving(app):
    """Serve the console, and yield its address."""
    server = make_server("127.0.0.1", 0, app)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()


def message_for(base):
    """Return the message that requests a run, and the request's id."""
    with make.acting("admin"):
        wanted = {
            "system": register.system("claims-triage"),
            "suite": (suite := queries.suite("claims-grounding")),
            "version": queries.version(suite.id),
        }
        row = request_actions.request(**wanted, release="2026.11.2", samples=400)
        data = runner_messages.message(row, *wanted.values())
        places = {
            name: base + data[name][data[name].index("/api/") :]
            for name in ("push_to", "report_to")
        }
        return body_of(runner_messages.EVENT_TYPE, clock.now(), data | places), row.id


def request(request_id: UUID):
    with make.acting("admin"):
        found = request_queries.request(request_id)
        session().expunge(found)
    return found


def runner(tmp_path):
    with make.acting("admin"):
        _, key = keys.create("demo evaluations", ("evaluations:write",))
    file = tmp_path / "keys.json"
    file.write_text(json.dumps({"evaluations": {"key": key}}))
    return EvaluationRunner(file, pause=0)


def test_it_says_how_far_it_is_and_sends_as_many_cases_as_were_asked_for(app, tmp_path):
    with serving(app) as base:
        message, asked = message_for(base)
        runner(tmp_path).answer(json.loads(message)["data"])
    drain()
    found = request(asked)
    assert (found.state, found.done, found.total) == ("done", 300, 400)
    with make.acting("admin"):
        run = queries.run(found.run_id)
        assert (run.state, run.cases) == ("judged", 400)


def test_it_stops_where_the_request_was_cancelled(app, tmp_path):
    with serving(app) as base:
        message, asked = message_for(base)
        with make.acting("admin"):
            request_actions.cancel(request_queries.request(asked))
        runner(tmp_path).answer(json.loads(message)["data"])
    drain()
    found = request(asked)
    assert (found.state, found.run_id) == ("cancelled", None)
