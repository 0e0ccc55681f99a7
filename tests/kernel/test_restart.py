"""A restart of the database: the current request fails clearly, and the next one works."""

import contextlib
import os
import subprocess
import threading

import pytest
from sqlalchemy import text

from governance.app.factory import connect, create_app
from governance.foundation.tenants import actions as tenants
from governance.foundation.tenants import queries as directory
from governance.foundation.tenants.system_actor import system_actor_in
from governance.kernel import config, current
from governance.kernel.data import db, embedded
from governance.kernel.data.db import session, transaction
from governance.kernel.errors import Unavailable
from governance.kernel.safety.access import PUBLIC
from governance.kernel.web.feature import Feature
from governance.kernel.work import jobs
from tests.browser import Visitor
from tests.postgres_cluster import Cluster
from tests.waiting import MAX_WAIT_SECONDS

pytestmark = pytest.mark.slow
probe = Feature("restart_probe", __name__, scope="public")


@pytest.fixture(scope="module")
def cluster(server_folder):
    made = Cluster(server_folder / "pg")
    yield made
    with contextlib.suppress(subprocess.CalledProcessError):  # A test may have left it stopped.
        made.stop()


@pytest.fixture
def served_application(app, cluster, settings, isolated, tmp_path):
    """Serve the application on that server over HTTP, as in production.

    It has a pool and no outer transaction.
    """
    own = config.Settings(
        database_url=cluster.server.app_url,
        owner_database_url=cluster.server.owner_url,
        secret_key=settings.secret_key,
        kek=settings.kek,
        public_url="http://localhost",
        storage_url=settings.storage_url,
        smtp_url=None,
        var=tmp_path,
        demo=True,
    )
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
    """Return a probe that works, lets something happen to the database, and continues."""
    with transaction():
        session().execute(
            text(
                "INSERT INTO job_runs (id, job, scope, period, created_at) VALUES"
                " (gen_random_uuid(), 'restart', '', gen_random_uuid()::text, now())"
            )
        )
        HOOK["happens"]()
        session().execute(text("SELECT 1"))
    return "done"


def kept_items() -> int:
    with transaction(read_only=True):
        return session().scalar(text("SELECT count(*) FROM job_runs WHERE job = 'restart'"))


def test_a_restart_in_the_middle_of_a_request_is_said_and_the_next_works(
    served_application, cluster
):
    visitor = Visitor(served_application)
    HOOK["happens"] = lambda: None
    assert visitor.client.get("/restart-probe").text == "done"
    before = kept_items()
    HOOK["happens"] = cluster.restart
    reply = visitor.client.get("/restart-probe")
    assert (
        reply.status_code == 503
        and "Nothing was changed" in reply.text
        and "Content-Security-Policy" in reply.headers
    )
    HOOK["happens"] = lambda: None
    assert visitor.client.get("/login").status_code == 200
    assert visitor.client.get("/restart-probe").text == "done"
    assert kept_items() == before + 1


def test_while_it_is_down_every_page_says_so_and_it_comes_back(served_application, cluster):
    visitor = Visitor(served_application)
    assert visitor.client.get("/readyz").status_code == 200
    cluster.stop()
    try:
        for path in ("/t/anything/", "/t/anything/controls/"):
            reply = visitor.client.get(path)
            assert reply.status_code == 503 and "The database is unavailable" in reply.text
        machine = visitor.client.get("/t/anything/", headers={"Accept": "application/json"})
        assert machine.status_code == 503 and machine.mimetype == "application/problem+json"
        assert (
            visitor.client.get("/readyz").status_code == 503
            and visitor.client.get("/healthz").status_code == 200
        )
        assert visitor.client.get("/metrics").status_code == 200
    finally:
        cluster.start()
    assert visitor.client.get("/readyz").status_code == 200
    assert visitor.client.get("/t/anything/").status_code == 404


def test_work_survives_a_restart(served_application, cluster):
    tenant = tenants.create_tenant("restartco", "Restart Co")
    actor, tries = system_actor_in(tenant.id, "restartco", "Restart Co"), []

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


def test_many_requests_at_once_recover_together(served_application, cluster):
    """Break every connection of the pool.

    Each request gets a new one or a clear error, and none hangs.
    """
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
        thread.join(MAX_WAIT_SECONDS)
    assert len(outcomes) == 12 and outcomes.count(1) >= 10


def test_two_migrators_at_once_do_it_once(cluster):
    fresh = embedded.start(cluster.folder, database="migrated_twice")
    faults = []

    def migrate_it():
        try:
            subprocess.run(
                [
                    os.sys.executable,
                    "-c",
                    f"from governance.app import migrate; migrate.upgrade({fresh.owner_url!r})",
                ],
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
