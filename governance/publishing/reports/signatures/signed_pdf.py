"""Render a document and sign it, in background work that has nothing else to do.

begin(progress)                             the first thing that people who wait see
generate(built, private, key_name, …)       the zip of the PDF and its signature
"""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from governance.kernel.pictures import pdf
from governance.kernel.work.background_work import PacedProgress
from governance.kernel.work.jobs import Progress
from governance.publishing.reports.built_document import Built
from governance.publishing.reports.signatures import signing
from governance.publishing.reports.signatures.signed_zip import pack

STEPS, PAGES = 8, 5  # the pages that a short document has, and what comes before and after


def begin(progress: Progress) -> None:
    progress(0, STEPS, "Reading the record")


def generate(built: Built, private: Ed25519PrivateKey, key_name: str, progress: Progress) -> bytes:
    """Return the zip. Raises what rendering raises."""
    paced = PacedProgress(progress)
    content = pdf.render_in_child(
        built.html,
        attachments=built.attachments,
        at=built.at,
        identifier=built.identifier,
        on_progress=lambda page: paced(min(page, PAGES), STEPS, f"Page {page}"),
    )
    note = signing.sign(
        private, key_name, filename=built.filename, pdf=content, fingerprint=built.fingerprint
    )
    return pack(built, content, note)


def zip_name(built: Built) -> str:
    return built.filename.removesuffix(".pdf") + ".zip"
