"""The web server of `governance web`: granian's ASGI interface in front of the WSGI application.

A WSGI worker gives each request a thread immediately, and reading a body there can't time out. Here
a body of up to BUFFERED_BYTES is collected by the event loop, within a deadline, and uses a thread
only once it is complete; a longer one is streamed to a thread of the uploads. So neither slow
senders nor one sender's many requests block others, and a stop always finds a thread.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from io import BufferedReader, BytesIO
from typing import Any
from urllib.parse import unquote_to_bytes

import structlog
from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels

from governance.kernel.errors import DomainError
from governance.kernel.web import page_shares, request_bodies
from governance.kernel.web.page_shares import PageShares
from governance.kernel.web.request_bodies import (
    BUFFERED_BYTES,
    Environ,
    Sender,
    Serving,
    UploadRate,
    UploadSlots,
)

type Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]
type Message = dict[str, Any]  # An ASGI message.
type Receive = Callable[[], Awaitable[Message]]
type Send = Callable[[Message], Awaitable[None]]

PAGE_THREADS = 16
URGENT_THREADS = 2  # For stopping, restarting and approving, even if all other threads are busy.
MAX_CONNECTIONS = 512  # Per worker.
# Seconds for the head of a request; also how long a connection may be idle.
HEADER_DEADLINE_SECONDS = 20
KILL_SECONDS = 5  # Seconds after SIGTERM, for products that keep their connections open.
READER_PATIENCE_SECONDS = 60  # Seconds for a client to take the next part of a streamed answer.
BODILESS = {"GET", "HEAD", "OPTIONS"}
PLAIN = {b"content-type": "CONTENT_TYPE", b"content-length": "CONTENT_LENGTH"}
log = structlog.get_logger("server")


class Server:
    """One worker, as an ASGI application: its threads, its slots, and the WSGI application."""

    def __init__(self, application: Application, serving: Serving) -> None:
        self.application, self.serving, self.places = application, serving, UploadSlots()
        self.pages = ThreadPoolExecutor(PAGE_THREADS, "page")
        self.urgent = ThreadPoolExecutor(URGENT_THREADS, "urgent")
        self.uploads = ThreadPoolExecutor(request_bodies.UPLOAD_THREADS, "upload")
        self.admissions = ThreadPoolExecutor(1, "admission")
        self.page_shares = PageShares(self.pages.submit)
        self.urgent_shares = PageShares(self.urgent.submit)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        exchange = Exchange(self, environ_of(scope), receive, send)
        try:
            await exchange.run()
        except Exception:
            log.exception("request failed", method=scope["method"])
            with suppress(Exception):  # An answer was in progress: the connection ends with it.
                await send({"type": "http.response.start", "status": 500, "headers": []})
                await send({"type": "http.response.body", "body": b"", "more_body": False})


class Exchange:
    """One request and its answer."""

    def __init__(self, server: Server, environ: Environ, receive: Receive, send: Send) -> None:
        self._server, self._receive, self._send = server, receive, send
        self.environ = environ
        self._pace = UploadRate()
        self._sender: Sender | None = None
        self._received = bytearray()
        self._loop = asyncio.get_running_loop()
        self._is_closing = self._is_gone = False
        self._watch: asyncio.Task[None] | None = None  # Detects a client that goes away.

    async def run(self) -> None:
        """Collect the body, let the application answer, and send the answer."""
        try:
            if self.environ["REQUEST_METHOD"] in BODILESS or not _has_body(self.environ):
                await self._start(b"")
            elif _length(self.environ) > BUFFERED_BYTES or not await self._is_collected():
                await self._upload()
            else:
                await self._start(bytes(self._received))
        except DomainError as error:
            await self._refuse(error)
        finally:
            if self._watch is not None:
                self._watch.cancel()

    # ---- the body

    async def _is_collected(self) -> bool:
        """Return whether the body is complete; False for one that is too long to collect.

        Raises an error for a body that is late, too slow or interrupted.
        """
        give_back: Callable[[], None] | None = None
        receiving = asyncio.ensure_future(self._receive())
        try:
            while True:
                patience = self._patience(has_place=give_back is not None)
                await asyncio.wait({receiving}, timeout=patience)
                if receiving.done():
                    message = receiving.result()
                    if message["type"] != "http.request":
                        raise self._refused("broken off", request_bodies.interrupted())
                    self._received += message["body"]
                    self._pace.came(len(message["body"]))
                    if not message["more_body"]:
                        return True
                    if len(self._received) >= BUFFERED_BYTES:
                        return False
                    receiving = asyncio.ensure_future(self._receive())
                if self._pace.seconds_left(self._deadline()) <= 0:
                    raise self._refused("slow", request_bodies.too_slow())
                if give_back is None and self._pace.seconds > request_bodies.GRACE_SECONDS:
                    give_back = self._server.places.take(await self._identified())
                    if give_back is None:
                        raise self._refused("no place", request_bodies.busy())
        finally:
            receiving.cancel()
            if give_back is not None:
                give_back()

    def _patience(self, *, has_place: bool) -> float:
        """Return the seconds until this body is late or too slow."""
        left = self._pace.seconds_left(self._deadline())
        if not has_place:
            left = min(left, request_bodies.GRACE_SECONDS - self._pace.seconds + 0.01)
        return max(left, 0)

    def _deadline(self) -> float:
        kind = self._sender.kind if self._sender else "stranger"
        return request_bodies.ROOMS[kind].deadline_seconds

    async def _identified(self) -> Sender:
        if self._sender is None:
            serving = self._server.serving
            sender = await self._loop.run_in_executor(
                self._server.admissions, serving.identify, self.environ
            )
            if sender.kind == "person" and serving.is_urgent(self.environ):
                sender = Sender("urgent", sender.owner)
            self._sender = sender
        return self._sender

    def _refused(self, reason: str, error: DomainError) -> DomainError:
        request_bodies.note_refused(reason, self._sender, len(self._received), self._pace)
        return error

    async def _upload(self) -> None:
        """Answer in a thread of the uploads, which reads the body as it arrives."""
        sender = await self._identified()
        if sender.kind == "urgent":  # No form that stops anything is so long.
            sender = self._sender = Sender("person", sender.owner)
        give_back = self._server.places.take(sender, upload=True)
        if give_back is None:
            raise self._refused("no place", request_bodies.busy())
        given = request_bodies.StreamedInput(
            bytes(self._received), self._receive_in_thread, self._pace, sender
        )
        self.environ["wsgi.input"] = BufferedReader(given, BUFFERED_BYTES)
        try:
            await self._loop.run_in_executor(self._server.uploads, self._answer)
        finally:
            give_back()

    def _receive_in_thread(self, timeout_seconds: float) -> tuple[bytes, bool] | None:
        future = asyncio.run_coroutine_threadsafe(self._next_message(), self._loop)
        try:
            message = future.result(max(timeout_seconds, 0))
        except TimeoutError:
            future.cancel()
            self._is_closing = True
            return None
        if message["type"] != "http.request":
            raise request_bodies.interrupted()
        return message["body"], message["more_body"]

    async def _next_message(self) -> Message:
        return await self._receive()

    # ---- the answer

    async def _start(self, body: bytes) -> None:
        """Let the application answer: here from memory, otherwise in a thread, in its turn."""
        self.environ["wsgi.input"] = BytesIO(body)
        serving = self._server.serving
        if serving.is_instant(self.environ):
            await self._send_whole(*_answered(self._server.application, self.environ))
            return
        is_urgent = serving.is_urgent(self.environ)
        shares = self._server.urgent_shares if is_urgent else self._server.page_shares
        over = asyncio.Event()
        end = partial(self._loop.call_soon_threadsafe, over.set)
        is_refused = []

        def work() -> None:
            try:
                self._answer()
            finally:
                end()

        def refuse() -> None:
            is_refused.append(True)
            end()

        shares.start(serving.owners(self.environ, is_urgent), work, refuse)
        await over.wait()
        if is_refused:
            raise page_shares.too_many()

    async def _refuse(self, error: DomainError) -> None:
        """Let the application answer with this error, and close the connection."""
        self.environ[request_bodies.REFUSED] = error
        self.environ["wsgi.input"] = request_bodies.RefusedInput(error)
        self._is_closing = True
        await self._loop.run_in_executor(self._server.pages, self._answer)

    def _answer(self) -> None:
        """Run the application in this thread, and send its answer."""
        try:
            self._send_answer()
        except Exception:
            log.exception("request failed", method=self.environ["REQUEST_METHOD"])
            with suppress(Exception):  # An answer was in progress: the connection ends with it.
                self._wait(self._send_whole(500, [], b""))

    def _send_answer(self) -> None:
        """Send at once if the first part is all that was announced, otherwise part by part."""
        head: list[Any] = []
        pieces = self._server.application(
            self.environ, lambda *given: head.__setitem__(slice(None), given)
        )
        try:
            each = iter(pieces)
            first = next(filter(None, each), b"")  # An empty part is not the end.
            status, headers = int(head[0][:3]), _encoded(head[1])
            if not first or (b"content-length", str(len(first)).encode()) in headers:
                self._wait(self._send_whole(status, headers, first))
                return
            self._wait(self._begin(status, headers))
            self._send_piece(first)
            for piece in each:
                if self._is_gone:
                    return
                self._send_piece(piece)
            self._wait(self._send({"type": "http.response.body", "body": b"", "more_body": False}))
        finally:
            if hasattr(pieces, "close"):
                pieces.close()

    def _wait(self, sending: Awaitable[None]) -> None:
        """Wait in a thread for what the event loop sends; a client that reads nothing is gone."""

        async def sent() -> None:
            await sending

        future = asyncio.run_coroutine_threadsafe(sent(), self._loop)
        try:
            future.result(READER_PATIENCE_SECONDS)
        except TimeoutError:
            future.cancel()
            self._is_gone = True

    async def _send_whole(
        self, status: int, headers: list[tuple[bytes, bytes]], body: bytes
    ) -> None:
        await self._begin(status, headers, is_whole=True)
        await self._send({"type": "http.response.body", "body": body, "more_body": False})

    async def _begin(
        self, status: int, headers: list[tuple[bytes, bytes]], *, is_whole: bool = False
    ) -> None:
        if self._is_closing:
            headers = [*headers, (b"connection", b"close")]
        await self._send({"type": "http.response.start", "status": status, "headers": headers})
        if not is_whole and isinstance(self.environ["wsgi.input"], BytesIO):
            # Otherwise the body is still being read.
            self._watch = asyncio.create_task(self._note_gone())

    async def _note_gone(self) -> None:
        """Record when the client goes away, which comes after the remaining body."""
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._is_gone = True

    def _send_piece(self, piece: bytes) -> None:
        """Wait until the client has read enough for one more part."""
        self._wait(self._send({"type": "http.response.body", "body": piece, "more_body": True}))


def _answered(
    application: Application, environ: Environ
) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """Return the complete answer of an application that never blocks."""
    head: list[Any] = []
    pieces = application(environ, lambda *given: head.__setitem__(slice(None), given))
    return int(head[0][:3]), _encoded(head[1]), b"".join(pieces)


def _encoded(headers: Iterable[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]


# ---- WSGI


def environ_of(scope: Message) -> Environ:
    """Return the WSGI environ (PEP 3333) of an ASGI scope, without its input."""
    raw_path: bytes = scope["raw_path"]
    path = (unquote_to_bytes(raw_path) if b"%" in raw_path else raw_path).decode("latin-1")
    environ: Environ = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": scope["server"][0],
        "SERVER_PORT": str(scope["server"][1]),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "REMOTE_ADDR": scope["client"][0],
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.errors": sys.stderr,
        "wsgi.input_terminated": True,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for name, value in scope["headers"]:
        if b"_" in name:  # It would pass for the header with a hyphen.
            continue
        key = PLAIN.get(name) or "HTTP_" + name.decode("latin-1").upper().replace("-", "_")
        if key not in environ:
            environ[key] = value.decode("latin-1")
        else:
            environ[key] += (";" if key == "HTTP_COOKIE" else ",") + value.decode("latin-1")
    return environ


def _has_body(environ: Environ) -> bool:
    return "HTTP_TRANSFER_ENCODING" in environ or environ.get("CONTENT_LENGTH", "0") != "0"


def _length(environ: Environ) -> int:
    """Return the announced length; 0 when the body comes in chunks."""
    return int(environ.get("CONTENT_LENGTH", "0"))


def serve(target: str, *, host: str, port: int, workers: int, threads: int | None = None) -> None:
    """Serve an ASGI application until SIGTERM, or with `threads` a WSGI one.

    `target` names the function that returns it. Workers are forks of this process and share the
    memory of what it has loaded. It must have no thread and no connection yet.
    """
    Granian(
        target,
        factory=True,
        address=host,
        port=port,
        interface=Interfaces.ASGINL if threads is None else Interfaces.WSGI,
        blocking_threads=threads,
        workers=workers,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=HEADER_DEADLINE_SECONDS * 1000),
        websockets=False,
        backpressure=MAX_CONNECTIONS,
        workers_kill_timeout=KILL_SECONDS,
        log_access=False,
        log_level=LogLevels.warning,
    ).serve()
