"""Each worker's memory of its tenants: an immutable snapshot a tenant, swapped whole, never asked
twice of the database.

    Snapshots.of(slug)          what to answer that tenant's products now; stale when the database
                                is out of reach
    Snapshots.follow()          from now on listen for marks that move, look once a second, and tell
                                what was answered

A worker that follows holds a connection of its own: PostgreSQL's NOTIFY says at once that a mark
has moved, a look at all marks each second covers a lost notification. After LEASE seconds without
contact every answer says that it is stale; of a tenant that cannot be loaded, its answers alone.
What is told goes by another thread, so that no slow write keeps a stop waiting. A process that does
not follow (a test, a command) looks at the mark on each request.
"""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
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
from governance.foundation.tenants.system_actor import founder
from governance.kernel import clock, current, tenant_revision
from governance.kernel.db import session, transaction
from governance.kernel.errors import DomainError, Unavailable
from governance.operations.decision_counts import actions as decisions
from governance.operations.decisions import queries
from governance.operations.decisions.counting import DecisionCounter, Hearing
from governance.operations.decisions.flags import Answers, Facts
from governance.operations.switches import consumer_actions as switches
from governance.operations.switches.consumers import Heard

LEASE = 10.0  # seconds without the database, after which answers are stale
LOOK = 1.0  # seconds between looks at all marks
BEAT = 0.1  # seconds between tellings of who heard what
MOST = 5_000  # tenants in memory; who was not asked about for longest goes
UNKNOWN = 5.0  # seconds for which a tenant that does not exist is remembered
TELL_COUNTS = 2.0
AGAIN = 10.0  # seconds after which a tenant that could not be loaded is tried again
TOLD_AT_ONCE = 1_000  # consumers in one transaction

decided_total = Counter("governance_decisions_total", "Answers of the decision API")
log = structlog.get_logger("decisions")


@dataclass(slots=True)
class TenantSnapshot:
    """A tenant in memory: what follows from its facts now, and the same as a stale answer, drawn up
    when first needed.
    """

    facts: Facts
    answers: Answers
    began: float  # when the database was looked at
    asked: float
    known: float  # when it was last known to be what the database has
    again: float = 0.0  # when loading it is tried again, after it has failed
    stale: Answers | None = None


@dataclass
class Snapshots:
    """One worker's."""

    url: str
    tally: DecisionCounter = field(default_factory=DecisionCounter)
    following: bool = False
    contact: float = field(default_factory=time.monotonic)  # when all marks were last looked at
    behind: timedelta = timedelta(0)  # this machine's clock, as against the database's
    _held: dict[str, TenantSnapshot] = field(default_factory=dict)
    _unknown: dict[str, float] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _loading: threading.Lock = field(
        default_factory=threading.Lock
    )  # of first loads: who follows never waits for them
    _there: threading.Event = field(
        default_factory=threading.Event
    )  # the database, as far as who follows knows
    _threads: list[threading.Thread] = field(default_factory=list)

    # ---- answering

    def of(self, slug: str) -> Answers | None:
        """What to answer now; None where there is no such tenant.

        Unavailable when it was never loaded and cannot be.
        """
        held = self._held.get(slug)
        if held is None:
            held = self._first(slug)
            if held is None:
                return None
        elif not self.following:
            held = self._looked(slug, held)
        held.asked = time.monotonic()
        if held.answers.until is not None and self.now() >= held.answers.until:
            held = self._put(held.facts, held.began, held.known)
        return self._as_stale(held) if self._is_old(held.known) else held.answers

    def has(self, slug: str) -> bool:
        """Whether a tenant is in memory."""
        return slug in self._held

    def now(self) -> datetime:
        """By this machine's clock or the database's, whichever is ahead: what ends by time ends
        everywhere.
        """
        return clock.now() + self.behind

    @property
    def is_stale(self) -> bool:
        return self._is_old(self.contact)

    def _is_old(self, known: float) -> bool:
        return self.following and time.monotonic() - known > LEASE

    def _as_stale(self, held: TenantSnapshot) -> Answers:
        if held.stale is None:
            held.stale = Answers(held.answers.facts, held.answers.at, stale=True)
        return held.stale

    def _first(self, slug: str) -> TenantSnapshot | None:
        if self._unknown.get(slug, 0) > time.monotonic():
            return None
        tenant_id = tenants.tenant_id(slug)
        if tenant_id is None:
            self._forget_unknown(slug)
            return None
        with self._loading:
            return self._held.get(slug) or self._load(tenant_id, slug)

    def _forget_unknown(self, slug: str) -> None:
        if len(self._unknown) >= MOST:
            self._unknown.clear()
        self._unknown[slug] = time.monotonic() + UNKNOWN

    def _looked(self, slug: str, held: TenantSnapshot) -> TenantSnapshot:
        """Without a thread that follows: has the mark moved, the tenant's or the operator's?"""
        with transaction(read_only=True, tenant_id=held.facts.tenant_id):
            numbers = tenant_revision.revisions([held.facts.tenant_id, tenant_revision.OVER_ALL])
        return self._load(held.facts.tenant_id, slug) if _has_moved(held.facts, numbers) else held

    # ---- loading

    def _load(self, tenant_id: UUID, slug: str) -> TenantSnapshot:
        """One consistent view, so that a number never stands for what came after it."""
        began = time.monotonic()
        with (
            current.acting_as(founder(tenant_id, slug, slug)),
            transaction(read_only=True, snapshot=True),
        ):
            facts = queries.facts()
        return self._put(facts, began, began)

    def _put(self, facts: Facts, began: float, known: float) -> TenantSnapshot:
        """What was looked up last counts, whichever thread comes to an end first; a restored
        database may have lower numbers.
        """
        now = self.now()
        held = TenantSnapshot(facts, Answers(facts.at(now), now), began, time.monotonic(), known)
        with self._lock:
            there = self._held.get(facts.slug)
            if there is not None and there.began > began:
                return there
            if there is not None and facts.number < there.facts.number:
                self.tally.forget(facts.slug)
            if len(self._held) >= MOST and there is None:
                del self._held[min(self._held, key=lambda slug: self._held[slug].asked)]
            self._held[facts.slug] = held
        return held

    def reload(self, slug: str) -> None:
        """What this process itself has just changed."""
        if (held := self._held.get(slug)) is not None:
            self._load(held.facts.tenant_id, slug)

    def forget(self) -> None:
        """Everything: for tests, whose rows are rolled back."""
        with self._lock:
            self._held.clear()
            self._unknown.clear()

    # ---- following

    def follow(self) -> None:
        """Begin to follow, once in this process: a server makes its workers by forking, so not
        before the first request.
        """
        with self._lock:
            if not self._threads:
                self.following, self.contact = True, time.monotonic()
                named = {"decisions": self._follow, "decisions, told": self._go_on_telling}
                self._threads = [
                    threading.Thread(target=do, name=name, daemon=True)
                    for name, do in named.items()
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
                    away = False
                    self._there.set()
                    self._listen(connection)
            except (psycopg.Error, DBAPIError, Unavailable) as lost:
                self._there.clear()
                if not away:
                    log.warning(
                        "decisions follow nothing: the database is away", reason=_first_line(lost)
                    )
                away = True
                time.sleep(BEAT)
            except Exception:  # whatever it is, answers go on and turn stale until contact is back
                log.exception("following faltered")
                time.sleep(LOOK)

    def _listen(self, connection: "psycopg.Connection[tuple[object, ...]]") -> None:
        looked = 0.0
        while True:
            for note in connection.notifies(timeout=BEAT, stop_after=1):
                self._moved(note.payload)
            if time.monotonic() - looked >= LOOK:
                self._catch_up()
                looked = time.monotonic()

    def _moved(self, payload: str) -> None:
        """Told by name: that tenant alone is loaded, and at once."""
        held = next(
            (h for h in list(self._held.values()) if str(h.facts.tenant_id) == payload), None
        )
        if held is not None:
            self._load_anew(held)
        elif payload == str(tenant_revision.OVER_ALL):
            self._catch_up()

    def _catch_up(self) -> None:
        """Load what has moved since it was loaded; the operator's layer is loaded once for all
        tenants.
        """
        began, every = time.monotonic(), list(self._held.values())
        with transaction(read_only=True, snapshot=True):
            there = session().scalars(select(func.clock_timestamp())).one()
            self.behind = max(there - clock.now(), timedelta(0))
            numbers = tenant_revision.revisions(
                [*(held.facts.tenant_id for held in every), tenant_revision.OVER_ALL]
            )
            over = numbers.get(tenant_revision.OVER_ALL, 0)
            above = queries.above(over) if any(held.facts.over != over for held in every) else None
        self.contact = began
        for held in every:
            if numbers.get(held.facts.tenant_id, 0) != held.facts.number:
                self._load_anew(held)
            elif above is not None and held.facts.over != over:
                self._put(held.facts.under(above), began, began)
            else:
                held.known = began

    def _load_anew(self, held: TenantSnapshot) -> None:
        """Of one tenant that cannot be loaded the answers turn stale; the others are followed as
        before.
        """
        if time.monotonic() < held.again:
            return
        try:
            self._load(held.facts.tenant_id, held.facts.slug)
        except Unavailable:
            raise
        except Exception as problem:
            if isinstance(problem, DBAPIError) and problem.connection_invalidated:
                raise
            held.again = time.monotonic() + AGAIN
            log.exception("tenant not loaded", tenant=held.facts.slug)

    # ---- telling

    def _go_on_telling(self) -> None:
        told = 0.0
        while True:
            time.sleep(BEAT)
            self._there.wait()
            try:
                self._tell_hearing()
                if time.monotonic() - told >= TELL_COUNTS:
                    told = time.monotonic()
                    self.tell_counts()
            except Exception:  # whatever it is, the next round may do better
                log.exception("telling faltered")
                time.sleep(LOOK)

    def _tell_hearing(self) -> None:
        by_tenant: dict[str, list[tuple[UUID, str, Hearing]]] = {}
        for slug, key_id, name, hearing in self.tally.news():
            by_tenant.setdefault(slug, []).append((key_id, name, hearing))
        for slug, every in by_tenant.items():
            for news in batched(every, TOLD_AT_ONCE):
                heard = [
                    Heard(k, n, h.region, h.system_id, h.number, _at(h.at), _at(h.seen))
                    for k, n, h in news
                ]
                if self._write(slug, partial(switches.note_consumers, heard)):
                    for key_id, name, hearing in news:
                        self.tally.told(slug, key_id, name, hearing)

    def tell_counts(self) -> None:
        for slug, counts in self.tally.take_counts().items():
            decided_total.inc(sum(counts.values()))
            if not self._write(slug, partial(decisions.add, counts)):
                self.tally.give_back(slug, counts)

    def tell(self) -> None:
        """Everything, now: for a process that does not follow.

        A worker that ends takes the counts of its last two seconds along.
        """
        self._tell_hearing()
        self.tell_counts()

    def _write(self, slug: str, act: Callable[[], object]) -> bool:
        """In a transaction of its own; False when it has to be tried again."""
        try:
            tenant_id = tenants.tenant_id(slug)
            if tenant_id is not None:
                with current.acting_as(founder(tenant_id, slug, slug)), transaction():
                    act()
        except (DBAPIError, DomainError) as problem:
            log.warning("not told yet", tenant=slug, reason=_first_line(problem))
            return False
        return True


def _has_moved(facts: Facts, numbers: Mapping[UUID, int]) -> bool:
    return (numbers.get(facts.tenant_id, 0), numbers.get(tenant_revision.OVER_ALL, 0)) != (
        facts.number,
        facts.over,
    )


def _first_line(problem: Exception) -> str:
    """An error of the driver may say nothing at all."""
    return next(iter(str(problem).splitlines()), type(problem).__name__)


def _at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _conninfo(url: str) -> str:
    """SQLAlchemy's URL as libpq takes it."""
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
