"""PostgreSQL and ClickHouse give the same figures over the same million events."""

from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo

import duckdb
from sqlalchemy import text

from governance.economics.usage import file_storing, moving
from governance.economics.usage.completed_tasks import LOOK_BACK
from governance.economics.usage.event_store import Days, UnitPrice
from governance.economics.usage.postgresql_events import PostgresqlEvents
from governance.economics.usage.rebuilding import DAY, span_of
from governance.economics.usage.usage_events import BUCKETS, OUTCOMES
from governance.foundation.tenants.models import Tenant
from governance.kernel.data.db import session
from governance.kernel.months import Month
from tests import make
from tests.economics.usage.usage_helpers import register

COUNTS = {"acme": 900_000, "globex": 100_000}
ZONE = ZoneInfo("Europe/Berlin")
FIRST, LAST = date(2026, 10, 1), date(2026, 11, 30)
DAYS = [FIRST + n * DAY for n in range((LAST - FIRST).days + 1)]
MONTHS = [Month(2026, 9), Month(2026, 10), Month(2026, 11), Month(2026, 12)]


def prices():
    """Return prices: two models for all time, one up to a day, one in two periods."""

    def price(provider, model, first, last, per_million, per_request="0"):
        each = dict(zip(BUCKETS, map(Decimal, per_million), strict=True))
        return UnitPrice(provider, model, first, last, each, Decimal(per_request))

    return [
        price("helio", "model-0", FIRST, LAST, ("3", "0.3", "3.75", "15", "15")),
        price("", "model-1", FIRST, LAST, ("0.0375", "0.01", "0", "0.1501", "0.3"), "0.0000005"),
        price("helio", "model-2", FIRST, date(2026, 10, 20), ("1", "0", "0", "5", "0")),
        price("helio", "model-3", FIRST, date(2026, 10, 25), ("2.5", "1.25", "0", "10", "0")),
        price("helio", "model-3", date(2026, 10, 26), LAST, ("2", "1", "0", "8", "0"), "0.001"),
    ]


def test_a_million_events_give_the_same_sums_people_tasks_and_percentiles(
    app, isolated, clickhouse, tmp_path
):
    stores = PostgresqlEvents(), clickhouse
    with make.acting("admin"):
        stores[0].ensure_months(MONTHS)
    for slug, count in COUNTS.items():
        systems = [register(name, slug) for name in ("claims-triage", "ad-copywriter")]
        fill(slug, write(tmp_path / f"{slug}.tsv", count, systems))
        with make.acting("admin", slug):
            moved = [moving.move(month) for month in MONTHS]
            assert sum(each.events for each in moved) == count
            assert not any(each.missing for each in moved)
    for slug, count in COUNTS.items():
        with make.acting("admin", slug):
            one, other = (figures(each) for each in stores)
            assert one.keys() == other.keys()
            for name in one:
                assert one[name] == other[name], name
            assert sum(row.requests for row in one["counts"]) > count * 0.95
            assert len(one["people"]) > 1000 and one["costs"][0].percentiles[2] > 0


def figures(store):
    span = span_of(FIRST, LAST, ZONE)
    days = Days(DAYS, span, str(ZONE))
    asked = {
        "counts": store.counts(days),
        "people": store.people(days),
        "tasks": store.tasks(span, LOOK_BACK),
        "costs": store.costs(span, str(ZONE), prices()),
        "nothing has a price": store.costs(span, str(ZONE), []),
    }
    ordered = {
        name: f"SELECT * FROM ({rows.sql}) AS found ORDER BY found" for name, rows in asked.items()
    }
    return {
        name: session().execute(text(query), asked[name].values).all()
        for name, query in ordered.items()
    }


def write(path, count, systems):
    """Write rows of `count` events, over two months and a little more, in the columns of a part."""
    listed, names = (
        ", ".join(f"'{each}'" for each in OUTCOMES),
        ", ".join(f"'{s}'" for s in systems),
    )
    query = f"""
SELECT i AS n, strftime(TIMESTAMPTZ '2026-09-30 12:00:00+00'
    + INTERVAL (i * 62 * 86400 // {count}) SECOND + INTERVAL (i * 7919 % 1000000) MICROSECOND,
    '%Y-%m-%d %H:%M:%S.%f+00') AS at,
  [{names}][1 + i % 2] AS system_id, 'e-' || i AS event_id,
  CASE WHEN i % 11 > 0 THEN 'feature-' || i % 19 END AS feature,
  CASE WHEN i % 6 % 4 <> 1 THEN 'helio' END AS provider, 'model-' || i % 6 % 4 AS model,
  [{listed}][1 + i % 17 % 4] AS outcome, 'r-' || i AS request,
  CASE WHEN i % 5 > 0 THEN 'task-' || (i * 48271 % 65521) END AS task,
  CASE WHEN i % 7 > 0 THEN 'u-' || (i * 16807 % 331) END AS person,
  500 + i * 48271 % 30011, i % 7 * 1000, i % 13 * 10, 100 + i * 16807 % 9973, i % 3 * 100
FROM range({count}) AS r (i)"""
    duckdb.execute("SET TimeZone = 'UTC'; SET threads = 2")
    duckdb.execute(f"COPY ({query}) TO '{path}' (HEADER false, DELIMITER '\t', NULLSTR '')")
    return path


def fill(slug, path):
    """Insert the rows as PostgreSQL's events."""
    columns = ", ".join(file_storing.COPIED[1:])
    with make.acting("admin", slug) as who:
        tenant = session().get_one(Tenant, who.tenant_id)
        file_storing.prepare()
        for part in file_storing.parts(path):
            file_storing.fill(part)
            with file_storing.in_tenant(tenant):
                session().execute(
                    text(
                        f"INSERT INTO usage_events (tenant_id, received_at, {columns})"
                        f" SELECT :tenant, '2026-12-02', {columns} FROM usage_file"
                    ),
                    {"tenant": tenant.id},
                )
