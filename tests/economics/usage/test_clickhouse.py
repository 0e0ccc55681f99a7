"""Usage events in ClickHouse: separate by tenant, complete or absent, moved with proof."""

import json
import multiprocessing
import signal
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner
from structlog.testing import capture_logs

from governance.app import cli
from governance.economics.usage import event_stores, jobs, rebuild_actions
from governance.economics.usage.clickhouse_client import TABLE
from governance.economics.usage.models import EVENT_KEYS
from governance.economics.usage.rebuilding import span_of
from governance.kernel import clock
from governance.kernel.config import SettingsError
from governance.kernel.data.db import session
from governance.kernel.errors import Unavailable
from governance.kernel.months import Month
from tests import make
from tests.economics.usage import killed_writer
from tests.economics.usage.clickhouse_servers import PASSWORD, ClickhouseServer
from tests.economics.usage.usage_helpers import (
    NOW,
    Product,
    answer,
    at,
    days,
    event,
    register,
    stored,
)
from tests.waiting import MAX_WAIT_SECONDS

LATER = NOW + timedelta(hours=2)


@pytest.fixture(autouse=True)
def _now():
    with clock.frozen(NOW):
        yield


@pytest.fixture
def move():
    """Run `governance usage move-to-clickhouse` for acme and globex."""

    def invoke():
        return CliRunner().invoke(cli.main, ["usage", "move-to-clickhouse"], obj=cli.CONNECTED)

    return invoke


# ---- tenants


def test_another_tenants_events_are_never_read(app, product, clickhouse):
    register(slug="globex")
    Product(app, slug="globex").send([event(n, model="theirs") for n in range(3)])
    product.send([event(1)])
    assert [row.model for row in stored()] == ["claude-sonnet-4-5"]
    with make.acting("admin"):
        every = clickhouse.database.rows(f"SELECT count(), uniqExact(tenant_id) FROM {TABLE}")
        assert list(every[0]) == [1, 1], "a query that forgot the tenant"
        assert clickhouse.database.rows_of_all(f"SELECT count() FROM {TABLE}")[0][0] == 4
        assert rebuild_actions.rebuild().differences == []
    with make.acting("admin", "globex"):
        assert rebuild_actions.rebuild().differences == []


def test_everything_of_a_tenant_is_streamed_and_deleted_and_another_tenants_stays(
    app, product, clickhouse
):
    register(slug="globex")
    product.send([event(n, feature="letters") for n in range(3)])
    product.send([event(9, at="2026-10-31T23:59:59.999999Z")])
    Product(app, slug="globex").send([event(1), event(2)])
    with make.acting("admin"):
        lines = [json.loads(line) for line in clickhouse.lines_outside()]
        assert len(lines) == clickhouse.count_outside() == 4
        assert lines == sorted(lines, key=lambda line: line["at"])
        assert lines[0]["at"] == "2026-10-31T23:59:59.999999+00:00"
        assert lines[1]["feature"] == "letters" and lines[1]["input_tokens"] == 100
        clickhouse.delete_outside()
        clickhouse.delete_outside()
        assert clickhouse.count_outside() == 0
    with make.acting("admin", "globex"):
        assert clickhouse.count_outside() == 2
        assert len({json.loads(line)["tenant_id"] for line in clickhouse.lines_outside()}) == 1
    assert clickhouse.database.rows_of_all(f"SELECT count() FROM {TABLE}")[0][0] == 2


def test_what_is_forgotten_is_of_the_tenant(app, product, clickhouse):
    register(slug="globex")
    Product(app, slug="globex").send([event(1)])
    product.send([event(1)])
    forget_ids("acme")
    forget_ids("globex")
    with clock.frozen(LATER), make.acting("admin"):
        assert clickhouse.forget_uncounted() == 1
    assert stored() == [] and len(stored("globex")) == 1


def forget_ids(slug):
    with make.acting("admin", slug):
        session().execute(EVENT_KEYS.delete())


# ---- unavailable


@pytest.mark.nightly
def test_without_clickhouse_nothing_is_stored_and_pages_answer(app, product, as_admin, tmp_path):
    server = ClickhouseServer(tmp_path)
    event_stores.use(server.url)
    try:
        with capture_logs() as logs:
            found = product.send([event(1)], then=503, key="again")
        assert found["title"].startswith("The store of usage events is unavailable.")
        assert PASSWORD not in str(logs) and str(server.port) not in str(logs)
        assert days() == [] and as_admin.get("economics/?month=2026-11").status_code == 200
        server.start()
        try:
            with make.acting("admin"), pytest.raises(Unavailable, match="governance migrate"):
                event_stores.store().costs(*_november())
            event_stores.create_tables(server.url)
            assert product.send([event(1)], key="again") == answer(accepted=1)
            server.kill()
            product.send([event(2)], then=503)
            server.start()
            assert product.send([event(1), event(2)]) == answer(accepted=1, duplicate=1)
            assert len(stored()) == sum(row.requests for row in days()) == 2
        finally:
            server.kill()
    finally:
        event_stores.use(None)


def _november():
    month = Month(2026, 11)
    return span_of(month.first_day, month.last_day, ZoneInfo("UTC")), "UTC", []


def test_a_missing_client_is_named_at_the_start(monkeypatch):
    import builtins

    def missing(name, *rest, **more):
        if name.startswith(("clickhouse_connect", "governance.economics.usage.clickhouse_events")):
            raise ModuleNotFoundError(name="clickhouse_connect")
        return find(name, *rest, **more)

    find = builtins.__import__
    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(SettingsError, match=r"GOVERNANCE_USAGE_URL needs .* clickhouse-connect"):
        event_stores.use("https://host.example/")


# ---- between the two writes


def test_killed_before_the_commit_a_repetition_counts_once(app, committed_world, clickhouse):
    with make.acting("admin", "globex"):
        who = make.system_actor("globex")
    register(slug="globex")
    url = committed_world.url.render_as_string(hide_password=False)
    before = requests_of("globex")
    long_ago = at(NOW - timedelta(days=10))
    sent = [event(n, id=f"killed-{n}") for n in (1, 2)]
    sent.append(event(3, id="killed-3", at=long_ago))
    assert write_in_child(url, who, sent, is_killed=True) == -signal.SIGKILL
    assert len(stored("globex")) == 3 and requests_of("globex") == before
    assert write_in_child(url, who, sent, minute=1) == 0
    assert len(stored("globex")) == 3 and requests_of("globex") == before + 3
    never_again = [event(n, id=f"killed-{n}") for n in (4, 5)]
    assert write_in_child(url, who, never_again, minute=2, is_killed=True) == -signal.SIGKILL
    assert len(stored("globex")) == 5
    with clock.frozen(NOW + timedelta(minutes=59)), make.acting("admin", "globex"):
        assert clickhouse.forget_uncounted() == 0, "an insert may still be going on"
    with clock.frozen(clock.now() + timedelta(days=1)):
        jobs.forget_event_keys()
    assert len(stored("globex")) == 3 and requests_of("globex") == before + 3


def write_in_child(url, who, events, *, minute=0, is_killed=False):
    body = json.dumps(events).encode()
    now = NOW + timedelta(minutes=minute)
    process = multiprocessing.get_context("spawn").Process(
        target=killed_writer.write_and_die,
        args=(url, event_stores.store().database.url, who, body, now, is_killed),
        daemon=True,
    )
    process.start()
    process.join(MAX_WAIT_SECONDS)
    return process.exitcode


def requests_of(slug):
    return sum(row.requests for row in days(slug))


# ---- moving


@pytest.mark.nightly
def test_months_move_with_proof_and_moving_again_changes_nothing(app, product, move, request):
    register(slug="globex")
    other = Product(app, slug="globex")
    sent = [event(n, feature="letters", user="u-1", provider="helio") for n in range(30)]
    sent.append(event(31, at="2026-10-31T23:59:59.999999Z", task="t-1"))
    product.send(sent)
    other.send([event(1, tokens=...)])
    before, theirs = stored(), stored("globex")
    clickhouse = request.getfixturevalue("clickhouse")
    refused = CliRunner().invoke(cli.main, ["usage", "rebuild", "acme"], obj=cli.CONNECTED)
    assert refused.exit_code == 1 and "still in PostgreSQL only" in refused.output
    found = move()
    assert found.exit_code == 0, found.output
    assert found.output == (
        "2026-10 acme: 1 events, copied\n2026-11 acme: 30 events, copied\n"
        "2026-11 globex: 1 events, copied\n"
    )
    assert stored() == before and stored("globex") == theirs
    with clock.frozen(LATER):
        assert product.send([event(50), sent[0]]) == answer(accepted=1, duplicate=1)
    assert move().output.count("already there") == 3
    with make.acting("admin"):
        clickhouse.database.change(f"DELETE FROM {TABLE} WHERE tenant_id = {{tenant:UUID}}")
    assert "2026-11 acme: 30 events, copied" in move().output
    assert stored() == before
    event_stores.use("http://127.0.0.1:9/")
    away = move()
    assert away.exit_code == 1 and "2026-10 acme: The store of usage events is" in away.output


@pytest.mark.nightly
def test_old_events_that_have_not_moved_yet_are_known(product, request):
    """Recognize them, even if their id is forgotten."""
    old = [event(n, at=at(NOW - timedelta(days=10, minutes=n))) for n in (1, 2)]
    product.send(old)
    forget_ids("acme")
    request.getfixturevalue("clickhouse")
    new = event(3, at=at(NOW - timedelta(days=10)))
    assert product.send([*old, new]) == answer(accepted=1, duplicate=2)
    assert [row.event_id for row in stored()] == ["req-3"]
    assert sum(row.requests for row in days()) == 3


def test_without_an_address_nothing_moves(app, isolated, move):
    assert "Set GOVERNANCE_USAGE_URL" in move().output
