"""Health checks that an operator can request from Meridian."""

import pytest
from sqlalchemy import create_engine, text

from governance.kernel.data import db


def test_alive(client):
    assert client.client.get("/healthz").json == {"status": "alive"}


def test_ready_when_database_migrations_and_role_are_right(client):
    reply = client.client.get("/readyz")
    assert reply.status_code == 200 and reply.json["status"] == "ready"
    assert reply.json["checks"].keys() >= {"database", "migrations", "role"} and all(
        reply.json["checks"].values()
    )


@pytest.fixture
def served(server, settings):
    """Serve the application on a connection other than the tests' own, and roll it back."""
    opened = []

    def serve(url: str, *statements: str):
        engine = create_engine(url)
        connection = engine.connect()
        for statement in statements:
            connection.execute(text(statement))
        db.connect(connection)
        opened.append((engine, connection))

    yield serve
    for engine, connection in opened:
        connection.rollback()
        connection.close()
        engine.dispose()
    db.connect(settings.database_url)


def test_not_ready_when_a_migration_is_missing(client, server, settings):
    engine = create_engine(server.owner_url)
    with engine.connect() as owner:
        owner.execute(text("UPDATE alembic_version SET version_num = '0000'"))
        db.connect(owner)
        reply = client.client.get("/readyz")
        owner.rollback()
    engine.dispose()
    db.connect(settings.database_url)
    assert reply.status_code == 503
    assert reply.json == {
        "status": "not ready",
        "checks": {"database": True, "migrations": False, "role": True, "snapshots": True},
    }


def test_not_ready_with_a_role_that_row_level_security_does_not_bind(client, served, server):
    served(
        server.super_uri.replace("postgresql://", "postgresql+psycopg://"),
        "SET statement_timeout = '5s'",
    )
    reply = client.client.get("/readyz")
    assert reply.status_code == 503 and reply.json["checks"]["role"] is False


def test_not_ready_without_a_database(client, settings):
    db.connect("postgresql+psycopg://nobody@/nothing?host=/nowhere")
    try:
        reply = client.client.get("/readyz")
        assert reply.status_code == 503
        assert {name for name, fine in reply.json["checks"].items() if fine} <= {
            "snapshots"
        }  # This process follows no changes.
        assert client.client.get("/healthz").status_code == 200
        assert "governance_work_waiting -1.0" in client.client.get("/metrics").text
        page = client.client.get("/t/acme/")
        assert page.status_code == 503 and "The database is unavailable" in page.text
    finally:
        db.connect(settings.database_url)


def test_metrics_count_requests_and_waiting_work(client, acting):
    from governance.kernel.work import jobs

    with acting("admin"):
        jobs.enqueue("health test")
    client.client.get("/healthz")
    text = client.client.get("/metrics").text
    assert 'governance_requests_total{endpoint="health.healthz",method="GET",status="200"}' in text
    assert "governance_work_waiting 1.0" in text and "governance_csp_reports_total" in text
    assert "acme" not in text
