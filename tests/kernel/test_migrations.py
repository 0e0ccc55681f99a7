"""Migrations: every release's database is upgraded, and released migrations never change.

Other databases are rejected.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import create_engine, text

from governance.app import migrate
from governance.kernel.data import embedded
from governance.kernel.data.db import Model
from tests import released_databases
from tests.migrated_databases import KEEP
from tests.preloaded_python import run_python
from tools import consolidate_migrations, released, schema_dump
from tools.new_migration import create

# Rows of these tables that a transaction of no tenant may see: what the sequencer and the jobs
# process look for.
pytestmark = pytest.mark.database

SEEN_BY_JOBS = {"audit_pending", "drills", "engagements"}
# (release, table, column) whose values a later migration changes on purpose, with the reason.
CHANGED_ON_PURPOSE: dict[tuple[str, str, str], str] = {}
# (release, table) that a later migration drops with all its rows, with the reason.
DROPPED_ON_PURPOSE = {
    ("0.1.0", "benchmarks"): "its feature was removed, docs/decisions/0158",
}
TENANTED = sorted(
    table.name for table in Model.metadata.tables.values() if "tenant_id" in table.columns
)

KEYS = """
    SELECT c.relname::text, array_agg(a.attname::text ORDER BY a.attname)
    FROM pg_class c JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY (i.indkey)
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
    GROUP BY c.oid, c.relname"""


@pytest.fixture
def scratch(worker_id):
    """Yield a name for a database of this test, which is dropped afterwards."""
    name = f"migrations_{worker_id}"
    started = embedded.start(KEEP / "pg", database=name)
    embedded.drop(started, name)
    yield name
    embedded.drop(started, name)


def rows(connection):
    """Return every row of every table, by table and key. Rows of a month belong to its table."""
    found = {}
    for table, key in connection.execute(KEYS).fetchall():
        if table != "alembic_version":
            cursor = connection.execute(f'SELECT * FROM "{table}"')
            names = [column.name for column in cursor.description]
            kept = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
            found[table] = {tuple(row[name] for name in key): row for row in kept}
    return found


# ---- upgrades of released databases


@pytest.mark.parametrize("version", released_databases.versions())
def test_a_filled_database_of_a_release_is_upgraded_without_losing_anything(version, scratch):
    started = released_databases.load(version, KEEP / "pg", scratch)
    with psycopg.connect(started.super_uri, dbname=scratch, autocommit=True) as connection:
        before = rows(connection)
        assert {table for table, kept in before.items() if not kept} == set()
        for table in before.keys() & set(TENANTED):
            assert len({row["tenant_id"] for row in before[table].values()}) >= 2, (
                f"{table} has rows of one tenant only"
            )
        migrate.upgrade(started.owner_url)
        after = rows(connection)
        assert lost(version, before, after) == []
        dropped = {table for release, table in DROPPED_ON_PURPOSE if release == version}
        assert before.keys() - after.keys() == dropped
        fresh = embedded.start(KEEP / "pg", database=f"{scratch}_fresh")
        try:
            migrate.upgrade(fresh.owner_url)
            create_month(started, f"{scratch}_fresh")
            upgraded = released_databases.restored_schema(started, KEEP / "pg", scratch)
            new = released_databases.restored_schema(started, KEEP / "pg", f"{scratch}_fresh")
        finally:
            embedded.drop(fresh, f"{scratch}_fresh")
    # test_isolation.py proves policies, keys and grants of a new database. An upgraded one has
    # the same.
    assert schema_dump.differences(upgraded, new) == []
    engine = create_engine(started.app_url)
    with engine.connect() as connection:
        assert trespasses(connection, after) == []
    engine.dispose()


def create_month(started, database):
    """Create the current month of minute counts and usage events.

    An installation has it from its first day.
    """
    with psycopg.connect(started.super_uri, dbname=database, autocommit=True) as connection:
        for function in ("create_minute_partition", "create_usage_partition"):
            connection.execute(f"SELECT {function}(date_trunc('month', now())::date)")


def lost(version, before, after):
    return [
        f"{table} {row_id} {column}"
        for table, kept in before.items()
        if (version, table) not in DROPPED_ON_PURPOSE
        for row_id, row in kept.items()
        for column, value in row.items()
        if (version, table, column) not in CHANGED_ON_PURPOSE
        and after.get(table, {}).get(row_id, {}).get(column) != value
    ]


def trespasses(connection, after):
    """Return the leaks of each table: rows of other tenants seen, or the acting tenant's unseen."""
    found = []
    tenants = {row["tenant_id"] for row in after["memberships"].values()}
    assert len(tenants) >= 2
    for tenant in [*tenants, None]:
        connection.execute(
            text("SELECT set_config('app.tenant', :tenant, true)"), {"tenant": str(tenant or "")}
        )
        for table in sorted(after.keys() & set(TENANTED)):
            own = {row_id for row_id, row in after[table].items() if row["tenant_id"] == tenant}
            key = [c.name for c in Model.metadata.tables[table].primary_key]
            names = ", ".join(f'"{name}"' for name in sorted(key))
            seen = {
                tuple(row) for row in connection.execute(text(f'SELECT {names} FROM "{table}"'))
            }
            if seen != own and not (tenant is None and table in SEEN_BY_JOBS):
                found.append(
                    f"{table}, acting as {tenant}: {len(seen - own)} too many, {len(own - seen)}"
                    " missing"
                )
    return found


def test_the_comparisons_find_what_is_planted(scratch):
    """Plant a lost row, a lost value, a policy that admits everybody, and an extra grant."""
    started = released_databases.load("0.1.0", KEEP / "pg", scratch)
    with psycopg.connect(started.super_uri, dbname=scratch, autocommit=True) as connection:
        before, schema = rows(connection), schema_dump.schema(KEEP / "pg", started, scratch)
        connection.execute(
            "DELETE FROM waivers WHERE id = (SELECT min(id::text)::uuid FROM waivers)"
        )
        connection.execute("UPDATE controls SET title = 'another'")
        after = rows(connection)
        assert {line.split()[0] for line in lost("0.1.0", before, after)} == {"waivers", "controls"}
        connection.execute("CREATE POLICY friendly ON waivers FOR SELECT USING (true)")
        connection.execute("GRANT DELETE ON waivers TO governance_app")
        connection.execute("ALTER TABLE controls NO FORCE ROW LEVEL SECURITY")
        connection.execute("ALTER TABLE controls ALTER title DROP NOT NULL")
        [month, *_] = connection.execute(
            "SELECT inhrelid::regclass::text FROM pg_inherits i WHERE inhparent ="
            " 'indicator_minutes'::regclass ORDER BY 1"
        ).fetchall()
        connection.execute(f"ALTER TABLE {month[0]} NO FORCE ROW LEVEL SECURITY")
        connection.execute("GRANT EXECUTE ON FUNCTION drop_minute_partition TO PUBLIC")
        connection.execute("ALTER FUNCTION create_minute_partition RESET search_path")
        found = schema_dump.differences(schema, schema_dump.schema(KEEP / "pg", started, scratch))
        assert [line.partition(" differs.")[0] for line in found] == [
            "ACL FUNCTION drop_minute_partition(month date)",
            "ACL TABLE waivers",
            "FUNCTION create_minute_partition(date)",
            "POLICY waivers friendly",
            "TABLE controls",
            "TABLE indicator_minutes_MONTH",
        ]
    engine = create_engine(started.app_url)
    with engine.connect() as connection:
        assert {line.partition(",")[0] for line in trespasses(connection, after)} == {"waivers"}
    engine.dispose()


# ---- append-only


def test_released_migrations_are_unchanged():
    assert released.changed(released.LIST.read_text()) == []


def test_a_released_migration_that_changes_or_goes_is_named(tmp_path):
    listed = released.LIST.read_text()
    first = next(path for path in released.VERSIONS.glob("0001*.py"))
    copy = tmp_path / first.name
    assert [
        line.partition(" was released and ")[2][:8] for line in released.changed(listed, tmp_path)
    ] == ["is gone."]
    copy.write_bytes(first.read_bytes() + b"\n")
    assert [
        line.partition(" was released and ")[2][:11] for line in released.changed(listed, tmp_path)
    ] == ["has changed"]


def test_every_release_of_the_list_has_its_filled_database():
    """Require a database for each release; otherwise users would be the first to upgrade it."""
    names = [line.split("versions/")[1] for line in released.LIST.read_text().splitlines()]
    assert "0001_release_0_1_0.py" in names and "0.1.0" in released_databases.versions()


# ---- unreleased databases


@pytest.mark.parametrize("schema", ["0001", "0012"])
def test_a_database_of_a_build_before_the_release_is_refused_with_what_to_do(scratch, schema):
    started = embedded.start(KEEP / "pg", database=scratch)
    with psycopg.connect(started.super_uri, dbname=scratch, autocommit=True) as connection:
        connection.execute("CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)")
        connection.execute("INSERT INTO alembic_version VALUES (%s)", [schema])
        connection.execute("ALTER TABLE alembic_version OWNER TO governance_owner")
        reply = migrate_command(started)
        assert reply.returncode == 1 and "Traceback" not in reply.stderr
        assert f"schema {schema} of a build before release 0.1.0" in reply.stderr
        assert "Create an empty database" in reply.stderr and "Nothing was changed." in reply.stderr
        assert set(rows(connection)) == set()


def test_a_database_of_a_newer_version_is_refused_with_what_to_do(scratch):
    started = released_databases.load("0.1.0", KEEP / "pg", scratch)
    with psycopg.connect(started.super_uri, dbname=scratch, autocommit=True) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999_from_the_future'")
        before = rows(connection)
        reply = migrate_command(started)
        assert reply.returncode == 1 and "Traceback" not in reply.stderr
        assert "9999_from_the_future" in reply.stderr and "restore the backup" in reply.stderr
        assert rows(connection) == before


def dumped(started, database):
    """Return pg_dump's output without psql's own commands, which contain a random token."""
    text = schema_dump.dump(KEEP / "pg", started, database, "--column-inserts")
    return [line for line in text.splitlines() if not line.startswith("\\")]


@pytest.mark.parametrize("schema", ["0001_release_0_1_0", "0018_red_teams"])
def test_a_database_of_a_build_that_already_called_itself_released_is_refused(scratch, schema):
    """Reject a database of commit e0382a6d.

    Its first migration has the released name, but no work_failures.
    """
    started = released_databases.load("0.1.0", KEEP / "pg", scratch)
    with psycopg.connect(started.super_uri, dbname=scratch, autocommit=True) as connection:
        connection.execute("DROP TABLE work_failures")
        connection.execute("UPDATE alembic_version SET version_num = %s", [schema])
        before = dumped(started, scratch)
        reply = migrate_command(started)
        assert reply.returncode == 1 and "Traceback" not in reply.stderr
        assert f"calls its schema {schema}, but has no work_failures." in reply.stderr
        assert "Create an empty database" in reply.stderr and "Nothing was changed." in reply.stderr
        assert dumped(started, scratch) == before


def test_an_upgrade_that_meets_a_lock_says_how_far_it_came_and_continues(scratch):
    started = released_databases.load("0.1.0", KEEP / "pg", scratch)
    with psycopg.connect(started.super_uri, dbname=scratch) as other:
        other.execute("LOCK TABLE work_failures IN ACCESS SHARE MODE")
        pid = other.info.backend_pid
        reply = migrate_command(started)
    assert reply.returncode == 1 and "Traceback" not in reply.stderr, reply.stderr
    [sentence] = [line for line in reply.stderr.splitlines() if line.startswith("Migration ")]
    assert "Migration 0019_shared_writes couldn't finish" in sentence
    assert f"process {pid} (" in sentence and "holds a lock on work_failures" in sentence
    assert "The database has everything up to 0018_red_teams" in sentence
    assert "Run governance migrate again: it continues there." in sentence
    reply = migrate_command(started)
    assert reply.returncode == 0 and "The database is up to date." in reply.stdout, reply.stderr


def migrate_command(started):
    """Run `governance migrate` as an operator does."""
    environment = {
        "PATH": os.environ["PATH"],
        "GOVERNANCE_DEMO": "1",
        "GOVERNANCE_PUBLIC_URL": "http://127.0.0.1:8000",
        "DATABASE_URL": started.app_url,
        "GOVERNANCE_OWNER_DATABASE_URL": started.owner_url,
    }
    return run_python("-m", "governance.app.cli", "migrate", environment=environment)


# ---- the maintainers' commands


@pytest.fixture
def versions(tmp_path):
    """Return a copy of migrations/versions to add to."""
    return Path(
        shutil.copytree(
            released.VERSIONS, tmp_path / "versions", ignore=shutil.ignore_patterns("__pycache__")
        )
    )


LATER = '''"""What autogenerate can't see"""

from alembic import op

revision = "0099"
down_revision = "0098"


def upgrade() -> None:
    op.execute("CREATE POLICY friendly ON waivers FOR SELECT USING (value = '0'::jsonb)")
    op.execute("CREATE POLICY gone ON waivers FOR SELECT USING (true)")
    op.execute("DROP POLICY gone ON waivers")
    op.execute("GRANT UPDATE (digest) ON frameworks TO governance_app")
    op.execute("REVOKE DELETE ON saved_views FROM governance_app"){more}
'''


@pytest.mark.nightly
def test_consolidating_carries_what_the_models_do_not_declare(server_folder, versions):
    """Follow file names when several branches each added "the next" migration."""
    (versions / "0099_later.py").write_text(LATER.format(more=""))
    found, source = consolidate_migrations.consolidate(server_folder, "0.1.0", versions)
    assert found == []
    assert "CREATE POLICY friendly ON waivers" in source and "POLICY gone" not in source
    assert 'op.execute("GRANT UPDATE (digest) ON frameworks TO governance_app")' in source


def test_consolidating_follows_the_chain_before_the_names(tmp_path):
    """Follow the chain when branches were linked after they had their numbers."""
    chain = [("0001_a", None), ("0002_d", "0001_a"), ("0002_c", "0002_d"), ("0099_e", "0098")]
    for name, before in chain:
        (tmp_path / f"{name}.py").write_text(
            f'revision = "{name}"\ndown_revision = {before!r}\n'.replace("'", '"')
        )
    ordered = [path.stem for path in consolidate_migrations._in_order(tmp_path)]
    assert ordered == [name for name, _ in chain]


@pytest.mark.nightly
def test_consolidating_refuses_what_it_can_not_carry(server_folder, versions):
    more = '\n    op.execute("CREATE VIEW stray AS SELECT 1 AS one")'
    (versions / "0099_later.py").write_text(LATER.format(more=more))
    found, _ = consolidate_migrations.consolidate(server_folder, "0.1.0", versions)
    assert [line.partition(" differs.")[0] for line in found] == ["VIEW stray"]


def test_consolidating_makes_the_same_schema(server_folder, tmp_path):
    versions = tmp_path / "versions"
    versions.mkdir()
    for present in released.VERSIONS.glob("0*.py"):
        shutil.copy(present, versions)
    found, _source = consolidate_migrations.consolidate(server_folder, "0.1.0", versions)
    assert found == []


TOY = """
import sys
from pathlib import Path

from sqlalchemy.orm import Mapped

from governance.kernel.data.db import Model, Tenanted


class Toy(Tenanted, Model):
    __tablename__ = "toys"
    name: Mapped[str]


class Catalogue(Model):
    __tablename__ = "toy_catalogue"
    name: Mapped[str]


from tools import new_migration

sys.argv = ["new_migration", "Toys, and their catalogue"]
print(new_migration.create(sys.argv[1], Path(VERSIONS)))
"""


def new_migration(versions, code):
    return run_python("-c", code.replace("VERSIONS", repr(str(versions))), environment=os.environ)


def test_a_new_migration_is_numbered_and_seals_its_tables(versions):
    reply = new_migration(versions, TOY)
    path = Path(reply.stdout.split()[-1])
    last = max(int(each.name[:4]) for each in versions.glob("*.py") if each != path)
    assert reply.returncode == 0
    assert path == versions / f"{last + 1:04}_toys_and_their_catalogue.py"
    source = path.read_text()
    assert 'down_revision = "0001_release_0_1_0"' in source or len(list(versions.glob("*.py"))) > 2
    assert (
        'seal_by_tenant("toys")' in source
        and 'let_use("toys", "SELECT, INSERT, UPDATE, DELETE")' in source
    )
    assert (
        'seal_by_tenant("toy_catalogue")' not in source
        and "SHARED of tests/test_isolation.py" in source
    )
    assert (
        "from migrations.sealing import let_use, seal_by_tenant" in source
        and "postgresql" not in source
    )
    programs = Path(sys.executable).parent
    for check in ("check --ignore INP001", "format --check"):
        subprocess.run(
            [programs / "ruff", *check.split(), "--config", released.ROOT / "pyproject.toml", path],
            check=True,
        )


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("???", "Name the migration"),
        ("a name that is far too long for a version", "Choose a shorter name"),
        ("other", "follow the same migration"),
    ],
)
def test_a_new_migration_that_can_not_be_written_is_refused_with_what_to_do(
    versions, name, sentence
):
    if name == "other":
        for number in ("0098", "0099"):
            text = (
                LATER.replace('"0099"', f'"{number}"')
                .replace('"0098"\n\n', '"0001_release_0_1_0"\n\n')
                .replace("{more}", "")
            )
            (versions / f"{number}_later.py").write_text(text)
    with pytest.raises(SystemExit, match=sentence):
        create(name, versions)
    assert not list(versions.glob("*too_long*")) + list(versions.glob("*other*"))


# ---- 0033: rows of one edition with different former ids

TWIN = "11111111-1111-4111-8111-111111111111"


def test_two_rows_of_one_edition_become_one_and_no_mapping_is_lost(scratch):
    """Merge SOC 2's rows: a tenant mapped to the newer one, another adopted the older one."""
    started = released_databases.load("0.1.0", KEEP / "pg", scratch)
    with psycopg.connect(started.super_uri, dbname=scratch, autocommit=True) as connection:
        [kept] = connection.execute(
            "SELECT id FROM frameworks WHERE key = 'soc2-tsc-2017'"
        ).fetchone()
        connection.execute(
            "INSERT INTO frameworks SELECT %s, key, title, version, edition, publisher, licence,"
            " source, 'corrected', NULL, created_at + interval '1 day' FROM frameworks"
            " WHERE id = %s",
            (TWIN, kept),
        )
        connection.execute("UPDATE frameworks SET superseded_at = now() WHERE id = %s", (kept,))
        connection.execute(
            "INSERT INTO requirements SELECT gen_random_uuid(), %s, ref, 'Corrected ' || ref,"
            " outcome, parent_ref, depth, position, assessable, created_at FROM requirements"
            " WHERE framework_id = %s",
            (TWIN, kept),
        )
        [tenant, other] = (
            row[0] for row in connection.execute("SELECT DISTINCT tenant_id FROM controls LIMIT 2")
        )
        [control] = connection.execute(
            "SELECT id FROM controls WHERE tenant_id = %s LIMIT 1", (tenant,)
        ).fetchone()
        refs = [
            row[0]
            for row in connection.execute(
                "SELECT ref FROM requirements WHERE framework_id = %s AND assessable"
                " ORDER BY position LIMIT 2",
                (TWIN,),
            )
        ]
        map_to = (
            "INSERT INTO control_mappings (tenant_id, id, control_id, requirement_id, coverage,"
            " created_at) SELECT %s, gen_random_uuid(), %s, id, %s, %s FROM requirements"
            " WHERE framework_id = %s AND ref = %s"
        )
        connection.execute("DELETE FROM control_mappings WHERE tenant_id = %s", (tenant,))
        for framework, coverage, at, ref in (
            (kept, "partial", "2026-01-01", refs[0]),
            (TWIN, "full", "2026-02-01", refs[0]),
            (TWIN, "full", "2026-02-01", refs[1]),
        ):
            connection.execute(map_to, (tenant, control, coverage, at, framework, ref))
        connection.execute("DELETE FROM adoptions WHERE framework_id = %s", (kept,))
        adopt = (
            "INSERT INTO adoptions (tenant_id, id, framework_id, created_at)"
            " VALUES (%s, gen_random_uuid(), %s, '2026-01-01')"
        )
        for each in ((tenant, kept), (tenant, TWIN), (other, TWIN)):
            connection.execute(adopt, each)

        migrate.upgrade(started.owner_url)

        rows_of = connection.execute(
            "SELECT id, digest, superseded_at FROM frameworks WHERE key = 'soc2-tsc-2017'"
        ).fetchall()
        assert rows_of == [(kept, "corrected", None)]
        open_mappings = connection.execute(
            "SELECT r.ref, r.title, m.coverage FROM control_mappings m"
            " JOIN requirements r ON r.id = m.requirement_id"
            " WHERE m.tenant_id = %s AND m.removed_at IS NULL AND r.framework_id = %s"
            " ORDER BY r.position",
            (tenant, kept),
        ).fetchall()
        assert open_mappings == [(ref, f"Corrected {ref}", "full") for ref in refs]
        ended = "SELECT count(*) FROM control_mappings WHERE tenant_id = %s AND removed_at > now() - interval '1 hour'"
        assert connection.execute(ended, (tenant,)).fetchone() == (1,)
        adopted = connection.execute(
            "SELECT tenant_id FROM adoptions WHERE framework_id = %s", (kept,)
        ).fetchall()
        assert {row[0] for row in adopted} == {tenant, other} and len(adopted) == 2
        revisions = connection.execute(
            "SELECT number, digest FROM framework_revisions WHERE framework_id = %s"
            " ORDER BY number",
            (kept,),
        ).fetchall()
        assert [number for number, _ in revisions] == [1, 2] and revisions[1][1] == "corrected"
        unsealed = connection.execute(
            "SELECT relname FROM pg_class WHERE relname IN ('adoptions', 'control_mappings')"
            " AND NOT relforcerowsecurity"
        ).fetchall()
        assert unsealed == []
