"""Shows a checkpoint to a witness (C2SP tlog-witness):

POST <url>/add-checkpoint, and reads its answer.

    old <size that it holds>
    <consistency proof, a hash a line>

    <the checkpoint's note>

A witness says that history was rewritten with 422, and which size it holds with 409. Only the
second is believed of a server that never cosigned for us, and only in the form of the protocol: any
web server may answer 422.
"""

import re
from collections.abc import Callable

import requests

from governance.foundation.anchors import cosignature
from governance.foundation.anchors.anchor_response import AnchorResponse, PresentedCheckpoint, other
from governance.kernel import clock, outbound_http, signed_note
from governance.kernel.formatting import plural, thousands
from governance.kernel.signed_note import NotSigned, VerifierKey

OK, BAD, FORBIDDEN, UNKNOWN, CONFLICT, UNPROCESSABLE = 200, 400, 403, 404, 409, 422
SIZE_TYPE = "text/x.tlog.size"
SIZE = re.compile(r"(0|[1-9]\d{0,18})\n?")
# the size that we remember, the size that it names, and one more when somebody else was faster
TRIES = 3
type Prove = Callable[[int], PresentedCheckpoint | None]

SAYS = {
    BAD: "does not understand what we send (400)",
    FORBIDDEN: "does not accept this log's signature: give it the log's present key (403)",
    UNKNOWN: "does not know this log: give it the log's key (404)",
}


def submit(url: str, key: VerifierKey, *, known: int, prove: Prove) -> AnchorResponse:
    """Show it the newest checkpoint.

    `prove(old)` is that with the proof from `old`, or None when ours is smaller.
    """
    old = known
    for _ in range(TRIES):
        shown = prove(old)
        if shown is None:
            return _ahead(old, prove(0))
        reply = _post(url, old, shown)
        if reply.status_code != CONFLICT:
            return _judged(reply, old, shown, key)
        size = _size(reply)
        if size is None:
            return AnchorResponse(
                "refuses", "answered 409 without the size that it holds", CONFLICT, shown=shown
            )
        if size == old:
            return _forked(CONFLICT, old, shown) if old == shown.size else _muddled(shown)
        old = size
    return AnchorResponse("away", "is asked by somebody else at the same time", CONFLICT)


def _post(url: str, old: int, shown: PresentedCheckpoint) -> requests.Response:
    return outbound_http.send(
        "POST",
        f"{url}/add-checkpoint",
        "The witness",
        data=request_body(old, shown),
        headers={"Content-Type": "text/plain; charset=utf-8"},
    )


def request_body(old: int, shown: PresentedCheckpoint) -> bytes:
    return (
        f"old {old}\n" + "".join(f"{signed_note.b64(h)}\n" for h in shown.path) + f"\n{shown.note}"
    ).encode()


def _size(reply: requests.Response) -> int | None:
    kind = reply.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    match = (
        SIZE.fullmatch(reply.content[:21].decode("ascii", "replace")) if kind == SIZE_TYPE else None
    )
    return int(match[1]) if match else None


def _judged(
    reply: requests.Response, old: int, shown: PresentedCheckpoint, key: VerifierKey
) -> AnchorResponse:
    status = reply.status_code
    if status == OK:
        return _cosigned(reply.content.decode("utf-8", "replace"), shown, key)
    if status == UNPROCESSABLE and old:
        return _forked(status, old, shown)
    if status in SAYS:
        return AnchorResponse("refuses", SAYS[status], status, shown=shown)
    return other(status, shown)


def _cosigned(answer: str, shown: PresentedCheckpoint, key: VerifierKey) -> AnchorResponse:
    text, _ = signed_note.split(shown.note)
    try:
        found = cosignature.opened(text, answer, key, now=clock.now())
    except NotSigned as error:
        finding = (
            str(error) if str(error).startswith("answered") else "answered without a cosignature"
        )
        return AnchorResponse("refuses", finding, OK, shown=shown)
    return AnchorResponse("agrees", "", OK, str(found.line).encode(), shown)


def _ahead(size: int, shown: PresentedCheckpoint | None) -> AnchorResponse:
    have = shown.size if shown else 0
    finding = (
        f"holds {plural(size, 'entry', 'entries')} and we have {thousands(have)}: this log was"
        " rolled back"
    )
    return AnchorResponse("conflict", finding, CONFLICT, f"{size}\n".encode(), shown, size)


def _forked(status: int, size: int, shown: PresentedCheckpoint) -> AnchorResponse:
    what = (
        "other entries than"
        if size == shown.size
        else f"{plural(size, 'entry', 'entries')} that are not the beginning of"
    )
    finding = f"holds {what} ours: this log's history was rewritten"
    return AnchorResponse("conflict", finding, status, f"{size}\n".encode(), shown, size)


def _muddled(shown: PresentedCheckpoint) -> AnchorResponse:
    return AnchorResponse(
        "refuses", "answered 409 with the size that we named", CONFLICT, shown=shown
    )
