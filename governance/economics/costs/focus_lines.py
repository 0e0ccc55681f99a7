"""Add up the lines of a FOCUS file, as SQL for DuckDB.

A line belongs to one bill, day, provider, service, model, charge category, class, pool and meter.
The day is that of the charge's start: a charge from midnight to midnight in UTC keeps the
provider's date, a shorter one belongs to the operator's day. So a correction belongs to the month
that it corrects, whenever it is billed.
"""

from collections.abc import Sequence

import msgspec

from governance.economics.costs import focus_checks as checks

POOLS = ("models", "infrastructure", "idle", "guardrails", "support", "other")
METERS = ("input", "cache_read", "cache_write", "output", "reasoning", "request")
TOKEN = "Token"  # noqa: S105 - the unit


class PoolRule(msgspec.Struct, frozen=True):
    """A rule that places charges in a pool if all three patterns match. `*` matches any text."""

    provider: str
    service: str
    resource: str
    pool: str


def lines_sql(
    source: str, names: Sequence[str], zone: str, rules: Sequence[PoolRule]
) -> tuple[str, list[str]]:
    """Return the statement that adds up the rows, and its parameters.

    Columns: provider, billing_start, billing_end, invoice_id, day, service, model, category,
    is_correction, pool, meter, currency, billed, effective, list, contracted, quantity, unit,
    source_lines. `list` and `contracted` are null if any of the rows lacks them, `quantity` if all
    rows lack it.
    """
    pool, parameters = _pool_sql(rules)
    statement = f"""
    WITH charges AS (
        SELECT {", ".join(f"{sql} AS {name}" for name, sql in _charges(names).items())}
        FROM {source}
    ), placed AS (
        SELECT *, {pool} AS pool, {_day_sql()} AS day, {_tokens_sql()} AS token_factor
        FROM charges, (SELECT ? AS zone)
    )
    SELECT provider, billing_start, billing_end, coalesce(invoice_id, '') AS invoice_id, day,
        service, CASE WHEN pool = 'models' THEN model END AS model, category, is_correction, pool,
        {_meter_sql()} AS meter, currency,
        sum(billed) AS billed, sum(effective) AS effective,
        CASE WHEN count(list) = count(*) THEN sum(list) END AS list,
        CASE WHEN count(contracted) = count(*) THEN sum(contracted) END AS contracted,
        sum(quantity * coalesce(token_factor, 1)) AS quantity,
        CASE WHEN token_factor IS NULL THEN unit ELSE '{TOKEN}' END AS unit,
        count(*) AS source_lines
    FROM placed
    GROUP BY ALL
    ORDER BY ALL
    """  # noqa: S608 - names are quoted
    return statement, [*parameters, zone]


def _charges(names: Sequence[str]) -> dict[str, str]:
    """Return the SQL expressions of a row's fields, by our names."""

    def text(name: str) -> str:
        return checks.text(name) if name in names else "NULL::TEXT"

    def number(name: str) -> str:
        return checks.number(name) if name in names else f"NULL::{checks.NUMBER}"

    is_consumed = f"({number('ConsumedQuantity')} IS NOT NULL)"
    return {
        "provider": checks.provider_text(names),
        "billing_start": checks.instant("BillingPeriodStart"),
        "billing_end": checks.instant("BillingPeriodEnd"),
        "charge_start": checks.instant("ChargePeriodStart"),
        "charge_end": checks.instant("ChargePeriodEnd"),
        "invoice_id": text("InvoiceId"),
        "service": text("ServiceName"),
        "resource": f"coalesce({text('ResourceName')}, {text('ResourceId')}, '')",
        "service_category": text("ServiceCategory"),
        "commitment_status": text("CommitmentDiscountStatus"),
        "category": _titled("ChargeCategory"),
        "is_correction": f"({text('ChargeClass')} IS NOT NULL)",
        "model": _model_sql(names),
        "meter_text": f"lower(coalesce({text('x_TokenType')}, {text('SkuMeter')}))",
        "currency": text("BillingCurrency"),
        "billed": number("BilledCost"),
        "effective": number("EffectiveCost"),
        "list": number("ListCost"),
        "contracted": number("ContractedCost"),
        "quantity": f"CASE WHEN {is_consumed} THEN {number('ConsumedQuantity')}"
        f" ELSE {number('PricingQuantity')} END",
        "unit": f"CASE WHEN {is_consumed} THEN {text('ConsumedUnit')}"
        f" ELSE {text('PricingUnit')} END",
    }


def _titled(name: str) -> str:
    value = checks.text(name)
    return f"concat(upper(left({value}, 1)), lower({value}[2:]))"


def _model_sql(names: Sequence[str]) -> str:
    """Return SQL for the model: as the row names it, or else its SKU or resource.

    FOCUS names it in SkuPriceDetails: a SKU is for one meter, such as the model's output tokens. A
    purchase, such as a commitment, has no model.
    """

    def text(name: str) -> str:
        return checks.text(name) if name in names else "NULL::TEXT"

    details = f"TRY_CAST({text('SkuPriceDetails')} AS JSON)"
    named = f"{text('x_Model')}, {details}->>'$.ModelId', {_tag_sql(names)}"
    otherwise = (
        f"CASE WHEN {_titled('ChargeCategory')} <> 'Purchase'"
        f" THEN coalesce({text('SkuId')}, {text('ResourceId')}) END"
    )
    return f"coalesce({named}, {otherwise})"


def _tag_sql(names: Sequence[str]) -> str:
    if "Tags" not in names:
        return "NULL::TEXT"
    tags = f"TRY_CAST({checks.text('Tags')} AS JSON)"
    return f"coalesce({tags}->>'$.model', {tags}->>'$.Model')"


def _pool_sql(rules: Sequence[PoolRule]) -> tuple[str, list[str]]:
    """Return SQL for the pool, and its parameters: the first matching rule, or the bill's data."""
    if wrong := [rule.pool for rule in rules if rule.pool not in POOLS]:
        raise ValueError(f"{wrong[0]!r} is not a pool")
    cases = "".join(
        " WHEN provider ILIKE ? ESCAPE '\\' AND service ILIKE ? ESCAPE '\\'"
        f" AND resource ILIKE ? ESCAPE '\\' THEN '{rule.pool}'"
        for rule in rules
    )
    parameters = [
        _like(pattern) for rule in rules for pattern in (rule.provider, rule.service, rule.resource)
    ]
    default = (
        " WHEN lower(commitment_status) = 'unused' THEN 'idle'"
        " WHEN lower(service_category) = 'ai and machine learning' THEN 'models'"
        " ELSE 'infrastructure' END"
    )
    return f"CASE{cases}{default}", parameters


def _like(pattern: str) -> str:
    escaped = pattern.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return escaped.replace("*", "%")


def _day_sql() -> str:
    is_whole = (
        "charge_start = date_trunc('day', charge_start)"
        " AND charge_end - charge_start >= INTERVAL 1 DAY"
    )
    return (
        f"CASE WHEN {is_whole} THEN charge_start::DATE"
        " ELSE timezone(zone, charge_start AT TIME ZONE 'UTC')::DATE END"
    )


def _tokens_sql() -> str:
    """Return SQL for the number of tokens per unit; null if the unit isn't one of tokens."""
    counts = (("", 1), ("k|1 ?k|1,?000|thousand", 1_000), ("m|1 ?m|1,?000,?000|million", 10**6))
    cases = "".join(
        f" WHEN regexp_full_match(lower(unit), '({words}) *tokens?') THEN {count}"
        for words, count in counts
    )
    return f"CASE{cases} END"


def _meter_sql() -> str:
    """Return SQL for the bucket that a model's charge is for; null if the bill doesn't state it."""
    return """
        CASE WHEN pool <> 'models' OR meter_text IS NULL THEN NULL
             WHEN meter_text LIKE '%cache%' AND
                  (meter_text LIKE '%writ%' OR meter_text LIKE '%creat%') THEN 'cache_write'
             WHEN meter_text LIKE '%cache%' THEN 'cache_read'
             WHEN meter_text LIKE '%reason%' THEN 'reasoning'
             WHEN meter_text LIKE '%output%' OR meter_text LIKE '%completion%' THEN 'output'
             WHEN meter_text LIKE '%input%' OR meter_text LIKE '%prompt%' THEN 'input'
             WHEN meter_text LIKE '%request%' THEN 'request' END"""
