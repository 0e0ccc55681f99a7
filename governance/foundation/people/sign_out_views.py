"""Signing out: here, at the identity provider, and when the provider reports it."""

import hashlib

from flask import current_app, make_response, redirect, request

from governance.foundation.people import (
    oidc_types,
    provider_logout,
    queries,
    session_actions,
)
from governance.foundation.people.session_views import signed_in_anywhere
from governance.foundation.people.sign_in_views import (
    client_of,
    feature,
    find_tenant,
    live_connection_of,
    system_in,
)
from governance.kernel import current
from governance.kernel.current import Actor
from governance.kernel.data.db import session, transaction
from governance.kernel.errors import NotFound
from governance.kernel.pages.rendering import page
from governance.kernel.safety import key_encryption
from governance.kernel.safety.access import PUBLIC
from governance.kernel.web.responses import ResponseReturnValue, cookie_name
from governance.kernel.work.jobs import once_per


@feature.post("/logout", needs=PUBLIC)
def logout() -> ResponseReturnValue:
    """End the session here first, then sign out at the provider, which may fail."""
    who = signed_in_anywhere()
    onward = _provider_logout(end_own_session(who, how="signed out"), who) if who else None
    response = make_response(
        page("foundation/people/onward.html", tenant_name="", onward=onward)
        if onward
        else redirect("/login", 303)
    )
    response.delete_cookie(
        cookie_name("session"),
        path="/",
        secure=current_app.config["SECURE"],
        httponly=True,
        samesite="Lax",
    )
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response


def end_own_session(who: Actor, *, how: str) -> bytes:
    """End the session of that actor; return its encrypted ID token."""
    if who.session_id is None:
        raise NotFound("This session doesn't exist or has ended.")
    with current.acting_as(who), transaction():
        row = queries.session_row(who.session_id)
        session_actions.end_session(row, how=how)
        return row.id_token


def _provider_logout(sealed_token: bytes, who: Actor) -> str | None:
    with transaction(read_only=True, tenant_id=who.tenant_id):
        connection = queries.connection()
        session().expunge_all()
    if connection is None:
        return None
    token = key_encryption.unwrap(sealed_token, b"id-token").decode()
    if not token:  # They signed in by a code of ours: no provider knows of the session.
        return None
    return provider_logout.logout_url(
        client_of(connection, who.tenant_slug), token, f"{current_app.config['PUBLIC_URL']}/login"
    )


@feature.post("/auth/back-channel/<slug>", needs=PUBLIC)
def back_channel(slug: str) -> ResponseReturnValue:
    """End the sessions that the provider reports as over (OpenID Connect Back-Channel Logout 1.0).

    A token counts once.
    """
    tenant = find_tenant("", slug, also_suspended=True)
    connection = live_connection_of(tenant) if tenant else None
    if tenant is None or connection is None:
        raise NotFound("This page doesn't exist.")
    try:
        subject, sid, jti = provider_logout.check_logout_token(
            client_of(connection, slug), request.form.get("logout_token", "")
        )
    except oidc_types.TokenRefused as refused:
        return {"error": "invalid_request", "error_description": refused.message}, 400
    with current.acting_as(system_in(tenant)), transaction():
        if not once_per(
            "back-channel logout", tenant.slug, hashlib.sha256(jti.encode()).hexdigest()
        ):
            return {
                "error": "invalid_request",
                "error_description": "This logout token was used before.",
            }, 400
        session_actions.end_sessions_at_provider(connection.issuer, subject, sid)
    return "", 200
