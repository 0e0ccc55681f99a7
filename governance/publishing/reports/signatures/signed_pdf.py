"""The rendering and signing of a document, in background work of its own.

begin(progress)                             the first progress that waiting people see
generate(built, private, key_name, …)       the zip of the PDF and its signature
"""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from governance.kernel.pictures import pdf
from governance.kernel.work.background_work import PacedProgress
from governance.kernel.work.jobs import Progress
from governance.publishing.reports.built_document import Built
from governance.publishing.reports.signatures import signing
from governance.publishing.reports.signatures.signed_zip import pack

STEPS, PAGES = 8, 5  # Progress steps in all, and the pages of a short document among them.


def begin(progress: Progress) -> None:
    progress(0, STEPS, "Reading the record")


def generate(built: Built, private: Ed25519PrivateKey, key_name: str, progress: Progress) -> bytes:
    """Return the zip. Raises the errors of rendering."""
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
