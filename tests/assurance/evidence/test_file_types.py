"""File types are decided by content: each allowed type, and each kind of false claim."""

import io
import tracemalloc
import zipfile

import pytest

from governance.assurance.evidence import file_types
from governance.kernel.errors import Invalid

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 30


def zip_bomb():
    """Return a small archive that expands to 400 MB."""
    return office_file("xl/workbook.xml", size=400 * 1024 * 1024)


def office_file(*parts, size=100, types=True):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for part in (*parts, *(["[Content_Types].xml"] if types else [])):
            archive.writestr(part, b"\0" * size)
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "found"),
    [
        ("report.pdf", b"%PDF-1.7\n...", file_types.PDF),
        ("shot.PNG", PNG, file_types.PNG),
        ("photo.jpeg", b"\xff\xd8\xff\xe0....", file_types.JPEG),
        ("rows.csv", "ref;naïve\n1;2\n".encode(), file_types.CSV),
        ("run.log", b"\xef\xbb\xbfline\r\n", file_types.TEXT),
        ("facts.json", b'{"a": [1]}', file_types.JSON),
        ("book.xlsx", office_file("xl/workbook.xml"), file_types.XLSX),
        ("text.docx", office_file("word/document.xml"), file_types.DOCX),
        ("deck.pptx", office_file("ppt/presentation.xml"), file_types.PPTX),
    ],
)
def test_allowed_types_are_found_by_content(name, content, found):
    stream = io.BytesIO(content)
    assert file_types.find_type(stream, name) is found
    assert stream.tell() == 0


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("report.pdf", PNG, "report.pdf ends in .pdf, but its content is a PNG image"),
        ("report.png", b"%PDF-1.7", "its content is a PDF"),
        ("report", b"%PDF-1.7", "has no extension"),
        ("notes.pdf", b"plain words", "its content is plain text"),
        ("setup.txt", b"MZ\x90\0", "setup.txt is a program"),
        ("a.pdf", b"\x7fELF....", "is a program"),
        ("run.txt", b"#!/bin/sh\n", "is a program"),
        ("page.txt", b"\n <!DOCTYPE html><p>", "is a web page or image that can contain scripts"),
        ("far.txt", b" \n" * 70_000 + b"<html><script>", "can contain scripts"),
        ("mark.txt", b"\xef\xbb\xbf" + b"\t" * 2000 + b"<svg>", "can contain scripts"),
        ("logo.png", b'<svg xmlns="http://www.w3.org/2000/svg">', "can contain scripts"),
        ("x.csv", b"a<script>alert(1)</script>", "can contain scripts"),
        ("all.zip", office_file("a.txt", types=False), "is an archive, not an Office file"),
        ("x.docx", office_file("a.txt"), "is an archive, not an Office file"),
        (
            "x.xlsx",
            office_file("xl/workbook.xml", "xl/vbaProject.bin"),
            "with macros",
        ),
        ("x.xlsx", b"PK\x03\x04broken", "is a damaged archive"),
        ("x.xlsx", office_file("xl/workbook.xml")[:-30], "is a damaged archive"),
        ("book.docx", office_file("xl/workbook.xml"), "its content is an Excel workbook"),
        pytest.param("bomb.xlsx", zip_bomb, "unpacks to", marks=pytest.mark.slow),
        ("facts.json", b'{"a": ', "isn't valid JSON"),
        ("deep.json", b"[" * 200_000, "isn't valid JSON"),
        ("x.txt", b"a\0b", "of an unknown type"),
        ("x.csv", b"\xff\xfea\0", "x.csv is of a type"),
        ("x.gif", b"GIF89a\0\0", "x.gif is of a type"),
        ("empty.pdf", b"", "empty.pdf is empty"),
    ],
)
def test_everything_else_stays_out_and_says_why(name, content, says):
    with pytest.raises(Invalid) as refused:
        file_types.find_type(io.BytesIO(content() if callable(content) else content), name)
    assert says in refused.value.message
    assert refused.value.field == "file"


def test_a_large_json_file_is_looked_at_by_its_ends_and_takes_no_more_memory_than_a_small_one():
    """Inspect only the ends of the file.

    Parsing it would turn twenty megabytes of empty lists into half a gigabyte.
    """
    large = b"\n[" + b"[]," * 2_000_000 + b"[]]\n"
    tracemalloc.start()
    assert file_types.find_type(io.BytesIO(large), "facts.json") is file_types.JSON
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20 * 1024 * 1024
    for broken in (large.rstrip()[:-1] + b",", b"x" + large, large.rstrip()[:-1] + b"}"):
        with pytest.raises(Invalid, match="isn't valid JSON"):
            file_types.find_type(io.BytesIO(broken), "facts.json")


def test_an_archive_of_very_many_parts_is_refused_before_its_directory_is_read():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for n in range(file_types.MAX_ARCHIVE_ENTRIES + 1):
            archive.writestr(f"{n}", b"")
    with pytest.raises(Invalid, match="more than 4,000 parts"):
        file_types.find_type(out, "x.xlsx")


@pytest.mark.parametrize(
    ("given", "plain"),
    [
        ("..\\..\\boot.ini", "boot.ini"),
        ("/etc/passwd", "passwd"),
        ('a"b\r\nSet-Cookie: x.pdf', "abSet-Cookie: x.pdf"),
        ("", "file"),
        (None, "file"),
        ("gpj.\u202efdp.exe", "gpj.fdp.exe"),
        ("a\x9b2J\u2028b\x85c\ufeff.txt", "a2Jbc.txt"),
        ("x" * 300 + ".pdf", "x" * 156 + ".pdf"),
    ],
)
def test_names_are_made_plain(given, plain):
    assert file_types.safe_name(given) == plain


BILLION_LAUGHS = (
    b'<?xml version="1.0"?>\n<!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY lol2'
    b' "&lol;&lol;&lol;">]>\n<w:document>&lol2;</w:document>'
)


BILLION_LAUGHS_ENCODINGS = {
    "plain": BILLION_LAUGHS,
    "utf-16": BILLION_LAUGHS.decode().encode("utf-16"),
    "behind a remark": b"<!-- a remark first -->" + BILLION_LAUGHS,
    "behind spaces": b'<?xml version="1.0"?>' + b" " * 5000 + BILLION_LAUGHS[22:],
    "behind a long remark": b"<!--" + b"x" * 9000 + b"-->" + BILLION_LAUGHS[22:],
    "behind what looks like a root": (
        f"<!--{'\u2d2d\u3e3c' * 3000}-->{BILLION_LAUGHS[22:].decode()}".encode("utf-16")
    ),
    "far behind": b" " * 70_000 + BILLION_LAUGHS[22:],
}


@pytest.mark.parametrize("text", BILLION_LAUGHS_ENCODINGS.values(), ids=BILLION_LAUGHS_ENCODINGS)
def test_entities_that_grow_are_refused_in_any_part_of_an_office_file(text):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("word/document.xml", "<!-- only a remark --><w:document/>")
        archive.writestr(
            "customXml/item0.xml", "<note><![CDATA[words, not a document type]]></note>"
        )
        assert file_types.find_type(_closed(out, archive), "text.docx") is file_types.DOCX
    with zipfile.ZipFile(out, "a") as archive:
        archive.writestr("customXml/item1.xml", text)
    with pytest.raises(Invalid, match="defines XML entities in customXml/item1.xml"):
        file_types.find_type(io.BytesIO(out.getvalue()), "text.docx")


def _closed(out, archive):
    archive.close()
    return io.BytesIO(out.getvalue())
