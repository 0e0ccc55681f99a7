"""A filled database of the last released schema, brought up to this one, back, and up again."""

from uuid import UUID, uuid4

import psycopg
import pytest
from alembic import command

from governance.app import migrate
from governance.kernel import embedded
from tests.conftest import KEEP

RELEASED = "0007"
ACME, GLOBEX, PERSON = (UUID(int=number) for number in (1, 2, 3))


@pytest.fixture
def database(worker_id):
    """An empty database at RELEASED: (owner's URL, a connection that row-level security does not bind)."""
    name = f"migrations_{worker_id}"
    started = embedded.start(KEEP / "pg", database=name)
    embedded.drop(started, name)
    started = embedded.start(KEEP / "pg", database=name)
    command.upgrade(migrate.configuration(started.owner_url), RELEASED)
    with psycopg.connect(started.super_uri, dbname=name, autocommit=True) as connection:
        yield started.owner_url, connection
    embedded.drop(started, name)


def insert(connection, table, **values):
    names, places = ", ".join(values), ", ".join(["%s"] * len(values))
    connection.execute(f"INSERT INTO {table} ({names}) VALUES ({places})", list(values.values()))


def fill(connection):
    """Two tenants: one with the provider it uses and one that never served anybody, and one with a single provider."""
    then = "2026-03-01T12:00:00Z"
    for tenant, slug in ((ACME, "acme"), (GLOBEX, "globex")):
        insert(connection, "tenants", id=tenant, slug=slug, name=slug, kind="customer", region="eu", time_zone="UTC", fiscal_year_start=1,
               tier="", status="active", classification="", unit="", audience="", created_at=then)  # fmt: skip
    insert(
        connection,
        "people",
        id=PERSON,
        issuer="https://id.acme.example",
        subject="1",
        email="a@acme.example",
        name="A",
        created_at=then,
    )
    insert(
        connection,
        "memberships",
        tenant_id=ACME,
        id=uuid4(),
        person_id=PERSON,
        role="admin",
        pseudonym="p",
        via="invitation",
        created_at=then,
    )
    for tenant, issuer, day in (
        (ACME, "https://id.acme.example", 1),
        (ACME, "https://old.acme.example", 2),
        (GLOBEX, "https://id.globex.example", 1),
    ):
        connection_id = uuid4()
        insert(connection, "connections", tenant_id=tenant, id=connection_id, issuer=issuer, client_id="console", secret=b"sealed",
               group_roles="{}", enforced=True, version=3, findings="[]", created_at=f"2026-03-0{day}T12:00:00Z")  # fmt: skip
        insert(connection, "sign_ins", tenant_id=tenant, id=uuid4(), connection_id=connection_id, state_hash=issuer.encode(), browser_hash=b"b",
               nonce="n", verifier="v", next_path="/", fresh=False, created_at=then)  # fmt: skip
    insert(
        connection,
        "invitations",
        tenant_id=ACME,
        id=uuid4(),
        email="b@acme.example",
        role="viewer",
        invited_by=PERSON,
        expires_at=then,
        created_at=then,
    )


def rows(connection, query):
    return connection.execute(query).fetchall()


def test_a_filled_database_of_the_last_release_is_upgraded_and_can_go_back(database):
    url, connection = database
    fill(connection)
    migrate.upgrade(url)
    assert rows(connection, "SELECT issuer, number, state FROM connections ORDER BY issuer") == [
        ("https://id.acme.example", 1, "live"),
        ("https://id.globex.example", 1, "live"),
        ("https://old.acme.example", 2, "retired"),
    ]
    assert rows(connection, "SELECT role_since = created_at FROM memberships") == [(True,)]
    assert rows(connection, "SELECT count(*) FROM sign_ins WHERE change_id IS NULL AND leaves IS NULL") == [(3,)]
    for table in ("connection_changes", "undo_offers", "kept_forms"):
        assert rows(connection, f"SELECT relforcerowsecurity FROM pg_class WHERE relname = '{table}'") == [(True,)]
    connection.execute("UPDATE invitations SET invited_by = NULL")  # as break-glass writes it
    command.downgrade(migrate.configuration(url), RELEASED)
    assert rows(connection, "SELECT issuer, version FROM connections ORDER BY issuer") == [
        ("https://id.acme.example", 1),
        ("https://id.globex.example", 1),
    ]
    assert rows(connection, "SELECT count(*) FROM sign_ins") == [(2,)]
    assert (
        rows(
            connection, "SELECT relforcerowsecurity FROM pg_class WHERE relname IN ('connections', 'memberships', 'invitations')"
        )
        == [(True,)] * 3
    )
    migrate.upgrade(url)
    assert rows(connection, "SELECT count(*) FROM connections WHERE state = 'live'") == [(2,)]
