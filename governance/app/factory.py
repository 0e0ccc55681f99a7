"""The application factory: settings, database, and the features that manifests declare."""

import hashlib
import hmac
from functools import partial
from pathlib import Path
from typing import Any

import structlog
from flask import Flask
from sqlalchemy.orm import configure_mappers
from werkzeug.exceptions import HTTPException

from governance.app import installation_checks, migrate, refusals, shell
from governance.app.features import FEATURES
from governance.app.request_owners import owners_of
from governance.app.settings import from_environment
from governance.foundation.approvals import kinds as approval_kinds
from governance.foundation.audit import personal_field_encryption
from governance.foundation.people import session_views
from governance.kernel import client_address, config, logs
from governance.kernel.data import db
from governance.kernel.feature_settings import SETTINGS
from governance.kernel.files import storage
from governance.kernel.installation import domain
from governance.kernel.manifest import Manifest, install
from governance.kernel.manifest_checks import check_endpoints, check_manifests
from governance.kernel.pages import work_pages
from governance.kernel.safety import key_encryption, outbound_http
from governance.kernel.web import bearer, compression, request_bodies, responses
from governance.kernel.web.addresses import Console
from governance.kernel.web.feature import key_of, remember_seen
from governance.kernel.web.health import checks, health, measures
from governance.kernel.web.rate_limits import RateLimiter
from governance.kernel.web.security_contact import security_contact
from governance.kernel.work import outbox
from governance.kernel.work.events import check_subscribed
from governance.operations.decisions.app import DecisionApp
from governance.operations.decisions.snapshots import Snapshots
from governance.operations.intake import law

ROOT = Path(__file__).parents[2]
log = structlog.get_logger("factory")


def create_app(
    settings: config.Settings | None = None, manifests: tuple[Manifest, ...] = FEATURES
) -> Flask:
    """Return the application, as any WSGI server loads it.

    Raises ManifestError, before anything is registered, when the features' manifests contradict
    each other, and FaultyLaw for a file of the law that can't be used.
    """
    check_manifests(manifests)
    law.check_files()
    settings = settings or from_environment()
    logs.configure()
    app = Console(
        "governance", template_folder=str(ROOT / "templates"), static_folder=str(shell.STATIC)
    )
    app.config.update(
        SECRET_KEY=_derived(settings, "notes"),
        CSRF_KEY=_derived(settings, "csrf"),
        SECURE=settings.secure,
        # The demo shows edited templates immediately. Elsewhere templates never change.
        TEMPLATES_AUTO_RELOAD=settings.demo,
        PUBLIC_URL=settings.public_url,
        SESSION_COOKIE_NAME="__Host-notes" if settings.secure else "notes",
        TRUSTED_HOSTS=_trusted(settings),
        SESSION_COOKIE_SECURE=settings.secure,
        SESSION_COOKIE_SAMESITE="Lax",
        SETTINGS=settings,
    )
    app.url_map.converters["int"] = responses.ColumnInteger
    for blueprint in (
        health,
        security_contact,
        work_pages.feature,
        *(routes for each in manifests for routes in each.routes),
    ):
        app.register_blueprint(blueprint)
    check_endpoints(manifests, app.view_functions)
    connect(settings, manifests)
    compression.install(app)
    responses.install_hooks(app)
    app.after_request(remember_seen)
    for each in manifests:
        for finish in each.after_request:
            app.after_request(finish)
    checks.update(database=_database_answers, migrations=migrate.is_current)
    if not settings.demo:
        checks.update(installation_checks.readiness_checks())
    for each in manifests:
        measures.update(each.measures)
    shell.install(app, settings)
    refusals.install(app)
    # Assigning `wsgi_app` is how Flask is wrapped.
    app.wsgi_app = app.extensions["decisions"] = front = decisions(app, settings)  # type: ignore[method-assign, assignment]
    app.extensions["rate_limiter"] = front.limiter
    trusted = settings.trusted_proxies
    if trusted:
        app.wsgi_app = client_address.ForwardedAddress(front, trusted)  # type: ignore[method-assign, assignment] # as Flask's docs
    with app.app_context():
        session_cookie = responses.cookie_name("session")
    app.extensions["serving"] = request_bodies.Serving(
        partial(_sender, app, trusted),
        front.is_in_memory,
        partial(_is_urgent, app),
        partial(owners_of, trusted, session_cookie),
    )
    return app


def load_what_workers_share(app: Flask) -> None:
    """Load what every worker's first pages need, once, before the workers are forked.

    This covers the mappers of the database and the templates of the shell and of components.
    """
    configure_mappers()
    for name in app.jinja_env.list_templates():
        if name == "layout.html" or name.startswith("components/"):
            app.jinja_env.get_template(name)


def decisions(app: Flask, settings: config.Settings) -> DecisionApp:
    """Put the decision API in front of the pages. A worker with a stale snapshot isn't ready."""
    snapshots = Snapshots(settings.database_url)
    checks["snapshots"] = lambda: not snapshots.is_stale
    return DecisionApp(
        app.wsgi_app,
        snapshots,
        RateLimiter(settings.workers),
        settings.domain,
        tuple(_trusted(settings)),
        follow=settings.follows,
        secure=settings.secure,
    )


def _sender(
    app: Flask, trusted: tuple[client_address.Network, ...], environ: dict[str, Any]
) -> request_bodies.Sender:
    """Return the sender of a request: a valid key, a live session, or else its network."""
    client_address.correct_address(environ, trusted)
    try:
        with app.request_context(environ):
            api_key = key_of(bearer.header_of(environ))
            if api_key is not None:
                return request_bodies.Sender("key", str(api_key.key_id))
            who = session_views.signed_in_anywhere()
            if who is not None:
                return request_bodies.Sender("person", str(who.person_id or who.session_id))
    except Exception as error:  # noqa: BLE001 - a sender who can't be identified is a stranger
        log.warning("sender not identified", reason=type(error).__name__)
    return request_bodies.Sender("stranger", responses.network_of(environ.get("REMOTE_ADDR", "")))


def _is_urgent(app: Flask, environ: dict[str, Any]) -> bool:
    try:
        endpoint, _values = app.url_map.bind("").match(
            environ["PATH_INFO"], environ["REQUEST_METHOD"]
        )
    except HTTPException:
        return False
    return bool(getattr(app.view_functions.get(endpoint), "urgent", False))


def _trusted(settings: config.Settings) -> list[str]:
    """Return the host names that requests may use; any other Host header is rejected."""
    return [settings.host, "127.0.0.1", "localhost", "[::1]"]


def connect(settings: config.Settings, manifests: tuple[Manifest, ...] = FEATURES) -> None:
    """Connect everything that a command needs before its first transaction."""
    install(manifests)
    check_subscribed()
    approval_kinds.register(*approval_kinds.APPROVAL_KINDS.parts())
    db.connect(settings.database_url)
    key_encryption.use(settings.kek, settings.previous_kek)
    outbound_http.use(settings.private_networks)
    storage.use(settings.storage_url, personal_field_encryption.object_key)
    for setting in SETTINGS.parts():
        setting.use(settings.of_features.get(setting.name, setting.default))
    outbox.use(settings.smtp_url, settings.var / "outbox", domain=settings.domain)
    domain.connect(settings.domain)


def _derived(settings: config.Settings, purpose: str) -> bytes:
    return hmac.new(settings.secret_key, purpose.encode(), hashlib.sha256).digest()


def _database_answers() -> bool:
    with db.transaction(read_only=True):
        return True
