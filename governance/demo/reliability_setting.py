"""The state that chapters of the reliability story share: people, months, measured minutes."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import text

from governance.demo.cast import Cast, system_actor
from governance.demo.reliability_indicators import MinuteFeed
from governance.kernel import clock, current
from governance.kernel.current import Actor
from governance.kernel.data.db import session, transaction
from governance.kernel.intervals import MINUTE, Span, whole_minute
from governance.kernel.months import Month, ZonePeriod, month_span
from governance.operations.alerts import evaluation
from governance.operations.alerts import queries as alert_queries
from governance.operations.systems import queries as systems

ZONE = "Europe/Berlin"
CLOSE_DAY = 3
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
LATE_AFTER = timedelta(days=3)  # after the close: the missing minutes arrive

LOADING = text(
    "SET LOCAL statement_timeout = '10min'"
)  # for several months at once, on a busy machine


@dataclass(slots=True)
class ReliabilitySetting:
    """The people, the month of the statement, and what the chapters created so far.

    `services` is the address of Acme's own services (acme_services.py).
    """

    acme: Cast
    now: datetime
    services: str
    month: Month = field(init=False)
    closed: Span = field(init=False)
    closes_at: datetime = field(init=False)
    ids: dict[str, UUID] = field(default_factory=dict)  # of indicators, by slug
    feed: MinuteFeed | None = None

    def __post_init__(self) -> None:
        self.now = whole_minute(self.now)
        zones = [ZonePeriod(datetime(2000, 1, 1, tzinfo=UTC), ZONE)]
        month = Month(self.now.year, self.now.month).plus(-1)
        if self.now.day <= CLOSE_DAY + LATE_AFTER.days + 1:
            month = month.plus(-1)
        after = month.plus(1)
        self.month, self.closed = month, month_span(zones, month)
        self.closes_at = datetime(
            after.year, after.number, CLOSE_DAY, 6, 4, tzinfo=ZoneInfo(ZONE)
        ).astimezone(UTC)

    @property
    def console(self) -> Cast:
        """Return the operator's people."""
        return Cast("console", self.acme.issuer.removesuffix("acme") + "console")

    def acting(self, part: str) -> AbstractContextManager[None]:
        """Act as one of Acme's people, in a transaction."""
        return acting(self.acme(part))

    def measure(self) -> None:
        """Store the minutes since the last call."""
        with self.acting("officer"):
            session().execute(LOADING)
            self.feed = self.feed or MinuteFeed(self.ids, self.now, self.closed)
            self.feed.store(clock.now() - MINUTE)

    def evaluate(self) -> None:
        """Measure, then evaluate the alerts."""
        self.measure()
        self.judge()

    def judge(self) -> None:
        """Fire and resolve alerts, as the jobs process does every minute."""
        with acting(system_actor("acme")):
            evaluation.evaluate()

    def alert(self, objective: str) -> UUID | None:
        """Return the open alert of the objective with that name."""
        with self.acting("jun"):
            return next(
                (
                    each.id
                    for each in alert_queries.open_alerts()
                    if alert_queries.objective_name(each) == objective
                ),
                None,
            )


def system_id(slug: str) -> UUID:
    return systems.system(slug).id


@contextmanager
def acting(who: Actor) -> Iterator[None]:
    """Act as a person or a machine, in a transaction."""
    with current.acting_as(who), transaction():
        yield
