"""A small real witness (C2SP tlog-witness) on loopback.

It cosigns a log's checkpoint only if the log has merely grown. It represents another party's
program, so it shares only the clock with the console, because the demo may have moved it. It
is written from the specifications alone, with its own reader of notes and its own RFC 9162.
It stores what it cosigned before it answers, so it remembers a rollback that the console's own
database has forgotten.

    python -m governance.demo.witness --port 7380 --state FILE [--key-file FILE] [--log VKEY …]

Beyond the protocol, for the demo: `POST /logs` takes the verifier key of a log to witness.
"""

import argparse
import base64
import binascii
import hashlib
import json
import os
import re
import sys
import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from governance.kernel import clock

NAME = "witness.example/demo"
LOG_KEY, COSIGNATURE = b"\x01", b"\x04"
MAX_BODY = 64 * 1024
MAX_PROOF = 63
DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}")
DASH = "\u2014"
TEXT, SIZE_TYPE = "text/plain; charset=utf-8", "text/x.tlog.size"


@dataclass(frozen=True, slots=True)
class WitnessReply:
    status: int
    body: str = ""
    type: str = TEXT


class WitnessRefusal(Exception):
    """A rejected request. It has the answer to send."""

    def __init__(self, status: int, body: str = "", content_type: str = TEXT) -> None:
        super().__init__(body)
        self.answer = WitnessReply(status, body, content_type)


# ---- notes and keys


def key_id(name: str, kind: bytes, public: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + kind + public).digest()[:4]


def read_log_key(line: str) -> tuple[str, bytes]:
    """Return (origin, public key) of a log's verifier key. Raises ValueError if it is malformed."""
    name, given, encoded = line.strip().split("+", 2)
    raw = base64.b64decode(encoded, validate=True)
    # a type and 32 bytes
    if raw[:1] != LOG_KEY or len(raw) != 33 or key_id(name, LOG_KEY, raw[1:]).hex() != given:  # noqa: PLR2004
        raise ValueError("not a verifier key of a log")
    return name, raw[1:]


def read_note(note: str) -> tuple[str, list[tuple[str, bytes, bytes]]]:
    """Return (text, [(name, key id, signature)]) of a signed note."""
    text, gap, tail = note.rpartition("\n\n")
    if not gap or not tail.endswith("\n"):
        raise WitnessRefusal(400, "not a signed note")
    lines = []
    for line in tail[:-1].split("\n"):
        dash, _, rest = line.partition(" ")
        name, _, encoded = rest.partition(" ")
        try:
            raw = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            raise WitnessRefusal(400, "no signature line") from None
        # four bytes of key id, and a signature
        if dash != DASH or not name or len(raw) < 5:  # noqa: PLR2004
            raise WitnessRefusal(400, "no signature line")
        lines.append((name, raw[:4], raw[4:]))
    return text + "\n", lines


# ---- the tree


def node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def grew(old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes) -> bool:
    """Verify a consistency proof (RFC 9162, 2.1.4.2) for 0 < old < new."""
    path = list(proof)
    if not path:
        return False
    if old & (old - 1) == 0:
        path.insert(0, old_root)
    fn, sn = old - 1, new - 1
    while fn % 2 == 1:
        fn, sn = fn // 2, sn // 2
    fr = sr = path[0]
    for c in path[1:]:
        if sn == 0:
            return False
        if fn % 2 == 1 or fn == sn:
            fr, sr = node(c, fr), node(c, sr)
            while fn % 2 == 0 and fn != 0:
                fn, sn = fn // 2, sn // 2
        else:
            sr = node(sr, c)
        fn, sn = fn // 2, sn // 2
    return sn == 0 and fr == old_root and sr == new_root


# ---- the witness


class Witness:
    """A witness with its key, stored in one file.

    For each origin it stores the trusted keys and the largest tree that it has cosigned.
    """

    def __init__(self, state: Path, name: str = NAME) -> None:
        self.path, self.lock = state, threading.Lock()
        if state.exists():
            self.state: dict[str, Any] = json.loads(state.read_text())
        else:
            self.state = {
                "name": name,
                "key": base64.b64encode(os.urandom(32)).decode(),
                "logs": {},
            }
            self.save()
        self.name = str(self.state["name"])
        self.private = Ed25519PrivateKey.from_private_bytes(base64.b64decode(self.state["key"]))
        self.public = self.private.public_key().public_bytes_raw()

    @property
    def key(self) -> str:
        """Return the verifier key of the witness."""
        encoded = base64.b64encode(COSIGNATURE + self.public).decode()
        return f"{self.name}+{key_id(self.name, COSIGNATURE, self.public).hex()}+{encoded}"

    def save(self) -> None:
        """Write the state durably and atomically, before any answer is sent."""
        new = self.path.with_suffix(".new")
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(self.state, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        new.replace(self.path)

    def trust(self, line: str) -> None:
        """Witness the log of that verifier key from now on.

        A second key of the same origin is trusted in addition to the first.
        """
        origin, _ = read_log_key(line)
        with self.lock:
            held = self.state["logs"].setdefault(
                origin, {"keys": [], "size": 0, "root": "", "note": ""}
            )
            if line.strip() not in held["keys"]:
                held["keys"].append(line.strip())
                self.save()

    def add_checkpoint(self, body: str) -> WitnessReply:
        """Handle the protocol's one request.

        The lock covers everything from the check of the stored state to the save.
        """
        try:
            old, proof, note = _request(body)
            text, signatures = read_note(note)
            origin, size, root = _checkpoint(text)
            with self.lock:
                held = self._known(origin, text, signatures)
                _may_follow(held, old, size, proof, root)
                held.update(size=size, root=base64.b64encode(root).decode())
                line = self._cosign(text)
                held["note"] = note + line
                self.save()
        except WitnessRefusal as refused:
            return refused.answer
        return WitnessReply(200, line)

    def _known(
        self, origin: str, text: str, signatures: list[tuple[str, bytes, bytes]]
    ) -> dict[str, Any]:
        held: dict[str, Any] | None = self.state["logs"].get(origin)
        if held is None:
            raise WitnessRefusal(404, f"unknown log {origin}\n")
        trusted = {(n, key_id(n, LOG_KEY, p)): p for n, p in map(read_log_key, held["keys"])}
        mine = [(trusted[n, i], s) for n, i, s in signatures if (n, i) in trusted]
        try:
            for public, signature in mine:
                Ed25519PublicKey.from_public_bytes(public).verify(signature, text.encode())
        except InvalidSignature:
            raise WitnessRefusal(403, "a signature is invalid\n") from None
        if not mine:
            raise WitnessRefusal(403, "no signature of a trusted key\n")
        return held

    def _cosign(self, text: str) -> str:
        at = int(clock.now().timestamp())
        signature = self.private.sign(f"cosignature/v1\ntime {at}\n{text}".encode())
        raw = key_id(self.name, COSIGNATURE, self.public) + at.to_bytes(8) + signature
        return f"{DASH} {self.name} {base64.b64encode(raw).decode()}\n"

    def latest(self, origin_hash: str) -> WitnessReply:
        """Return the last cosigned checkpoint of a log, for monitors."""
        with self.lock:
            for origin, held in self.state["logs"].items():
                if held["note"] and hashlib.sha256(origin.encode()).hexdigest() == origin_hash:
                    return WitnessReply(200, held["note"])
        return WitnessReply(404)


def _request(body: str) -> tuple[int, list[bytes], str]:
    top, gap, note = body.partition("\n\n")
    first, *proof = top.split("\n")
    word, _, size = first.partition(" ")
    if not gap or word != "old" or not DECIMAL.fullmatch(size) or len(proof) > MAX_PROOF:
        raise WitnessRefusal(400, "not a valid request\n")
    try:
        return int(size), [base64.b64decode(line, validate=True) for line in proof], note
    except (binascii.Error, ValueError):
        raise WitnessRefusal(400, "not a valid proof\n") from None


def _checkpoint(text: str) -> tuple[str, int, bytes]:
    lines = text.split("\n")
    # three lines, and the end of the third
    if len(lines) < 4 or not DECIMAL.fullmatch(lines[1]):  # noqa: PLR2004
        raise WitnessRefusal(400, "not a checkpoint\n")
    try:
        root = base64.b64decode(lines[2], validate=True)
    except (binascii.Error, ValueError):
        raise WitnessRefusal(400, "not a checkpoint\n") from None
    return lines[0], int(lines[1]), root


def _may_follow(held: dict[str, Any], old: int, size: int, proof: list[bytes], root: bytes) -> None:
    if old > size:
        raise WitnessRefusal(400, "the old size is larger than the checkpoint's\n")
    if old != held["size"]:
        raise WitnessRefusal(409, f"{held['size']}\n", SIZE_TYPE)
    old_root = base64.b64decode(held["root"])
    if old == 0:
        # SHA-256
        fine = not proof and len(root) == 32 and (size > 0 or root == hashlib.sha256(b"").digest())  # noqa: PLR2004
    elif old == size:
        fine = not proof and root == old_root
    else:
        # SHA-256
        fine = all(len(h) == 32 for h in proof) and grew(old, size, proof, old_root, root)  # noqa: PLR2004
    if not fine:
        raise WitnessRefusal(422, "the checkpoint does not follow from the one before\n")


# ---- over HTTP


def handler(witness: Witness) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 10

        def do_POST(self) -> None:
            length = self.headers.get("Content-Length", "")
            if not length.isdecimal() or int(length) > MAX_BODY:
                self.close_connection = True
                self.reply(WitnessReply(413))
                return
            body = self.rfile.read(int(length)).decode("utf-8", "replace")
            if self.path == "/add-checkpoint":
                self.reply(witness.add_checkpoint(body))
            elif self.path == "/logs":
                self.reply(self.trusted(body))
            else:
                self.reply(WitnessReply(404))

        def trusted(self, line: str) -> WitnessReply:
            try:
                witness.trust(line)
            except ValueError:
                return WitnessReply(400, "no verifier key of a log\n")
            return WitnessReply(200, witness.key + "\n")

        def do_GET(self) -> None:
            match = re.fullmatch(r"/([0-9a-f]{64})/checkpoint", self.path)
            self.reply(witness.latest(match[1]) if match else WitnessReply(404))

        def reply(self, answer: WitnessReply) -> None:
            content = answer.body.encode()
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.type)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Suppress the log, which would clutter the demo's terminal."""

    return Handler


@contextmanager
def serving(witness: Witness, port: int = 0) -> Generator[str]:
    """Serve from a thread of this process, and yield the address."""
    server = ThreadingHTTPServer(("127.0.0.1", port), handler(witness))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m governance.demo.witness", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--port", type=int, default=7380)
    parser.add_argument(
        "--state", type=Path, required=True, help="the file that stores what it has cosigned"
    )
    parser.add_argument("--name", default=NAME, help="the name in its key, if the file is new")
    parser.add_argument("--key-file", type=Path, help="the file to write its verifier key to")
    parser.add_argument(
        "--log", action="append", default=[], help="the verifier key of a log to witness"
    )
    given = parser.parse_args(arguments)
    witness = Witness(given.state, given.name)
    for line in given.log:
        witness.trust(line)
    if given.key_file:
        given.key_file.write_text(witness.key + "\n")
    server = ThreadingHTTPServer(("127.0.0.1", given.port), handler(witness))
    sys.stdout.write(f"{witness.key}\n")
    sys.stdout.flush()
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        server.server_close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
