"""The evidence package: complete or absent, valid for other tools and ours, tamper-evident."""

import csv
import hashlib
import io
import json
import re
import struct
import tracemalloc
import zipfile
from datetime import timedelta

import bagit
import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from governance.app import schedule
from governance.app.cli import main
from governance.assurance.engagements import queries
from governance.assurance.engagements.models import EvidencePackage
from governance.assurance.engagements.packages.bagit import Bag, IncompletePackage, Payload
from governance.assurance.engagements.packages.contents import safe_name
from governance.assurance.engagements.packages.verifier import verify
from governance.assurance.evidence import deletion
from governance.assurance.evidence.deletion_queries import DELETION
from governance.assurance.evidence.models import EvidenceVersion
from governance.assurance.evidence.queries import find_version
from governance.foundation.approvals.queries import open_approval
from governance.foundation.audit import checkpoint, logs, sequencer
from governance.foundation.audit import queries as log_queries
from governance.foundation.audit.models import AuditEntry
from governance.foundation.logbook import export_writer
from governance.foundation.people.jobs import actor_of
from governance.kernel import clock
from governance.kernel.data import tenant_cache
from governance.kernel.data.db import session
from governance.kernel.files import storage
from governance.kernel.files.streamed_files import reading
from governance.kernel.safety import signed_note
from governance.kernel.work import jobs
from tests import make
from tests.assurance.engagements import engagement_helpers
from tests.assurance.engagements.package_helpers import (
    download_package,
    generate_package,
    log_verifier_key,
    package_state,
    sequence_entries,
    unpack_package,
)
from tests.assurance.evidence import evidence_helpers
from tests.assurance.testing import type2_helpers as testing
from tests.browser import Visitor
from tests.conftest import REPOSITORY, visitor
from tests.foundation.approvals.approval_helpers import approve_below_pages
from tests.foundation.audit.one_file_verifier import run_verifier
from tests.foundation.logbook.export_helpers import write_numbered_entries
from tests.machine_client import create_machine_client

assert schedule.HANDLERS  # Loading the schedule registers the kind of work.
KEY = signed_note.verifier_key(Ed25519PrivateKey.generate(), "console.example/audit/acme")


def test_a_package_is_asked_for_made_again_and_taken_with_a_fresh_sign_in_only(
    app, as_officer, acting, engagement_with_files
):
    engagement, _ = engagement_with_files
    page = generate_package(as_officer, engagement)
    for role in ("compliance_officer", "auditor"):
        aged = Visitor(app, make.cookie(role, signed_in_ago=timedelta(minutes=6)))
        for address in (f"engagements/{engagement}/packages", f"{page}/download", f"{page}/again"):
            refused = aged.post(address, then=401)
            assert "Sign in again" in refused.text and "/login?tenant=acme" in refused.text
        aged.get(page)
        visitor(app, role).post(f"{page}/download", then=200)


@pytest.mark.filterwarnings(
    "ignore:'count' is passed:DeprecationWarning"
)  # The bag library warns with a newer Python.
def test_others_tools_and_our_verifier_find_it_whole(
    as_auditor, acting, engagement_with_files, tmp_path
):
    engagement, _versions = engagement_with_files
    content = download_package(as_auditor, engagement)
    bag = unpack_package(content, tmp_path)
    assert bagit.Bag(str(bag)).validate()
    result = verify(io.BytesIO(content), log_verifier_key(acting))
    assert result.ok, [c for c in result.checks if not c.ok]
    assert "is genuine: all " in result.sentence


def test_its_own_verifier_finds_it_whole_from_its_own_folder(
    as_auditor, acting, engagement_with_files, tmp_path
):
    """Verify the package with plain Python: unpacked, packed, and as a log.

    The verifier runs without site packages and without our code.
    """
    content, key = download_package(as_auditor, engagement_with_files[0]), log_verifier_key(acting)
    data = unpack_package(content, tmp_path / "unpacked") / "data"
    (tmp_path / "package.zip").write_bytes(content)
    script = data / "verify_meridian.py"
    assert hashlib.sha256(script.read_bytes()).hexdigest() in (data / "VERIFY.txt").read_text()
    for path in ("..", tmp_path / "package.zip"):
        done = run_verifier(path, "--whole", "--key", key, folder=data, script=script)
        assert (done.returncode, done.stderr) == (0, ""), done
        assert done.stdout.endswith("Verified.\n") and "entries (range, " in done.stdout
    log = run_verifier("audit-log/extract.jsonl", "--key", key, folder=data, script=script)
    assert log.returncode == 0, log
    assert verify(io.BytesIO(content), key, whole=True).ok
    (data / "controls.csv").write_text("nothing")
    done = run_verifier("..", "--key", key, folder=data, script=script)
    assert done.returncode == 1 and "data/controls.csv was changed" in done.stdout


def test_what_is_in_it(as_officer, acting, engagement_with_files, tmp_path):
    engagement, _versions = engagement_with_files
    data = unpack_package(download_package(as_officer, engagement), tmp_path) / "data"
    index = json.loads((data / "index.json").read_text())
    assert [e["title"] for e in index["evidence"]] == ["Penetration test", "Members", "Loose"]
    for each in index["evidence"]:
        assert (data / each["path"]).is_file()
    assert index["evidence"][0]["path"].startswith("evidence/SEC-04/EV-0001/v1-")
    assert [r["ref"] for r in index["requests"]] == ["PBC-001"]
    assert index["requests"][0]["provided"][0]["path"].endswith("loose.csv")
    matrix = list(csv.reader(io.StringIO((data / "controls.csv").read_text("utf-8-sig"))))
    assert matrix[0][:4] == ["Control", "Title", "Criteria", "Cadence"] and matrix[1][0] == "SEC-04"
    for name in (
        "VERIFY.txt",
        "verify_meridian.py",
        "requests.csv",
        "testing/exceptions.json",
        "audit-log/extract.jsonl",
        "audit-log/checkpoint.txt",
        "audit-log/keys.txt",
    ):
        assert (data / name).is_file(), name


def test_a_deleted_file_is_listed_as_deleted_and_stops_nothing(
    as_officer, acting, engagement_with_files, tmp_path
):
    engagement, versions = engagement_with_files
    with acting("admin"):
        asked = deletion.request_deletion(
            *find_version(versions[1], lock=True), reason="It named people."
        ).id
        approval = open_approval(DELETION, asked).id
    approve_below_pages(approval, "compliance_officer")
    jobs.drain(actor_of)
    data = unpack_package(download_package(as_officer, engagement), tmp_path) / "data"
    told = {
        each["title"]: each for each in json.loads((data / "index.json").read_text())["evidence"]
    }
    gone = told["Members"]
    assert (gone["path"], gone["deleted"]["reason"], len(gone["sha256"])) == (
        None,
        "It named people.",
        64,
    )
    assert (
        told["Penetration test"]["deleted"] is None
        and "It named people." in (data / "index.html").read_text()
    )


def test_it_names_nobody(as_officer, engagement_with_files, tmp_path):
    """Name nobody: a package leaves the company, whichever role requests it, like the log extract."""
    data = unpack_package(download_package(as_officer, engagement_with_files[0]), tmp_path) / "data"
    [said] = json.loads((data / "index.json").read_text())["requests"][0]["thread"]
    assert re.fullmatch(r"Contributor [A-Z]", said["by"])


@pytest.fixture
def engagement_with_sample(acting, engagement_with_files):
    """Add a sample of 25 out of 61 releases, with a column whose name is a formula."""
    control_id = testing.create_control()
    listed = testing.population_csv().replace(b"owner", b"=HYPERLINK(A1)")
    testing.record_results(testing.draw_sample(testing.freeze_population(control_id, listed)))
    sequence_entries(acting)
    return engagement_with_files[0]


def test_populations_and_samples_can_be_made_again_from_it(
    as_officer, acting, engagement_with_sample, tmp_path
):
    content = download_package(as_officer, engagement_with_sample)
    data = unpack_package(content, tmp_path) / "data"
    [listed] = json.loads((data / "index.json").read_text())["samples"]
    sample = json.loads((data / listed["path"]).read_text())
    frozen = (data / listed["population"]).read_bytes()
    assert hashlib.sha256(frozen).hexdigest() == sample["population"]["sha256"]
    ids = [json.loads(line)["id"] for line in frozen.splitlines()]
    rank = {
        i: (
            hashlib.sha256(
                f"{sample['seed']}\n{sample['population']['sha256']}\n{i}".encode()
            ).digest()
        )
        for i in ids
    }
    assert sorted(ids, key=rank.get)[:25] == [each["item"] for each in sample["items"]]
    assert (
        (data / sample["population"]["table"])
        .read_text("utf-8-sig")
        .startswith("id,on,'=HYPERLINK(A1)")
    )
    assert "1 sample was redrawn from its seed: all 25 items match." in "".join(
        check.sentence for check in verify(io.BytesIO(content), log_verifier_key(acting)).checks
    )


def test_another_item_in_a_sample_is_found(as_officer, acting, engagement_with_sample):
    """Detect it even from a holder of the signing key, because the seed determines the items."""

    def other(name, data):
        if "testing/samples/" not in name:
            return data
        sample = json.loads(data)
        sample["items"][0]["item"], sample["items"][1]["item"] = (
            sample["items"][1]["item"],
            sample["items"][0]["item"],
        )
        return json.dumps(sample).encode()

    checks = {
        check.name: check
        for check in verify(
            altered_package(download_package(as_officer, engagement_with_sample), other),
            log_verifier_key(acting),
        ).checks
    }
    assert (
        not checks["samples"].ok
        and "doesn't contain the items that its seed selects" in checks["samples"].sentence
    )


def test_a_file_beside_the_data_that_nobody_signed_is_found(
    as_officer, acting, engagement_with_files
):
    content = io.BytesIO(download_package(as_officer, engagement_with_files[0]))
    with zipfile.ZipFile(content, "a") as archive:
        folder = archive.namelist()[0].split("/")[0]
        archive.writestr(f"{folder}/index.html", "<p>All is well.</p>")
    result = verify(content, log_verifier_key(acting))
    assert (
        not result.ok
        and "index.html is in the package, but no manifest lists it" in result.sentence
    )


def test_the_shape_of_its_index_is_the_documented_one(as_officer, engagement_with_files, tmp_path):
    """Check against docs/operating/packages.md, from which others write programs."""
    index = json.loads(
        (
            unpack_package(download_package(as_officer, engagement_with_files[0]), tmp_path)
            / "data"
            / "index.json"
        ).read_text()
    )
    told = (
        (REPOSITORY / "docs" / "operating" / "packages.md")
        .read_text()
        .partition("## index.json")[2]
    )
    documented = set(re.findall(r"`([a-z_0-9]+)`", told))
    named = set(index)
    for each in (
        *index["evidence"],
        *index["controls"],
        *index["requests"],
        *index["samples"],
        *index["exceptions"],
        index["log"],
    ):
        named |= set(each)
    for request in index["requests"]:
        named |= {name for each in (*request["provided"], *request["thread"]) for name in each}
    assert named - documented == set()
    assert f"`{index['format']}`" in told


def test_the_index_opens_offline_and_runs_nothing(as_officer, engagement_with_files, tmp_path):
    data = unpack_package(download_package(as_officer, engagement_with_files[0]), tmp_path) / "data"
    page = (data / "index.html").read_text()
    assert "<script" not in page and "&lt;script&gt;" in page
    links = re.findall(r'(?:href|src)="([^"]+)"', page)
    assert all(f'id="{link[1:]}"' in page for link in links if link.startswith("#"))
    links = [link for link in links if not link.startswith("#")]
    assert links and all((data / link).is_file() for link in links)
    assert "http" not in page.replace("http-equiv", "")


def test_the_same_command_line_checks_it(as_officer, acting, engagement_with_files, tmp_path):
    file = tmp_path / "package.zip"
    file.write_bytes(download_package(as_officer, engagement_with_files[0]))
    key = tmp_path / "log.pub"
    key.write_text(log_verifier_key(acting))
    good = CliRunner().invoke(main, ["verify-package", str(file), "--key", str(key)])
    assert good.exit_code == 0, good.output
    assert "is genuine: all " in good.output
    file.write_bytes(file.read_bytes()[:-100])
    assert CliRunner().invoke(main, ["verify-package", str(file), "--key", str(key)]).exit_code == 1


def altered_package(content, change):
    """Return the package with its entries changed.

    A change is name → new bytes, None to omit it, or several values.
    """
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(out, "w") as target:
        for entry in source.infolist():
            content = change(entry.filename, source.read(entry))
            if content is not None:
                target.writestr(entry.filename, content)
    return out


def without_entry(part):
    return lambda name, data: None if part in name else data


def with_changed_entry(part):
    return lambda name, data: data[:-1] + bytes([data[-1] ^ 1]) if name.endswith(part) else data


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (without_entry("Members"), None),
        (without_entry("v1-loose.csv"), "missing"),
        (with_changed_entry("v1-loose.csv"), "was changed: its digest"),
        (with_changed_entry("manifest-sha256.sig"), "signature"),
        (without_entry("manifest-sha256.sig"), "isn't signed"),
        (with_changed_entry("bag-info.txt"), "bag-info.txt was changed"),
        (with_changed_entry("/manifest-sha256.txt"), ""),
        (with_changed_entry("tagmanifest-sha256.txt"), "was changed after signing"),
        (without_entry("extract.jsonl"), ""),
        (with_changed_entry("checkpoint.txt"), ""),
        (without_entry("bagit.txt"), ""),
    ],
)
def test_every_altered_file_is_found_and_named(
    as_officer, acting, engagement_with_files, change, says, tmp_path
):
    altered = altered_package(download_package(as_officer, engagement_with_files[0]), change)
    result = verify(altered, log_verifier_key(acting))
    (tmp_path / "package.zip").write_bytes(altered.getvalue())
    theirs = run_verifier(tmp_path / "package.zip", "--key", log_verifier_key(acting))
    assert (theirs.returncode == 0) is result.ok, theirs
    if says is None:
        assert result.ok
        return
    assert not result.ok
    assert says in result.sentence


def test_another_key_and_what_is_no_key_are_refused(as_officer, acting, engagement_with_files):
    content = download_package(as_officer, engagement_with_files[0])
    with acting("admin", "globex"):
        while sequencer.sequence():
            pass
        other = str(logs.verifier(logs.all_keys()[0]))
    assert not verify(io.BytesIO(content), other).ok
    assert "verifier key" in verify(io.BytesIO(content), "nonsense").sentence


@pytest.mark.parametrize("name", ["../out.txt", "/etc/passwd", "a/../../x", "c:\\x", "x"])
def test_an_archive_that_leads_out_of_itself_is_refused(acting, engagement_with_files, name):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("bag/bagit.txt", "x")
        archive.writestr(name, "x")
    assert not verify(out, log_verifier_key(acting)).ok


def test_a_bomb_is_not_unpacked(acting, engagement_with_files):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bag/data/zeros", b"\0" * 60_000_000)
    out.getvalue()
    result = verify(out, log_verifier_key(acting))
    assert not result.ok


def with_altered_sample(bend):
    """Return a function that alters the sample in a package.

    `bend` gets the sample and changes it.
    """

    def other(name, data):
        return json.dumps(bend(json.loads(data))).encode() if "testing/samples/" in name else data

    return other


def test_a_sample_that_looks_for_its_ids_in_no_column_is_found(
    as_officer, acting, engagement_with_sample
):
    """Report rows that are lists, which have no columns, instead of raising."""

    def bend(name, data):
        if "testing/populations/" in name and name.endswith(".jsonl"):
            return b"[1]\n"
        return with_altered_sample(
            lambda sample: sample | {"population": sample["population"] | {"id_column": 5}}
        )(name, data)

    checks = {
        check.name: check
        for check in verify(
            altered_package(download_package(as_officer, engagement_with_sample), bend),
            log_verifier_key(acting),
        ).checks
    }
    assert not checks["samples"].ok and "can't be read" in checks["samples"].sentence


def test_an_archive_whose_file_lies_beyond_every_offset_is_refused(acting, engagement_with_files):
    """Reject the largest possible offset in a file's zip64 field."""
    name, extra = b"bag/bagit.txt", struct.pack("<HHQ", 1, 8, 2**64 - 1)
    sizes = struct.pack(
        "<4s4B4H3L5H2L",
        b"PK\x01\x02",
        45,
        3,
        45,
        0,
        0,
        0,
        0,
        0,
        0,
        1,
        1,
        len(name),
        len(extra),
        0,
        0,
        0,
        0,
        2**32 - 1,
    )
    central, local = sizes + name + extra, b"PK\x03\x04" + bytes(26)
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, len(central), len(local), 0)
    assert not verify(io.BytesIO(local + central + end), log_verifier_key(acting)).ok


def test_what_a_package_says_of_itself_commands_no_terminal(
    as_officer, acting, engagement_with_files
):
    def spoken(name, data):
        if not name.endswith("/manifest-sha256.txt"):
            return data
        return data + f"{'0' * 64}  data/\x1b[2J\x1b[Hok  The package is genuine\r\u202e\n".encode()

    result = verify(
        altered_package(download_package(as_officer, engagement_with_files[0]), spoken),
        log_verifier_key(acting),
    )
    assert not result.ok
    assert [check.sentence for check in result.checks if not check.sentence.isprintable()] == []
    assert any("[2J" in check.sentence for check in result.checks)


@given(st.binary(max_size=300))
def test_no_bytes_make_the_verifier_raise(content):
    found = verify(io.BytesIO(content), KEY)
    assert [check.name for check in found.checks if check.ok is False] == ["archive"]


# ---- complete or absent


def test_a_missing_file_ends_it_all_and_is_named(as_officer, acting, engagement_with_files):
    engagement, versions = engagement_with_files
    with acting("admin"):
        key = session().scalar(
            select(EvidenceVersion.storage_key).where(EvidenceVersion.id == versions[1])
        )
    storage.store().remove(key)
    page = generate_package(as_officer, engagement)
    now, step, kept = package_state(acting)
    assert (now, kept) == ("failed", None)
    assert "EV-0002" in step and "No package was generated" in step
    as_officer.post(f"{page}/download", then=409)
    assert "EV-0002" in as_officer.get(page).text


def test_cancelled_it_leaves_nothing_and_can_be_made_again(
    as_officer, acting, engagement_with_files
):
    engagement, _ = engagement_with_files
    page = as_officer.post(f"engagements/{engagement}/packages").location
    as_officer.post(f"{page}/cancel")
    jobs.drain(actor_of)
    assert package_state(acting)[0] == "cancelled"
    as_officer.post(f"{page}/again")
    jobs.drain(actor_of)
    assert package_state(acting)[0] == "done"
    as_officer.post(f"{page}/again", then=409)
    as_officer.post(f"{page}/cancel", then=409)


def test_a_double_click_makes_one(as_officer, acting, engagement_with_files):
    engagement, _ = engagement_with_files
    first = as_officer.post(f"engagements/{engagement}/packages").location
    assert as_officer.post(f"engagements/{engagement}/packages").location == first
    jobs.drain(actor_of)


def test_an_auditor_whose_window_closed_meanwhile_gets_none(
    as_auditor, acting, engagement_with_files
):
    engagement, _ = engagement_with_files
    as_auditor.post(f"engagements/{engagement}/packages")
    engagement_helpers.end_engagement(engagement)
    jobs.drain(actor_of)
    assert package_state(acting)[0] == "cancelled", "with the requester's access"


def test_an_auditor_whose_window_closed_a_moment_ago_gets_none_either(
    as_auditor, acting, engagement_with_files
):
    """Fail the work of a closed window, even before the schedule has ended the access."""
    engagement, _ = engagement_with_files
    as_auditor.post(f"engagements/{engagement}/packages")
    with acting("admin"):
        queries.engagement(engagement).closes_at = clock.now()
    jobs.drain(actor_of)
    assert package_state(acting)[0] == "failed"


def test_every_step_is_in_the_log_and_another_engagements_package_is_nobodys(
    as_auditor, as_contributor, acting, engagement_with_files
):
    engagement, _ = engagement_with_files
    page = generate_package(as_auditor, engagement)
    as_auditor.get(page)
    as_auditor.post(f"{page}/download", then=200)
    with acting("admin"):
        query = select(AuditEntry.action).where(
            AuditEntry.action.like("engagement.package.%")
            | (AuditEntry.action == "engagement.file.downloaded")
        )
        assert list(session().scalars(query.order_by(AuditEntry.id))) == [
            "engagement.package.requested",
            "engagement.package.generated",
            "engagement.package.downloaded",
            "engagement.file.downloaded",
        ]
        made_ = session().scalar(select(EvidencePackage.id))
    other = engagement_helpers.create_engagement("Other")
    as_auditor.get(f"engagements/{other}/packages/{made_}", then=404)
    as_contributor.get(page, then=403)


def test_five_thousand_files_stream_with_flat_memory():
    """Stream two gigabytes in chunks, holding only the list of names."""
    bag, piece = Bag("acme-x", {}), b"\0" * 65536
    files = (
        Payload(f"evidence/{n:05}.bin", lambda: (piece for _ in range(7)), packed=False)
        for n in range(5_000)
    )
    tracemalloc.start()
    stream, size = reading(bag.pieces(files, lambda digest: digest)), 0
    while got := stream.read(1024 * 1024):
        size += len(got)
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size > 5_000 * 7 * 65536
    assert peak < 48 * 1024 * 1024


def test_a_file_that_is_not_what_it_was_ends_the_bag():
    bag = Bag("acme-x", {})
    with pytest.raises(IncompletePackage, match="its digest differs"):
        list(bag.pieces([Payload("a", lambda: (b"x",), sha256="0" * 64)], lambda digest: digest))


@given(st.text(max_size=120))
def test_names_in_the_package_need_no_escaping(name):
    assert re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,89}", safe_name(name))


def test_the_package_is_named_after_the_tenant_and_the_engagement(
    as_officer, acting, engagement_with_files
):
    with acting("admin"):
        ref = queries.engagement(engagement_with_files[0]).ref
    page = generate_package(as_officer, engagement_with_files[0])
    assert (
        f'filename="acme-{ref}.zip"'
        in as_officer.post(f"{page}/download", then=200).headers["Content-Disposition"]
    )
    assert make.FIRM


# ---- compared with an auditor's checkpoint


def kept_checkpoint(acting, size=None, root=None):
    """Return the newest checkpoint as an auditor keeps it.

    With a root, the log's key signs another root.
    """
    with acting("admin"):
        last = log_queries.last_checkpoint()
        if root is None:
            return last.note
        other = checkpoint.Head(last.origin, size or last.size, root)
        return checkpoint.sign(logs.private_key(logs.signing_key()), last.origin, other)


def grow_log(acting):
    """Sign the log at a larger size."""
    evidence_helpers.upload_version(
        evidence_helpers.create_evidence("Later"), b"a,b\n3,4\n", "later.csv"
    )
    sequence_entries(acting)


@pytest.fixture
def run_package_verifier(tmp_path, acting):
    """Run `governance verify-package` on these bytes with the auditor's own files."""

    def run(content, **files):
        (tmp_path / "package.zip").write_bytes(content)
        arguments = [
            "verify-package",
            str(tmp_path / "package.zip"),
            "--key",
            log_verifier_key(acting),
        ]
        for name, text in files.items():
            (tmp_path / name).write_text(text)
            arguments += [f"--{name}", str(tmp_path / name)]
        return CliRunner().invoke(main, arguments)

    return run


def test_a_package_is_compared_with_the_checkpoint_that_the_auditor_kept(
    as_auditor, acting, engagement_with_files, run_package_verifier
):
    older = kept_checkpoint(acting)
    grow_log(acting)
    content = download_package(as_auditor, engagement_with_files[0])
    done = run_package_verifier(content, checkpoint=older)
    assert done.exit_code == 0, done.output
    assert "entries of your older checkpoint" in done.output and "is genuine: all " in done.output


def test_a_package_of_a_forked_log_contradicts_the_checkpoint_that_the_auditor_kept(
    as_auditor, acting, engagement_with_files, run_package_verifier, database
):
    """Restore the database to an earlier state, then write and sign other entries.

    The key is the same.
    """
    before = kept_checkpoint(acting)
    point = database.begin_nested()
    evidence_helpers.upload_version(evidence_helpers.create_evidence("As it was"))
    sequence_entries(acting)
    older = kept_checkpoint(acting)
    point.rollback()
    tenant_cache.forget()
    grow_log(acting)
    content = download_package(as_auditor, engagement_with_files[0])
    assert (
        run_package_verifier(content).exit_code == 0
        and run_package_verifier(content, checkpoint=before).exit_code == 0
    )
    done = run_package_verifier(content, checkpoint=older)
    assert done.exit_code == 1, done.output
    assert "Do not rely on this package. The log contradicts your older checkpoint" in done.output


def test_a_package_of_a_long_log_is_compared_with_the_logs_own_proof(
    app, as_auditor, acting, engagement_with_files, run_package_verifier, monkeypatch
):
    """Compare by the log's own proof.

    The extract has only the hashes at the last checkpoint of each day, and those never end at an
    odd size within.
    """
    monkeypatch.setattr(export_writer, "MAX_ENTRIES_FOR_EVERY_SIZE", 3)
    if int(kept_checkpoint(acting).splitlines()[1]) % 2 == 0:
        write_numbered_entries(acting, 1)
    older = kept_checkpoint(acting)
    grow_log(acting)
    content = download_package(as_auditor, engagement_with_files[0])
    assert run_package_verifier(content).exit_code == 0
    done = run_package_verifier(content, checkpoint=older)
    assert done.exit_code == 2, done.output
    assert (
        "No check failed for this package, but a requested check could not run. Your older"
        in done.output
    )
    proof = (
        create_machine_client(app)
        .get(f"/audit/acme/proof/consistency?from={older.splitlines()[1]}")
        .text
    )
    assert run_package_verifier(content, checkpoint=older, consistency=proof).exit_code == 0


@pytest.mark.parametrize(
    ("older", "says"),
    [
        (lambda acting: kept_checkpoint(acting)[:-20], "incomplete or damaged"),
        (
            lambda acting: kept_checkpoint(acting, size=99_999, root=b"\7" * 32),
            "covers 99,999 entries, but this export only",
        ),
        (lambda acting: "nonsense", "no signature line"),
    ],
)
def test_a_checkpoint_that_cannot_be_compared_with_a_package_is_named(
    as_auditor, acting, engagement_with_files, run_package_verifier, older, says
):
    done = run_package_verifier(
        download_package(as_auditor, engagement_with_files[0]), checkpoint=older(acting)
    )
    assert done.exit_code == 2 and f"{says}" in done.output, done.output


def test_the_checkpoint_beside_the_extract_is_the_extracts_own(
    as_auditor, acting, engagement_with_files
):
    """Detect another checkpoint of the same log, even from a holder of the signing key."""
    other = kept_checkpoint(acting)
    grow_log(acting)
    content = download_package(as_auditor, engagement_with_files[0])
    changed_ = altered_package(
        content,
        lambda name, data: other.encode() if name.endswith("audit-log/checkpoint.txt") else data,
    )
    told = {
        check.name: check.sentence for check in verify(changed_, log_verifier_key(acting)).checks
    }
    assert (
        told["checkpoint"]
        == "The checkpoint in the package doesn't match the proofs in the audit log extract."
    )


def test_the_instructions_in_a_package_name_the_older_checkpoint_and_every_exit_status(
    as_officer, engagement_with_files, tmp_path
):
    told = " ".join(
        (
            unpack_package(download_package(as_officer, engagement_with_files[0]), tmp_path)
            / "data"
            / "VERIFY.txt"
        )
        .read_text()
        .split()
    )
    assert "--checkpoint" in told and "0 every requested check ran and passed" in told
    assert (
        "1 something is wrong" in told
        and "2 no check failed, but a requested check could not run" in told
    )
