"""Burn rates: all objectives of a tenant in one pass, and a back-test over 90 days of minutes.

measure(…)      a pass over 5,000 objectives whose traffic has errors in every hour, none over its
                limit; the same with 250 open alerts; four rules over 130,000 minutes

Minutes exist at the ends of windows that end inside an hour, and over the last seven hours.
Hours and days exist over the full windows. A pass reads no other rows, so its index ranges are
realistic.
"""

import random
import statistics
import time
from datetime import datetime
from fractions import Fraction

from sqlalchemy import text

from bench.table import Row
from governance.kernel import clock
from governance.kernel.data.db import session, transaction
from governance.kernel.data.monthly_partitions import utc_month
from governance.operations.alerts import evaluation
from governance.operations.alerts.backtest import History, alerts_of
from governance.operations.alerts.burn_rules import DEFAULT_RULES
from governance.operations.objectives.windows import minute_of

OBJECTIVES, BURNING = 5000, 250
GOAL = 2000  # Milliseconds.

FILL = (
    """
    INSERT INTO indicators (tenant_id, id, key, name, system_id, kind, unit, min_requests, source,
                            good_side, created_at)
    SELECT :tenant, gen_random_uuid(), 'burn-' || n, 'Burn ' || n, :system, 'ratio', 'requests',
           1, 'push', 'at_most', now()
    FROM generate_series(1, :objectives) n
    """,
    """
    INSERT INTO objectives (tenant_id, id, key, name, indicator_id, kind_note, is_ai, number,
                            target, "window", window_days, minimum_coverage, created_at)
    SELECT tenant_id, gen_random_uuid(), key, name, id, '', false, 1, 0.999, 'rolling', 30, 0.95,
           now() - interval '40 days'
    FROM indicators WHERE key LIKE 'burn-%'
    """,
    """
    INSERT INTO indicator_minutes (tenant_id, indicator_id, at, received_at, good, total, down)
    SELECT tenant_id, i.id, at, at, CASE WHEN extract(minute FROM at)::int % 20 = 0 THEN 99 ELSE 100
           END, 100, false
    FROM indicators i,
         (SELECT generate_series(:at - interval '7 hours', :at - interval '1 minute', '1 minute') AS at
          UNION SELECT generate_series(date_trunc('hour', :at - length), date_trunc('hour',
                 :at - length) + interval '59 minutes', '1 minute')
          FROM unnest(ARRAY[interval '1 day', '3 days', '30 days', '60 hours']) AS length) AS minutes
    WHERE key LIKE 'burn-%'
    """,
    """
    INSERT INTO indicator_hours (tenant_id, indicator_id, at, minutes, down, good, total)
    SELECT tenant_id, i.id, at, 60, 0, 5997, 6000
    FROM indicators i, generate_series(date_trunc('hour', :at - interval '100 hours'),
                                       date_trunc('hour', :at), '1 hour') AS at
    WHERE key LIKE 'burn-%'
    """,
    """
    INSERT INTO indicator_days (tenant_id, indicator_id, at, minutes, down, good, total)
    SELECT tenant_id, i.id, at, 1440, 0, 143928, 144000
    FROM indicators i, generate_series(date_trunc('day', :at - interval '31 days'),
                                       date_trunc('day', :at), '1 day') AS at
    WHERE key LIKE 'burn-%'
    """,
)
BURN = """
    UPDATE indicator_minutes m SET good = 0 FROM indicators i
    WHERE m.indicator_id = i.id AND m.tenant_id = i.tenant_id AND i.key LIKE 'burn-%'
      AND right(i.key, 2) IN ('00', '20', '40', '60', '80') AND m.at >= :at - interval '5 minutes'
"""


def measure(*, rounds: int, quick: bool) -> list[Row]:
    """Return the rows of this section."""
    from governance.operations.measurements import partitions
    from governance.operations.systems import actions as systems
    from tests import make

    at = minute_of(clock.now())
    objectives = OBJECTIVES // 10 if quick else OBJECTIVES
    with make.acting("admin"), transaction():
        system = systems.register(
            key="bench-alerts",
            stage="live",
            name="Alerts",
            lane="standard",
            purpose="Measured.",
            owner_id=None,
        )
        values = {
            "tenant": system.tenant_id,
            "system": system.id,
            "at": at,
            "objectives": objectives,
        }
        partitions.MINUTES.ensure(utc_month(at).plus(-ago) for ago in range(3))
        session().execute(text("SET LOCAL statement_timeout = 0"))
        for statement in FILL:
            session().execute(text(statement), values)
        session().execute(text("ANALYZE indicator_minutes"))
    calm = _passes(at, rounds)
    with make.acting("admin"), transaction():
        session().execute(text("SET LOCAL statement_timeout = 0"))
        session().execute(text(BURN), {"at": at})
    with make.acting("admin"), transaction():
        fired = evaluation.evaluate(at).fired
    open_alerts = _passes(at, rounds)
    return [
        (
            f"burn rates of {objectives:,} objectives, none over its limit",
            calm,
            "ms",
            None,
            f"≤ {GOAL}",
        ),
        (f"the same with {fired} alerts open", open_alerts, "ms", None, f"≤ {GOAL}"),
        _backtest(rounds),
    ]


def _passes(at: datetime, rounds: int) -> float:
    from tests import make

    times = []
    for _ in range(rounds):
        begun = time.perf_counter()
        with make.acting("admin"), transaction():
            evaluation.evaluate(at)
        times.append((time.perf_counter() - begun) * 1000)
    return statistics.median(times)


def _backtest(rounds: int) -> Row:
    chance = random.Random(1)
    days, month = 90, 30 * 1440
    end = days * 1440 + month
    minutes = [
        (at, 100 - (at % 997 < 3) * chance.randrange(100), 100, False)
        for at in range(end)
        if at % 5000 > 30
    ]
    times = []
    for _ in range(rounds):
        begun = time.perf_counter()
        history = History.of("ratio", 0, end, minutes)
        alerts_of(DEFAULT_RULES, history, target=Fraction(999, 1000), window=month, since=month)
        times.append((time.perf_counter() - begun) * 1000)
    value = statistics.median(times)
    return (f"back-test of four rules over {days * 1440:,} minutes", value, "ms", None, "≤ 1000")
