"""Start-up checks of an installation with data: its key, its storage, `check` and `/readyz`.

They also cover the rotation of its key. Each command runs as an operator runs it, outside the
demo.
"""

import json
import os
import secrets
import shutil
import socket

import psycopg
import pytest

from governance.kernel.data import embedded
from tests.assurance.evidence.clamd_server import Clamd
from tests.economics.usage.clickhouse_servers import ClickhouseServer
from tests.free_ports import free_port
from tests.kernel.post_office import open_post_office
from tests.migrated_databases import SERVER, migrated_database
from tests.preloaded_python import run_python

pytestmark = pytest.mark.database

FILL = """
from governance.app.factory import create_app
from tests import make
from tests.assurance.evidence.evidence_helpers import create_evidence, upload_version
create_app()
make.create_world()
upload_version(create_evidence())
"""
READY = """
import json
from governance.app.factory import create_app
reply = create_app().test_client().get("/readyz")
print(json.dumps([reply.status_code, reply.get_json()["checks"]]))
"""
START = """
from governance.app import installation_checks
from governance.app.factory import connect
from governance.app.settings import from_environment
settings = from_environment()
connect(settings)
installation_checks.check_start(settings)
"""
OTHER_KEY = "GOVERNANCE_KEK_FILE isn't the key of this installation."


class Installation:
    """Settings of an installation whose database and storage are copies of a filled one."""

    def __init__(self, database, folder):
        self.server = embedded.start(SERVER, database=database)
        self.database, self.folder = database, folder
        self.other_key = folder / "other_kek"
        for name in ("secret", "kek", "other_kek"):
            (folder / name).write_bytes(secrets.token_bytes(32))
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "DATABASE_URL": self.server.app_url,
            "GOVERNANCE_SECRET_KEY_FILE": str(folder / "secret"),
            "GOVERNANCE_KEK_FILE": str(folder / "kek"),
            "GOVERNANCE_PUBLIC_URL": "http://127.0.0.1:8000",
            "GOVERNANCE_STORAGE_URL": f"file:{folder / 'objects'}",
            "GOVERNANCE_VAR": str(folder / "var"),
        }
        self.rows(f'ALTER DATABASE "{database}" SET synchronous_commit = on')

    def python(self, code, **changed):
        return self._run("-c", code, **changed)

    def governance(self, *command, **changed):
        return self._run("-m", "governance.app.cli", *command, **changed)

    def _run(self, *arguments, **changed):
        changes = {name: str(value) for name, value in changed.items()}
        done = run_python(*arguments, environment=self.environment | changes)
        assert "Traceback" not in done.stderr, done.stderr
        return done

    def starts(self, **changed):
        """Return why web and jobs don't start; "" if they do."""
        done = self.python(START, **changed)
        assert bool(done.returncode) == ("Meridian can't start" in done.stderr), done.stderr
        return done.stderr if done.returncode else ""

    def rows(self, statement):
        with psycopg.connect(
            self.server.super_uri, dbname=self.database, autocommit=True
        ) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def wrapped(self):
        """Return everything that the installation's key encrypts here, and the marks."""
        return [
            self.rows(f"SELECT * FROM {table} ORDER BY id")
            for table in ("tenant_keys", "audit_log_keys", "signing_keys", "installation_marks")
        ]


@pytest.fixture(scope="module")
def filled(worker_id, tmp_path_factory):
    """Create two tenants and an operator with keys, and an evidence file, but no marks.

    An upgrade leaves an installation from before the marks in this state (migration 0035).
    """
    name = f"filled_{worker_id}"
    server = migrated_database(name)
    made = Installation(name, tmp_path_factory.mktemp("filled"))
    done = made.python(FILL)
    assert done.returncode == 0, done.stderr
    assert made.rows("SELECT count(DISTINCT tenant_id) FROM tenant_keys") == [(3,)]
    assert made.rows("SELECT * FROM installation_marks") == []
    yield made
    embedded.drop(server, name)


@pytest.fixture
def installation(filled, worker_id, tmp_path):
    name = f"installation_{worker_id}"
    embedded.drop(filled.server, name)
    with psycopg.connect(filled.server.super_uri, autocommit=True) as connection:
        connection.execute(
            f'CREATE DATABASE "{name}" OWNER {embedded.OWNER} TEMPLATE "{filled.database}"'
        )
    made = Installation(name, tmp_path)
    for part in ("secret", "kek"):
        shutil.copy(filled.folder / part, tmp_path / part)
    shutil.copytree(filled.folder / "objects", tmp_path / "objects")
    yield made
    embedded.drop(filled.server, name)


@pytest.fixture(params=["before its marks", "marked"])
def either(request, installation):
    """Return the installation, once before its first start with marks and once after it."""
    if request.param == "marked":
        assert installation.starts() == ""
        assert len(installation.rows("SELECT * FROM installation_marks")) == 1
    return installation


# ---- the key


def test_the_key_of_another_installation_is_refused_and_marks_nothing(either):
    before = either.wrapped()
    assert OTHER_KEY in either.starts(GOVERNANCE_KEK_FILE=either.other_key)
    done = either.governance("check", GOVERNANCE_KEK_FILE=either.other_key)
    assert done.returncode == 1 and "FAIL  GOVERNANCE_KEK_FILE" in done.stdout
    assert done.stderr.splitlines()[-1].startswith("Error: GOVERNANCE_KEK_FILE: ")
    assert either.wrapped() == before
    assert either.starts() == "", "the right one starts afterwards"
    done = either.governance("check")
    assert done.returncode == 0 and "Ready to start." in done.stdout, done.stdout + done.stderr
    assert "ok    GOVERNANCE_KEK_FILE" in done.stdout


@pytest.mark.parametrize("slug", ["acme", "globex"])
def test_a_key_that_only_one_tenants_data_disproves_is_refused(installation, slug):
    """Check each tenant: the others have nothing that the key must decrypt."""
    for table in ("tenant_keys", "audit_log_keys"):
        installation.rows(
            f"DELETE FROM {table} WHERE tenant_id <> (SELECT id FROM tenants WHERE slug = '{slug}')"
        )
    assert OTHER_KEY in installation.starts(GOVERNANCE_KEK_FILE=installation.other_key)
    assert installation.starts() == ""


def test_readiness_names_the_wrong_key(installation):
    """Detect it in a process that started before its database was available."""
    assert installation.starts() == ""
    status, checks = json.loads(installation.python(READY).stdout.splitlines()[-1])
    assert status == 200 and all(checks.values())
    told = installation.python(READY, GOVERNANCE_KEK_FILE=installation.other_key)
    status, checks = json.loads(told.stdout.splitlines()[-1])
    assert status == 503 and [name for name, fine in checks.items() if not fine] == ["key"]


def test_a_rotation_renews_everything_and_the_former_key_is_refused_then(either):
    former = either.environment["GOVERNANCE_KEK_FILE"]
    rotating = {
        "GOVERNANCE_KEK_FILE": either.other_key,
        "GOVERNANCE_KEK_PREVIOUS_FILE": former,
    }
    assert either.starts(**rotating) == ""
    done = either.governance("keys", "rotate-kek", **rotating)
    assert done.returncode == 0 and "You can remove it." in done.stdout, done.stdout + done.stderr
    assert either.starts(GOVERNANCE_KEK_FILE=either.other_key) == ""
    done = either.governance("check", GOVERNANCE_KEK_FILE=either.other_key)
    assert done.returncode == 0, done.stdout + done.stderr
    assert OTHER_KEY in either.starts()


@pytest.mark.parametrize("names_previous", [False, True])
def test_a_rotation_with_the_wrong_keys_changes_nothing(either, tmp_path, names_previous):
    """Reject a missing previous key, and the previous key of another installation."""
    before = either.wrapped()
    wrong = {"GOVERNANCE_KEK_FILE": either.other_key}
    if names_previous:
        (tmp_path / "third").write_bytes(secrets.token_bytes(32))
        wrong["GOVERNANCE_KEK_PREVIOUS_FILE"] = tmp_path / "third"
    done = either.governance("keys", "rotate-kek", **wrong)
    assert done.returncode == 1 and "Keep the previous key." in done.stdout
    assert "tenant_keys: 6 can't be decrypted with either key." in done.stdout
    assert either.wrapped() == before
    assert either.starts() == ""


# ---- the storage of an installation that has no marks yet


def test_a_storage_without_its_files_is_refused_and_marks_nothing(installation, tmp_path):
    (tmp_path / "empty").mkdir()
    empty = f"file:{tmp_path / 'empty'}"
    told = installation.starts(GOVERNANCE_STORAGE_URL=empty)
    assert "GOVERNANCE_STORAGE_URL doesn't hold the files of this database." in told
    assert installation.rows("SELECT * FROM installation_marks") == []
    assert installation.starts() == ""
    [[owner]] = installation.rows("SELECT installation_id FROM installation_marks")
    marker = installation.folder / "objects" / "installation"
    assert marker.read_text() == f"{owner}\n"


# ---- other servers


def test_check_tries_the_servers_that_the_settings_name(installation):
    """Use small servers that speak the real protocols, and ClickHouse's engine if installed."""
    door = socket.create_server(("127.0.0.1", 0))
    scanner = Clamd(door)
    scanner.start()
    with door, open_post_office() as office:
        named = {
            "GOVERNANCE_SMTP_URL": f"smtp://127.0.0.1:{office.server_address[1]}",
            "GOVERNANCE_CLAMAV": f"tcp://127.0.0.1:{door.getsockname()[1]}",
        }
        done = installation.governance("check", **named)
        assert done.returncode == 0, done.stdout + done.stderr
        for setting in named:
            assert f"ok    {setting}: " in done.stdout
        assert scanner.seen == [b"check"] and office.mails == []
    away = {
        "GOVERNANCE_SMTP_URL": f"smtp://127.0.0.1:{free_port()}",
        "GOVERNANCE_CLAMAV": f"tcp://127.0.0.1:{free_port()}",
    }
    done = installation.governance("check", **away)
    assert done.returncode == 0, "these stop nothing"
    assert "warn  GOVERNANCE_SMTP_URL" in done.stdout and "warn  GOVERNANCE_CLAMAV" in done.stdout


@pytest.mark.nightly
def test_check_tries_clickhouse(installation, tmp_path):
    server = ClickhouseServer(tmp_path)
    server.start()
    try:
        done = installation.governance("check", GOVERNANCE_USAGE_URL=server.url)
        assert done.returncode == 0 and "ok    GOVERNANCE_USAGE_URL" in done.stdout, done.stdout
    finally:
        server.kill()
    done = installation.governance("check", GOVERNANCE_USAGE_URL=server.url)
    assert "warn  GOVERNANCE_USAGE_URL" in done.stdout and "p@ss" not in done.stdout
