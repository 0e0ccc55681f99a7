"""Senders of slow bodies to two workers of `governance web`, who delay only themselves."""

import contextlib
import hashlib
import http.client
import json
import re
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlencode

import pytest
from sqlalchemy import select

import governance
from governance.assurance.evidence import actions as evidence
from governance.assurance.evidence.models import EvidenceVersion
from governance.kernel.data.db import session
from governance.kernel.web import request_bodies
from governance.operations.decisions.app import FLAGS
from governance.operations.switches import actions as switches
from governance.operations.switches.models import Stop
from tests import make
from tests.assurance.evidence.evidence_helpers import version_dates
from tests.operations.decisions.conftest import create_key, open_connections
from tests.waiting import MAX_WAIT_SECONDS, wait_until

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("following")]

STOP = "/t/acme/systems/support-assistant/stop"
FORM = "application/x-www-form-urlencoded"
MEGABYTE = 1024 * 1024


def request_head(path: str, *fields: str, length: int | None = 5000) -> bytes:
    size = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"
    return "\r\n".join([f"POST {path} HTTP/1.1", "Host: 127.0.0.1", size, *fields, "", ""]).encode()


class DrippingConnections:
    """Connections that each send another byte now and then; an ended one is opened again."""

    def __init__(self, port: int, heads: list[bytes]) -> None:
        self._port, self._heads, self._over = port, heads, threading.Event()
        self.answers: Counter[str] = Counter()
        self.open: dict[int, socket.socket] = {}
        for number in range(len(heads)):
            self._open(number)
        self._thread = threading.Thread(target=self._drip)

    def _open(self, number: int) -> None:
        made = socket.create_connection(("127.0.0.1", self._port), timeout=MAX_WAIT_SECONDS)
        made.sendall(self._heads[number])
        made.setblocking(False)
        self.open[number] = made

    def _drip(self) -> None:
        while not self._over.wait(0.25):
            for number in list(self.open):
                self._one_more_byte(number)

    def _one_more_byte(self, number: int) -> None:
        chunked = b"chunked" in self._heads[number]
        try:
            self.open[number].send(b"1\r\na\r\n" if chunked else b"a")
            told = self.open[number].recv(4096)
        except BlockingIOError:
            return
        except OSError:
            told = b""
        self.answers[told[9:12].decode("latin-1") or "closed"] += 1
        self.open[number].close()
        self._open(number)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(MAX_WAIT_SECONDS)
        for each in self.open.values():
            each.close()


def all_slow_senders(installation: Any) -> list[bytes]:
    """Open 64 senders: strangers of three kinds, a member and a key.

    One of the strangers invents a session.
    """
    viewer = make.cookie("viewer")
    kinds = [
        request_head("/csp-report", "Content-Type: application/csp-report"),
        request_head("/login", f"Content-Type: {FORM}"),
        request_head("/csp-report", "Content-Type: application/csp-report", length=None),
        request_head("/login", f"Content-Type: {FORM}", length=None),
        request_head(STOP, f"Content-Type: {FORM}", "Cookie: session=acme.made-up"),
        request_head(STOP, f"Content-Type: {FORM}", f"Cookie: session={viewer}"),
        request_head("/theme", f"Content-Type: {FORM}", f"Cookie: session={viewer}"),
        request_head(
            FLAGS, "Content-Type: application/json", f"Authorization: Bearer {installation[1]}"
        ),
    ]
    return kinds * 8


class Browser:
    """A signed-in person's browser. Each request has its own connection, to reach either worker."""

    def __init__(self, port: int, role: str) -> None:
        self._port, self._cookie = port, make.cookie(role)

    def ask(self, method: str, path: str, fields: dict[str, str] | None = None) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        headers = {
            "Cookie": f"session={self._cookie}",
            **({"Content-Type": FORM} if fields else {}),
        }
        connection.request(method, path, urlencode(fields) if fields else None, headers)
        reply = connection.getresponse()
        told = reply.read().decode()
        connection.close()
        return reply.status, told

    def csrf(self, path: str) -> str:
        status, told = self.ask("GET", path)
        assert status == 200, told
        return re.search(r'name="csrf_token" value="([^"]+)"', told)[1]


@pytest.fixture
def restarted() -> Iterator[None]:
    yield
    with make.acting("admin"):
        for found in session().scalars(select(Stop).where(Stop.restarted_at.is_(None))):
            switches.restart(found, seen=switches.seen(found), reason="A test.")


def refused_in(log: str, reason: str) -> int:
    return sum("body refused" in line and f'"{reason}"' in line for line in log.splitlines())


def test_a_stop_is_pressed_and_obeyed_by_both_workers_while_64_connections_drip(
    installation, restarted
):
    port, _ = installation
    opened, admin = open_connections(installation), Browser(port, "admin")
    with DrippingConnections(port, all_slow_senders(installation)) as drips:
        assert len(drips.open) == 64
        wait_until(lambda: sum(drips.answers.values()) >= 8)  # All slots of some are taken.
        token = admin.csrf(STOP)
        pressed = {
            "csrf_token": token,
            "what": "all",
            "generate": "y",
            "serve": "y",
            "reason": "It answers nonsense.",
        }
        status, told = admin.ask("POST", STOP, pressed)
        assert status == 303, told
        wait_until(
            lambda: {line.ask("switch.support-assistant")[1]["value"] for line in opened} == {False}
        )
        assert len(drips.open) == 64
    assert set(drips.answers) <= {"408", "503", "closed"}


def test_members_and_keys_have_places_of_their_own_while_strangers_take_all_of_theirs(installation):
    port, token = installation
    strangers = [request_head("/csp-report", "Content-Type: application/csp-report")] * 64
    officer = make.cookie("compliance_officer")
    context = json.dumps({"context": {"targetingKey": "user-1"}})
    with DrippingConnections(port, strangers) as drips:
        wait_until(lambda: drips.answers["503"] >= 8)
        form = urlencode(
            {"theme": "dark", "csrf_token": Browser(port, "compliance_officer").csrf(STOP_ALL)}
        )
        as_key = request_head(
            f"{FLAGS}/policy.grounding", f"Authorization: Bearer {token}", length=len(context)
        )
        as_member = request_head(
            "/theme", f"Content-Type: {FORM}", f"Cookie: session={officer}", length=len(form)
        )
        with ThreadPoolExecutor(2) as senders:
            key = senders.submit(send_slowly, port, as_key, context)
            member = senders.submit(send_slowly, port, as_member, form)
        assert key.result()[0] == 200
        assert member.result()[0] not in {408, 503}, member.result()[1]


STOP_ALL = "/t/acme/switches/"


def send_slowly(port: int, opening: bytes, body: str) -> tuple[int, str]:
    """Return the answer to a body sent byte by byte, slower than GRACE_SECONDS.

    Each has a new connection.
    """
    seconds_a_byte = (request_bodies.GRACE_SECONDS + 1) / len(body)
    connection = socket.create_connection(("127.0.0.1", port), timeout=60)
    connection.sendall(opening)
    for each in body.encode():
        time.sleep(seconds_a_byte)
        connection.sendall(bytes([each]))
    reply = http.client.HTTPResponse(connection)
    reply.begin()
    return reply.status, reply.read().decode()


def dripped(port: int, length: int | None) -> bytes:
    """Return the answer to a body of which one byte arrives in a quarter of a second."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=60)
    connection.sendall(
        request_head("/csp-report", "Content-Type: application/csp-report", length=length)
    )
    connection.settimeout(0.25)
    told = b""
    while not told:
        connection.sendall(b"1\r\na\r\n" if length is None else b"a")
        with contextlib.suppress(TimeoutError):
            told = connection.recv(65536)
    connection.settimeout(60)
    with contextlib.suppress(ConnectionError):
        while more := connection.recv(65536):
            told += more
    return told


def silent(port: int) -> http.client.HTTPResponse:
    """Return the answer to an upload that stalls after its first bytes.

    Its announced length makes a thread wait for it.
    """
    connection = socket.create_connection(("127.0.0.1", port), timeout=60)
    connection.sendall(
        request_head("/login", "Content-Type: multipart/form-data; boundary=x", length=MEGABYTE)
        + b"--x\r\n"
    )
    reply = http.client.HTTPResponse(connection)
    reply.begin()
    return reply


def test_slow_and_silent_bodies_are_ended_and_logged_once_each(installation, own_settings):
    """Send all at once: each of them has MAX_BODY_LAG_SECONDS."""
    log, port = own_settings.var / "web.log", installation[0]
    before = refused_in(log.read_text(), "slow")
    with ThreadPoolExecutor(3) as senders:
        announced, chunked = (senders.submit(dripped, port, length) for length in (5000, None))
        unsent = senders.submit(silent, port)
    for told in (announced.result(), chunked.result()):
        assert told.startswith(b"HTTP/1.1 408") and b"connection: close" in told.lower()
        assert b"The upload was too slow." in told
    assert unsent.result().status == 408 and unsent.result().headers["Connection"] == "close"
    wait_until(lambda: refused_in(log.read_text(), "slow") >= before + 3)
    assert refused_in(log.read_text(), "slow") == before + 3


def test_a_slow_sender_who_keeps_the_minimum_rate_is_answered(installation):
    pieces = [b"x" * request_bodies.MIN_BODY_BYTES_PER_SECOND] * 8
    connection = socket.create_connection(("127.0.0.1", installation[0]), timeout=60)
    connection.sendall(
        request_head(
            "/csp-report", "Content-Type: application/csp-report", length=sum(map(len, pieces))
        )
    )
    for piece in pieces:
        time.sleep(0.5)
        connection.sendall(piece)
    reply = http.client.HTTPResponse(connection)
    reply.begin()
    assert reply.status == 204


def test_an_announced_body_beyond_the_limit_is_refused_unread(installation):
    connection = socket.create_connection(("127.0.0.1", installation[0]), timeout=60)
    connection.sendall(
        request_head(
            "/login", "Content-Type: multipart/form-data; boundary=x", length=13 * MEGABYTE
        )
    )
    reply = http.client.HTTPResponse(connection)
    reply.begin()
    assert reply.status == 413 and "too large to upload here" in reply.read().decode()


def test_an_answer_of_many_pieces_arrives_whole_and_its_head_alone_without_them(installation):
    css = (Path(governance.__file__).parent / "static" / "vendor" / "tabler.css").read_bytes()
    connection = http.client.HTTPConnection("127.0.0.1", installation[0], timeout=60)
    for method, expected in (("GET", css), ("HEAD", b""), ("GET", css)):
        connection.request(method, "/static/vendor/tabler.css")
        reply = connection.getresponse()
        assert reply.status == 200 and reply.headers["Content-Length"] == str(len(css))
        assert reply.read() == expected


# ---- uploads


@pytest.fixture
def pushing_machine(installation) -> tuple[str, str]:
    """Return the key of a machine that pushes evidence, and the reference of the item."""
    with make.acting("admin"):
        ref = evidence.create_item(
            f"Large report {time.monotonic_ns()}", kind="report", cadence="quarterly"
        ).ref
    return create_key(name=f"uploader {time.monotonic_ns()}", scopes=("evidence:write",)), ref


def multipart(ref: str, megabytes: int) -> tuple[list[bytes], str]:
    """Return the chunks of a push with a file of that size, and the file's SHA-256."""
    block, digest = bytes(range(256)) * 4096, hashlib.sha256(b"%PDF-1.7\n")
    fields = {"evidence": ref, **{name: day.isoformat() for name, day in version_dates().items()}}
    parts = [
        f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    parts.append(
        b'--x\r\nContent-Disposition: form-data; name="file";'
        b' filename="report.pdf"\r\n\r\n%PDF-1.7\n'
    )
    for _ in range(megabytes):
        digest.update(block)
        parts.append(block)
    return [*parts, b"\r\n--x--\r\n"], digest.hexdigest()


@pytest.mark.parametrize("is_announced", [True, False])
def test_a_large_evidence_upload_passes_whether_or_not_its_length_is_announced(
    installation, pushing_machine, is_announced
):
    token, ref = pushing_machine
    pieces, digest = multipart(ref, 40)
    headers = {
        "Content-Type": "multipart/form-data; boundary=x",
        "Authorization": f"Bearer {token}",
    }
    headers |= (
        {"Content-Length": str(sum(map(len, pieces)))}
        if is_announced
        else {"Transfer-Encoding": "chunked"}
    )
    connection = http.client.HTTPConnection("127.0.0.1", installation[0], timeout=120)
    connection.request(
        "POST", "/api/v1/evidence", iter(pieces), headers, encode_chunked=not is_announced
    )
    reply = connection.getresponse()
    told = json.loads(reply.read())
    assert reply.status == 201, told
    assert told["sha256"] == digest


@pytest.mark.parametrize("megabytes", [0, 2])
def test_an_upload_that_breaks_off_saves_nothing(
    installation, pushing_machine, own_settings, megabytes
):
    (token, ref), log = pushing_machine, own_settings.var / "web.log"
    before = refused_in(log.read_text(), "broken off")
    pieces, digest = multipart(ref, megabytes)
    whole = b"".join(pieces)
    connection = socket.create_connection(("127.0.0.1", installation[0]), timeout=60)
    fields = "Content-Type: multipart/form-data; boundary=x", f"Authorization: Bearer {token}"
    connection.sendall(request_head("/api/v1/evidence", *fields, length=len(whole)) + whole[:-5])
    connection.close()
    wait_until(lambda: refused_in(log.read_text(), "broken off") > before)
    with make.acting("admin", read_only=True):
        assert (
            session()
            .scalars(select(EvidenceVersion).where(EvidenceVersion.sha256 == digest))
            .first()
            is None
        )
