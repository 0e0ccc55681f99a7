"""LiteLLM's price table: the entries that the product uses, and those it ignores."""

import json
from datetime import date
from decimal import Decimal

import pytest

from governance.economics.prices import litellm_table
from governance.economics.prices.litellm_table import (
    BAD_PRICE,
    LOOP,
    NAMED_TWICE,
    NO_OBJECT,
    NO_TARGET,
    OTHER_PRICING,
)
from governance.kernel.errors import Invalid
from tests.economics.prices.price_helpers import CLAUDE


def read(**models):
    return litellm_table.read(json.dumps(models).encode())


def test_prices_per_token_become_exact_prices_of_a_million():
    price = read(claude=CLAUDE).prices["anthropic/claude"]
    assert price.per_million == {
        "input": Decimal(3),
        "cache_read": Decimal("0.3"),
        "cache_write": Decimal("3.75"),
        "output": Decimal(15),
    }
    assert (price.deprecation_date, price.successor_model) == (date(2027, 2, 24), "claude-next")
    assert price.source == "LiteLLM price table, https://prices.example"


def test_reasoning_has_its_own_price_where_the_table_has_one():
    found = read(claude=CLAUDE | {"output_cost_per_reasoning_token": 2e-05})
    assert found.prices["anthropic/claude"].per_million["reasoning"] == 20


def test_prices_of_long_prompts_and_batches_are_kept_and_not_used():
    unused = read(claude=CLAUDE).prices["anthropic/claude"].unused
    assert unused == {
        "input_cost_per_token_above_200k_tokens": "0.000006",
        "input_cost_per_token_batches": "0.0000015",
    }


def test_the_sample_is_no_model():
    found = read(sample_spec=CLAUDE, claude=CLAUDE)
    assert list(found.prices) == ["anthropic/claude"] and found.skipped == {}


def test_an_alias_has_the_price_of_its_model():
    found = read(
        claude=CLAUDE,
        **{"anthropic/claude-latest": {"alias_of": "middle"}, "middle": {"alias_of": "claude"}},
    )
    assert found.prices["anthropic/claude-latest"].per_million["input"] == 3


def test_an_alias_that_leads_nowhere_or_to_itself_is_skipped():
    found = read(a={"alias_of": "b"}, b={"alias_of": "a"}, c={"alias_of": "c"}, d={"alias_of": "x"})
    assert found.skipped == {"a": LOOP, "b": LOOP, "c": LOOP, "d": NO_TARGET}


def test_a_prefix_that_names_the_provider_is_no_part_of_the_model():
    found = read(
        **{
            "anthropic/claude": CLAUDE,
            "vertex_ai/claude": CLAUDE | {"litellm_provider": "vertex_ai-anthropic_models"},
            "eu/claude": CLAUDE | {"litellm_provider": "azure"},
        }
    )
    assert sorted(found.prices) == ["anthropic/claude", "azure/eu/claude", "vertex_ai/claude"]


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ([], NO_OBJECT),
        (CLAUDE | {"mode": "image_generation"}, OTHER_PRICING),
        ({"mode": "chat", "litellm_provider": "x"}, OTHER_PRICING),
        (CLAUDE | {"input_cost_per_token": -1e-06}, BAD_PRICE),
        (CLAUDE | {"input_cost_per_token": "0.1"}, BAD_PRICE),
        (CLAUDE | {"output_cost_per_token": True}, BAD_PRICE),
        (CLAUDE | {"output_cost_per_token": 1000}, BAD_PRICE),
    ],
)
def test_what_has_no_price_of_tokens_is_skipped_with_its_reason(facts, reason):
    found = read(model=facts)
    assert found.prices == {} and found.skipped == {"model": reason}


def test_a_second_spelling_of_a_model_is_skipped():
    found = read(**{"claude": CLAUDE, "anthropic/claude": CLAUDE})
    assert len(found.prices) == 1 and found.skipped == {"anthropic/claude": NAMED_TWICE}


@pytest.mark.parametrize(
    "text",
    [b"", b"{", b"[]", b"{}", b'"x"', b"[" * 100_000, b'{"a": NaN}', b'{"a": %s}' % (b"9" * 5000)],
)
def test_what_is_no_table_is_refused(text):
    with pytest.raises(Invalid):
        litellm_table.read(text)


def test_a_number_that_overflows_is_no_price():
    text = json.dumps({"claude": CLAUDE}).replace("3e-06", "1e999999").encode()
    assert litellm_table.read(text).skipped == {"claude": BAD_PRICE}
