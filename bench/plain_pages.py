"""The console's pages and Flask's hello, from one worker of granian's WSGI server.

Decisions in the worker that serves pages are compared with it.
"""

from collections.abc import Callable, Iterable
from typing import Any

from bench.floor import app as floor
from governance.app.factory import create_app

console = create_app()


def app(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
    return (floor if environ["PATH_INFO"] == "/hello" else console)(environ, start)
