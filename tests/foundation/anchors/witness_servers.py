"""Servers and logs for tests of anchors: a stub, an independent witness, a log with a history."""

import contextlib
import hashlib
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import requests
from sqlalchemy import select

from governance.demo import witness as demo
from governance.foundation.anchors import actions, jobs, queries
from governance.foundation.audit import checkpoint, logs
from governance.foundation.audit import queries as audit
from governance.foundation.audit.models import AuditEntry
from governance.foundation.people.jobs import actor_of
from governance.kernel import current
from governance.kernel.data.db import session
from governance.kernel.work import jobs as queue
from tests import make
from tests.foundation.audit.log_helpers import sequence_entries, write_entries
from tests.free_ports import free_port
from tests.waiting import wait_until

OTHER = Path(sys.executable).with_name("aics-witness")


class StubReceiver:
    """A server that answers every POST with `status`, `body` and `headers`, and stores requests."""

    def __init__(self, status=200, body=b"", **headers):
        self.status, self.body, self.headers, self.requests = status, body, headers, []

    @contextlib.contextmanager
    def serving(self):
        with serve_http(self.handler()) as url:
            yield url

    def handler(self):
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                sent = self.rfile.read(int(self.headers["Content-Length"]))
                outer.requests.append((self.path, dict(self.headers), sent))
                body = outer.body(sent) if callable(outer.body) else outer.body
                self.send_response(outer.status)
                for name, value in outer.headers.items():
                    self.send_header(name.replace("_", "-"), value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        return Handler


@contextlib.contextmanager
def serve_http(handler):
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class DemoWitness:
    """The demo's witness, in this process."""

    def __init__(self, url, state):
        self.url, self.witness = url, state
        self.key = state.key

    def trust(self, origin, line):
        self.witness.trust(line)

    @classmethod
    @contextlib.contextmanager
    def serving(cls, folder):
        state = demo.Witness(folder / "witness.json")
        with demo.serving(state) as url:
            yield cls(url, state)


class IndependentWitness:
    """A witness that is independent of our code: aics-witness in its own process."""

    def __init__(self, folder):
        port = free_port()
        self.url, self.folder, self.process = f"http://127.0.0.1:{port}", folder, None
        self.key = self.run(
            "init", "--name", "other.example/w", "--listen", f"127.0.0.1:{port}"
        ).split()[-1]

    def run(self, command, *arguments):
        line = [OTHER, command, "-c", self.folder / "witness.json", *arguments]
        return subprocess.run(line, check=True, capture_output=True, text=True, timeout=60).stdout

    def trust(self, origin, line):
        """Restart the witness, which reads its logs when it starts."""
        self.stop()
        self.run("add-log", "--origin", origin, "--vkey", line)
        self.process = subprocess.Popen(
            [OTHER, "serve", "-c", self.folder / "witness.json"], stderr=subprocess.DEVNULL
        )
        wait_until(self.answers)

    def answers(self):
        """Return whether it listens, whatever it answers."""
        with contextlib.suppress(requests.ConnectionError, requests.Timeout):
            return bool(requests.get(self.url, timeout=5).status_code)
        return False

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait(60)

    @classmethod
    @contextlib.contextmanager
    def serving(cls, folder):
        made = cls(folder)
        try:
            yield made
        finally:
            made.stop()


def root_by_definition(leaves):
    """Return the root by the definition of RFC 6962, 2.1."""
    if len(leaves) == 1:
        return hashlib.sha256(b"\0" + leaves[0]).digest()
    half = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(
        b"\1" + root_by_definition(leaves[:half]) + root_by_definition(leaves[half:])
    ).digest()


class DrivenLog:
    """A tenant's log, as tests write to it."""

    def __init__(self, acting, tenant="acme"):
        self.acting, self.tenant = acting, tenant

    def grow(self, count=1):
        """Add `count` entries and sequence them. Return the last checkpoint's (size, note)."""
        write_entries(self.acting, count, self.tenant)
        sequence_entries(self.acting, self.tenant)
        with self.acting("admin", self.tenant):
            last = audit.last_checkpoint()
            return last.size, last.note

    @property
    def key(self):
        with self.acting("admin", self.tenant):
            return str(logs.verifier(logs.signing_key()))

    @property
    def origin(self):
        with self.acting("admin", self.tenant):
            return audit.head().origin

    @property
    def trouble(self):
        with self.acting("admin", self.tenant):
            return audit.head().trouble

    def forged(self, size):
        """Return a checkpoint of another history, signed with the log's own key.

        Only a dishonest operator can make one.
        """
        with self.acting("admin", self.tenant):
            head = checkpoint.Head(
                audit.head().origin,
                size,
                root_by_definition([b"forged %d" % n for n in range(size)]),
            )
            key = logs.signing_key()
            return checkpoint.sign(logs.private_key(key), key.name, head)

    def add(self, **fields):
        """Add an anchor and return its id."""
        fields = {"kind": "witness", "name": "Northlight", **fields}
        with self.acting("admin", self.tenant):
            return actions.add(**fields).id

    def witnessed_by(self, witness, **fields):
        """Add an anchor at a witness that knows this log."""
        if self.size == 0:
            self.grow()
        witness.trust(self.origin, self.key)
        return self.add(url=witness.url, key=witness.key, **fields)

    @property
    def size(self):
        with self.acting("admin", self.tenant):
            return audit.head().size if audit.head() else 0

    def push(self, **options):
        with current.acting_as(make.system_actor(self.tenant)):
            return jobs.push(**options)

    def compare(self):
        with current.acting_as(make.system_actor(self.tenant)):
            return actions.compare()

    def anchor(self, anchor_id):
        """Return the anchor's current (state, finding, seen_size)."""
        with self.acting("admin", self.tenant):
            row = queries.anchor(anchor_id)
            return row.state, row.finding, row.seen_size

    def entries(self, action):
        """Return the log's entries of that action, oldest first: (changes, facts, kind of actor)."""
        with self.acting("admin", self.tenant):
            query = (
                select(AuditEntry)
                .where(AuditEntry.action == action)
                .order_by(AuditEntry.at, AuditEntry.id)
            )
            return [(e.changes, e.facts, e.actor_kind) for e in session().scalars(query)]


def submit_checkpoint(witness, note, *, old=0):
    """Send a checkpoint directly to a witness, without a proof."""
    body = f"old {old}\n\n{note}".encode()
    return requests.post(f"{witness.url}/add-checkpoint", data=body, timeout=60)


def run_requested_work():
    """Run all requested work."""
    return queue.drain(actor_of)
