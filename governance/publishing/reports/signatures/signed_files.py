"""A report and its signature in one zip, for download and upload together. Pure.

pack(name, pdf, signature) -> bytes          the same content gives the same bytes
unpack(content) -> (pdf, signature)          raises NotAPair for anything else
"""

import io
import zipfile
import zlib

MAGIC = b"PK\x03\x04"
EARLIEST = (1980, 1, 1, 0, 0, 0)  # The earliest day that a zip can store.
MAX_PDF_BYTES, MAX_SIGNATURE_BYTES = 64 * 1024 * 1024, 64 * 1024


class NotAPair(ValueError):
    """An error for a zip that doesn't hold one report and its signature."""


def pack(name: str, pdf: bytes, signature: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for each, content in ((name, pdf), (f"{name}.sig", signature)):
            info = zipfile.ZipInfo(each, EARLIEST)
            info.external_attr = 0o644 << 16
            archive.writestr(info, content)
    return packed.getvalue()


def unpack(content: bytes) -> tuple[bytes, str]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = archive.namelist()
            pdfs = [each for each in names if each.lower().endswith(".pdf")]
            if len(pdfs) != 1 or f"{pdfs[0]}.sig" not in names:
                raise NotAPair
            pdf = _read(archive, pdfs[0], MAX_PDF_BYTES)
            signature = _read(archive, f"{pdfs[0]}.sig", MAX_SIGNATURE_BYTES)
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        NotImplementedError,
        OSError,
        RuntimeError,
        ValueError,
    ):
        raise NotAPair from None
    return pdf, signature.decode("utf-8", "replace")


def _read(archive: zipfile.ZipFile, name: str, limit: int) -> bytes:
    with archive.open(name) as file:
        content = file.read(limit + 1)
    if len(content) > limit:
        raise NotAPair
    return content
