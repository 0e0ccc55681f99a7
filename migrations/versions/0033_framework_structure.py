"""The structure of a framework's edition, and the revisions of its words"""

import hashlib
from collections import defaultdict
from typing import Any
from uuid import UUID

import rfc8785
import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from migrations.sealing import let_use

revision = "0033_framework_structure"
down_revision = "0032_run_verdicts"

# Tables of tenants that name an edition or one of its requirements.
TENANTED = (
    "adoptions",
    "framework_imports",
    "official_texts",
    "control_mappings",
    "assessments",
    "assessment_items",
    "engagements",
)
# $1 the edition that stays, $2 the one that is merged into it; the requirements of both, by ref
SAME_REF = """
  SELECT kept.id AS kept, gone.id AS gone FROM requirements kept
  JOIN requirements gone ON gone.ref = kept.ref
  WHERE kept.framework_id = :kept AND gone.framework_id = :gone
"""
MERGE = (
    # Where both frameworks have a row of the same kind, one is kept: the newer text and mapping,
    # the older import and adoption.
    f"""
DELETE FROM official_texts t USING official_texts other, ({SAME_REF}) pair
WHERE t.tenant_id = other.tenant_id AND t.kind = other.kind AND t.id <> other.id
  AND t.requirement_id IN (pair.kept, pair.gone) AND other.requirement_id IN (pair.kept, pair.gone)
  AND (t.created_at, t.id) < (other.created_at, other.id)""",
    f"""
UPDATE official_texts t SET requirement_id = pair.kept FROM ({SAME_REF}) pair
WHERE t.requirement_id = pair.gone""",
    """
UPDATE official_texts t SET import_id = kept.id
FROM framework_imports gone JOIN framework_imports kept USING (tenant_id, sha256)
WHERE t.tenant_id = gone.tenant_id AND t.import_id = gone.id
  AND gone.framework_id = :gone AND kept.framework_id = :kept""",
    """
DELETE FROM framework_imports gone USING framework_imports kept
WHERE gone.tenant_id = kept.tenant_id AND gone.sha256 = kept.sha256
  AND gone.framework_id = :gone AND kept.framework_id = :kept""",
    "UPDATE framework_imports SET framework_id = :kept WHERE framework_id = :gone",
    f"""
UPDATE control_mappings m SET removed_at = now() FROM control_mappings other, ({SAME_REF}) pair
WHERE m.tenant_id = other.tenant_id AND m.control_id = other.control_id AND m.id <> other.id
  AND m.removed_at IS NULL AND other.removed_at IS NULL
  AND m.requirement_id IN (pair.kept, pair.gone) AND other.requirement_id IN (pair.kept, pair.gone)
  AND (m.created_at, m.id) < (other.created_at, other.id)""",
    f"""
UPDATE control_mappings m SET requirement_id = pair.kept FROM ({SAME_REF}) pair
WHERE m.requirement_id = pair.gone""",
    f"""
UPDATE assessment_items i SET requirement_id = pair.kept FROM ({SAME_REF}) pair
WHERE i.requirement_id = pair.gone""",
    "UPDATE assessments SET framework_id = :kept WHERE framework_id = :gone",
    "UPDATE engagements SET framework_id = :kept WHERE framework_id = :gone",
    """
DELETE FROM adoptions gone USING adoptions kept
WHERE gone.tenant_id = kept.tenant_id AND gone.framework_id = :gone AND kept.framework_id = :kept""",
    "UPDATE adoptions SET framework_id = :kept WHERE framework_id = :gone",
    # The newest text, and whether the edition is still the current one.
    f"""
UPDATE requirements r SET title = other.title, outcome = other.outcome
FROM ({SAME_REF}) pair JOIN requirements other ON other.id = pair.gone WHERE r.id = pair.kept""",
    """
UPDATE framework_revisions r SET framework_id = :kept, number = r.number
  + (SELECT max(number) FROM framework_revisions WHERE framework_id = :kept)
WHERE framework_id = :gone""",
    "DELETE FROM requirements WHERE framework_id = :gone",
)


def upgrade() -> None:
    op.create_table(
        "framework_revisions",
        sa.Column("framework_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("changed", JSONB(), nullable=False),
        sa.Column("installed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("number > 0", name=op.f("ck_framework_revisions_numbered_from_one")),
        sa.ForeignKeyConstraint(
            ["framework_id"],
            ["frameworks.id"],
            name=op.f("fk_framework_revisions_framework_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_framework_revisions")),
        sa.UniqueConstraint(
            "framework_id", "number", name=op.f("uq_framework_revisions_framework_id_number")
        ),
    )
    let_use("framework_revisions", "SELECT")
    op.add_column("frameworks", sa.Column("structure", sa.String(), nullable=True))
    op.drop_constraint(op.f("uq_frameworks_key_digest"), "frameworks", type_="unique")
    op.execute(
        "INSERT INTO framework_revisions"
        " (id, framework_id, number, digest, changed, installed_at, created_at)"
        " SELECT gen_random_uuid(), id, 1, digest, '[]', created_at, created_at FROM frameworks"
    )
    for table in TENANTED:  # the owner of the tables sees every tenant's rows for this moment
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    same: dict[tuple[str, str], list[UUID]] = defaultdict(list)
    for row in op.get_bind().execute(
        sa.text("SELECT id, key, edition FROM frameworks ORDER BY created_at, id")
    ):
        same[row.key, _structure(row.id, row.key, row.edition)].append(row.id)
    for (_, structure), (kept, *others) in same.items():
        for gone in others:
            _merge(kept, gone)
        values = {"kept": kept, "structure": structure}
        _run("UPDATE frameworks SET structure = :structure WHERE id = :kept", values)
    for table in TENANTED:
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.alter_column("frameworks", "structure", nullable=False)
    op.create_unique_constraint(
        op.f("uq_frameworks_key_structure"), "frameworks", ["key", "structure"]
    )


def _structure(framework_id: UUID, key: str, edition: str) -> str:
    """Return the structure hash of a framework, as catalogue.catalogue_structure computes it."""
    query = (
        "SELECT ref, parent_ref, assessable FROM requirements WHERE framework_id = :id"
        " ORDER BY position"
    )
    rows = op.get_bind().execute(sa.text(query), {"id": framework_id})
    return hashlib.sha256(rfc8785.dumps([key, edition, [list(row) for row in rows]])).hexdigest()


def _merge(kept: UUID, gone: UUID) -> None:
    """Move everything that names an edition to another one of the same structure."""
    for statement in MERGE:
        _run(statement, {"kept": kept, "gone": gone})
    _run(
        "UPDATE frameworks k SET title = g.title, version = g.version, publisher = g.publisher,"
        " licence = g.licence, source = g.source, digest = g.digest,"
        " superseded_at = CASE WHEN k.superseded_at IS NULL THEN NULL ELSE g.superseded_at END"
        " FROM frameworks g WHERE k.id = :kept AND g.id = :gone",
        {"kept": kept, "gone": gone},
    )
    _run("DELETE FROM frameworks WHERE id = :gone", {"gone": gone})


def _run(statement: str, values: dict[str, Any]) -> None:
    """Run a statement with those of the values that it names."""
    named = {name: value for name, value in values.items() if f":{name}" in statement}
    op.get_bind().execute(sa.text(statement), named)
