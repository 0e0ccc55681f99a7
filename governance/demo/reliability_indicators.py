"""Acme's indicators and objectives, and their minutes up to now.

define()        the indicators and objectives, by the acting person, in their transaction
episodes(…)     outages and gaps, counted back from now and from the last closed month
MinuteFeed      every minute, as the products sent it
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import chain
from uuid import UUID

from governance.demo.measured_minutes import Episode, MinuteSeries, Row, scattered
from governance.kernel.intervals import MINUTE, Span
from governance.operations.measurements import actions as measurements
from governance.operations.objectives import actions as objectives
from governance.operations.systems import queries as systems

VENDOR, SEARCH_VENDOR = "Helio Cloud", "Quill Search"
YEAR = timedelta(days=365)  # before the closed month, for the rehearsal of agreements
SEASON = timedelta(days=2)  # before the closed month, for everything else
STALE = timedelta(days=6)  # how long one collector has been silent
BACKFILL_REASON = "History of the metrics store, imported when the objectives were defined"
DAILY_REASON = "Import of the days since the last one"


@dataclass(frozen=True, slots=True)
class Measured:
    """An indicator with its objective and its load."""

    key: str
    name: str
    system: str
    kind: str
    unit: str
    target: str
    rate: float
    bad: float
    is_ai: bool = False
    bound: str | None = None
    bound_unit: str | None = None
    min_requests: int = 1
    feature: str | None = None
    vendor: str | None = None
    owner: str = "jun"
    minimum_coverage: str = "0.95"

    @property
    def objective(self) -> str:
        return f"{self.system} · {self.name}"


MEASURED: tuple[Measured, ...] = (
    Measured(
        "claims-triage-grounded",
        "Grounded approvals",
        "claims-triage",
        "ratio",
        "approvals",
        "0.99",
        5.6,
        0.0072,
        is_ai=True,
        feature="auto-approve",
    ),
    Measured(
        "claims-triage-availability",
        "Availability",
        "claims-triage",
        "downtime",
        "requests",
        "0.995",
        14,
        0.002,
        min_requests=3,
        feature="auto-approve",
    ),
    Measured(
        "support-assistant-availability",
        "Availability",
        "support-assistant",
        "ratio",
        "requests",
        "0.999",
        15,
        0.0006,
        owner="anna",
    ),
    Measured(
        "claims-triage-latency",
        "Latency under 4 s",
        "claims-triage",
        "threshold",
        "requests",
        "0.95",
        5.2,
        0.028,
        bound="4",
        bound_unit="s",
    ),
    Measured(
        "support-assistant-grounded",
        "Grounded answers",
        "support-assistant",
        "ratio",
        "answers",
        "0.97",
        1.9,
        0.0137,
        is_ai=True,
        owner="anna",
    ),
    Measured(
        "support-assistant-first-token",
        "First token under 1.2 s",
        "support-assistant",
        "threshold",
        "answers",
        "0.95",
        13,
        0.019,
        bound="1.2",
        bound_unit="s",
        owner="anna",
    ),
    Measured(
        "ad-copywriter-availability",
        "Availability",
        "ad-copywriter",
        "ratio",
        "requests",
        "0.995",
        0.045,
        0.002,
        owner="anna",
    ),
    Measured(
        "ad-copywriter-safe",
        "Free of harmful output",
        "ad-copywriter",
        "ratio",
        "texts",
        "0.99",
        0.09,
        0.001,
        is_ai=True,
        owner="anna",
    ),
    Measured(
        "support-assistant-resolved",
        "Resolved in chat",
        "support-assistant",
        "ratio",
        "conversations",
        "0.85",
        0.8,
        0.06,
        is_ai=True,
        owner="anna",
        minimum_coverage="0.9",
    ),
    Measured(
        "claims-triage-helio",
        "Helio model calls",
        "claims-triage",
        "downtime",
        "calls",
        "0.995",
        9,
        0.001,
        min_requests=1,
        vendor=VENDOR,
    ),
    Measured(
        "support-assistant-search",
        "Quill searches",
        "support-assistant",
        "ratio",
        "searches",
        "0.999",
        6,
        0.0016,
        vendor=SEARCH_VENDOR,
    ),
)


def define(people: Mapping[str, UUID]) -> dict[str, UUID]:
    """Define every indicator with its objective. Return {indicator key: indicator id}.

    A vendor's indicator has no objective, because its agreement has the target.
    """
    found: dict[str, UUID] = {}
    for each in MEASURED:
        indicator = measurements.define(
            key=each.key,
            name=f"{each.system} {each.name[:1].lower()}{each.name[1:]}",
            system_id=systems.system(each.system).id,
            kind=each.kind,
            feature=each.feature,
            unit=each.unit,
            min_requests=each.min_requests,
            floor=Decimal(0) if each.kind == "downtime" else None,
            bound=Decimal(each.bound) if each.bound else None,
            bound_unit=each.bound_unit,
            vendor=each.vendor,
        )
        found[each.key] = indicator.id
        if each.vendor is None:
            objectives.create(
                name=each.objective,
                indicator_id=indicator.id,
                target=Decimal(each.target),
                owner_id=people[each.owner],
                minimum_coverage=Decimal(each.minimum_coverage),
                is_ai=each.is_ai,
            )
    return found


class MinuteFeed:
    """Every minute of every indicator, stored as time passes.

    The story counts back from `now`. `closed` is the month of the statement.
    """

    def __init__(self, ids: Mapping[str, UUID], now: datetime, closed: Span) -> None:
        self._ids, self._is_first = ids, True
        self._rows: dict[str, Iterator[Row]] = {
            each.key: _series(number, each, now, closed).rows()
            for number, each in enumerate(MEASURED)
        }

    def store(self, until: datetime) -> None:
        """Store the minutes since the last call, up to `until`."""
        reason = BACKFILL_REASON if self._is_first else DAILY_REASON
        for key in self._rows:
            measurements.store(self._next(key, until), backfill_reason=reason)
        self._is_first = False

    def _next(self, key: str, until: datetime) -> Iterator[tuple[UUID, datetime, int, int]]:
        rows = self._rows[key]
        for row in rows:
            if row[0] >= until:
                self._rows[key] = chain((row,), rows)
                return
            yield (self._ids[key], *row)


def _series(number: int, each: Measured, now: datetime, closed: Span) -> MinuteSeries:
    """Return the minutes from the first one to the present. One collector went silent earlier."""
    return MinuteSeries(
        seed=2026 + number,
        rate=each.rate,
        bad=each.bad,
        since=closed.start - (YEAR if each.key == "claims-triage-availability" else SEASON),
        until=now - STALE if each.key == "support-assistant-resolved" else now,
        episodes=episodes(each.key, now, closed),
    )


def episodes(key: str, now: datetime, closed: Span) -> Sequence[Episode]:
    """Return the episodes of one indicator that differ from quiet minutes."""
    return tuple(_EPISODES.get(key, _none)(now, closed))


def late_rows(closed: Span) -> Iterator[tuple[datetime, int, int]]:
    """Yield the minutes that arrive after the statement of their month: 65 of 204 were down."""
    start = late_start(closed)
    for number in range(LATE_MINUTES):
        yield start + number * MINUTE, 0 if number % 3 == 0 and number < 195 else 9, 9  # noqa: PLR2004 - 65 of them


LATE_MINUTES = 204


def late_start(closed: Span) -> datetime:
    """Return the start of the late minutes, and of the incident that delayed them."""
    return closed.start + timedelta(days=8, hours=4, minutes=12)


def _none(_now: datetime, _closed: Span) -> Iterator[Episode]:
    return iter(())


def _grounded(now: datetime, _closed: Span) -> Iterator[Episode]:
    """Yield 28 minutes of approvals that cite a withdrawn clause, then the stop without data."""
    yield Episode(now - 70 * MINUTE, 28, 0.72, rate=11)
    yield Episode(now - 42 * MINUTE, 42, None)


def _availability(now: datetime, closed: Span) -> Iterator[Episode]:
    recent = max(closed.end, now - timedelta(days=30))
    yield from _recent_outages(now, recent)
    # the month of the statement: 430 minutes outside maintenance, 66 inside it
    yield from scattered(
        7, closed.start + timedelta(days=10), closed.end - timedelta(days=1), minutes=430
    )
    for day in (3, 17):
        yield Episode(closed.start + timedelta(days=day, hours=2, minutes=20), 33, 1.0)
    yield Episode(late_start(closed), 384, None)
    # the year before, for the rehearsal
    for month, lost in enumerate((20, 130, 300, 460, 60, 240, 25, 90, 210, 40, 15)):
        start = closed.start - timedelta(days=30 * (month + 1))
        yield from scattered(month + 11, start, start + timedelta(days=29), minutes=lost)


def _recent_outages(now: datetime, recent: datetime) -> Iterator[Episode]:
    """Yield the outages of the last days, a slow decline that spends the budget."""
    today = [(1, 97), (2, 60), (3, 220), (4, 410), (6, 640), (9, 1000)]
    for minutes, ago in today:
        yield Episode(now - ago * MINUTE, minutes, 1.0)
    for days, minutes in ((2, 21), (3, 9), (4, 8), (6, 11), (11, 6), (14, 5), (18, 31)):
        start = now - timedelta(days=days, hours=5)
        if start > recent:
            yield Episode(start, minutes, 1.0)
    for days, minutes in ((5, 52), (13, 370), (21, 1160)):
        start = now - timedelta(days=days, hours=2)
        if start > recent:
            yield Episode(start, minutes, None)


def _first_token(_now: datetime, closed: Span) -> Iterator[Episode]:
    """Yield a slow week of the closed month, in which 94 of 100 answers were in time."""
    yield Episode(closed.start + timedelta(days=18), 7 * 24 * 60, 0.262)


def _ad_copywriter(_now: datetime, closed: Span) -> Iterator[Episode]:
    """Yield three days of the closed month without data, so that coverage is too low."""
    yield Episode(closed.start + timedelta(days=12), 3 * 24 * 60 + 700, None)


def _helio(now: datetime, closed: Span) -> Iterator[Episode]:
    """Yield the vendor's 312 failed minutes of the closed month, most of them in our outages."""
    ours = [
        each
        for each in _availability(now, closed)
        if each.bad == 1.0 and closed.start <= each.start < closed.end
    ]
    left = 312
    for each in ours:
        if left <= 0:
            break
        yield Episode(each.start, min(each.minutes, left), 1.0)
        left -= each.minutes


_EPISODES = {
    "claims-triage-grounded": _grounded,
    "claims-triage-availability": _availability,
    "support-assistant-first-token": _first_token,
    "ad-copywriter-availability": _ad_copywriter,
    "claims-triage-helio": _helio,
}
