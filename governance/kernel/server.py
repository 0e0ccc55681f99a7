"""The web server of `governance web`: granian, with request bodies collected before a thread is
taken.

granian's WSGI workers give each request a thread at once, and reading a body there cannot time
out. So this uses granian's ASGI worker (a request is a scope, `receive()` and `send()`), but no
event loop: granian calls `Server.arrive` for each request, and what it completes (a piece of a
body) calls on from there, on granian's own thread. It never blocks. The application is
plain WSGI and runs in this module's threads, or, for answers from memory, right away.
"""

import sys
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from io import BufferedReader, BytesIO
from typing import Any
from urllib.parse import unquote_to_bytes

import structlog
from granian import Granian
from granian._granian import ASGIWorker, CallbackScheduler
from granian._signals import set_sync_signals
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server.common import WORKERS_METHODS
from granian.server.mp import WorkerProcess

from governance.kernel import page_shares, request_bodies
from governance.kernel.errors import DomainError
from governance.kernel.page_shares import PageShares
from governance.kernel.request_bodies import BUFFERED_BYTES, Environ, Pace, Places, Sender, Serving

type Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]

PAGE_THREADS = 16
URGENT_THREADS = 2  # for stopping, restarting and approving, whatever the others wait for
EVENT_THREADS = 1  # nothing there blocks; more of them only contend for the interpreter
MAX_CONNECTIONS = 512  # of one worker
HEADER_DEADLINE_SECONDS = 20  # for the head of a request; also how long a connection may be idle
KILL_SECONDS = 5  # after SIGTERM, for products that keep their connections open
READER_PATIENCE_SECONDS = 60  # for a client to take the next piece of a streamed answer
TICK_SECONDS = 0.25
SWITCH_SECONDS = 0.001  # for which a page's thread may keep the interpreter from a decision or stop
BODILESS = {"GET", "HEAD", "OPTIONS"}
PLAIN = {b"content-type": "CONTENT_TYPE", b"content-length": "CONTENT_LENGTH"}
# headers that have few values; of others there could be one for each answer, such as a cookie
KEPT = {"Cache-Control", "Content-Type", "Vary", "X-Content-Type-Options", "Referrer-Policy"}
KEPT |= {"Cross-Origin-Opener-Policy", "Cross-Origin-Resource-Policy", "Permissions-Policy"}
log = structlog.get_logger("server")


class Server:
    """One worker: its threads, its places, and the requests whose bodies are on their way."""

    def __init__(self, application: Application, serving: Serving) -> None:
        self.application, self.serving = application, serving
        self.places = Places()
        self.lock = threading.Lock()
        self.arriving: dict[Arrival, None] = {}
        self.pages = ThreadPoolExecutor(PAGE_THREADS, "page")
        self.urgent = ThreadPoolExecutor(URGENT_THREADS, "urgent")
        self.uploads = ThreadPoolExecutor(request_bodies.UPLOAD_THREADS, "upload")
        self.admissions = ThreadPoolExecutor(1, "admission")
        self.page_shares = PageShares(self.pages.submit)
        self.urgent_shares = PageShares(self.urgent.submit)
        threading.Thread(target=self._watch, name="slow bodies", daemon=True).start()

    def arrive(self, watcher: Any) -> None:
        """Called by granian for each request, on a thread that must not block."""
        try:
            scope = watcher.scope
            exchange = Exchange(self, watcher.proto, scope)
            if (instantly := self.serving.instantly(scope)) is not None:
                Arrival(self, exchange).begin_short(instantly)
            elif scope["method"] in BODILESS or not _has_body(exchange.environ):
                exchange.start(b"")
            else:
                Arrival(self, exchange).begin()
        except Exception as error:  # noqa: BLE001 - granian answers 500
            watcher.err(error)

    def _watch(self) -> None:
        while True:
            time.sleep(TICK_SECONDS)
            for arrival in list(self.arriving):
                try:
                    arrival.check()
                except Exception:
                    log.exception("slow body not ended")


class Arrival:
    """A request whose body is on its way, without a thread."""

    __slots__ = (
        "_admitting",
        "_body",
        "_exchange",
        "_future",
        "_give_back",
        "_instantly",
        "_pace",
        "_sender",
        "_server",
    )

    def __init__(self, server: Server, exchange: "Exchange") -> None:
        self._server, self._exchange = server, exchange
        self._body, self._pace = bytearray(), Pace()
        self._sender: Sender | None = None
        self._give_back: Callable[[], None] | None = None
        self._admitting = False
        self._future: Any = None
        self._instantly: Callable[[bytes], tuple[Any, Any]] | None = None

    def begin_short(self, instantly: Callable[[bytes], tuple[Any, Any]]) -> None:
        """Collect a body that is announced as short, and answer by this alone."""
        self._instantly = instantly
        self._server.arriving[self] = None
        self._receive()

    def begin(self) -> None:
        self._server.arriving[self] = None
        if _length(self._exchange.environ) > BUFFERED_BYTES:
            self._become_upload()
        else:
            self._receive()

    def _receive(self) -> None:
        self._future = self._exchange.protocol.receive()
        self._future.add_done_callback(self._received)

    def _received(self, future: Any) -> None:
        self._future = (
            None  # the future refers to this method, and granian's are not collected in cycles
        )
        if self not in self._server.arriving:
            return
        try:
            message = future.result()
            if message["type"] != "http.request":
                self._refuse("broken off", request_bodies.interrupted())
                return
            data = message["body"]
            if not message["more_body"]:
                if self._leave():
                    self._end(bytes(self._body + data) if self._body else data)
                return
            self._body += data
            self._pace.came(len(data))
            if len(self._body) >= BUFFERED_BYTES:
                self._become_upload()
            else:
                self._receive()
        except Exception:
            log.exception("body not received")
            self._refuse("failed", request_bodies.interrupted())

    def _end(self, body: bytes) -> None:
        if self._instantly is None:
            self._exchange.start(body)
        else:
            self._exchange.finish(*self._instantly(body))

    def _leave(self) -> bool:
        """End the arrival; False when something else ended it already."""
        with self._server.lock:
            if self not in self._server.arriving:
                return False
            del self._server.arriving[self]
            give_back = self._give_back
        if give_back is not None:
            give_back()
        return True

    def _refuse(self, reason: str, error: DomainError) -> None:
        if self._leave():
            future, self._future = self._future, None
            if future is not None:
                future.cancel()
            request_bodies.note_refused(reason, self._sender, len(self._body), self._pace)
            self._exchange.refuse(error)

    # ---- late bodies

    def check(self) -> None:
        """Called every TICK_SECONDS: end a body that is too slow, find a place for one that is
        late.
        """
        kind = self._sender.kind if self._sender else "stranger"
        if self._pace.seconds_left(request_bodies.ROOMS[kind].deadline_seconds) <= 0:
            self._refuse("slow", request_bodies.too_slow())
        elif not self._admitting and self._pace.seconds > request_bodies.GRACE_SECONDS:
            self._admitting = True
            self._server.admissions.submit(self._admit)

    def _admit(self) -> None:
        sender = self._identify()
        give_back = self._server.places.take(sender)
        if give_back is None:
            self._refuse("no place", request_bodies.busy())
            return
        with self._server.lock:
            if self in self._server.arriving:
                self._give_back, give_back = give_back, None
        if give_back is not None:
            give_back()

    def _identify(self) -> Sender:
        if self._sender is None:
            serving, environ = self._server.serving, self._exchange.environ
            sender = serving.identify(environ)
            if sender.kind == "person" and serving.is_urgent(environ):
                sender = Sender("urgent", sender.owner)
            self._sender = sender
        return self._sender

    # ---- bodies that are too long to collect

    def _become_upload(self) -> None:
        self._admitting = True
        self._server.admissions.submit(self._admit_upload)

    def _admit_upload(self) -> None:
        sender = self._identify()
        if sender.kind == "urgent":  # no form that stops anything is so long
            sender = self._sender = Sender("person", sender.owner)
        give_back = self._server.places.take(sender, upload=True)
        if give_back is None:
            self._refuse("no place", request_bodies.busy())
        elif self._leave():
            self._exchange.upload(bytes(self._body), self._pace, sender, give_back)
        else:
            give_back()


class Exchange:
    """One request and its answer."""

    __slots__ = ("_closing", "_environ", "_gone", "_scope", "_server", "protocol")

    def __init__(self, server: Server, protocol: Any, scope: dict[str, Any]) -> None:
        self.protocol: Any = protocol
        self._server, self._scope = server, scope
        self._environ: Environ | None = None
        self._closing = self._gone = False

    @property
    def environ(self) -> Environ:
        """The request's environ, made when it is first needed."""
        if self._environ is None:
            self._environ = environ_of(self._scope)
        return self._environ

    def finish(self, head: dict[str, Any], body: dict[str, Any]) -> None:
        """Send these messages, which are the whole answer."""
        protocol, self.protocol = self.protocol, None
        protocol.send(head)
        protocol.send(body)

    def start(self, body: bytes) -> None:
        """Answer, with the whole body there: at once, or in a thread."""
        self.environ["wsgi.input"] = BytesIO(body)
        serving = self._server.serving
        if serving.is_instant(self.environ):
            self._answer()
            return
        is_urgent = serving.is_urgent(self.environ)
        owners = serving.owners(self.environ, is_urgent)
        if is_urgent:
            self._server.urgent_shares.start(owners, self._answer, self._refuse_too_many)
        else:
            self._server.page_shares.start(owners, self._answer_in_turn, self._refuse_too_many)

    def _refuse_too_many(self) -> None:
        self.refuse(page_shares.too_many())

    def refuse(self, error: DomainError) -> None:
        """Let the application answer with this error, and close the connection."""
        self.environ[request_bodies.REFUSED] = error
        self.environ["wsgi.input"] = request_bodies.RefusedInput(error)
        self._closing = True
        self._server.pages.submit(self._answer_in_turn)

    def upload(
        self, first: bytes, pace: Pace, sender: Sender, give_back: Callable[[], None]
    ) -> None:
        """Answer in a thread of the uploads, which reads the body as it comes."""
        given = request_bodies.StreamedInput(first, self._receive, pace, sender)
        self.environ["wsgi.input"] = BufferedReader(given, BUFFERED_BYTES)
        self._server.uploads.submit(self._answer).add_done_callback(lambda _done: give_back())

    def _receive(self, timeout_seconds: float) -> tuple[bytes, bool] | None:
        there = threading.Event()
        future = self.protocol.receive()
        future.add_done_callback(lambda _future: there.set())
        if not there.wait(max(timeout_seconds, 0)):
            future.cancel()
            self._closing = True
            return None
        message = future.result()
        if message["type"] != "http.request":
            raise request_bodies.interrupted()
        return message["body"], message["more_body"]

    # ---- the answer

    def _answer_in_turn(self) -> None:
        self._answer()

    def _answer(self) -> None:
        try:
            head: list[Any] = []
            pieces = self._server.application(
                self.environ, lambda *given: head.__setitem__(slice(None), given)
            )
            try:
                self._send(pieces, head)
            finally:
                if hasattr(pieces, "close"):
                    pieces.close()
        except Exception:
            log.exception("request failed", method=self.environ["REQUEST_METHOD"])
            self._send_last_resort()
        finally:
            self.protocol = (
                None  # granian closes the connection of an unread body when nothing refers to it
            )

    def _send(self, pieces: Iterable[bytes], head: list[Any]) -> None:
        """In one go where the first piece is all that was announced, otherwise piece by piece."""
        each = iter(pieces)
        first = next(filter(None, each), b"")  # an empty piece is not the end
        headers = [_sent.get(each) or _encoded(each) for each in head[1]]
        is_whole = not first or (b"content-length", str(len(first)).encode()) in headers
        if self._closing:
            headers.append((b"connection", b"close"))
        send = self.protocol.send
        send({"type": "http.response.start", "status": int(head[0][:3]), "headers": headers})
        if is_whole:
            send({"type": "http.response.body", "body": first, "more_body": False})
            return
        if isinstance(
            self.environ["wsgi.input"], BytesIO
        ):  # otherwise the application may still read
            self._listen_for_disconnect()
        self._send_piece(first)
        for piece in each:
            if self._gone:
                return
            self._send_piece(piece)
        send({"type": "http.response.body", "body": b"", "more_body": False})

    def _send_piece(self, piece: bytes) -> None:
        """Wait until the client has taken enough for one more."""
        sent = self.protocol.send({"type": "http.response.body", "body": piece, "more_body": True})
        if hasattr(sent, "add_done_callback"):
            taken = threading.Event()
            sent.add_done_callback(lambda _sent: taken.set())
            is_taken = taken.wait(READER_PATIENCE_SECONDS)
            if not is_taken:
                sent.cancel()
                self._gone = True

    def _listen_for_disconnect(self, received: Any = None) -> None:
        """Note when the client goes away, which comes after whatever is left of the body."""
        protocol = self.protocol
        if received is not None and received.result()["type"] == "http.disconnect":
            self._gone = True
        elif protocol is not None:
            protocol.receive().add_done_callback(self._listen_for_disconnect)

    def _send_last_resort(self) -> None:
        try:
            self.protocol.send({"type": "http.response.start", "status": 500, "headers": []})
            self.protocol.send({"type": "http.response.body", "body": b"", "more_body": False})
        except Exception:  # noqa: BLE001, S110 - an answer was under way: the connection ends with it
            pass


# ---- WSGI


_sent: dict[tuple[str, str], tuple[bytes, bytes]] = {}  # headers that many answers have


def _encoded(header: tuple[str, str]) -> tuple[bytes, bytes]:
    name, value = header
    encoded = name.lower().encode("latin-1"), value.encode("latin-1")
    if name in KEPT and len(_sent) < 500:  # noqa: PLR2004 - those of most answers are far fewer
        _sent[header] = encoded
    return encoded


_names: dict[bytes, str] = dict(PLAIN)


def environ_of(scope: dict[str, Any]) -> Environ:
    """The WSGI environ (PEP 3333) of an ASGI scope, without its input."""
    raw_path: bytes = scope["raw_path"]
    path = (unquote_to_bytes(raw_path) if b"%" in raw_path else raw_path).decode("latin-1")
    environ: Environ = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": scope["server"][0],
        "SERVER_PORT": scope["server"][1],
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
        key = _names.get(name) or _name(name)
        if key not in environ:
            environ[key] = value.decode("latin-1")
        elif key:
            environ[key] += (";" if key == "HTTP_COOKIE" else ",") + value.decode("latin-1")
    environ.pop("", None)
    return environ


def _name(header: bytes) -> str:
    """Empty for a name with an underscore, which would pass for the one with a hyphen."""
    name = "" if b"_" in header else "HTTP_" + header.decode("latin-1").upper().replace("-", "_")
    if len(_names) < 500:  # noqa: PLR2004 - clients can make up names without end
        _names[header] = name
    return name


def _has_body(environ: Environ) -> bool:
    return "HTTP_TRANSFER_ENCODING" in environ or environ.get("CONTENT_LENGTH", "0") != "0"


def _length(environ: Environ) -> int:
    """As announced; 0 when the body comes in chunks."""
    return int(environ.get("CONTENT_LENGTH", "0"))


# ---- granian


class _Immediately:
    """Stands in for the event loop of granian's futures: what is due is called by the code that
    completes it.
    """

    # asyncio's signature
    def call_soon(self, callback: Callable[..., None], *given: Any, context: Any = None) -> None:  # noqa: ARG002
        callback(*given)

    call_soon_threadsafe = call_soon


class _Scheduler(CallbackScheduler):
    """Hands each request to the server instead of starting a coroutine."""

    def __init__(self, _loop: object, arrive: Callable[[Any], None], *_asyncio: object) -> None:
        super().__init__()
        self._schedule_fn = arrive


# granian's types are incomplete, here and below
@WorkerProcess.wrap_target  # type: ignore[untyped-decorator]
def _work(
    worker_id: int,
    application: Any,
    sock: Any,
    ipc: Any,
    _loop: Any,
    runtime_mode: Any,
    runtime_threads: int,
    runtime_blocking_threads: int | None,
    _blocking_threads: int,
    idle_timeout: int,
    backpressure: int,
    _task_impl: Any,
    http_mode: Any,
    http1_settings: Any,
    http2_settings: Any,
    websockets: Any,
    static_path: Any,
    _access_log: str | None,
    tls: tuple[Any, ...],
    _scope_options: dict[str, Any],
    metrics: Any,
) -> None:
    """One worker process, until SIGTERM."""
    sys.setswitchinterval(SWITCH_SECONDS)
    ended, told = threading.Event(), set_sync_signals()  # type: ignore[no-untyped-call]
    told.add_cb(ended.set)
    worker: Any = ASGIWorker(  # type: ignore[call-arg]
        worker_id,
        sock,
        ipc,
        runtime_threads,
        runtime_blocking_threads,  # type: ignore[arg-type]
        EVENT_THREADS,
        idle_timeout,
        backpressure,  # type: ignore[arg-type]
        http_mode,
        http1_settings,
        http2_settings,
        websockets,
        static_path,
        *tls,
        metrics,
    )
    server, immediately = Server(application, application.extensions["serving"]), _Immediately()
    serve = getattr(worker, WORKERS_METHODS[runtime_mode][(sock[0] or sock[1]).is_uds()])
    serve(_Scheduler(immediately, server.arrive, None, None, None), immediately, told)
    ended.wait()


def serve(application: Application, *, host: str, port: int, workers: int) -> None:
    """Serve the WSGI application until SIGTERM. It must have no thread and no connection yet.

    Workers are forks of this process and share the memory of what it has loaded.
    """
    Granian(
        "app:app",  # only a name for its messages
        address=host,
        port=port,
        interface=Interfaces.ASGINL,
        workers=workers,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=HEADER_DEADLINE_SECONDS * 1000),
        websockets=False,
        backpressure=MAX_CONNECTIONS,
        workers_kill_timeout=KILL_SECONDS,
        log_access=False,
        log_level=LogLevels.warning,
    ).serve(spawn_target=_work, target_loader=lambda _name: application)
