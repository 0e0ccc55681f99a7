"""One name for each model, despite different spellings."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.economics.prices.model_names import match_key, provider_key

NAMES = st.from_regex(r"[a-z0-9][a-z0-9.@:_-]{0,20}", fullmatch=True)


@pytest.mark.parametrize(
    ("provider", "model", "key"),
    [
        ("openai", "gpt-4o", "openai/gpt-4o"),
        ("OpenAI ", "openai/GPT-4o", "openai/gpt-4o"),
        ("", "openai/gpt-4o", "openai/gpt-4o"),
        ("vertex_ai-anthropic_models", "vertex_ai/claude-opus", "vertex_ai/claude-opus"),
        ("gcp.vertex_ai", "claude-opus", "vertex_ai/claude-opus"),
        ("aws.bedrock", "bedrock_converse/us.nova", "bedrock/us.nova"),
        ("together_ai", "meta-llama/Llama-3", "together_ai/meta-llama/llama-3"),
        ("azure", "azure/eu/gpt-4o", "azure/eu/gpt-4o"),
        ("", "gpt-4o", "/gpt-4o"),
    ],
)
def test_every_spelling_of_a_model_has_one_key(provider, model, key):
    assert match_key(provider, model) == key


@given(provider=NAMES, model=NAMES)
def test_a_prefix_that_repeats_the_provider_changes_nothing(provider, model):
    assert match_key(provider, f"{provider}/{model}") == match_key(provider, model)
    assert match_key("", f"{provider}/{model}") == match_key(provider, model)


@given(provider=NAMES, other=NAMES, model=NAMES)
def test_two_providers_never_share_a_price(provider, other, model):
    if provider_key(provider) != provider_key(other):
        assert match_key(provider, model) != match_key(other, model)
