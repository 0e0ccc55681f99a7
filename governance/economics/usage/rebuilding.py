"""Recount days from their events, and correct those that differ.

    countable_days(month)    the days whose events all still exist
    differences(days)        rows of usage_days that differ from the events
    correct(days)            set them to what the events add up to

A day that loses all its events is kept with 0 requests, so that readers of changes see it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import text

from governance.economics.usage import partitions
from governance.economics.usage.event_store import Days, Rows
from governance.economics.usage.event_stores import store
from governance.economics.usage.storing import CHANGED_AT
from governance.economics.usage.usage_events import BUCKETS
from governance.foundation.tenants.queries import operator_time_zone
from governance.kernel import clock, current
from governance.kernel.data.db import session
from governance.kernel.data.monthly_partitions import months_between
from governance.kernel.intervals import Span
from governance.kernel.months import Month

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Difference:
    """A usage_days row that differs from its events; tokens are the sum of all buckets."""

    day: date
    system: str
    feature: str
    provider: str
    model: str
    outcome: str
    requests: int
    tokens: int
    event_requests: int
    event_tokens: int

    @property
    def sentence(self) -> str:
        named = " ".join(filter(None, (self.feature, self.provider, self.model, self.outcome)))
        return (
            f"{self.day} {self.system} {named}: counted {self.requests:,} requests and"
            f" {self.tokens:,} tokens, its events have {self.event_requests:,} and"
            f" {self.event_tokens:,}"
        )


def countable_days(month: Month) -> list[date]:
    """Return the days of a month in the operator's time zone whose events aren't dropped.

    A recent month of UTC without a partition never had an event.
    """
    zone, first_kept = ZoneInfo(operator_time_zone()), partitions.first_kept_month()
    existing = set(store().months())
    every = (month.first_day + n * DAY for n in range(month.last_day.day))
    return [
        day
        for day in every
        if all(each in existing or each >= first_kept for each in _utc_months(day, zone))
    ]


def countable_months() -> list[Month]:
    """Return the months with such days, in order, up to the current one."""
    present = Month.of(clock.now().astimezone(ZoneInfo(operator_time_zone())).date())
    near = {each.plus(n) for each in store().months() for n in (-1, 0, 1)}
    return [month for month in sorted(near) if month <= present and countable_days(month)]


def differences(days: Sequence[date]) -> list[Difference]:
    """Return the rows that differ on these days, in order of days."""
    if not days:
        return []
    counts = store().counts(_given(days))
    found = session().execute(text(counts.within(_FIND)), _values(days, counts))
    return [Difference(*row) for row in found]


def correct(days: Sequence[date]) -> None:
    """Set the counts of days from their events. The caller holds the tenant's lock "usage"."""
    if not days:
        return
    counts = store().counts(_given(days))
    session().execute(text(counts.within(_CORRECT)), _values(days, counts))
    for _, of_month in groupby(days, Month.of):  # per month, so that people fit in memory
        people = store().people(_given(list(of_month)))
        session().execute(text(people.within(_ADD_PEOPLE)), _values(days, people))


def span_of(first: date, last: date, zone: ZoneInfo) -> Span:
    """Return the span from the start of a day to the end of another one."""
    start, end = (datetime.combine(day, time(), zone) for day in (first, last + DAY))
    return Span(start.astimezone(UTC), end.astimezone(UTC))


def _utc_months(day: date, zone: ZoneInfo) -> list[Month]:
    span = span_of(day, day, zone)
    return months_between(span.start, span.end - timedelta(microseconds=1))


def _given(days: Sequence[date]) -> Days:
    zone = operator_time_zone()
    return Days(days, span_of(min(days), max(days), ZoneInfo(zone)), zone)


def _values(days: Sequence[date], rows: Rows) -> dict[str, Any]:
    mine = {"tenant": current.actor().tenant_id, "days": list(days), "now": clock.now()}
    return mine | dict(rows.values)


_KEY = "day, system_id, feature, provider, model, outcome"
_COUNTS = ["requests", *(f"{each}_tokens" for each in BUCKETS)]


def _all(form: str) -> str:
    return ", ".join(form.format(name) for name in _COUNTS)


def _tokens(form: str) -> str:
    return " + ".join(form.format(name) for name in _COUNTS[1:])


_DIFFERING = f"""
WITH counted AS ({{rows}}), stored AS (
  SELECT {_KEY}, {_all("{}")} FROM usage_days
  WHERE tenant_id = :tenant AND day = ANY(CAST(:days AS date[]))
), differing AS (
  SELECT {_KEY}, {_all("coalesce(c.{0}, 0) AS {0}")},
    coalesce(s.requests, 0) AS stored_requests,
    {_tokens("coalesce(s.{}, 0)")} AS stored_tokens
  FROM counted c FULL JOIN stored s USING ({_KEY})
  WHERE ({_all("coalesce(c.{}, 0)")}) IS DISTINCT FROM ({_all("coalesce(s.{}, 0)")})
)"""  # noqa: S608 - names of ours
_FIND = f"""{_DIFFERING}
SELECT d.day, s.key, d.feature, d.provider, d.model, d.outcome, d.stored_requests, d.stored_tokens,
  d.requests, {_tokens("d.{}")}
FROM differing d JOIN ai_systems s ON s.tenant_id = :tenant AND s.id = d.system_id
ORDER BY d.day, s.key, d.feature, d.provider, d.model, d.outcome"""  # noqa: S608 - names of ours
_CORRECT = f"""{_DIFFERING}
INSERT INTO usage_days (tenant_id, {_KEY}, {_all("{}")}, changed_at)
SELECT :tenant, {_KEY}, {_all("{}")}, {CHANGED_AT} FROM differing
ON CONFLICT (tenant_id, {_KEY}) DO UPDATE SET {_all("{0} = excluded.{0}")},
  changed_at = excluded.changed_at"""  # noqa: S608 - names of ours
_ADD_PEOPLE = """
INSERT INTO usage_people AS p (tenant_id, month, system_id, feature, person, days)
SELECT :tenant, used.* FROM ({rows}) AS used
ON CONFLICT (tenant_id, month, system_id, feature, person)
DO UPDATE SET days = p.days | excluded.days WHERE p.days | excluded.days <> p.days
"""
