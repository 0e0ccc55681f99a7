"""Addresses of pages, built once per process: a list asks for hundreds of them.

    Console     the Flask application whose `url_for` caches what it built

An address follows from the endpoint, its values and the reader's tenant (`app/shell.py` adds it),
so it contains nothing about who may open it.
"""

from collections.abc import Callable
from functools import lru_cache
from http import HTTPStatus
from typing import Any
from uuid import UUID

from flask import Flask, Request, Response, g, has_request_context, request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from werkzeug.datastructures import Headers

from governance.kernel import current

MAX_ADDRESSES = 16_384
# The types whose equal values have the same text; True equals 1.
PLAIN = frozenset({str, int, UUID})


class NoteSessions(SecureCookieSessionInterface):
    """Flask's session, which has notes alone: nothing is prepared for a browser without one."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        if self.get_cookie_name(app) not in request.cookies:
            return self.session_class()
        return super().open_session(app, request)


class ConsoleResponse(Response):
    """Flask's answer. A page has all of its headers when it is sent, so they are not copied."""

    def get_wsgi_headers(self, environ: dict[str, Any]) -> Headers:
        headers = self.headers
        if (
            self.status_code == HTTPStatus.OK
            and "Content-Length" in headers
            and "Content-Location" not in headers
            and "Location" not in headers
        ):
            return headers
        return super().get_wsgi_headers(environ)


class Console(Flask):
    """The application. `url_for` works as Flask's; no view or hook is a coroutine."""

    response_class = ConsoleResponse
    session_interface = NoteSessions()

    def __init__(self, *given: Any, **options: Any) -> None:
        super().__init__(*given, **options)
        self._built = lru_cache(MAX_ADDRESSES)(self._build)

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function. Flask would check for each request whether it is a coroutine."""
        return func

    def url_for(
        self,
        endpoint: str,
        *,
        _anchor: str | None = None,
        _method: str | None = None,
        _scheme: str | None = None,
        _external: bool | None = None,
        **values: Any,
    ) -> str:
        if (
            not (_anchor or _method or _scheme or _external)
            and has_request_context()
            and PLAIN.issuperset(map(type, values.values()))
        ):
            who = current.actor_or_none() or g.get("actor")
            return self._built(
                request.blueprint if endpoint[:1] == "." else None,
                who.tenant_slug if who is not None else None,
                request.script_root,
                endpoint,
                *values.items(),
            )
        return super().url_for(
            endpoint,
            _anchor=_anchor,
            _method=_method,
            _scheme=_scheme,
            _external=_external,
            **values,
        )

    def _build(
        self,
        _blueprint: str | None,
        _tenant: str | None,
        _root: str,
        endpoint: str,
        *values: tuple[str, Any],
    ) -> str:
        return super().url_for(endpoint, **dict(values))
