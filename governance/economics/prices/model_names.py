"""One name for a model however a provider, a price table or a trace spells it. Pure.

    match_key("openai", "gpt-4o")                         "openai/gpt-4o"
    match_key("OpenAI", "openai/gpt-4o")                  the same
    match_key("", "openai/gpt-4o")                        the same
    match_key("vertex_ai-anthropic_models", "vertex_ai/claude-opus")    "vertex_ai/claude-opus"
    match_key("gcp.vertex_ai", "claude-opus")             the same

A name without a provider matches prices without one.
"""

import re

# OpenTelemetry's names and LiteLLM's narrower ones, with the prefix that LiteLLM uses for models.
PROVIDERS = {
    "aws.bedrock": "bedrock",
    "aws_bedrock": "bedrock",
    "bedrock_converse": "bedrock",
    "amazon-nova": "amazon_nova",
    "azure.ai.openai": "azure",
    "azure_openai": "azure",
    "azure_text": "azure",
    "azure.ai.inference": "azure_ai",
    "gcp.vertex_ai": "vertex_ai",
    "gcp.gemini": "gemini",
    "gcp.gen_ai": "gemini",
    "ibm.watsonx.ai": "watsonx",
    "mistral_ai": "mistral",
    "x_ai": "xai",
}
_FAMILY = re.compile(r"([a-z0-9_.]+)-[a-z0-9_-]*models")


def provider_key(provider: str) -> str:
    """Return the name that every spelling of a provider has in common. "" is returned unchanged."""
    name = provider.strip().lower()
    family = _FAMILY.fullmatch(name)
    name = family[1] if family else name
    return PROVIDERS.get(name, name)


def model_without_provider(provider: str, model: str) -> str:
    """Return the model's name without a prefix that repeats its provider."""
    head, slash, rest = model.strip().partition("/")
    if slash and rest and provider.strip() and provider_key(head) == provider_key(provider):
        return rest
    return model.strip()


def match_key(provider: str, model: str) -> str:
    """Return the key that prices and usage of a model have in common: "provider/model"."""
    if not provider.strip() and "/" in model:
        head, _, rest = model.strip().partition("/")
        if head and rest:
            return match_key(head, rest)
    name = model_without_provider(provider, model).lower()
    return f"{provider_key(provider)}/{name}"
