"""The light or dark theme."""

from flask import current_app, make_response, redirect, request

from governance.foundation.people.sign_in_views import feature
from governance.kernel.access import PUBLIC
from governance.kernel.redirects import referring_page, safe_path
from governance.kernel.web import ResponseReturnValue


@feature.post("/theme", needs=PUBLIC)
def theme() -> ResponseReturnValue:
    """Light or dark, kept in a cookie so that the server draws it without a flash."""
    wanted = "dark" if request.form.get("theme") == "dark" else "light"
    response = make_response(
        redirect(safe_path(request.form.get("back")) or referring_page() or "/", 303)
    )
    response.set_cookie(
        "theme",
        wanted,
        max_age=31536000,
        path="/",
        samesite="Lax",
        secure=current_app.config["SECURE"],
        httponly=False,
    )
    return response
