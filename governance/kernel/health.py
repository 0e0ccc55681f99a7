"""Liveness, readiness and metrics, for whoever runs the console."""

from collections.abc import Callable

from flask import Response, jsonify
from prometheus_client import CONTENT_TYPE_LATEST, Gauge, generate_latest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from governance.kernel.access import PUBLIC
from governance.kernel.db import session, transaction
from governance.kernel.errors import DomainError
from governance.kernel.feature import Feature
from governance.kernel.web import ResponseReturnValue

health = Feature("health", __name__, scope="public")
waiting = Gauge("governance_work_waiting", "Tickets in the work queue")


def role_is_confined() -> bool:
    """Row-level security binds neither superusers nor BYPASSRLS: with such a role the tenants would not be apart."""
    query = "SELECT NOT (rolsuper OR rolbypassrls) FROM pg_roles WHERE rolname = current_user"
    with transaction(read_only=True):
        return bool(session().scalar(text(query)))


checks: dict[str, Callable[[], bool]] = {"role": role_is_confined}


@health.get("/healthz", needs=PUBLIC)
def healthz() -> ResponseReturnValue:
    return jsonify(status="alive")


@health.get("/readyz", needs=PUBLIC)
def readyz() -> ResponseReturnValue:
    """Ready when the database answers and has every migration of this code."""
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
    try:
        with transaction(read_only=True):
            waiting.set(session().scalar(text("SELECT count(*) FROM work_tickets")) or 0)
    except (DomainError, DBAPIError):
        waiting.set(-1)
    return Response(generate_latest(), content_type=CONTENT_TYPE_LATEST)
