"""The ZIP of a certificate: the PDF, its signature, and the signed text. Pure.

The same content gives the same bytes.
"""

import io
import zipfile
from collections.abc import Sequence

from governance.publishing.statements.data_file import BROKEN_ZIP

TEXT_NAME, PDF_NAME = "certificate-of-deletion.txt", "certificate-of-deletion.pdf"
NAMES = (PDF_NAME, f"{PDF_NAME}.sig", TEXT_NAME)
EARLIEST = (1980, 1, 1, 0, 0, 0)  # The time of a file in a zip.
MAX_BYTES = 16 * 1024 * 1024


class Unreadable(ValueError):
    """An error for a ZIP that isn't of a certificate. The message says why in one sentence."""


def pack(pdf: bytes, signature: str, note: str) -> bytes:
    """Return the ZIP that an operator downloads."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, each in zip(NAMES, (pdf, signature.encode(), note.encode()), strict=True):
            info = zipfile.ZipInfo(name, EARLIEST)
            info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            archive.writestr(info, each)
    return packed.getvalue()


def unpack(data: bytes) -> dict[str, bytes]:
    """Return the three files by name.

    Raises Unreadable, also for extra files: nothing checks them.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            _check(entries)
            return {each.filename: archive.read(each) for each in entries}
    except Unreadable:
        raise
    except BROKEN_ZIP as why:
        raise Unreadable(f"The ZIP can't be read: {why}.") from None


def _check(entries: Sequence[zipfile.ZipInfo]) -> None:
    if sorted(each.filename for each in entries) != sorted(NAMES):
        raise Unreadable("The ZIP must contain exactly the three files of a certificate.")
    if sum(each.file_size for each in entries) > MAX_BYTES:
        raise Unreadable("The ZIP unpacks to more than any certificate.")
