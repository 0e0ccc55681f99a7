"""A rendered PDF and its signature as one zip. The same content gives the same bytes. Pure."""

import io
import zipfile

from governance.publishing.reports.built_document import Built

EARLIEST = (1980, 1, 1, 0, 0, 0)  # The time of a file in a zip.


def pack(built: Built, pdf: bytes, signature: str) -> bytes:
    """Return the zip of the rendered PDF and its signature."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, each in ((built.filename, pdf), (f"{built.filename}.sig", signature.encode())):
            info = zipfile.ZipInfo(name, EARLIEST)
            info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            archive.writestr(info, each)
    return packed.getvalue()
