"""Third-party files that we ship equal the lock; templates name existing ones, nothing inline."""

import re
from functools import cache
from pathlib import Path

import pytest

from tools import vendoring

ROOT = Path(__file__).parents[2]
STATIC = ROOT / "governance" / "static"
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
SCRIPTS = sorted((STATIC / "js").glob("*.js"))
# A printed page has no content policy, and its bars are in mm. A package's page is opened from
# disk, under its own policy.
PAGES = [t for t in TEMPLATES if not {"pdf", "package"} & set(t.parts)]
COMMENT = re.compile(r"\{#.*?#\}", re.DOTALL)
SYMBOLS = set(re.findall(r'<symbol id="([\w-]+)"', (STATIC / "icons.svg").read_text("utf-8")))

# Things that the content policy blocks, or that would let a template smuggle in a script.
FORBIDDEN = {
    "an address of another host": re.compile(
        r"""(?:src|href|action|poster)=["'](?:https?:)?//""", re.IGNORECASE
    ),
    "a style attribute": re.compile(r"""\sstyle\s*=\s*["'{]"""),
    "a style element": re.compile(r"<style\b", re.IGNORECASE),
    "an event attribute": re.compile(r"\son[a-z]+\s*=", re.IGNORECASE),
    "an inline script": re.compile(r"<script\b(?![^>]*\ssrc=)", re.IGNORECASE),
    "hx-on": re.compile(r"\b(?:data-)?hx-on\b"),
    "a filter in hx-trigger": re.compile(r"""hx-trigger=["'][^"']*\["""),
    "a js: expression": re.compile(r"""["'\s](?:js|javascript):""", re.IGNORECASE),
}


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@cache
def bare(path: Path) -> str:
    """Return the template without its comments."""
    return COMMENT.sub("", path.read_text("utf-8"))


def test_every_vendored_file_is_the_one_in_the_lock() -> None:
    assert vendoring.verify(vendoring.read_lock()) == []


def test_every_wanted_file_is_in_the_lock_and_nothing_else() -> None:
    wanted = {w.file for w in vendoring.WANTED} | {vendoring.MARKS}
    assert {e.file for e in vendoring.read_lock()} == wanted


def test_a_changed_file_is_named(tmp_path: Path) -> None:
    entry = vendoring.read_lock()[0]
    target = tmp_path / entry.file
    target.parent.mkdir(parents=True)
    target.write_text("changed")
    assert vendoring.verify([entry], tmp_path) == [f"{entry.file} is not the file in the lock"]
    target.unlink()
    assert vendoring.verify([entry], tmp_path) == [f"{entry.file} is missing"]


def test_no_file_of_others_lies_outside_the_lock() -> None:
    known = {e.file for e in vendoring.read_lock()}
    found = {
        str(p.relative_to(ROOT))
        for folder in ("vendor", "report/fonts")
        for p in (STATIC / folder).iterdir()
        if p.is_file()
    }
    assert found - known == set()


def test_each_package_has_its_licence_beside_it() -> None:
    files = {e.file.rpartition("/")[2] for e in vendoring.read_lock() if "LICENCE" in e.file}
    assert {
        "tabler.LICENCE.txt",
        "htmx.LICENCE.txt",
        "inter.LICENCE.txt",
        "source-serif-4.LICENCE.txt",
    } <= files


@pytest.mark.parametrize("rule", FORBIDDEN)
def test_no_template_has_anything_inline_or_from_elsewhere(rule: str) -> None:
    found = [(name_of(each), FORBIDDEN[rule].search(bare(each))) for each in PAGES]
    assert [f"{name}: {rule}: {match[0]}" for name, match in found if match] == []


def test_templates_name_only_files_that_exist() -> None:
    named = [
        (name_of(each), file)
        for each in TEMPLATES
        for file in re.findall(r"""asset\(['"]([\w./-]+)['"]\)""", bare(each))
    ]
    assert len(named) > 5
    assert [(name, file) for name, file in named if not (STATIC / file).is_file()] == []


def test_templates_name_only_icons_that_are_in_the_sprite() -> None:
    named = [(name_of(each), icon) for each in TEMPLATES for icon in icons_in(bare(each))]
    assert len(named) > 50
    assert [(name, icon) for name, icon in named if f"i-{icon}" not in SYMBOLS] == []


def icons_in(text: str) -> list[str]:
    named = re.findall(r"""\b(?:icon|icon_name=)\(?['"]([a-z][\w-]*)['"]""", text)
    return named + re.findall(r"""icon_button\([^,()]+,\s*['"]([\w-]+)['"]""", text)


def test_every_post_form_carries_its_token() -> None:
    bare_forms = [
        f"{template.relative_to(ROOT)}: {form[:80]}"
        for template in TEMPLATES
        for form in re.findall(
            r"<form\b[^>]*method=\"post\".*?</form>", bare(template), re.DOTALL | re.IGNORECASE
        )
        if "csrf" not in form and template.parent.name != "reference"
    ]
    assert bare_forms == []


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda p: p.name)
def test_a_script_builds_no_markup_from_text_and_runs_none(script: Path) -> None:
    assert not re.search(
        r"\binnerHTML\b|outerHTML|insertAdjacentHTML|\beval\(|new Function|document\.write",
        script.read_text("utf-8"),
    )


def test_colours_come_only_from_the_tokens() -> None:
    after = (STATIC / "console.css").read_text("utf-8").split("/* ---------- 2 base", 1)[1]
    assert [c for c in re.findall(r"(?<![\w%&-])#[0-9a-f]{3,8}\b", after) if c != "#fff"] == []


def test_no_stylesheet_fetches_from_elsewhere() -> None:
    for sheet in (STATIC / "console.css", STATIC / "vendor" / "tabler.css"):
        assert re.findall(r"url\([\"']?(?:https?:)?//", sheet.read_text("utf-8")) == []


def test_the_layout_or_a_page_loads_every_script_that_we_have() -> None:
    templates = ROOT / "templates"
    layout = "".join(
        (templates / each).read_text("utf-8") for each in ("layout.html", "components/shell.html")
    )
    pages = "".join(page.read_text("utf-8") for page in templates.rglob("*.html"))
    assert [
        s.name for s in SCRIPTS if f"'{s.stem}'" not in layout and f"js/{s.name}'" not in pages
    ] == []


def test_the_marks_have_their_seventeen_code_points() -> None:
    tools = pytest.importorskip("fontTools.ttLib")
    font = tools.TTFont(STATIC / "report" / "fonts" / "report-marks.woff2")
    points = "25CB 25D4 25D1 25D5 25CF 25B2 25B3 25BC 25BD 25A0 25A1 25C6 25C7 2713 2715 2192 2013"
    assert set(font.getBestCmap()) == {int(code, 16) for code in points.split()}
    assert {width for width, _ in font["hmtx"].metrics.values()} == {1000}
    assert (font["hhea"].ascent, font["hhea"].descent) == (860, -200)


def test_the_display_cut_has_no_axis_and_a_name_of_its_own() -> None:
    tools = pytest.importorskip("fontTools.ttLib")
    font = tools.TTFont(STATIC / "report" / "fonts" / "source-serif-display.woff2")
    assert "fvar" not in font
    assert "Source" not in (font["name"].getDebugName(1) or "")


def test_cutting_a_stylesheet_keeps_tokens_and_elements_and_drops_foreign_classes() -> None:
    text = ":root{--a:1}a{color:red}.btn,.carousel{x:1}.modal{y:1}@media (x){.btn{z:1}.toast{z:2}}"
    text += '@keyframes k{to{a:b}}a[href="}"]{q:1}'
    assert (
        vendoring.cut_css(text)
        == ':root{--a:1}a{color:red}.btn{x:1}@media (x){.btn{z:1}}a[href="}"]{q:1}'
    )
