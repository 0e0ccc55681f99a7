"""Partial exports compared with the checkpoint that a reader kept: right, wrong or not checked."""

import base64
import io
import json
import re
from datetime import timedelta

import aics_tlog
import pytest
from click.testing import CliRunner

from governance.app.cli import main
from governance.foundation.audit import checkpoint, jsonl, logs, merkle
from governance.foundation.audit import queries as audit
from governance.foundation.logbook import export_writer, queries
from governance.kernel import clock
from governance.kernel.data import tenant_cache
from tests.foundation.audit.log_helpers import entry_bodies
from tests.foundation.logbook.export_helpers import (
    generate_export,
    verifier_keys,
    write_numbered_entries,
)
from tests.machine_client import create_machine_client

FILTER = "?action=audit"


@pytest.fixture
def log(acting, database):
    """Write some entries to Acme's log, signed at three sizes, and to globex's."""
    for count in (3, 4, 5):
        write_numbered_entries(acting, count)
    write_numbered_entries(acting, 5, "globex", "secret of globex")


def newest_checkpoint(acting, tenant="acme"):
    """Return the newest checkpoint, as a reader keeps it."""
    with acting("admin", tenant):
        return audit.last_checkpoint().note


def size_of(note):
    return int(note.splitlines()[1])


def foreign_history_checkpoint(acting, size):
    """Return a checkpoint of another history: the log's own key signs another root."""
    with acting("admin"):
        log = audit.head()
        other = checkpoint.Head(
            log.origin, size, merkle.leaf_hash(b"what it was before somebody rewrote it")
        )
        return checkpoint.sign(logs.private_key(logs.signing_key()), log.origin, other)


@pytest.fixture
def run_verify_log(tmp_path, acting):
    """Return a function that runs `governance verify-log` on these bytes."""

    def check(content, *, older=None, **files):
        arguments = ["verify-log", str(tmp_path / "export.jsonl"), "--key", verifier_keys(acting)]
        (tmp_path / "export.jsonl").write_bytes(content)
        for name, text in ({"checkpoint": older} | files).items():
            if text is not None:
                (tmp_path / name).write_text(text)
                arguments += [f"--{name}", str(tmp_path / name)]
        return CliRunner().invoke(main, arguments)

    return check


def test_part_of_the_log_is_really_compared_with_an_older_checkpoint(
    as_officer, log, acting, run_verify_log
):
    older = newest_checkpoint(acting)
    write_numbered_entries(acting, 7)
    done = run_verify_log(generate_export(as_officer, query=FILTER), older=older)
    assert done.exit_code == 0, done.output
    assert (
        f"This log begins with the {size_of(older)} entries of your older checkpoint" in done.output
    )


def test_part_of_a_forked_log_contradicts_an_older_checkpoint(
    as_officer, log, acting, run_verify_log, database
):
    """Restore the database to an earlier state, then write and sign other entries.

    The key is the same.
    """
    before = newest_checkpoint(acting)
    point = database.begin_nested()
    write_numbered_entries(acting, 7, word="as it was")
    older = newest_checkpoint(acting)
    point.rollback()
    tenant_cache.forget()
    write_numbered_entries(acting, 9, word="as they would have it")
    for query in (FILTER, "?action=tenant", "?since=2020-01-01"):
        content = generate_export(as_officer, query=query)
        assert (
            run_verify_log(content).exit_code == 0
            and run_verify_log(content, older=before).exit_code == 0
        )
        done = run_verify_log(content, older=older)
        assert done.exit_code == 1, done.output
        assert (
            "The log contradicts your older checkpoint: it was rewritten within the first"
            f" {size_of(older)} entries." in done.output
        )


def test_every_size_that_the_log_has_had_can_be_compared(as_officer, log, acting, run_verify_log):
    content = generate_export(as_officer, query=FILTER)
    with acting("admin"):
        sizes = sorted(
            {each.size: each.note for each in queries.checkpoints({}).rows if each.size}.items()
        )
    assert len(sizes) > 1
    for size, older in sizes:
        done = run_verify_log(content, older=older)
        assert done.exit_code == 0 and f"This log begins with the {size} entr" in done.output, (
            done.output
        )
        assert (
            run_verify_log(content, older=foreign_history_checkpoint(acting, size)).exit_code == 1
        )


@pytest.mark.parametrize("query", ["?action=audit", "?since=2020-01-01", "?outcome=done&q=A-2"])
def test_another_program_finds_the_same_hashes_and_confirms_the_logs_own_proof(
    app, as_officer, log, acting, query
):
    """Compare with aics-tlog, which hashes the entries itself.

    Our partial export has the same hashes in their place.
    """
    older = aics_tlog.parse_checkpoint(aics_tlog.parse_note(newest_checkpoint(acting)).text)
    write_numbered_entries(acting, 4)
    lines = [json.loads(line) for line in generate_export(as_officer, query=query).splitlines()]
    newer = aics_tlog.parse_checkpoint(aics_tlog.parse_note(lines[0]["checkpoint"]).text)
    [hashes] = [line for line in lines if "hashes" in line]
    assert lines[0]["format"] == "governance.audit-export/3" and (
        hashes["place"],
        hashes["level"],
    ) == (0, 0)
    leaves = [aics_tlog.leaf_hash(body) for body in entry_bodies(acting)[: newer.size]]
    assert base64.b64decode(hashes["hashes"]) == b"".join(leaves)
    answer = (
        create_machine_client(app)
        .get(f"/audit/acme/proof/consistency?from={older.size}&to={newer.size}")
        .json
    )
    path = [base64.b64decode(each) for each in answer["path"]]
    assert aics_tlog.verify_consistency(older.size, newer.size, older.root, newer.root, path)


def test_another_tenants_checkpoint_and_one_that_is_newer_are_not_checked(
    as_officer, log, acting, run_verify_log
):
    content = generate_export(as_officer, query=FILTER)
    write_numbered_entries(acting, 3)
    newer, foreign = newest_checkpoint(acting), newest_checkpoint(acting, "globex")
    for older, says in (
        (newer, "Request a newer export"),
        (foreign, "signed with a different key"),
        (newer[:-20], "incomplete or damaged"),
    ):
        done = run_verify_log(content, older=older)
        assert done.exit_code == 2 and says in done.output, done.output


# ---- a longer log


@pytest.fixture
def days(database, acting, monkeypatch):
    """Write a log of three days that is longer than one whose every size is comparable.

    Return the last checkpoint of each day.
    """
    monkeypatch.setattr(export_writer, "MAX_ENTRIES_FOR_EVERY_SIZE", 20)
    today, notes = clock.now(), []
    for ago in (2, 1, 0):
        with clock.frozen(today - timedelta(days=ago)):
            write_numbered_entries(acting, 9)
            middle = newest_checkpoint(acting)
            write_numbered_entries(acting, 9)
            notes.append((middle, newest_checkpoint(acting)))
    return notes


def test_of_a_longer_log_the_last_checkpoint_of_each_day_is_compared(
    app, as_officer, days, acting, run_verify_log
):
    content = generate_export(as_officer, query=FILTER)
    assert (
        sum(
            len(jsonl.read(line).hashes)
            for line in content.splitlines(keepends=True)
            if b'"hashes"' in line
        )
        < 40
    )
    machine = create_machine_client(app)
    for middle, last in days[:-1]:
        assert run_verify_log(content, older=last).exit_code == 0
        assert (
            run_verify_log(
                content, older=foreign_history_checkpoint(acting, size_of(last))
            ).exit_code
            == 1
        )
        between = run_verify_log(content, older=middle)
        assert (
            between.exit_code == 2
            and f"no hash that ends at {size_of(middle)} entries" in between.output
        )
        [address] = set(
            re.findall(
                r"/audit/acme(/proof/consistency\?from=\d+&to=\d+) with --consistency",
                between.output,
            )
        )
        answer = machine.get(f"/audit/acme{address}").text
        done = run_verify_log(content, older=middle, consistency=answer)
        assert done.exit_code == 0 and "The consistency proof leads from" in done.output
        forged = foreign_history_checkpoint(acting, size_of(middle))
        assert run_verify_log(content, older=forged, consistency=answer).exit_code == 1


# ---- the public page


def test_the_page_says_the_same_in_words(client, as_officer, log, acting):
    older = newest_checkpoint(acting)
    content = generate_export(as_officer, query=FILTER)

    def page(checkpoint):
        sent = {
            "export": (io.BytesIO(content), "e.jsonl"),
            "key": verifier_keys(acting),
            "checkpoint": checkpoint.replace("\n", "\r\n"),
        }
        return client.post("/verify-log", then=200, **sent).text

    assert "This log begins with the " in page(older)
    wrong = page(foreign_history_checkpoint(acting, size_of(older)))
    assert (
        "Do not rely on this export." in wrong
        and "The log contradicts your older checkpoint" in wrong
    )
    assert "a requested check could not run" in page("nonsense")
