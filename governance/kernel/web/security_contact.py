"""/.well-known/security.txt (RFC 9116): the contact for vulnerability reports, if it is set."""

from datetime import UTC, timedelta

from flask import Response, current_app

from governance.kernel import clock
from governance.kernel.errors import NotFound
from governance.kernel.safety.access import PUBLIC
from governance.kernel.web.feature import Feature
from governance.kernel.web.responses import ResponseReturnValue

GOOD_FOR = timedelta(days=180)
security_contact = Feature("security_contact", __name__, scope="public")


@security_contact.get("/.well-known/security.txt", needs=PUBLIC, endpoint="file")
def file() -> ResponseReturnValue:
    settings = current_app.config["SETTINGS"]
    if not settings.security_contact:
        raise NotFound("This installation names no security contact.")
    ends = (clock.now() + GOOD_FOR).astimezone(UTC).replace(hour=0, minute=0, second=0)
    lines = (
        f"Contact: {settings.security_contact}",
        f"Expires: {ends:%Y-%m-%dT%H:%M:%SZ}",
        "Preferred-Languages: en",
        f"Canonical: {settings.public_url}/.well-known/security.txt",
    )
    return Response("".join(f"{line}\n" for line in lines), mimetype="text/plain")
