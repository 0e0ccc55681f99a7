"""Send a checkpoint to a witness (C2SP tlog-witness) and read its answer.

POST <url>/add-checkpoint:

    old <size of the tree it has>
    <consistency proof, one hash per line>

    <the checkpoint's note>

A witness reports a rewritten history with 422, and the size of its tree with 409. Anyone can answer
that, so neither is believed alone. The witness has to show the last checkpoint that it cosigned:

GET <url>/<SHA-256 of the origin>/checkpoint

Only if a key of this log signed that checkpoint, the witness cosigned it, and it contradicts the
log, is the answer a conflict (decision 0068).
"""

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import replace

import requests

from governance.foundation.anchors import cosignature
from governance.foundation.anchors.anchor_response import AnchorResponse, PresentedCheckpoint, other
from governance.foundation.audit.checkpoint import Head, open_checkpoint
from governance.kernel import clock
from governance.kernel.formatting import plural, thousands
from governance.kernel.safety import outbound_http, signed_note
from governance.kernel.safety.signed_note import NotSigned, VerifierKey

OK, BAD, FORBIDDEN, UNKNOWN, CONFLICT, UNPROCESSABLE = 200, 400, 403, 404, 409, 422
SIZE_TYPE = "text/x.tlog.size"
SIZE = re.compile(r"(0|[1-9]\d{0,18})\n?")
# The size we remember, the size it names, and one more when another client was faster.
MAX_TRIES = 3
MAX_STATEMENT_BYTES = 64 * 1024
type Prove = Callable[[int], PresentedCheckpoint | None]
type RootAt = Callable[[int], bytes | None]

REJECTIONS = {
    BAD: "does not understand the request (400)",
    FORBIDDEN: "does not accept this log's signature: give it the log's present key (403)",
    UNKNOWN: "does not know this log: give it the log's key (404)",
}


def submit(url: str, key: VerifierKey, *, known: int, prove: Prove) -> AnchorResponse:
    """Send the newest checkpoint.

    `prove(old)` returns it with the proof from a tree of `old` entries, or None when this log is
    smaller. `known` is the size that the witness last agreed on.
    """
    old = known
    for _ in range(MAX_TRIES):
        shown = prove(old)
        if shown is None:
            return _ahead(old, prove(0))
        reply = _post(url, old, shown)
        if reply.status_code != CONFLICT:
            return _judged(reply, old, shown, key)
        size = _size(reply)
        if size is None:
            return AnchorResponse(
                "refuses", "answered 409 without the size of its tree", CONFLICT, shown=shown
            )
        if size == old:
            return _forked(CONFLICT, old, shown) if old == shown.size else _muddled(shown)
        old = size
    return AnchorResponse("away", "is busy with another client", CONFLICT)


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
    if status in REJECTIONS:
        return AnchorResponse("refuses", REJECTIONS[status], status, shown=shown)
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
    own = shown.size if shown else 0
    finding = (
        f"has {plural(size, 'entry', 'entries')}, but this log only {thousands(own)}: this log was"
        " rolled back"
    )
    return AnchorResponse("conflict", finding, CONFLICT, shown=shown, holds=size)


def _forked(status: int, size: int, shown: PresentedCheckpoint) -> AnchorResponse:
    what = (
        "different entries from"
        if size == shown.size
        else f"{plural(size, 'entry', 'entries')} that are not the beginning of"
    )
    finding = f"has {what} this log: its history was rewritten"
    return AnchorResponse("conflict", finding, status, shown=shown, holds=size)


def substantiated(
    url: str, key: VerifierKey, claim: AnchorResponse, log_keys: Sequence[VerifierKey], root: RootAt
) -> AnchorResponse:
    """Return the conflict that a witness claims with the checkpoint that proves it, or a refusal.

    `log_keys` are this log's keys, including retired ones. `root(size)` returns the log's root at
    that size, or None when the log is smaller.
    """
    shown = claim.shown
    if shown is None:
        return _unproven(claim, "this log has no checkpoint yet")
    reply = outbound_http.send(
        "GET",
        f"{url}/{hashlib.sha256(shown.origin.encode()).hexdigest()}/checkpoint",
        "The witness",
        max_bytes=MAX_STATEMENT_BYTES,
    )
    if reply.status_code != OK:
        return _unproven(claim, f"showed no checkpoint that proves it ({reply.status_code})")
    note = reply.content.decode("utf-8", "replace")
    try:
        head = _statement(note, key, [each for each in log_keys if each.name == shown.origin])
    except NotSigned:
        return _unproven(claim, "showed no checkpoint that this log signed and it cosigned")
    if head.size <= shown.size and root(head.size) == head.root:
        return _unproven(claim, "showed a checkpoint that agrees with this log")
    found = (
        _ahead(head.size, shown)
        if head.size > shown.size
        else _forked(claim.status, head.size, shown)
    )
    return replace(found, answer=note.encode())


def _statement(note: str, key: VerifierKey, log_keys: Sequence[VerifierKey]) -> Head:
    """Return what a checkpoint states that a key of the log signed and the witness cosigned."""
    text, lines = signed_note.split(note)
    cosignature.opened(text, "".join(map(str, lines)), key, now=clock.now())
    for log_key in log_keys:
        try:
            return open_checkpoint(note, log_key)
        except NotSigned:
            continue
    raise NotSigned("no key of this log signed it")


def _unproven(claim: AnchorResponse, reason: str) -> AnchorResponse:
    finding = f"claims that it contradicts this log, but {reason}: the log goes on"
    return AnchorResponse("refuses", finding, claim.status, shown=claim.shown)


def _muddled(shown: PresentedCheckpoint) -> AnchorResponse:
    return AnchorResponse(
        "refuses", "answered 409 with the size Meridian named", CONFLICT, shown=shown
    )
