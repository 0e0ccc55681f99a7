"""What the web server sends of an application's answer."""

from collections.abc import Callable, Iterator
from threading import Event
from typing import Any

import pytest

from governance.app.request_owners import owners_of
from governance.kernel import request_bodies
from governance.kernel.errors import TooManyRequests
from governance.kernel.request_bodies import Sender, Serving
from governance.kernel.server import Exchange, Server
from tests.waiting import MAX_WAIT_SECONDS, wait_until

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
        owners=lambda _, _is_urgent: (),
        instantly=lambda _: None,
    )
    wire = Wire()
    Exchange(Server(application, serving), wire, SCOPE).start(b"")
    assert b"".join(wire.pieces) == b"".join(pieces)
    assert not wire.more


def scope_of(key: str) -> dict[str, Any]:
    headers = [(b"authorization", f"Bearer {key}".encode())]
    return {**SCOPE, "raw_path": b"/scim/v2/Users/.search", "method": "POST", "headers": headers}


def test_forty_requests_of_one_key_are_not_inside_at_once_and_others_are_answered():
    attacker, neighbor = (f"gc_{slug}_{'k' * 43}" for slug in ("acme", "globex"))
    inside: list[str] = []
    go_on = Event()

    def application(environ: dict[str, Any], start: Callable[..., Any]) -> list[bytes]:
        if (refused := environ.get(request_bodies.REFUSED)) is not None:
            start(f"{refused.status} Too Many Requests", [])
            return [b"refused"]
        inside.append(environ["HTTP_AUTHORIZATION"])
        if attacker in environ["HTTP_AUTHORIZATION"]:
            assert go_on.wait(MAX_WAIT_SECONDS)
        start("200 OK", [])
        return [b"answered"]

    serving = Serving(
        lambda _: Sender("stranger", ""),
        is_instant=lambda _: False,
        is_urgent=lambda _: False,
        owners=lambda environ, is_urgent: owners_of((), "session", environ, is_urgent),
        instantly=lambda _: None,
    )
    server = Server(application, serving)
    sent = [Wire() for _ in range(40)]
    for wire in sent:
        Exchange(server, wire, scope_of(attacker)).start(b"{}")
    wait_until(lambda: sum(b"refused" in wire.pieces for wire in sent) == 24)
    other = Wire()
    Exchange(server, other, scope_of(neighbor)).start(b"{}")
    wait_until(lambda: b"answered" in other.pieces)
    assert len([each for each in inside if attacker in each]) == 4
    go_on.set()
    wait_until(lambda: sum(b"answered" in wire.pieces for wire in sent) == 16)


@pytest.mark.parametrize(
    ("headers", "path", "is_urgent", "owners"),
    [
        ({"HTTP_COOKIE": "session=acme.t"}, "/t/acme/", False, ["session", "tenant acme"]),
        ({"HTTP_COOKIE": "session=acme.t"}, "/t/acme/x/stop", True, ["session"]),
        (
            {"HTTP_AUTHORIZATION": f"Bearer gc_acme_{'k' * 43}"},
            "/scim/v2/Users",
            False,
            ["key", "tenant acme"],
        ),
        ({"HTTP_X_API_KEY": f"gc_acme_{'k' * 43}"}, "/api/v1/usage", False, ["key", "tenant acme"]),
        (
            {"HTTP_AUTHORIZATION": "Bearer made-up"},
            "/scim/v2/Users",
            False,
            ["network 192.0.2.0/24"],
        ),
        ({}, "/t/acme/", False, ["network 192.0.2.0/24", "tenant acme"]),
        ({"HTTP_AUTHORIZATION": f"Bearer gc_acme_{'k' * 43}"}, "/policy/v1/bundle", False, []),
    ],
)
def test_a_request_takes_the_shares_of_its_key_or_session_and_its_tenant(
    headers, path, is_urgent, owners
):
    environ = {"PATH_INFO": path, "REMOTE_ADDR": "192.0.2.7", **headers}
    found = [each.name for each in owners_of((), "session", environ, is_urgent)]
    named = [each.split()[0] if each[:3] in {"key", "ses"} else each for each in found]
    assert sorted(named) == owners


def test_a_refused_request_is_told_when_to_come_back(app):
    refused = {request_bodies.REFUSED: TooManyRequests("Too many.", retry_after=3)}
    for path, kind in (
        ("/login", "text/html"),
        ("/api/v1/openapi.json", "application/problem+json"),
    ):
        reply = app.test_client().get(path, environ_overrides=refused)
        assert (reply.status_code, reply.headers["Retry-After"]) == (429, "3")
        assert reply.mimetype == kind
