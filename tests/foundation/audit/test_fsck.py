"""The fsck of the stored log, which finds any change, even a superuser's without triggers."""

import json
from contextlib import contextmanager
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from psycopg.types.json import Jsonb
from sqlalchemy import create_engine, select, text
from sqlalchemy.exc import DBAPIError

from governance.foundation.audit import fsck, logs, queries, sequencer
from governance.foundation.audit.models import AuditEntry
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import registry
from governance.foundation.logbook.jobs import check_logs
from governance.foundation.tenants.models import Tenant
from governance.kernel import clock
from governance.kernel.data import db, embedded
from governance.kernel.data.db import session
from tests import make
from tests.hypothesis_profiles import examples

CHANGED = registry["tenant.settings.changed"]
ENTRIES = 560  # Two full tiles and an edge.


def write_entries(count):
    with make.acting("admin") as who:
        target = session().get(Tenant, who.tenant_id)
        for number in range(count):
            record(
                CHANGED,
                target,
                before={"name": "A"},
                after={"name": f"A{number}"},
                reason="for the test",
            )


def sequence_entries(limit=sequencer.BATCH):
    with make.acting("admin"):
        while sequencer.sequence(limit=limit):
            pass


@pytest.fixture(scope="module")
def written_log(app, server, settings):
    """Write a log of three tiles, several checkpoints and two keys.

    It is in a superuser's transaction that is rolled back.
    """
    engine = create_engine(server.owner_url.replace(embedded.OWNER, "postgres"))
    with engine.connect() as connection:
        outer = connection.begin()
        db.connect(connection)
        write_entries(ENTRIES - 60)
        sequence_entries(limit=97)
        with make.acting("admin"):
            logs.rotate_key()
        write_entries(60)
        sequence_entries()
        write_entries(3)  # These are pending.
        yield connection
        outer.rollback()
    engine.dispose()
    db.connect(settings.database_url)


class Dba:
    """A superuser's changes, which the application can't make; they end with the block."""

    def __init__(self, connection, tenant):
        self.connection, self.tenant = connection, tenant

    def run(self, statement, **values):
        self.connection.execute(text("SET LOCAL session_replication_role = replica"))
        done = self.connection.execute(text(statement), {"tenant": self.tenant, **values})
        rows = done.all() if done.returns_rows else []
        self.connection.execute(text("SET LOCAL session_replication_role = origin"))
        return rows

    def one(self, statement, **values):
        return self.run(statement, **values)[0][0]

    @contextmanager
    def undone(self):
        point = self.connection.begin_nested()
        try:
            yield
        finally:
            point.rollback()


@pytest.fixture
def dba(isolated, written_log):
    """Bind this connection instead of the one that `isolated` binds."""
    db.connect(written_log)
    changing = Dba(written_log, make.system_actor("acme").tenant_id)
    with changing.undone():
        yield changing


def run_fsck():
    with make.acting("admin"):
        return fsck.fsck()


def fsck_sentences():
    return [finding.sentence for finding in run_fsck().findings]


ID_AT = "(SELECT id FROM audit_leaves WHERE tenant_id = :tenant AND index = {})"


def test_a_sound_log_is_told_so_with_its_numbers(dba):
    report = run_fsck()
    assert [f.sentence for f in report.findings] == []
    assert report.entries >= ENTRIES and report.checkpoints >= 6
    assert (
        report.sentence
        == f"{report.entries} entries and {report.checkpoints} checkpoints verified, no damage"
        " found."
    )


def test_another_tenants_log_is_not_read(dba):
    with make.acting("admin", "globex"):
        other = fsck.fsck()
    assert other.ok and other.entries == 0
    dba.run("DELETE FROM audit_leaves WHERE tenant_id = :tenant AND index = 5")
    with make.acting("admin", "globex"):
        assert fsck.fsck().ok
    assert not run_fsck().ok


DAMAGE = {
    "a column that readers see": (
        (
            "UPDATE audit_entries SET action = 'report.generated' WHERE tenant_id = :tenant AND id"
            f" = {ID_AT.format(300)}"
        ),
        ["Entry 300 (report.generated) differs from what was signed: action."],
    ),
    "what changed, in the columns": (
        (
            "UPDATE audit_entries SET changes = '{\"name\": [1e300, 2]}' "
            f"WHERE tenant_id = :tenant AND id = {ID_AT.format(17)}"
        ),
        ["Entry 17 (tenant.settings.changed) differs from what was signed"],
    ),
    "columns and bytes alike, in a full tile": (
        (
            "UPDATE audit_entries SET outcome = 'DONE', body ="
            " convert_to(replace(convert_from(body, 'UTF8'), '\"done\"', '\"DONE\"'), 'UTF8')"
            f" WHERE tenant_id = :tenant AND id = {ID_AT.format(301)}"
        ),
        [
            "Tile 0/001 does not match the entries, starting with entry 301.",
            "signed a different history of the first",
        ],
    ),
    "columns and bytes alike, in the growing edge": (
        (
            "UPDATE audit_entries SET outcome = 'DONE', body ="
            " convert_to(replace(convert_from(body, 'UTF8'), '\"done\"', '\"DONE\"'), 'UTF8')"
            f" WHERE tenant_id = :tenant AND id = {ID_AT.format(530)}"
        ),
        ["starting with entry 530", "signed a different history of the first"],
    ),
    "bytes that are no entry": (
        (
            "UPDATE audit_entries SET body = '\\x00ff' WHERE tenant_id = :tenant AND id ="
            f" {ID_AT.format(5)}"
        ),
        ["differs from what was signed: its bytes are not an entry."],
    ),
    "a time that no clock shows": (
        (
            "UPDATE audit_entries SET at = 'infinity' WHERE tenant_id = :tenant AND id ="
            f" {ID_AT.format(5)}"
        ),
        ["A row of the log cannot be read"],
    ),
    "an entry removed": (
        f"DELETE FROM audit_entries WHERE tenant_id = :tenant AND id = {ID_AT.format(40)}",
        ["Entry 40 is missing: its place exists, but the entry does not."],
    ),
    "the last entry removed": (
        (
            "DELETE FROM audit_entries WHERE tenant_id = :tenant AND id = "
            "(SELECT id FROM audit_leaves WHERE tenant_id = :tenant ORDER BY index DESC LIMIT 1)"
        ),
        ["is missing: its place exists"],
    ),
    "a place removed": (
        "DELETE FROM audit_leaves WHERE tenant_id = :tenant AND index = 40",
        [
            "Place 40 is empty; the next entry is at place 41.",
            "has no place in the tree and is not pending",
        ],
    ),
    "two places swapped": (
        (
            "UPDATE audit_leaves SET index = CASE index WHEN 40 THEN 1000041 ELSE 40 END WHERE"
            " tenant_id = :tenant AND index IN (40, 41);UPDATE audit_leaves SET index = 41 WHERE"
            " tenant_id = :tenant AND index = 1000041"
        ),
        ["Tile 0/000 does not match the entries, starting with entry 40."],
    ),
    "a tile changed": (
        (
            "UPDATE audit_tiles SET hashes = set_byte(hashes, 32 * 7 + 3, 255 - get_byte(hashes, 32"
            " * 7 + 3)) WHERE tenant_id = :tenant AND level = 0 AND index = 1"
        ),
        ["Tile 0/001 does not match the entries, starting with entry 263."],
    ),
    "a tile removed": (
        "DELETE FROM audit_tiles WHERE tenant_id = :tenant AND level = 0 AND index = 0",
        ["Tile 0/000 does not match the entries, starting with entry 0."],
    ),
    "a tile added": (
        (
            "INSERT INTO audit_tiles SELECT tenant_id, gen_random_uuid(), level, 77, hashes,"
            " created_at FROM audit_tiles WHERE tenant_id = :tenant AND index = 0"
        ),
        ["3 tiles are stored, but the entries make 2."],
    ),
    "the edge changed": (
        (
            "UPDATE audit_logs SET edge = set_byte(edge, 33, 255 - get_byte(edge, 33)) WHERE"
            " tenant_id = :tenant"
        ),
        ["The growing edge of the tree does not match the entries, starting with entry 513."],
    ),
    "the size changed": (
        "UPDATE audit_logs SET size = 12 WHERE tenant_id = :tenant",
        ["The log's head records 12 entries"],
    ),
    "the number of checkpoints changed": (
        "UPDATE audit_logs SET number = 2 WHERE tenant_id = :tenant",
        ["The log's head records 2 checkpoints"],
    ),
    "the name of the log changed": (
        "UPDATE audit_logs SET origin = 'elsewhere.example/audit/acme' WHERE tenant_id = :tenant",
        ["No signing key exists for elsewhere.example/audit/acme."],
    ),
    "a checkpoint's columns changed": (
        "UPDATE audit_checkpoints SET root = sha256('x') WHERE tenant_id = :tenant AND number = 3",
        ["Checkpoint 3 differs from what was signed."],
    ),
    "a checkpoint's note changed": (
        (
            "UPDATE audit_checkpoints SET note = replace(note, E'\\n97\\n', E'\\n98\\n') WHERE"
            " tenant_id = :tenant AND number = 1"
        ),
        ["Checkpoint 1 can't be verified. The signature is invalid"],
    ),
    "a checkpoint removed": (
        "DELETE FROM audit_checkpoints WHERE tenant_id = :tenant AND number = 3",
        ["Checkpoint 4 follows checkpoint 2: those between them are missing."],
    ),
    "the last checkpoint removed": (
        (
            "DELETE FROM audit_checkpoints WHERE tenant_id = :tenant AND number = (SELECT"
            " max(number) FROM audit_checkpoints WHERE tenant_id = :tenant)"
        ),
        ["the last one stored is"],
    ),
    "two checkpoints swapped": (
        (
            "UPDATE audit_checkpoints SET number = CASE number WHEN 2 THEN 1000003 ELSE 2 END WHERE"
            " tenant_id = :tenant AND number IN (2, 3);UPDATE audit_checkpoints SET number = 3"
            " WHERE tenant_id = :tenant AND number = 1000003"
        ),
        ["Checkpoint 3 covers 194 entries, but the one before it covers 291."],
    ),
    "a key removed": (
        "DELETE FROM audit_log_keys WHERE tenant_id = :tenant AND retired_at IS NOT NULL",
        ["Checkpoint 1 was signed with a key that is not this log's."],
    ),
    "the key that signs next changed": (
        (
            "UPDATE audit_log_keys SET wrapped = set_byte(wrapped, 20, 255 - get_byte(wrapped, 20))"
            " WHERE tenant_id = :tenant AND retired_at IS NULL"
        ),
        ["can't be decrypted: it was changed, or the installation's key is a different one."],
    ),
    "the queue emptied": (
        "DELETE FROM audit_pending WHERE tenant_id = :tenant",
        ["(tenant.settings.changed) has no place in the tree and is not pending."],
    ),
    "an entry queued again": (
        (
            "INSERT INTO audit_pending (tenant_id, id, created_at) VALUES (:tenant,"
            f" {ID_AT.format(9)}, clock_timestamp())"
        ),
        ["has a place in the tree but is still pending."],
    ),
    "a waiting entry removed": (
        (
            "DELETE FROM audit_entries WHERE tenant_id = :tenant AND id = (SELECT id FROM"
            " audit_pending WHERE tenant_id = :tenant LIMIT 1)"
        ),
        ["The pending entry ", " is missing."],
    ),
    "everything from a place on": (
        (
            "DELETE FROM audit_entries WHERE tenant_id = :tenant AND id IN (SELECT id FROM"
            " audit_leaves WHERE tenant_id = :tenant AND index >= 400);DELETE FROM audit_leaves"
            " WHERE tenant_id = :tenant AND index >= 400"
        ),
        [
            "entries, but only 400 were found in sequence.",
            "400 were found in sequence.",
            "2 tiles are stored, but the entries make 1",
        ],
    ),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_each_damage_is_found_and_named(dba, damage):
    statements, expected = DAMAGE[damage]
    with dba.undone():
        for statement in statements.split(";"):
            dba.run(statement)
        found = fsck_sentences()
    assert [
        wanted for wanted in expected if not any(wanted in sentence for sentence in found)
    ] == [], found
    assert fsck_sentences() == []


def test_a_long_list_of_findings_ends(dba):
    dba.run("UPDATE audit_entries SET outcome = 'other' WHERE tenant_id = :tenant")
    report = run_fsck()
    assert len(report.findings) == fsck.MAX_FINDINGS and report.sentence.startswith(
        "50 findings or more"
    )


def test_a_log_with_a_heartbeat_and_a_clock_set_back_is_sound(dba):
    with make.acting("admin"):
        signed = queries.last_checkpoint()
        number, earlier = signed.number, signed.at - timedelta(days=3)
    with make.acting("admin"), clock.frozen(earlier):
        record(
            CHANGED, session().get(Tenant, dba.tenant), before={"name": "A"}, after={"name": "B"}
        )
    with clock.frozen(earlier):
        sequence_entries()
        sequence_entries()
    with make.acting("admin"):
        last = queries.last_checkpoint()
        assert last.number == number + 1 and last.at == earlier
    assert fsck_sentences() == []


def outcomes():
    query = (
        select(AuditEntry.action, AuditEntry.outcome)
        .where(AuditEntry.action.like("audit.fsck.%"))
        .order_by(AuditEntry.id)
    )
    found = {}
    for slug in ("acme", "globex"):
        with make.acting("admin", slug):
            found[slug] = [tuple(row) for row in session().execute(query)]
    return found


def test_every_night_each_log_is_checked_once_and_says_so(dba):
    passed, failed = ("audit.fsck.passed", "done"), ("audit.fsck.failed", "failed")
    with make.acting("admin", "globex"):
        sequencer.sequence()
    check_logs()
    check_logs()
    assert outcomes() == {"acme": [passed], "globex": [passed]}
    dba.run("DELETE FROM audit_leaves WHERE tenant_id = :tenant AND index = 40")
    with clock.frozen(clock.now() + timedelta(days=1)):
        check_logs()
    assert outcomes() == {"acme": [passed, failed], "globex": [passed, passed]}


# ---- flipped bits


ROWS = {
    "audit_entries": [
        "id",
        "at",
        "actor",
        "actor_kind",
        "action",
        "target_type",
        "target_id",
        "outcome",
        "request_id",
        "origin",
        "changes",
        "facts",
        "sealed",
        "body",
    ],
    "audit_leaves": ["id", "index"],
    "audit_tiles": ["level", "index", "hashes"],
    "audit_checkpoints": ["number", "origin", "size", "root", "key_id", "note"],
    "audit_logs": ["origin", "size", "edge", "number"],
    "audit_log_keys": ["name", "public"],
}
# No signature covers the time a row was written, ids without references, and a checkpoint's `at`.


def flip(data: bytes, bit: int) -> bytes:
    at, mask = bit // 8 % len(data), 1 << bit % 8
    return data[:at] + bytes([data[at] ^ mask]) + data[at + 1 :]


def flipped(value, bit):
    """Return the value with one bit flipped, or None if that isn't a value of its type."""
    if isinstance(value, bytes):
        return flip(value, bit)
    if isinstance(value, int):
        return value ^ 1 << bit % 15
    if isinstance(value, UUID):
        return UUID(bytes=flip(value.bytes, bit))
    if isinstance(value, datetime):
        return value + timedelta(microseconds=1 << bit % 50)
    try:
        text_ = flip(
            (value if isinstance(value, str) else json.dumps(value)).encode(), bit
        ).decode()
        return (
            None if "\0" in text_ else text_ if isinstance(value, str) else Jsonb(json.loads(text_))
        )
    except ValueError:
        return None


PLACES = [(table, column) for table, columns in ROWS.items() for column in columns]


@pytest.mark.slow
@settings(
    max_examples=examples(20),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.filter_too_much],
)
@given(st.sampled_from(PLACES), st.floats(0, 1, exclude_max=True), st.integers(0, 4095))
def test_any_bit_flipped_in_any_stored_row_is_caught(dba, where, part, bit):
    table, column = where
    row = int(part * dba.one(f"SELECT count(*) FROM {table} WHERE tenant_id = :tenant"))
    [(row_id, value)] = dba.run(
        f'SELECT id, "{column}" FROM {table} WHERE tenant_id = :tenant ORDER BY created_at, id'
        " LIMIT 1 OFFSET :row",
        row=row,
    )
    changed = flipped(value, bit) if value not in (b"", "") else None
    assume(changed is not None)
    with dba.undone():
        try:
            dba.run(
                f'UPDATE {table} SET "{column}" = :changed WHERE tenant_id = :tenant AND id = :id',
                changed=changed,
                id=row_id,
            )
        except DBAPIError:
            assume(False)  # The database accepts no such value, or has that place already.
        after = dba.one(
            f'SELECT "{column}" FROM {table} WHERE tenant_id = :tenant AND id = :id',
            id=changed if column == "id" else row_id,
        )
        assume(after != value)  # It is another spelling of the same JSON.
        assert not run_fsck().ok, (table, column, row, value, changed)
