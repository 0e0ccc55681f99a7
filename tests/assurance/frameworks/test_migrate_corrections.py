"""`governance migrate` after a catalogue correction.

A tenant's mappings, evidence and scores don't change. The database has the texts of an earlier
version, and the command is the operator's.
"""

import os

import psycopg
import pytest

from governance.assurance.frameworks import catalogue
from governance.kernel.data import embedded
from tests.migrated_databases import migrated_database
from tests.preloaded_python import run_python

EARLIER = "Integrity and ethical values, as an earlier version said"
# Tables that the correction itself writes. No other may change.
CORRECTED = {"frameworks", "requirements", "framework_revisions"}
OPERATORS_LOG = {"audit_entries", "audit_pending", "audit_logs", "audit_log_keys"}
FILL = f"""
import dataclasses
from datetime import date
from sqlalchemy import create_engine
from governance.app.factory import create_app
from governance.assurance.assessments import assessment_actions
from governance.assurance.controls import adoption_actions
from governance.assurance.frameworks import catalogue, queries, sync
from governance.app.settings import from_environment
from governance.kernel.data.db import session
from tests import make
from tests.assurance.evidence.evidence_helpers import accept_version, upload_version
from tests.browser import Visitor
from governance.assurance.evidence.models import Evidence
from sqlalchemy import select
app = create_app()
with create_engine(from_environment().owner_database_url).begin() as connection:
    for each in catalogue.all_catalogues():
        if each.key == "soc2-tsc-2017":
            rows = list(each.requirements)
            rows[1] = dataclasses.replace(rows[1], title={EARLIER!r})
            each = dataclasses.replace(each, requirements=tuple(rows))
        sync.install(connection, each)
make.create_world()
for slug in ("acme", "globex"):
    with make.acting("compliance_officer" if slug == "acme" else "admin", slug):
        adoption_actions.adopt(None)
with make.acting("compliance_officer", read_only=True):
    items = list(session().scalars(select(Evidence.id).limit(3)))
for item in items:
    accept_version(upload_version(item, by="compliance_officer"))
for title in ("Closed", "Open"):
    with make.acting("compliance_officer"):
        started = assessment_actions.start_assessment(
            queries.framework("soc2-tsc-2017").id,
            title=title,
            period_from=date(2026, 1, 1),
            period_to=date(2026, 12, 31),
        ).id
    if title == "Closed":
        officer = Visitor(app, make.cookie("compliance_officer"))
        officer.post(f"assessments/{{started}}/closing", accept_open="y")
"""
SHOW = """
import re
from governance.app.factory import create_app
from tests import make
from tests.browser import Visitor
officer = Visitor(create_app(), make.cookie("compliance_officer"))
page = officer.get("frameworks/soc2-tsc-2017/requirements").text
main = page.partition("<main")[2].partition("</main>")[0]
print("SHOWN", re.sub(r"\\s+", " ", re.sub(r"<[^>]+>", " ", main)))
"""


@pytest.fixture
def installed(worker_id):
    name = f"corrected_{worker_id}"
    started = migrated_database(name)
    yield started
    embedded.drop(started, name)


@pytest.fixture
def run(installed, tmp_path):
    def run(*arguments):
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "GOVERNANCE_DEMO": "1",
            "GOVERNANCE_PUBLIC_URL": "http://127.0.0.1:8000",
            "GOVERNANCE_VAR": str(tmp_path / "var"),
            "DATABASE_URL": installed.app_url,
            "GOVERNANCE_OWNER_DATABASE_URL": installed.owner_url,
        }
        done = run_python(*arguments, environment=environment)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def rows(installed):
    """Return every row of every table as text, by table."""
    database = installed.owner_url.partition("?")[0].rpartition("/")[2]
    with psycopg.connect(installed.super_uri, dbname=database) as connection:
        tables = connection.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
            " AND relkind IN ('r', 'p') AND NOT relispartition"
        ).fetchall()
        return {
            name: sorted(
                each for [each] in connection.execute(f'SELECT t::text FROM "{name}" t').fetchall()
            )
            for [name] in tables
        }


@pytest.mark.slow
def test_migrate_after_a_correction_loses_no_mapping_evidence_or_score(installed, run):
    run("-c", FILL)
    shown = run("-c", SHOW).partition("SHOWN")[2]
    assert EARLIER in shown
    before = rows(installed)
    for table in ("control_mappings", "evidence_versions", "assessment_items", "adoptions"):
        assert before[table], table

    assert "The database is up to date." in run("-m", "governance.app.cli", "migrate")

    after = rows(installed)
    changed = {table for table in before if before[table] != after[table]}
    assert changed - OPERATORS_LOG == CORRECTED
    for table in OPERATORS_LOG:
        assert set(before[table]) <= set(after[table]), f"{table} only gains rows"
    [gained] = set(after["framework_revisions"]) - set(before["framework_revisions"])
    assert EARLIER in gained
    now = run("-c", SHOW).partition("SHOWN")[2]
    shipped = catalogue.load_catalogue("soc2-tsc-2017").requirements[1].title
    assert now == shown.replace(EARLIER, shipped), "levels and controls too"
    again = rows(installed)
    run("-m", "governance.app.cli", "migrate")
    assert rows(installed) == again, "a second run changes nothing"
