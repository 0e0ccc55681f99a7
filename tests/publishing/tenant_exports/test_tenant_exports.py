"""Exports of a tenant: all of its data in one archive that anyone can verify, for its admins."""

import io
import json
import zipfile
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner
from sqlalchemy import func, select

from governance.app.cli import main
from governance.assurance.evidence.models import EvidenceVersion
from governance.foundation.audit.models import AuditEntry
from governance.foundation.people.jobs import actor_of
from governance.foundation.privacy.events import PersonErased
from governance.foundation.tenants import queries as directory
from governance.kernel import clock, current
from governance.kernel.data.db import session
from governance.kernel.errors import DomainError
from governance.kernel.files.storage import ENCRYPTED_SUFFIX, store
from governance.kernel.work import jobs
from governance.publishing.tenant_exports import actions
from governance.publishing.tenant_exports.models import TenantExport
from governance.publishing.tenant_exports.tables import LEFT_OUT, exported_tables
from governance.publishing.tenant_exports.verify import verify
from tests import make
from tests.assurance.evidence.evidence_helpers import PDF, create_evidence, upload_version
from tests.conftest import visitor
from tests.publishing.operator_desk.desk_helpers import DESK, entries
from tests.publishing.tenant_exports.export_helpers import make_archive, sign_log


@pytest.fixture(autouse=True)
def fresh_tenant_memory():
    yield
    directory.forget()


def members(archive: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def packed(files: dict[str, bytes]) -> io.BytesIO:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    target.seek(0)
    return target


@pytest.fixture
def archive(app, as_admin):
    """Return an archive of acme, its key, and the bytes of a file of acme."""
    upload_version(create_evidence(), PDF)
    data = make_archive(as_admin)
    return data, sign_log(), PDF


def test_the_archive_has_everything_and_verifies_offline(archive, tmp_path):
    data, key, _content = archive
    verdict = verify(io.BytesIO(data), key)
    assert verdict.ok, verdict.sentence
    assert "Acme Insurance" in verdict.sentence
    path = tmp_path / "everything.zip"
    path.write_bytes(data)
    told = CliRunner().invoke(main, ["verify-export", str(path), "--key", key])
    assert told.exit_code == 0 and "The archive is genuine" in told.output
    files = members(data)
    assert {f"tables/{t.name}.jsonl" for t in exported_tables()} <= files.keys()
    people = [json.loads(line) for line in files["tables/people.jsonl"].splitlines()]
    assert "officer@acme.example" in {each["email"] for each in people}
    assert not {each["email"] for each in people} & {"officer@globex.example"}


def test_its_files_are_of_the_moment_that_meridian_knows(app, as_admin):
    at = datetime(2028, 2, 29, 0, 10, 30, tzinfo=UTC)
    upload_version(create_evidence(), PDF)
    with clock.frozen(at):
        data = make_archive(visitor(app, "admin", "acme"))
    with zipfile.ZipFile(io.BytesIO(data)) as opened:
        assert {each.date_time for each in opened.infolist()} == {at.timetuple()[:6]}
        assert {each.compress_type for each in opened.infolist()} == {zipfile.ZIP_DEFLATED}
        assert "on 2028-02-29." in opened.read("VERIFY.txt").decode()


def test_rows_are_counted_and_of_this_tenant_alone(archive):
    files = members(archive[0])
    mine = str(make.system_actor("acme").tenant_id)
    manifest = json.loads(files["manifest.json"])
    for each in manifest["files"]:
        if each["path"].startswith("tables/") and each["path"].count("/") == 1:
            lines = files[each["path"]].splitlines()
            assert len(lines) == each["rows"]
            for line in lines:
                assert json.loads(line).get("tenant_id", mine) == mine
    with make.acting("admin", read_only=True):
        count = session().scalar(select(func.count()).select_from(EvidenceVersion))
    assert len(files["tables/evidence_versions.jsonl"].splitlines()) == count


def test_stored_files_are_in_it_as_they_were_uploaded(archive):
    data, _key, content = archive
    stored = [body for name, body in members(data).items() if name.startswith("files/")]
    assert content in stored


def lost_wholly(tenant) -> str:
    key = f"{tenant.hex}/evidence/00/{'0' * 64}{ENCRYPTED_SUFFIX}"
    store().keep(key, b"nobody's bytes")
    return key


def lost_at_its_end(tenant) -> str:
    """Store three megabytes, of which the first two can be read."""
    kept = store().write(tenant, io.BytesIO(b"x" * (3 << 20)), limit=4 << 20, prefix="evidence")
    path = store().root / kept.key
    sealed = path.read_bytes()
    store().keep(kept.key, sealed[:-1] + bytes([sealed[-1] ^ 1]))
    return kept.key


@pytest.mark.parametrize("damage", [lost_wholly, lost_at_its_end])
def test_a_file_that_can_not_be_decrypted_is_named_and_stops_nothing(app, as_admin, damage):
    upload_version(create_evidence(), PDF)
    with make.acting("admin"):
        lost = damage(current.actor().tenant_id)
    try:
        data = make_archive(as_admin)
    finally:
        store().remove(lost)
    short = lost.partition("/")[2]
    files = members(data)
    assert short in json.loads(files["manifest.json"])["unreadable"]
    assert short in files["VERIFY.txt"].decode()
    verdict = verify(io.BytesIO(data), sign_log())
    assert verdict.ok and "couldn't read " in verdict.sentence


def test_no_key_and_no_hash_of_a_secret_leaves(archive):
    files = members(archive[0])
    for name in LEFT_OUT:
        assert f"tables/{name}.jsonl" not in files
    for line in files["tables/api_keys.jsonl"].splitlines():
        assert "secret_hash" not in json.loads(line)
    for line in files["tables/connections.jsonl"].splitlines():
        assert "secret" not in json.loads(line)


def test_what_is_personal_in_the_log_can_be_read(archive):
    files = members(archive[0])
    opened = [json.loads(line) for line in files["log/personal.jsonl"].splitlines()]
    assert any("name" in each["fields"] for each in opened)
    with make.acting("admin", read_only=True):
        known = {str(each) for each in session().scalars(select(AuditEntry.id))}
    assert {each["id"] for each in opened} <= known


@pytest.mark.parametrize(
    "change", ["row", "file", "missing", "extra", "manifest", "key", "log", "cut"]
)
def test_a_changed_archive_is_found_out(archive, change):
    data, key, _content = archive
    files = members(data)
    if change == "row":
        files["tables/people.jsonl"] += b'{"name": "Mallory"}\n'
    elif change == "file":
        files["VERIFY.txt"] = files["VERIFY.txt"]
        files["tables/tenants.jsonl"] = files["tables/tenants.jsonl"].replace(b"Acme", b"Emca")
    elif change == "missing":
        del files["tables/memberships.jsonl"]
    elif change == "extra":
        files["tables/extra.jsonl"] = b"{}\n"
    elif change == "manifest":
        files["manifest.json"] = files["manifest.json"].replace(b'"rows": 1', b'"rows": 2', 1)
        files["manifest.json"] += b" "
    elif change == "log":
        lines = files["log/audit-log.jsonl"].splitlines(keepends=True)
        files["log/audit-log.jsonl"] = b"".join(lines[:-2] + lines[-1:])
    elif change == "key":
        key = sign_log("globex")
    whole = packed(files)
    if change == "cut":
        whole = io.BytesIO(data[: len(data) // 2])
    assert not verify(whole, key).ok


def test_an_operator_starts_it_and_cant_download_it(as_operator, as_admin):
    as_operator.post(f"{DESK}/acme/export", then=422, reason=" ")
    as_operator.post(f"{DESK}/acme/export", reason="They leave at the end of the month")
    sign_log()
    jobs.drain(actor_of)
    with make.acting("admin", read_only=True):
        export_id = session().scalars(select(TenantExport.id)).one()
    as_operator.post(f"/t/acme/settings/export/{export_id}/file", then=404)
    as_operator.get("/t/acme/settings/export", then=404)
    assert "Download" in as_admin.get("settings/export").text
    asked = entries("tenant.export.requested", "console")
    assert len(asked) == 1 and asked[0].facts["tenant"] == "acme"
    assert entries("tenant.export.generated")


def test_only_admins_export_and_a_double_click_is_one(app, as_admin, as_officer, as_viewer):
    as_officer.get("settings/export", then=403)
    as_viewer.post("settings/export", then=403)
    as_admin.post("settings/export")
    as_admin.post("settings/export")
    with make.acting("admin", read_only=True):
        assert len(session().scalars(select(TenantExport)).all()) == 1
    row_page = as_admin.get("settings/export").text
    assert "In progress" in row_page
    visitor(app, "admin", "globex", at="acme").get("settings/export", then=404)


def test_an_erasure_deletes_the_archives_that_may_name_the_person(as_admin, acting):
    make_archive(as_admin)
    with acting("admin", read_only=True):
        key = session().scalars(select(TenantExport.storage_key)).one()
    as_admin.post("settings/export")
    erased = PersonErased(make.person_id("viewer"), {"Nadia Haddad"}, set())
    with acting("admin"):
        actions.delete_archives(erased)
    assert erased.removed == {"exports of everything": 1}
    with acting("admin", read_only=True), pytest.raises(DomainError):
        store().open(key)
    jobs.drain(actor_of)
    with acting("admin", read_only=True):
        assert session().scalars(select(TenantExport.storage_key)).all() == [None]
    assert len(entries("tenant.export.deleted")) == 1
    assert "Cancelled" in as_admin.get("settings/export").text
