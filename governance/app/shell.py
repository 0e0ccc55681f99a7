"""The frame of every page: its navigation and context, and the functions that templates may call."""

import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import groupby
from pathlib import Path
from typing import Any

from flask import Flask, current_app, g, request, url_for
from jinja2 import StrictUndefined, Undefined
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from governance.foundation.audit.proof_charts import proof_tree
from governance.foundation.logbook.log_health import LogHealth, log_health, recall
from governance.foundation.people.aliases import who_did
from governance.kernel import clock, current, formatting
from governance.kernel.config import Settings
from governance.kernel.data import db
from governance.kernel.data.tenant_cache import BoundedCache
from governance.kernel.errors import DomainError
from governance.kernel.glossary import find_term
from governance.kernel.manifest import Audience, Manifest, NavItem, installed
from governance.kernel.safety.access import ROLE_NAMES, allowed, registry
from governance.kernel.safety.visibility_scope import limits
from governance.kernel.web import responses
from governance.kernel.web.feature import Feature, granted_blueprints
from governance.kernel.web.redirects import way_back
from governance.operations.switches import banner as stops
from governance.publishing.inbox import next_item
from governance.publishing.inbox import queries as inboxes
from governance.publishing.overview import engagement_context

MAX_NAVIGATIONS = 2048  # Keyed by tenant, role, section and badge counts.
MAX_DRAWN = 6000  # Rows of lists, over all tenants. Each is about two kilobytes.
THEMES = ("light", "dark", "system")
STATIC = Path(__file__).parents[1] / "static"


class Unprintable(Undefined):
    """An undefined template name that a template may test, but that raises an error when printed.

    Jinja's own prints nothing, so a wrong name would leave a blank that nobody notices.
    """

    __slots__ = ()
    __str__ = StrictUndefined.__str__


def install(app: Flask, settings: Settings) -> None:
    """Give templates their filters, functions and components, and every page its frame."""
    environment = app.jinja_env
    environment.trim_blocks = environment.lstrip_blocks = True
    environment.undefined = Unprintable
    environment.filters.update(formatting.FILTERS)
    environment.globals.update(
        asset=asset,
        csrf_token=responses.csrf_token,
        allowed=allowed,
        may=may,
        product=settings.product,
        ROLE_NAMES=ROLE_NAMES,
        who_did=who_did,
        now=clock.now,
        today=clock.today,
        proof_tree=proof_tree,
        evidence_counts=engagement_context.counts,
        section_tabs=section_tabs,
        way_back=way_back,
        glossary_term=find_term,
        cached_macro=cached_macro,
        cached_rows=cached_rows,
    )
    environment.globals["c"] = Components(environment.get_template("components/all.html").module)
    app.extensions["navigation"] = BoundedCache(MAX_NAVIGATIONS)
    app.context_processor(_shell)
    tenant_blueprints = {
        name
        for name, blueprint in app.blueprints.items()
        if isinstance(blueprint, Feature) and blueprint.scope == "tenant"
    }

    def same_tenant(endpoint: str, values: dict[str, Any]) -> None:
        """Add the tenant to addresses that `url_for` builds inside a tenant."""
        who = current.actor_or_none() or g.get("actor")
        if (
            who is not None
            and "tenant" not in values
            and endpoint.partition(".")[0] in tenant_blueprints
        ):
            values["tenant"] = who.tenant_slug

    app.url_default_functions.setdefault(None, []).append(same_tenant)


CACHED = (
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
    "nothing",
    "ref",
    "count",
    "pips",
    "hash",
    "verb",
    "th",
    "brand",
    "tenant_face",
    "tenant_link",
    "sections",
    "pulse",
    "jump",
    "inbox_link",
    "bell_link",
    "palette",
    "rail_head",
    "styles",
    "theme_button",
    "account_button",
    "account_name",
    "account_links",
    "foot",
    "help_text",
    "title",
)


@dataclass(frozen=True, slots=True)
class TenantFace:
    """The acting tenant, as the navigation rail shows it."""

    slug: str
    name: str
    note: str
    mark: str = ""


@dataclass(frozen=True, slots=True)
class NavLink:
    """One navigation item, as it is rendered."""

    label: str
    icon: str
    href: str
    current: bool
    count: int
    count_word: str


class Navigation(tuple[tuple[NavLink, ...], ...]):
    """Groups of navigation items. It is rendered once, and is the cache key of its own markup."""

    __slots__ = ()
    __eq__ = object.__eq__
    __hash__ = object.__hash__


@dataclass(frozen=True, slots=True)
class Pulse:
    """The health of the log, as the foot of the rail words it."""

    ok: bool
    title: str
    lines: tuple[str, ...]


READERS_MACROS = ("day",)  # Cached as well, once per time zone and regional format.


class Components:
    """The macros as templates call them.

    A macro is rendered once and cached if its markup depends only on its arguments, or on those and
    the reader's number and date formats.

    A table of 72 requirements calls 1,660 macros, and 640 of the calls are answered from the cache.
    """

    def __init__(self, macros: Any) -> None:
        for name, macro in vars(macros).items():
            if not name.startswith("_"):
                # Typed, because a string is escaped and the equal Markup is not.
                kept = lru_cache(maxsize=4096, typed=True)(macro) if name in CACHED else macro
                setattr(self, name, kept)
        for name in READERS_MACROS:
            setattr(self, name, _cached_for_readers(getattr(macros, name)))


def _cached_for_readers(macro: Callable[..., Any]) -> Callable[..., Any]:
    @lru_cache(maxsize=4096)
    def cached(_style: tuple[str, str], *values: Any, **named: Any) -> Any:
        return macro(*values, **named)

    return lambda *values, **named: cached(formatting.style(), *values, **named)


_kept_rows = BoundedCache(MAX_DRAWN)


def cached_macro(macro: Any, *arguments: Any) -> Any:
    """Return a macro's markup for these arguments, rendered once for all readers of the tenant.

    Meant for rows of long lists, whose macro is imported without the page's context. The markup may
    depend on nothing about the reader that isn't an argument.
    """
    return _kept_row((macro, _readers()), macro, arguments)


def cached_rows(macro: Any, rows: Iterable[Any], *arguments: Any) -> list[Any]:
    """Return the result of `cached_macro` for each row."""
    key = macro, _readers()
    return [_kept_row(key, macro, (row, *arguments)) for row in rows]


def _readers() -> tuple[Any, ...]:
    """Return the cache key shared by readers who see the same row."""
    return request.script_root, current.actor().tenant_slug, formatting.style()


def _kept_row(key: tuple[Any, ...], macro: Any, arguments: tuple[Any, ...]) -> Any:
    return _kept_rows.get((key, arguments), lambda: macro(*arguments))


@cache
def asset(name: str) -> str:
    """Return the address of a static file with its digest, so that browsers can cache it for a
    year.
    """
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]
    return f"/static/{name}?v={digest}"


def may(name: str, *, on: Any = None) -> bool:
    """Return whether the reader has a permission, by its name: in general, or for this object."""
    return allowed(registry[name], on=on)


def _shell() -> dict[str, Any]:
    """Return the context of the layout: tenant, navigation, banner, inbox count."""
    who = current.actor_or_none() or g.get("actor")
    shell: dict[str, Any] = {
        "theme": _theme(who),
        "current": who,
        "lang": "en",
        "here": request.full_path.rstrip("?") if request.method == "GET" else request.path,
        "request_id": g.get("request_id", ""),
    }
    if who is None:
        return shell
    operator = who.role.startswith("operator")
    with current.acting_as(who):
        active = _read(who, stops.active_stops, stops.BannerStops())
        counts = {"systems.index": len(active.stops)}
        limited = _is_limited(who)
        audience: Audience = "operator" if operator else "tenant"
        none: dict[str, int] = {}
        counts |= _read(who, lambda: badges(audience, limited=limited), none)
        shell["nav"] = navigation(audience, counts, limited=limited)
        shell["pulse"] = _pulse(_read(who, log_health, None))
        shell["waiting"] = _read(who, lambda: inboxes.tally().open, 0)
        shell |= {
            "banner": _banner(active, operator=operator),
            "stopped_of": active.systems,
            "stopped_count": len(active.stops),
        }
    shell["support_access"] = who.support
    shell |= {
        "tenant": TenantFace(who.tenant_slug, who.tenant_name, ROLE_NAMES[who.role]),
        "role_name": ROLE_NAMES[who.role],
        "home": "/operator/" if operator else f"/t/{who.tenant_slug}/",
        "switcher_href": f"/t/{who.tenant_slug}/settings/tenants",
        "jump_href": f"/t/{who.tenant_slug}/jump",
        "search_href": f"/t/{who.tenant_slug}/search",
        "inbox_href": f"/t/{who.tenant_slug}/inbox/",
        "from_inbox": next_item.opened(),
    }
    if who.support is None:  # A visiting operator isn't a member and has neither.
        shell["bell_href"] = f"/t/{who.tenant_slug}/notifications/"
        shell["profile_href"] = f"/t/{who.tenant_slug}/settings/profile"
    return shell


def _theme(who: current.Actor | None) -> str:
    """Return light, dark or system: this browser's choice, or else the one in the reader's profile."""
    wanted = request.cookies.get("theme") or (who.theme if who else "")
    return wanted if wanted in THEMES else "light"


def _read[T](who: current.Actor, ask: Callable[[], T], otherwise: T) -> T:
    """Return what `ask` reads for a page's frame, or `otherwise` if access is denied.

    The page matters more than its frame. An error page is rendered after its request's transaction
    has ended, so it opens its own, and there a failing database also returns `otherwise`. In the
    page's own transaction a failing database raises, since nothing more could be read in it.
    """
    try:
        if db.is_open():
            return ask()
        try:
            with db.transaction(read_only=True, tenant_id=who.tenant_id):
                return ask()
        except DBAPIError:
            return otherwise
    except DomainError:
        return otherwise


def _is_limited(who: current.Actor) -> bool:
    """Return whether the reader is an auditor with a limited scope, who can't see totals."""
    return who.role == "auditor" and _read(who, lambda: limits() is not None, otherwise=True)


def _banner(active: stops.BannerStops, *, operator: bool) -> dict[str, Any] | None:
    banner = active.banner(operator=operator)
    if banner is None:
        return None
    endpoint, values = banner["to"]
    opens = allowed(vars(current_app.view_functions[endpoint])["needs"])
    return {**banner, "href": url_for(endpoint, **values) if opens else None}


def _pulse(health: LogHealth | None) -> Pulse | None:
    return None if health is None else Pulse(health.ok, health.title, tuple(health.lines))


def navigation(audience: Audience, counts: Mapping[str, int], *, limited: bool) -> Navigation:
    """Return the groups of navigation items that this reader may open.

    `counts` maps an endpoint to its badge number. `limited` is the result of `_is_limited`.
    """
    who, section = current.actor(), g.get("section") or request.blueprint or ""
    drawn: BoundedCache = current_app.extensions["navigation"]
    # The cache key: a person's role decides what they may open, and for an operator the grant does.
    numbers, granted = frozenset(counts.items()), who.support.feature if who.support else ""
    place = section, request.script_root, who.tenant_slug
    key = audience, limited, place, who.role, granted, numbers
    return drawn.get(key, lambda: _navigation(audience, counts, section, limited=limited))


def _navigation(
    audience: Audience, counts: Mapping[str, int], section: str, *, limited: bool
) -> Navigation:
    shown = sorted(_shown(audience, limited=limited), key=lambda item: item.order)
    here = _current(installed(), section)
    return Navigation(
        tuple(_drawn(item, counts, here) for item in group)
        for _name, group in groupby(shown, key=lambda item: item.group)
    )


def _shown(audience: Audience, *, limited: bool) -> list[NavItem]:
    items = [item for each in installed() for item in each.navigation if item.audience == audience]
    return [
        item
        for item in items
        if allowed(item.permission)
        and not (limited and item.counts_everything)
        and _is_granted(item.endpoint)
    ]


def _is_granted(endpoint: str) -> bool:
    """Return whether an operator's grant covers a page. True for anyone who needs no grant."""
    support = current.actor().support
    return (
        support is None
        or not support.feature
        or endpoint.partition(".")[0] in granted_blueprints(support.feature)
    )


def badges(audience: Audience, *, limited: bool) -> dict[str, int]:
    """Return the navigation's badge numbers by endpoint. They are read once after each change."""
    support = current.actor().support
    key = "badges", audience, current.actor().role, limited, support and support.feature
    return recall(key, lambda: _read_badges(audience, limited=limited))


def _read_badges(audience: Audience, *, limited: bool) -> dict[str, int]:
    asked = {
        item.endpoint: item.count() for item in _shown(audience, limited=limited) if item.count
    }
    selects = {endpoint: query for endpoint, query in asked.items() if query is not None}
    if not selects:
        return {}
    query = select(*(each.scalar_subquery() for each in selects.values()))
    row = db.session().execute(query.prefix_with("/* the shell: badges */")).one()
    return {endpoint: number or 0 for endpoint, number in zip(selects, row, strict=True)}


def section_tabs(section: str) -> list[dict[str, Any]]:
    """Return a section's tabs that this reader may open, for c.tabs.

    Their notes are one statement.
    """
    who = current.actor()
    limited = _is_limited(who)
    tabs = sorted(
        (
            tab
            for each in installed()
            for tab in each.tabs
            if tab.section == section
            and allowed(tab.permission)
            and not (limited and tab.counts_everything)
            and _is_granted(tab.endpoint)
        ),
        key=lambda tab: tab.order,
    )
    noted = [tab for tab in tabs if tab.note is not None]
    notes: dict[str, Any] = {}
    if noted:
        selects = [tab.note().scalar_subquery() for tab in noted if tab.note is not None]
        row = db.session().execute(select(*selects)).one()
        notes = {tab.endpoint: text for tab, text in zip(noted, row, strict=True)}
    here = request.blueprint or ""
    is_own = any(tab.endpoint == request.endpoint for tab in tabs)  # Tabs of one blueprint.
    return [
        {
            "label": tab.label,
            "href": url_for(tab.endpoint),
            "current": (
                tab.endpoint == request.endpoint
                if is_own
                else tab.endpoint.partition(".")[0] == here
            ),
            "count": notes.get(tab.endpoint),
        }
        for tab in tabs
    ]


def _current(manifests: Iterable[Manifest], blueprint: str) -> Collection[str]:
    """Return the endpoints of the navigation items that are current on a page of this blueprint."""
    own = [each for each in manifests if blueprint in {route.name for route in each.routes}]
    return {item.endpoint for each in own for item in each.navigation} | {
        endpoint for each in own for endpoint in each.under
    }


def _drawn(item: NavItem, counts: Mapping[str, int], here: Collection[str]) -> NavLink:
    return NavLink(
        item.label,
        item.icon,
        url_for(item.endpoint),
        item.endpoint in here,
        counts.get(item.endpoint, 0),
        item.count_word,
    )
