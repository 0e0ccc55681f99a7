"""What the web server sends of an application's answer."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from governance.kernel.request_bodies import Sender, Serving
from governance.kernel.server import Exchange, Server

SCOPE = {
    "raw_path": b"/",
    "method": "GET",
    "query_string": b"",
    "server": ("127.0.0.1", "80"),
    "http_version": "1.1",
    "client": ("127.0.0.1", "50000"),
    "scheme": "http",
    "headers": [],
}


class Wire:
    """Replaces granian's protocol: keeps what is sent, and its client never leaves."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self.more = True

    def send(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.body":
            assert self.more, "a piece after the end"
            self.pieces.append(message["body"])
            self.more = message["more_body"]

    def receive(self) -> "Wire":
        return self

    def add_done_callback(self, _call: Callable[..., Any]) -> None:
        pass


@pytest.mark.parametrize(
    "pieces",
    [[b"", b"abc", b"def"], [b"abc", b"", b"def"], [b"", b""], [], [b"abc"], [b"", b"abc"]],
    ids=repr,
)
def test_an_answer_is_sent_whole_whichever_of_its_pieces_are_empty(pieces):
    def application(_environ: dict[str, Any], start: Callable[..., Any]) -> Iterator[bytes]:
        start("200 OK", [("Content-Type", "text/plain")])
        return iter(pieces)

    serving = Serving(
        lambda _: Sender("stranger", ""),
        is_instant=lambda _: True,
        is_urgent=lambda _: False,
        instantly=lambda _: None,
    )
    wire = Wire()
    Exchange(Server(application, serving), wire, SCOPE).start(b"")
    assert b"".join(wire.pieces) == b"".join(pieces)
    assert not wire.more
