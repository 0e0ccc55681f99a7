"""Calls to other servers, which end at their deadline wherever that server delays them."""

import contextlib
import itertools
import socket
import ssl
import threading

import pytest

from governance.kernel.safety import call_deadline, outbound_http
from tests.waiting import wait_until

BEGINNING = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Slow: "
END = b"\r\n\r\nok"
PIECES, PAUSE_SECONDS = 40, 0.05  # Longer than the deadline, but the server does finish.
SECONDS = 0.5


class DrippingServer:
    """A server that sends `before` at once, then small chunks with pauses, then `after`."""

    def __init__(self, before, piece, after):
        self.before, self.piece, self.after = before, piece, after
        self.stopping = threading.Event()

    @contextlib.contextmanager
    def serving(self):
        with socket.create_server(("127.0.0.1", 0)) as listening:
            thread = threading.Thread(target=self._answer, args=(listening,), daemon=True)
            thread.start()
            yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
            self.stopping.set()
            thread.join()

    def _answer(self, listening):
        caller, _ = listening.accept()
        with caller, contextlib.suppress(OSError):  # The caller hangs up.
            caller.recv(65536)
            caller.sendall(self.before)
            for _ in itertools.repeat(None, PIECES):
                self.stopping.wait(PAUSE_SECONDS)
                caller.sendall(self.piece)
            caller.sendall(self.after)


@pytest.mark.parametrize(
    ("before", "piece", "after"),
    [
        (b"", b" ", BEGINNING + END),
        (BEGINNING, b"x", END),
        (BEGINNING + b"x\r\n", b"A: b\r\n", END),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n", BEGINNING + END),
        (b"HTTP/1.1 200 OK\r\n\r\n", b"x", b""),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1", b"0", b";x\r\n"),
    ],
    ids=["status", "header", "headers", "continue", "body", "chunk size"],
)
def test_a_server_that_drips_is_too_slow_and_its_place_is_free(before, piece, after):
    with (
        DrippingServer(before, piece, after).serving() as url,
        pytest.raises(outbound_http.ResponseTooSlow, match="The receiver didn't respond"),
    ):
        outbound_http.send("POST", url, "The receiver", data=b"x", total_seconds=SECONDS)
    assert not outbound_http._waiting


def test_an_answer_before_the_deadline_is_read_and_no_watch_remains():
    """Join the cancelled timer's thread, which ends a moment later, not at the deadline."""
    others = _timers()
    with DrippingServer(b"HTTP/1.1 200 OK\r\n\r\n", b"x", b"").serving() as url:
        reply = outbound_http.send("GET", url, "The receiver", total_seconds=3600)
    assert reply.content == b"x" * PIECES
    wait_until(lambda: _timers() <= others)


def _timers():
    return {each for each in threading.enumerate() if isinstance(each, threading.Timer)}


def test_a_connection_that_speaks_tls_is_shut_down_at_the_deadline():
    """Shut down a connection whose socket TLS has replaced."""
    near, far = socket.socketpair()
    with far, call_deadline.deadline(SECONDS) as ends:
        ends.watch(near)
        wrapped = ssl.create_default_context().wrap_socket(
            near, server_hostname="x.example", do_handshake_on_connect=False
        )
        with wrapped, pytest.raises(OSError):
            wrapped.do_handshake()
        assert ends.is_over


def test_a_name_with_many_silent_addresses_has_one_deadline(monkeypatch):
    """Divide the remaining time: each address has its own timeout to connect."""
    tried = []

    def connect(silent, address):
        tried.append(address)
        threading.Event().wait(silent.gettimeout())
        raise TimeoutError

    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", n)) for n in range(100)]
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda name, *_a, **_k: found if name == "localhost" else found[:1]
    )
    monkeypatch.setattr(socket.socket, "connect", connect)
    monkeypatch.setattr(outbound_http, "TIMEOUT_SECONDS", (0.2, 5))
    with pytest.raises(outbound_http.ResponseTooSlow):
        outbound_http.send("GET", "http://localhost/", "The receiver", total_seconds=SECONDS)
    assert 1 < len(tried) < len(found) and not outbound_http._waiting


@pytest.mark.parametrize(
    ("address", "is_public"),
    [
        ("93.184.215.14", True),
        ("2606:4700::1111", True),
        ("::ffff:8.8.8.8", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("224.0.0.1", False),
        ("192.88.99.1", False),
        ("::1", False),
        ("::127.0.0.1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:0:127.0.0.1", False),
        ("64:ff9b::7f00:1", False),
        ("64:ff9b::808:808", False),
        ("2002:7f00:1::", False),
        ("fec0::1", False),
        ("5f00::1", False),
        ("fe80::1%eth0", False),
        ("ff02::1", False),
    ],
)
def test_only_one_host_of_the_public_internet_is_called(monkeypatch, address, is_public):
    """Reject a private address embedded in another one, too."""
    found = [(0, 0, 0, "", (address, 443))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_given, **_named: found)
    if is_public:
        assert outbound_http.safe_url("https://some.example/")
    else:
        with pytest.raises(outbound_http.NotCalled, match="private network"):
            outbound_http.safe_url("https://some.example/")
