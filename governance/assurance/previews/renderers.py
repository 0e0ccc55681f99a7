"""Child process that reads an untrusted file and prints its preview, one line of JSON per part.

    python -m governance.kernel.files.sandbox … governance.assurance.previews.renderers PATH TYPE

The parts are {"page"}, {"image"}, {"text"} and {"table"}, then {"end"} with a note or the reason
why there is no preview. Pictures are encoded again from decoded pixels, so the file's own bytes
never reach a browser. rendering.py starts the process and checks its output.
"""

import base64
import contextlib
import csv
import io
import itertools
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pypdfium2
from PIL import Image, ImageOps

from governance.assurance.evidence.file_types import CSV, JPEG, JSON, PDF, PNG, TEXT, XLSX
from governance.assurance.previews.rendering import DAMAGED, MAX_PARTS
from governance.kernel.errors import Invalid
from governance.kernel.files.spreadsheet_reader import beginning
from governance.kernel.formatting import thousands

TEXT_BYTES = 64 * 1024  # Bytes of a text file, or characters of a page.
PAGE_WIDTH, PAGE_HEIGHT = 960, 1600  # Pixels.
MAX_PIXELS, IMAGE_SIDE = 50_000_000, 1600  # Of the original, and the preview's longer side.
MAX_ROWS, MAX_COLUMNS, MAX_CELL_LENGTH = 100, 20, 200
TABLE_BYTES = 512 * 1024
QUALITY = 78


class _Unseen(Exception):
    """The file can't be previewed. The message gives the reader the reason."""


def main(path: Path, media_type: str) -> None:
    """Print the parts of the preview, then a note or the reason why there is none."""
    end: dict[str, str] = {}
    try:
        for part in _RENDERERS[media_type](path):
            if "note" in part:
                end = part
            else:
                _say(part)
    except _Unseen as why:
        end = {"reason": str(why)}
    except Invalid as refused:
        end = {"reason": f"{refused.message.partition('. ')[0].rstrip('.')}."}
    except (OSError, ValueError, SyntaxError, pypdfium2.PdfiumError):
        end = {"reason": DAMAGED}
    _say({"end": end})


def _say(part: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps(part) + "\n")
    sys.stdout.flush()


def _pdf(path: Path) -> Iterator[dict[str, Any]]:
    try:
        document = pypdfium2.PdfDocument(path)
    except pypdfium2.PdfiumError as error:
        if "password" in str(error).casefold():
            raise _Unseen("The PDF is locked with a password, so it can't be previewed.") from error
        raise
    count = len(document)
    if not count:
        raise _Unseen("The PDF has no pages.")
    with contextlib.suppress(pypdfium2.PdfiumError):
        document.init_forms()
    for number in range(min(count, MAX_PARTS)):
        page = document[number]
        width, height = page.get_size()
        scale = min(PAGE_WIDTH / max(width, 1), PAGE_HEIGHT / max(height, 1))
        picture = page.render(scale=scale).to_pil()
        text = page.get_textpage().get_text_bounded()
        yield {"page": _picture(picture) | {"text": text[:TEXT_BYTES]}}
        page.close()
    if count > MAX_PARTS:
        yield {"note": f"The first {MAX_PARTS} of {thousands(count)} pages."}


def _image(path: Path) -> Iterator[dict[str, Any]]:
    Image.MAX_IMAGE_PIXELS = None  # Checked below instead, before pixels are decoded.
    with Image.open(path, formats=("PNG", "JPEG")) as image:
        width, height = image.size
        if width * height > MAX_PIXELS:
            raise _Unseen(
                f"The image has {thousands(width)} by {thousands(height)} pixels. A preview takes"
                f" up to {MAX_PIXELS // 1_000_000} million."
            )
        image.draft("RGB", (IMAGE_SIDE, IMAGE_SIDE))
        image.thumbnail((IMAGE_SIDE, IMAGE_SIDE))
        yield {"image": _picture(ImageOps.exif_transpose(image))}
        if max(width, height) > IMAGE_SIDE:
            yield {"note": f"Reduced from {thousands(width)} by {thousands(height)} pixels."}


def _picture(picture: Image.Image) -> dict[str, Any]:
    """Encode the pixels of a picture as WebP on white, without its metadata."""
    picture = picture.convert("RGBA")
    paper = Image.new("RGB", picture.size, "white")
    paper.paste(picture, mask=picture.getchannel("A"))
    out = io.BytesIO()
    paper.save(out, "WEBP", quality=QUALITY, method=4)
    return {
        "webp": base64.b64encode(out.getvalue()).decode(),
        "width": paper.width,
        "height": paper.height,
    }


def _beginning(path: Path, limit: int) -> tuple[str, bool]:
    """Return the first `limit` bytes of a text file, decoded, and whether the file has more."""
    with path.open("rb") as file:
        content = file.read(limit + 1)
    return content[:limit].decode("utf-8-sig", "replace"), len(content) > limit


def _text(path: Path) -> Iterator[dict[str, Any]]:
    text, more = _beginning(path, TEXT_BYTES)
    yield {"text": text}
    if more:
        yield {"note": f"The first {TEXT_BYTES // 1024} KB of the file."}


def _csv(path: Path) -> Iterator[dict[str, Any]]:
    text, more = _beginning(path, TABLE_BYTES)
    head = text.partition("\n")[0]
    delimiter = max(",;\t", key=head.count)
    csv.field_size_limit(TABLE_BYTES)
    try:
        read = csv.reader(io.StringIO(text), delimiter=delimiter)
        rows = list(itertools.islice(read, MAX_ROWS + 1))
    except csv.Error as error:
        raise _Unseen("The table can't be read: a cell is too long or has no end.") from error
    yield from _table(rows, more=more)


def _xlsx(path: Path) -> Iterator[dict[str, Any]]:
    sheet = beginning(path.read_bytes(), "The workbook", rows=MAX_ROWS + 1, columns=MAX_COLUMNS)
    if not sheet.rows:
        raise _Unseen("The workbook's sheets are empty.")
    yield from _table([cells for _, cells in sheet.rows], more=False, cut=sheet.is_cut)


def _table(rows: list[list[str]], *, more: bool, cut: bool = False) -> Iterator[dict[str, Any]]:
    """Yield the table and a note. `more`: the file has more rows. `cut`: it has more columns."""
    if not rows:
        raise _Unseen("The table has no rows.")
    columns = max(map(len, rows[:MAX_ROWS]))
    width = min(columns, MAX_COLUMNS)
    yield {
        "table": [
            [cell[:MAX_CELL_LENGTH] for cell in (row + [""] * width)[:width]]
            for row in rows[:MAX_ROWS]
        ]
    }
    said = [f"first {MAX_ROWS} rows"] if more or len(rows) > MAX_ROWS else []
    said += [f"first {width} columns"] if cut or columns > width else []
    if said:
        yield {"note": f"The {' and the '.join(said)}."}


_RENDERERS: Mapping[str, Callable[[Path], Iterator[dict[str, Any]]]] = {
    PDF.type: _pdf,
    PNG.type: _image,
    JPEG.type: _image,
    TEXT.type: _text,
    JSON.type: _text,
    CSV.type: _csv,
    XLSX.type: _xlsx,
}


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
