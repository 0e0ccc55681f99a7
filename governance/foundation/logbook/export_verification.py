"""Verify an uploaded export of a log without an account: the same check as `governance verify-log`.

Nothing is unpacked and the file is read line by line, so a small file can't become a large one, as
a PDF can. No child process with limits is needed: the file's own size bounds the work (64 MB take
two seconds), and few files are verified at a time.
"""

import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, cast

from flask import request

from governance.foundation.audit import jsonl
from governance.foundation.audit.verify import LogVerdict, verify
from governance.kernel.errors import Unavailable
from governance.kernel.pages.rendering import page
from governance.kernel.safety.access import PUBLIC
from governance.kernel.web.feature import Feature
from governance.kernel.web.responses import ResponseReturnValue

public = Feature("log_check", __name__, scope="public")
MAX_FILE_BYTES = 64 * 1024 * 1024
MAX_FIELDS_BYTES = 256 * 1024  # Bytes of keys and checkpoint, in addition to the file.
# Files that one worker verifies at a time, and seconds that the next one waits.
MAX_CONCURRENT, WAIT_SECONDS = 2, 5
_slots = threading.BoundedSemaphore(MAX_CONCURRENT)


@public.url_value_preprocessor
def take_large_files(endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """Let only this route accept more than the usual limit; a larger body is rejected unread."""
    if endpoint == "log_check.check" and request.method == "POST":
        request.max_content_length = MAX_FILE_BYTES + MAX_FIELDS_BYTES


@public.get("/verify-log", needs=PUBLIC, endpoint="page")
def show() -> ResponseReturnValue:
    return page("foundation/logbook/verify.html", result=None)


@public.post("/verify-log", needs=PUBLIC)
def check() -> ResponseReturnValue:
    """Verify the file. Nothing is stored."""
    export, key, older = (
        request.files.get("export"),
        request.form.get("key", "").strip(),
        request.form.get("checkpoint", ""),
    )
    problems = [
        *([] if export and export.filename else ["choose the export"]),
        *([] if key else ["enter the verifier key"]),
    ]
    if problems or export is None:
        return page(
            "foundation/logbook/verify.html",
            result=None,
            key=key,
            older_checkpoint=older,
            problem=f"{' and '.join(problems).capitalize()}.",
            status=422,
        )
    with _slot():
        result: LogVerdict = verify(
            jsonl.lines(cast("Any", export.stream)), key, older if older.strip() else None
        )
    return page("foundation/logbook/verify.html", result=result, key=key, older_checkpoint=older)


@contextmanager
def _slot() -> Generator[None]:
    if not _slots.acquire(timeout=WAIT_SECONDS):
        raise Unavailable("Other files are being verified right now. Try again in a moment.")
    try:
        yield
    finally:
        _slots.release()
