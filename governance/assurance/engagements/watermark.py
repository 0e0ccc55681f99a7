"""A copy of a PDF with a name on every page: who took it, in which engagement, when, and the digest
of the original.

    stamped(source, target, mark) -> bool      False when the file cannot be stamped: damaged,
                                               locked by a password, too long,
                                               or unpacking to more than its child may take
                                               (overlay.py)

The marks are laid out by the same machinery as the reports (kernel/pdf.py), one sheet for each size
of page, and laid over the pages. The copy is for reading: the signature is over the original, whose
digest it carries.
"""

import hashlib
import html
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from governance.assurance.engagements.watermark_overlay import lay
from governance.kernel.pdf import render_in_child

MOST_BYTES = 256 * 1024 * 1024
STEP = 150  # points between two diagonal lines
FONTS = """
@font-face { font-family: Stamp; src: url(app:/static/vendor/inter.woff2) format("woff2"); font-weight: 100 900 }
html, body { margin: 0; font-family: Stamp, sans-serif }
section { position: relative; break-after: page; overflow: hidden }
p { margin: 0; position: absolute; white-space: nowrap }
.far { color: #b3bac1; font-size: 13pt; opacity: 0.5; transform-origin: 0 0; transform: rotate(-32deg) }
.edge { color: #b3350f; font-size: 7pt; transform-origin: 0 0; transform: rotate(-90deg) }
"""


@dataclass(frozen=True, slots=True)
class Mark:
    """What stands on the pages."""

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


def stamped(source: Path, target: Path, mark: Mark) -> bool:
    """Write a stamped copy of `source` to `target`; False, and nothing written, when that cannot be
    done.
    """
    if source.stat().st_size > MOST_BYTES:
        return False
    return lay(source, target, lambda sizes: _sheets(sizes, mark))


def _sheets(sizes: Sequence[tuple[int, int]], mark: Mark) -> bytes:
    return render_in_child(
        document(sizes, mark),
        at=mark.at,
        identifier=hashlib.sha256(f"{mark.edge}{mark.original}".encode()).digest()[:16],
    )


def document(sizes: Sequence[tuple[int, int]], mark: Mark) -> str:
    """One empty sheet for each size, with the marks on it."""
    rules = "".join(
        f"@page p{n} {{ size: {w}pt {h}pt; margin: 0 }} .p{n} {{ page: p{n}; width: {w}pt; height:"
        f" {h}pt }}"
        for n, (w, h) in enumerate(sizes)
    )
    sheets = "".join(
        f'<section class="p{n}">{_marks(width, height, mark)}</section>'
        for n, (width, height) in enumerate(sizes)
    )
    head = f"<title>{html.escape(mark.across)}</title><style>{FONTS}{rules}</style>"
    return (
        '<!doctype html><html lang="en"><head><meta'
        f' charset="utf-8">{head}</head><body>{sheets}</body></html>'
    )


def _marks(width: int, height: int, mark: Mark) -> str:
    across, edge = html.escape(f"{mark.across}   ·   " * 6), html.escape(mark.edge)
    far = "".join(
        f'<p class="far" style="left: {-width // 2}pt; top: {top}pt">{across}</p>'
        for top in range(STEP, 2 * height, STEP)
    )
    foot = max(height - 30, height * 9 // 10)
    whose = f'<p class="edge" style="left: 10pt; top: {foot}pt">{edge}</p>'
    return (
        f'{far}{whose}<p class="edge" style="left: 19pt; top: {foot}pt">SHA-256 of the original'
        f" {mark.original}</p>"
    )
