"""Overlay marks on an untrusted PDF, in a child process with limited memory and CPU time.

    overlay_watermark(source, target, sheets) -> bool

`sheets` renders one sheet for each page size. The child prints the page sizes as one line of JSON,
then reads the sheets, as a PDF, from its standard input.
"""

import contextlib
import io
import json
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from governance.kernel.files import sandbox

if TYPE_CHECKING:
    import pikepdf

CHILD_MEMORY_BYTES, CHILD_CPU_SECONDS = (
    768 * 1024 * 1024,
    30,
)  # The memory limit is added to the size of the file.
MAX_PAGES, MAX_PAGE_SIZES = 5000, 12
MIN_SIDE_POINTS, MAX_SIDE_POINTS = 40, 14_400  # PDF allows sides up to 14,400 points.
MAX_CHILDREN = 2  # Child processes of one worker.
REFUSED = 3
_child_slots = threading.BoundedSemaphore(MAX_CHILDREN)
type Sizes = Sequence[tuple[int, int]]


def overlay_watermark(
    source: Path,
    target: Path,
    sheets: Callable[[Sizes], bytes],
    *,
    memory: int = CHILD_MEMORY_BYTES,
    seconds: int = CHILD_CPU_SECONDS,
) -> bool:
    """Write the marked copy to `target`. Return False, and leave no file, if that fails.

    `memory` is in bytes, besides the size of the file. `seconds` is CPU time.
    """
    limits = sandbox.Limits(memory=memory + source.stat().st_size, seconds=seconds)
    module, paths = (
        "governance.assurance.engagements.downloads.watermark_overlay",
        (str(source.resolve()), str(target.resolve())),
    )

    def reply(line: bytes) -> bytes:
        return sheets([(int(width), int(height)) for width, height in json.loads(line)])

    with (
        _child_slots,
        contextlib.suppress(ValueError),
    ):  # A malicious PDF may make the child print anything.
        if sandbox.run(module, *paths, limits=limits, on_line=reply).is_finished:
            return True
    target.unlink(missing_ok=True)
    return False


def main(source: Path, target: Path) -> int:
    import pikepdf  # noqa: PLC0415 - the child loads it, the worker doesn't

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
        return _overlay(source, target)
    return REFUSED


def _overlay(source: Path, target: Path) -> int:
    import pikepdf  # noqa: PLC0415 - the same

    with pikepdf.open(source) as file:
        if not 0 < len(file.pages) <= MAX_PAGES:
            return REFUSED
        sizes = [_size(page) for page in file.pages]
        distinct = list(dict.fromkeys(sizes))[:MAX_PAGE_SIZES]
        print(json.dumps(distinct), flush=True)  # noqa: T201 - the child's one voice
        with pikepdf.open(io.BytesIO(sys.stdin.buffer.read())) as sheets:
            for page, size in zip(file.pages, sizes, strict=True):
                number = distinct.index(size) if size in distinct else 0
                _mark(page, sheets.pages[number])
        file.save(target)
        is_whole = not any(
            "bad_alloc" in told for told in file.get_warnings()
        )  # pikepdf only warns when it runs out of memory and drops content.
    return 0 if is_whole else REFUSED


def _mark(page: "pikepdf.Page", sheet: "pikepdf.Page") -> None:
    """Overlay the sheet as an artifact, so that screen readers skip it."""
    import pikepdf  # noqa: PLC0415 - the same

    form = sheet.as_form_xobject()
    name = page.add_resource(form, pikepdf.Name.XObject)
    placed = page.calc_form_xobject_placement(
        form,
        name,
        pikepdf.Rectangle(*page.trimbox),
        allow_shrink=True,
        allow_expand=True,
    )
    page.contents_add(b"q\n", prepend=True)
    page.contents_add(b"Q\n/Artifact BMC\n" + placed + b"\nEMC\n")
    page.contents_coalesce()


def _size(page: "pikepdf.Page") -> tuple[int, int]:
    left, bottom, right, top = (float(each) for each in page.trimbox)
    width, height = abs(right - left), abs(top - bottom)
    return tuple(
        round(min(max(side, MIN_SIDE_POINTS), MAX_SIDE_POINTS)) for side in (width, height)
    )  # type: ignore[return-value]


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
