"""Calls to addresses that somebody typed: public ones only, no redirects, with tight limits.

The limits are of time and of the answer's size.

    send(…), careful(client), safe_url(url)        public addresses only
    … private_origin=origin_of(issuer)             and this origin, in GOVERNANCE_PRIVATE_NETWORKS

`private_origin` is for identity providers that the operator named. A tenant's webhooks, witnesses
and Prometheus servers never get one.
"""

import ipaddress
import os
import socket
import threading
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3 import PoolManager
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from governance.kernel import current
from governance.kernel.client_address import Network
from governance.kernel.errors import DomainError
from governance.kernel.safety.call_deadline import (
    Deadline,
    TimedHTTPConnection,
    TimedHTTPSConnection,
    deadline,
)

TIMEOUT_SECONDS = (3, 5)
TOTAL_SECONDS = 8
MAX_RESPONSE_BYTES = 512 * 1024
LOOPBACK = {"127.0.0.1", "localhost"}
# Global in IANA's registry, but never a host: deprecated forms, and IPv4 addresses inside of IPv6.
NOT_PUBLIC = tuple(
    map(
        ipaddress.ip_network,
        (
            "::/96",
            "::ffff:0:0:0/96",
            "64:ff9b::/96",
            "2002::/16",
            "5f00::/16",  # Segment routing (RFC 9602).
            "fec0::/10",
            "192.88.99.0/24",
        ),
    )
)
# Threads of a worker, for one server or one tenant, and for all.
WAITING_FOR_ONE, WAITING = 4, 8
PATIENCE = 1.0  # Seconds until another has its turn.
EVERYBODY = "everybody"
_waiting: Counter[str] = Counter()
_turn = threading.Condition()
_private_networks: tuple[Network, ...] = ()


def use(private_networks: tuple[Network, ...]) -> None:
    """Set the private networks that a private origin may be in (GOVERNANCE_PRIVATE_NETWORKS)."""
    global _private_networks  # noqa: PLW0603 - one process, one setting
    _private_networks = private_networks


class Unreachable(DomainError):
    """The other side is down. The sentence begins with its name and says why."""

    status = 503


class ResponseTooSlow(Unreachable):
    """The other side didn't respond in time."""


class ResponseTooLong(Unreachable):
    """The other side answered with more than Meridian reads."""


class ResponseBrokeOff(Unreachable):
    """The answer ended before its announced length."""


class NotCalled(Unreachable):
    """The address is not one that Meridian calls."""


class _TooLong(requests.ConnectionError):
    pass


class PrivateNetwork(OSError):
    """The name led to an address that is not public."""


def is_address(url: str) -> bool:
    """Return whether a browser may be sent there: https, or http on loopback in the demo.

    It has no spaces or control characters.
    """
    # The function urlsplit drops line breaks, and a header can't have them.
    if not url.isprintable() or " " in url:
        return False
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return False
    if parts.scheme == "http" and host in LOOPBACK:
        return os.environ.get("GOVERNANCE_DEMO") == "1"
    return parts.scheme == "https" and bool(host) and not parts.username and port != 0


def origin_of(url: str) -> str:
    """Return scheme, host and port in lower case, as every address of that origin begins."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}/".lower()


def safe_url(url: str, *, private_origin: str = "") -> str:
    """Return the address if Meridian may call it; raise NotCalled otherwise (no SSRF by settings).

    That is https to a public address, or plain http to loopback in the demo. Addresses of
    `private_origin` may also be in an allowed private network.
    """
    if not is_address(url):
        raise NotCalled(f"{url[:80]} isn't an https address.")
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme == "http":
        return url
    try:
        addresses = {
            str(info[4][0])
            for info in socket.getaddrinfo(host, parts.port or 443, type=socket.SOCK_STREAM)
        }
    except (OSError, UnicodeError) as error:
        raise NotCalled(f"The host name {host} doesn't exist.") from error
    is_allowed = _allowed if origin_of(url) == private_origin else _public
    if not all(is_allowed(address) for address in addresses):
        raise NotCalled(
            f"{host} is on a private network. Meridian connects to public addresses only."
        )
    return url


def _public(address: str) -> bool:
    """Return whether it is one host on the public internet.

    It is not private, means no group, and contains no IPv4 address that a gateway would call.
    """
    found = ipaddress.ip_address(address.split("%", maxsplit=1)[0])
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped:
        found = found.ipv4_mapped
    within = (net for net in NOT_PUBLIC if net.version == found.version)
    return found.is_global and not found.is_multicast and not any(found in net for net in within)


def _allowed(address: str) -> bool:
    """Return whether an identity provider that the operator named may have this address."""
    found = ipaddress.ip_address(address.split("%", maxsplit=1)[0])
    return any(found in network for network in _private_networks) or _public(address)


class _PublicConnection(TimedHTTPSConnection):
    """A connection that checks the address it really reached, before a byte is sent.

    A name may lead elsewhere the second time (rebinding).
    """

    is_allowed = staticmethod(_public)

    def _new_conn(self) -> socket.socket:
        connected = super()._new_conn()
        if not self.is_allowed(connected.getpeername()[0]):
            connected.close()
            raise PrivateNetwork(
                f"{self.host} is on a private network. Meridian connects to public addresses only."
            )
        return connected


class _AllowedConnection(_PublicConnection):
    is_allowed = staticmethod(_allowed)


class _PublicPool(HTTPSConnectionPool):
    ConnectionCls = _PublicConnection


class _AllowedPool(HTTPSConnectionPool):
    ConnectionCls = _AllowedConnection


class _LoopbackPool(HTTPConnectionPool):
    ConnectionCls = TimedHTTPConnection


@contextmanager
def place(host: str) -> Generator[None]:
    """Wait for a slot for a call to the host; raise requests.Timeout if there is none in time.

    A server that never answers occupies few threads, and so does a tenant with several of them, so
    that the other tenants' pages and sign-ins go on.
    """
    who = current.actor_or_none()
    mine = [f"host {host}"] + ([f"tenant {who.tenant_slug}"] if who is not None else [])
    with _turn:
        if not _turn.wait_for(
            lambda: (
                all(_waiting[each] < WAITING_FOR_ONE for each in mine)
                and _waiting[EVERYBODY] < WAITING
            ),
            PATIENCE,
        ):
            raise requests.Timeout("too many requests to it are waiting")
        _waiting.update((*mine, EVERYBODY))
    try:
        yield
    finally:
        with _turn:
            for each in (*mine, EVERYBODY):
                _waiting[each] -= 1
                if not _waiting[each]:
                    del _waiting[each]
            _turn.notify_all()


class _Careful(HTTPAdapter):
    """An adapter that reads at most `max_bytes`, and ends after `total_seconds`.

    The limit applies however slowly headers or body arrive. The defaults are those of small
    answers.
    """

    pool: type[HTTPSConnectionPool] = _PublicPool

    def __init__(self, max_bytes: int | None = None, total_seconds: float | None = None) -> None:
        self._max_bytes, self._total_seconds = max_bytes, total_seconds
        super().__init__()

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options)
        manager: PoolManager = self.poolmanager
        manager.pool_classes_by_scheme = {"http": _LoopbackPool, "https": self.pool}

    @property
    def _timeout(self) -> tuple[float, float]:
        """Seconds (to connect, between two parts of the answer)."""
        connect, between = TIMEOUT_SECONDS
        return connect, max(between, (self._total_seconds or 0) - connect)

    def send(
        self, request: requests.PreparedRequest, *args: Any, **options: Any
    ) -> requests.Response:
        seconds = self._total_seconds or TOTAL_SECONDS
        host = urlsplit(request.url or "").hostname or ""
        with place(host), deadline(seconds) as ends:
            try:
                reply = self._sent(request, ends, *args, **options)
            except requests.RequestException as fault:
                if ends.is_over:
                    raise requests.Timeout("the response is too slow") from fault
                raise
            finally:
                self.close()  # A kept connection would outlive the deadline that watches it.
            if ends.is_over:  # Headers that were cut off look like a short answer.
                raise requests.Timeout("the response is too slow")
            return reply

    def _sent(
        self, request: requests.PreparedRequest, ends: Deadline, *args: Any, **options: Any
    ) -> requests.Response:
        reply = super().send(
            request, *args, **{**options, "stream": True, "timeout": self._timeout}
        )
        parts, size = [], 0
        for part in reply.iter_content(8192):
            parts.append(part)
            size += len(part)
            if size > (self._max_bytes or MAX_RESPONSE_BYTES):
                raise _TooLong("the response is too long")
            if ends.is_over:
                raise requests.Timeout("the response is too slow")
        vars(reply).update(_content=b"".join(parts), _content_consumed=True)
        return reply


class _CarefulWithin(_Careful):
    """An adapter that also connects to allowed private networks. Mounted at one origin only."""

    pool = _AllowedPool


def careful[S: requests.Session](client: S, *, private_origin: str = "", **limits: Any) -> S:
    """Make a client keep to the rules above, and return it.

    It takes nothing from the environment but the CA bundle. `limits` are `max_bytes` and
    `total_seconds` of an answer.
    """
    client.trust_env = False
    client.verify = os.environ.get("REQUESTS_CA_BUNDLE") or True
    client.mount("https://", _Careful(**limits))
    client.mount("http://", _Careful(**limits))
    if private_origin.startswith("https://"):
        client.mount(private_origin, _CarefulWithin(**limits))
    return client


def send(
    method: str,
    url: str,
    who: str,
    *,
    max_bytes: int | None = None,
    total_seconds: float | None = None,
    private_origin: str = "",
    **options: Any,
) -> requests.Response:
    """Send one request; raise Unreachable if there is no answer, for any cause.

    Its sentence begins with `who`.
    """
    session = requests.Session()
    limits = {"max_bytes": max_bytes, "total_seconds": total_seconds}
    with careful(session, private_origin=private_origin, **limits) as client:
        try:
            checked = safe_url(url, private_origin=private_origin)
            return client.request(method, checked, allow_redirects=False, **options)
        except requests.Timeout as error:
            raise ResponseTooSlow(f"{who} didn't respond in time.") from error
        except _TooLong as error:
            raise ResponseTooLong(f"{who}'s response is too large.") from error
        except requests.exceptions.ChunkedEncodingError as error:
            raise ResponseBrokeOff(f"{who}'s response broke off.") from error
        except (requests.RequestException, OSError) as error:
            raise Unreachable(f"{who} can't be reached.") from error
