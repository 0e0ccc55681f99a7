"""Watermark the pictures of a preview.

It runs in a child process, so that the web worker never decodes a picture. The child reads JSON
from its standard input and prints one picture per line.
"""

import base64
import io
import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from governance.kernel.errors import Unavailable
from governance.kernel.files import sandbox
from governance.kernel.files.sandbox import Limits

CHILD = "governance.assurance.previews.marking"
LIMITS = Limits(memory=768 * sandbox.MIB, seconds=10, output=8 * sandbox.MIB)
QUALITY = 78
type Parts = Sequence[Mapping[str, Any]]


def marked(parts: Parts, text: str) -> Parts:
    """Return the parts with watermarked pictures. Raises Unavailable if that fails."""
    pictures = [part["webp"] for part in parts if "webp" in part]
    if not pictures:
        return parts
    sent = json.dumps({"text": text, "pictures": pictures}).encode()
    outcome = sandbox.run(CHILD, limits=LIMITS, sent=sent)
    found = outcome.answer.decode().split()
    if not outcome.is_finished or len(found) != len(pictures):
        raise Unavailable("The watermark couldn't be written. Try again in a moment.")
    left = iter(found)
    return [part | {"webp": next(left)} if "webp" in part else part for part in map(dict, parts)]


def main() -> None:
    told = json.load(sys.stdin)
    for content in told["pictures"]:
        with Image.open(io.BytesIO(base64.b64decode(content)), formats=("WEBP",)) as picture:
            out = io.BytesIO()
            _mark(picture.convert("RGB"), told["text"]).save(out, "WEBP", quality=QUALITY)
        sys.stdout.write(base64.b64encode(out.getvalue()).decode() + "\n")


def _mark(picture: Image.Image, text: str) -> Image.Image:
    """Return the picture with the text repeated in faint, rising lines."""
    width, height = picture.size
    size = max(8, min(20, width // 40))
    font = ImageFont.load_default(size)
    side = width + height
    sheet = Image.new("L", (side, side))
    pen = ImageDraw.Draw(sheet)
    line = f"{text}   ·   "
    length = max(1, int(pen.textlength(line, font)))
    for row, top in enumerate(range(0, side, size * 9)):
        for left in range(-(row % 3) * length // 3, side, length):
            pen.text((left, top), line, fill=74, font=font)
    sheet = sheet.rotate(30)
    corner = (side - width) // 2, (side - height) // 2
    mask = sheet.crop((*corner, corner[0] + width, corner[1] + height))
    picture.paste((179, 53, 15), mask=mask)
    return picture


if __name__ == "__main__":
    main()
