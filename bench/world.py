"""The database that the bench measures.

It has 72 requirements, the starter pack's controls and 500 evidence items with reviewed versions.
"""

import logging
import os
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import psycopg
import structlog
from flask import Flask
from sqlalchemy import select, text

from bench import floor
from governance.app import migrate
from governance.assurance.assessments import assessment_actions, assessment_queries
from governance.assurance.assessments.models import AssessmentItem
from governance.assurance.controls import adoption_actions
from governance.assurance.frameworks import actions as adopting
from governance.assurance.frameworks import queries as frameworks
from governance.assurance.frameworks import sync
from governance.foundation.audit import sequencer
from governance.kernel import clock
from governance.kernel.data import db, embedded
from governance.kernel.data.db import session
from tests import make

KEY, REF = "nist-ai-rmf-1.0", "MEASURE 2.7"
EVIDENCE = 500
DATABASE = "bench"
VAR = Path("var/bench")
FILLED = "bench_filled"


def database(folder: Path) -> embedded.Embedded:
    """Start a fresh, migrated database that also has the floors' tables."""
    server = embedded.start(folder, DATABASE)
    embedded.drop(server, DATABASE)
    server = embedded.start(folder, DATABASE)
    migrate.upgrade(server.owner_url)
    sync.install_catalogues(server.owner_url)
    with psycopg.connect(server.owner_url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(floor.TABLES)
    return server


def environment(server: embedded.Embedded) -> dict[str, str]:
    """Return the environment variables that start the servers of the bench."""
    return {
        **os.environ,
        "GOVERNANCE_DEMO": "1",
        "GOVERNANCE_VAR": str(VAR.resolve()),
        "GOVERNANCE_PUBLIC_URL": "http://127.0.0.1",
        "DATABASE_URL": server.app_url,
        "GOVERNANCE_OWNER_DATABASE_URL": server.owner_url,
        "FLOOR_DATABASE": server.app_url.replace("+psycopg", ""),
    }


def application() -> Flask:
    """Create the application of this process, which logs errors only."""
    from governance.app.factory import create_app

    app = create_app()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    return app


def cookie(app: Flask) -> str:
    from tests import make

    with app.app_context():
        return make.cookie("compliance_officer")


def token(app: Flask, cookie: str) -> str:
    from governance.kernel.web.responses import csrf_token

    with app.test_request_context("/", headers={"Cookie": f"session={cookie}"}):
        return csrf_token()


def framework_id() -> str:
    with make.acting(read_only=True):
        return str(frameworks.framework(KEY).id)


def an_item() -> UUID:
    """Return the item of the measured assessment for which conclusions are written."""
    with make.acting(read_only=True):
        assessment = assessment_queries.current_assessment(frameworks.framework(KEY).id)
        return (
            session()
            .scalars(
                select(AssessmentItem.id)
                .where(AssessmentItem.assessment_id == assessment.id)
                .limit(1)
            )
            .one()
        )


def analyze(server: embedded.Embedded) -> None:
    """Run VACUUM ANALYZE, as autovacuum would have in a database in use.

    Without fresh statistics, plans are guesses.
    """
    with psycopg.connect(superuser(server), autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")


def keep_filled(server: embedded.Embedded) -> None:
    """Keep the database as it is, so that each section starts with the same one."""
    db.engine().dispose()
    with psycopg.connect(server.super_uri, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{FILLED}" WITH (FORCE)')
        connection.execute(f'ALTER DATABASE "{DATABASE}" RENAME TO "{FILLED}"')


def bring_filled_back(server: embedded.Embedded) -> None:
    """Restore the database from the copy that keep_filled() stored."""
    db.engine().dispose()
    with psycopg.connect(server.super_uri, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{DATABASE}" WITH (FORCE)')
        connection.execute(f'CREATE DATABASE "{DATABASE}" TEMPLATE "{FILLED}"')


def superuser(server: embedded.Embedded) -> str:
    """Return the URL of the bench's database for a role that bypasses row-level security."""
    return server.super_uri.replace("/postgres?", f"/{DATABASE}?")


def fill() -> None:
    """Add people, framework, controls and the assessment by the product's actions.

    Most evidence is written by SQL, as the tenant.
    """
    make.create_world()
    today = clock.today()
    with make.acting():
        adopting.adopt_framework(KEY)
        adoption_actions.adopt()
    with make.acting():
        session().execute(text(PIECES), {"more": EVIDENCE})
        session().execute(text(LINKS))
        for number in (1, 2):
            facts = {
                "number": number,
                "age": 100 - 40 * number,
                "by": make.person_id("contributor"),
                "reviewer": make.person_id("reviewer"),
            }
            session().execute(text(VERSIONS), facts)
            session().execute(text(REVIEWS), facts)
    with make.acting():
        framework = frameworks.framework(KEY)
        assessment_actions.start_assessment(
            framework.id,
            title="Measured",
            period_from=today - timedelta(days=180),
            period_to=today + timedelta(days=1),
        )


def sequence() -> None:
    """Sequence all pending entries of the log, as the schedule does within a second."""
    with make.acting("admin"):
        while sequencer.sequence():
            pass


PIECES = """
INSERT INTO evidence (tenant_id, id, ref, title, kind, cadence, confidentiality, version, created_at)
SELECT current_setting('app.tenant')::uuid, gen_random_uuid(), 'EV-9' || lpad(n::text, 4, '0'), 'Measured piece ' || n, kind, 'quarterly', 'internal', 1, now()
FROM generate_series(1, :more - (SELECT count(*) FROM evidence)) n, (SELECT kind FROM evidence LIMIT 1) k
"""
LINKS = """
INSERT INTO evidence_links (tenant_id, id, evidence_id, control_id, note, created_at)
SELECT e.tenant_id, gen_random_uuid(), e.id, c.id, '', now()
FROM (SELECT *, row_number() OVER (ORDER BY ref) AS n FROM evidence WHERE ref LIKE 'EV-9%') e
JOIN (SELECT *, row_number() OVER (ORDER BY ref) AS n, count(*) OVER () AS of FROM controls) c ON c.n = e.n % c.of + 1
"""
VERSIONS = """
INSERT INTO evidence_versions (tenant_id, id, evidence_id, number, url, source, collected_at, uploaded_at, uploaded_by, period_from, period_to, valid_until, created_at)
SELECT tenant_id, gen_random_uuid(), id, :number, 'https://files.acme.example/' || ref, 'Link', now() - make_interval(days => :age), now() - make_interval(days => :age),
  :by, current_date - 180 - :age, current_date - :age, current_date + 90, now() FROM evidence
"""
REVIEWS = """
INSERT INTO evidence_reviews (tenant_id, id, version_id, decision, reason, reviewed_by, reviewed_at, created_at)
SELECT tenant_id, gen_random_uuid(), id, 'accepted', '', :reviewer, uploaded_at + interval '1 day', now() FROM evidence_versions WHERE number = :number
"""
