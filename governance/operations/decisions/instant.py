"""Evaluations straight from what the server received, without an environ: for valid, plain ones.

InstantAnswers(app)(scope)     what answers this request once its body is there; None if it isn't
                               plain, and the same application answers it by its environ

It gives the answers of DecisionApp itself, and only saves what WSGI takes.
"""

from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from typing import Any

from governance.operations.decisions.app import FLAGS, MAX_BODY_BYTES, PLAIN, DecisionApp, Reply

type Message = dict[str, Any]  # of ASGI
type Messages = tuple[Message, Message]

ADDRESS, BEARER = FLAGS.encode(), PLAIN.encode()
MAX_HEADS = 500  # kept: one for each length of an answer
MAX_DIGITS = 5
# what an answer depends on, or how its body comes; twice the same one isn't plain
WEIGHED = {b"authorization", b"content-length", b"if-none-match", b"transfer-encoding", b"expect"}
WEIGHED.add(b"host")


class InstantAnswers:
    """The evaluations of one worker that need neither an environ nor a thread."""

    def __init__(self, app: DecisionApp) -> None:
        self._app = app
        self._heads: dict[int, Message] = {}
        self._hosts = {each.encode() for each in app.hosts}

    def __call__(self, scope: dict[str, Any]) -> Callable[[bytes], Messages] | None:
        path: bytes = scope["raw_path"]
        if not path.startswith(ADDRESS) or scope["method"] != "POST":
            return None
        found: dict[bytes, bytes] = {}
        for name, value in scope["headers"]:
            if name in WEIGHED:
                if name in found:
                    return None
                found[name] = value
        header, length = found.get(b"authorization", b""), found.get(b"content-length", b"")
        if (
            not header.startswith(BEARER)
            or not length.isdigit()
            or len(length) > MAX_DIGITS
            or not 0 < int(length) <= MAX_BODY_BYTES
            or b"%" in path
            or found.get(b"host", b"").partition(b":")[0] not in self._hosts
            or b"transfer-encoding" in found
            or b"expect" in found
            or not self._app.has_tenant_of(key := header.decode("latin-1"))
        ):
            return None
        matching = found.get(b"if-none-match", b"").decode("latin-1")
        return partial(self._answer, path.decode("latin-1"), key, matching)

    def _answer(self, path: str, header: str, matching: str, body: bytes) -> Messages:
        reply = self._app.evaluated(path, header, matching, body)
        is_usual = reply.status == HTTPStatus.OK and not reply.headers
        head = self._heads.get(len(reply.body)) if is_usual else None
        if head is None:
            head = self._head(reply)
            if is_usual and len(self._heads) < MAX_HEADS:
                self._heads[len(reply.body)] = head
        return head, {"type": "http.response.body", "body": reply.body, "more_body": False}

    def _head(self, reply: Reply) -> Message:
        headers = [
            (name.lower().encode("latin-1"), value.encode("latin-1"))
            for name, value in self._app.head(reply)
        ]
        return {"type": "http.response.start", "status": reply.status, "headers": headers}
