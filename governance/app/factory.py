"""Puts the application together: settings, database, features in order, one refusal page."""

import hashlib
import hmac
from collections.abc import Collection, Mapping
from functools import cache, lru_cache, partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import structlog
from flask import Flask, Response, current_app, g, jsonify, make_response, redirect, render_template, request, url_for
from prometheus_client import Gauge
from sqlalchemy.exc import DBAPIError
from werkzeug.exceptions import HTTPException

from governance.app import migrate, models
from governance.assurance.access_reviews.views import feature as access_reviews
from governance.assurance.assessments.views import feature as assessments
from governance.assurance.collectors.views import feature as collectors
from governance.assurance.controls.drill_evidence import file_drill
from governance.assurance.controls.views import feature as controls
from governance.assurance.engagements import auditor_sign_in as auditors
from governance.assurance.engagements import change_freeze, reauthentication
from governance.assurance.engagements.actions import follow_clocks
from governance.assurance.engagements.auditor_scope import scope_of_auditor
from governance.assurance.engagements.download_custody import end_shut_out, watch_leaving
from governance.assurance.engagements.queries import audits
from governance.assurance.engagements.views import feature as engagements
from governance.assurance.evidence import scanning
from governance.assurance.evidence.api import feature as evidence_api
from governance.assurance.evidence.api import public as api_description
from governance.assurance.evidence.views import feature as evidence
from governance.assurance.frameworks.views import feature as frameworks
from governance.assurance.frameworks.views import operator_feature as operator_frameworks
from governance.assurance.testing import beside as testing_beside
from governance.assurance.testing.views import feature as testing
from governance.foundation.anchors.views import feature as anchors
from governance.foundation.api_keys import actions as key_actions
from governance.foundation.api_keys import queries as keys
from governance.foundation.api_keys.ports import subjects
from governance.foundation.api_keys.views import feature as api_keys
from governance.foundation.audit import logs as logs_of_tenants
from governance.foundation.audit import sealing, sequencer
from governance.foundation.audit.api import feature as audit_api
from governance.foundation.logbook.check import public as log_check
from governance.foundation.logbook.exports import feature as log_exports
from governance.foundation.logbook.log_health import Pulse, pulse
from governance.foundation.logbook.read_auditing import note_reading
from governance.foundation.logbook.views import feature as logbook
from governance.foundation.people import actions as members
from governance.foundation.people import step_up
from governance.foundation.people import views as people
from governance.foundation.people.connection_views import feature as connections
from governance.foundation.privacy.erasing import erasers
from governance.foundation.privacy.views import feature as privacy
from governance.foundation.privacy.views import remember_unmasked
from governance.foundation.tenants import actions as tenant_actions
from governance.foundation.tenants import queries as tenants
from governance.foundation.tenants.views import feature as tenant_settings
from governance.foundation.tenants.views import operator_feature as operator_tenants
from governance.kernel import (
    bearer,
    bodies,
    charts,
    clock,
    config,
    current,
    db,
    formatting,
    key_encryption,
    logs,
    outbox,
    storage,
    web,
)
from governance.kernel import scope as scopes
from governance.kernel.access import ROLE_NAMES, allowed, registry
from governance.kernel.errors import DomainError, KeyNeeded, SignInNeeded, Stale, StepUpNeeded, Unavailable
from governance.kernel.events import subscribe
from governance.kernel.feature import doors, key_of, remember_seen
from governance.kernel.health import checks, health, measures
from governance.operations.decisions.app import Decisions
from governance.operations.decisions.limits import Limiter
from governance.operations.decisions.snapshots import Snapshots
from governance.operations.policies.views import feature as policies
from governance.operations.policies.views import operator_feature as operator_policies
from governance.operations.switches import banner as stops
from governance.operations.switches.events import DrillEnded
from governance.operations.switches.views import feature as switches
from governance.operations.switches.views import operator_feature as operator_switches
from governance.operations.systems import queries as registered_systems
from governance.operations.systems.views import feature as systems
from governance.publishing.overview import engagement_context
from governance.publishing.overview.command_palette import feature as jump
from governance.publishing.overview.views import feature as overview
from governance.publishing.overview.views import operator_feature as operator_overview
from governance.publishing.reports.actions import sign_as, withdraw_naming
from governance.publishing.reports.views import feature as reports
from governance.publishing.reports.views import public as report_check

FEATURES = [
    health, people.door, auditors.public, report_check, log_check, overview, operator_overview, jump, frameworks, operator_frameworks, assessments,
    controls, evidence, collectors, testing, engagements, reauthentication.feature, access_reviews, systems, policies, switches, operator_policies, operator_switches, logbook, log_exports, anchors, reports, people.feature, connections, step_up.feature, privacy, tenant_settings, operator_tenants,
    api_keys, audit_api, evidence_api, api_description,
]  # fmt: skip
ROOT = Path(__file__).parents[2]
STATIC = ROOT / "governance" / "static"
OLDEST = Gauge(
    "governance_audit_oldest_pending_seconds", "How long the oldest entry has waited for its place in a log; alarm at 10"
)
log = structlog.get_logger("factory")


def create_app(settings: config.Settings | None = None) -> Flask:
    """The application, as any WSGI server loads it."""
    settings = settings or config.from_environment()
    logs.configure()
    app = Flask("governance", template_folder=str(ROOT / "templates"), static_folder=str(STATIC))
    app.config.update(
        SECRET_KEY=_derived(settings, "notes"), CSRF_KEY=_derived(settings, "csrf"), SECURE=settings.secure,
        TEMPLATES_AUTO_RELOAD=settings.demo,  # an edited page shows at the next look; elsewhere pages never change
        PUBLIC_URL=settings.public_url, SESSION_COOKIE_NAME="__Host-notes" if settings.secure else "notes",
        TRUSTED_HOSTS=_trusted(settings), SESSION_COOKIE_SECURE=settings.secure, SESSION_COOKIE_SAMESITE="Lax", SETTINGS=settings,
    )  # fmt: skip
    connect(settings)
    web.dress(app)
    app.after_request(remember_seen)
    app.after_request(remember_unmasked)
    app.after_request(note_reading)
    app.after_request(watch_leaving)
    app.after_request(end_shut_out)
    doors.tenant_id, doors.identify, doors.keys, doors.seen = tenants.tenant_id, auditors.identify, keys.keys_for, _seen
    doors.sign_in_again, doors.resubmit = _sign_in_again, step_up.resubmit
    checks.update(database=_database_answers, migrations=migrate.is_current)
    measures[OLDEST] = lambda: sequencer.oldest(sequencer.waiting())
    for feature in FEATURES:
        app.register_blueprint(feature)
    _dress_templates(app, settings)
    app.wsgi_app = app.extensions["decisions"] = front = decisions(app, settings)  # type: ignore[method-assign, assignment]  # how Flask is wrapped
    app.extensions["serving"] = bodies.Serving(partial(_sender, app), front.is_in_memory, partial(_is_urgent, app))
    app.url_default_functions.setdefault(None, []).append(_same_tenant)
    for error in (DomainError, HTTPException, DBAPIError, Exception):
        app.register_error_handler(error, _refused)
    return app


def decisions(app: Flask, settings: config.Settings) -> Decisions:
    """The decision API in front of the pages; a worker that is out of touch for too long is not ready."""
    held = Snapshots(settings.database_url)
    checks["snapshots"] = lambda: not held.is_stale
    return Decisions(app.wsgi_app, held, Limiter(settings.workers), settings.domain, follow=settings.follows)


def _sender(app: Flask, environ: dict[str, Any]) -> bodies.Sender:
    """Who sends a request, by a valid key or a live session; otherwise the network that it comes from."""
    try:
        with app.request_context(environ):
            held = key_of(bearer.header_of(environ))
            if held is not None:
                return bodies.Sender("key", str(held.key_id))
            who = people.signed_in_anywhere()
            if who is not None:
                return bodies.Sender("person", str(who.person_id or who.session_id))
    except Exception as error:  # noqa: BLE001 - whoever cannot be identified is a stranger
        log.warning("sender not identified", reason=type(error).__name__)
    return bodies.Sender("stranger", web.network_of(environ.get("REMOTE_ADDR", "")))


def _is_urgent(app: Flask, environ: dict[str, Any]) -> bool:
    try:
        endpoint, _values = app.url_map.bind("").match(environ["PATH_INFO"], environ["REQUEST_METHOD"])
    except HTTPException:
        return False
    return bool(getattr(app.view_functions.get(endpoint), "urgent", False))


def _seen(who: current.Actor) -> None:
    """Note that a session or a key is in use."""
    (key_actions.note_use if who.key_id else people.seen)(who)


def _trusted(settings: config.Settings) -> list[str]:
    """The names that a request may call this host by; any other Host header is refused."""
    return [settings.host, "127.0.0.1", "localhost", "[::1]"]


def connect(settings: config.Settings) -> None:
    """What every command of the console needs before its first transaction."""
    db.connect(settings.database_url)
    key_encryption.use(settings.kek, settings.previous_kek)
    storage.use(settings.storage_url, sealing.object_key)
    scanning.use(settings.clamav)
    outbox.use(settings.smtp_url, settings.var / "outbox", domain=settings.domain)
    sign_as(settings.domain)
    logs_of_tenants.serve_as(settings.domain)
    erasers[:] = [withdraw_naming]
    subjects.connect(registered_systems)
    subscribe(DrillEnded, file_drill)
    members.engaged[:] = [audits]
    tenant_actions.on_new_clocks[:] = [follow_clocks]
    scopes.narrow(scope_of_auditor)
    testing_beside.tell(engagement_context.engaged, engagement_context.running)
    change_freeze.watch()


def _derived(settings: config.Settings, purpose: str) -> bytes:
    return hmac.new(settings.secret_key, purpose.encode(), hashlib.sha256).digest()


def _database_answers() -> bool:
    with db.transaction(read_only=True):
        return True


def _same_tenant(endpoint: str, values: dict[str, Any]) -> None:
    """`url_for` inside a tenant stays in it."""
    who = current.actor_or_none() or g.get("actor")
    if who is not None and "tenant" not in values and endpoint.partition(".")[0] in TENANT_FEATURES:
        values["tenant"] = who.tenant_slug


TENANT_FEATURES = {feature.name for feature in FEATURES if feature.scope == "tenant"}


# ---- templates

NAV = (
    (("Overview", "layout-dashboard", "overview.overview", "overview", "people.own"),),
    (("Frameworks", "shield", "frameworks.index", "frameworks assessments", "frameworks.view"),
     ("Controls", "clipboard-check", "controls.index", "controls", "controls.view"),
     ("Evidence", "files", "evidence.index", "evidence collectors testing engagements", "evidence.view")),
    (("AI systems", "cpu", "systems.index", "systems switches", "systems.view"),
     ("Policies", "adjustments-horizontal", "policies.index", "policies", "policies.view")),
    (("Audit log", "fingerprint", "logbook.index", "logbook log_exports anchors", "audit.view"),
     ("Reports", "clipboard-data", "reports.index", "reports", "reports.view")),
    (("Settings", "settings", "tenant_settings.settings", "tenant_settings people connections api_keys access_reviews privacy", "people.own"),),
)  # fmt: skip
OPERATOR_NAV = (
    (("Tenants", "layout-dashboard", "operator_overview.overview", "operator_overview operator_tenants", "tenants.view"),
     ("Frameworks", "shield", "operator_frameworks.index", "operator_frameworks", "tenants.view"),
     ("Floor", "adjustments-horizontal", "operator_policies.index_of_operator", "operator_policies", "platform.view"),
     ("Switch", "bolt", "operator_switches.switch", "operator_switches", "switches.platform")),
    (("Settings", "settings", "people.members", "people connections api_keys", "people.members"),),
)  # fmt: skip


def _dress_templates(app: Flask, settings: config.Settings) -> None:
    environment = app.jinja_env
    environment.trim_blocks = environment.lstrip_blocks = True
    environment.filters.update(formatting.FILTERS)
    environment.globals.update(
        asset=asset, csrf_token=web.csrf_token, allowed=allowed, may=may, product=settings.product, ROLE_NAMES=ROLE_NAMES,
        now=clock.now, today=clock.today, proof_tree=charts.proof_tree, evidence_counts=engagement_context.counts,
    )  # fmt: skip
    environment.globals["c"] = Components(environment.get_template("components/all.html").module)
    app.context_processor(_shell)


PURE = (
    "icon",
    "shape",
    "state",
    "dial",
    "level",
    "move",
    "arrow",
    "initials",
    "face",
    "who",
    "day",
    "nothing",
    "ref",
    "count",
    "pips",
    "hash",
    "verb",
    "th",
)


class Components:
    """The macros as templates call them. Those whose markup follows from their arguments alone are drawn once.

    A table of 72 requirements calls 1 660 of them; drawn once, 640 of those calls are left out.
    """

    def __init__(self, macros: Any) -> None:
        self._macros = macros
        for name in PURE:
            setattr(self, name, lru_cache(maxsize=4096)(getattr(macros, name)))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._macros, name)


@cache
def asset(name: str) -> str:
    """The address of a static file with its digest, so that a browser may keep it for a year."""
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]
    return f"/static/{name}?v={digest}"


def may(name: str) -> bool:
    return allowed(registry[name])


def _shell() -> dict[str, Any]:
    """What the layout draws around every page."""
    who = current.actor_or_none() or g.get("actor")
    shell: dict[str, Any] = {
        "theme": "dark" if request.cookies.get("theme") == "dark" else "light", "current": who, "lang": "en",
        "here": request.full_path.rstrip("?") if request.method == "GET" else request.path, "request_id": g.get("request_id", ""),
    }  # fmt: skip
    if who is None:
        return shell
    operator = who.role.startswith("operator")
    with current.acting_as(who):
        standing = _standing(who)
        counts = {"systems.index": len(standing.stops)}
        limited = _limited(who)
        hidden = {"overview.overview"} if limited else set()
        groups = [_nav_group(group, counts, hidden) for group in (OPERATOR_NAV if operator else NAV)]
        shell["nav"] = [group for group in groups if group]
        shell["pulse"] = _pulse(who)
        shell |= {
            "banner": _banner(standing, operator=operator),
            "stopped_of": standing.systems,
            "stopped_count": len(standing.stops),
        }
    shell |= {
        "tenant": {"slug": who.tenant_slug, "name": who.tenant_name, "note": ROLE_NAMES[who.role]},
        "role_name": ROLE_NAMES[who.role], "home": "/operator/" if operator else f"/t/{who.tenant_slug}/",
        "switcher_href": f"/t/{who.tenant_slug}/settings/tenants",
        "jump_href": None if operator else f"/t/{who.tenant_slug}/jump",
        "inbox_href": None if operator or limited else f"/t/{who.tenant_slug}/#waits",
    }  # fmt: skip
    return shell


def _pulse(who: current.Actor) -> Pulse | None:
    """The state of the log. A refusal is drawn after its request's transaction has ended, so it opens its own."""
    try:
        if not db.is_open():
            with db.transaction(read_only=True, tenant_id=who.tenant_id):
                return pulse()
        return pulse()
    except (DomainError, DBAPIError):  # the page is what was asked for
        return None


def _limited(who: current.Actor) -> bool:
    """Whether it is an auditor whose engagement leaves anything out: the overview, which counts everything, is not for him."""
    try:
        if who.role == "auditor" and not db.is_open():
            with db.transaction(read_only=True, tenant_id=who.tenant_id):
                return scopes.limits() is not None
        return who.role == "auditor" and scopes.limits() is not None
    except (DomainError, DBAPIError):
        return True


def _standing(who: current.Actor) -> stops.Standing:
    """What is stopped, as on every page; a refusal opens its own transaction, as for the pulse."""
    try:
        if not db.is_open():
            with db.transaction(read_only=True, tenant_id=who.tenant_id):
                return stops.standing()
        return stops.standing()
    except (DomainError, DBAPIError):
        return stops.Standing()


def _banner(standing: stops.Standing, *, operator: bool) -> dict[str, Any] | None:
    told = standing.banner(operator=operator)
    if told is None:
        return None
    endpoint, values = told["to"]
    opens = allowed(vars(current_app.view_functions[endpoint])["needs"])
    return {**told, "href": url_for(endpoint, **values) if opens else None}


def _nav_group(group: Any, counts: Mapping[str, int], hidden: Collection[str]) -> list[dict[str, Any]]:
    """`counts` is endpoint → how much of it is stopped; `hidden` are endpoints that lead this reader nowhere."""
    blueprint = request.blueprint or ""
    return [
        {
            "label": label,
            "icon": icon,
            "href": url_for(endpoint),
            "current": blueprint in features.split(),
            "count": counts.get(endpoint, 0),
            "count_bad": True,
            "count_word": "stopped",
        }
        for label, icon, endpoint, features, permission in group
        if may(permission) and endpoint not in hidden
    ]


# ---- refusals

REMEDIES = {
    404: "Check the address, or go back to where you came from.",
    413: "Send a smaller file, or link to where the large one is kept.",
    500: "Nothing was changed. If it happens again, tell the operator the request's number.",
    503: "It works again when the server behind it does.",
}


def _refused(error: Exception) -> Response:
    """Every refusal in one place: a page, or RFC 9457 problem JSON for machines."""
    status, sentence = _status_of(error)
    if isinstance(error, SignInNeeded) and _wants_page():
        return _to_sign_in(sentence)
    if isinstance(error, StepUpNeeded) and _wants_page():
        return make_response(step_up.ask())
    if not _wants_page():
        return _with_headers(error, _problem(error, status, sentence))
    changes = [(n, then, now) for n, (then, now) in error.changes.items()] if isinstance(error, Stale) else []
    context = {
        "status": status,
        "title": getattr(error, "title", None),
        "sentence": sentence,
        "changes": changes,
        "remedy": REMEDIES.get(status),
    }
    return _with_headers(error, make_response(render_template("refused.html", **context), status))


def _with_headers(error: Exception, answer: Response) -> Response:
    """What HTTP wants beside the status: `Allow` with 405, `Retry-After` where something says when."""
    if isinstance(error, HTTPException):
        answer.headers.update({name: value for name, value in error.get_headers() if name != "Content-Type"})
    return answer


def _problem(error: Exception, status: int, sentence: str) -> Response:
    """RFC 9457; a missing key is asked for as RFC 6750 says."""
    field = getattr(error, "field", None)
    body = jsonify(
        type="about:blank", title=sentence, status=status, request_id=g.get("request_id"), **({"field": field} if field else {})
    )
    body.headers["Content-Type"] = "application/problem+json"
    if isinstance(error, KeyNeeded):
        body.headers["WWW-Authenticate"] = 'Bearer realm="console"' + (f', error="{error.reason}"' if error.reason else "")
    return make_response(body, status)


def _status_of(error: Exception) -> tuple[int, str]:
    if isinstance(error, DomainError):
        return error.status, error.message
    if isinstance(error, HTTPException):
        return error.code or 500, SENTENCES.get(error.code or 500, error.description or "The request was refused.")
    if isinstance(error, DBAPIError) and (error.connection_invalidated or "OperationalError" in type(error).__name__):
        db.engine().dispose()
        return Unavailable.status, "The database went away while this was under way. Nothing was changed; try again in a moment."
    log.error("unhandled", exc_info=error, path=request.path)
    return 500, "Something failed inside the console, and the fault is ours."


SENTENCES = {
    404: "There is no such page.",
    405: "This address does not take that kind of request.",
    413: "What was sent is larger than this page takes. Nothing was saved.",
    400: "The request cannot be read.",
}


def _wants_page() -> bool:
    if web.for_machines() or request.path.startswith(("/api/", "/audit/", "/ofrep/", "/policy/", "/scim/")):
        return False
    best = request.accept_mimetypes.best_match(["text/html", "application/json"], default="text/html")
    return best == "text/html"


def _to_sign_in(sentence: str) -> Response:
    slug = (request.view_args or {}).get("tenant")
    target = request.full_path.rstrip("?") if request.method == "GET" else "/"
    where = f"/login?next={quote(target)}"
    if sentence.startswith("You are signed in to") and slug:
        where = f"/login?tenant={quote(slug)}&next={quote(target)}"
    return make_response(redirect(where, 302))


def _sign_in_again(who: current.Actor, onward: str) -> str:
    """Where that person signs in again, and then comes to `onward`."""
    return reauthentication.address(who, onward) or f"/login?tenant={quote(who.tenant_slug)}&fresh=1&next={quote(onward)}"


__all__ = ["asset", "connect", "create_app", "models"]
