"""What the web server sends of an application's answer."""

from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any

import pytest

from governance.kernel.request_bodies import Sender, Serving
from governance.kernel.server import Exchange, Server


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
        lambda _: Sender("stranger", ""), is_instant=lambda _: True, is_urgent=lambda _: False
    )
    wire = Wire()
    Exchange(
        Server(application, serving), wire, {"REQUEST_METHOD": "GET", "wsgi.input": BytesIO()}
    ).start()
    assert b"".join(wire.pieces) == b"".join(pieces)
    assert not wire.more
