"""Checking an export of a log without an account: the same check as `governance verify-log`, on a
dropped file.

Nothing is unpacked and the file is read line by line, so a small file cannot become a large one as
in a PDF, and no child with limits is needed: its own size bounds the work (64 MB are two seconds),
and few are checked at once.
"""

import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, cast

from flask import request

from governance.foundation.audit import jsonl
from governance.foundation.audit.verify import LogVerdict, verify
from governance.kernel.access import PUBLIC
from governance.kernel.errors import Unavailable
from governance.kernel.feature import Feature
from governance.kernel.pages import page
from governance.kernel.web import ResponseReturnValue

public = Feature("log_check", __name__, scope="public")
LIMIT = 64 * 1024 * 1024
FORM = 256 * 1024  # of keys and checkpoint, beside the file
AT_ONCE, PATIENCE = 2, 5  # files that one worker checks, and the seconds that the next one waits
_turns = threading.BoundedSemaphore(AT_ONCE)


@public.url_value_preprocessor
def take_large_files(endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """Only this route takes more than the usual limit; a larger body is refused before it is
    read.
    """
    if endpoint == "log_check.check" and request.method == "POST":
        request.max_content_length = LIMIT + FORM


@public.get("/verify-log", needs=PUBLIC, endpoint="page")
def show() -> ResponseReturnValue:
    return page("foundation/logbook/verify.html", result=None)


@public.post("/verify-log", needs=PUBLIC)
def check() -> ResponseReturnValue:
    """Nothing is kept."""
    export, key, held = (
        request.files.get("export"),
        request.form.get("key", "").strip(),
        request.form.get("checkpoint", ""),
    )
    problems = [
        *([] if export and export.filename else ["the export"]),
        *([] if key else ["the verifier key"]),
    ]
    if problems or export is None:
        return page(
            "foundation/logbook/verify.html",
            result=None,
            key=key,
            held=held,
            problem=f"Give {' and '.join(problems)}.",
            status=422,
        )
    with _turn():
        result: LogVerdict = verify(
            jsonl.lines(cast("Any", export.stream)), key, held if held.strip() else None
        )
    return page("foundation/logbook/verify.html", result=result, key=key, held=held)


@contextmanager
def _turn() -> Generator[None]:
    if not _turns.acquire(timeout=PATIENCE):
        raise Unavailable("Several files are being checked just now. Try again in a moment.")
    try:
        yield
    finally:
        _turns.release()
