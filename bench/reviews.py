"""Reviews measured: the page of a month over twelve months and 200 tenants, and a close's sums.

    measure(app, server, environment, rounds=…, seconds=…, quick=…) -> rows of the table

The close reads a month from the daily sums of usage. Its limit is the same aggregate over the
events themselves, in PostgreSQL and in DuckDB; all three must agree to the cent. The default is
a million events; BENCH_EVENTS=10000000 measures the promised size.
"""

import os
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import duckdb
import psycopg
from flask import Flask

from bench import world
from bench.client import Target, median_ms, serving_console, warm
from bench.table import Row
from governance.economics.prices import actions as prices
from governance.economics.rates import queries as rates
from governance.economics.reviews.closing import work as closing
from governance.economics.reviews.facts.assembly import assemble
from governance.economics.reviews.facts.review_facts import encode
from governance.economics.reviews.inputs import usage_reading
from governance.economics.reviews.inputs.month_inputs import CustomerUsage
from governance.economics.reviews.inputs.usage_sums import usage_sums
from governance.economics.reviews.models import Review, ReviewRevision
from governance.economics.usage import partitions
from governance.kernel import clock
from governance.kernel.data import embedded
from governance.kernel.data.db import session, transaction
from governance.kernel.months import Month
from tests import make
from tests.economics.prices.price_helpers import terms
from tests.economics.reviews.month_helpers import EMPTY, customer, replace_bridge

VAR = Path("var/bench")
EVENTS = int(os.environ.get("BENCH_EVENTS", "1000000"))
TENANTS, MONTHS = 200, 12
PAGE_MS = 200
MONTH = Month(2026, 10)
FINANCE = "operator_finance"

# Each column of an event derives from its number, for PostgreSQL and for DuckDB.
EVENT = """
  n % 200 AS tenant, n % 3 AS system, n % 4 AS feature, n % 5 AS model, n % 6 AS outcome,
  1 + n % 30 AS day, 500 + n % 3000 AS input, n % 7 * 1000 AS cached, 100 + n % 900 AS output"""
FOR_PSYCOPG = EVENT.replace("%", "%%")
COST = "((input * (1 + model) * 1.0 + cached * 0.1 + output * 15.0) / 1000000)::numeric(20, 8)"
OUTCOME = "CASE outcome WHEN 4 THEN 'refused' WHEN 5 THEN 'failed' ELSE 'success' END"
TENANT = "lpad(to_hex(tenant + 1000), 32, '0')::uuid"
FILL = f"""
INSERT INTO usage_events (tenant_id, at, event_id, received_at, system_id, feature, provider, model,
  outcome, input_tokens, cache_read_tokens, cache_write_tokens, output_tokens, reasoning_tokens)
SELECT {TENANT}, make_timestamptz(2026, 10, day, 12, 0, 0) + n * interval '1 millisecond',
  'bench-' || n, now(), lpad(to_hex(system), 32, '0')::uuid, 'feature-' || feature, 'bench',
  'model-' || model, {OUTCOME}, input, cached, 0, output, 0
FROM (SELECT n, {FOR_PSYCOPG} FROM generate_series(0, %(events)s - 1) AS n) AS e"""
ROLLUP = f"""
INSERT INTO usage_costs (tenant_id, day, customer_id, system_id, feature, provider, model, outcome,
  system, match_key, requests, input_tokens, cache_read_tokens, cache_write_tokens, output_tokens,
  reasoning_tokens, price_id, currency, cost, collected_at)
SELECT %(operator)s, make_date(2026, 10, day), {TENANT}, lpad(to_hex(system), 32, '0')::uuid,
  'feature-' || feature, 'bench', 'model-' || model, {OUTCOME}, 'system-' || system, 'bench',
  count(*), sum(input), sum(cached), 0, sum(output), 0, %(price)s, 'EUR', sum({COST}), now()
FROM (SELECT n, {FOR_PSYCOPG} FROM generate_series(0, %(events)s - 1) AS n) AS e
GROUP BY day, tenant, system, feature, model, 8"""
RAW = """
SELECT tenant_id, system_id, feature, model, outcome, count(*),
  sum(input_tokens + cache_read_tokens + output_tokens),
  sum(((input_tokens * (1 + right(model, 1)::int) * 1.0 + cache_read_tokens * 0.1
    + output_tokens * 15.0) / 1000000)::numeric(20, 8))
FROM usage_events WHERE at >= '2026-10-01' AND at < '2026-11-01' AND provider = 'bench'
GROUP BY 1, 2, 3, 4, 5"""
IN_DUCKDB = f"""
SELECT tenant, system, feature, model, outcome, count(*), sum(input + cached + output),
  sum({COST.replace("::numeric(20, 8)", "::DECIMAL(20, 8)")}) FROM events GROUP BY ALL"""


def measure(
    app: Flask,
    server: embedded.Embedded,
    environment: Mapping[str, str],
    *,
    rounds: int,
    seconds: float,
    quick: bool,
) -> list[Row]:
    return [
        *_page(app, environment, rounds=rounds, seconds=seconds),
        *_close(app, server, events=EVENTS // 20 if quick else EVENTS, rounds=min(rounds, 3)),
    ]


# ---- the page


def _page(app: Flask, environment: Mapping[str, str], *, rounds: int, seconds: float) -> list[Row]:
    with app.app_context(), make.acting(FINANCE, "console"):
        for back in range(MONTHS):
            _review(MONTH.plus(-back))
    with app.app_context():
        cookie = make.cookie(FINANCE, "console")
    with serving_console(environment, VAR / "web.log") as (port, _pid):
        target = Target(
            "review",
            port,
            f"/operator/economics/reviews/{MONTH}/",
            {"Cookie": f"session={cookie}"},
        )
        warm(target)
        taken = statistics.median(median_ms(target, seconds) for _ in range(rounds))
    what = f"review of a month, beside {MONTHS} months of {TENANTS} tenants"
    return [(what, taken, "ms", taken / PAGE_MS, f"≤ {PAGE_MS} ms")]


def _review(month: Month) -> None:
    """Store the closed review of a month of 200 tenants."""
    customers = [customer(n + 1, segment=f"Segment {n % 5}") for n in range(TENANTS)]
    facts = assemble(
        replace(
            EMPTY,
            month=str(month),
            customers=customers,
            usage={
                each.id: CustomerUsage(1000 + n, n % 7, 10**6 * n, 900, 40, Decimal(20 + n % 90))
                for n, each in enumerate(customers)
            },
            invoiced={each.id: Decimal(60 + n % 400) for n, each in enumerate(customers)},
            mrr={each.id: Decimal(50 + n % 400) for n, each in enumerate(customers)},
            bridge=replace_bridge(start=50_000, new=900, churn=300, end=50_600),
        )
    )
    row = Review(
        month=str(month),
        revision=1,
        reopened=None,
        problem=None,
        accepted_residual=None,
        late=None,
        work_item_id=None,
        requested_by=None,
    )
    session().add(row)
    session().flush()
    session().add(
        ReviewRevision(
            review_id=row.id,
            number=1,
            closed_at=clock.now(),
            closed_by=None,
            reason="",
            input_digest="0" * 64,
            facts=encode(facts),
            headline=encode(closing.headline_of(facts)),
            changes=None,
            accepted_residual=None,
        )
    )


# ---- the close


def _close(app: Flask, server: embedded.Embedded, *, events: int, rounds: int) -> list[Row]:
    with app.app_context(), transaction():
        partitions.EVENTS.ensure([MONTH])
    with app.app_context(), make.acting(FINANCE, "console") as who:
        operator = who.tenant_id
        price = _price()
    with psycopg.connect(world.superuser(server), autocommit=True) as connection:
        values = {"events": events, "operator": operator, "price": price}
        connection.execute(FILL, values)
        connection.execute(ROLLUP, values)
        connection.execute("ANALYZE usage_events, usage_costs")
        memory = duckdb.connect(config={"threads": 2})
        memory.execute(f"CREATE TABLE events AS SELECT n, {EVENT} FROM range({events}) AS r (n)")
        raw, rolled, inside, totals = [], [], [], set()
        for _ in range(rounds + 1):
            for times, act in (
                (raw, lambda: connection.execute(RAW).fetchall()),
                (inside, lambda: memory.execute(IN_DUCKDB).fetchall()),
                (rolled, lambda: _sums(app)),
            ):
                taken, total = _timed(act)
                times.append(taken)
                totals.add(total)
    if len(totals) != 1:
        raise SystemExit(f"rollups and events don't agree: {totals}")
    rows, events_, duck = (statistics.median(each[1:]) for each in (rolled, raw, inside))
    million = f"{events / 10**6:g} million events"
    return [
        (f"aggregate of {million}", events_ * 1000, "ms", None, ""),
        ("the same in DuckDB", duck * 1000, "ms", duck / events_, ""),
        (
            "the same for a close, from the rollups",
            rows * 1000,
            "ms",
            rows / events_,
            "≤ 0.2 of the events",
        ),
    ]


def _timed(act: Callable[[], list[tuple[object, ...]]]) -> tuple[float, Decimal]:
    """Return the seconds of the action, and the total cost to the cent."""
    begun = time.perf_counter()
    found = act()
    taken = time.perf_counter() - begun
    total = sum((Decimal(str(row[-1])) for row in found), Decimal(0))
    return taken, total.quantize(Decimal("0.01"))


def _sums(app: Flask) -> list[tuple[object, ...]]:
    """Read the usage that a close needs, by customer and by AI system."""
    with app.app_context(), make.acting(FINANCE, "console", read_only=True):
        converted = rates.month_rates(MONTH)
        sums = usage_sums(MONTH)
        usage_reading.by_system(sums, {}, converted)
        found = usage_reading.by_customer(sums, {}, converted)
        return [(each.models,) for each in found.values()]


def _price() -> UUID:
    """Return the id of a price, for the foreign key."""
    day = MONTH.first_day - timedelta(days=300)
    return prices.add_price(terms(currency="EUR", effective_from=day)).id
