"""The bytes that the web server sends for an application's response."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Event
from typing import Any

import pytest

from governance.app.request_owners import owners_of
from governance.kernel.errors import TooManyRequests
from governance.kernel.web import request_bodies
from governance.kernel.web.request_bodies import Sender, Serving
from governance.kernel.web.server import Server
from tests.waiting import MAX_WAIT_SECONDS

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


class Client:
    """The other end of an ASGI connection, which sends a body, stores the answer, and stays open."""

    def __init__(self, body: bytes = b"") -> None:
        self.body = body
        self.pieces: list[bytes] = []
        self.more = True

    async def receive(self) -> dict[str, Any]:
        if self.body is None:
            await asyncio.Event().wait()
        body, self.body = self.body, None
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.body":
            assert self.more, "a piece after the end"
            self.pieces.append(message["body"])
            self.more = message["more_body"]


def serving_of(*, is_instant: bool, owners: Callable[..., Any]) -> Serving:
    return Serving(
        lambda _: Sender("stranger", ""),
        is_instant=lambda _: is_instant,
        is_urgent=lambda _: False,
        owners=owners,
    )


def run(coroutine: Coroutine[Any, Any, None]) -> None:
    """Run it in a separate thread, because Playwright leaves a running loop in the main thread."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, coroutine).result()


@pytest.mark.parametrize("is_instant", [True, False])
@pytest.mark.parametrize(
    "pieces",
    [[b"", b"abc", b"def"], [b"abc", b"", b"def"], [b"", b""], [], [b"abc"], [b"", b"abc"]],
    ids=repr,
)
def test_an_answer_is_sent_whole_whichever_of_its_pieces_are_empty(pieces, is_instant):
    def application(_environ: dict[str, Any], start: Callable[..., Any]) -> Iterator[bytes]:
        start("200 OK", [("Content-Type", "text/plain")])
        return iter(pieces)

    client = Client()
    serving = serving_of(is_instant=is_instant, owners=lambda *_: ())
    run(Server(application, serving)(SCOPE, client.receive, client.send))
    assert b"".join(client.pieces) == b"".join(pieces)
    assert not client.more


def scope_of(key: str) -> dict[str, Any]:
    headers = [(b"authorization", f"Bearer {key}".encode()), (b"content-length", b"2")]
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

    async def asked() -> None:
        owners = partial(owners_of, (), "session")
        server = Server(application, serving_of(is_instant=False, owners=owners))
        clients = [Client(b"{}") for _ in range(40)]
        sent = [
            asyncio.create_task(server(scope_of(attacker), each.receive, each.send))
            for each in clients
        ]
        refused = await asyncio.wait_for(_ended(sent, 24), MAX_WAIT_SECONDS)
        assert refused == 24 == sum(b"refused" in each.pieces for each in clients)
        other = Client(b"{}")
        await server(scope_of(neighbor), other.receive, other.send)
        assert b"answered" in other.pieces
        assert len([each for each in inside if attacker in each]) == 4
        go_on.set()
        await asyncio.wait_for(asyncio.gather(*sent), MAX_WAIT_SECONDS)
        assert sum(b"answered" in each.pieces for each in clients) == 16

    run(asked())


async def _ended(tasks: list["asyncio.Task[None]"], count: int) -> int:
    """Wait until `count` tasks have ended."""
    while (ended := sum(each.done() for each in tasks)) < count:  # noqa: ASYNC110 - of any of them
        await asyncio.sleep(0.01)
    return ended


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
