"""A feature's manifest: its additions to the application, as one literal in its `feature.py`.

    manifest = Manifest(
        name="evidence",
        routes=(views.feature, api.feature),
        navigation=(NavItem("Evidence", icon="files", endpoint="evidence.index",
        permission=permissions.VIEW, order=40, group="assurance"),),
        schedule=(Daily("verify evidence", jobs.verify_evidence, at="04:19"),),
        …
    )

app/features.py lists the manifests. Everything central is derived from them: blueprints,
navigation, schedule, work, inbox, command palette, audit log (links, OCSF), subscriptions. What is
wrong with one stops the start: kernel/manifest_checks.py.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, Literal, Protocol
from uuid import UUID

from flask import Blueprint, Response
from prometheus_client import Gauge
from sqlalchemy import Select
from sqlalchemy.orm import Session

from governance.kernel import extension_points
from governance.kernel.api_description import ApiDescription
from governance.kernel.data import write_guards
from governance.kernel.extension_points import Extension
from governance.kernel.ports import Port
from governance.kernel.record_points import RecordPoint
from governance.kernel.safety.access import Permission
from governance.kernel.safety.visibility_scope import Scope
from governance.kernel.work import events, jobs
from governance.kernel.work.inbox import InboxSource

type Audience = Literal["tenant", "operator"]


class AuditAction(Protocol):
    """The kernel's view of an audit action; foundation/audit/registry.py declares them."""

    @property
    def name(self) -> str: ...
    @property
    def targets(self) -> frozenset[str]: ...


# ---- navigation


@dataclass(frozen=True, slots=True, kw_only=True)
class NavItem:
    """An entry of the navigation.

    Items of one `group` are shown together; lower orders come first.

    It is current on the pages of its own feature, and of features that name it in `under`.
    `counts_everything`: it is not for an auditor whose engagement leaves anything out. `count`
    selects the number of its badge, which is followed by `count_word`. The counts of all items are
    one statement, read again after each entry of the audit log: they may depend on nothing else.
    """

    label: str
    icon: str
    endpoint: str
    permission: Permission
    order: int
    group: str
    audience: Audience = "tenant"
    counts_everything: bool = False
    count: Callable[[], Select[Any] | None] | None = None
    count_word: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionTab:
    """A tab of a section: several features whose pages share one item of the navigation.

    `note` selects the short text next to the label, such as "1 open"; the notes of all tabs are
    read by one statement. A feature without its own item names the section's in Manifest.under.
    """

    section: str
    label: str
    endpoint: str
    permission: Permission
    order: int
    note: Callable[[], Select[Any]] | None = None
    counts_everything: bool = False


# ---- schedule


@dataclass(frozen=True, slots=True)
class Daily:
    """A job that runs once a day, at that time of UTC."""

    name: str
    run: Callable[[], None]
    at: str

    @property
    def cron(self) -> dict[str, Any]:
        hour, minute = self.at.split(":")
        return {"hour": int(hour), "minute": int(minute)}


@dataclass(frozen=True, slots=True)
class Hourly:
    """A job that runs once an hour, at that minute."""

    name: str
    run: Callable[[], None]
    minute: int

    @property
    def cron(self) -> dict[str, Any]:
        return {"minute": self.minute}


@dataclass(frozen=True, slots=True)
class EveryMinute:
    """A job that runs once a minute, at that second."""

    name: str
    run: Callable[[], None]
    second: int

    @property
    def cron(self) -> dict[str, Any]:
        return {"second": self.second}


@dataclass(frozen=True, slots=True)
class Every:
    """A job that runs every few seconds; `seconds` divides 60."""

    name: str
    run: Callable[[], None]
    seconds: int

    @property
    def cron(self) -> dict[str, Any]:
        return {"second": f"*/{self.seconds}"}


type Scheduled = Daily | Hourly | EveryMinute | Every


# ---- command palette


@dataclass(frozen=True, slots=True)
class Command:
    """A verb of the command palette, for people with the permission.

    `also` has words that people search for and that its label lacks.
    """

    label: str
    endpoint: str
    permission: Permission
    also: str = ""


@dataclass(frozen=True, slots=True)
class ObjectCommand:
    """A verb on each found object of a kind: "Stop {title}…".

    Its page takes the object's slug as `argument`. With a `word`, what is typed after that word
    searches objects of that kind alone, and offers only this command.
    """

    kind: str
    label: str
    endpoint: str
    argument: str
    permission: Permission
    hint: str = "verb"
    word: str = ""


@dataclass(frozen=True, slots=True)
class ObjectSearch:
    """Objects of a kind that has few: search reads all of them.

    `find(text)` selects (id, slug, title), or returns None for no matches.

    The selects of all features run as one statement. `address(id, slug)` returns the values that
    the page at `endpoint` takes.
    """

    kind: str
    find: Callable[[str], Select[UUID, str, str] | None]
    endpoint: str
    address: Callable[[UUID, str], dict[str, Any]]
    many: str = ""  # The plural of the noun, if it isn't formed with an s.


def contains(text: str) -> str:
    """Return the ILIKE pattern of what contains the typed text, without wildcards in it."""
    return f"%{text.replace('%', '').replace('_', '')}%"


@dataclass(frozen=True, slots=True)
class SearchText:
    """The words by which people find an object: reference, title, and words that are in neither.

    `parent` is the object whose page its own page is under.
    """

    ref: str
    title: str
    also: str = ""
    parent: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexedSearch:
    """Objects of a kind that may have very many: they are in the index of foundation/search.

    `text(row)` returns the words of a row of `model`, or None for one that isn't found, such as a
    retired one. It follows from the columns `reads` of the row alone: when one of them changes, so
    does the index, in the same transaction. `seen()` selects the ids of those that the reader may
    open, or returns None for all of them. `address(id, ref, parent)` returns the values that the
    page at `endpoint` takes.
    """

    kind: str
    model: type[Any]
    reads: tuple[str, ...]
    text: Callable[[Any], SearchText | None]
    endpoint: str
    address: Callable[[UUID, str, UUID | None], dict[str, Any]]
    seen: Callable[[], Select[UUID] | None] = lambda: None
    many: str = ""


@dataclass(frozen=True, slots=True)
class Hit:
    """Something that a feature finds in memory, without a statement."""

    label: str
    hint: str
    href: str


# ---- audit log


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryLink:
    """The page of an audit entry's target of this class, or the reason why there is none.

    `argument` is the name of the row's id in the page's address; without one, every row of the
    class has the same page. `noun` is what people call the row, by default the words of its class;
    a row whose entries have only its `number` is named by `prefix` and that number. `single`: a
    tenant has one, so its id says nothing. `within` decides whether an auditor of that scope has
    the page of that row; without it, every reader has.
    """

    endpoint: str = ""
    argument: str = ""
    no_page: str = ""
    noun: str = ""
    prefix: str = ""
    single: bool = False
    within: Callable[[Scope, UUID], bool] | None = None


def not_by_scope(_scope: Scope, _row_id: UUID) -> bool:
    """Return False for `EntryLink.within`: the scope alone can't decide; lists lead to the page."""
    return False


# ---- events and ports


@dataclass(frozen=True, slots=True)
class Subscription:
    """A handler that runs in the publisher's transaction for each event of this kind.

    Lower orders run first.
    """

    event: type[events.Event]
    handler: Callable[[Any], object]
    order: int = 50


@dataclass(frozen=True, slots=True)
class PortAnswer:
    """A feature's implementation of a port of a feature below it."""

    port: Port[Any]
    implementation: Any


@dataclass(frozen=True, slots=True)
class WriteGuard:
    """A check that runs before rows of these classes are written.

    An error that it raises prevents the write (kernel/data/write_guards.py).
    """

    models: tuple[type[Any], ...]
    check: Callable[[Session], None]


# ---- the manifest


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """The additions of a feature.

    Everything central is derived from these fields; nothing else registers anything.
    """

    name: str
    models: tuple[ModuleType, ...] = ()  # Modules with its tables.
    routes: tuple[Blueprint, ...] = ()
    api: ApiDescription | None = None  # Parameters and answers of its addresses under /api.
    navigation: tuple[NavItem, ...] = ()
    tabs: tuple[SectionTab, ...] = ()
    under: tuple[
        str, ...
    ] = ()  # Endpoints of other features' navigation items that are current on its pages.
    schedule: tuple[Scheduled, ...] = ()
    work: tuple[jobs.Handler, ...] = ()  # Handlers declared by @work.
    inbox: tuple[InboxSource, ...] = ()  # Sources of inbox items.
    extensions: tuple[Extension[Any], ...] = ()  # Additions to other features.
    palette: tuple[Command | ObjectCommand | Callable[[str], Iterable[Hit]], ...] = ()
    search: tuple[ObjectSearch | IndexedSearch, ...] = ()
    audit: tuple[AuditAction, ...] = ()
    links: Mapping[str, EntryLink] = field(
        default_factory=dict
    )  # Class of an audit entry's target → its page.
    publishes: tuple[type[events.Event], ...] = ()
    subscribes: tuple[Subscription, ...] = ()
    answers: tuple[PortAnswer, ...] = ()
    guards: tuple[WriteGuard, ...] = ()
    record_points: tuple[
        Callable[[UUID], Iterable[RecordPoint]], ...
    ] = ()  # Parts of an AI system's record, for its documents.
    after_request: tuple[Callable[[Response], Response], ...] = ()
    measures: Mapping[Gauge, Callable[[], float]] = field(
        default_factory=dict
    )  # Read at each scrape.


class ManifestError(Exception):
    """A manifest names something that doesn't exist, or that another feature has.

    The application does not start.
    """


_installed: tuple[Manifest, ...] = ()
_links: dict[str, EntryLink] = {}


def installed() -> tuple[Manifest, ...]:
    """Return the manifests of the running application, in the order of app/features.py."""
    return _installed


def install(manifests: tuple[Manifest, ...]) -> None:
    """Make these the application's features, subscribe their handlers and connect their answers.

    Safe to run again.
    """
    global _installed  # noqa: PLW0603 - one application a process
    _installed = manifests
    _links.clear()
    _links.update({kind: link for each in manifests for kind, link in each.links.items()})
    extension_points.install(part for each in manifests for part in each.extensions)
    for each in manifests:
        for subscription in each.subscribes:
            events.subscribe(subscription.event, subscription.handler, order=subscription.order)
        for answer in each.answers:
            answer.port.connect(answer.implementation)
        for guard in each.guards:
            write_guards.guard(guard.models, guard.check)


def links() -> Mapping[str, EntryLink]:
    """Return the pages of audit entries' targets, by class name."""
    return _links
