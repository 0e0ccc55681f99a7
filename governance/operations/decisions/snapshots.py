"""The tenants in a worker's memory: one immutable snapshot each, replaced as a unit.

Snapshots.of(slug)          the answers of a tenant now; stale when the database is unreachable
Snapshots.follow()          listen for new revisions, check every second, write the counts

A worker that follows has a connection of its own: PostgreSQL's NOTIFY reports a new revision
immediately. It contains the stop or rollout step itself, which the worker obeys first and reads
afterwards. A check of all revisions every second covers a lost notification. After LEASE_SECONDS
without contact every answer is stale; if only one tenant can't be loaded, only its answers are.
The listening thread loads only stops and rollouts; a second one loads the rest and checks, and a
third one writes, so that no stop waits for either. A process that doesn't follow (a
test, a command) checks the revision on each request.
"""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import batched
from typing import Any
from uuid import UUID

import psycopg
import structlog
from prometheus_client import Counter
from sqlalchemy import func, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from governance.foundation.tenants import queries as tenants
from governance.foundation.tenants.system_actor import system_actor_in
from governance.kernel import clock, current
from governance.kernel.data import tenant_revision
from governance.kernel.data.db import session, transaction
from governance.kernel.errors import DomainError, Unavailable
from governance.operations.decision_counts import actions as decisions
from governance.operations.decisions import queries
from governance.operations.decisions.counting import ConsumerState, DecisionCounter
from governance.operations.decisions.flags import Answers, DecisionFacts
from governance.operations.switches import consumer_actions as switches
from governance.operations.switches.consumers import Heard

LEASE_SECONDS = 10.0  # Seconds without the database until answers are stale
CHECK_SECONDS = 1.0  # Seconds between checks of all revisions
BEAT_SECONDS = 0.1  # Seconds between writes of consumers
SETTLE_SECONDS = 0.05  # Seconds from a notification to loading the rest, which takes the GIL
COUNT_SECONDS = 2.0  # Seconds between writes of counts
MAX_TENANTS = 5_000  # Tenants in memory; the least recently used one is dropped
UNKNOWN_SECONDS = 5.0  # Seconds for which an unknown slug is remembered
RETRY_SECONDS = 10.0  # Seconds until a failed load of a tenant is retried
MAX_CONSUMERS_PER_WRITE = 1_000

decided_total = Counter("governance_decisions_total", "Decisions of the decision API")
log = structlog.get_logger("decisions")


@dataclass(slots=True)
class TenantSnapshot:
    """A tenant in memory: its answers, and the same as stale answers, built on first use."""

    facts: DecisionFacts
    answers: Answers
    began: float  # Time when the database was read
    asked: float  # Time of the last use
    known: float  # Time when it was last known to be current
    again: float = 0.0  # Time of the next attempt after a failed load
    stale: Answers | None = None


@dataclass
class Snapshots:
    """The snapshots of one worker."""

    url: str
    tally: DecisionCounter = field(default_factory=DecisionCounter)
    following: bool = False
    contact: float = field(default_factory=time.monotonic)  # Time of the last full check
    behind: timedelta = timedelta(0)  # Delay of this machine's clock behind the database's
    _snapshots: dict[str, TenantSnapshot] = field(default_factory=dict)
    _slugs: dict[str, str] = field(default_factory=dict)  # Slugs by the id in notifications
    _unknown: dict[str, float] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _loading: threading.Lock = field(
        default_factory=threading.Lock
    )  # First loads run here; the following thread never waits for them.
    _there: threading.Event = field(
        default_factory=threading.Event
    )  # Reachability of the database, as seen by the following threads
    _due: set[str] = field(default_factory=set)  # Tenants with changes other than stops
    _wake: threading.Event = field(default_factory=threading.Event)  # the thread that loads them
    _checked: float = 0.0  # Time of the last request for all revisions
    _threads: list[threading.Thread] = field(default_factory=list)

    # ---- answering

    def of(self, slug: str) -> Answers | None:
        """Return the current answers of a tenant, or None if it doesn't exist.

        Raises Unavailable when it can't be loaded for the first time.
        """
        snapshot = self._snapshots.get(slug)
        if snapshot is None:
            snapshot = self._first(slug)
            if snapshot is None:
                return None
        elif not self.following:
            snapshot = self._looked(slug, snapshot)
        snapshot.asked = time.monotonic()
        if snapshot.answers.until is not None and self.now() >= snapshot.answers.until:
            snapshot = self._put(snapshot.facts, snapshot.began, snapshot.known)
        return self._as_stale(snapshot) if self._is_old(snapshot.known) else snapshot.answers

    def has(self, slug: str) -> bool:
        """Return True if a tenant is in memory."""
        return slug in self._snapshots

    def now(self) -> datetime:
        """Return this machine's time or the database's, whichever is later."""
        return clock.now() + self.behind

    @property
    def is_stale(self) -> bool:
        return self._is_old(self.contact)

    def _is_old(self, known: float) -> bool:
        return self.following and time.monotonic() - known > LEASE_SECONDS

    def _as_stale(self, snapshot: TenantSnapshot) -> Answers:
        if snapshot.stale is None:
            snapshot.stale = Answers(snapshot.answers.facts, snapshot.answers.at, stale=True)
        return snapshot.stale

    def _first(self, slug: str) -> TenantSnapshot | None:
        if self._unknown.get(slug, 0) > time.monotonic():
            return None
        tenant_id = tenants.tenant_id(slug)
        if tenant_id is None:
            self._forget_unknown(slug)
            return None
        with self._loading:
            return self._snapshots.get(slug) or self._load(tenant_id, slug)

    def _forget_unknown(self, slug: str) -> None:
        if len(self._unknown) >= MAX_TENANTS:
            self._unknown.clear()
        self._unknown[slug] = time.monotonic() + UNKNOWN_SECONDS

    def _looked(self, slug: str, snapshot: TenantSnapshot) -> TenantSnapshot:
        """Reload if the tenant's or the operator's revision has changed."""
        with transaction(read_only=True, tenant_id=snapshot.facts.tenant_id):
            numbers = tenant_revision.revisions(
                [snapshot.facts.tenant_id, tenant_revision.OVER_ALL]
            )
        return (
            self._load(snapshot.facts.tenant_id, slug)
            if _has_moved(snapshot.facts, numbers)
            else snapshot
        )

    # ---- loading

    def _load(self, tenant_id: UUID, slug: str) -> TenantSnapshot:
        """Load in one consistent view, so that a revision never contains later changes."""
        began = time.monotonic()
        with (
            current.acting_as(system_actor_in(tenant_id, slug, slug)),
            transaction(read_only=True, snapshot=True),
        ):
            facts = queries.facts()
        return self._put(facts, began, began)

    def _obey(self, snapshot: TenantSnapshot, news: Mapping[str, Any]) -> bool:
        """Apply a notification. Return False if stops and rollouts must be read as well."""
        with self._lock:
            there = self._snapshots.get(snapshot.facts.slug, snapshot)
            facts = there.facts.after(news)
            if facts is None:
                return False
            self._put(facts, time.monotonic(), there.known)
            are_all_known: bool = facts.obeyed == news["number"]
            return are_all_known

    def _load_first(self, snapshot: TenantSnapshot) -> None:
        """Obey new stops, then halts of known rollouts, without waiting for the rest.

        It applies stops before it reads the rollouts.
        """
        began, facts = time.monotonic(), snapshot.facts
        tier = facts.policy.content.tier
        with (
            current.acting_as(system_actor_in(facts.tenant_id, facts.slug, facts.slug)),
            transaction(read_only=True),
        ):
            number, stops = queries.stops_now(tier)
            now = self._put_part(snapshot, began, stops=stops, stops_number=number)
            if now.facts.rollouts:
                began = time.monotonic()
                self._put_part(now, began, rollouts=queries.rollouts_now())

    def _put_part(self, snapshot: TenantSnapshot, began: float, **parts: Any) -> TenantSnapshot:
        """Merge these facts into the current snapshot, unless it already has them or newer ones."""
        with self._lock:
            there = self._snapshots.get(snapshot.facts.slug, snapshot)
            known = {name: getattr(there.facts, name) for name in parts if name != "stops_number"}
            if there.began > began or known.items() <= parts.items():
                return there
            return self._put(replace(there.facts, **parts), began, there.known)

    def _put(self, facts: DecisionFacts, began: float, known: float) -> TenantSnapshot:
        """Keep the most recently read snapshot. A restored database may have lower revisions."""
        now = self.now()
        snapshot = TenantSnapshot(
            facts, Answers(facts.at(now), now), began, time.monotonic(), known
        )
        with self._lock:
            there = self._snapshots.get(facts.slug)
            if there is not None and there.began > began:
                return there
            if there is not None and facts.number < there.facts.number:
                self.tally.forget(facts.slug)
            if len(self._snapshots) >= MAX_TENANTS and there is None:
                quiet = min(self._snapshots, key=lambda slug: self._snapshots[slug].asked)
                self._slugs.pop(str(self._snapshots.pop(quiet).facts.tenant_id), None)
            self._snapshots[facts.slug] = snapshot
            self._slugs[str(facts.tenant_id)] = facts.slug
        return snapshot

    def reload(self, slug: str) -> None:
        """Reload after a change by this process."""
        if (snapshot := self._snapshots.get(slug)) is not None:
            self._load(snapshot.facts.tenant_id, slug)

    def forget(self) -> None:
        """Clear everything. Tests use this, since their rows are rolled back."""
        with self._lock:
            self._snapshots.clear()
            self._slugs.clear()
            self._unknown.clear()

    # ---- following

    def follow(self) -> None:
        """Start following, once in this process.

        Call it at the first request or later, because a server forks its workers.
        """
        with self._lock:
            if not self._threads:
                self.following, self.contact = True, time.monotonic()
                threads = {
                    "decisions": self._follow,
                    "decisions, load": self._keep_loading,
                    "decisions, write": self._keep_writing,
                }
                self._threads = [
                    threading.Thread(target=do, name=name, daemon=True)
                    for name, do in threads.items()
                ]
                for thread in self._threads:
                    thread.start()

    def _follow(self) -> None:
        away = False
        while True:
            try:
                with psycopg.connect(
                    _conninfo(self.url), autocommit=True, connect_timeout=3
                ) as connection:
                    connection.execute(tenant_revision.LISTEN)
                    away, self._checked = False, 0.0
                    self._there.set()
                    self._wake.set()
                    self._listen(connection)
            except (psycopg.Error, DBAPIError, Unavailable) as lost:
                self._there.clear()
                if not away:
                    log.warning(
                        "decisions can't follow: the database is unavailable",
                        reason=_first_line(lost),
                    )
                away = True
                time.sleep(BEAT_SECONDS)
            except Exception:  # Answers continue, and are stale until contact is back.
                log.exception("following failed")
                time.sleep(CHECK_SECONDS)

    def _listen(self, connection: "psycopg.Connection[tuple[object, ...]]") -> None:
        while self._there.is_set():
            for note in connection.notifies(timeout=BEAT_SECONDS, stop_after=1):
                self._moved(note.payload)
        raise psycopg.OperationalError("the revisions can't be checked")

    def _moved(self, payload: str) -> None:
        """Apply a notification immediately; load the rest soon."""
        tenant_id, news = tenant_revision.told(payload)
        snapshot = self._snapshots.get(self._slugs.get(tenant_id, ""))
        if snapshot is not None:
            with self._tolerated(snapshot):
                if news is None or not self._obey(snapshot, news):
                    self._load_first(snapshot)
            self._load_soon([snapshot])
        elif tenant_id == str(tenant_revision.OVER_ALL):
            self._load_soon(self._behind())

    def _load_soon(self, snapshots: Iterable[TenantSnapshot]) -> None:
        """Queue these tenants for the loading thread; without one, load them now."""
        self._due.update(snapshot.facts.slug for snapshot in snapshots)
        if self._threads:
            self._wake.set()
        else:
            self._load_due()

    def _keep_loading(self) -> None:
        while True:
            if self._wake.wait(max(self._checked + CHECK_SECONDS - time.monotonic(), 0)):
                time.sleep(SETTLE_SECONDS)
            self._wake.clear()
            self._there.wait()
            try:
                self._load_due()
                if time.monotonic() - self._checked >= CHECK_SECONDS:
                    self._checked = time.monotonic()
                    self._catch_up()
            except (psycopg.Error, DBAPIError, Unavailable):
                self._there.clear()  # The listening thread reconnects and reports it.
            except Exception:  # Answers continue from loaded data.
                log.exception("loading failed")
                time.sleep(CHECK_SECONDS)

    def _load_due(self) -> None:
        while self._due:
            snapshot = self._snapshots.get(self._due.pop())
            if snapshot is not None and time.monotonic() >= snapshot.again:
                with self._tolerated(snapshot):
                    self._load(snapshot.facts.tenant_id, snapshot.facts.slug)

    def _catch_up(self) -> None:
        """Load every tenant that changed, its stops and rollouts first."""
        for snapshot in self._behind():
            if time.monotonic() >= snapshot.again:
                with self._tolerated(snapshot):
                    self._load_first(snapshot)
                    self._load(snapshot.facts.tenant_id, snapshot.facts.slug)

    def _behind(self) -> list[TenantSnapshot]:
        """Return the tenants that changed. Load the operator's layer once for all tenants."""
        began, every = time.monotonic(), list(self._snapshots.values())
        with transaction(read_only=True, snapshot=True):
            there = session().scalars(select(func.current_instant())).one()
            self.behind = max(there - clock.now(), timedelta(0))
            numbers = tenant_revision.revisions(
                [*(snapshot.facts.tenant_id for snapshot in every), tenant_revision.OVER_ALL]
            )
            over = numbers.get(tenant_revision.OVER_ALL, 0)
            above = (
                queries.platform_facts(over)
                if any(snapshot.facts.over != over for snapshot in every)
                else None
            )
        self.contact, found = began, []
        for snapshot in every:
            if numbers.get(snapshot.facts.tenant_id, 0) != snapshot.facts.number:
                found.append(snapshot)
            elif above is not None and snapshot.facts.over != over:
                self._put(snapshot.facts.under(above), began, began)
            else:
                snapshot.known = began
        return found

    @contextmanager
    def _tolerated(self, snapshot: TenantSnapshot) -> Iterator[None]:
        """Limit a failed load to its tenant, whose answers become stale."""
        try:
            yield
        except Unavailable:
            raise
        except Exception as problem:
            if isinstance(problem, DBAPIError) and problem.connection_invalidated:
                raise
            slug = snapshot.facts.slug
            self._snapshots.get(slug, snapshot).again = time.monotonic() + RETRY_SECONDS
            log.exception("tenant not loaded", tenant=slug)

    # ---- writing

    def _keep_writing(self) -> None:
        written = 0.0
        while True:
            time.sleep(BEAT_SECONDS)
            self._there.wait()
            try:
                self._write_consumers()
                if time.monotonic() - written >= COUNT_SECONDS:
                    written = time.monotonic()
                    self.write_counts()
            except Exception:  # The next round may succeed.
                log.exception("writing failed")
                time.sleep(CHECK_SECONDS)

    def _write_consumers(self) -> None:
        by_tenant: dict[str, list[tuple[UUID, str, ConsumerState]]] = {}
        for slug, key_id, name, state in self.tally.news():
            by_tenant.setdefault(slug, []).append((key_id, name, state))
        for slug, every in by_tenant.items():
            for news in batched(every, MAX_CONSUMERS_PER_WRITE):
                heard = [
                    Heard(k, n, h.region, h.system_id, h.number, _at(h.at), _at(h.seen))
                    for k, n, h in news
                ]
                if self._write(slug, partial(switches.note_consumers, heard)):
                    for key_id, name, state in news:
                        self.tally.mark_written(slug, key_id, name, state)

    def write_counts(self) -> None:
        for slug, counts in self.tally.take_counts().items():
            decided_total.inc(sum(counts.values()))
            if not self._write(slug, partial(decisions.add, counts)):
                self.tally.give_back(slug, counts)

    def write_all(self) -> None:
        """Write everything now. For processes that don't follow.

        A worker that exits loses the counts of its last two seconds.
        """
        self._write_consumers()
        self.write_counts()

    def _write(self, slug: str, act: Callable[[], object]) -> bool:
        """Write in a separate transaction; return False to try again."""
        try:
            tenant_id = tenants.tenant_id(slug)
            if tenant_id is not None:
                with current.acting_as(system_actor_in(tenant_id, slug, slug)), transaction():
                    act()
        except (DBAPIError, DomainError) as problem:
            log.warning("not written yet", tenant=slug, reason=_first_line(problem))
            return False
        return True


def _has_moved(facts: DecisionFacts, numbers: Mapping[UUID, int]) -> bool:
    return (numbers.get(facts.tenant_id, 0), numbers.get(tenant_revision.OVER_ALL, 0)) != (
        facts.number,
        facts.over,
    )


def _first_line(problem: Exception) -> str:
    """Return the first line of an error; the driver's may be empty."""
    return next(iter(str(problem).splitlines()), type(problem).__name__)


def _at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _conninfo(url: str) -> str:
    """Return SQLAlchemy's URL in libpq's form."""
    parts = make_url(url)
    given: dict[str, Any] = {
        "user": parts.username,
        "password": parts.password,
        "host": parts.host,
        "port": parts.port,
        "dbname": parts.database,
    }
    given |= {name: value for name, value in parts.query.items() if isinstance(value, str)}
    return psycopg.conninfo.make_conninfo(**{name: value for name, value in given.items() if value})
