"""Write the next migration from what the models declare and no migration creates yet.

`make migration name=…`

    python -m tools.new_migration "risk owners"      writes migrations/versions/0002_risk_owners.py

It upgrades an empty embedded PostgreSQL and lets Alembic compare. For each new table it adds the
calls that migrations/sealing.py has for it: row-level security by tenant, and the application's
privileges. You write policies, triggers, grants and data yourself. tests/test_isolation.py
reports what is missing.
"""

import argparse
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

from alembic import command
from alembic.autogenerate import renderers
from alembic.autogenerate.api import AutogenContext
from alembic.operations.ops import CreateTableOp, MigrateOperation, MigrationScript
from alembic.script import ScriptDirectory

from governance.app import migrate, models  # noqa: F401 - every table
from governance.kernel.data import embedded
from tools.migration_source import tidy

MAX_ID_LENGTH = 32  # Characters of alembic_version.version_num.
ALL = "SELECT, INSERT, UPDATE, DELETE"


class SealTable(MigrateOperation):
    """The calls of migrations/sealing.py for a new table."""

    def __init__(self, table: str, *, is_tenanted: bool) -> None:
        self.table, self.is_tenanted = table, is_tenanted


@renderers.dispatch_for(SealTable)
def _render(context: AutogenContext, operation: SealTable) -> list[str]:
    names = ["let_use", *(["seal_by_tenant"] if operation.is_tenanted else [])]
    context.imports.update(f"from migrations.sealing import {name}" for name in names)
    grant = f'let_use("{operation.table}", "{ALL}")  # leave out what the application never does'
    if operation.is_tenanted:
        return [f'seal_by_tenant("{operation.table}")', grant]
    return ["# Rows of no tenant: give the reason in SHARED of tests/test_isolation.py.", grant]


def main() -> int:
    """Write the file and print its path."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("name", help="what it changes, in a few words")
    path = create(parser.parse_args().name)
    is_empty = path.read_text().rstrip().endswith("pass")
    found = (
        "The models declare nothing new, so it is empty. Write what it does"
        if is_empty
        else "Review it"
    )
    sys.stdout.write(
        f"Wrote {path.relative_to(migrate.FOLDER.parent)}. {found}; you may change it until it is"
        " released.\n"
    )
    return 0


def create(name: str, versions: Path | None = None) -> Path:
    """Write the migration into `versions` (default: migrations/versions). Return its path."""
    slug = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
    if not slug:
        raise SystemExit("Name the migration: make migration name=risk_owners")
    versions = versions or migrate.FOLDER / "versions"
    identifier = f"{_next_number(versions):04}_{slug}"
    if len(identifier) > MAX_ID_LENGTH:
        raise SystemExit(
            f"{identifier} has {len(identifier)} characters, and {MAX_ID_LENGTH} fit. Choose a"
            " shorter name."
        )
    settings = migrate.configuration(versions=versions)
    settings.cmd_opts = argparse.Namespace(quiet=True)  # Alembic would choose its own file name.
    heads = ScriptDirectory.from_config(settings).get_heads()
    if len(heads) > 1:
        raise SystemExit(
            f"{' and '.join(heads)} follow the same migration. Let the later one's down_revision"
            " name the earlier one."
        )
    with tempfile.TemporaryDirectory(
        prefix="governance-migration-", ignore_cleanup_errors=True
    ) as folder:
        settings.attributes["url"] = embedded.start(Path(folder) / "pg").owner_url
        command.upgrade(settings, "head")
        command.revision(
            settings,
            name[0].upper() + name[1:],
            autogenerate=True,
            rev_id=identifier,
            process_revision_directives=_add_seals,
        )
    path = versions / f"{identifier}.py"
    path.write_text(
        re.sub(r"^ +# ### .* ###\n", "", path.read_text(), flags=re.MULTILINE)
    )  # Markers that Alembic writes.
    tidy(path)
    return path


def _next_number(versions: Path) -> int:
    return max((int(path.name[:4]) for path in versions.glob("[0-9]*.py")), default=0) + 1


def _add_seals(_context: Any, _revision: Any, scripts: list[MigrationScript]) -> None:
    for script in scripts:
        if script.upgrade_ops is None:
            continue
        operations: list[MigrateOperation] = []
        for operation in script.upgrade_ops.ops:
            operations.append(operation)
            if isinstance(operation, CreateTableOp):
                columns = {getattr(column, "name", None) for column in operation.columns}
                operations.append(
                    SealTable(operation.table_name, is_tenanted="tenant_id" in columns)
                )
        script.upgrade_ops.ops = operations


if __name__ == "__main__":
    sys.exit(main())
