"""Requests and tokens of a tenant by day, AI system, feature, model and outcome.

usage_by_day(days)      for the chart
usage_by_model(days)    for the table
months_with_usage()     the range of months that a reader can navigate
changed_days(since)     days counted since an instant, for a reader that prices usage
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select

from governance.economics.usage.models import DAYS
from governance.economics.usage.usage_events import BUCKETS
from governance.kernel import current
from governance.kernel.data.db import session
from governance.operations.systems.models import AISystem

UNHELPFUL = ("failed", "retried")  # attempts without a usable answer


@dataclass(frozen=True, slots=True)
class Usage:
    """Requests and tokens of one AI system, feature and model."""

    system_id: UUID
    system: str
    feature: str
    provider: str
    model: str
    requests: int
    refused: int
    failed: int
    tokens: dict[str, int]  # by bucket

    @property
    def name(self) -> str:
        """The key that distinguishes the row from the others."""
        return "/".join((str(self.system_id), self.feature, self.provider, self.model))

    @property
    def all_tokens(self) -> int:
        return sum(self.tokens.values())

    @property
    def cached_share(self) -> float:
        """The share of input tokens read from a cache; 0 if there are none."""
        read = self.tokens["input"] + self.tokens["cache_read"] + self.tokens["cache_write"]
        return self.tokens["cache_read"] / read if read else 0.0


@dataclass(frozen=True, slots=True)
class Days:
    """A range of whole days in the operator's time zone, both ends included."""

    first: date
    last: date


@dataclass(frozen=True, slots=True)
class DayUsage:
    """Requests and tokens of one day, AI system, feature, provider, model and outcome."""

    day: date
    system_id: UUID
    system: str  # its slug
    feature: str  # "" where events name none
    provider: str  # "" where events name none
    model: str
    outcome: str
    requests: int  # may be 0 if a rebuild found no event
    tokens: dict[str, int]  # by bucket
    changed_at: datetime


def usage_by_model(days: Days) -> list[Usage]:
    """Return the usage of each system, feature and model, those with the most tokens first."""
    total = func.sum(DAYS.c.requests)
    query = (
        select(
            AISystem.id,
            AISystem.key,
            DAYS.c.feature,
            DAYS.c.provider,
            DAYS.c.model,
            total.label("requests"),
            total.filter(DAYS.c.outcome == "refused").label("refused"),
            total.filter(DAYS.c.outcome.in_(UNHELPFUL)).label("failed"),
            *_tokens(),
        )
        .join(
            AISystem,
            (AISystem.tenant_id == DAYS.c.tenant_id) & (AISystem.id == DAYS.c.system_id),
        )
        .group_by(AISystem.id, AISystem.key, DAYS.c.feature, DAYS.c.provider, DAYS.c.model)
    )
    found = [
        Usage(
            row.id,
            row.key,
            row.feature,
            row.provider,
            row.model,
            int(row.requests),
            int(row.refused or 0),
            int(row.failed or 0),
            {each: int(getattr(row, each)) for each in BUCKETS},
        )
        for row in session().execute(_within(query, days))
    ]
    return sorted(found, key=lambda each: (-each.all_tokens, each.system, each.model))


def months_with_usage() -> tuple[date, date] | None:
    """Return the first and the last day with usage, or None if there is none."""
    mine = DAYS.c.tenant_id == current.actor().tenant_id
    row = session().execute(select(func.min(DAYS.c.day), func.max(DAYS.c.day)).where(mine)).one()
    return None if row[0] is None else (row[0], row[1])


def changed_days(since: datetime | None) -> list[DayUsage]:
    """Return the acting tenant's day rows that changed after an instant, the earliest change first.

    Each row has the total of its day, not what was added. Pass the last row's `changed_at` in the
    next call; None returns everything.
    """
    query = (
        select(
            *(DAYS.c[name] for name in ("day", "system_id", "feature", "provider", "model")),
            *(DAYS.c[name] for name in ("outcome", "requests", "changed_at")),
            *(DAYS.c[f"{each}_tokens"].label(each) for each in BUCKETS),
            AISystem.key.label("system"),
        )
        .join(
            AISystem,
            (AISystem.tenant_id == DAYS.c.tenant_id) & (AISystem.id == DAYS.c.system_id),
        )
        .where(DAYS.c.tenant_id == current.actor().tenant_id)
        .order_by(DAYS.c.changed_at, *DAYS.primary_key.columns)
    )
    if since is not None:
        query = query.where(DAYS.c.changed_at > since)
    return [
        DayUsage(
            row.day,
            row.system_id,
            row.system,
            row.feature,
            row.provider,
            row.model,
            row.outcome,
            row.requests,
            {each: getattr(row, each) for each in BUCKETS},
            row.changed_at,
        )
        for row in session().execute(query)
    ]


def usage_by_day(days: Days) -> Sequence[tuple[date, int, int]]:
    """Return (day, requests, tokens) for each day with usage, in order."""
    tokens = sum((func.sum(DAYS.c[f"{each}_tokens"]) for each in BUCKETS[1:]), _first_bucket())
    query = select(DAYS.c.day, func.sum(DAYS.c.requests), tokens).group_by(DAYS.c.day)
    rows = session().execute(_within(query, days).order_by(DAYS.c.day))
    return [(row[0], int(row[1]), int(row[2])) for row in rows]


def _first_bucket() -> Any:
    return func.sum(DAYS.c[f"{BUCKETS[0]}_tokens"])


def _tokens() -> list[Any]:
    return [func.sum(DAYS.c[f"{each}_tokens"]).label(each) for each in BUCKETS]


def _within(query: Select[Any], days: Days) -> Select[Any]:
    return query.where(
        DAYS.c.tenant_id == current.actor().tenant_id, DAYS.c.day.between(days.first, days.last)
    )
