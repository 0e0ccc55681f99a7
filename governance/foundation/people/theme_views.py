"""The theme of a browser: light, dark, or what its system has."""

from flask import Response, current_app, make_response, redirect, request

from governance.foundation.people.preferences import THEMES
from governance.foundation.people.sign_in_views import feature
from governance.kernel.safety.access import PUBLIC
from governance.kernel.web.redirects import referring_page, safe_path
from governance.kernel.web.responses import ResponseReturnValue


@feature.post("/theme", needs=PUBLIC)
def theme() -> ResponseReturnValue:
    """Store the theme in a cookie, so that the server draws it without a flash."""
    response = make_response(
        redirect(safe_path(request.form.get("back")) or referring_page() or "/", 303)
    )
    asked = request.form.get("theme", "")
    keep_theme(response, asked if asked in THEMES else "light")
    return response


def keep_theme(response: Response, wanted: str) -> None:
    """Draw this browser's pages in that theme from now on."""
    response.set_cookie(
        "theme",
        wanted,
        max_age=31536000,
        path="/",
        samesite="Lax",
        secure=current_app.config["SECURE"],
        httponly=False,
    )
