"""Lays the marks over a stranger's PDF, in a child with limits of memory and time: a small PDF can
unpack to more than there is.

lay(source, target, sheets) → bool        `sheets` makes a PDF of empty sheets of these sizes; False
                                          where a limit or the file forbids it
The child prints the sizes as one line of JSON, then waits for the sheets on its standard input.
"""

import contextlib
import io
import json
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pikepdf

from governance.kernel import sandbox

MEMORY, SECONDS = 768 * 1024 * 1024, 30  # besides the file itself, and of the processor
MOST_PAGES, MOST_SIZES = 5000, 12
SMALLEST, LARGEST = 40, 14_400  # points: what PDF allows a side to be
AT_ONCE = 2  # children of one worker
REFUSED = 3
_turns = threading.BoundedSemaphore(AT_ONCE)
type Sizes = Sequence[tuple[int, int]]


def lay(
    source: Path,
    target: Path,
    sheets: Callable[[Sizes], bytes],
    *,
    memory: int = MEMORY,
    seconds: int = SECONDS,
) -> bool:
    """Write the marked copy to `target`; False, and nothing written, when that cannot be done."""
    limits = sandbox.Limits(memory=memory + source.stat().st_size, seconds=seconds)
    module, paths = (
        "governance.assurance.engagements.watermark_overlay",
        (str(source.resolve()), str(target.resolve())),
    )

    def reply(line: bytes) -> bytes:
        return sheets([(int(width), int(height)) for width, height in json.loads(line)])

    with (
        _turns,
        contextlib.suppress(ValueError),
    ):  # a child that a file has taken over may print anything
        if sandbox.run(module, *paths, limits=limits, on_line=reply).is_finished:
            return True
    target.unlink(missing_ok=True)
    return False


def main(source: Path, target: Path) -> int:
    with contextlib.suppress(
        pikepdf.PdfError,
        pikepdf.PasswordError,
        pikepdf.DataDecodingError,
        ValueError,
        TypeError,
        KeyError,
        AttributeError,
        MemoryError,
    ):
        return _laid(source, target)
    return REFUSED


def _laid(source: Path, target: Path) -> int:
    with pikepdf.open(source) as file:
        if not 0 < len(file.pages) <= MOST_PAGES:
            return REFUSED
        sizes = [_size(page) for page in file.pages]
        distinct = list(dict.fromkeys(sizes))[:MOST_SIZES]
        print(json.dumps(distinct), flush=True)  # noqa: T201 - the child's one voice
        with pikepdf.open(io.BytesIO(sys.stdin.buffer.read())) as sheets:
            for page, size in zip(file.pages, sizes, strict=True):
                number = distinct.index(size) if size in distinct else 0
                page.add_overlay(sheets.pages[number], pikepdf.Rectangle(*page.trimbox))
        file.save(target)
        is_whole = not any(
            "bad_alloc" in told for told in file.get_warnings()
        )  # it leaves out what it has no memory for
    return 0 if is_whole else REFUSED


def _size(page: pikepdf.Page) -> tuple[int, int]:
    left, bottom, right, top = (float(each) for each in page.trimbox)
    width, height = abs(right - left), abs(top - bottom)
    # two sides
    return tuple(round(min(max(side, SMALLEST), LARGEST)) for side in (width, height))  # type: ignore[return-value]


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
