"""The discovery document and keys of an identity provider, cached for some minutes."""

import threading
import time
from collections.abc import Mapping
from typing import Any

from governance.foundation.people.provider_http import (
    ProviderFault,
    ask,
)

METADATA_TTL_SECONDS = 300
_remembered: dict[tuple[str, str], tuple[float, dict[str, Any]]] = {}
_lock = threading.Lock()


def forget_metadata() -> None:
    """Clear the cache of discovery documents and keys (tests, and "Test this connection")."""
    with _lock:
        _remembered.clear()


def get_json(
    url: str, what: str, *, older_than: float = METADATA_TTL_SECONDS, private_origin: str = ""
) -> dict[str, Any]:
    key = (url, private_origin)  # One tenant may not read what another may.
    with _lock:
        held = _remembered.get(key)
    if held and time.monotonic() - held[0] < older_than:
        return held[1]
    answer = ask(url, what, private_origin=private_origin)
    with _lock:
        _remembered[key] = (time.monotonic(), answer)
    return answer


def discover(issuer: str, *, private_origin: str = "") -> dict[str, Any]:
    """Return the discovery document; its issuer must equal the configured one (ASVS 10.5.3)."""
    document = get_json(
        issuer.rstrip("/") + "/.well-known/openid-configuration",
        "discovery document",
        private_origin=private_origin,
    )
    if document.get("issuer") != issuer:
        raise ProviderFault(
            f"The discovery document names the issuer {str(document.get('issuer'))[:80]}, not"
            f" {issuer}.",
            field="issuer",
        )
    for needed in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
        if not isinstance(document.get(needed), str):
            raise ProviderFault(f"The discovery document has no {needed}.", field="issuer")
    return document


def listed_values(
    document: Mapping[str, Any], member: str, default: tuple[str, ...] = ()
) -> list[str]:
    """Return a member that should be a list of words; empty for anything else."""
    found = document.get(member)
    if found is None:
        return list(default)
    return [str(item) for item in found] if isinstance(found, list) else []


def client_authentication(document: Mapping[str, Any]) -> str:
    supported = listed_values(
        document, "token_endpoint_auth_methods_supported", ("client_secret_basic",)
    )
    return "client_secret_basic" if "client_secret_basic" in supported else "client_secret_post"
