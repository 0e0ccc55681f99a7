"""Records of backups and restore drills: who makes them, how they show, and when they are late."""

import os
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import update

from governance.app import cli
from governance.foundation.audit import logs
from governance.foundation.audit.models import LogHead
from governance.kernel import clock, current
from governance.kernel.data import embedded
from governance.kernel.data.db import session, transaction
from governance.publishing.operator_work.backup_records import Outcome, age, record_outcome
from tests import make
from tests.conftest import visitor
from tests.postgres_cluster import Cluster
from tests.publishing.operator_desk.desk_helpers import entries

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def run(app, isolated):
    """Return a function that runs a command of `governance backup` against the test's database."""

    def invoke(*arguments):
        return CliRunner().invoke(cli.main, ["backup", *map(str, arguments)], obj=cli.CONNECTED)

    return invoke


def write(kind, ago, **outcome):
    with (
        clock.frozen(clock.now() - ago),
        current.acting_as(make.system_actor("console")),
        transaction(),
    ):
        record_outcome(kind, Outcome(**{"succeeded": True} | outcome))


def test_a_recorded_backup_is_in_the_log_and_on_the_desk(run, as_operator, as_officer):
    before = as_operator.get("/operator/work").text
    assert before.count("Never recorded") == 2
    done = run("record", "--ok", "--bytes", 48_000_000, "--seconds", 41, "--place", "s3://b/1")
    assert done.exit_code == 0 and "Recorded" in done.output
    [entry] = entries("backup.completed", "console")
    assert entry.facts == {"size": 48_000_000, "seconds": 41, "place": "s3://b/1", "problem": ""}
    assert entry.actor_kind == "job" and entries("backup.completed") == []
    page = as_operator.get("/operator/work").text
    assert "Succeeded" in page and "48 MB" in page and "41 seconds" in page and "s3://b/1" in page
    as_officer.get("/operator/work", then=404)


def test_a_drill_is_recorded_the_same_way_with_what_failed(run, as_operator):
    assert run("record", "--drill", "--ok", "--seconds", 38).exit_code == 0
    run("record", "--drill", "--failed", "--seconds", 9, "--problem", "replays: nothing to do")
    assert len(entries("restore_drill.passed", "console")) == 1
    assert len(entries("restore_drill.failed", "console")) == 1
    page = as_operator.get("/operator/work").text
    assert "replays: nothing to do" in page and "Last success" in page
    assert "The last restore drill failed" in as_operator.get("/t/console/inbox/").text


@pytest.mark.parametrize(
    "wrong", [["--bytes", -1], ["--seconds", 99_999_999], ["--bytes", "many"], []]
)
def test_what_makes_no_sense_is_not_recorded(run, wrong):
    how = ["--ok"] if wrong else []
    assert run("record", *how, *wrong).exit_code != 0
    assert entries("backup.completed", "console") == []


@pytest.mark.parametrize(
    ("kind", "fresh", "old", "says"),
    [
        ("backup", 35 * HOUR, 37 * HOUR, "The last backup is too old"),
        ("drill", 99 * DAY, 101 * DAY, "The last restore drill is too old"),
    ],
)
def test_what_is_too_old_is_in_the_inbox_until_the_next_one(
    run, app, as_operator, kind, fresh, old, says
):
    write(kind, old)
    assert says in as_operator.get("/t/console/inbox/").text
    assert "Too old" in as_operator.get("/operator/work").text
    assert says not in visitor(app, "operator_finance", "console").get("/t/console/inbox/").text
    assert says not in visitor(app, "admin").get("inbox/").text
    write(kind, fresh)
    assert says not in as_operator.get("/t/console/inbox/").text


def test_a_failure_is_in_the_inbox_until_a_success(run, as_operator):
    write("backup", 5 * HOUR)
    write("backup", 2 * HOUR, succeeded=False, problem="No space left on device")
    page = as_operator.get("/t/console/inbox/").text
    assert "The last backup failed" in page and "No space left on device" in page
    write("backup", HOUR)
    assert "The last backup" not in as_operator.get("/t/console/inbox/").text


def test_an_installation_without_any_is_asked_for_the_first_one(run, as_operator):
    assert "was ever recorded" not in as_operator.get("/t/console/inbox/").text
    with current.acting_as(make.system_actor("console")), transaction():
        logs.open_log()
        session().execute(update(LogHead).values(created_at=clock.now() - 3 * DAY))
    page = as_operator.get("/t/console/inbox/").text
    assert "No backup was ever recorded" in page and "No restore drill" not in page
    write("backup", HOUR)
    assert "was ever recorded" not in as_operator.get("/t/console/inbox/").text


def test_the_age_is_a_metric(run, client):
    assert "governance_backup_age_seconds NaN" in client.client.get("/metrics").text
    write("backup", 2 * HOUR)
    write("drill", 3 * DAY)
    write("drill", DAY, succeeded=False)
    with transaction(read_only=True):
        assert round(age("backup"), -2) == 7200 and round(age("drill") / 86400) == 3
    text = client.client.get("/metrics").text
    assert "governance_backup_age_seconds 72" in text
    assert "governance_restore_drill_age_seconds 259" in text


@pytest.fixture
def cluster(tmp_path_factory):
    made = Cluster(tmp_path_factory.mktemp("cluster") / "server")
    yield made
    made.stop()


def test_a_backup_is_made_checked_and_recorded(run, cluster, tmp_path, monkeypatch):
    tools = Path(embedded.get_server(cluster.folder, start=False).bin_path)
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    done = run("make", tmp_path, "--url", cluster.server.super_uri)
    assert done.exit_code == 0, done.output
    [backup] = tmp_path.iterdir()
    assert (backup / "backup_manifest").exists() and "Every file matches" in done.output
    [entry] = entries("backup.completed", "console")
    assert entry.facts["place"] == str(backup) and entry.facts["size"] > 20_000_000


def test_a_backup_that_fails_is_recorded_too(run, tmp_path):
    done = run("make", tmp_path, "--url", "postgresql://nobody@127.0.0.1:9/postgres")
    assert done.exit_code == 1 and "this is recorded" in done.output
    [entry] = entries("backup.failed", "console")
    assert entry.facts["problem"] and entry.facts["place"] == str(tmp_path)
