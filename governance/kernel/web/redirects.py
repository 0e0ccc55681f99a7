"""Targets of redirects: only pages of ours.

Every `next`, `back` and referring page is checked here.

safe_path(path, default)       a path of ours, or the default
tenant_path(path, home)        the same within the acting tenant
referring_page()               the page of ours that sent the request
way_back()                     the page that `back` in the address asks to return to
"""

import re
from urllib.parse import urlsplit

from flask import request

from governance.kernel import current

MAX_PATH_LENGTH = 1000  # Characters.
DOT_SEGMENT = re.compile(
    r"/(\.|%2e){1,2}(/|$)", re.IGNORECASE
)  # A browser resolves it: the path it opens begins elsewhere.


def safe_path(path: str | None, default: str = "") -> str:
    """Return the path if a browser opens it on this host and nowhere else; otherwise the default.

    It begins with one slash, hence has neither scheme nor host, and has no backslash (which
    browsers read as a slash), no control character and no blank at its end (which they drop), no
    dot segment, and fewer than MAX_PATH_LENGTH characters.
    """
    if not path or len(path) >= MAX_PATH_LENGTH or not path.isprintable() or path != path.strip():
        return default
    if not path.startswith("/") or path.startswith("//") or "\\" in path:
        return default
    return default if DOT_SEGMENT.search(re.split(r"[?#]", path, maxsplit=1)[0]) else path


def tenant_path(path: str | None, home: str = "") -> str:
    """Return the path if it is a page of the acting tenant; otherwise `home`.

    Without `home`, it is the tenant's first page.
    """
    first = f"/t/{current.actor().tenant_slug}/"
    found = safe_path(path)
    return found if found.startswith(first) else home or first


def way_back() -> str:
    """Return the page of the acting tenant that the address names by `back`; otherwise nothing.

    A form that is sent to its own address keeps it.
    """
    found = safe_path(request.args.get("back"))
    return found if found.startswith(f"/t/{current.actor().tenant_slug}/") else ""


def referring_page() -> str:
    """Return path and query of the page of ours that sent the request.

    Empty if the browser doesn't say.
    """
    parts = urlsplit(request.headers.get("Referer", ""))
    path = f"{parts.path}?{parts.query}" if parts.query else parts.path
    return safe_path(path) if parts.netloc == request.host else ""
