"""The PDF of any report, which depends on its facts alone and has a sound structure."""

import io
import os
import re
import shutil
import signal
import subprocess
import tempfile
import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from fontTools.ttLib import TTFont
from weasyprint.css import get_all_computed_styles

from governance.kernel.pictures import pdf, pdf_scripts
from governance.publishing.reports import kinds
from governance.publishing.reports.built_document import Built
from tests.publishing.reports import (
    attestation_samples,
    readiness_samples,
    rmf_samples,
    type2_samples,
)

pytestmark = pytest.mark.slow

AT = datetime(2026, 10, 12, tzinfo=UTC)
PAGE = (
    '<!doctype html><html lang="en"><head><title>T</title><meta name="dcterms.created"'
    ' content="2026-10-12"></head><body><h1>T</h1>{}</body></html>'
)
SAMPLES = {
    "ai-rmf": rmf_samples.sample_snapshot,
    "readiness": readiness_samples.all_categories,
    "attestation": attestation_samples.sample_period,
    "type-ii": type2_samples.full_year,
}
each_kind = pytest.mark.parametrize("make", SAMPLES.values(), ids=SAMPLES)


def rendered(built: Built) -> bytes:
    return pdf.render_in_child(
        built.html, attachments=built.attachments, at=built.at, identifier=built.identifier
    )


def backwards(value: Any) -> Any:
    """Return the same facts with the keys of every object in the opposite order."""
    if isinstance(value, dict):
        return {key: backwards(value[key]) for key in reversed(value)}
    return [backwards(each) for each in value] if isinstance(value, list) else value


def test_the_metadata_is_plain_text_and_another_reader_finds_no_error(tmp_path: Path) -> None:
    """Leave the XMP uncompressed: MuPDF 1.25 reports a "syntax error" otherwise."""
    made = pdf.render_in_child(
        PAGE.format("<p>Text</p>"),
        attachments=[pdf.Attachment("data.json", b"{}", "The data")],
        at=AT,
        identifier=b"i" * 16,
    )
    with pikepdf.open(io.BytesIO(made)) as document:
        assert "/Filter" not in document.Root.Metadata
    assert b"<pdfuaid:part>1</pdfuaid:part>" in made
    file = tmp_path / "report.pdf"
    file.write_bytes(made)
    program = shutil.which("mutool")
    assert program, "mutool is missing: apt-get install mupdf-tools"
    for command in ("info", "trace"):
        found = subprocess.run(
            [program, command, str(file)], capture_output=True, text=True, check=True
        )
        assert "error" not in found.stderr.casefold(), found.stderr


@each_kind
def test_the_order_of_keys_changes_nothing(make: Callable[[], Any]) -> None:
    made = make()
    assert list(backwards(made)) != list(made)
    assert kinds.build(backwards(made)) == kinds.build(made)


@each_kind
def test_headings_go_down_one_level_at_a_time(make: Callable[[], Any]) -> None:
    levels = [int(each) for each in re.findall(r"<h([1-6])\b", kinds.build(make()).html)]
    assert levels[0] == 1
    assert [pair for pair in zip(levels, levels[1:], strict=False) if pair[1] - pair[0] > 1] == []


def names_from_elsewhere() -> Any:
    """Return a small report with people's names that our Latin fonts can't show."""
    made = rmf_samples.one_requirement()
    made["prepared_by"] = "Łucja Żak, Ελένη Παππά, Анна Жук, 山田太郎, 王伟, 김민수, สมชาย, अमित"
    made["tenant"]["name"] = "Şişli Ağ Ltd ▼ 中文"
    return made


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(names_from_elsewhere, id="names"),
        pytest.param(type2_samples.full_year, id="type-ii", marks=pytest.mark.nightly),
    ],
)
def test_the_fonts_of_the_machine_change_nothing(
    make: Callable[[], Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    built, files = kinds.build(make()), []
    for name, folders in (("none", ()), ("all", ("/usr/share/fonts", str(pdf.STATIC)))):
        place = tmp_path / name
        place.mkdir()
        listed = "".join(f"<dir>{each}</dir>" for each in folders)
        (place / "fonts.conf").write_text(f"<fontconfig>{listed}</fontconfig>")
        monkeypatch.setenv("FONTCONFIG_PATH", str(place))
        monkeypatch.setenv("FONTCONFIG_FILE", str(place / "fonts.conf"))
        monkeypatch.setenv("LANG", {"none": "C.UTF-8", "all": "ja_JP.UTF-8"}[name])
        files.append(rendered(built))
    assert files[0] == files[1]
    with pikepdf.open(io.BytesIO(files[0])) as file:
        fonts = {str(each.BaseFont) for each in objects(file, "/Type", "/Font")}
    assert {name.partition("+")[2].partition("-")[0] for name in fonts} == {"Report"}


NAMES = {
    "Latin, Greek and Cyrillic": "Łucja Żak Nguyễn Ελένη Παππά Анна Жук",
    "Japanese": "山田太郎 髙橋ひなた タナカ",
    "Chinese": "王伟 张磊 陳大文 黃",
    "Korean": "김민수 박서연",
    "Arabic and Hebrew": "مرحبا שלום",
    "Thai and Devanagari": "สมชาย अमित",
}


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_a_name_of_any_script_is_in_the_text_and_no_letter_is_a_box(name: str) -> None:
    with pikepdf.open(io.BytesIO(page_of(name))) as file:
        assert 0 not in glyphs(file)
        text = "".join(unicode_of(each) for each in objects(file, "/Type", "/Font"))
    assert {each for each in name if each.isalpha()} <= set(text)


def test_a_character_that_no_font_has_is_written_as_its_number() -> None:
    assert pdf_scripts.prepared(PAGE.format("Ada 🙂")) == PAGE.format("Ada [U+1F642]").replace(
        "</head>", "<style></style></head>"
    )


def test_a_page_without_other_scripts_stays_as_it_is_and_opens_no_font(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pdf_scripts, "FALLBACK", Path("nowhere.ttf"))
    page = PAGE.format("Łucja Ελένη Анна → ●")
    assert pdf_scripts.prepared(page) == page


def test_what_is_taken_for_common_is_in_the_fallback_font() -> None:
    assigned = {
        chr(each)
        for each in range(0x10000)
        if unicodedata.category(chr(each)) not in {*pdf_scripts.WITHOUT_GLYPH, "Cn", "Cs"}
    }
    common = {each for each in assigned if not pdf_scripts.OTHER_THAN_COMMON.match(each)}
    with TTFont(pdf_scripts.FALLBACK, lazy=True) as font:
        assert common - set(map(chr, font.getBestCmap())) == set()


def page_of(text: str) -> bytes:
    return pdf.render_in_child(PAGE.format(f"<p>{text}</p>"), at=AT, identifier=b"0" * 16)


def glyphs(file: pikepdf.Pdf) -> set[int]:
    """Return the numbers of the glyphs on its pages. 0 is the box of a missing one."""
    shown = b"".join(
        bytes(part)
        for page in file.pages
        for each in pikepdf.parse_content_stream(page)
        if str(each.operator) == "TJ"
        for part in each.operands[0]
        if isinstance(part, pikepdf.String)
    )
    return {int.from_bytes(shown[at : at + 2]) for at in range(0, len(shown), 2)}


def unicode_of(font: pikepdf.Dictionary) -> str:
    """Return the characters for which the glyphs of a font stand, by its /ToUnicode."""
    if "/ToUnicode" not in font:
        return ""
    told = re.findall(rb"<[0-9a-fA-F]+> <([0-9a-fA-F]+)>", font.ToUnicode.read_bytes())
    return "".join(bytes.fromhex(each.decode()).decode("utf-16-be") for each in told)


def objects(file: pikepdf.Pdf, key: str, value: str) -> list[Any]:
    return [
        each
        for each in file.objects
        if isinstance(each, pikepdf.Dictionary) and each.get(key) == value
    ]


def test_an_attachment_is_listed_once_and_running_headers_are_artifacts() -> None:
    built = kinds.build(type2_samples.full_year())
    with pikepdf.open(io.BytesIO(rendered(built))) as file:
        listed = [each.objgen for each in file.Root.AF]
        assert len(listed) == len(set(listed)) == len(built.attachments)
        tags = {str(each.S) for each in objects(file, "/Type", "/StructElem")}
        assert "/TH" in tags and "/Sect" in tags
        assert {str(each.A.Scope) for each in objects(file, "/S", "/TH")} == {"/Row", "/Column"}
        for page in list(file.pages)[1:]:
            marked, artifacts = texts_of(page)
            assert artifacts >= 3, "header and footer"  # noqa: PLR2004 - three parts of each
            owners = owners_of(file, page)
            assert all(isinstance(owners[mark], pikepdf.Dictionary) for mark in marked)


def texts_of(page: pikepdf.Page) -> tuple[list[int], int]:
    """Return the marks of a page's tagged text, and its number of artifacts that show text."""
    marks, artifacts, inside = [], 0, ""
    for each in pikepdf.parse_content_stream(page):
        match str(each.operator):
            case "BDC":
                inside = str(each.operands[0])
                if inside != "/Artifact":
                    marks.append(int(each.operands[1].MCID))
            case "BMC":
                inside = str(each.operands[0])
            case "Tj" | "TJ" if inside == "/Artifact":
                artifacts += 1
            case _:
                pass
    return marks, artifacts


def owners_of(file: pikepdf.Pdf, page: pikepdf.Page) -> list[Any]:
    """Return the owner of each mark of a page, by the parent tree."""
    numbers = list(file.Root.StructTreeRoot.ParentTree.Nums)
    place = next(n for n in range(0, len(numbers), 2) if numbers[n] == page.obj.StructParents)
    return list(numbers[place + 1])


# ---- its styles

LISTS = (
    "<ol><li>one<ol type=a><li>a<li>b</ol><li>two</ol><ul><li>dot<ul><li>ring</ul></ul>"
    "<dl><dt>term<dd><q>quoted</q></dl><table><tr><th>head<tr><td>cell</table>"
)


def test_a_page_is_drawn_as_under_the_whole_stylesheet_of_weasyprint(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    thin = pdf.render(PAGE.format(LISTS), at=AT, identifier=b"x")
    monkeypatch.setattr(pdf, "_thinned", lambda css: css)
    assert pdf.render(PAGE.format(LISTS), at=AT, identifier=b"x") == thin


def test_items_of_lists_have_markers_and_nothing_else_has_a_style_of_its_own() -> None:
    page = pdf._parsed(PAGE.format(LISTS))
    styled = get_all_computed_styles(page)
    marked = [e.tag for e in page.etree_element.iter() if styled(e, "marker") is not None]
    assert marked == ["li"] * 6
    for part in "footnote-call", "footnote-marker", "note-call", "note-marker", "note-callback":
        assert all(styled(each, part) is None for each in page.etree_element.iter()), part


# ---- the child


def own_renderer() -> int:
    """Return the process id of the child that lays out a report of ours."""
    for path in Path("/proc").glob("[0-9]*"):
        try:
            command = (path / "cmdline").read_bytes()
            parent = int((path / "stat").read_text().rpartition(")")[2].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
        if parent == os.getpid() and b"governance.kernel.pictures.pdf" in command:
            return int(path.name)
    raise LookupError


def test_a_child_that_something_else_ended_is_not_called_too_large() -> None:
    ended = list[int]()

    def end(_page: int) -> None:
        if not ended:  # Later pages may already be in the pipe.
            ended.append(own_renderer())
            os.kill(ended[0], signal.SIGSEGV)

    with pytest.raises(
        pdf.RenderFailed, match=r"was ended by SIGSEGV at page \d+; nothing was"
    ) as no:
        pdf.render_in_child(
            PAGE.format("<p>x</p>" * 3000),
            at=AT,
            identifier=b"x",
            on_progress=end,
        )
    assert "memory" not in str(no.value)


def test_the_child_leaves_no_files_behind(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    rendered(kinds.build(rmf_samples.one_requirement()))
    assert list(tmp_path.iterdir()) == []
