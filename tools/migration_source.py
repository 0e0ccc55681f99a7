"""The source of a consolidated migration.

Tables come from the models, the rest from the statements of earlier migrations.
"""

import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import wrap

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    Table,
    UniqueConstraint,
    types,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.sql.elements import conv

from migrations.sealing import SAME

PACKAGES = (
    "kernel",
    "foundation",
    "operations",
    "economics",
    "assurance",
    "publishing",
)  # Lower ones come first.
WIDTH = 110  # Columns of a statement that stays on one line.
COMMENT = 94  # Columns of a comment, without its indentation.
VERBS = ("SELECT", "INSERT", "UPDATE", "DELETE")
APPEND_ONLY = {"append_only", "append_only_truncate"}
# Objects that autogenerate can't see, copied from earlier migrations: (pattern with the groups that
# name it, its kind in pg_dump).
CARRIED = (
    (re.compile(r"CREATE (?:OR REPLACE )?FUNCTION (?P<name>\w+)"), "FUNCTION"),
    (re.compile(r"REVOKE ALL ON FUNCTION (?P<name>\w+)"), "FUNCTION REVOKE"),
    (re.compile(r"GRANT EXECUTE ON FUNCTION (?P<name>\w+)"), "FUNCTION GRANT"),
    (
        re.compile(
            r"CREATE (?:CONSTRAINT )?TRIGGER (?P<name>\w+) .*? ON (?P<table>\w+)", re.DOTALL
        ),
        "TRIGGER",
    ),
    (re.compile(r"CREATE POLICY (?P<name>\w+) ON (?P<table>\w+)"), "POLICY"),
    (re.compile(r"ALTER TABLE (?P<table>\w+) ADD CONSTRAINT (?P<name>\w+) CHECK"), "CHECK"),
    (
        re.compile(r"ALTER TABLE (?P<table>\w+) ALTER (?:COLUMN )?(?P<name>\w+) SET STATISTICS"),
        "STATISTICS",
    ),
    (re.compile(r"GRANT \w+ \((?P<name>\w+)\) ON (?P<table>\w+)"), "COLUMN GRANT"),
    (re.compile(r"COMMENT ON (?:TABLE|COLUMN) (?P<table>\w+)(?:\.(?P<name>\w+))?"), "COMMENT"),
    (re.compile(r"CREATE (?:UNIQUE )?INDEX (?P<name>\w+) ON (?P<table>\w+)"), "INDEX"),
)
# The reasons for carried statements, where the statement alone doesn't show one.
REASONS = {
    "FUNCTION create_minute_partition": (
        "Runs as the owner of the tables, which the application isn't. A month has no grants: the"
        " application reaches it through the table alone. ATTACH takes a lock that readers and"
        " writers of other months don't wait for."
    ),
    "FUNCTION drop_minute_partition": "Runs as the owner of the tables too.",
    "TRIGGER agreement_versions accepted": "What both parties accepted never changes.",
    "TRIGGER incident_updates sent": "What customers were told never changes.",
    "POLICY audit_pending queue": (
        "The sequencer looks, outside any tenant, for logs with new entries: ids and nothing else."
    ),
    "POLICY drills due": "The jobs process looks, outside any tenant, for drills that are due.",
    "POLICY engagements closed": (
        "The jobs process looks, outside any tenant, for engagements that closed within the life of"
        " a session."
    ),
    "POLICY memberships own_memberships": (
        "The one policy that crosses tenants: people may list their own memberships."
    ),
    "POLICY platform_policies everybody": (
        "Every tenant is bound by the platform minimum and may read it; only the operator writes."
    ),
    "COLUMN GRANT certificate_authorities wrapped": (
        "A rotation of the installation's key wraps the authority's key again; nothing else may"
        " change."
    ),
    "COLUMN GRANT signing_keys wrapped": (
        "A rotation of the installation's key wraps the signing keys again; nothing else may"
        " change."
    ),
    "STATISTICS people name": "ANALYZE would copy names and addresses to where no erasure reaches.",
    "TRIGGER request_attachments provided": (
        "What auditors were given stays: not even the application takes it away or replaces it."
    ),
}


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Facts of the earlier migrations' database that the models don't declare."""

    grants: dict[str, set[str]]  # Table → verbs of governance_app.
    carried: dict[str, str]  # "POLICY people known" → its statement, for objects that still exist.
    sealed: frozenset[str]  # Tables with row-level security.


def carried(statements: Iterable[str]) -> dict[str, str]:
    """Return the statements that no model declares, by object ("POLICY people known").

    Of two statements for one object, the later wins.
    """
    return {key: statement.strip() for statement in statements if (key := _key(statement.strip()))}


def _key(statement: str) -> str | None:
    for pattern, kind in CARRIED:
        if match := pattern.match(statement):
            groups = match.groupdict()
            return " ".join(
                part for part in (kind, groups.get("table"), groups.get("name")) if part
            )
    return None


def render(
    base: type[DeclarativeBase], catalogue: Catalogue, *, revision: str, version: str
) -> str:
    """Return the source of the migration that creates everything in one step."""
    groups = _by_feature(base)
    created: set[str] = set()
    later: list[str] = []
    bodies: list[str] = []
    for feature, tables in groups.items():
        bodies.append(
            f'def {feature.replace("/", "_")}() -> None:\n    """Tables of'
            f' governance/{feature}."""\n'
        )
        for table in tables:
            created.add(table.name)
            bodies += [f"    {line}\n" for line in _table(table, created, catalogue, later)]
        bodies.append("\n\n")
    calls = [
        "functions",
        *(feature.replace("/", "_") for feature in groups),
        "keys_between_features",
        "beside_the_models",
    ]
    own = {key: text for key, text in catalogue.carried.items() if not _is_helpers(key, text)}
    functions = [_execute(key, text) for key, text in own.items() if key.startswith("FUNCTION")]
    rest = [_execute(key, text) for key, text in own.items() if not key.startswith("FUNCTION")]
    open_tables = sorted(
        catalogue.sealed - {_policy_table(key, text) for key, text in catalogue.carried.items()}
    )
    seals = [
        f'    op.execute("ALTER TABLE {table} {verb} ROW LEVEL SECURITY")\n'
        for table in open_tables
        for verb in ("ENABLE", "FORCE")
    ]
    return "".join(
        [
            HEAD.format(
                version=version, revision=revision, calls="".join(f"    {c}()\n" for c in calls)
            ),
            'def functions() -> None:\n    """What triggers and the application call."""\n',
            *functions,
            "\n\n",
            *bodies,
            (
                'def keys_between_features() -> None:\n    """Foreign keys to tables that a later'
                ' feature creates."""\n'
            ),
            *(f"    {line}\n" for line in later or ["pass"]),
            "\n\n",
            (
                'def beside_the_models() -> None:\n    """Policies wider or narrower than the'
                ' tenant, triggers, and what else no model declares."""\n'
            ),
            *seals,
            *rest,
            '    let_use("alembic_version", "SELECT")\n',
            TAIL,
        ]
    )


HEAD = '''"""Release {version}: every table of every feature.

Written by tools/consolidate_migrations.py, which proves that it makes the same schema as the migrations before the release.
It is released, so it never changes again (tests/released/migrations.sha256 has its hash).
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from migrations.sealing import SAME, append_only, let_use, seal_by_tenant

revision = "{revision}"
down_revision = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
{calls}

'''
TAIL = '''

def shared_table(name: str, *parts: sa.schema.SchemaItem, verbs: str) -> None:
    """Create a table that belongs to no tenant."""
    id_, created = sa.Column("id", sa.Uuid(), nullable=False), sa.Column("created_at", TIME, nullable=False)
    op.create_table(name, id_, *parts, created, sa.PrimaryKeyConstraint("id"))
    let_use(name, verbs)


def tenant_table(name: str, *parts: sa.schema.SchemaItem, verbs: str, key: tuple[str, ...] = ("id",)) -> None:
    """Create a table whose rows belong to one tenant each: its key leads with the tenant, and row-level security is forced."""
    tenant, id_ = sa.Column("tenant_id", sa.Uuid(), nullable=False), sa.Column("id", sa.Uuid(), nullable=False)
    created = sa.Column("created_at", TIME, nullable=False)
    op.create_table(name, tenant, id_, *parts, created, sa.PrimaryKeyConstraint("tenant_id", *key))
    seal_by_tenant(name)
    let_use(name, verbs)


def counts_table(name: str, key: list[str], *parts: sa.schema.SchemaItem, verbs: str, partition_by: str | None = None) -> None:
    """Create a table of a tenant's rows without ids: its key is the tenant, then the columns of `key`."""
    tenant, primary = sa.Column("tenant_id", sa.Uuid(), nullable=False), sa.PrimaryKeyConstraint("tenant_id", *key)
    op.create_table(name, tenant, *parts, primary, postgresql_partition_by=partition_by)
    seal_by_tenant(name)
    let_use(name, verbs)


def tenant_key(column: str, table: str, *, ondelete: str | None = None) -> sa.ForeignKeyConstraint:
    """A key to a row of the same tenant."""
    return sa.ForeignKeyConstraint(["tenant_id", column], [f"{table}.tenant_id", f"{table}.id"], ondelete=ondelete)
'''


# ---- tables


def _by_feature(base: type[DeclarativeBase]) -> dict[str, list[Table]]:
    """Group tables by package/feature, each feature after those that its tables reference.

    A cycle has no such order, so it is cut.
    """
    feature: dict[str, str] = {}
    for table, module in _modules(base).items():
        package, name = module.removeprefix("governance.").split(".")[:2]
        feature[table] = package if package == "kernel" else f"{package}/{name}"
    tables = [t for t in base.metadata.sorted_tables if t.name in feature]
    order: list[str] = []

    def visit(name: str) -> None:
        if name in order:
            return
        # Appended before its parents to end a cycle, then moved behind them below.
        order.append(name)
        parents = {
            feature[k.referred_table.name]
            for t in tables
            if feature[t.name] == name
            for k in t.foreign_key_constraints
        }
        for parent in sorted(
            p for p in parents if p.split("/")[0] == name.split("/", maxsplit=1)[0]
        ):
            visit(parent)
        order.remove(name)
        order.append(name)

    ranked = sorted(
        set(feature.values()), key=lambda name: (PACKAGES.index(name.split("/")[0]), name)
    )
    for name in ranked:
        visit(name)
    return {name: [t for t in tables if feature[t.name] == name] for name in order}


def _modules(base: type[DeclarativeBase]) -> dict[str, str]:
    """Map each table to the module that declares it, as a class or as a plain table."""
    plain = {
        found.name: name
        for name, module in list(sys.modules.items())
        if name.startswith("governance.") and name.endswith(".models")
        for found in vars(module).values()
        if isinstance(found, Table) and found.metadata is base.metadata
    }
    return plain | {
        mapper.class_.__tablename__: mapper.class_.__module__ for mapper in base.registry.mappers
    }


def _table(
    table: Table, created: set[str], catalogue: Catalogue, later: list[str]
) -> Iterator[str]:
    """Yield the calls that create a table. Keys to tables that don't exist yet go to `later`."""
    is_tenanted, has_id = "tenant_id" in table.columns, "id" in table.columns
    usual = {"id", "created_at"} if has_id else set()
    usual |= {"tenant_id"} if is_tenanted else set()
    parts = [_column(c) for c in table.columns if c.name not in usual]
    checks = sorted(
        (c for c in table.constraints if isinstance(c, CheckConstraint)), key=lambda c: str(c.name)
    )
    parts += [
        f"sa.CheckConstraint({_text(c.sqltext)}, name={_literal(_short_name(table, c))})"
        for c in checks
    ]
    for key in sorted(table.foreign_key_constraints, key=lambda k: [c.name for c in k.columns]):
        if key.referred_table.name in created:
            parts.append(_foreign_key(key))
        else:
            later.append(_later_key(table, key))
    uniques = sorted(
        (u for u in table.constraints if isinstance(u, UniqueConstraint)),
        key=lambda u: [c.name for c in u.columns],
    )
    parts += [_unique(u) for u in uniques]
    verbs = ", ".join(v for v in VERBS if v in catalogue.grants.get(table.name, set()))
    kind = "tenant_table" if is_tenanted else "shared_table"
    named, more = [_literal(table.name)], [f"verbs={_literal(verbs)}"]
    key = [_literal(c.name) for c in table.primary_key if c.name != "tenant_id"]
    if is_tenanted and has_id and key != [_literal("id")]:
        more.append(f"key=({', '.join(key)})")
    if not has_id:
        kind = "counts_table"
        named.append(f"[{', '.join(key)}]")
        if by := table.dialect_options["postgresql"]["partition_by"]:
            more.append(f"partition_by={_literal(by)}")
    yield f"{kind}({', '.join([*named, *parts, *more])})"
    for index in sorted(table.indexes, key=lambda i: str(i.name)):
        yield _index(table, index)
    if {
        key.split()[-1] for key in catalogue.carried if key.startswith(f"TRIGGER {table.name} ")
    } >= APPEND_ONLY:
        yield f"append_only({_literal(table.name)})"


def _unique(unique: UniqueConstraint) -> str:
    # The naming convention yields a conv; a name that the model chose is a plain string.
    more = [] if isinstance(unique.name, conv) else [f"name={_literal(str(unique.name))}"]
    if unique.dialect_options["postgresql"]["nulls_not_distinct"]:
        more.append("postgresql_nulls_not_distinct=True")
    if unique.deferrable:
        more.append(f"deferrable=True, initially={_literal(str(unique.initially))}")
    names = [_literal(c.name) for c in unique.columns]
    return f"sa.UniqueConstraint({', '.join([*names, *more])})"


def _column(column: Column[object]) -> str:
    more = [] if column.nullable else ["nullable=False"]
    if column.identity is not None:
        more.insert(0, f"sa.Identity(always={column.identity.always})")
    if column.server_default is not None and column.identity is None:
        # The default is a literal of ours.
        more.append(f"server_default=sa.text({_text(column.server_default.arg)})")  # type: ignore[attr-defined]
    return f"sa.Column({', '.join([_literal(column.name), _type(column.type), *more])})"


def _type(of: types.TypeEngine[object]) -> str:
    if isinstance(of, JSONB):
        return "JSONB()"
    if isinstance(of, types.ARRAY):
        return f"sa.ARRAY({_type(of.item_type)})"
    return "TIME" if isinstance(of, types.DateTime) and of.timezone else f"sa.{of!r}"


def _foreign_key(key: ForeignKeyConstraint) -> str:
    columns, parent = [c.name for c in key.columns], key.referred_table.name
    ondelete = [f"ondelete={_literal(key.ondelete)}"] if key.ondelete else []
    if columns[0] == "tenant_id" and [e.column.name for e in key.elements] == ["tenant_id", "id"]:
        return f"tenant_key({', '.join([_literal(columns[1]), _literal(parent), *ondelete])})"
    targets = [f"{parent}.{e.column.name}" for e in key.elements]
    return f"sa.ForeignKeyConstraint({', '.join([str(columns), str(targets), *ondelete])})"


def _later_key(table: Table, key: ForeignKeyConstraint) -> str:
    columns, targets = [c.name for c in key.columns], [e.column.name for e in key.elements]
    ondelete = [f"ondelete={_literal(key.ondelete)}"] if key.ondelete else []
    names = [
        "None",
        _literal(table.name),
        _literal(key.referred_table.name),
        str(columns),
        str(targets),
        *ondelete,
    ]
    return f"op.create_foreign_key({', '.join(names)})"


def _index(table: Table, index: Index) -> str:
    where = index.dialect_options["postgresql"]["where"]
    more = (["unique=True"] if index.unique else []) + (
        [f"postgresql_where=sa.text({_text(where)})"] if where is not None else []
    )
    columns = [
        _literal(e.name) if isinstance(e, Column) else f"sa.text({_text(e)})"
        for e in index.expressions
    ]
    named = [_literal(str(index.name)), _literal(table.name), f"[{', '.join(columns)}]"]
    return f"op.create_index({', '.join([*named, *more])})"


# ---- facts that the models don't declare


def _is_helpers(key: str, statement: str) -> bool:
    """Return whether migrations/sealing.py writes that statement for a table."""
    kind, *names = key.split()
    if kind == "POLICY":
        return statement == f"CREATE POLICY tenant ON {names[0]} USING ({SAME}) WITH CHECK ({SAME})"
    return kind == "TRIGGER" and names[-1] in APPEND_ONLY


def _policy_table(key: str, statement: str) -> str:
    return key.split()[1] if key.startswith("POLICY") and _is_helpers(key, statement) else ""


def _execute(key: str, statement: str) -> str:
    reason = "".join(f"    # {line}\n" for line in wrap(REASONS.get(key, ""), COMMENT))
    if len(statement) > WIDTH and "\n" not in statement:
        statement = re.sub(r" (USING \(|WITH CHECK \(|FOR EACH ROW )", r"\n  \1", statement)
    lines = [line.rstrip() for line in statement.splitlines()]
    if len(lines) == 1:
        return f"{reason}    op.execute({_literal(lines[0])})\n"
    text = "\n".join(lines)
    if '"""' in text or "\\" in text:
        return f"{reason}    op.execute({_literal(text)})\n"
    form = ""
    if SAME in text and "{" not in text:
        form, text = "f", text.replace(SAME, "{SAME}")
    return f'{reason}    op.execute({form}"""\n{text}\n""")\n'


# ---- literals


def _short_name(table: Table, constraint: CheckConstraint) -> str:
    """Return the part of a check's name that the naming convention leaves open."""
    return str(constraint.name).removeprefix(f"ck_{table.name}_")


def _text(of: object) -> str:
    return _literal(str(of))


def _literal(text: str) -> str:
    """Return a string literal in double quotes, as the formatter writes it."""
    return (
        '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
        if '"' not in text
        else repr(text)
    )


def tidy(path: Path) -> None:
    """Drop unused imports, sort the others, and format the file."""
    programs, settings = Path(sys.executable).parent, Path(__file__).parents[1] / "pyproject.toml"
    for arguments in (["check", "--quiet", "--fix", "--select", "F401,I"], ["format", "--quiet"]):
        # Both programs are fixed.
        subprocess.run([programs / "ruff", *arguments, "--config", settings, path], check=True)  # noqa: S603
