"""Read LiteLLM's price table (model_prices_and_context_window.json). Pure.

A key is a model, often prefixed with its provider's name; its value has prices in USD per token as
floats, which are read as decimals, so 1.25e-06 is exactly 1.25 USD per million. Only models priced
by text tokens are used. `alias_of` names another key. Prices of long prompts, batches and priority
are kept as `unused`: usage doesn't state which of them applied.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from governance.economics.formulas.money import PRICE_DECIMALS
from governance.economics.prices.model_names import match_key, model_without_provider, provider_key
from governance.economics.prices.pricing import MAX_PRICE, MILLION
from governance.kernel.errors import Invalid

MAX_MODELS = 50_000
MAX_NAME_LENGTH = 120
MAX_TEXT_LENGTH = 200
SAMPLE = "sample_spec"  # a key that describes the fields
MODES = ("chat", "completion", "responses", "embedding")
FIELDS = {
    "input": "input_cost_per_token",
    "cache_read": "cache_read_input_token_cost",
    "cache_write": "cache_creation_input_token_cost",
    "output": "output_cost_per_token",
    "reasoning": "output_cost_per_reasoning_token",
}
NO_OBJECT = "It is no object"
NO_TARGET = "An alias of a model that isn't in the table"
LOOP = "An alias of itself"
OTHER_PRICING = "Not priced by text tokens"
BAD_PRICE = "A price that isn't a number from 0 to below 1,000 USD per token"
LONG_NAME = f"A name of more than {MAX_NAME_LENGTH} characters"
NAMED_TWICE = "Another spelling of a model that is taken already"
_UNIT = Decimal(1).scaleb(-PRICE_DECIMALS)


@dataclass(frozen=True, slots=True)
class TablePrice:
    """A model of the table: USD per million tokens by bucket."""

    provider: str
    model: str
    per_million: Mapping[str, Decimal]
    source: str
    deprecation_date: date | None
    successor_model: str | None
    unused: Mapping[str, str]  # price by LiteLLM's field, per token


@dataclass(slots=True)
class PriceTable:
    """The contents of a table: prices by `match_key`, and why each other key was skipped."""

    prices: dict[str, TablePrice] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)


def read(text: bytes) -> PriceTable:
    """Read a table. Raises Invalid for any other content."""
    try:
        table = json.loads(text, parse_float=Decimal, parse_constant=_refuse)
    except (ValueError, RecursionError, ArithmeticError):
        raise Invalid("The file isn't valid JSON.") from None
    if not isinstance(table, dict) or not table:
        raise Invalid("A price table is a JSON object with a model for each key.")
    if len(table) > MAX_MODELS:
        raise Invalid(f"A price table has {MAX_MODELS:,} models at most.")
    found = PriceTable()
    for key in table:
        if key != SAMPLE:
            _take(table, key, found)
    return found


def _refuse(constant: str) -> Any:
    raise ValueError(constant)


def _take(table: Mapping[str, Any], key: str, found: PriceTable) -> None:
    facts = resolve(table, key)
    price = facts if isinstance(facts, str) else _price(key, facts)
    if isinstance(price, str):
        found.skipped[key] = price
        return
    name = match_key(price.provider, price.model)
    if name in found.prices:
        found.skipped[key] = NAMED_TWICE
    else:
        found.prices[name] = price


def resolve(table: Mapping[str, Any], key: str) -> Mapping[str, Any] | str:
    """Follow `alias_of` to the facts of a model. Return a sentence if there are none."""
    seen = set[str]()
    while True:
        facts = table.get(key)
        if facts is None:
            return NO_TARGET
        if not isinstance(facts, dict):
            return NO_OBJECT
        alias = facts.get("alias_of")
        if alias is None:
            return facts
        seen.add(key)
        key = str(alias)
        if key in seen:
            return LOOP


def _price(key: str, facts: Mapping[str, Any]) -> TablePrice | str:
    provider = str(facts.get("litellm_provider") or "")
    model = _without_prefix(provider, key)
    if len(provider) > MAX_NAME_LENGTH or len(model) > MAX_NAME_LENGTH or not model:
        return LONG_NAME
    if facts.get("mode") not in MODES or facts.get(FIELDS["input"]) is None:
        return OTHER_PRICING
    per_million: dict[str, Decimal] = {}
    for bucket, name in FIELDS.items():
        if facts.get(name) is not None:
            price = _per_million(facts[name])
            if price is None:
                return BAD_PRICE
            per_million[bucket] = price
    return TablePrice(
        provider_key(provider),
        model,
        per_million,
        _source(facts.get("source")),
        _day(facts.get("deprecation_date")),
        _text(facts.get("successor_model")),
        _unused(facts),
    )


def _without_prefix(provider: str, key: str) -> str:
    """Return the model's name, without a prefix that names the provider or its family."""
    return model_without_provider(provider, key) if provider else key


def _per_million(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    price = Decimal(value)
    if not price.is_finite() or not 0 <= price < MAX_PRICE / MILLION:
        return None
    return (price * MILLION).quantize(_UNIT, rounding=ROUND_HALF_EVEN)


def _unused(facts: Mapping[str, Any]) -> dict[str, str]:
    """Return other prices of the model, as the table has them."""
    used = set(FIELDS.values())
    found = {
        name: f"{value:f}" if isinstance(value, Decimal) else str(value)
        for name, value in facts.items()
        if "cost" in name
        and name not in used
        and isinstance(value, int | Decimal)
        and not isinstance(value, bool)
        and value
    }
    tiers = facts.get("tiered_pricing")
    if isinstance(tiers, list):
        found["tiered_pricing"] = json.dumps(tiers, default=str)
    return {name[:MAX_NAME_LENGTH]: text[:1000] for name, text in found.items()}


def _source(value: Any) -> str:
    link = _text(value)
    return f"LiteLLM price table, {link}" if link else "LiteLLM price table"


def _text(value: Any) -> str | None:
    if not isinstance(value, str):
        return None
    return "".join(c for c in value if c.isprintable()).strip()[:MAX_TEXT_LENGTH] or None


def _day(value: Any) -> date | None:
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        return None
