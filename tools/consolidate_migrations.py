"""Fold all migrations into one for a release, and prove that both create the same schema.

A maintainer's command.

    python -m tools.consolidate_migrations 0.1.0           write it
    python -m tools.consolidate_migrations 0.1.0 --check   only prove it

It upgrades an empty embedded PostgreSQL through the files of migrations/versions. Each runs
after the one in its down_revision, and ties run in the order of their names, so branches that
each added "the next one" need no relinking. It writes
migrations/versions/0001_release_0_1_0.py from the models and from the statements that ran,
upgrades a second empty database with that file alone, and compares the pg_dump output of both.

Any difference is printed, and no file changes. Otherwise the earlier files are removed. The list
of released migrations (tests/released/migrations.sha256) and the filled database that tests
upgrade (tests/released/0.1.0.sql.xz) are written. Run it only before a release, because a
released migration never changes.
"""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from alembic import command
from sqlalchemy import Engine, event

from governance.app import migrate, models  # noqa: F401 - every table
from governance.kernel.data import embedded
from governance.kernel.data.db import Model
from tools import migration_source, released, schema_dump

ROOT = Path(__file__).parents[1]
GRANTED = """
    SELECT c.relname, a.privilege_type FROM pg_class c, aclexplode(c.relacl) a
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND a.grantee = 'governance_app'::regrole
"""
SEALED = (
    "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relrowsecurity"
)
NAMELESS = (
    "COLUMN GRANT",
    "STATISTICS",
    "COMMENT",
)  # pg_dump doesn't list them by name, so the proof would show one too many.


def main() -> int:
    """Return 0 if both chains create the same schema."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("version", help="the release, 0.1.0 for example")
    parser.add_argument("--check", action="store_true", help="prove it, and write nothing")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(
        prefix="governance-migrations-", ignore_cleanup_errors=True
    ) as folder:
        found, source = consolidate(Path(folder), options.version)
    if found:
        sys.stdout.write("\n".join([*found, f"{len(found)} differences. No file was changed.\n"]))
        return 1
    if options.check:
        sys.stdout.write("Both schemas are the same.\n")
        return 0
    write(options.version, source)
    return 0


def consolidate(
    folder: Path, version: str, versions: Path = migrate.FOLDER / "versions"
) -> tuple[list[str], str]:
    """Return the schemas' differences ([] if the proof holds) and the new migration's source."""
    with _captured() as statements:
        before = _upgraded(folder, "before", _linked(folder / "earlier", versions))
    schema = schema_dump.schema(folder / "pg", before, "before")
    source = migration_source.render(
        Model, _catalogue(before, schema, statements), revision=revision(version), version=version
    )
    path = folder / "consolidated" / f"{revision(version)}.py"
    path.parent.mkdir(exist_ok=True)
    path.write_text(source)
    migration_source.tidy(path)
    after = _upgraded(folder, "after", path.parent)
    return (
        schema_dump.differences(schema, schema_dump.schema(folder / "pg", after, "after")),
        path.read_text(),
    )


def revision(version: str) -> str:
    """Return the id of a release's migration. No pre-release build has an id of this form."""
    return f"0001_release_{version.replace('.', '_')}"


def write(version: str, source: str) -> None:
    """Replace the earlier migrations with the new one, and write what the release tests need."""
    folder = migrate.FOLDER / "versions"
    for earlier in folder.glob("*.py"):
        earlier.unlink()
    (folder / f"{revision(version)}.py").write_text(source)
    released.write_list()
    subprocess.run(  # noqa: S603
        [sys.executable, "-m", "tests.released_databases", version], cwd=ROOT, check=True
    )
    sys.stdout.write(
        f"Wrote migrations/versions/{revision(version)}.py. Review it, run the tests, and commit"
        " all of it.\n"
    )


def _linked(folder: Path, versions: Path) -> Path:
    """Copy the migrations into one linear chain, so that the originals stay unchanged."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    previous = None
    for number, path in enumerate(_in_order(versions)):
        text = re.sub(
            r"^revision = .*$",
            f'revision = "step_{number}"',
            path.read_text(),
            count=1,
            flags=re.MULTILINE,
        )
        text = re.sub(
            r"^down_revision = .*$",
            f"down_revision = {previous!r}",
            text,
            count=1,
            flags=re.MULTILINE,
        )
        (folder / path.name).write_text(text)
        previous = f"step_{number}"
    return folder


def _in_order(versions: Path) -> list[Path]:
    """Return the files in order: each after its down_revision, ties by name.

    A down_revision that isn't in the folder is ignored.
    """
    waiting = {path: path.read_text() for path in sorted(versions.glob("*.py"))}
    ordered: list[Path] = []
    while waiting:
        ahead = {_value(text, "revision") for text in waiting.values()}
        path = next(p for p, t in waiting.items() if _value(t, "down_revision") not in ahead)
        ordered.append(path)
        del waiting[path]
    return ordered


def _value(source: str, name: str) -> str | None:
    found = re.search(rf'^{name} = "(.+)"$', source, re.MULTILINE)
    return found[1] if found else None


def _upgraded(folder: Path, database: str, versions: Path) -> embedded.Embedded:
    server = embedded.start(folder / "pg", database=database)
    embedded.drop(server, database)
    server = embedded.start(folder / "pg", database=database)
    command.upgrade(migrate.configuration(server.owner_url, versions=versions), "head")
    return server


@contextmanager
def _captured() -> Iterator[list[str]]:
    """Yield a list that collects every executed statement as it was written."""
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        statements.append(statement.replace("%%", "%"))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def _catalogue(
    server: embedded.Embedded, schema: dict[str, str], statements: list[str]
) -> migration_source.Catalogue:
    grants: dict[str, set[str]] = {}
    with psycopg.connect(server.super_uri, dbname="before") as connection:
        for table, verb in connection.execute(GRANTED).fetchall():
            grants.setdefault(table, set()).add(verb)
        sealed = frozenset(name for (name,) in connection.execute(SEALED).fetchall())
    carried = {
        k: s for k, s in migration_source.carried(statements).items() if _is_there(k, schema)
    }
    return migration_source.Catalogue(grants, carried, sealed)


def _is_there(key: str, schema: dict[str, str]) -> bool:
    """Return whether a created object is still in the schema and no model declares it."""
    kind, _, name = key.partition(" ")
    if key.startswith(NAMELESS):
        return True
    if kind == "CHECK":
        table, check = name.split()
        return f"CONSTRAINT {check} CHECK" in schema.get(f"TABLE {table}", "") and not _is_declared(
            check
        )
    if kind == "INDEX":
        return f"INDEX {name.split()[-1]}" in schema and not _is_declared(name.split()[-1])
    if kind == "FUNCTION":
        return any(known.startswith(f"FUNCTION {name.split()[-1]}(") for known in schema)
    return key in schema


def _is_declared(name: str) -> bool:
    tables = Model.metadata.tables.values()
    return name in {str(i.name) for t in tables for i in t.indexes} | {
        str(c.name) for t in tables for c in t.constraints
    }


if __name__ == "__main__":
    sys.exit(main())
