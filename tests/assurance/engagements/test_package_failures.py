"""Faults while a package is made: it is complete or absent.

Files are missing, altered or unreadable, disks full, work cancelled or killed, names awkward.
"""

import errno
import io
import itertools
import multiprocessing
import os
import re
import time
import zipfile
from datetime import timedelta
from functools import partial
from pathlib import Path, PurePosixPath, PureWindowsPath

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sqlalchemy import create_engine, select, update

from governance.assurance.engagements import actions, queries
from governance.assurance.engagements import jobs as packing
from governance.assurance.engagements.models import EvidencePackage
from governance.assurance.engagements.packages import actions as packages
from governance.assurance.engagements.packages import queries as package_queries
from governance.assurance.engagements.packages.bagit import Bag, IncompletePackage, Payload
from governance.assurance.engagements.packages.contents import safe_name
from governance.assurance.engagements.packages.verifier import verify
from governance.assurance.evidence.models import EvidenceVersion
from governance.foundation.audit.models import AuditEntry
from governance.foundation.people.jobs import actor_of
from governance.foundation.tenants import queries as directory
from governance.kernel import clock, current
from governance.kernel.data import db, embedded, tenant_cache
from governance.kernel.data.db import session
from governance.kernel.files import storage
from governance.kernel.files.streamed_files import reading
from governance.kernel.work import background_work, jobs
from governance.kernel.work.jobs import WorkItem, WorkTicket
from tests import faults, make
from tests.assurance.engagements import engagement_helpers, worker_process
from tests.assurance.engagements.package_helpers import (
    download_package,
    generate_package,
    log_verifier_key,
    package_state,
    sequence_entries,
)
from tests.assurance.evidence import evidence_helpers
from tests.migrated_databases import migrated_database

processes = multiprocessing.get_context("spawn")


def package_files_in_store(settings):
    """Return every package file in acme's part of the store, finished or not."""
    root = (
        Path(settings.storage_url.removeprefix("file:")) / make.system_actor("acme").tenant_id.hex
    )
    return {p for p in root.rglob("*") if p.is_file() and "/evidence/" not in str(p)}


@pytest.fixture
def new_package_files(settings, database):
    """Return a function for the package files stored since the test started."""
    before = package_files_in_store(settings)
    return lambda: package_files_in_store(settings) - before


def stored_at(settings, version_id):
    with make.acting("admin"):
        key = session().scalar(
            select(EvidenceVersion.storage_key).where(EvidenceVersion.id == version_id)
        )
    return Path(settings.storage_url.removeprefix("file:")) / key


def make_due_now(item_id=None):
    """End the work item's pause, or the lease of a dead process."""
    with make.acting("admin"):
        session().execute(update(WorkTicket).values(ready_at=clock.now() - timedelta(seconds=1)))


# ---- faults of the store


def test_a_file_bent_behind_our_back_ends_it_and_is_named_and_again_works_when_it_is_right(
    as_officer, acting, engagement_with_files, settings, new_package_files
):
    engagement, versions = engagement_with_files
    path = stored_at(settings, versions[1])
    right = path.read_bytes()
    path.write_bytes(right[:-20] + bytes([right[-20] ^ 1]) + right[-19:])
    page = generate_package(as_officer, engagement)
    now, step, kept = package_state(acting)
    assert (now, kept) == ("failed", None)
    assert "EV-0002" in step and "No package was generated" in step
    assert not new_package_files()
    path.write_bytes(right)
    as_officer.post(f"{page}/again")
    jobs.drain(actor_of)
    assert package_state(acting)[0] == "done"
    assert verify(
        io.BytesIO(as_officer.post(f"{page}/download", then=200).data), log_verifier_key(acting)
    ).ok


def test_another_files_bytes_in_its_place_end_it(
    as_officer, acting, engagement_with_files, settings, new_package_files
):
    engagement, versions = engagement_with_files
    stored_at(settings, versions[1]).write_bytes(stored_at(settings, versions[2]).read_bytes())
    generate_package(as_officer, engagement)
    assert package_state(acting)[0] == "failed"
    assert "EV-0002" in package_state(acting)[1]
    assert not new_package_files()


def test_a_store_that_is_away_is_tried_again_and_after_three_tries_the_file_is_named(
    as_officer, acting, engagement_with_files, settings, new_package_files
):
    engagement, versions = engagement_with_files
    path = stored_at(settings, versions[1])
    right = path.read_bytes()
    path.unlink()
    path.symlink_to(path)  # Nobody can open it, yet it isn't missing.
    try:
        page = as_officer.post(f"engagements/{engagement}/packages").location
        for _ in range(jobs.MAX_ATTEMPTS):
            make_due_now()
            jobs.drain(actor_of)
    finally:
        path.unlink()
        path.write_bytes(right)
    now, step, kept = package_state(acting)
    assert (now, kept) == ("failed", None)
    assert "EV-0002" in step
    assert not new_package_files()
    as_officer.post(f"{page}/again")
    jobs.drain(actor_of)
    assert package_state(acting)[0] == "done"


class FullDiskStore(storage.Folder):
    """A store whose disk is full after `room` bytes.

    /dev/full can't be renamed, so this class raises the device's error itself.
    """

    room = 4096

    def _incoming(self, tenant_id):
        return _Short(super()._incoming(tenant_id), self.room)


class _Short:
    def __init__(self, inner, room):
        self._inner, self._room = inner, room

    def __enter__(self):
        self._file = self._inner.__enter__()
        return self

    def __exit__(self, *error):
        return self._inner.__exit__(*error)

    def write(self, data):
        self._room -= len(data)
        if self._room < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return self._file.write(data)


def test_a_full_disk_ends_it_and_leaves_nothing(
    as_officer, acting, engagement_with_files, settings, new_package_files, monkeypatch
):
    engagement, _ = engagement_with_files
    full = FullDiskStore(Path(settings.storage_url.removeprefix("file:")))
    storage.use(full)
    page = as_officer.post(f"engagements/{engagement}/packages").location
    for _ in range(jobs.MAX_ATTEMPTS):
        make_due_now()
        jobs.drain(actor_of)
    assert package_state(acting)[0] == "failed"
    assert "No space left" in package_state(acting)[1]
    assert not new_package_files()
    storage.use(settings.storage_url)
    as_officer.post(f"{page}/again")
    jobs.drain(actor_of)
    assert package_state(acting)[0] == "done"


# ---- concurrent actions of people


REPORT = "UPDATE work_items SET"  # Each progress report.


@pytest.fixture
def during_work(isolated, monkeypatch):
    """Return a function that acts when the work reports a step, after which the work continues."""
    monkeypatch.setattr(background_work, "PAUSE_SECONDS", 0.0)
    return partial(faults.after_transaction_of, isolated, REPORT)


@pytest.mark.parametrize("when", ["Adding file 2", "Adding the audit log", "Signing"])
def test_cancelled_in_the_middle_nothing_is_left(
    as_officer, acting, engagement_with_files, new_package_files, during_work, when
):
    engagement, _ = engagement_with_files
    page = as_officer.post(f"engagements/{engagement}/packages").location
    with during_work(lambda: as_officer.post(f"{page}/cancel"), value=when) as reports:
        jobs.drain(actor_of)
    assert reports
    assert package_state(acting)[0] == "cancelled"
    assert package_state(acting)[2] is None
    assert not new_package_files()


def test_an_auditor_whose_engagement_ends_while_it_is_made_gets_none_and_nothing_is_left(
    as_auditor, acting, engagement_with_files, new_package_files, during_work
):
    engagement, _ = engagement_with_files
    as_auditor.post(f"engagements/{engagement}/packages")
    ends = partial(engagement_helpers.end_engagement, engagement)
    with during_work(ends, value="Signing"):
        jobs.drain(actor_of)
    assert package_state(acting)[0] == "cancelled", "with the requester's access"
    assert not new_package_files()


def test_progress_only_grows_counts_bytes_and_is_at_its_end_only_when_it_is_filed(
    as_officer, acting, engagement_with_files, monkeypatch, isolated
):
    engagement, _ = engagement_with_files
    evidence_helpers.upload_version(
        evidence_helpers.create_evidence(
            "Large", supports=[evidence_helpers.create_control("SEC-09")]
        ),
        b"a,b\n" + b"1,2\n" * 500_000,
        "large.csv",
    )
    monkeypatch.setattr(background_work, "PAUSE_SECONDS", 0.0)
    with faults.before_statement(isolated, r"UPDATE work_items SET .*step=", lambda: None) as seen:
        page = generate_package(as_officer, engagement)
    told: list[dict] = []
    for changed in seen:
        told.append((told[-1] if told else {"done": 0}) | changed)
    shares = [each["done"] / each["total"] for each in told]
    assert len(shares) > 3 and shares == sorted(shares)
    assert max(shares) < 1.0
    assert len({each["total"] for each in told[1:]}) == 1
    with acting("admin"):
        item = (
            session()
            .scalars(
                select(WorkItem).join(EvidencePackage, EvidencePackage.work_item_id == WorkItem.id)
            )
            .one()
        )
        assert item.percent == 100
    as_officer.get(page)


def test_a_download_of_a_package_breaks_off_with_its_engagement_also_when_another_is_open(
    as_auditor, acting, engagement_with_files
):
    engagement, _ = engagement_with_files
    engagement_helpers.create_engagement("Second", auditor="auditor")
    evidence_helpers.upload_version(
        evidence_helpers.create_evidence(
            "Large", supports=[evidence_helpers.create_control("SEC-09")]
        ),
        os.urandom(3_000_000).hex().encode(),
        "large.csv",
    )
    page = generate_package(as_auditor, engagement)
    reply = as_auditor.client.post(
        f"{page}/download", data={"csrf_token": as_auditor.csrf()}, buffered=False
    )
    pieces = iter(reply.response)
    first = len(next(pieces))
    engagement_helpers.end_engagement(engagement)
    with pytest.raises(actions.EngagementClosed, match="download stopped"):
        list(pieces)
    reply.close()
    with acting("admin"):
        [facts] = session().scalars(
            select(AuditEntry.facts).where(AuditEntry.action == "engagement.download.interrupted")
        )
    assert facts["page"] == "engagements.take_package" and facts["bytes"] == first


# ---- killed


def test_a_worker_that_died_before_it_said_so_has_filed_one_package_and_the_next_one_finds_it(
    as_officer, acting, engagement_with_files, new_package_files
):
    """Change nothing on the next attempt.

    The first worker saved the package and died before it removed the work item.
    """
    engagement, _ = engagement_with_files
    as_officer.post(f"engagements/{engagement}/packages")
    with acting("admin"):
        ticket = session().scalars(select(WorkTicket)).one()
        held = {"id": ticket.id, "for_tenant": ticket.for_tenant, "kind": ticket.kind}
    jobs.drain(actor_of)
    there = new_package_files()
    with acting("admin"):
        session().add(WorkTicket(**held, ready_at=clock.now(), place=clock.now(), tries=1))
        session().execute(update(WorkItem).where(WorkItem.id == held["id"]).values(state="running"))
    jobs.drain(actor_of)
    assert package_state(acting)[0] == "done"
    assert new_package_files() == there
    with acting("admin"):
        assert (
            len(
                session()
                .scalars(
                    select(AuditEntry.id).where(AuditEntry.action == "engagement.package.generated")
                )
                .all()
            )
            == 1
        )


def test_two_workers_at_one_package_file_one_and_leave_one(
    as_officer, acting, engagement_with_files, new_package_files, during_work
):
    """Store one package although the second worker finishes first.

    The first worker lost its lease without noticing, and is about to store its own.
    """
    engagement, _ = engagement_with_files
    as_officer.post(f"engagements/{engagement}/packages")
    with acting("admin"):
        item_id, target = (
            session()
            .execute(
                select(WorkItem.id, WorkItem.target_id).where(WorkItem.kind == "evidence package")
            )
            .one()
        )

    def by_another():
        with acting("compliance_officer") as who:
            item = session().scalars(select(WorkItem).where(WorkItem.id == item_id)).one()
            session().expunge(item)
        with current.acting_as(who):
            packing.make_package(item, lambda *_: None)

    with during_work(by_another, value="Signing"):
        jobs.drain(actor_of)
    assert len(new_package_files()) == 1
    assert package_state(acting)[0] == "done"
    with acting("admin"):
        kept = session().scalar(
            select(EvidencePackage.storage_key).where(EvidencePackage.id == target)
        )
        assert (
            len(
                session()
                .scalars(
                    select(AuditEntry.id).where(AuditEntry.action == "engagement.package.generated")
                )
                .all()
            )
            == 1
        )
    assert str(next(iter(new_package_files()))).endswith(kept)


@pytest.fixture
def own_database(server, app, settings, worker_id):
    """Yield a separate database with the world in it.

    Two processes share only what is committed.
    """
    name = f"packages_{worker_id}"
    started = migrated_database(name)
    engine = create_engine(started.app_url, pool_size=10)
    db.connect(engine)
    tenant_cache.forget()
    directory.forget()
    make.create_world()
    yield started
    engine.dispose()
    db.connect(settings.database_url)
    tenant_cache.forget()
    directory.forget()
    embedded.drop(server, name)


@pytest.mark.slow
def test_a_worker_killed_in_the_middle_is_taken_up_once_and_finished_once(own_database, settings):
    engagement = engagement_helpers.world_engagement()
    evidence_helpers.upload_version(
        evidence_helpers.create_evidence("Large", supports=[evidence_helpers.create_control()]),
        os.urandom(30_000_000).hex().encode(),
        "large.csv",
    )
    sequence_entries(make.acting)
    with make.acting() as who:
        package = packages.request_package(queries.engagement(engagement)).id
    folder = Path(settings.storage_url.removeprefix("file:")) / who.tenant_id.hex
    before = {*folder.glob("packages/*/*")}
    worker = processes.Process(
        target=worker_process.run_ready_work, args=(own_database.app_url, settings.storage_url)
    )
    worker.start()
    while not any(p.stat().st_size > 5_000_000 for p in folder.glob(f"{storage.INCOMING}*")):
        assert worker.is_alive(), "it was done before it could be killed"
        time.sleep(0.002)
    worker.kill()
    worker.join()
    with make.acting():
        assert (
            session().scalars(select(WorkItem.state).where(WorkItem.target_id == package)).one()
            == "running"
        )
    assert {*folder.glob("packages/*/*")} == before
    assert jobs.drain(actor_of) == 0, "its lease is not over"
    make_due_now()
    jobs.drain(actor_of)
    with make.acting():
        run = package_queries.package(engagement, package)
        assert run.is_ready and run.work.state == "done" and run.work.percent == 100
        assert (
            len(
                session()
                .scalars(
                    select(AuditEntry.id).where(AuditEntry.action == "engagement.package.generated")
                )
                .all()
            )
            == 1
        )
        keys = package_queries.verifier_keys()
        content = b"".join(storage.pieces(run.row.storage_key))
    assert len({*folder.glob("packages/*/*")} - before) == 1
    assert verify(io.BytesIO(content), keys[0]).ok
    storage.store().clear(who.tenant_id, clock.now() + timedelta(seconds=1))
    assert not [*folder.glob(f"{storage.INCOMING}*")], (
        "what the killed one left half written goes by the nightly sweep"
    )


def test_what_a_killed_worker_left_is_swept_after_a_day_and_what_is_filed_stays(
    as_officer, acting, engagement_with_files, settings, new_package_files
):
    engagement, _ = engagement_with_files
    with acting("admin"):
        # Remove what other tests, whose rows were rolled back, left in the store.
        packing.remove_unreferenced_packages()
    generate_package(as_officer, engagement)
    filed = new_package_files()
    with acting("admin") as who:
        blob = storage.store().write(
            who.tenant_id, io.BytesIO(b"nobody's"), limit=100, prefix="packages"
        )
    for path in new_package_files():
        os.utime(path, (1, 1))
    with acting("admin"):
        assert packing.remove_unreferenced_packages() == 1
    assert new_package_files() == filed
    assert not storage.store().exists(blob.key)


def test_a_package_lies_sealed_in_the_store(
    as_officer, acting, engagement_with_files, new_package_files
):
    """Encrypt it under the tenant's key, like the evidence that it contains."""
    engagement, _ = engagement_with_files
    content = download_package(as_officer, engagement)
    [path] = new_package_files()
    lies = path.read_bytes()
    assert path.name.endswith(storage.ENCRYPTED_SUFFIX)
    assert b"Penetration" not in lies and b"bagit.txt" not in lies and content[:64] not in lies


# ---- names


RESERVED = {
    "CON",
    "PRN",
    "AUX",
    "NUL",
    *(f"{port}{n}" for port in ("COM", "LPT") for n in range(1, 10)),
}


@given(
    st.one_of(
        st.text(max_size=300),
        st.sampled_from(sorted(RESERVED)).flatmap(
            lambda n: st.sampled_from([n, n.lower(), f"{n}.txt", f"{n}.tar.gz", f" {n}. "])
        ),
    )
)
@example("a" * 75 + ".....")
@example("../../etc/passwd")
@example("evil\x00\n\r\x1b[31m.pdf")
@example("..")
def test_a_name_is_one_that_every_file_system_takes(name):
    given_ = safe_name(name)
    assert re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,89}", given_)
    assert not given_.endswith((".", " "))
    assert given_.split(".")[0].upper() not in RESERVED
    assert PurePosixPath(given_).name == PureWindowsPath(given_).name == given_


@pytest.mark.parametrize(
    ("name", "packed"),
    [("報告書.pdf", "file.pdf"), ("отчёт.xlsx", "file.xlsx"), (".hidden", "hidden")],
)
def test_a_name_in_other_letters_keeps_its_ending_so_that_the_file_opens(name, packed):
    assert safe_name(name) == packed


AWKWARD = (
    "../../out.csv",
    "a/b\\c.csv",
    "line\nbreak\x07.csv",
    "CON.csv",
    "x" * 200 + ".csv",
    "same.csv",
    "same.csv",
    "SAME.CSV",
    "ünï.csv",
)


def test_awkward_and_equal_names_of_files_and_controls_all_get_in(
    as_officer, acting, engagement_with_files, tmp_path
):
    engagement, _ = engagement_with_files
    controls = [
        evidence_helpers.create_control(ref) for ref in ("CON", "A/B", "A_B", "LPT1.X", "C" * 40)
    ]
    for number, name in enumerate(AWKWARD):
        evidence_helpers.upload_version(
            evidence_helpers.create_evidence(
                f"Awkward {number}", supports=[controls[number % len(controls)]]
            ),
            f"a,b\n{number},2\n".encode(),
            name,
        )
    content = download_package(as_officer, engagement)
    assert verify(io.BytesIO(content), log_verifier_key(acting)).ok
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = archive.namelist()
    assert len(names) == len({n.casefold() for n in names}), (
        "two that a file system which folds case takes for one"
    )
    packed = [n for n in names if "/evidence/" in n]
    assert len(packed) == len(AWKWARD) + 3
    for name in names:
        assert len(name) < 200
        for part in name.split("/"):
            assert safe_name(part) == part or part.startswith("v1-"), name


# ---- large


@pytest.mark.slow
def test_more_files_than_a_zip_of_old_could_name_and_one_past_four_gibibytes(tmp_path):
    """Write ZIP64 for both limits, and read it back with Python's own reader."""
    bag, zeros, hole = Bag("acme-x", {}), bytes(1024 * 1024), bytes(4 * 1024 * 1024)
    large = Payload("evidence/large.bin", lambda: (zeros for _ in range(4097)))
    many = (Payload(f"evidence/{n:05}", lambda: (b"x",)) for n in range(66_000))
    file, at = tmp_path / "bag.zip", 0
    with file.open("wb") as out:
        stream = reading(bag.pieces(itertools.chain([large], many), lambda digest: digest))
        while piece := stream.read(len(hole)):
            if piece != hole[: len(piece)]:  # The zeros are a hole: the disk stores only the rest.
                out.seek(at)
                out.write(piece)
            at += len(piece)
        out.truncate(at)
    assert at > 4 * 1024**3
    with zipfile.ZipFile(file) as archive:
        assert len(archive.infolist()) == 66_001 + 5
        assert archive.getinfo("acme-x/data/evidence/large.bin").file_size == 4097 * 1024 * 1024
        assert archive.read("acme-x/data/evidence/65999") == b"x"
        assert (
            archive.read("acme-x/bag-info.txt")
            == f"Payload-Oxum: {4097 * 1024 * 1024 + 66_000}.66001\n".encode()
        )


# ---- the bag


def test_a_digest_that_is_found_wrong_beside_the_next_file_ends_the_bag_all_the_same():
    bag = Bag("acme-x", {})
    wrong = Payload("a", lambda: (b"x",), sha256="0" * 64)
    after = [Payload(f"b{n}", lambda: (b"y",)) for n in range(3)]
    with pytest.raises(IncompletePackage, match="a doesn't match the file"):
        list(bag.pieces([wrong, *after], lambda digest: digest))
    last = Bag("acme-x", {})
    with pytest.raises(IncompletePackage):
        list(last.pieces([*after, wrong], lambda digest: digest))


def test_one_name_twice_is_refused():
    with pytest.raises(ValueError, match="already"):
        list(
            Bag("acme-x", {}).pieces(
                [Payload("a", lambda: (b"x",)), Payload("a", lambda: (b"y",))],
                lambda digest: digest,
            )
        )


# ---- one bit


def archive_parts(content):
    """Return (name, start and end of its stored bytes in the archive, whether it is compressed)."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for entry in archive.infolist():
            at = entry.header_offset
            lengths = [int.from_bytes(content[at + n : at + n + 2], "little") for n in (26, 28)]
            start = at + 30 + sum(lengths)
            packed = entry.compress_type == zipfile.ZIP_DEFLATED
            yield entry.filename.split("/", 1)[1], start, start + entry.compress_size, packed


def flip_bit(content, at, bit):
    return content[:at] + bytes([content[at] ^ (1 << bit)]) + content[at + 1 :]


def test_a_flipped_bit_in_any_part_is_found_and_the_part_is_named(
    as_officer, acting, engagement_with_files
):
    content, key = download_package(as_officer, engagement_with_files[0]), log_verifier_key(acting)
    found = set()
    for name, start, end, packed in archive_parts(content):
        for at in {start, (start + end) // 2, end - 1}:
            bent = flip_bit(content, at, at % 8)
            result = verify(io.BytesIO(bent), key)
            if (
                result.ok
            ):  # A compressed part can encode the same in other bits; only the content counts.
                assert packed and _read(bent) == _read(content), (name, at)
                continue
            assert any(name in check.sentence for check in result.checks if check.ok is False), (
                name,
                at,
                result.sentence,
            )
            found.add(name)
    assert found == {name for name, *_ in archive_parts(content)}


def test_a_flipped_bit_anywhere_at_all_is_found_or_changes_nothing_that_is_read(
    as_officer, acting, engagement_with_files
):
    """Detect it, unless every file still reads as signed.

    The bytes between parts are the archive's own: times and attributes.
    """
    content, key = download_package(as_officer, engagement_with_files[0]), log_verifier_key(acting)
    whole = _read(content)
    for at in range(0, len(content), max(1, len(content) // 400)):
        bent = flip_bit(content, at, at % 8)
        if verify(io.BytesIO(bent), key).ok:
            assert _read(bent) == whole, at


def _read(content):
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}
