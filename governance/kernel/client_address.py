"""The real sender of a request that a proxy forwards.

`GOVERNANCE_TRUSTED_PROXIES` names the networks of the proxies in front. Only requests from there
may name the sender in X-Forwarded-For; the same header from anyone else is ignored. Without the
setting no one may, and the address of a request is that of its connection.
"""

import ipaddress
from collections.abc import Callable, Iterable, Sequence
from typing import Any

type Environ = dict[str, Any]
type Network = ipaddress.IPv4Network | ipaddress.IPv6Network
type Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]

MAX_HOPS = 20  # Addresses in a header that anyone can make as long as they like.


def networks(text: str) -> tuple[Network, ...]:
    """Read networks separated by commas; raise ValueError for anything else."""
    return tuple(ipaddress.ip_network(part.strip()) for part in text.split(",") if part.strip())


def correct_address(environ: Environ, trusted: Sequence[Network]) -> None:
    """Set REMOTE_ADDR to the sender's address: the last one that isn't a trusted proxy's.

    Each proxy appends the address that it got the request from. Idempotent.
    """
    address = environ.get("REMOTE_ADDR", "")
    hops = environ.get("HTTP_X_FORWARDED_FOR", "").split(",")[-MAX_HOPS:]
    while hops and _is_within(address, trusted):
        named = _address(hops.pop())
        if not named:
            break
        address = named
    environ["REMOTE_ADDR"] = address


def _is_within(address: str, trusted: Sequence[Network]) -> bool:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    found = getattr(found, "ipv4_mapped", None) or found
    return any(found in network for network in trusted)


def _address(text: str) -> str:
    """Return the address of a hop without its port; empty if it has none."""
    found = text.strip()
    if found.startswith("["):
        found = found[1:].partition("]")[0]
    elif found.count(":") == 1:
        found = found.partition(":")[0]
    try:
        return str(ipaddress.ip_address(found))
    except ValueError:
        return ""


class ForwardedAddress:
    """A WSGI application that sees the sender's address instead of a trusted proxy's."""

    def __init__(self, inner: Application, trusted: Sequence[Network]) -> None:
        self._inner, self._trusted = inner, trusted

    def __call__(self, environ: Environ, start: Callable[..., Any]) -> Iterable[bytes]:
        correct_address(environ, self._trusted)
        return self._inner(environ, start)
