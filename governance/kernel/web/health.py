"""Liveness, readiness and metrics, for the people who operate Meridian."""

import hmac
from collections.abc import Callable

from flask import Response, current_app, jsonify, request
from prometheus_client import CONTENT_TYPE_LATEST, Gauge, generate_latest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from governance.kernel.data.db import session, transaction
from governance.kernel.errors import DomainError, NotFound
from governance.kernel.safety.access import PUBLIC
from governance.kernel.web.feature import Feature
from governance.kernel.web.responses import ResponseReturnValue

FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip", "Via")
health = Feature("health", __name__, scope="public")
measures: dict[Gauge, Callable[[], float]] = {
    Gauge("governance_work_waiting", "Tickets in the work queue"): lambda: (
        session().scalar(text("SELECT count(*) FROM work_tickets")) or 0
    ),
    # Gauges that are read at each scrape, in one transaction of no tenant; features add theirs.
}


def role_is_confined() -> bool:
    """Return whether the role is neither a superuser nor BYPASSRLS.

    Row-level security binds neither: with such a role the tenants would not be separated.
    """
    query = "SELECT NOT (rolsuper OR rolbypassrls) FROM pg_roles WHERE rolname = current_user"
    with transaction(read_only=True):
        return bool(session().scalar(text(query)))


checks: dict[str, Callable[[], bool]] = {"role": role_is_confined}


@health.get("/healthz", needs=PUBLIC)
def healthz() -> ResponseReturnValue:
    return jsonify(status="alive")


@health.get("/readyz", needs=PUBLIC)
def readyz() -> ResponseReturnValue:
    """Answer 200 when the database responds and has every migration of this code."""
    found = {}
    for name, check in checks.items():
        try:
            found[name] = check()
        except Exception:  # noqa: BLE001 - whatever is wrong with it, it is not ready
            found[name] = False
    ready = all(found.values())
    return jsonify(status="ready" if ready else "not ready", checks=found), 200 if ready else 503


@health.get("/metrics", needs=PUBLIC)
def metrics() -> ResponseReturnValue:
    """Answer a scraper on this machine, or one that knows the token.

    A request through a proxy is neither.
    """
    if not _may_measure(current_app.config["SETTINGS"].metrics_token):
        raise NotFound("This page doesn't exist.")
    try:
        with transaction(read_only=True):
            for gauge, measure in measures.items():
                gauge.set(measure())
    except (DomainError, DBAPIError):
        for gauge in measures:
            gauge.set(-1)
    return Response(generate_latest(), content_type=CONTENT_TYPE_LATEST)


def _may_measure(token: str | None) -> bool:
    if token:
        header = request.headers.get("Authorization", "")
        return hmac.compare_digest(header.encode("utf-8", "replace"), f"Bearer {token}".encode())
    near = request.remote_addr in {"127.0.0.1", "::1", "::ffff:127.0.0.1"}
    return near and not any(name in request.headers for name in FORWARDED)
