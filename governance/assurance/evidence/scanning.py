"""Scan files with ClamAV, if the operator has configured it, over clamd's INSTREAM protocol.

    use(address)                       a socket (`/run/clamav/clamd.ctl`) or `tcp://host:3310`;
                                       None: files aren't scanned
    check_not_infected(stream, name)   raises Invalid for an infected file, Unavailable without a
                                       result; leaves the stream at its start

If a configured scanner isn't available, uploads fail, so that no file is stored unscanned.
Source: https://docs.clamav.net/manual/Usage/Scanning.html#clamd
"""

import contextlib
import re
import socket
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

from governance.kernel.errors import Invalid, TooLarge, Unavailable
from governance.kernel.feature_settings import Setting

CHUNK_BYTES = 256 * 1024
TIMEOUT_SECONDS = 60.0  # For each operation on the connection.
MAX_ANSWER_BYTES = 4096

_address: str | None = None


def use(address: str | None) -> None:
    """Set the scanner's address. Without one, files aren't scanned."""
    global _address  # noqa: PLW0603 - one process, one scanner
    _address = address or None


def _problem(address: str) -> str | None:
    is_socket = address.startswith("/")
    if is_socket or (address.startswith("tcp://") and urlsplit(address).hostname):
        return None
    return "isn't an address of clamd. Use the path of its socket or tcp://host:3310."


SETTING = Setting(
    name="GOVERNANCE_CLAMAV",
    meaning="clamd's socket or `tcp://host:3310`; every file of evidence is scanned, see `evidence.md`",
    unset="files are not scanned",
    use=use,
    problem=_problem,
)


def check_not_infected(stream: BinaryIO, filename: str) -> None:
    if _address is None:
        return
    stream.seek(0)
    try:
        answer = _scan(_address, stream)
    except OSError as error:
        raise Unavailable(
            "The virus scanner isn't available, so files can't be uploaded. Nothing was saved; try"
            " again later."
        ) from error
    finally:
        stream.seek(0)
    _check_answer(answer, filename)


def _check_answer(answer: str, filename: str) -> None:
    """Interpret `stream: OK`, `stream: <signature> FOUND` or `<reason> ERROR`.

    Raises Invalid, TooLarge or Unavailable unless it is OK.
    """
    if answer == "stream: OK":
        return
    if found := re.fullmatch(r"stream: (.+) FOUND", answer):
        raise Invalid(f"{filename} is infected ({found[1][:80]}). Nothing was saved.", field="file")
    if "size limit exceeded" in answer:
        raise TooLarge(
            f"{filename} is larger than the virus scanner accepts. Nothing was saved.", field="file"
        )
    raise Unavailable("The virus scanner gave no result. Nothing was saved; try again later.")


def _scan(address: str, stream: BinaryIO) -> str:
    with _connected(address) as clamd:
        clamd.sendall(b"zINSTREAM\0")
        with contextlib.suppress(
            BrokenPipeError, ConnectionResetError
        ):  # clamd replies and then closes the connection if the file is too large.
            while piece := stream.read(CHUNK_BYTES):
                clamd.sendall(len(piece).to_bytes(4, "big") + piece)
            clamd.sendall(bytes(4))
        return _answer(clamd)


def _connected(address: str) -> socket.socket:
    if address.startswith("tcp://"):
        parts = urlsplit(address)
        return socket.create_connection(
            (parts.hostname or "", parts.port or 3310), timeout=TIMEOUT_SECONDS
        )
    local = socket.socket(socket.AF_UNIX)
    try:
        local.settimeout(TIMEOUT_SECONDS)
        local.connect(str(Path(address)))
    except BaseException:
        local.close()
        raise
    return local


def _answer(clamd: socket.socket) -> str:
    said = b""
    while (
        b"\0" not in said
        and len(said) < MAX_ANSWER_BYTES
        and (more := clamd.recv(MAX_ANSWER_BYTES))
    ):
        said += more
    return said.split(b"\0", 1)[0].decode("utf-8", "replace").strip()
