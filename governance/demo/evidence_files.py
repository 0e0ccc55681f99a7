"""The files that Acme's people upload as evidence: PDF, picture, workbook or CSV.

Reports are PDF, charts are pictures, lists are workbooks, and anything else is CSV.

    evidence_file(title, period) -> (ending, bytes)
"""

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta

from PIL import Image, ImageDraw

from governance.kernel.files.spreadsheet_writer import xlsx_bytes

type Period = tuple[date, date]
STEP = timedelta(days=7)
HEAD = ("day", "item", "result")
LINES_OF_A_PAGE = 40
PICTURE = (960, 540)  # pixels
INK, SOFT, ACCENT = (24, 36, 51), (203, 213, 225), (32, 107, 196)


def evidence_file(title: str, period: Period) -> tuple[str, bytes]:
    """Return the extension of the file's name, and its content."""
    words = set(title.casefold().split())
    for ending, named, make in _KINDS:
        if words & named:
            return ending, make(title, period)
    return "csv", _table(title, period)


def _rows(title: str, period: Period) -> Iterator[tuple[date, str, str]]:
    """Yield one passed check for each week of the period."""
    day = period[0]
    while day <= period[1]:
        yield day, title, "held"
        day += STEP


def _table(title: str, period: Period) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(HEAD)
    writer.writerows((day.isoformat(), *rest) for day, *rest in _rows(title, period))
    return out.getvalue().encode()


def _workbook(title: str, period: Period) -> bytes:
    return xlsx_bytes(title[:31], [word.capitalize() for word in HEAD], _rows(title, period))


def _report(title: str, period: Period) -> bytes:
    first, last = period
    lines = [title, "", f"Acme Insurance, {first} to {last}", ""]
    lines += [f"{day}   {result}" for day, _, result in _rows(title, period)]
    return _pdf([lines[n : n + LINES_OF_A_PAGE] for n in range(0, len(lines), LINES_OF_A_PAGE)])


def _pdf(pages: Sequence[Sequence[str]]) -> bytes:
    """Return a plain PDF: lines of text from the top, in a font that every reader has."""
    numbers = [4 + 2 * n for n in range(len(pages))]
    kids = " ".join(f"{number} 0 R" for number in numbers)
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for number, lines in zip(numbers, pages, strict=True):
        text = "".join(f"({_escaped(line)}) Tj T* " for line in lines)
        stream = f"BT /F1 11 Tf 16 TL 72 770 Td {text}ET"
        used = f"/Resources << /Font << /F1 3 0 R >> >> /Contents {number + 1} 0 R"
        objects += [
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] {used} >>",
            f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream",
        ]
    out, places = bytearray(b"%PDF-1.4\n"), list[int]()
    for number, each in enumerate(objects, 1):
        places.append(len(out))
        out += f"{number} 0 obj\n{each}\nendobj\n".encode("ascii", "replace")
    start, count = len(out), len(objects) + 1
    out += f"xref\n0 {count}\n0000000000 65535 f \n".encode()
    out += b"".join(f"{place:010} 00000 n \n".encode() for place in places)
    out += f"trailer << /Size {count} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n".encode()
    return bytes(out)


def _escaped(line: str) -> str:
    return line.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")


def _picture(title: str, period: Period) -> bytes:
    """Return a chart of the weeks, like a screenshot of a dashboard."""
    width, height = PICTURE
    image = Image.new("RGB", PICTURE, "white")
    drawn, weeks = ImageDraw.Draw(image), list(_rows(title, period))
    drawn.text((40, 24), f"{title}, {period[0]} to {period[1]}", fill=INK, font_size=22)
    for n in range(5):
        y = 90 + n * 90
        drawn.line((40, y, width - 40, y), fill=SOFT)
    wide = (width - 80) / len(weeks)
    for n, (day, _, _) in enumerate(weeks):
        top = 110 + day.toordinal() * 37 % 180
        drawn.rectangle((44 + n * wide, top, 36 + (n + 1) * wide, height - 90), fill=ACCENT)
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


_KINDS: tuple[tuple[str, frozenset[str], Callable[[str, Period], bytes]], ...] = (
    ("pdf", frozenset({"report", "policy", "minutes", "approval"}), _report),
    ("png", frozenset({"chart", "picture", "page"}), _picture),
    ("xlsx", frozenset({"list", "register", "inventory", "comparison"}), _workbook),
)
