"""Check whether Meridian can reach an identity provider and is known to it. No one signs in."""

from collections.abc import Mapping
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from governance.foundation.people.oidc_types import ALGORITHMS, CONTROL, OidcClient
from governance.foundation.people.provider_http import (
    ProviderFault,
    send,
)
from governance.foundation.people.provider_metadata import (
    client_authentication,
    discover,
    forget_metadata,
    get_json,
    listed_values,
)


def diagnose(provider: OidcClient) -> list[dict[str, Any]]:
    """Test a connection without signing anyone in; return each step with its findings in words."""
    forget_metadata()
    says = "Discovery document"
    try:
        document = discover(provider.issuer, private_origin=provider.private_origin)
    except ProviderFault as fault:
        return [_step(says, ok=False, detail=fault.message)]
    return [
        _step(says, ok=True, detail=provider.issuer),
        _signs(document),
        _keys(provider, document),
        _client_known(provider, document),
        _pkce(document),
    ]


def _step(says: str, *, ok: bool, detail: str) -> dict[str, Any]:
    return {"says": says, "ok": ok, "detail": CONTROL.sub(" ", detail)[:300]}


def _signs(document: Mapping[str, Any]) -> dict[str, Any]:
    ours = [
        a
        for a in ALGORITHMS
        if a in listed_values(document, "id_token_signing_alg_values_supported", ("RS256",))
    ]
    return _step(
        "Signing algorithm",
        ok=bool(ours),
        detail=", ".join(ours) or f"None that Meridian accepts: {', '.join(ALGORITHMS)}.",
    )


def _pkce(document: Mapping[str, Any]) -> dict[str, Any]:
    announced = "S256" in listed_values(document, "code_challenge_methods_supported")
    found = _step(
        "PKCE with S256",
        ok=announced,
        detail="" if announced else "Not announced. Meridian uses it anyway.",
    )
    return found | {"optional": True}


def _keys(provider: OidcClient, document: Mapping[str, Any]) -> dict[str, Any]:
    says = "Signing keys"
    try:
        found = get_json(
            document["jwks_uri"], "signing keys", private_origin=provider.private_origin
        )
        keys = KeySet.import_key_set(found)  # type: ignore[arg-type]  # checked there
    except ProviderFault as fault:
        return _step(says, ok=False, detail=fault.message)
    except (JoseError, ValueError, KeyError, TypeError, AttributeError):
        return _step(says, ok=False, detail="The response isn't a JSON Web Key Set.")
    count = len(keys.keys)
    return _step(says, ok=count > 0, detail="1 key" if count == 1 else f"{count} keys")


def _client_known(provider: OidcClient, document: Mapping[str, Any]) -> dict[str, Any]:
    """Check the client and its secret by a code that cannot exist.

    `invalid_grant` means that both are right.
    """
    says = "Client ID and secret"
    body = {
        "grant_type": "authorization_code",
        "code": "connection-test",
        "redirect_uri": provider.redirect_uri,
        "code_verifier": "x" * 43,
    }
    proof: dict[str, Any] = {"auth": (provider.client_id, provider.secret)}
    if client_authentication(document) == "client_secret_post":
        proof, body = {}, body | {"client_id": provider.client_id, "client_secret": provider.secret}
    try:
        reply = send(
            "POST",
            document["token_endpoint"],
            "token endpoint",
            private_origin=provider.private_origin,
            data=body,
            **proof,
        )
        answer = reply.json().get("error")
    except ProviderFault as fault:
        return _step(says, ok=False, detail=fault.message)
    except (ValueError, AttributeError):
        return _step(
            says, ok=False, detail=f"The token endpoint answered {reply.status_code} without JSON."
        )
    if answer in {
        "invalid_grant",
        "invalid_code",
    }:  # The second is glewlwyd's; a client that it does not know gets another.
        return _step(says, ok=True, detail=provider.client_id)
    if answer in {"invalid_client", "unauthorized_client"}:
        return _step(
            says,
            ok=False,
            detail=(
                f"The provider rejected the client ID or secret ({answer}). Copy both from the"
                " provider again."
            ),
        )
    return _step(
        says,
        ok=False,
        detail=f"The token endpoint answered {str(answer or reply.status_code)[:80]}.",
    )
