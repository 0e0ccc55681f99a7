"""Verification of stored files: altered, missing or left-over ones are found, named and shown."""

import io
import os
from datetime import timedelta

import pytest
from click.testing import CliRunner
from sqlalchemy import update

from governance.assurance.controls import queries as controls
from governance.assurance.evidence import (
    jobs,
    queries,
    verifying,
    version_actions,
)
from governance.assurance.evidence.models import EvidenceFault, EvidenceVersion
from governance.assurance.frameworks import queries as frameworks
from governance.foundation.people.jobs import actor_of
from governance.foundation.tenants.models import Tenant
from governance.kernel import clock, current
from governance.kernel.data.db import session, transaction
from governance.kernel.errors import Unavailable
from governance.kernel.files import storage
from governance.kernel.files.encrypted_stream import CorruptedFile
from governance.kernel.work import jobs as queue
from tests import make
from tests.assurance.evidence import evidence_helpers
from tests.assurance.evidence.deletion_helpers import (
    approve_deletion,
    count_deletion_rows,
    request_deletion,
    run_nightly_cleanup,
)
from tests.assurance.evidence.evidence_helpers import PDF, count_rows, entries_of_action


def stored_path(version_id):
    with make.acting(read_only=True):
        return storage.store().root / queries.find_version(version_id)[0].storage_key


def flip_last_bit(path):
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))


def verify_files():
    from governance.kernel import current

    with current.acting_as(make.system_actor("acme")):
        return verifying.verify()


@pytest.mark.parametrize("how", ["altered", "cut", "missing", "swapped"])
def test_a_file_changed_behind_our_back_is_named_and_its_evidence_is_broken(as_officer, how):
    control = evidence_helpers.create_control()
    e = evidence_helpers.create_evidence(supports=[control])
    v = evidence_helpers.upload_version(e)
    evidence_helpers.accept_version(v)
    other = evidence_helpers.upload_version(
        evidence_helpers.create_evidence("Another"), PDF + b"other"
    )
    assert verify_files().is_intact and "Fresh" in as_officer.get(f"evidence/{e}").text
    path = stored_path(v)
    before = path.read_bytes()
    if how == "missing":
        path.unlink()
    else:
        path.write_bytes(
            {
                "altered": before[:-3] + b"abc",
                "cut": before[:-20],
                "swapped": stored_path(other).read_bytes(),
            }[how]
        )
    report = verify_files()
    [finding] = report.findings
    assert (finding.ref, finding.number) == ("EV-0001", 1) and finding.kind == (
        "missing" if how == "missing" else "altered"
    )
    assert "EV-0001 version 1" in finding.sentence and not report.is_intact
    verify_files()
    assert (
        count_rows(EvidenceFault) == 1 and len(entries_of_action("evidence.version.corrupted")) == 1
    )
    page = as_officer.get(f"evidence/{e}").text
    assert "File corrupted" in page and "Version 1 is corrupted." in page
    assert "EV-0001" in as_officer.get("evidence/inbox").text
    assert "missing or corrupted" in as_officer.get(f"controls/{control}").text
    path.write_bytes(before)
    assert verify_files().is_intact and "Fresh" in as_officer.get(f"evidence/{e}").text
    assert entries_of_action("evidence.version.restored")
    assert controls


def test_a_download_of_an_altered_file_is_refused_and_gives_out_nothing(as_officer):
    v = evidence_helpers.upload_version(evidence_helpers.create_evidence())
    path = stored_path(v)
    flip_last_bit(path)
    reply = as_officer.post(f"evidence/versions/{v}/download", then=409)
    assert "is corrupted" in reply.text and PDF not in reply.data
    path.unlink()
    assert (
        "missing from storage" in as_officer.post(f"evidence/versions/{v}/download", then=409).text
    )


@pytest.mark.parametrize("how", ["altered", "missing"])
def test_a_download_that_finds_a_file_broken_notes_it_at_once_and_its_control_fails(
    as_officer, as_viewer, how
):
    control = evidence_helpers.create_control()
    v = evidence_helpers.upload_version(evidence_helpers.create_evidence(supports=[control]))
    evidence_helpers.accept_version(v)
    assert "missing or corrupted" not in as_officer.get(f"controls/{control}").text
    path = stored_path(v)
    if how == "missing":
        path.unlink()
    else:
        flip_last_bit(path)
    for _ in range(2):
        assert (
            "doesn&#39;t count as evidence until"
            in as_viewer.post(f"evidence/versions/{v}/download", then=409).text
        )
    [entry] = entries_of_action("evidence.version.corrupted")
    assert (
        entry.facts["kind"] == how
        and entry.actor_kind == "person"
        and count_rows(EvidenceFault) == 1
    )
    assert not entries_of_action("evidence.version.downloaded"), "nothing went out"
    assert "missing or corrupted" in as_officer.get(f"controls/{control}").text


def test_a_file_that_turns_out_altered_on_the_way_breaks_off_and_is_noted(as_officer):
    """Stop the download and log the fault.

    The first chunks are right and already sent, so the promised length isn't delivered.
    """
    v = evidence_helpers.upload_version(evidence_helpers.create_evidence(), PDF + b"y" * 3_000_000)
    path = stored_path(v)
    flip_last_bit(path)
    with pytest.raises(CorruptedFile):
        as_officer.post(f"evidence/versions/{v}/download", then=200).get_data()
    assert entries_of_action("evidence.version.corrupted")[0].facts["kind"] == "altered"
    assert (
        as_officer.post(
            f"evidence/versions/{evidence_helpers.upload_version(evidence_helpers.create_evidence('Another'))}/download",
            then=200,
        ).data
        == PDF
    )


@pytest.fixture
def with_store():
    """Return a function that chooses another store for the test."""
    before = storage.store()
    yield storage.use
    storage.use(before)


def test_a_store_that_is_away_breaks_nothing(database, with_store):
    evidence_helpers.upload_version(evidence_helpers.create_evidence())
    store = storage.store()

    class Away(storage.Folder):
        def _stored(self, key):
            raise Unavailable("The object store can't be read right now.")

    with_store(Away(store.root))
    with pytest.raises(Unavailable):
        verify_files()
    assert count_rows(EvidenceFault) == 0


def test_bytes_from_before_files_were_sealed_are_still_read_and_checked(as_officer):
    e = evidence_helpers.create_evidence()
    with make.acting("contributor") as who:
        blob = storage.store().write(who.tenant_id, io.BytesIO(PDF), limit=10**6)
        old = version_actions.StoredFile(
            "report.pdf", "application/pdf", blob.size, blob.sha256, blob.key
        )
        dates = evidence_helpers.version_dates()
        collected = dates.pop("collected_on")
        v = version_actions._store_version(
            queries.find_evidence(e),
            old,
            unchanged=False,
            collected_on=collected,
            source="upload",
            **dates,
        ).id
    assert as_officer.post(f"evidence/versions/{v}/download", then=200).data == PDF
    assert verify_files().is_intact
    stored_path(v).write_bytes(b"%PDF-1.7 another")
    assert [f.kind for f in verify_files().findings] == ["altered"]


def test_the_command_says_it_and_fails(settings, isolated):
    """Bind the command to the test's database, so that what it finds is rolled back."""
    from governance.app import cli
    from governance.kernel import current

    v = evidence_helpers.upload_version(evidence_helpers.create_evidence())
    good = CliRunner().invoke(cli.main, ["verify-evidence"], obj=cli.CONNECTED)
    assert (
        good.exit_code == 0
        and "ok    acme: 1 stored file of 1 version" in good.output
        and "ok    globex" in good.output
    )
    stored_path(v).unlink()
    bad = CliRunner().invoke(cli.main, ["verify-evidence", "acme"], obj=cli.CONNECTED)
    assert (
        bad.exit_code == 1
        and "FAIL  acme" in bad.output
        and "EV-0001 version 1: the stored file is missing" in bad.output
    )
    assert current.actor_or_none() is None


def test_a_store_that_is_away_is_said_to_be_not_checked_and_the_other_tenants_are_checked(
    settings, isolated, with_store
):
    from governance.app import cli

    evidence_helpers.upload_version(evidence_helpers.create_evidence())

    class Away(storage.Folder):
        def _stored(self, key):
            raise Unavailable("The object store can't be read right now.")

    with_store(Away(storage.store().root))
    away = CliRunner().invoke(cli.main, ["verify-evidence"], obj=cli.CONNECTED)
    assert away.exit_code == 2, away.output
    assert "?     acme: not checked. " in away.output and "ok    globex" in away.output


def test_without_a_tenant_nothing_was_checked(settings, isolated):
    from governance.app import cli

    with current.acting_as(make.system_actor("console")), transaction():
        session().execute(update(Tenant).values(status="deleted"))
    done = CliRunner().invoke(cli.main, ["verify-evidence"], obj=cli.CONNECTED)
    assert done.exit_code == 2 and "nothing was checked" in done.output


# ---- the weekly check


def file_checks(slug="acme"):
    return sorted(
        entries_of_action("evidence.files.verified", slug), key=lambda entry: entry.at, reverse=True
    )


def test_once_a_week_by_itself_and_the_inbox_says_when_and_what_is_broken(as_officer):
    assert "Not checked yet." in as_officer.get("evidence/inbox").text
    v = evidence_helpers.upload_version(evidence_helpers.create_evidence())
    jobs.verify_evidence()
    jobs.verify_evidence()
    assert len(file_checks()) == len(file_checks("globex")) == 1
    page = as_officer.get("evidence/inbox").text
    assert "All files are intact." in page and "1 stored file." in page
    stored_path(v).unlink()
    with clock.frozen(clock.now() + timedelta(days=7)):
        jobs.verify_evidence()
    assert len(file_checks()) == 2 and file_checks()[0].facts["broken"] == 1
    page = as_officer.get("evidence/inbox").text
    assert "File missing" in page and "EV-0001 version 1" in page and "Last checked" in page


def test_a_check_that_ended_early_is_made_again_the_next_night(database, with_store):
    evidence_helpers.upload_version(evidence_helpers.create_evidence())

    class Away(storage.Folder):
        def _stored(self, key):
            raise Unavailable("The object store can't be read right now.")

    there = storage.store()
    with_store(Away(there.root))
    jobs.verify_evidence()
    with_store(there)
    assert not file_checks() and len(file_checks("globex")) == 1 and not count_rows(EvidenceFault)
    jobs.verify_evidence()
    assert len(file_checks()) == len(file_checks("globex")) == 1


def test_of_two_checks_at_the_same_time_one_stands_in_the_log(database):
    from governance.kernel import current

    evidence_helpers.upload_version(evidence_helpers.create_evidence())
    with current.acting_as(make.system_actor("acme")):
        assert verifying.verify(claim=lambda: False).is_intact
    assert not file_checks()


def test_an_auditor_learns_of_broken_files_in_their_scope_only(app, as_officer, acting):
    from tests.assurance.engagements import engagement_helpers
    from tests.conftest import visitor

    engagement_helpers.end_engagement(engagement_helpers.world_engagement())
    with acting("compliance_officer"):
        soc2 = frameworks.framework("soc2-tsc-2017").id
    engagement_helpers.create_engagement(auditor="auditor", framework_id=soc2)
    v = evidence_helpers.upload_version(evidence_helpers.create_evidence("Out of scope"))
    stored_path(v).unlink()
    jobs.verify_evidence()
    assert "Out of scope" in as_officer.get("evidence/inbox").text
    page = visitor(app, "auditor").get("evidence/inbox").text
    assert (
        "Out of scope" not in page
        and "stored file." not in page
        and "All files are intact." in page
    )


# ---- left-over files


def test_a_blob_without_a_row_goes_after_a_day_and_one_with_a_row_stays(database):
    v = evidence_helpers.upload_version(evidence_helpers.create_evidence())
    with make.acting() as who:
        orphan = storage.store().write(
            who.tenant_id,
            io.BytesIO(b"the process died before its row"),
            limit=100,
            prefix="evidence",
        )
        other_shelf = storage.store().write(
            who.tenant_id, io.BytesIO(b"a package"), limit=100, prefix="packages"
        )
    neighbour = storage.store()
    for key in (orphan.key, other_shelf.key):
        assert neighbour.exists(key)
    run_nightly_cleanup()
    assert neighbour.exists(orphan.key), "it may belong to a transaction that is under way"
    old = (clock.machine_now() - timedelta(hours=25)).timestamp()
    for path in (neighbour.root / orphan.key, neighbour.root / other_shelf.key, stored_path(v)):
        os.utime(path, (old, old))
    run_nightly_cleanup()
    assert (
        not neighbour.exists(orphan.key)
        and neighbour.exists(other_shelf.key)
        and stored_path(v).exists()
    )
    assert entries_of_action("evidence.files.cleaned_up")[0].facts["files"] == 1


def test_a_store_of_any_size_is_swept_a_thousand_files_at_a_time(database, monkeypatch):
    """Sweep in batches, so that uploads can happen between transactions."""
    v = evidence_helpers.upload_version(evidence_helpers.create_evidence())
    kept = stored_path(v)
    old = (clock.machine_now() - timedelta(hours=25)).timestamp()
    with make.acting() as who:
        folder = storage.store().root / who.tenant_id.hex / "evidence"
    for number in range(2500):
        path = folder / f"{number % 256:02x}" / f"{number:064x}.sealed"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
        os.utime(path, (old, old))
    os.utime(kept, (old, old))
    run_nightly_cleanup()
    assert not [p for p in folder.rglob("*.sealed") if p.read_bytes() == b"x"] and kept.exists()
    swept = [each.facts["files"] for each in entries_of_action("evidence.files.cleaned_up")]
    assert sum(swept) == 2500 and max(swept) <= 1000


def test_a_file_that_is_destroyed_while_the_check_runs_is_no_fault(as_officer, as_reviewer):
    """Delete a file after the check listed it and before its turn."""
    evidence_helpers.upload_version(evidence_helpers.create_evidence("A"), b"a,b\n1,2\n", "a.csv")
    gone = evidence_helpers.upload_version(evidence_helpers.create_evidence("B"))
    request_deletion(as_officer, gone)

    def meanwhile(done, _total):
        if not done:
            approve_deletion(as_reviewer, gone)
            queue.drain(actor_of)

    with current.acting_as(make.system_actor("acme")):
        report = verifying.verify(meanwhile)
    assert (
        report.is_intact
        and count_deletion_rows() == {gone: "done"}
        and count_rows(EvidenceFault) == 0
    )


def test_a_refused_version_leaves_no_row_and_a_row_never_lacks_its_blob(as_contributor, with_store):
    e = evidence_helpers.create_evidence()
    root = storage.store().root

    class Full(storage.Folder):
        def _place(self, file, key):
            raise OSError(28, "No space left on device")

    with_store(Full(root))
    reply = as_contributor.post(
        f"evidence/{e}/versions/new", then=503, **evidence_helpers.version_form()
    )
    assert "No space left on device" in reply.text and "Nothing was saved" in reply.text
    assert count_rows(EvidenceVersion) == 0 and not list(root.rglob(".incoming-*"))
