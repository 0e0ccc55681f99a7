"""Usage events, the names of those received lately, and the counts of each day.

Plain tables, not classes: a row is what it says, without an id of ours.

    usage_events       a partition for each month of UTC (partitions.py)
    usage_event_keys   event ids of the last days, so that an event that is sent again counts once
    usage_days         requests and tokens by day, system, feature, provider, model and outcome
    usage_people       on which days of a month a pseudonym used a feature; never dropped
    usage_tasks        how many tasks were completed in a month, by system and feature
    usage_proofs       when the days of a month were last compared with its events (retention.py)

A day is one of the operator's time zone, whose months are closed. Each write of a day sets
`changed_at` to a later instant than any other of the tenant (storing.CHANGED_AT), and no row of a
day is ever deleted. So a reader that remembers the latest instant finds all later changes.
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKeyConstraint,
    Index,
    Integer,
    Table,
    Text,
    Uuid,
)

from governance.economics.usage.usage_events import BUCKETS, OUTCOMES
from governance.kernel.data.db import Model

_OUTCOMES = f"outcome IN ({', '.join(f"'{each}'" for each in OUTCOMES)})"


def _buckets(kind: type[Integer] | type[BigInteger]) -> tuple[Column[Any], ...]:
    return tuple(Column(f"{each}_tokens", kind, nullable=False) for each in BUCKETS)


# No foreign key: it would be looked up for each event. An event's day has that key.
EVENTS = Table(
    "usage_events",
    Model.metadata,
    Column("tenant_id", Uuid, primary_key=True),
    Column("at", DateTime(timezone=True), primary_key=True),
    Column("event_id", Text(collation="C"), primary_key=True),
    Column("received_at", DateTime(timezone=True), nullable=False),
    Column("system_id", Uuid, nullable=False),
    Column("feature", Text),
    Column("provider", Text),
    Column("model", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("request", Text),
    Column("task", Text),
    Column("person", Text),  # a pseudonym
    *_buckets(Integer),
    CheckConstraint(_OUTCOMES, name="outcome"),
    postgresql_partition_by="RANGE (at)",
)

EVENT_KEYS = Table(
    "usage_event_keys",
    Model.metadata,
    Column("tenant_id", Uuid, primary_key=True),
    Column("event_id", Text(collation="C"), primary_key=True),
    Column("digest", BigInteger, nullable=False),  # hash of the event's content
    Column("received_at", DateTime(timezone=True), nullable=False),
)

DAYS = Table(
    "usage_days",
    Model.metadata,
    Column("tenant_id", Uuid, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("system_id", Uuid, primary_key=True),
    Column("feature", Text, primary_key=True),  # "" where events name none
    Column("provider", Text, primary_key=True),  # the same
    Column("model", Text, primary_key=True),
    Column("outcome", Text, primary_key=True),
    Column("requests", BigInteger, nullable=False),
    *_buckets(BigInteger),
    Column("changed_at", DateTime(timezone=True), nullable=False),
    Index(None, "tenant_id", "changed_at"),
    ForeignKeyConstraint(["tenant_id", "system_id"], ["ai_systems.tenant_id", "ai_systems.id"]),
    CheckConstraint("requests >= 0", name="requests"),
)

PEOPLE = Table(
    "usage_people",
    Model.metadata,
    Column("tenant_id", Uuid, primary_key=True),
    Column("month", Date, primary_key=True),  # its first day, in the operator's time zone
    Column("system_id", Uuid, primary_key=True),
    Column("feature", Text, primary_key=True),  # "" where events name none
    Column("person", Text(collation="C"), primary_key=True),  # a pseudonym
    Column("days", Integer, nullable=False),  # bit n - 1 is the n-th day of the month
    ForeignKeyConstraint(["tenant_id", "system_id"], ["ai_systems.tenant_id", "ai_systems.id"]),
    CheckConstraint("days > 0", name="days"),
)

TASKS = Table(
    "usage_tasks",
    Model.metadata,
    Column("tenant_id", Uuid, primary_key=True),
    Column("month", Date, primary_key=True),  # its first day, in the operator's time zone
    Column("system_id", Uuid, primary_key=True),
    Column("feature", Text, primary_key=True),  # "" where events name none
    Column("named", BigInteger, nullable=False),  # different tasks that events name
    Column("unnamed", BigInteger, nullable=False),  # requests that succeeded without naming one
    Column("counted_until", DateTime(timezone=True), nullable=False),  # usage_days.changed_at
    ForeignKeyConstraint(["tenant_id", "system_id"], ["ai_systems.tenant_id", "ai_systems.id"]),
    CheckConstraint("named >= 0 AND unnamed >= 0", name="counts"),
)

PROOFS = Table(
    "usage_proofs",
    Model.metadata,
    Column("tenant_id", Uuid, primary_key=True),
    Column("month", Date, primary_key=True),  # its first day, in UTC
    Column("checked_at", DateTime(timezone=True), nullable=False),
    Column("differing", Integer, nullable=False),  # rows of days that differ from the events
    CheckConstraint("differing >= 0", name="differing"),
)
