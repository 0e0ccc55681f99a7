"""Compute the cost of requests in ClickHouse: exact, as in PostgreSQL (postgresql_events.py).

A cost is a whole number of the smallest unit that any price has, so that no float is involved. The
percentiles are nearest ranks: quantilesExactWeighted takes the first value whose rank is at least
the level's share, as percentile_disc does.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from governance.economics.usage.clickhouse_client import TABLE, ClickHouse
from governance.economics.usage.event_store import Rows, UnitPrice, rows_of
from governance.economics.usage.usage_events import BUCKETS, MAX_TOKENS
from governance.kernel.intervals import Span

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLION = 6  # as a power of ten
LARGEST = 2**63


def costs(database: ClickHouse, span: Span, zone: str, prices: Sequence[UnitPrice]) -> Rows:
    """Return counts and percentiles of the acting tenant, each of its systems, and each feature."""
    scale = _scale(prices)
    units = {
        bucket: [_units(each.per_million[bucket], scale) for each in prices] for bucket in BUCKETS
    }
    units["per_request"] = [_units(each.per_request, scale + MILLION) for each in prices]
    largest = MAX_TOKENS * sum(max((abs(n) for n in units[b]), default=0) for b in BUCKETS)
    largest += max((abs(n) for n in units["per_request"]), default=0)
    values: dict[str, Any] = {
        "start": (span.start - EPOCH) // timedelta(microseconds=1),
        "until": (span.end - EPOCH) // timedelta(microseconds=1),
        "zone": zone,
        "providers": [each.provider for each in prices],
        "models": [each.model for each in prices],
        "firsts": [each.first for each in prices],
        "lasts": [each.last for each in prices],
        **{name: [str(n) for n in numbers] for name, numbers in units.items()},
    }
    found = database.rows(_COSTS.replace("NUMBER", _number(largest)), **values)
    named = rows_of(_KINDS, [_row(row, scale + MILLION) for row in found])
    return Rows(f"SELECT {_PERCENTILES} FROM ({named.sql}) AS costs", named.values)  # noqa: S608 - names of ours


def _scale(prices: Sequence[UnitPrice]) -> int:
    """Return the number of decimals of the most precise price."""
    places = [0]
    for each in prices:
        places += [_decimals(price) for price in each.per_million.values()]
        places.append(_decimals(each.per_request) - MILLION)
    return max(places)


def _decimals(price: Decimal) -> int:
    exponent = price.as_tuple().exponent
    if not isinstance(exponent, int):
        raise ValueError("a price is a number")  # noqa: TRY004 - not of a wrong type
    return -exponent


def _units(price: Decimal, scale: int) -> int:
    sign, digits, exponent = price.as_tuple()
    number: int = int("".join(map(str, digits))) * 10 ** (scale + int(exponent))
    return -number if sign else number


def _number(largest: int) -> str:
    """Return the smallest integer type with room for every cost."""
    return "Int64" if largest < LARGEST else "Int256"


def _row(row: Sequence[Any], scale: int) -> list[Any]:
    of_all, of_system, system_id, feature, requests, unpriced, percentiles = row
    return [
        None if of_all else system_id,
        None if of_system else feature,
        requests,
        unpriced,
        *(Decimal(f"{n}E-{scale}") if requests else None for n in percentiles),
    ]


_KINDS = {"system_id": "uuid", "feature": "text", "requests": "bigint", "unpriced": "bigint"}
_KINDS |= dict.fromkeys(("p50", "p95", "p99"), "numeric")
_PERCENTILES = """system_id, feature, requests, unpriced,
  CASE WHEN p50 IS NOT NULL THEN ARRAY[p50, p95, p99] END AS percentiles"""
_UNITS = (*BUCKETS, "per_request")
_PRICES = f"""
  SELECT provider, model, groupArray(first_day) AS firsts, groupArray(last_day) AS lasts,
    {", ".join(f"groupArray({name}) AS {name}_prices" for name in _UNITS)}
  FROM (
    SELECT tupleElement(price, 1) AS provider, tupleElement(price, 2) AS model,
      tupleElement(price, 3) AS first_day, tupleElement(price, 4) AS last_day,
      {", ".join(f"toNUMBER(tupleElement(price, {n})) AS {u}" for n, u in enumerate(_UNITS, 5))}
    FROM (
      SELECT arrayJoin(arrayZip({{providers:Array(String)}}, {{models:Array(String)}},
        {{firsts:Array(Date)}}, {{lasts:Array(Date)}},
        {", ".join(f"{{{name}:Array(String)}}" for name in _UNITS)})) AS price)
  ) GROUP BY provider, model"""  # noqa: S608 - names of ours
_COST = " + ".join(f"toNUMBER({each}_tokens) * {each}_prices[price]" for each in BUCKETS)
_COSTS = f"""
SELECT grouping(system_id), grouping(feature), system_id, feature,
  countIf(price > 0), countIf(price = 0),
  quantilesExactWeightedIf(0.5, 0.95, 0.99)(cost, 1, price > 0)
FROM (
  SELECT system_id, toString(feature) AS feature,
    arrayFirstIndex((a, b) -> toDate(at, {{zone:String}}) BETWEEN a AND b, firsts, lasts) AS price,
    {_COST} + per_request_prices[price] AS cost
  FROM (
    SELECT * FROM {TABLE} WHERE tenant_id = {{tenant:UUID}}
      AND at >= fromUnixTimestamp64Micro({{start:Int64}}, 'UTC')
      AND at < fromUnixTimestamp64Micro({{until:Int64}}, 'UTC')
  ) AS events LEFT ANY JOIN ({_PRICES}) AS prices USING (provider, model)
) GROUP BY GROUPING SETS ((), (system_id), (system_id, feature))"""  # noqa: S608 - names of ours
