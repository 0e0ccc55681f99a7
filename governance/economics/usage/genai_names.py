"""OpenTelemetry's attribute names for a model call: current names first, then older ones.

Source: semantic conventions 1.41 (registry gen_ai), and the names that they replaced. Data only.
"""

from collections.abc import Mapping

# Attributes of a span, by their meaning. The first one with a value is used.
SPAN: Mapping[str, tuple[str, ...]] = {
    "operation": ("gen_ai.operation.name",),
    "provider": ("gen_ai.provider.name", "gen_ai.system"),
    "model": ("gen_ai.response.model", "gen_ai.request.model"),
    "feature": ("governance.feature",),
    "system": ("governance.system",),
    "task": ("gen_ai.conversation.id",),
    "user": ("enduser.pseudo.id",),
    "finish": ("gen_ai.response.finish_reasons", "gen_ai.response.finish_reason"),
    "error": ("error.type",),
    # Both totals include the parts below.
    "input": ("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens"),
    "output": ("gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens"),
    "cache_read": (
        "gen_ai.usage.cache_read.input_tokens",
        "gen_ai.usage.cache_read_input_tokens",
    ),
    "cache_write": (
        "gen_ai.usage.cache_creation.input_tokens",
        "gen_ai.usage.cache_creation_input_tokens",
    ),
    "reasoning": ("gen_ai.usage.reasoning.output_tokens", "gen_ai.usage.reasoning_tokens"),
}

# Attributes of the resource, used for what its spans omit.
RESOURCE: Mapping[str, tuple[str, ...]] = {
    "system": ("governance.system", "service.name"),
    "feature": ("governance.feature",),
}

TOKENS = ("input", "output", "cache_read", "cache_write", "reasoning")
SPAN_NAMES = frozenset(name for names in SPAN.values() for name in names)
RESOURCE_NAMES = frozenset(name for names in RESOURCE.values() for name in names)

# Operations that call a model. An agent's, a workflow's or a tool's span sums the calls inside it.
# A span with another operation, or none, is a call if it has tokens.
CALLS = frozenset({"chat", "generate_content", "text_completion", "embeddings"})
NO_CALLS = frozenset(
    {"create_agent", "invoke_agent", "invoke_workflow", "execute_tool", "retrieval"}
)

# Stop reasons, in lower case, and error types that mean the answer was withheld.
REFUSALS = frozenset(
    {
        "blocklist",
        "content_filter",
        "content_filtered",
        "guardrail_intervened",
        "prohibited_content",
        "recitation",
        "refusal",
        "safety",
        "spii",
    }
)
FAILURES = frozenset({"error", "malformed_function_call"})

# Providers that `gen_ai.system` names differently.
PROVIDERS: Mapping[str, str] = {
    "az.ai.inference": "azure.ai.inference",
    "az.ai.openai": "azure.ai.openai",
    "gemini": "gcp.gemini",
    "vertex_ai": "gcp.vertex_ai",
    "xai": "x_ai",
}
