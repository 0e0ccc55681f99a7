"""Certificate seals of report PDFs, and verifiable copies for one person."""

import html
import io
import json
import re
import shutil
import subprocess
from datetime import UTC, datetime, timedelta

import pikepdf
import pytest
from click.testing import CliRunner
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    pkcs12,
)
from pyhanko.pdf_utils.reader import PdfFileReader
from sqlalchemy import select

from governance.app.cli import main
from governance.assurance.engagements import queries as engagements
from governance.foundation.audit.models import AuditEntry
from governance.foundation.people.jobs import actor_of
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.kernel.work import jobs
from governance.publishing.reports.seals import actions, certificates, queries
from governance.publishing.reports.seals.models import SealCertificate
from governance.publishing.reports.seals.pades import seals
from governance.publishing.reports.signatures.signing import open_note, parse_key
from governance.publishing.reports.signatures.verify import verify
from tests import make
from tests.assurance.engagements import engagement_helpers, package_helpers
from tests.conftest import visitor
from tests.name_helpers import show_names
from tests.step_up_helpers import saved_forms, sign_in_again, visitor_needing_step_up

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("report")]

NOW = datetime(2026, 11, 27, 9, tzinfo=UTC)
PASSWORD = "correct horse"


@pytest.fixture(scope="module")
def report(app, module_transaction):
    """Return a finished policy attestation: its page, its original and the original's signature.

    The auditor's engagement shows names, so that they get a copy of it.
    """
    show_names(True)
    officer = visitor(app, "compliance_officer")
    page = officer.post("reports/attestations", span="day", until="2026-11-20").location
    jobs.drain(actor_of)
    original = officer.post(f"{page}/pdf", then=200).data
    return page, original, officer.post(f"{page}/signature", then=200).text


def keys_of(visitor) -> str:
    return visitor.get("/keys").text


def entries(action):
    return list(session().scalars(select(AuditEntry.facts).where(AuditEntry.action == action)))


def pkcs12_file(private, *, until=NOW + timedelta(days=365), usage=None, password=PASSWORD):
    name = x509.Name.from_rfc4514_string("CN=Acme Seal 2026,O=Acme Insurance")
    build = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(7)
        .not_valid_before(NOW - timedelta(days=400))
        .not_valid_after(until)
    )
    if usage is not None:
        build = build.add_extension(usage, critical=True)
    algorithm = None if isinstance(private, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    return pkcs12.serialize_key_and_certificates(
        b"seal",
        private,
        build.sign(private, algorithm),
        None,
        BestAvailableEncryption(password.encode()),
    )


def check_with_pdfsig(content, tmp_path) -> str:
    """Return what Poppler reports about the signatures in a file."""
    program = shutil.which("pdfsig")
    assert program, "pdfsig is missing: apt-get install poppler-utils"
    path = tmp_path / "sealed.pdf"
    path.write_bytes(content)
    return subprocess.run(  # noqa: S603 - our own file
        [program, str(path)], capture_output=True, text=True, check=False
    ).stdout


def assert_still_archival(content: bytes) -> None:
    """Check that the file claims PDF/A and PDF/UA, and that the seal's field is tagged."""
    with pikepdf.open(io.BytesIO(content)) as file:
        meta = file.open_metadata()
        claims = [meta[f"pdf{name}"] for name in ("aid:part", "aid:conformance", "uaid:part")]
        assert claims == ["3", "A", "1"]
        (field,) = file.Root.AcroForm.Fields
        numbers = list(file.Root.StructTreeRoot.ParentTree.Nums)
        owners = dict(zip(map(int, numbers[::2]), numbers[1::2], strict=True))
        assert str(owners[int(field.StructParent)].S) == "/Form"
        assert str(field.TU) == "Seal of this report"
        assert int(field.F) & 4 and not int(field.F) & 2  # Printed, not hidden: PDF/A-3, 6.3.2.


# ---- an auditor's copy


def test_an_auditors_copy_verifies_as_what_it_is(report, as_auditor, acting, tmp_path):
    page, original, original_note = report
    answer = as_auditor.post(f"{page}/pdf", then=200)
    content, note = answer.data, as_auditor.post(f"{page}/signature", then=200).text
    key, digest = keys_of(as_auditor), answer.headers["X-Original-SHA256"]
    with acting("admin"):
        ref = engagements.engagement(engagement_helpers.world_engagement()).ref
    assert content != original
    verdict = verify(content, note, key)
    assert verdict.ok, verdict.checks
    assert verdict.sentence.startswith("The copy of the report is genuine and intact: all ")
    says = {check.name: check.sentence for check in verdict.checks}
    assert re.fullmatch(
        rf"This is a watermarked copy of the original with the SHA-256 {digest}, for Harriet Lowe,"
        rf" {make.FIRM}, engagement {ref}, at \d+.+20\d\d, \d\d:\d\d UTC\.",
        says["copy"],
    )
    assert says["seal"].startswith("Acme")
    assert [check.ok for check in verify(content, original_note, key).checks][1] is False
    assert verify(original, original_note, key).ok
    assert not verify(original, note, key).ok
    assert "Signature is Valid" in (told := check_with_pdfsig(content, tmp_path))
    assert "Total document signed" in told
    assert_still_archival(content)
    (tmp_path / "copy.pdf").write_bytes(content)
    (tmp_path / "copy.pdf.sig").write_text(note)
    (tmp_path / "key").write_text(key)
    shown = CliRunner().invoke(
        main, ["verify-report", str(tmp_path / "copy.pdf"), "--key", key.splitlines()[0]]
    )
    assert shown.exit_code == 0 and "watermarked copy of" in shown.output
    dropped = as_auditor.post(
        "/verify",
        then=200,
        report=(io.BytesIO(content), "r.pdf"),
        signature=(io.BytesIO(note.encode()), "r.sig"),
        key=key.splitlines()[0],
    ).text
    assert "watermarked copy of" in dropped and "Harriet Lowe" in dropped
    assert "Your copies" in as_auditor.get(page).text
    with acting("admin"):
        [signed] = entries("report.copy.signed")
        [added] = entries("report.certificate.added")
    assert (signed["original"], signed["what"]) == (digest, "watermarked copy")
    assert signed["certificate"] == added["sha256"]


def test_the_original_of_a_copy_is_in_the_evidence_package(
    report, as_officer, as_auditor, acting, tmp_path
):
    page, original, note = report
    digest = as_auditor.post(f"{page}/pdf", then=200).headers["X-Original-SHA256"]
    package_helpers.sequence_entries(acting)
    content = package_helpers.download_package(as_officer, engagement_helpers.world_engagement())
    data = package_helpers.unpack_package(content, tmp_path) / "data"
    [listed] = json.loads((data / "index.json").read_text())["reports"]
    assert listed["sha256"] == digest
    kept, signature = data / listed["path"], data / f"{listed['path']}.sig"
    assert (kept.read_bytes(), signature.read_text()) == (original, note)
    keys = (data / "reports" / "keys.txt").read_text()
    assert verify(kept.read_bytes(), signature.read_text(), keys).ok
    assert "governance verify-report" in (data / "VERIFY.txt").read_text()
    assert listed["path"] in (data / "index.html").read_text()


def test_one_changed_byte_of_a_copy_fails_both_signatures(report, as_auditor):
    page, *_ = report
    content = bytearray(as_auditor.post(f"{page}/pdf", then=200).data)
    note = as_auditor.post(f"{page}/signature", then=200).text
    place = content.index(b"stream\n", 5000) + 40
    content[place] ^= 1
    failed = {c.name for c in verify(bytes(content), note, keys_of(as_auditor)).checks if not c.ok}
    assert {"digest", "seal"} <= failed


def test_a_copy_of_a_copy_needs_its_own_signature(report, as_auditor):
    page, *_ = report
    first, first_note = (
        as_auditor.post(f"{page}/pdf", then=200).data,
        as_auditor.post(f"{page}/signature", then=200).text,
    )
    second = as_auditor.post(f"{page}/pdf", then=200).data
    newest = as_auditor.post(f"{page}/signature", then=200).text
    key = keys_of(as_auditor)
    assert verify(first, first_note, key).ok and verify(second, newest, key).ok
    assert not verify(second, first_note, key).ok
    original = as_auditor.post(f"{page}/signature", then=200, copy="original").text
    assert open_note(original, parse_key(key.splitlines()[0])).copy is None


def test_another_persons_copy_is_not_named(report, as_auditor, as_officer):
    page, _, note = report
    as_auditor.post(f"{page}/pdf", then=200)
    assert "Your copies" not in as_officer.get(page).text
    assert as_officer.post(f"{page}/signature", then=200).text == note


# ---- the tenant's choice


def test_nobody_auditors_or_everyone(report, as_admin, as_officer, as_auditor):
    page, original, note = report
    key = keys_of(as_officer)
    assert seals(as_auditor.post(f"{page}/pdf", then=200).data)  # The default.
    as_admin.post("settings/reports", sealed_for="nobody")
    copy = as_auditor.post(f"{page}/pdf", then=200).data
    assert seals(copy) == []
    assert verify(copy, as_auditor.post(f"{page}/signature", then=200).text, key).ok
    as_admin.post("settings/reports", sealed_for="everyone")
    sealed = as_officer.post(f"{page}/pdf", then=200).data
    # The unsigned document is the file's beginning, to the byte.
    assert sealed.startswith(original)
    [found] = seals(sealed)
    assert found.is_valid and found.covers_all
    own = as_officer.post(f"{page}/signature", then=200).text
    verdict = verify(sealed, own, key)
    assert verdict.ok and "sealed copy of" in verdict.checks[2].sentence
    assert_still_archival(sealed)
    as_admin.post("settings/reports", sealed_for="auditors")
    assert as_officer.post(f"{page}/pdf", then=200).data == original
    assert as_officer.post(f"{page}/signature", then=200).text == note


def test_a_sealed_file_is_read_by_a_strict_reader(report, as_admin, as_officer):
    page, original, _ = report
    as_admin.post("settings/reports", sealed_for="everyone")
    for content in (original, as_officer.post(f"{page}/pdf", then=200).data):
        reader = PdfFileReader(io.BytesIO(content), strict=True)
        assert reader.trailer["/Info"]["/Producer"]


def test_only_an_admin_changes_it(as_officer, as_viewer, as_admin):
    assert "Report PDFs are sealed for auditors" in as_officer.get("settings/reports").text
    as_officer.post("settings/reports", sealed_for="nobody", then=403)
    as_officer.post("settings/reports/issued", then=403)
    as_viewer.get("settings/reports", then=403)
    as_admin.post("settings/reports", sealed_for="x", then=422)


def upload(visitor, content, password=PASSWORD, then=303):
    return visitor.post(
        "settings/reports/certificate",
        then=then,
        file=(io.BytesIO(content), "seal.p12"),
        password=password,
    )


def test_the_tenants_own_certificate_seals_and_its_password_is_kept_nowhere(
    report, as_admin, as_officer, acting
):
    page, *_ = report
    as_admin.post("settings/reports", sealed_for="everyone")
    as_officer.post(f"{page}/pdf", then=200)
    upload(as_admin, pkcs12_file(rsa.generate_private_key(65537, 2048)))
    sealed = as_officer.post(f"{page}/pdf", then=200).data
    [found] = seals(sealed)
    assert (found.signer, found.is_valid) == ("Acme Seal 2026", True)
    shown = as_admin.get("settings/reports").text
    assert "Acme Seal 2026" in shown and "Retired certificates" in shown
    with acting("admin"):
        rows = session().scalars(select(SealCertificate)).all()
        assert sorted(row.wrapped is None for row in rows) == [False, True]
        said = str(entries("report.certificate.added")) + str(entries("report.certificate.retired"))
        assert PASSWORD not in said and "Acme Seal 2026" in said
    as_admin.post("settings/reports/issued")
    [back] = seals(as_officer.post(f"{page}/pdf", then=200).data)
    assert back.issuer.endswith("report authority")


def test_the_sign_in_comes_before_the_form_of_a_certificate(app, isolated, as_officer):
    late = visitor_needing_step_up(app, "admin")
    asked = late.get("settings/reports/certificate", then=401).text
    assert "It opens after you sign in" in asked and 'type="file"' not in asked
    sign_in_again(late, "admin")
    assert 'type="file"' in late.get("settings/reports/certificate").text
    upload(late, pkcs12_file(rsa.generate_private_key(65537, 2048)))
    as_officer.get("settings/reports/certificate", then=403)


def test_a_certificate_sent_too_late_is_asked_for_again_by_its_name(app, isolated):
    late = visitor_needing_step_up(app, "admin")
    content = pkcs12_file(rsa.generate_private_key(65537, 2048))
    asked = upload(late, content, then=401).text
    assert "Files aren't kept while you sign in" in html.unescape(asked) and "seal.p12" in asked
    sign_in_again(late, "admin")
    [kept] = saved_forms()
    shown = late.get(f"continue/{kept.id}").text
    assert "Choose seal.p12 again" in shown and PASSWORD not in shown
    late.post(
        "settings/reports/certificate",
        file=(io.BytesIO(content), "seal.p12"),
        saved_form=str(kept.id),
    )
    assert "Acme Seal 2026" in late.get("settings/reports").text


@pytest.mark.parametrize(
    ("content", "password", "says"),
    [
        (b"not a file", PASSWORD, "couldn't be opened"),
        (pkcs12_file(ec.generate_private_key(ec.SECP256R1())), "wrong", "Check the password"),
        (
            pkcs12_file(ec.generate_private_key(ec.SECP256R1()), until=NOW - timedelta(days=300)),
            PASSWORD,
            "expired on",
        ),
        (pkcs12_file(rsa.generate_private_key(65537, 1024)), PASSWORD, "at least 2048"),
        (pkcs12_file(ed25519.Ed25519PrivateKey.generate()), PASSWORD, "must be RSA or"),
        (
            pkcs12_file(
                ec.generate_private_key(ec.SECP256R1()),
                usage=x509.KeyUsage(False, False, True, False, False, False, False, False, False),
            ),
            PASSWORD,
            "isn't for signatures",
        ),
        (b"x" * 70_000, PASSWORD, "too large"),
    ],
    ids=["garbage", "password", "expired", "short key", "ed25519", "usage", "size"],
)
def test_a_certificate_that_cannot_sign_is_explained(as_admin, content, password, says):
    assert says in html.unescape(upload(as_admin, content, password, then=422).text)


def test_an_issued_certificate_is_renewed_before_it_ends(acting, database):
    with acting("admin"), clock.frozen(NOW):
        first = actions.material()
        assert first == actions.material()
    with acting("admin"), clock.frozen(NOW + certificates.LIFE - timedelta(days=59)):
        second = actions.material()
        assert second.certificate != first.certificate
        assert len(queries.certificates()) == 2 and len(queries.authorities()) == 1


def test_an_own_certificate_that_has_ended_seals_nothing(acting, database):
    with acting("admin"), clock.frozen(NOW):
        actions.upload_certificate(pkcs12_file(ec.generate_private_key(ec.SECP256R1())), PASSWORD)
        assert actions.material() is not None
    with acting("admin"), clock.frozen(NOW + timedelta(days=366)):
        assert actions.material() is None


def test_anyone_reads_the_authority_that_issued_a_seal(acting, client, database):
    with acting("admin"):
        certificate = x509.load_der_x509_certificate(actions.material().certificate)
    served = x509.load_pem_x509_certificates(client.get("/keys/authority.pem").data)
    certificate.verify_directly_issued_by(served[0])
    assert served[0].extensions.get_extension_for_class(x509.BasicConstraints).value.ca
