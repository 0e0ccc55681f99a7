"""Files to preview, harmless and hostile."""

import io
import zlib

import pikepdf
from PIL import Image

from governance.foundation.people.jobs import actor_of
from governance.kernel.work import jobs
from tests.assurance.evidence import evidence_helpers


def make_pdf(pages=1, text="Penetration test", password=None):
    out, file = io.BytesIO(), pikepdf.new()
    font = file.make_indirect(
        pikepdf.Dictionary(
            Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica
        )
    )
    for number in range(pages):
        page = file.add_blank_page(page_size=(595, 842))
        page.Resources = pikepdf.Dictionary(Font=pikepdf.Dictionary(F1=font))
        page.Contents = file.make_stream(
            f"BT /F1 24 Tf 72 700 Td ({text}, page {number + 1}) Tj ET".encode()
        )
    lock = pikepdf.Encryption(owner=password, user=password) if password else False
    file.save(out, encryption=lock)
    return out.getvalue()


def blank_pdf(pages):
    out, file = io.BytesIO(), pikepdf.new()
    for _ in range(pages):
        file.add_blank_page(page_size=(595, 842))
    file.save(out)
    return out.getvalue()


def drawing_pdf(content):
    """Return a PDF of one page with this content stream."""
    out, file = io.BytesIO(), pikepdf.new()
    file.add_blank_page(page_size=(595, 842)).Contents = file.make_stream(content)
    file.save(out)
    return out.getvalue()


def picture_pdf(side):
    """Return a PDF with a gray picture, `side` pixels squared. It compresses to almost nothing."""
    out, file = io.BytesIO(), pikepdf.new()
    page = file.add_blank_page(page_size=(595, 842))
    squeezer = zlib.compressobj(9)
    packed = b"".join(squeezer.compress(bytes(side)) for _ in range(side)) + squeezer.flush()
    picture = pikepdf.Stream(file, b"")
    picture.write(packed, filter=pikepdf.Name.FlateDecode)
    picture.Type, picture.Subtype = pikepdf.Name.XObject, pikepdf.Name.Image
    picture.Width = picture.Height = side
    picture.ColorSpace, picture.BitsPerComponent = pikepdf.Name.DeviceGray, 8
    page.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(I=picture))
    page.Contents = file.make_stream(b"q 595 0 0 842 0 0 cm /I Do Q")
    file.save(out)
    return out.getvalue()


def make_image(size=(40, 30), form="PNG", mode="RGB", **options):
    out = io.BytesIO()
    Image.new(mode, size, 120 if mode != "1" else 1).save(out, form, **options)
    return out.getvalue()


def upload(content, name, **options):
    return evidence_helpers.upload_version(
        evidence_helpers.create_evidence(f"Preview of {name}", **options), content, name
    )


def preview(who, version, then=200):
    """Request the preview, run the jobs, and return the page."""
    who.post(f"evidence/versions/{version}/preview")
    jobs.drain(actor_of)
    return who.get(f"evidence/versions/{version}/preview", then=then)
