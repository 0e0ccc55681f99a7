"""Third-party files that we ship: fetched, checked, cut and locked.

A maintainer's command that needs npm.

    python -m tools.vendoring verify     compare the shipped files with the lock
    python -m tools.vendoring fetch      npm pack, check, cut, write the files and the lock

The lock (governance/static/vendor.lock.json) has one entry per file: package, version,
integrity (npm's sha512 of the tarball), member (path in it), file (ours), sha384 (of ours),
license, made (how it was cut, or null). These files are cut: `icons.svg` (the icons in ICONS, and
our own SHAPES), `tabler.css` (the rules in KEPT), `source-serif-display.woff2` (one instance),
`report-fallback.ttf` (without hints), and `report-marks.woff2` (drawn here, seventeen glyphs).
"""

import argparse
import base64
import hashlib
import importlib
import io
import json
import math
import re
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
STATIC = ROOT / "governance" / "static"
LOCK = STATIC / "vendor.lock.json"

# Outline icons of @tabler/icons that templates may use. A test fails for any other.
ICONS = [
    "activity",
    "adjustments-horizontal",
    "alert-circle",
    "alert-triangle",
    "archive",
    "arrow-back-up",
    "arrow-down",
    "arrow-left",
    "arrow-right",
    "arrow-up",
    "arrows-exchange",
    "ban",
    "bell",
    "bolt",
    "bookmark",
    "building",
    "calendar",
    "calendar-due",
    "calendar-event",
    "calendar-time",
    "cash",
    "chart-dots",
    "check",
    "checklist",
    "chevron-down",
    "chevron-left",
    "chevron-right",
    "chevron-up",
    "circle-check",
    "clipboard",
    "clipboard-check",
    "clipboard-data",
    "clipboard-list",
    "clock",
    "clock-cog",
    "coins",
    "columns-3",
    "copy",
    "cpu",
    "database",
    "device-floppy",
    "device-laptop",
    "dots",
    "download",
    "edit",
    "external-link",
    "eye",
    "eye-off",
    "eye-search",
    "file-certificate",
    "file-check",
    "file-export",
    "file-import",
    "file-invoice",
    "file-pencil",
    "file-plus",
    "file-spreadsheet",
    "file-text",
    "file-zip",
    "files",
    "filter",
    "fingerprint",
    "flask",
    "git-branch",
    "git-compare",
    "hash",
    "help",
    "history",
    "home",
    "id-badge-2",
    "inbox",
    "info-circle",
    "key",
    "keyboard",
    "layout-dashboard",
    "lifebuoy",
    "link",
    "list",
    "list-details",
    "lock",
    "login-2",
    "logout",
    "mail",
    "map-2",
    "menu-2",
    "message",
    "message-plus",
    "message-reply",
    "moon",
    "package",
    "paperclip",
    "pencil",
    "photo",
    "pin",
    "player-play",
    "plug",
    "plus",
    "progress-check",
    "receipt",
    "refresh",
    "repeat",
    "report-analytics",
    "rosette-discount-check",
    "rotate-dot",
    "scale",
    "search",
    "selector",
    "send",
    "settings",
    "shield",
    "shield-check",
    "shield-half",
    "shield-lock",
    "shield-x",
    "signature",
    "sort-ascending",
    "star",
    "sun",
    "table",
    "tag",
    "target",
    "trash",
    "unlink",
    "upload",
    "user",
    "user-check",
    "user-off",
    "user-plus",
    "user-shield",
    "user-x",
    "users",
    "webhook",
    "world",
    "x",
]

# Tabler's class families that pages use. Every rule for plain elements and every token is kept.
KEPT = re.compile(r"^(btn|visually-hidden)(-|$)")

DISC = "M8 1.2a6.8 6.8 0 1 1 0 13.6A6.8 6.8 0 0 1 8 1.2z"
RING = '<circle cx="8" cy="8" r="6.1" fill="none" stroke="currentColor" stroke-width="1.5"/>'
# Our own shapes, in the current color, so that they follow any state, print and forced colors.
SHAPES = {
    "s-ok": (
        f'<path fill="currentColor" fill-rule="evenodd" d="{DISC}M6.9 11.5l4.9-5-1.2-1.2-3.7'
        ' 3.8-1.6-1.6-1.2 1.2z"/>'
    ),
    "s-due": f'{RING}<path fill="currentColor" d="M8 8V3.6A4.4 4.4 0 0 1 12.4 8z"/>',
    "s-bad": (
        '<path fill="currentColor" fill-rule="evenodd" d="M8 1.3a1.2 1.2 0 0 1 1.05.6l6 10.7A1.2'
        " 1.2 0 0 1 14 14.4H2a1.2 1.2 0 0 1-1.05-1.8l6-10.7A1.2 1.2 0 0 1 8 1.3zM7.2"
        ' 5.6v4.2h1.6V5.6zM7.2 11v1.6h1.6V11z"/>'
    ),
    "s-open": RING,
    "s-dot": '<circle cx="8" cy="8" r="4" fill="currentColor"/>',
    "s-stop": '<rect x="2" y="2" width="12" height="12" rx="1.4" fill="currentColor"/>',
    "s-up": '<path fill="currentColor" d="M8 2.2 14.6 13H1.4z"/>',
    "s-down": '<path fill="currentColor" d="M8 13.8 1.4 3h13.2z"/>',
    "s-cross": (
        '<path fill="none" stroke="currentColor" stroke-width="1.8" d="M3.6 3.6l8.8 8.8M12.4'
        ' 3.6l-8.8 8.8"/>'
    ),
    "h0": (
        '<circle cx="8" cy="8" r="6.6" fill="none" stroke="currentColor" stroke-width="1.6"'
        ' stroke-dasharray="2 1.456"/>'
    ),
    "h1": f'{RING}<path fill="currentColor" d="M8 8V3.4A4.6 4.6 0 0 1 12.6 8z"/>',
    "h2": f'{RING}<path fill="currentColor" d="M8 3.4a4.6 4.6 0 0 1 0 9.2z"/>',
    "h3": f'{RING}<path fill="currentColor" d="M8 3.4A4.6 4.6 0 1 1 3.4 8H8z"/>',
    "h4": f'<path fill="currentColor" d="{DISC}"/>',
    "brand": (
        '<circle cx="8" cy="8" r="6.6" fill="none" stroke="currentColor" stroke-width="1.6"/>'
        '<path fill="currentColor" fill-rule="evenodd" '
        'd="M8 1.4a6.6 6.6 0 0 1 0 13.2c2-1.6 3-3.9 3-6.6s-1-5-3-6.6z"/>'
        '<path fill="none" stroke="currentColor" stroke-width="1.3" '
        'd="M8 1.8c-2 1.5-3 3.6-3 6.2s1 4.7 3 6.2"/>'
    ),
}


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of the lock.

    `file` is relative to the repository; `made` names the cut (None: a copy).
    """

    package: str
    version: str
    integrity: str
    member: str
    file: str
    sha384: str
    licence: str
    made: str | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file to ship: its package, its member, its target, and how it is cut."""

    package: str
    member: str
    file: str
    made: str | None = None


# Package → (version, license). For a new version, edit this and run `fetch`.
PACKAGES = {
    "@tabler/core": ("1.6.1", "MIT"),
    "@tabler/icons": ("3.52.0", "MIT"),
    "htmx.org": ("4.0.1", "0BSD"),
    "@fontsource-variable/inter": ("5.3.0", "OFL-1.1"),
    "@fontsource/inter": ("5.3.0", "OFL-1.1"),
    "@fontsource/source-serif-4": ("5.3.1", "OFL-1.1"),
    "@fontsource-variable/source-serif-4": ("5.3.1", "OFL-1.1"),
    "@fontsource/source-code-pro": ("5.3.1", "OFL-1.1"),
    **{
        f"@fontsource/noto-sans-{script}": ("5.3.0", "OFL-1.1")
        for script in ("jp", "sc", "tc", "kr", "thai", "devanagari")
    },
    "dejavu-fonts-ttf": ("2.37.3", "Bitstream-Vera"),
    "axe-core": ("4.14.1", "MPL-2.0"),
}
_VENDOR, _FONTS = "governance/static/vendor", "governance/static/report/fonts"
WANTED = (
    Wanted("@tabler/core", "dist/css/tabler.min.css", f"{_VENDOR}/tabler.css", "rules"),
    Wanted("@tabler/icons", "icons/outline", "governance/static/icons.svg", "sprite"),
    Wanted("@tabler/icons", "LICENSE", f"{_VENDOR}/tabler.LICENCE.txt"),
    Wanted("htmx.org", "dist/htmx.min.js", f"{_VENDOR}/htmx.min.js", "unmapped"),
    Wanted("htmx.org", "dist/ext/hx-sse.min.js", f"{_VENDOR}/hx-sse.min.js", "unmapped"),
    Wanted("htmx.org", "LICENSE", f"{_VENDOR}/htmx.LICENCE.txt"),
    Wanted(
        "@fontsource-variable/inter",
        "files/inter-latin-wght-normal.woff2",
        f"{_VENDOR}/inter.woff2",
    ),
    Wanted("@fontsource-variable/inter", "LICENSE", f"{_VENDOR}/inter.LICENCE.txt"),
    *(
        Wanted(
            f"@fontsource/{family}",
            f"files/{family}-latin-{cut}.woff2",
            f"{_FONTS}/{family}-latin-{cut}.woff2",
        )
        for family, cuts in (
            ("source-serif-4", ("400-normal", "400-italic", "600-normal")),
            ("inter", ("400-normal", "500-normal", "600-normal")),
            ("source-code-pro", ("400-normal",)),
        )
        for cut in cuts
    ),
    Wanted(
        "@fontsource-variable/source-serif-4",
        "files/source-serif-4-latin-standard-normal.woff2",
        f"{_FONTS}/source-serif-display.woff2",
        "display",
    ),
    Wanted("@fontsource/source-serif-4", "LICENSE", f"{_FONTS}/source-serif-4.LICENCE.txt"),
    Wanted("@fontsource/inter", "LICENSE", f"{_FONTS}/inter.LICENCE.txt"),
    Wanted("@fontsource/source-code-pro", "LICENSE", f"{_FONTS}/source-code-pro.LICENCE.txt"),
    Wanted(
        "dejavu-fonts-ttf",
        "ttf/DejaVuSans.ttf",
        f"{_FONTS}/fallback/report-fallback.ttf",
        "fallback",
    ),
    Wanted("dejavu-fonts-ttf", "LICENSE", f"{_FONTS}/fallback/dejavu.LICENCE.txt"),
    *(
        Wanted(
            f"@fontsource/noto-sans-{script}",
            f"files/noto-sans-{script}-{subset}-400-normal.woff",
            f"{_FONTS}/scripts/noto-sans-{script}-{subset}-400-normal.woff",
        )
        for script, subset in (
            ("jp", "japanese"),
            ("sc", "chinese-simplified"),
            ("tc", "chinese-traditional"),
            ("kr", "korean"),
            ("thai", "thai"),
            ("devanagari", "devanagari"),
        )
    ),
    *(
        Wanted(
            f"@fontsource/noto-sans-{script}",
            "LICENSE",
            f"{_FONTS}/scripts/noto-sans-{script}.LICENCE.txt",
        )
        for script in ("jp", "sc", "tc", "kr", "thai", "devanagari")
    ),
    Wanted("axe-core", "axe.min.js", "tests/vendor/axe.min.js"),
    Wanted("axe-core", "LICENSE", "tests/vendor/axe.LICENCE.txt"),
)
MARKS = f"{_FONTS}/report-marks.woff2"


def read_lock(path: Path = LOCK) -> list[Entry]:
    """Return the entries of the lock, in file order."""
    return [Entry(**row) for row in json.loads(path.read_text("utf-8"))]


def verify(entries: Sequence[Entry], root: Path = ROOT) -> list[str]:
    """Return a sentence for each file that is missing or differs from the lock."""
    return [problem for entry in entries if (problem := _problem(entry, root))]


def _problem(entry: Entry, root: Path) -> str | None:
    path = root / entry.file
    if not path.is_file():
        return f"{entry.file} is missing"
    if _sha(path.read_bytes(), "sha384") != entry.sha384:
        return f"{entry.file} is not the file in the lock"
    return None


def fetch(root: Path = ROOT) -> list[Entry]:
    """Pack every package, check it against npm's integrity and the old lock, and write all files."""
    known = {(e.package, e.version): e.integrity for e in read_lock()} if LOCK.exists() else {}
    with tempfile.TemporaryDirectory() as folder:
        packed = {
            name: _pack(name, version, Path(folder)) for name, (version, _) in PACKAGES.items()
        }
        for name, (_, integrity) in packed.items():
            _same(name, known.get((name, PACKAGES[name][0])), integrity)
        entries = [_take(wanted, *packed[wanted.package], root) for wanted in WANTED]
    entries.append(
        _write(root, MARKS, marks(), ("our own", "1", "", "", "as this repository", "marks"))
    )
    LOCK.write_text(json.dumps([asdict(entry) for entry in entries], indent=1) + "\n", "utf-8")
    return entries


def _pack(name: str, version: str, folder: Path) -> tuple[Path, str]:
    command = ["npm", "pack", "--json", "--pack-destination", str(folder), f"{name}@{version}"]
    # Fixed names, no shell.
    said = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
    # Some versions of npm answer a list of one, others an object by package name.
    answer = json.loads(said.stdout)
    facts = answer[0] if isinstance(answer, list) else next(iter(answer.values()))
    path = folder / facts["filename"]
    _same(name, facts["integrity"], _sha(path.read_bytes(), "sha512"))
    return path, facts["integrity"]


def _same(name: str, expected: str | None, found: str) -> None:
    if expected not in (None, found):
        message = f"{name}: the tarball is not the one expected ({expected}, found {found})"
        raise ValueError(message)


def _take(wanted: Wanted, tarball: Path, integrity: str, root: Path) -> Entry:
    version, licence = PACKAGES[wanted.package]
    with tarfile.open(tarball) as archive:
        data = _CUTS[wanted.made](archive, f"package/{wanted.member}")
    return _write(
        root,
        wanted.file,
        data,
        (wanted.package, version, integrity, wanted.member, licence, wanted.made),
    )


def _write(
    root: Path, file: str, data: bytes, facts: tuple[str, str, str, str, str, str | None]
) -> Entry:
    path = root / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    package, version, integrity, member, licence, made = facts
    return Entry(package, version, integrity, member, file, _sha(data, "sha384"), licence, made)


def _sha(data: bytes, algorithm: str) -> str:
    return f"{algorithm}-{base64.b64encode(hashlib.new(algorithm, data).digest()).decode()}"


# ---------- the cuts ----------


def _copied(archive: tarfile.TarFile, member: str) -> bytes:
    stream = archive.extractfile(member)
    if stream is None:
        message = f"{member} is not a file in the tarball"
        raise ValueError(message)
    return stream.read()


def _unmapped(archive: tarfile.TarFile, member: str) -> bytes:
    """Return a script without its source map comment: we don't ship the map, and a 404 is noise."""
    return re.sub(rb"\n?//# sourceMappingURL=\S+\s*$", b"\n", _copied(archive, member))


def _sprite(archive: tarfile.TarFile, folder: str) -> bytes:
    icons = [_symbol(name, _copied(archive, f"{folder}/{name}.svg").decode()) for name in ICONS]
    shapes = [
        f'<symbol id="{name}" viewBox="0 0 16 16">{drawing}</symbol>'
        for name, drawing in SHAPES.items()
    ]
    licence = (
        "<!-- icons: Tabler Icons, MIT, see vendor/tabler.LICENCE.txt; shapes s-*, h0 to h4, brand:"
        " ours -->"
    )
    body = "\n".join([licence, *shapes, *icons])
    return f'<svg xmlns="http://www.w3.org/2000/svg">\n{body}\n</svg>\n'.encode()


def _symbol(name: str, svg: str) -> str:
    inner = re.sub(r"<!--.*?-->", "", svg, flags=re.DOTALL).split(">", 1)[1].rsplit("</svg>", 1)[0]
    drawing = "".join(line.strip() for line in inner.splitlines()).replace(" />", "/>")
    round_ = 'stroke-linecap="round" stroke-linejoin="round"'
    return f'<symbol id="i-{name}" viewBox="0 0 24 24" {round_}>{drawing}</symbol>'


def _rules(archive: tarfile.TarFile, member: str) -> bytes:
    text = _copied(archive, member).decode()
    banner = (
        "/*! cut from Tabler 1.6.1, MIT, see tabler.LICENCE.txt; the cut is in tools/vendoring.py"
        " */\n"
    )
    return (banner + cut_css(text) + "\n").encode()


def cut_css(text: str) -> str:
    """Return minified CSS without the rules that only name classes outside KEPT.

    Tokens and rules for elements stay.
    """
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    text = re.sub(r"@charset[^;]*;", "", text)
    return "".join(_kept(prelude, body) for prelude, body in _blocks(text))


def _kept(prelude: str, body: str) -> str:
    if prelude.startswith(("@media", "@supports", "@container", "@layer")):
        inner = "".join(_kept(p, b) for p, b in _blocks(body))
        return f"{prelude}{{{inner}}}" if inner else ""
    if prelude.startswith("@keyframes"):
        return ""
    if prelude.startswith("@"):
        return f"{prelude}{{{body}}}"
    selectors = [
        one
        for one in _split(prelude)
        if all(KEPT.match(c) for c in re.findall(r"\.([A-Za-z][\w-]*)", one))
    ]
    return f"{','.join(selectors)}{{{body}}}" if selectors else ""


def _split(prelude: str) -> list[str]:
    """Return the selectors of a list; commas inside brackets don't separate."""
    return re.findall(r"(?:[^,(\[]|\([^)]*(?:\([^)]*\)[^)]*)*\)|\[[^\]]*\])+", prelude)


def _blocks(text: str) -> Iterator[tuple[str, str]]:
    """Yield the top-level `prelude { body }` pairs of a stylesheet without comments."""
    start = opened = depth = 0
    for match in re.finditer(r"\"[^\"]*\"|'[^']*'|[{}]", text):
        if match[0] == "{":
            opened = match.start() if depth == 0 else opened
            depth += 1
        elif match[0] == "}":
            depth -= 1
            if depth == 0:
                yield text[start:opened].strip(), text[opened + 1 : match.start()]
                start = match.end()


def _display(archive: tarfile.TarFile, member: str) -> bytes:
    """Return Source Serif at weight 560 and optical size 50, renamed as its license requires."""
    fonts, instancer = _font_tools("fontTools.ttLib"), _font_tools("fontTools.varLib.instancer")
    font = fonts.TTFont(io.BytesIO(_copied(archive, member)), recalcTimestamp=False)
    instancer.instantiateVariableFont(font, {"wght": 560, "opsz": 50}, inplace=True)
    for record in font["name"].names:
        if record.nameID in {1, 3, 4, 6, 16, 25}:
            record.string = "ReportDisplay" if record.nameID in {3, 6, 25} else "Report Display"
    return _woff2(font)


def _fallback(archive: tarfile.TarFile, member: str) -> bytes:
    """Return DejaVu Sans without hints, renamed; a fallback for glyphs that report fonts lack."""
    fonts, cutter = _font_tools("fontTools.ttLib"), _font_tools("fontTools.subset")
    font = fonts.TTFont(io.BytesIO(_copied(archive, member)), recalcTimestamp=False)
    options = cutter.Options(hinting=False, drop_tables=["FFTM", "MATH"], name_IDs=["*"])
    subsetter = cutter.Subsetter(options)
    subsetter.populate(unicodes=font.getBestCmap())
    subsetter.subset(font)
    for record in font["name"].names:
        if record.nameID in {1, 3, 4, 6, 16}:
            record.string = "ReportFallback" if record.nameID in {3, 6} else "Report Fallback"
    out = io.BytesIO()
    font.save(out)
    return out.getvalue()


_CUTS: dict[str | None, Callable[[tarfile.TarFile, str], bytes]] = {
    None: _copied,
    "unmapped": _unmapped,
    "sprite": _sprite,
    "rules": _rules,
    "display": _display,
    "fallback": _fallback,
}


# ---------- the marks ----------

_CENTRE, _RADIUS, _STROKE, _SIDES = (500, 360), 400, 62, 96
type Point = tuple[float, float]


def marks() -> bytes:
    """Return the font "Report Marks" as woff2: seventeen glyphs on their own code points.

    Needs fontTools.
    """
    build = _font_tools("fontTools.fontBuilder").FontBuilder(1000, isTTF=True)
    drawn = {".notdef": [], **{f"uni{code:04X}": shape for code, shape in _drawings().items()}}
    build.setupGlyphOrder(list(drawn))
    build.setupCharacterMap({code: f"uni{code:04X}" for code in _drawings()})
    build.setupGlyf({name: _glyph(contours) for name, contours in drawn.items()})
    build.setupHorizontalMetrics(
        {name: (1000, _left(contours)) for name, contours in drawn.items()}
    )
    build.setupHorizontalHeader(ascent=860, descent=-200)
    build.setupNameTable(
        {"familyName": "Report Marks", "styleName": "Regular", "psName": "ReportMarks-Regular"}
    )
    build.setupOS2(sTypoAscender=860, sTypoDescender=-200, usWinAscent=860, usWinDescent=200)
    build.setupPost()
    build.updateHead(created=0, modified=0)
    build.font.recalcTimestamp = False
    return _woff2(build.font)


def _drawings() -> dict[int, list[list[Point]]]:
    ring = [_arc(_RADIUS), _arc(_RADIUS - _STROKE)[::-1]]
    inner = _RADIUS - _STROKE - 58
    up, square = _polygon(3, 430, 90), _polygon(4, 480, 45)
    return {
        0x25CB: ring,
        0x25D4: [*ring, _wedge(inner, 90)],
        0x25D1: [*ring, _wedge(inner, 180)],
        0x25D5: [*ring, _wedge(inner, 270)],
        0x25CF: [_arc(_RADIUS)],
        0x25B2: [up],
        0x25B3: [up, _polygon(3, 430 - 2 * _STROKE, 90)[::-1]],
        0x25BC: [_polygon(3, 430, 270)],
        0x25BD: [_polygon(3, 430, 270), _polygon(3, 430 - 2 * _STROKE, 270)[::-1]],
        0x25A0: [square],
        0x25A1: [square, _polygon(4, 480 - 1.414 * _STROKE, 45)[::-1]],
        0x25C6: [_polygon(4, _RADIUS + 20, 90)],
        0x25C7: [
            _polygon(4, _RADIUS + 20, 90),
            _polygon(4, _RADIUS + 20 - 1.414 * _STROKE, 90)[::-1],
        ],
        0x2713: [_stroke([(170, 350), (400, 120), (830, 620)], 92)],
        0x2715: [_stroke([(210, 70), (790, 650)], 92), _stroke([(210, 650), (790, 70)], 92)],
        0x2192: [
            _stroke([(90, 360), (860, 360)], 78),
            _stroke([(600, 620), (870, 360), (600, 100)], 78),
        ],
        0x2013: [_stroke([(120, 330), (880, 330)], 78)],
    }


def _arc(radius: float, start: float = 90, sweep: float = 360) -> list[Point]:
    """Return points clockwise from `start` degrees. A full turn omits its last point."""
    sides = round(_SIDES * sweep / 360)
    steps = sides if sweep == 360 else sides + 1  # noqa: PLR2004 - a full turn
    x, y = _CENTRE
    turns = [math.radians(start - sweep * n / sides) for n in range(steps)]
    return [(x + radius * math.cos(t), y + radius * math.sin(t)) for t in turns]


def _wedge(radius: float, sweep: float) -> list[Point]:
    return [_CENTRE, *_arc(radius, 90, sweep)]


def _polygon(sides: int, radius: float, start: float) -> list[Point]:
    x, y = _CENTRE
    turns = [math.radians(start - 360 * n / sides) for n in range(sides)]
    return [(x + radius * math.cos(t), y + radius * math.sin(t)) for t in turns]


def _stroke(path: list[Point], width: float) -> list[Point]:
    """Return the outline of a polyline with butt ends and mitered corners.

    It is clockwise enough for non-zero filling.
    """
    left = [_offset(path, n, width / 2) for n in range(len(path))]
    right = [_offset(path, n, -width / 2) for n in range(len(path))]
    return [*left, *right[::-1]]


def _offset(path: list[Point], n: int, by: float) -> Point:
    before = _normal(path[max(n - 1, 0)], path[max(n, 1)])
    after = _normal(path[min(n, len(path) - 2)], path[min(n + 1, len(path) - 1)])
    x, y = before[0] + after[0], before[1] + after[1]
    scale = 2 * by / (x * x + y * y)
    return (path[n][0] + x * scale, path[n][1] + y * scale)


def _normal(a: Point, b: Point) -> Point:
    length = math.dist(a, b)
    return (-(b[1] - a[1]) / length, (b[0] - a[0]) / length)


def _glyph(contours: list[list[Point]]) -> Any:
    pen = _font_tools("fontTools.pens.ttGlyphPen").TTGlyphPen(None)
    for contour in contours:
        points = [(round(x), round(y)) for x, y in contour]
        pen.moveTo(points[0])
        for point in points[1:]:
            pen.lineTo(point)
        pen.closePath()
    return pen.glyph()


def _left(contours: list[list[Point]]) -> int:
    return min((round(x) for contour in contours for x, _ in contour), default=0)


def _woff2(font: Any) -> bytes:
    font.flavor = "woff2"
    out = io.BytesIO()
    font.save(out, reorderTables=False)
    return out.getvalue()


def _font_tools(module: str) -> Any:
    """Load fontTools by name: a development tool that the running product never imports."""
    return importlib.import_module(module)


def main(argv: Sequence[str] | None = None) -> int:
    """Run `verify` (the default) or `fetch`. Print the files that differ and return 1 if any do."""
    parser = argparse.ArgumentParser(
        prog="vendoring", description="Check or fetch the files of others that we ship."
    )
    parser.add_argument("act", nargs="?", choices=("verify", "fetch"), default="verify")
    entries = fetch() if parser.parse_args(argv).act == "fetch" else read_lock()
    problems = verify(entries)
    sys.stdout.write(
        "".join(f"{line}\n" for line in problems) or f"{len(entries)} files match the lock\n"
    )
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
