"""OpenID Connect as a strict relying party: code flow, PKCE S256, state and nonce.

Authlib makes the token request and joserfc checks the signature. What Authlib's defaults would
accept (`alg: none` when discovery lists it, `aud` skipped when `azp` matches, `max_age` ignored, a
discovery document of another issuer) is checked here. See reference/security-and-reliability §3.3
and §8.1.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from governance.foundation.people.id_tokens import check_id_token, claim_time
from governance.foundation.people.oidc_types import Identity, OidcClient, TokenRefused, one_line
from governance.foundation.people.provider_http import (
    ProviderFault,
    ask,
    careful,
    is_address,
    safe_url,
)
from governance.foundation.people.provider_metadata import (
    client_authentication,
    discover,
    listed_values,
)

UNKNOWN_SIGN_IN_AGE_SECONDS = 3600
MAX_ADDRESS_LENGTH = 254
CANCELLED = {"access_denied", "login_required", "interaction_required", "consent_required"}
ABOUT_A_PERSON = ("email", "email_verified", "name")


def authorization_url(
    provider: OidcClient,
    *,
    state: str,
    nonce: str,
    verifier: str,
    max_age: int | None = None,
    login_hint: str = "",
) -> str:
    """Return the address where the browser signs in.

    `max_age` in seconds requests a sign-in that is no older, and `auth_time`.
    """
    document = discover(provider.issuer, private_origin=provider.private_origin)
    groups = " groups" if "groups" in listed_values(document, "scopes_supported") else ""
    query = {
        "response_type": "code",
        "client_id": provider.client_id,
        "redirect_uri": provider.redirect_uri,
        "scope": "openid email profile" + groups,
        "state": state,
        "nonce": nonce,
        "code_challenge": create_s256_code_challenge(verifier),
        "code_challenge_method": "S256",
    }
    query |= {"login_hint": login_hint} if login_hint else {}
    query |= {"prompt": "login", "max_age": str(max_age)} if max_age is not None else {}
    if not is_address(document["authorization_endpoint"]):
        raise ProviderFault(
            "The discovery document's authorization_endpoint isn't an HTTPS URL.",
            field="issuer",
        )
    return with_query(document["authorization_endpoint"], query)


def with_query(url: str, query: Mapping[str, str]) -> str:
    return f"{url}{'&' if '?' in url else '?'}{urlencode(query)}"


def refused_by_provider(error: str, description: str) -> TokenRefused:
    """Return the error that the provider sent instead of a code, in its own words."""
    if error in CANCELLED:
        return TokenRefused(
            "You cancelled the sign-in at your company. Start again when you're ready."
        )
    words = (
        f"{one_line(error, 60)}: {one_line(description, 200)}"
        if description
        else one_line(error, 60)
    )
    return TokenRefused(
        f"The identity provider rejected the sign-in ({words}).",
        reason="The identity provider rejected the sign-in.",
    )


def redeem(
    provider: OidcClient,
    answer: Mapping[str, str],
    *,
    nonce: str,
    verifier: str,
    max_age: int | None = None,
) -> Identity:
    """Exchange the code and check the ID token; raises TokenRefused or ProviderFault."""
    document = discover(provider.issuer, private_origin=provider.private_origin)
    named = answer.get("iss")
    if named != provider.issuer and (
        named is not None or document.get("authorization_response_iss_parameter_supported")
    ):
        raise TokenRefused(
            "The response came from a different identity provider. Start again from the sign-in"
            " page."
        )
    if not answer.get("code"):
        raise TokenRefused("The response has no sign-in code. Start again from the sign-in page.")
    tokens = _exchange(provider, document, answer["code"], verifier)
    raw = tokens.get("id_token")
    if not isinstance(raw, str):
        raise TokenRefused("The identity provider sent no ID token.")
    claims = check_id_token(
        provider, document, raw, nonce=nonce, max_age=max_age, bound_to=_bound_to(answer, tokens)
    )
    return _identity(provider, document, claims, raw, tokens)


def _bound_to(answer: Mapping[str, str], tokens: Mapping[str, Any]) -> dict[str, str]:
    """Return what came with the ID token, by the claim that binds it.

    A wrong hash means a token or code of another sign-in.
    """
    return {"at_hash": str(tokens.get("access_token", "")), "c_hash": answer["code"]}


def _exchange(
    provider: OidcClient, document: Mapping[str, Any], code: str, verifier: str
) -> dict[str, Any]:
    url = safe_url(document["token_endpoint"], private_origin=provider.private_origin)
    client = careful(
        OAuth2Session(
            provider.client_id,
            provider.secret,
            token_endpoint_auth_method=client_authentication(document),
            redirect_uri=provider.redirect_uri,
        ),
        private_origin=provider.private_origin,
    )
    try:
        return dict(
            client.fetch_token(url, code=code, code_verifier=verifier, allow_redirects=False)
        )
    except requests.Timeout as error:
        raise ProviderFault(
            "The identity provider didn't respond in time. Try again in a minute."
        ) from error
    except (requests.ConnectionError, requests.HTTPError, OSError) as error:
        raise ProviderFault(
            "Meridian can't reach the identity provider. Try again, or ask your admin."
        ) from error
    except AuthlibBaseError as error:
        if error.error in {"invalid_client", "unauthorized_client"}:
            raise ProviderFault(
                "The identity provider rejected Meridian's client ID or secret. Ask your tenant"
                " admin to check both."
            ) from error
        raise TokenRefused(
            "The identity provider rejected the sign-in code. Start again from the sign-in page."
        ) from error
    except (
        ValueError,
        TypeError,
        AttributeError,
        KeyError,
    ) as error:  # Authlib raises them for an answer of the wrong form.
        raise TokenRefused(
            "Meridian can't read the identity provider's response to the sign-in code. Try again,"
            " or ask your admin."
        ) from error
    finally:
        client.close()


def _identity(
    provider: OidcClient,
    document: Mapping[str, Any],
    claims: dict[str, Any],
    raw: str,
    tokens: Mapping[str, Any],
) -> Identity:
    wanted = (*ABOUT_A_PERSON, "groups") if provider.reads_groups else ABOUT_A_PERSON
    told = (
        _userinfo(provider, document, claims, tokens)
        if any(name not in claims for name in wanted)
        else {}
    )
    facts = told | claims
    email = _address(facts.get("email"))
    return Identity(
        issuer=provider.issuer,
        subject=claims["sub"],
        email=email,
        email_verified=_is_verified(claims, told),
        name=one_line(facts.get("name"), 200) or email or claims["sub"],
        groups=_groups(facts.get("groups")),
        sid=one_line(claims.get("sid"), 255) or None,
        authenticated_at=_signed_in_at(claims),
        id_token=raw,
    )


def _userinfo(
    provider: OidcClient,
    document: Mapping[str, Any],
    claims: Mapping[str, Any],
    tokens: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the userinfo endpoint's claims about the same person; empty without an endpoint."""
    if not isinstance(document.get("userinfo_endpoint"), str):
        return {}
    bearer = {"Authorization": f"Bearer {tokens.get('access_token')}"}
    told = ask(
        document["userinfo_endpoint"],
        "user information",
        headers=bearer,
        private_origin=provider.private_origin,
    )
    if told.get("sub") != claims["sub"]:
        raise TokenRefused("The user information is about a different person.")
    return told


def _is_verified(claims: Mapping[str, Any], told: Mapping[str, Any]) -> bool | None:
    """Return whether the provider verified the address; None if it says nothing.

    Userinfo counts only if it names the address that the ID token names, or if it alone names one.
    """
    first = claims if "email" in claims else told
    said = first.get("email_verified")
    if said is None and told.get("email") == first.get("email"):
        said = told.get("email_verified")
    return None if said is None else said is True or said == "true"  # Some providers send the word.


def _groups(claim: Any) -> tuple[str, ...] | None:
    """Return the groups; some providers send the only group as plain text."""
    if claim is None:
        return None
    named = [claim] if isinstance(claim, str) else claim if isinstance(claim, list) else []
    return tuple(one_line(str(each), 200) for each in named[:200])


def _signed_in_at(claims: Mapping[str, Any]) -> float:
    """Return when the person signed in, in seconds since 1970.

    Without a readable `auth_time` nobody knows how long ago it was: never recently enough for a
    step-up.
    """
    return claim_time(claims, "auth_time") or float(claims["iat"]) - UNKNOWN_SIGN_IN_AGE_SECONDS


def _address(value: Any) -> str:
    """Return the address in lower case, or "" if it is too long.

    A part of a longer address is another address. A letter that isn't ASCII never becomes an ASCII
    one: the Kelvin sign in lower case would be a k.
    """
    address = one_line(value, MAX_ADDRESS_LENGTH + 1)
    if len(address) > MAX_ADDRESS_LENGTH:
        return ""
    return "".join(
        each.lower() if each.isascii() or not each.lower().isascii() else each for each in address
    )
