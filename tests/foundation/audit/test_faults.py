"""Faults of the sequencer: entries are never lost, duplicated or forked.

Processes are killed, run twice, are slow, or have a clock that goes back.
"""

import multiprocessing
import signal
import threading
import time
from contextlib import suppress
from datetime import timedelta
from itertools import combinations, count

import psycopg
import pytest
from sqlalchemy import event, func, select, text

from governance.app import schedule
from governance.foundation.audit import fsck, logs, merkle, queries, sequencer
from governance.foundation.audit.models import AuditEntry, Checkpoint, Leaf, PendingEntry
from governance.foundation.audit.record import MAX_BODY, UndeclaredField, record
from governance.foundation.audit.registry import Action
from governance.foundation.tenants import queries as directory
from governance.foundation.tenants.models import Tenant
from governance.kernel import clock, current
from governance.kernel.data import db
from governance.kernel.data.db import session, transaction
from governance.kernel.errors import Invalid
from tests.foundation.audit import crash_processes
from tests.postgres_cluster import Cluster
from tests.waiting import MAX_WAIT_SECONDS, wait_until

processes = multiprocessing.get_context("forkserver")
processes.set_forkserver_preload(["tests.foundation.audit.crash_processes"])


@pytest.fixture(scope="module")
def cluster(server_folder):
    made = Cluster(server_folder / "pg")
    yield made
    with suppress(Exception):  # A test may have left it stopped.
        made.stop()


@pytest.fixture
def url(cluster):
    """Return the URL of that server, to which the application is bound. Nothing is rolled back."""
    directory.forget()
    crash_processes.connect(cluster.server.app_url)
    yield cluster.server.app_url
    db.engine().dispose()
    directory.forget()


def start_child(what, *args):
    process = processes.Process(target=what, args=args, daemon=True)
    process.start()
    return process


def exit_code_of(process):
    process.join(MAX_WAIT_SECONDS)
    assert process.exitcode is not None, "it hangs"
    return process.exitcode


def sequence_until_empty(who):
    """Run rounds until no entry is pending.

    A killed sequencer's lock ends when the server notices.
    """

    def nothing_waits():
        if entries_waiting(who):
            schedule.sequence_round()
        return not entries_waiting(who)

    wait_until(nothing_waits)


def entries_written_by(who):
    with current.acting_as(who), transaction(read_only=True):
        return session().scalar(select(func.count()).select_from(AuditEntry))


def entries_waiting(who):
    with current.acting_as(who), transaction(read_only=True):
        return queries.pending()


def check_log(who, entries=None):
    """Check that places are unique and contiguous, fsck agrees, and checkpoints are consistent."""
    with current.acting_as(who), transaction(read_only=True, snapshot=True):
        written = set(session().scalars(select(AuditEntry.id)))
        places = session().execute(select(Leaf.index, Leaf.id).order_by(Leaf.index)).all()
        assert [index for index, _ in places] == list(range(len(written)))
        assert {entry_id for _, entry_id in places} == written
        assert (
            entries is None
            or len(
                [
                    e
                    for e in session().scalars(select(AuditEntry.action))
                    if e == crash_processes.CHANGED.name
                ]
            )
            == entries
        )
        assert [finding.sentence for finding in fsck.fsck().findings] == []
        signed = session().scalars(select(Checkpoint).order_by(Checkpoint.number)).all()
        node = queries.nodes()
        for old, new in combinations(signed, 2):
            path = merkle.consistency(old.size, new.size, node)
            merkle.verify_consistency(old.size, new.size, path, old.root, new.root)
        return len(signed)


# ---- killed


@pytest.mark.slow
def test_a_sequencer_killed_before_any_statement_of_a_batch_loses_and_doubles_nothing(url):
    who = crash_processes.create_tenant("killed")
    crash_processes.write_entries_together(who, 250)
    sequence_until_empty(who)
    for nth in count(1):
        crash_processes.write_entries_together(who, 20)
        ended = exit_code_of(start_child(crash_processes.run_round_killed_at, url, nth))
        sequence_until_empty(who)
        if ended == 0:
            break
        assert ended == -signal.SIGKILL
    assert nth > 10, "the round has hardly a statement"
    assert check_log(who, 250 + 20 * nth) >= nth


@pytest.mark.slow
def test_a_sequencer_killed_while_it_opens_a_log_leaves_none_half_opened(url):
    for nth in count(1):
        who = crash_processes.create_tenant(f"opened-{nth}")
        ended = exit_code_of(start_child(crash_processes.run_round_killed_at, url, nth))
        sequence_until_empty(who)
        assert check_log(who, 0) >= 1
        if ended == 0:
            break
    assert nth > 15


@pytest.mark.slow
def test_sequencers_killed_at_any_moment_beside_writers(url):
    who, stop, counts = (
        crash_processes.create_tenant("hammered"),
        processes.Event(),
        processes.Queue(),
    )
    writers = [
        start_child(crash_processes.write_until_told, url, who, stop, counts) for _ in range(2)
    ]
    for wait in (0.2, 0.31, 0.07, 0.45, 0.13, 0.26, 0.38, 0.09):
        process = start_child(crash_processes.sequence_until_killed, url)
        time.sleep(wait + 0.15)
        process.kill()
        process.join()
    wait_until(lambda: entries_written_by(who) > 20)
    stop.set()
    written = sum(counts.get(timeout=MAX_WAIT_SECONDS) for _ in writers)
    sequence_until_empty(who)
    check_log(who, written)


# ---- at once


@pytest.mark.slow
def test_two_sequencers_on_one_log_with_eight_writers(url):
    who, other = crash_processes.create_tenant("crowded"), crash_processes.create_tenant("beside")
    sequencers = [start_child(crash_processes.sequence_until_killed, url) for _ in range(2)]
    writers = [
        start_child(crash_processes.write_entries_one_by_one, url, who, 25) for _ in range(8)
    ]
    crash_processes.write_entries_together(other, 5)
    assert [exit_code_of(writer) for writer in writers] == [0] * 8
    sequence_until_empty(who)
    sequence_until_empty(other)
    for process in sequencers:
        process.kill()
        process.join()
    check_log(who, 8 * 25)
    check_log(other, 5)


@pytest.mark.slow
def test_a_slow_transaction_gets_a_later_place_and_nobody_is_skipped(url):
    who = crash_processes.create_tenant("slow")
    with current.acting_as(who), transaction():
        target = session().get(Tenant, who.tenant_id)
        slow = record(
            crash_processes.CHANGED, target, before={"name": "A"}, after={"name": "slow"}
        ).id
        crash_processes.write_entries_together(who, 3)
        sequence_until_empty(who)
        with transaction(read_only=True):
            before = queries.head().size
            assert queries.place_of(slow) is None
    sequence_until_empty(who)
    with current.acting_as(who), transaction(read_only=True):
        assert queries.place_of(slow) == before
    check_log(who, 4)


# ---- the database


@pytest.mark.slow
@pytest.mark.parametrize(
    "moment",
    ["INSERT INTO audit_leaves", "DELETE FROM audit_pending", "INSERT INTO audit_checkpoints"],
)
def test_a_database_killed_in_a_batch_comes_back_and_the_sequencer_goes_on_by_itself(
    url, cluster, moment
):
    who = crash_processes.create_tenant(f"crash-{moment[-3:].lower()}")
    crash_processes.write_entries_together(who, 300)
    killed, stop = threading.Event(), threading.Event()

    def kill(_connection, _cursor, statement, *_rest):
        if statement.startswith(moment) and not killed.is_set():
            killed.set()
            cluster.stop()

    event.listen(db.engine(), "before_cursor_execute", kill)
    loop = threading.Thread(target=schedule.sequence_logs, args=(stop,))
    loop.start()
    try:
        assert killed.wait(MAX_WAIT_SECONDS)
        time.sleep(1)  # It meets the stopped server.
        cluster.start()
        wait_until(lambda: not entries_waiting(who))
        assert loop.is_alive()
    finally:
        stop.set()
        loop.join()
        event.remove(db.engine(), "before_cursor_execute", kill)
    check_log(who, 300)


# ---- clocks and long waits


@pytest.mark.slow
def test_a_clock_that_goes_backwards_changes_no_place_and_forks_nothing(url):
    who = crash_processes.create_tenant("clock")
    for days in (0, 3, 1, 400, 2):
        with clock.frozen(clock.now() - timedelta(days=days)):
            crash_processes.write_entries_together(who, 90)
            sequence_until_empty(who)
    with current.acting_as(who), transaction(read_only=True):
        sizes = session().scalars(select(Checkpoint.size).order_by(Checkpoint.number)).all()
    assert sizes == sorted(sizes)
    check_log(who, 450)


@pytest.mark.slow
def test_an_idle_log_signs_again_when_the_clock_was_set_back(url):
    who = crash_processes.create_tenant("set-back")
    sequence_until_empty(who)
    with current.acting_as(who), clock.frozen(clock.now() - 2 * sequencer.HEARTBEAT):
        with transaction(read_only=True):
            before = queries.last_checkpoint().number
        sequencer.sequence()
        sequencer.sequence()
        with transaction(read_only=True):
            assert queries.last_checkpoint().number == before + 1


@pytest.mark.slow
def test_entries_that_wait_too_long_are_said_once_to_the_operator(url, cluster, tmp_path):
    who = crash_processes.create_tenant("late")
    sequence_until_empty(who)
    assert exit_code_of(start_child(crash_processes.run_two_rounds, url, tmp_path / "calm")) == 0
    with current.acting_as(who), transaction():
        logs.halt(anchor="a witness", size=10_000, sentence="It holds more.")
    with psycopg.connect(cluster.server.super_uri, dbname="governance") as dba:
        dba.execute(
            "UPDATE audit_pending SET created_at = clock_timestamp() - interval '20 seconds'"
        )
    assert exit_code_of(start_child(crash_processes.run_two_rounds, url, tmp_path / "late")) == 2
    said = (tmp_path / "late").read_text()
    assert (
        said.count("audit entries wait too long for their place") == 1
        and '"level": "error"' in said
    )
    assert (tmp_path / "calm").read_text() == ""
    with current.acting_as(who), transaction():
        logs.resume(reason="a test")
    sequence_until_empty(who)
    check_log(who)


# ---- the operator's commands


@pytest.fixture
def run_operator_command(url, cluster, tmp_path):
    """Return a function that runs an operator's command and returns (exit code, output)."""
    for name, content in (("kek", crash_processes.KEK), ("secret", bytes(range(40, 80)))):
        (tmp_path / name).write_bytes(content)
    settings = {
        "DATABASE_URL": url,
        "GOVERNANCE_OWNER_DATABASE_URL": cluster.server.owner_url,
        "GOVERNANCE_VAR": str(tmp_path),
        "GOVERNANCE_KEK_FILE": str(tmp_path / "kek"),
        "GOVERNANCE_SECRET_KEY_FILE": str(tmp_path / "secret"),
    }

    def run(*arguments):
        said = tmp_path / "said"
        said.unlink(missing_ok=True)
        code = exit_code_of(
            start_child(crash_processes.run_command, list(arguments), settings, said)
        )
        return code, said.read_text()

    return run


@pytest.mark.slow
def test_fsck_by_command_names_the_log_and_what_is_wrong_in_it(run_operator_command, cluster):
    mine, other = (
        crash_processes.create_tenant("checked"),
        crash_processes.create_tenant("untouched"),
    )
    for who in (mine, other):
        crash_processes.write_entries_together(who, 5)
    sequence_until_empty(mine)
    sound = "{}: 7 entries and 1 checkpoint verified, no damage found.\n".format
    said = f"ok    {sound('checked')}ok    {sound('untouched')}"
    assert run_operator_command("audit", "fsck", "checked", "untouched") == (0, said)
    sequence_until_empty(mine)
    with psycopg.connect(cluster.server.super_uri, dbname="governance") as dba:
        dba.execute("SET session_replication_role = replica")
        dba.execute(
            "UPDATE audit_entries SET outcome = 'other' WHERE (tenant_id, id) IN"
            " (SELECT tenant_id, id FROM audit_leaves WHERE tenant_id = %s AND index = 3)",
            [mine.tenant_id],
        )
    code, said = run_operator_command("audit", "fsck")
    assert code == 1 and "FAIL  checked: 1 finding" in said and "ok    untouched" in said
    assert "Entry 3 (tenant.settings.changed) differs from what was signed: outcome." in said
    for who, deeds in ((mine, {fsck.PASSED.name, fsck.FAILED.name}), (other, {fsck.PASSED.name})):
        with current.acting_as(who), transaction(read_only=True):
            assert {
                e.action for e in queries.newest() if e.action.startswith("audit.fsck")
            } == deeds


@pytest.mark.slow
def test_an_unknown_tenant_is_refused_by_name(run_operator_command):
    crash_processes.create_tenant("known")
    for command in (
        ["fsck", "nobody"],
        ["keys", "nobody"],
        ["rotate-key", "nobody"],
        ["resume", "nobody", "--reason", "x"],
    ):
        code, said = run_operator_command("audit", *command)
        assert code == 2 and "Unknown tenant: nobody." in said and "known" in said


@pytest.mark.slow
def test_keys_are_listed_and_rotated_by_command(run_operator_command):
    who = crash_processes.create_tenant("rotated")
    assert run_operator_command("audit", "keys", "rotated")[0] == 1
    sequence_until_empty(who)
    _, first = run_operator_command("audit", "keys", "rotated")
    code, second = run_operator_command("audit", "rotate-key", "rotated")
    assert code == 0 and first.startswith("127.0.0.1/audit/rotated+") | first.startswith(
        "console.example/audit/rotated+"
    )
    assert run_operator_command("audit", "keys", "rotated") == (0, second + first)
    crash_processes.write_entries_together(who)
    sequence_until_empty(who)
    check_log(who, 1)


@pytest.mark.slow
def test_a_log_is_taken_up_by_command_only_when_it_was_halted(run_operator_command):
    who = crash_processes.create_tenant("resumed")
    sequence_until_empty(who)
    code, said = run_operator_command("audit", "resume", "resumed", "--reason", "no reason")
    assert code == 1 and "This log is not halted, so there is nothing to resume." in said
    with current.acting_as(who), transaction():
        logs.halt(anchor="a witness", size=99, sentence="A witness holds 99 entries and we have 2.")
    code, said = run_operator_command("audit", "sequence")
    assert (
        code == 1
        and "resumed: 2 entries in the tree, 1 pending. Halted: A witness holds 99 entries" in said
    )
    assert run_operator_command("audit", "resume", "resumed", "--reason", "  ")[0] == 2
    code, said = run_operator_command(
        "audit", "resume", "resumed", "--reason", "Restored from backup"
    )
    assert code == 0 and "/audit/resumed/restored-1" in said
    assert (
        "resumed: 5 entries in the tree, 0 pending." in run_operator_command("audit", "sequence")[1]
    )
    check_log(who)


# ---- rejected writes


HUGE = Action(
    "test.huge", "wrote too much", frozenset("abcdefghijklmnopqrst"), frozenset({"reason"})
)


def test_details_that_are_too_long_are_refused_and_the_deed_with_them(acting):
    with (
        pytest.raises(
            Invalid, match=f"too long to record: [0-9,]+ bytes, and the limit is {MAX_BODY:,} bytes"
        ),
        acting("admin") as who,
    ):
        target = session().get(Tenant, who.tenant_id)
        target.name = "Renamed"
        record(HUGE, target, **dict.fromkeys(HUGE.fields, "x" * 4_000))
    with acting("admin") as who:
        assert session().get(Tenant, who.tenant_id).name != "Renamed"
        assert (
            session().scalars(select(AuditEntry).where(AuditEntry.action == HUGE.name)).all() == []
        )
        kept = record(HUGE, session().get(Tenant, who.tenant_id), a="x" * 4_000)
        assert session().get(PendingEntry, (who.tenant_id, kept.id)) is not None


def test_the_database_refuses_what_would_not_fit_a_bundle(acting):
    with (
        acting("admin") as who,
        pytest.raises(Exception, match="ck_audit_entries_body_fits"),
        session().begin_nested(),
    ):
        entry = record(HUGE, session().get(Tenant, who.tenant_id), a="x")
        session().execute(
            text(
                "INSERT INTO audit_entries SELECT (jsonb_populate_record(e,"
                " jsonb_build_object('id', gen_random_uuid(), 'body', '\\x' || repeat('00',"
                " 65536)))).* FROM audit_entries e WHERE id = :id"
            ),
            {"id": entry.id},
        )


def test_a_field_that_nobody_declared_is_refused_and_the_deed_with_it(acting):
    with pytest.raises(UndeclaredField, match="does not declare telephone"), acting("admin") as who:
        target = session().get(Tenant, who.tenant_id)
        target.name = "Renamed"
        record(crash_processes.CHANGED, target, telephone="555")
    with acting("admin") as who:
        assert session().get(Tenant, who.tenant_id).name != "Renamed"


def test_surrogates_and_nul_are_cleaned_and_the_entry_can_be_signed(acting):
    with acting("admin") as who:
        target = session().get(Tenant, who.tenant_id)
        record(
            crash_processes.CHANGED,
            target,
            before={"name": "A"},
            after={"name": "lone \ud800 and \0"},
            reason="\udfff\0",
        )
    with acting("admin"):
        sequencer.sequence()
        assert [finding.sentence for finding in fsck.fsck().findings] == []
