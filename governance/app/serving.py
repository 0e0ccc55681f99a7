"""Entry points of granian's workers, for `governance web` and `governance decisions`.

Workers are forked from a process that called `application()` already, so they share its memory.
"""

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

from flask import Flask

from governance.app.factory import create_app
from governance.kernel.web.server import Server
from governance.operations.decisions.app import DecisionApp

FOR_OPERATORS = ("/healthz", "/readyz", "/metrics")


@cache
def application() -> Flask:
    """Return the one application of this process."""
    return create_app()


def pages() -> Server:
    """Return pages, APIs and decisions, as an ASGI application."""
    app = application()
    return Server(app, app.extensions["serving"])


def decisions() -> Callable[..., Iterable[bytes]]:
    """Return the decision API alone, with health and metrics, as a WSGI application."""
    app = application()
    front: DecisionApp = app.extensions["decisions"]
    everything = front.inner

    def inner(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        if environ.get("PATH_INFO", "") in FOR_OPERATORS:
            return everything(environ, start)
        start("404 Not Found", [("Content-Type", "text/plain"), ("Content-Length", "0")])
        return []

    front.inner = inner
    return app.wsgi_app
