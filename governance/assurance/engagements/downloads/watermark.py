"""Watermarked copies of PDFs: each page shows who downloaded it, when, and the original's digest.

    write_watermarked(source, target, mark) -> bool

It returns False for a file that is damaged, password-protected, or beyond the limits of
watermark_overlay.py. The marks are rendered like reports (kernel/pictures/pdf.py), one sheet for
each page size. A signature of the original doesn't cover the copy, so copies of signed files are
signed separately (ports.py).
"""

import hashlib
import html
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from governance.assurance.engagements.downloads.watermark_overlay import overlay_watermark
from governance.kernel.pictures.pdf import render_in_child

MAX_PDF_BYTES = 256 * 1024 * 1024
LINE_DISTANCE = 150  # Points between two diagonal lines.
STYLES = """
@font-face { font-family: Stamp; src: url(app:/static/vendor/inter.woff2) format("woff2"); font-weight: 100 900 }
html, body { margin: 0; font-family: Stamp, sans-serif }
section { position: relative; break-after: page; overflow: hidden }
p { margin: 0; position: absolute; white-space: nowrap }
.far { color: #b3bac1; font-size: 13pt; opacity: 0.5; transform-origin: 0 0; transform: rotate(-32deg) }
.edge { color: #b3350f; font-size: 7pt; transform-origin: 0 0; transform: rotate(-90deg) }
"""


@dataclass(frozen=True, slots=True)
class Watermark:
    """The text of a watermark: who downloaded the file, when, and the original's SHA-256."""

    firm: str
    name: str
    engagement: str
    at: datetime
    original: str

    @property
    def across(self) -> str:
        return f"{self.firm}, {self.engagement}"

    @property
    def edge(self) -> str:
        at = self.at.astimezone(UTC)
        moment = f"{at.day} {at:%B %Y, %H:%M} UTC"
        return f"{self.firm} · {self.name} · engagement {self.engagement} · downloaded {moment}"


def write_watermarked(source: Path, target: Path, mark: Watermark) -> bool:
    """Write a watermarked copy to `target`. Return False, and leave no file, if that fails."""
    if source.stat().st_size > MAX_PDF_BYTES:
        return False
    return overlay_watermark(source, target, lambda sizes: _render_sheets(sizes, mark))


def _render_sheets(sizes: Sequence[tuple[int, int]], mark: Watermark) -> bytes:
    return render_in_child(
        document(sizes, mark),
        at=mark.at,
        identifier=hashlib.sha256(f"{mark.edge}{mark.original}".encode()).digest()[:16],
        tagged=False,
    )


def document(sizes: Sequence[tuple[int, int]], mark: Watermark) -> str:
    """Return HTML with one sheet for each page size, in points, with the marks on it."""
    rules = "".join(
        f"@page p{n} {{ size: {w}pt {h}pt; margin: 0 }} .p{n} {{ page: p{n}; width: {w}pt; height:"
        f" {h}pt }}"
        for n, (w, h) in enumerate(sizes)
    )
    sheets = "".join(
        f'<section class="p{n}">{_page_marks(width, height, mark)}</section>'
        for n, (width, height) in enumerate(sizes)
    )
    head = f"<title>{html.escape(mark.across)}</title><style>{STYLES}{rules}</style>"
    return (
        '<!doctype html><html lang="en"><head><meta'
        f' charset="utf-8">{head}</head><body>{sheets}</body></html>'
    )


def _page_marks(width: int, height: int, mark: Watermark) -> str:
    across, edge = html.escape(f"{mark.across}   ·   " * 6), html.escape(mark.edge)
    far = "".join(
        f'<p class="far" style="left: {-width // 2}pt; top: {top}pt">{across}</p>'
        for top in range(LINE_DISTANCE, 2 * height, LINE_DISTANCE)
    )
    foot = max(height - 30, height * 9 // 10)
    whose = f'<p class="edge" style="left: 10pt; top: {foot}pt">{edge}</p>'
    return (
        f'{far}{whose}<p class="edge" style="left: 19pt; top: {foot}pt">SHA-256 of the original'
        f" {mark.original}</p>"
    )
