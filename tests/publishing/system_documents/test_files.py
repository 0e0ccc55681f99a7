"""The signed PDF of a version: generated in the background, verified, downloaded."""

import io
import zipfile

import pdfplumber
import pikepdf

from governance.foundation.people.jobs import actor_of
from governance.kernel.work import jobs
from governance.publishing.reports import queries as reports
from governance.publishing.reports.signatures import signing
from governance.publishing.system_documents import queries
from tests import make
from tests.assurance.frameworks.framework_files import main_text
from tests.publishing.system_documents.document_helpers import FILE, register_system

DRAFT = f"{FILE}/1"


def drain():
    jobs.drain(actor_of)


def file_ids():
    with make.acting("compliance_officer", read_only=True):
        from governance.operations.systems import queries as register

        found = queries.version(register.system("claims-triage").id, "technical-file", 1)
        return [each.row.id for each in queries.files_of(found.id)]


def test_a_draft_is_printed_with_its_open_points_and_signed(as_officer, as_viewer, database):
    register_system()
    as_officer.post(FILE)
    as_officer.post(f"{DRAFT}/files")
    as_officer.post(f"{DRAFT}/files")  # The second of two clicks watches the first.
    (made,) = file_ids()
    drain()
    assert "open points" in main_text(as_officer.get(DRAFT))
    reply = as_officer.post(f"system-document-files/{made}/download", then=200)
    archive = zipfile.ZipFile(io.BytesIO(reply.data))
    name = "technical-file-claims-triage-v1.pdf"
    assert archive.namelist() == [name, f"{name}.sig"]
    content, note = archive.read(name), archive.read(f"{name}.sig").decode()
    with make.acting("compliance_officer", read_only=True):
        key = reports.signing_key()
        signed = signing.open_note(note, signing.VerifierKey(key.name, key.public))
    assert signed.filename == name
    with pikepdf.open(io.BytesIO(content)) as document:
        assert len(document.pages) >= 2
        attached = bytes(document.attachments["snapshot.json"].get_file().read_bytes())
    with pdfplumber.open(io.BytesIO(content)) as printed:
        text = " ".join(" ".join(page.extract_text() or "" for page in printed.pages).split())
    assert "20 of 25 points are open" in text and "1.e Hardware The hardware" in text
    assert "5 of 25 points are bound to the record" in text and "Open. The hardware" in text
    assert b'"1.e"' in attached and b"Ranks incoming claims" in attached


def test_only_those_who_may_export_do(as_officer, as_contributor, as_neighbour, database):
    register_system()
    as_officer.post(FILE)
    as_contributor.post(f"{DRAFT}/files", then=403)
    as_neighbour.post(f"{DRAFT}/files", then=404)
    as_officer.post(f"{DRAFT}/files")
    (made,) = file_ids()
    as_neighbour.post(f"system-document-files/{made}/download", then=404)
    as_officer.post(f"system-document-files/{made}/download", then=409)  # Not ready yet.
    as_contributor.post(f"system-document-files/{made}/download", then=403)
