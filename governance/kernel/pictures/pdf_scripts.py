"""Names in any script, in a PDF: fonts of scripts that its own fonts don't have.

prepared(html)      the page with the fonts that its characters need; a character that no font has
                    is written as its number: [U+1F642]
unpacked(path)      such a font in the form that WeasyPrint can use

A page without such characters doesn't change, and no font is opened. Each character comes from one
font, for any language of the machine.
"""

import re
import unicodedata
from collections.abc import Iterable
from functools import cache
from io import BytesIO
from pathlib import Path

FONTS = Path(__file__).resolve().parents[2] / "static" / "report" / "fonts"
FALLBACK = FONTS / "fallback" / "report-fallback.ttf"
SCRIPTS = FONTS / "scripts"
# The first three have Han, and draw some of its characters differently. The others have one script.
HAN = ("jp-japanese", "sc-chinese-simplified", "tc-chinese-traditional")
OTHERS = ("kr-korean", "thai-thai", "devanagari-devanagari")
# Ranges that the fallback font has without a gap, so that most pages open no font.
OTHER_THAN_COMMON = re.compile(
    "[^\x00-\u024f\u0370-\u04ff\u1f00-\u206f\u20ac\u2190-\u22ff\u2500-\u25ff]"
)
WITHOUT_GLYPH = {"Cc", "Cf", "Zs", "Zl", "Zp"}  # Categories of Unicode.
VARIATION_SELECTORS = {*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)}


def prepared(html: str) -> str:
    """Return the page with the fonts that its characters need, and numbers for what none has."""
    left = {
        each
        for each in OTHER_THAN_COMMON.findall(html)
        if unicodedata.category(each) not in WITHOUT_GLYPH and ord(each) not in VARIATION_SELECTORS
    }
    if not left or not (left := left - _characters(FALLBACK)):
        return html
    faces = []
    for name in _in_order(left):
        mine = left & _characters(_path(name))
        if mine:
            left -= mine
            faces.append(_face(name, mine))
    if left:
        html = html.translate({ord(each): f"[U+{ord(each):04X}]" for each in left})
    return html.replace("</head>", f"<style>{''.join(faces)}</style></head>", 1)


def unpacked(path: Path) -> bytes:
    """Return a font without its compression. WeasyPrint would date it to the current second."""
    from fontTools.ttLib import TTFont  # noqa: PLC0415 - child only

    output = BytesIO()
    with TTFont(path, lazy=True, recalcTimestamp=False) as font:
        font.flavor = None
        font.save(output, reorderTables=None)
    return output.getvalue()


def _in_order(needed: set[str]) -> Iterable[str]:
    """Return the fonts in order, that for Han with most of the needed characters first.

    So few fonts are used.
    """
    han = {
        each for each in needed if unicodedata.name(each, "").startswith(("CJK", "HIRA", "KATA"))
    }
    by_use = sorted(HAN, key=lambda name: -len(han & _characters(_path(name)))) if han else ()
    return (*by_use, *OTHERS)


def _path(name: str) -> Path:
    return SCRIPTS / f"noto-sans-{name}-400-normal.woff"


@cache
def _characters(path: Path) -> frozenset[str]:
    from fontTools.ttLib import TTFont  # noqa: PLC0415 - child only

    with TTFont(path, lazy=True) as font:
        return frozenset(map(chr, font.getBestCmap()))


def _face(name: str, characters: Iterable[str]) -> str:
    ranges = ",".join(f"U+{ord(each):X}" for each in sorted(characters))
    return (
        f'@font-face{{font-family:"Report {name.partition("-")[0].upper()}";'
        f"src:url(app:/static/report/fonts/scripts/{_path(name).name});unicode-range:{ranges}}}"
    )
