"""Downloads by auditors, watermarked or recorded; downloads by others stay unchanged."""

import hashlib
import io
import zlib
from functools import partial

import pdfplumber
import pikepdf
import pytest
from sqlalchemy import select

from governance.assurance.engagements import queries
from governance.foundation.audit.models import AuditEntry
from governance.kernel.data.db import session
from tests import make
from tests.assurance.engagements import engagement_helpers
from tests.assurance.evidence import evidence_helpers
from tests.peak_memory import peak_of


def make_pdf(pages=((595, 842), (842, 595)), password=None):
    out, file = io.BytesIO(), pikepdf.new()
    for size in pages:
        file.add_blank_page(page_size=size)
    file.save(
        out, encryption=pikepdf.Encryption(owner=password, user=password) if password else False
    )
    return out.getvalue()


def downloads(acting):
    with acting("admin"):
        return list(
            session().scalars(
                select(AuditEntry.facts).where(AuditEntry.action == "engagement.file.downloaded")
            )
        )


@pytest.mark.slow
def test_each_page_of_a_pdf_shows_the_auditor_the_engagement_the_time_and_the_originals_digest(
    as_auditor, as_officer, acting, database
):
    content = make_pdf()
    version = evidence_helpers.upload_version(evidence_helpers.create_evidence(), content)
    with acting("admin"):
        ref = queries.engagement(engagement_helpers.world_engagement()).ref
    reply = as_auditor.post(f"evidence/versions/{version}/download", then=200)
    digest = hashlib.sha256(content).hexdigest()
    assert reply.headers["X-Original-SHA256"] == digest
    assert reply.headers["X-Content-SHA256"] == hashlib.sha256(reply.data).hexdigest()
    with pdfplumber.open(io.BytesIO(reply.data)) as file:
        words = ["".join(c["text"] for c in page.chars) for page in file.pages]
    assert len(words) == 2
    for page in words:
        for part in (make.FIRM, "Harriet Lowe", ref, "downloaded", digest):
            assert part in page, part
    [facts] = downloads(acting)
    assert (
        facts["stamped"] is True
        and facts["original"] == digest
        and facts["page"] == "evidence.download"
    )
    assert as_officer.post(f"evidence/versions/{version}/download", then=200).data == content


def test_a_pdf_that_cannot_be_stamped_leaves_as_it_is_with_a_custody_line(
    as_auditor, acting, database
):
    content = make_pdf(password="closed")
    version = evidence_helpers.upload_version(evidence_helpers.create_evidence(), content)
    reply = as_auditor.post(f"evidence/versions/{version}/download", then=200)
    assert reply.data == content
    assert reply.headers["X-Custody"].startswith("Harriet Lowe, Halden & Co, ENG-")
    [facts] = downloads(acting)
    assert facts["stamped"] is False and facts["sha256"] == hashlib.sha256(content).hexdigest()


def pdf_bomb(mebibytes):
    """Return a PDF bomb: a few kilobytes whose object stream expands to `mebibytes` MiB."""
    packer = zlib.compressobj(9)
    packed = (
        packer.compress(b"4 0 <<>>")
        + b"".join(packer.compress(bytes([32]) * 1024**2) for _ in range(mebibytes))
        + packer.flush()
    )
    stream = b"<</Type/ObjStm/N 1/First 4/Filter/FlateDecode/Length %d>>stream\n%b\nendstream" % (
        len(packed),
        packed,
    )
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]/Y 4 0 R>>"
    out, rows = b"%PDF-1.5\n", {}
    for number, told in (
        (1, b"<</Type/Catalog/Pages 2 0 R>>"),
        (2, b"<</Type/Pages/Kids[3 0 R]/Count 1>>"),
        (3, page),
        (5, stream),
    ):
        rows[number] = b"\1" + len(out).to_bytes(4, "big") + bytes(2)
        out += b"%d 0 obj\n%b\nendobj\n" % (number, told)
    table = (
        bytes(7) + rows[1] + rows[2] + rows[3] + b"\2" + (5).to_bytes(4, "big") + bytes(2) + rows[5]
    )
    end = (
        b"6 0 obj\n<</Type/XRef/Size 6/W[1 4 2]/Root 1 0 R/Length"
        b" %d>>stream\n%b\nendstream\nendobj\nstartxref\n%d\n%%%%EOF\n"
    )
    return out + end % (len(table), table, len(out))


@pytest.mark.slow
def test_a_small_pdf_that_unpacks_to_more_than_there_is_takes_none_of_the_consoles_memory_and_leaves_unstamped(
    as_auditor, acting, database
):
    content = pdf_bomb(1200)
    version = evidence_helpers.upload_version(evidence_helpers.create_evidence(), content)
    download = partial(as_auditor.post, f"evidence/versions/{version}/download", then=200)
    reply, more = peak_of(download)
    assert more < 200
    assert reply.data == content
    assert downloads(acting)[0]["stamped"] is False


def test_other_files_are_recorded_with_the_auditors_name_encrypted(
    as_auditor, as_officer, acting, database
):
    content = b"a,b\n1,2\n"
    version = evidence_helpers.upload_version(
        evidence_helpers.create_evidence(), content, "secret-name.csv"
    )
    reply = as_auditor.post(f"evidence/versions/{version}/download", then=200)
    assert reply.data == content and "X-Custody" in reply.headers
    as_auditor.get("evidence/export.csv")
    as_officer.post(f"evidence/versions/{version}/download", then=200)
    facts = downloads(acting)
    assert [f["page"] for f in facts] == ["evidence.download", "evidence.export"]
    with acting("admin"):
        bodies = b"".join(
            session().scalars(
                select(AuditEntry.body).where(AuditEntry.action == "engagement.file.downloaded")
            )
        )
    assert b"secret-name" not in bodies and b"Harriet" not in bodies


def test_pages_leave_no_custody_line(as_auditor, acting, database):
    as_auditor.get("evidence/")
    assert downloads(acting) == []
