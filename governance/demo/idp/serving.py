"""Serve issuers on loopback, from this process or from a configuration file."""

import os
import socket
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from joserfc.jwk import RSAKey
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from governance.demo.idp.directory import PEOPLE, Client, Person
from governance.demo.idp.endpoints import Idp
from governance.demo.idp.provider import Deliver, Mint, Provider

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

LOOPBACK = {"127.0.0.1", "::1"}


class NotLocal(Exception):
    """The provider was asked to serve an address other than this machine's."""


def create_idp(
    issuer: str,
    people: Sequence[Person],
    clients: Sequence[Client],
    key: RSAKey | None = None,
    *,
    mint: Mint | None = None,
    deliver: Deliver | None = None,
) -> Idp:
    """Return the application of an issuer such as http://127.0.0.1:4400/acme.

    Raises NotLocal if the issuer is not on loopback. For tests, `mint(header, claims, key)`
    replaces signing and `deliver(uri, logout_token)` the back channel.
    """
    if urlsplit(issuer).hostname not in LOOPBACK or issuer.endswith("/"):
        raise NotLocal(f"The demo identity provider serves 127.0.0.1 or ::1 only, not {issuer}")
    _check_not_public()
    return Idp(Provider(issuer, people, clients, key, mint, deliver))


def rotate_keys(idp: Idp, *, keep: bool = True) -> None:
    """Sign with new keys from now on (see Provider.rotate)."""
    idp.provider.rotate(keep=keep)


def together(*idps: Idp) -> "WSGIApplication":
    """Combine several issuers into one WSGI application, selected by the path's first part."""
    by_path = {idp.base: idp for idp in idps}

    def dispatch(environ: "WSGIEnvironment", start: "StartResponse") -> Iterable[bytes]:
        idp = by_path.get("/" + environ.get("PATH_INFO", "").lstrip("/").split("/")[0])
        if idp is not None:
            return idp(environ, start)
        start("404 Not Found", [("Content-Type", "text/plain")])
        return [b"No issuer has this path"]

    return dispatch


@dataclass(frozen=True, slots=True)
class RunningProvider:
    """A provider that answers at `base` (http://127.0.0.1:PORT) until it is closed."""

    base: str
    server: BaseWSGIServer
    thread: threading.Thread

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join(5)
        self.server.server_close()


class _Quiet(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Log nothing, because addresses contain codes and hints."""


def listen(host: str = "127.0.0.1", port: int = 0) -> socket.socket:
    """Open a listening socket on loopback. Port 0 picks a free one.

    Raises NotLocal for any other address.
    """
    if host not in LOOPBACK:
        raise NotLocal(f"The demo identity provider serves 127.0.0.1 or ::1 only, not {host}")
    _check_not_public()
    return socket.create_server(
        (host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET
    )


def base_of(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def serve(
    app: "WSGIApplication",
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    on: socket.socket | None = None,
) -> RunningProvider:
    """Serve in a thread of this process. `on` is a socket from `listen`, closed at the end."""
    listening = on or listen(host, port)
    base = base_of(listening)
    address, number = listening.getsockname()[:2]
    if address not in LOOPBACK:
        raise NotLocal(f"The demo identity provider serves 127.0.0.1 or ::1 only, not {address}")
    server = make_server(
        address, number, app, threaded=True, request_handler=_Quiet, fd=listening.fileno()
    )
    listening.close()
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
    )
    thread.start()
    return RunningProvider(base, server, thread)


def _check_not_public() -> None:
    public = os.environ.get("GOVERNANCE_PUBLIC_URL", "")
    if public and urlsplit(public).hostname not in {*LOOPBACK, "localhost"}:
        raise NotLocal(
            f"The demo identity provider does not start beside a public console ({public})"
        )


def configuration(clients: Mapping[str, Sequence[Client]]) -> dict[str, Any]:
    """Return the content of a configuration file for `main`: issuers of PEOPLE with these clients."""
    return {name: {"clients": [asdict(client) for client in own]} for name, own in clients.items()}


def configured(base: str, config: Mapping[str, Mapping[str, Any]]) -> "WSGIApplication":
    """Return all issuers of a configuration under `base`, as one application.

    An issuer without "people" has those of PEOPLE.
    """
    return together(
        *(
            create_idp(
                f"{base}/{name}", _people(name, parts), [_read(Client, c) for c in parts["clients"]]
            )
            for name, parts in config.items()
        )
    )


def _people(name: str, parts: Mapping[str, Any]) -> Sequence[Person]:
    return (
        [_read(Person, person) for person in parts["people"]] if "people" in parts else PEOPLE[name]
    )


def _read[R: (Person, Client)](kind: type[R], given: Mapping[str, Any]) -> R:
    parts: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in given.items()
    }
    return kind(**parts)
