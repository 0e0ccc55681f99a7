"""The zip of a revision: signed PDF, its signature, the workbook and the data file. Pure.

drawn(facts, headlines, revision)     the PDF's page, the workbook and the data
pack(drawn, pdf, signature)           the zip; the same content gives the same bytes
build(…)                              all of it, with the PDF rendered in a child process
"""

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from governance.economics.reviews.facts.review_facts import Headline, ReviewFacts
from governance.kernel.pictures import pdf
from governance.publishing.reports.built_document import Built
from governance.publishing.reports.signatures import signing
from governance.publishing.review_files import review_data, review_document, workbook
from governance.publishing.review_files.review_data import RevisionInfo

WORKBOOK_NAME = "unit-economics-review.xlsx"
EARLIEST = (1980, 1, 1, 0, 0, 0)  # The time of a file in a zip.


@dataclass(frozen=True, slots=True)
class DrawnReview:
    """The parts of a revision's files, before the PDF is rendered."""

    built: Built
    workbook: bytes
    data: bytes


@dataclass(frozen=True, slots=True)
class ReviewFiles:
    """The zip, and the number of pages of its PDF."""

    name: str
    content: bytes
    pages: int


def drawn(facts: ReviewFacts, headlines: Sequence[Headline], revision: RevisionInfo) -> DrawnReview:
    """Lay out the files of a revision."""
    data = review_data.content(facts, headlines, revision)
    return DrawnReview(
        review_document.build(data),
        workbook.build(facts, revision),
        review_data.canonical(data),
    )


def build(
    facts: ReviewFacts,
    headlines: Sequence[Headline],
    revision: RevisionInfo,
    *,
    private: Ed25519PrivateKey,
    key_name: str,
    on_progress: pdf.PageSeen | None = None,
) -> ReviewFiles:
    """Return the files of a revision, signed with this key. Raises the errors of rendering."""
    parts = drawn(facts, headlines, revision)
    content = pdf.render_in_child(
        parts.built.html,
        attachments=parts.built.attachments,
        at=parts.built.at,
        identifier=parts.built.identifier,
        on_progress=on_progress,
    )
    note = signing.sign(
        private,
        key_name,
        filename=parts.built.filename,
        pdf=content,
        fingerprint=parts.built.fingerprint,
    )
    name = f"unit-economics-{facts.month}-r{revision.number}.zip"
    return ReviewFiles(name, pack(parts, content, note), page_count(content))


def pack(parts: DrawnReview, content: bytes, note: str) -> bytes:
    """Return the zip of the rendered PDF with its signature, the workbook and the data file."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, each in (
            (parts.built.filename, content),
            (f"{parts.built.filename}.sig", note.encode()),
            (WORKBOOK_NAME, parts.workbook),
            (review_data.NAME, parts.data),
        ):
            info = zipfile.ZipInfo(name, EARLIEST)
            info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            archive.writestr(info, each)
    return packed.getvalue()


def page_count(content: bytes) -> int:
    import pikepdf  # noqa: PLC0415 - only background work counts pages

    with pikepdf.open(io.BytesIO(content)) as document:
        return len(document.pages)
