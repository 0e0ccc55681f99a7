"""Call an identity provider; each failure is a ProviderFault, in words for the person.

`private_origin` is the provider's, if the operator named it: it may be on a private network.
"""

from collections.abc import Mapping
from typing import Any

import requests

from governance.kernel.errors import DomainError
from governance.kernel.safety import outbound_http
from governance.kernel.safety.outbound_http import careful, is_address, origin_of

OK = 200


class ProviderFault(DomainError):
    """The identity provider is down, slow, or sent an invalid answer. The sentence says which."""

    status = 503


def safe_url(url: str, *, private_origin: str = "") -> str:
    """Return the address; raise ProviderFault unless Meridian may call it."""
    try:
        return outbound_http.safe_url(url, private_origin=private_origin)
    except outbound_http.NotCalled as fault:
        raise ProviderFault(fault.message, field="issuer") from fault


def ask(
    url: str, what: str, headers: Mapping[str, str] | None = None, *, private_origin: str = ""
) -> dict[str, Any]:
    """GET a JSON object; raise ProviderFault, which names `what`, for every failure."""
    reply = send("GET", url, what, private_origin=private_origin, headers=dict(headers or {}))
    if reply.status_code != OK:
        raise ProviderFault(
            f"The identity provider answered with status {reply.status_code} ({what})."
        )
    return json_of(reply, what)


def send(method: str, url: str, what: str, **options: Any) -> requests.Response:
    try:
        return outbound_http.send(method, url, "The identity provider", **options)
    except outbound_http.NotCalled as fault:
        raise ProviderFault(fault.message, field="issuer") from fault
    except outbound_http.ResponseTooSlow as error:
        raise ProviderFault(
            f"The identity provider didn't respond in time ({what}). Try again in a minute."
        ) from error
    except outbound_http.Unreachable as error:
        raise ProviderFault(
            f"Meridian can't reach the identity provider ({what}). Try again, or ask your admin."
        ) from error


def json_of(reply: requests.Response, what: str) -> dict[str, Any]:
    try:
        answer = reply.json()
    except ValueError as error:
        raise ProviderFault(
            f"The identity provider's response isn't plain JSON ({what})."
        ) from error
    if not isinstance(answer, dict):
        raise ProviderFault(f"The identity provider's response isn't a JSON object ({what}).")
    return answer


__all__ = [
    "ProviderFault",
    "ask",
    "careful",
    "is_address",
    "json_of",
    "origin_of",
    "safe_url",
    "send",
]
