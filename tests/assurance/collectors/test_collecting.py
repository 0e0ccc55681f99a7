"""Collectors: one run for each period and tenant, which stores what it found, even nothing."""

import csv
import hashlib
import io
from datetime import timedelta

import pytest
from sqlalchemy import func, select, text

from governance.assurance.collectors import jobs as collecting
from governance.assurance.collectors import queries
from governance.assurance.collectors.backups import NONE_REPORTED
from governance.assurance.collectors.models import CollectorRun
from governance.assurance.controls.models import Control
from governance.assurance.evidence.models import EvidenceLink, EvidenceVersion
from governance.foundation.people import member_actions
from governance.foundation.people import queries as directory
from governance.foundation.populations.collector import every_collector
from governance.foundation.populations.periods import next_due, period_containing, previous_period
from governance.kernel import clock
from governance.kernel.data.db import session
from tests import faults, make
from tests.assurance.collectors.collector_helpers import (
    last_run,
    read_filed_csv,
    run_due_collectors,
)
from tests.assurance.evidence import evidence_helpers


@pytest.fixture
def next_month():
    """Freeze the first day of next month and yield the month before it."""
    at = clock.now().replace(day=1, hour=6) + timedelta(days=32)
    with clock.frozen(at.replace(day=1)):
        yield previous_period("monthly", clock.today())


def test_nothing_is_due_before_the_first_period_is_over(database):
    assert run_due_collectors() == 0 or clock.today().day == 1


def test_every_collector_runs_once_for_a_period_whoever_asks_again(database, next_month):
    monthly = [c for c in every_collector().values() if c.schedule == "monthly"]
    assert run_due_collectors() >= len(monthly)
    assert run_due_collectors() == 0
    with make.acting("admin"):
        rows = session().execute(
            select(CollectorRun.key, func.count())
            .where(CollectorRun.period == next_month.name)
            .group_by(CollectorRun.key)
        )
        assert {key: count for key, count in rows} == {c.key: 1 for c in monthly}  # noqa: C416


def test_members_are_told_from_the_log_and_the_file_says_how(database, next_month):
    run_due_collectors()
    run = last_run("members").run
    assert run.state == "filed" and run.is_fine and run.says.startswith("6 members, 1 admin;")
    above, table = read_filed_csv(run)
    assert (
        above["Rows"] == "6" == str(run.rows)
        and above["SHA-256 of the table below"] == run.sha256 == hashlib.sha256(table).hexdigest()
    )
    assert "FROM audit_entries" in above["Query"] and above["Parameter begins"].startswith(
        next_month.first.isoformat()
    )
    assert (
        above["Run by"] == "Meridian, on schedule"
        and above["Time zone"] == "UTC"
        and above["Run at"]
    )
    assert (
        b"@acme.example" not in table and b"Sanjay" not in table and b"compliance_officer" in table
    )


def test_a_member_who_left_and_a_changed_role_are_in_the_population(database, next_month):
    with clock.frozen(next_month.until - timedelta(hours=30)), make.acting("admin"):
        member_actions.remove_member(directory.membership_of(make.person_id("viewer")))
        member_actions.change_role(directory.membership_of(make.person_id("contributor")), "viewer")
    run_due_collectors()
    run = last_run("members").run
    assert run.says.startswith("5 members, 1 admin; 1 member left")
    states = [dict(zip(run.preview[0], row, strict=True)) for row in run.preview[1:]]
    assert [(s["role"], s["state"]) for s in states if s["state"] == "left"] == [("viewer", "left")]
    assert last_run("leavers").run.says == "1 member left; all their sessions were ended."


def test_a_version_is_linked_to_the_controls_that_the_tenant_has_adopted_until_somebody_takes_the_link_away(
    database, next_month
):
    from governance.assurance.evidence import link_actions
    from governance.assurance.evidence import queries as library

    control = evidence_helpers.create_control("ACC-03", "Leavers removed within a day")
    run_due_collectors()
    run = last_run("members").run
    with make.acting("admin"):
        version = (
            session()
            .scalars(select(EvidenceVersion).where(EvidenceVersion.id == run.evidence_version_id))
            .one()
        )
        assert (version.source, version.uploaded_by, version.number) == ("console", None, 1)
        assert (version.period_from, version.period_to) == (next_month.first, next_month.last)
        linked = (
            session()
            .scalars(
                select(Control.ref)
                .join(EvidenceLink, EvidenceLink.control_id == Control.id)
                .where(EvidenceLink.evidence_id == version.evidence_id)
            )
            .all()
        )
        assert linked == ["ACC-03"]
        piece = version.evidence_id
        link_actions.unlink(library.find_evidence(piece), control)
    with clock.frozen(clock.now() + timedelta(days=31)):
        run_due_collectors()
        with make.acting("admin"):
            second = (
                session()
                .scalars(
                    select(EvidenceVersion).where(
                        EvidenceVersion.id == last_run("members").run.evidence_version_id
                    )
                )
                .one()
            )
            assert (second.evidence_id, second.number) == (piece, 2)
            open_links = (
                select(func.count())
                .select_from(EvidenceLink)
                .where(
                    EvidenceLink.evidence_id == second.evidence_id,
                    EvidenceLink.removed_at.is_(None),
                )
            )
            assert session().scalar(open_links) == 0


@pytest.mark.parametrize("key", ["backups", "switch-drills", "log-checks"])
def test_what_was_not_performed_is_said_and_files_nothing(database, next_month, key):
    run_due_collectors()
    seen = last_run(key)
    assert (seen.state, seen.run.rows, seen.run.evidence_version_id) == ("nothing", 0, None)
    assert seen.word == "No evidence found" and seen.kind == "due"
    if key == "backups":
        assert seen.sentence.startswith(NONE_REPORTED)


def test_a_backup_that_was_brought_in_is_in_the_population(database, next_month):
    control = evidence_helpers.create_control("OPS-06", "Backup restored")
    with clock.frozen(next_month.until - timedelta(hours=30)):
        evidence_helpers.upload_version(
            evidence_helpers.create_evidence("Restore drill", supports=[control])
        )
    run_due_collectors()
    assert last_run("backups").run.says == "1 record of backups and restores uploaded."


def test_isolation_is_tried_and_not_only_read(database, next_month):
    run_due_collectors()
    run = last_run("tenant-isolation").run
    assert run.is_fine, run.says
    rows = [dict(zip(run.preview[0], row, strict=True)) for row in run.preview[1:]]
    assert all(
        r["row_level_security"] and r["forced"] and r["seen_by_another_tenant"] == 0 for r in rows
    )
    filed = csv.DictReader(io.StringIO(read_filed_csv(run)[1].decode()))
    asked = {r["table"] for r in filed if r["own_row_asked_for"] != "no row to test"}
    assert {"audit_entries", "memberships"} <= asked
    assert "Globex" not in str(read_filed_csv(run)) and str(
        make.system_actor("globex").tenant_id
    ) not in str(read_filed_csv(run))


def test_isolation_that_is_broken_is_found_and_filed_as_a_finding(
    database, next_month, monkeypatch
):
    """Simulate a database without isolation: the "other" tenant is this one."""
    from governance.assurance.collectors import tenant_isolation

    monkeypatch.setattr(
        tenant_isolation, "_another_tenant", lambda: make.system_actor("acme").tenant_id
    )
    run_due_collectors()
    seen = last_run("tenant-isolation")
    assert (seen.state, seen.kind, seen.word) == ("filed", "bad", "Needs attention")
    assert (
        seen.sentence.startswith("Another tenant could read rows of ")
        and "memberships" in seen.sentence
    )


def test_the_attempt_leaves_the_transaction_as_it_was(database):
    with make.acting("admin") as who:
        found = every_collector()["tenant-isolation"].population(
            period_containing("monthly", clock.today())
        )
        assert session().scalar(text("SELECT current_setting('app.tenant')")) == str(who.tenant_id)
        assert found.row_count > 40


def test_one_tenant_collects_its_own(database, next_month):
    run_due_collectors("globex")
    assert (
        last_run("members", "globex").run.says.startswith("2 members, 1 admin;")
        and last_run("members") is None
    )


def test_missed_periods_are_caught_up_with_and_what_cannot_be_told_afterwards_is_said_to_be_missed(
    database, next_month
):
    with clock.frozen(clock.now() + timedelta(days=70)):
        run_due_collectors()
        with make.acting("admin"):
            states = dict(
                session()
                .execute(
                    select(CollectorRun.period, CollectorRun.state).where(
                        CollectorRun.key == "members"
                    )
                )
                .all()
            )
            assert set(states.values()) == {"filed"} and len(states) >= 3
            held = dict(
                session()
                .execute(
                    select(CollectorRun.period, CollectorRun.state).where(
                        CollectorRun.key == "tenant-isolation"
                    )
                )
                .all()
            )
            newest = previous_period("monthly", clock.today()).name
            assert held.pop(newest) == "filed" and set(held.values()) == {"missed"}


def test_a_run_that_fails_is_visible_with_its_sentence_and_its_next_day(
    database, next_month, as_officer
):
    from governance.kernel.errors import Invalid

    away = faults.fail(Invalid("The members could not be counted."))
    with faults.before_statement(database, "'former member'", away):
        run_due_collectors()
    seen = last_run("members")
    assert (seen.state, seen.kind, seen.sentence) == (
        "failed",
        "bad",
        "The members could not be counted.",
    )
    with make.acting("admin"):
        assert queries.collector_status("members").due == next_due("monthly", clock.today())


def test_a_population_is_handed_out_for_any_days(database):
    with make.acting("compliance_officer"):
        found = queries.population("members", clock.today() - timedelta(days=3), clock.today())
    assert found.row_count == 6 and found.rows[0]["state"] == "member" and len(found.sha256) == 64
    assert found.run_by.startswith("person ") and "Ines" not in found.run_by


def test_two_processes_that_schedule_at_once_queue_each_period_once(database, next_month):
    first = collecting.collect_due_of(make.system_actor("acme"))
    assert first and collecting.collect_due_of(make.system_actor("acme")) == 0
