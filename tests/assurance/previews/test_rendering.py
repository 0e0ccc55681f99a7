"""Previews of any content: an image, or a sentence that explains why there is none."""

import base64
import io
import json
import zipfile

import pytest
from PIL import Image

from governance.assurance.evidence.file_types import CSV, DOCX, JPEG, JSON, PDF, PNG, TEXT, XLSX
from governance.assurance.previews import rendering
from governance.assurance.previews.marking import marked
from governance.kernel.files.sandbox import MIB, Limits
from governance.kernel.files.spreadsheet_writer import xlsx_bytes
from tests.assurance.previews import preview_helpers as files


@pytest.fixture
def render(tmp_path):
    def _render(content, media, limits=rendering.LIMITS):
        path = tmp_path / "file"
        path.write_bytes(content)
        return rendering.render(path, media.type, limits=limits)

    return _render


def picture_of(part):
    return Image.open(io.BytesIO(base64.b64decode(part["webp"])))


def test_the_first_pages_of_a_pdf_are_pictures_with_their_text(render):
    found = render(files.make_pdf(7), PDF)
    assert [part["kind"] for part in found.parts] == ["page"] * 5
    assert found.note == "The first 5 of 7 pages." and not found.reason
    assert "Penetration test, page 2" in found.parts[1]["text"]
    picture = picture_of(found.parts[0])
    assert picture.size == (960, 1359) == (found.parts[0]["width"], found.parts[0]["height"])
    assert picture.convert("L").getextrema()[0] < 100  # Something is drawn.


def test_a_short_pdf_is_shown_whole(render):
    assert render(files.make_pdf(), PDF).note == ""


@pytest.mark.parametrize("pages", [1_000, pytest.param(100_000, marks=pytest.mark.nightly)])
def test_a_pdf_of_many_pages_costs_what_five_cost(render, pages):
    found = render(files.blank_pdf(pages), PDF)
    assert len(found.parts) == 5 and found.note == f"The first 5 of {pages:,} pages."


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (files.make_pdf(password="closed"), "locked with a password"),
        (b"%PDF-1.7\n" + b"x" * 2000, "is damaged"),
        (b"%PDF-1.7\n", "is damaged"),
        (b"<!doctype html><script>alert(1)</script>", "is damaged"),
    ],
)
def test_a_pdf_that_cannot_be_read_says_why(render, content, says):
    found = render(content, PDF)
    assert says in found.reason and not found.parts


def test_a_page_that_takes_too_long_ends_its_child(render):
    slow = files.drawing_pdf(b"0 0 m 595 842 l 0 842 l 595 0 l f* " * 1_000_000)
    found = render(slow, PDF, limits=Limits(memory=1024 * MIB, seconds=1))
    assert found.reason == "The file takes longer to render than a preview may take."


def test_a_picture_that_unpacks_to_more_than_the_memory_ends_its_child_at_most(render):
    found = render(files.picture_pdf(16_000), PDF, limits=Limits(memory=220 * MIB, seconds=10))
    assert bool(found.parts) != bool(found.reason)


def test_the_child_gets_no_more_memory_than_it_may_have(render):
    found = render(files.make_image((6000, 6000)), PNG, limits=Limits(memory=120 * MIB, seconds=10))
    assert found.reason == "The file needs more memory than a preview may use."


def test_an_image_is_encoded_again_and_carries_nothing_of_the_file(render):
    exif = Image.Exif()
    exif[270] = "taken at 48.2 N"
    found = render(files.make_image((4000, 1000), "JPEG", exif=exif, comment=b"<script>"), JPEG)
    [part] = found.parts
    picture = picture_of(part)
    assert picture.format == "WEBP" and picture.size == (1600, 400)
    assert not picture.getexif() and b"48.2" not in base64.b64decode(part["webp"])
    assert found.note == "Reduced from 4,000 by 1,000 pixels."


@pytest.mark.parametrize("side", [7_072, pytest.param(30_000, marks=pytest.mark.nightly)])
def test_an_image_of_more_than_50_million_pixels_is_never_decoded(render, side):
    found = render(files.make_image((side, side), mode="1"), PNG)
    assert found.reason.startswith(f"The image has {side:,} by {side:,} pixels. ")


@pytest.mark.parametrize("content", [files.make_image()[:60], b"\x89PNG\r\n\x1a\n", b"GIF89a"])
def test_a_broken_image_says_so(render, content):
    assert "is damaged" in render(content, PNG).reason


def test_text_is_shown_as_its_beginning(render):
    found = render("\ufeffgrün\n".encode() * 20_000, TEXT)
    assert found.parts[0]["text"].startswith("grün\n")
    assert found.note == "The first 64 KB of the file."
    assert json.loads(render(b'{"a": 1}', JSON).parts[0]["text"]) == {"a": 1}


def test_a_table_is_shown_as_its_first_rows_and_columns(render):
    lines = "\n".join(";".join(f"c{n}" for n in range(30)) for _ in range(500))
    found = render(lines.encode(), CSV)
    [table] = found.parts
    assert len(table["rows"]) == 100 and table["rows"][0][:2] == ["c0", "c1"]
    assert len(table["rows"][0]) == 20
    assert found.note == "The first 100 rows and the first 20 columns."
    assert render(b"a,b\n1\n", CSV).parts[0]["rows"] == [["a", "b"], ["1", ""]]


def test_a_cell_without_an_end_is_no_table(render):
    # The preview shows only the first 200 letters.
    assert render(b'a,b\n"' + b"x" * 700_000, CSV).parts
    assert len(render(b'a,b\n"' + b"x" * 700_000, CSV).parts[0]["rows"][1][0]) == 200


def test_the_first_sheet_of_a_workbook_is_a_table(render):
    content = xlsx_bytes("Members", ("name", "role"), [("Anna", "owner")] * 5000)
    found = render(content, XLSX)
    assert found.parts[0]["rows"][:2] == [["name", "role"], ["Anna", "owner"]]
    assert found.note == "The first 100 rows."


@pytest.mark.parametrize("content", [b"PK\x03\x04broken", b"PK\x05\x06" + bytes(18), b""])
def test_a_broken_workbook_says_so(render, content):
    assert "damaged" in render(content, XLSX).reason


def test_a_workbook_that_unpacks_without_end_is_refused(render):
    out = io.BytesIO(xlsx_bytes("A", ("a",), [("b",)]))
    with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED) as book, pytest.warns(UserWarning):
        book.writestr("xl/sharedStrings.xml", b"<sst>" + b" " * (40 * MIB))
    assert render(out.getvalue(), XLSX).reason


def test_types_without_a_preview_say_so_before_a_child_starts():
    assert rendering.why_not(DOCX.type, 10).startswith("Word files have no preview.")
    for media in ("image/svg+xml", "text/html", "application/octet-stream", ""):
        assert rendering.why_not(media, 10).startswith("Files of this type have no preview.")
    assert "larger than 64 MB" in rendering.why_not(PDF.type, 2**30)
    assert not rendering.why_not(CSV.type, 2**30) and not rendering.why_not(PDF.type, 2**20)


def test_what_a_child_prints_is_not_believed():
    webp = base64.b64encode(b"RIFF1234WEBPxxxx").decode()
    lines = [
        {"page": {"webp": base64.b64encode(b"<svg onload=a>").decode(), "width": 1, "height": 1}},
        {"page": {"webp": '"><script>', "width": 1, "height": 1}},
        {"page": {"webp": webp, "width": '1" onload="a', "height": 1}},
        {"html": "<script>"},
        {"table": 5},
        {"page": {"webp": webp, "width": 1, "height": 1, "onload": "a"}},
    ]
    answer = b"\n".join([b"not json", b"[]", b"7", *(json.dumps(each).encode() for each in lines)])
    parts, end = rendering._read(answer)
    assert parts == ({"kind": "page", "webp": webp, "text": "", "width": 1, "height": 1},)
    assert end == {}


def test_a_watermark_is_in_the_pixels(render):
    parts = render(files.blank_pdf(2), PDF).parts
    shown = marked(parts, "Halden & Co · Harriet Lowe")
    for before, after in zip(parts, shown, strict=True):
        assert picture_of(before).convert("L").getextrema() == (255, 255)
        assert picture_of(after).size == picture_of(before).size
        dark = picture_of(after).convert("L").histogram()
        assert sum(dark[:245]) > 5000
    text = ({"kind": "text", "text": "a"},)
    assert marked(text, "x") == text
