"""Write usage events and add them to their days: one statement for a batch.

An event whose id is already stored is skipped. A tenant's batches are stored one after the other,
so of two with the same events the second finds those of the first.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from operator import attrgetter
from typing import Any
from uuid import UUID

from sqlalchemy import delete, text

from governance.economics.usage import partitions
from governance.economics.usage.event_store import Stored
from governance.economics.usage.models import EVENT_KEYS
from governance.economics.usage.usage_events import BUCKETS, UsageEvent
from governance.kernel import clock, current
from governance.kernel.data.db import lock_tenant, session
from governance.kernel.data.monthly_partitions import months_between

REMEMBERED = timedelta(days=7)  # how long an id is stored after the event is received
LONG_AGO = timedelta(days=6)  # older events may have lost their id; their instant identifies them

# Columns and the event fields that they hold.
_TEXTS = {
    "event_id": "id",
    "feature": "feature",
    "provider": "provider",
    "model": "model",
    "outcome": "outcome",
    "request": "request",
    "task": "task",
    "person": "user",
}
_TOKENS = [f"{each}_tokens" for each in BUCKETS]
_FACTS = ["at", "system", *_TEXTS, *_TOKENS]
STORED = ["at", "system_id", *_TEXTS, *_TOKENS]
_DAY = ["day", "system_id", "feature", "provider", "model", "outcome"]
_PERSON = ["month", "system_id", "feature", "person"]
# The month, system, feature, person and days of rows that have a day each.
PEOPLE_OF_DAYS = """day - date_part('day', day)::int + 1, system_id, coalesce(feature, ''), person,
    bit_or(1 << date_part('day', day)::int - 1)"""
_ARRAYS = {"at": "timestamptz", "system": "int"} | dict.fromkeys(_TEXTS, "text")
_ARRAYS |= dict.fromkeys(_TOKENS, "int")


def _commas(parts: Sequence[str], form: str = "{}") -> str:
    return ", ".join(form.format(part) for part in parts)


def digest(table: str = "") -> str:
    """Return the expression of a hash of the event's content."""
    facts = _commas(STORED, f"{table}.{{}}" if table else "{}")
    return f"hash_record_extended(ROW({facts}), 0)"


# The instant when a day changed: later than any earlier change of the tenant, even if clocks
# differ. Its writers hold the tenant's lock "usage", so that changes commit in this order.
CHANGED_AT = """greatest(CAST(:now AS timestamptz), (SELECT max(changed_at) + interval '1 microsecond'
    FROM usage_days WHERE tenant_id = :tenant))"""
FROM_ARRAYS = f"""
  SELECT n, {digest()} AS digest, {_commas(STORED)}
  FROM unnest({", ".join(f"CAST(:{name} AS {kind}[])" for name, kind in _ARRAYS.items())})
    WITH ORDINALITY AS g ({_commas(_FACTS)}, n)
  JOIN unnest(CAST(:system_ids AS uuid[])) WITH ORDINALITY AS s (system_id, system) USING (system)
"""  # noqa: S608 - names of ours


# Parts of a statement: events of `given` with their days, and what is written of those in `new`.
_DATED = "SELECT *, (at AT TIME ZONE :zone)::date AS day FROM given"
# Events that may have lost their id: one stored at the same instant with this id is the same event.
KNOWN = f"""
  SELECT n, e.digest = given.digest FROM given CROSS JOIN LATERAL (
    SELECT {digest("e")} AS digest FROM usage_events AS e
    WHERE e.tenant_id = :tenant AND e.at = given.at AND e.event_id = given.event_id OFFSET 0
  ) AS e
  WHERE given.at < :long_ago AND NOT EXISTS (
    SELECT FROM usage_event_keys
    WHERE tenant_id = :tenant AND event_id = given.event_id OFFSET 0)
"""  # noqa: S608 - names of ours
STORE = f"""
  INSERT INTO usage_events (tenant_id, received_at, {_commas(STORED)})
  SELECT :tenant, :now, {_commas(STORED)} FROM new
"""  # noqa: S608 - names of ours
_REMEMBERED = """
  INSERT INTO usage_event_keys (tenant_id, event_id, digest, received_at)
  SELECT :tenant, event_id, digest, :now FROM new ORDER BY event_id COLLATE "C"
"""
_ADDED = f"""
counted AS (
  INSERT INTO usage_days AS d (tenant_id, {_commas(_DAY)}, requests, {_commas(_TOKENS)},
    changed_at)
  SELECT :tenant, day, system_id, coalesce(feature, ''), coalesce(provider, ''), model, outcome,
    count(*), {_commas(_TOKENS, "sum({})")}, {CHANGED_AT}
  FROM new GROUP BY 2, 3, 4, 5, 6, 7
  ON CONFLICT (tenant_id, {_commas(_DAY)}) DO UPDATE SET
    requests = d.requests + excluded.requests, changed_at = excluded.changed_at,
    {", ".join(f"{each} = d.{each} + excluded.{each}" for each in _TOKENS)}
), people AS (
  INSERT INTO usage_people AS p (tenant_id, {_commas(_PERSON)}, days)
  SELECT :tenant, {PEOPLE_OF_DAYS} FROM (
    SELECT DISTINCT day, system_id, feature, person FROM new WHERE person IS NOT NULL
  ) AS used GROUP BY 2, 3, 4, 5
  ON CONFLICT (tenant_id, {_commas(_PERSON)}) DO UPDATE SET days = p.days | excluded.days
  WHERE p.days | excluded.days <> p.days
)
"""  # noqa: S608 - names of ours


RESULT = "SELECT n, is_same FROM known ORDER BY n"


def statement(given: str, result: str, *, known: str = KNOWN, store: str = STORE) -> str:
    """Return the statement that stores new events and counts their days.

    `given` selects n, digest and STORED of events with different ids; `result` selects from given
    and from known (n, is_same), the events whose ids are already stored. OFFSET 0 makes PostgreSQL
    look each of them up by the index, whatever it assumes about the size of the tables. `known`
    finds events that lost their id, and `store` keeps the new ones. clickhouse_events.py passes
    others.
    """
    return f"""
WITH given AS MATERIALIZED ({given}), known AS MATERIALIZED (
  SELECT n, k.digest = given.digest AS is_same FROM given CROSS JOIN LATERAL (
    SELECT digest FROM usage_event_keys
    WHERE tenant_id = :tenant AND event_id = given.event_id OFFSET 0
  ) AS k
  UNION ALL {known}
), new AS MATERIALIZED (
  {_DATED} WHERE n NOT IN (SELECT n FROM known)
), remembered AS ({_REMEMBERED}), stored AS ({store}), {_ADDED}
{result}
"""  # noqa: S608 - names of ours


def statement_for_new(given: str, *, store: str = STORE) -> str:
    """Return the statement that stores events whose ids are all new, and returns their number.

    No id is looked up: if one is taken, a unique key rejects it. That happens before the rest is
    written, since the result reads the ids, which are written in order.
    """
    return f"""
WITH given AS ({given}), new AS MATERIALIZED ({_DATED}),
remembered AS ({_REMEMBERED} RETURNING 1), stored AS ({store}), {_ADDED}
SELECT count(*) FROM remembered
"""  # noqa: S608 - names of ours


WRITE = text(statement(FROM_ARRAYS, RESULT))


def write(events: Sequence[UsageEvent], systems: Mapping[str, UUID], zone: str) -> Stored:
    """Store the events whose ids are new. Each id occurs once in `events`.

    `systems` are ids by slug, `zone` is the operator's.
    """
    if not events:
        return Stored(0)
    partitions.EVENTS.ensure(
        months_between(min(each.at for each in events), max(each.at for each in events))
    )
    lock_tenant("usage")
    known = session().execute(WRITE, values_of(events, systems) | {"zone": zone}).all()
    return Stored(
        len(events) - len(known),
        tuple(row.n - 1 for row in known if row.is_same),
        tuple(row.n - 1 for row in known if not row.is_same),
    )


def forget_keys() -> int:
    """Forget the ids of events that were received more than 7 days ago; return how many."""
    old = EVENT_KEYS.c.received_at < clock.now() - REMEMBERED
    mine = EVENT_KEYS.c.tenant_id == current.actor().tenant_id
    return int(session().execute(delete(EVENT_KEYS).where(mine, old)).rowcount)  # type: ignore[attr-defined]  # of a DELETE


def values_of(events: Sequence[UsageEvent], systems: Mapping[str, UUID]) -> dict[str, Any]:
    places = {slug: place for place, slug in enumerate(systems, 1)}
    tokens = [each.tokens for each in events]
    return {
        "tenant": current.actor().tenant_id,
        "now": clock.now(),
        "long_ago": clock.now() - LONG_AGO,
        "system_ids": list(systems.values()),
        "at": _array([f'"{each.at.isoformat()}"' for each in events]),
        "system": _array([str(places[each.system]) for each in events]),
        **{name: _texts(events, field) for name, field in _TEXTS.items()},
        **{f"{each}_tokens": _numbers(tokens, each) for each in BUCKETS},
    }


def _texts(events: Sequence[UsageEvent], field: str) -> str:
    """Return an array literal of PostgreSQL: none of the texts has a quote or a backslash."""
    found = map(attrgetter(field), events)
    return _array(["NULL" if value is None else f'"{value}"' for value in found])


def _numbers(tokens: Sequence[object], bucket: str) -> str:
    return _array([str(n) for n in map(attrgetter(bucket), tokens)])


def _array(values: Sequence[str]) -> str:
    return "{" + ",".join(values) + "}"
