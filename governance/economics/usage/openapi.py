"""The OpenAPI 3.1 description of `POST /api/v1/usage` and `POST /api/v1/otlp/v1/traces`."""

from typing import Any

from governance.economics.usage import otlp_openapi
from governance.economics.usage.actions import LATE, MOST
from governance.economics.usage.storing import REMEMBERED
from governance.economics.usage.usage_events import BUCKETS, MAX_TOKENS, OUTCOMES, PATTERNS
from governance.kernel.api_description import (
    REPLAYED,
    ROW_ERRORS,
    ApiDescription,
    idempotency_key,
    refusals,
)

REFUSALS = {
    "400": "The body can't be read, or it was interrupted",
    "401": "The key is missing or invalid",
    "403": "The key lacks the scope",
    "408": "The body was too slow",
    "409": "The same batch is still in progress",
    "413": "The batch has more than 10,000 events or 8 MB, unpacked",
    "422": "The batch is invalid as a whole, or the Idempotency-Key belongs to a different batch",
    "503": "Meridian is busy; nothing was saved",
}
ANSWERED = {"type": "integer", "minimum": 0}
SAID = {
    "input": "Tokens that the model read, without those of a cache.",
    "cache_read": "Tokens read from a cache.",
    "cache_write": "Tokens written to a cache.",
    "output": "Tokens that the model wrote, without reasoning.",
    "reasoning": "Tokens of reasoning.",
}


def _text(name: str, description: str, *examples: str) -> dict[str, Any]:
    return {
        "type": "string",
        "pattern": f"^(?:{PATTERNS[name]})$",
        "description": description,
        "examples": list(examples),
    }


EVENT: dict[str, Any] = {
    "type": "object",
    "properties": {
        "id": _text("id", "Your name of the event. Sent again, it counts once.", "req-81f2"),
        "at": {
            "type": "string",
            "format": "date-time",
            "description": "When the request was made.",
            "examples": ["2026-11-25T09:14:03.250Z"],
        },
        "system": _text("system", "The slug of the AI system.", "claims-triage"),
        "feature": _text("feature", "The slug of its feature.", "summaries"),
        "provider": _text("provider", "Who runs the model.", "anthropic"),
        "model": _text("model", "The model that answered.", "claude-sonnet-4-5"),
        "outcome": {
            "type": "string",
            "enum": list(OUTCOMES),
            "description": "`retried`: an attempt that another one followed.",
        },
        "request": _text("request", "What the attempts belong to.", "r-2204"),
        "task": _text("task", "The task of the request.", "claim-4711"),
        "user": _text("user", "A pseudonym of the user, never an email address.", "u-5f3a"),
        "tokens": {
            "type": "object",
            "properties": {
                each: {
                    "type": "integer",
                    "minimum": 0,
                    "maximum": MAX_TOKENS,
                    "description": SAID[each],
                }
                for each in BUCKETS
            },
            "additionalProperties": False,
            "description": "Disjoint: no token is in two buckets.",
        },
    },
    "required": ["id", "at", "system", "model", "outcome"],
    "additionalProperties": False,
}

DESCRIPTION = ApiDescription(
    paths={
        **otlp_openapi.PATHS,
        "/api/v1/usage": {
            "post": {
                "operationId": "pushUsage",
                "summary": "Send usage events",
                "description": (
                    "An event that is sent again counts once; its id with different content is"
                    f" rejected for {REMEMBERED.days} days. Events may arrive in any order, up to {LATE.days}"
                    " days late. Events that can't be stored are named; the others are stored."
                    " Gzip is accepted. Needs the scope `usage:write`."
                ),
                "parameters": [idempotency_key("7 days")],
                "requestBody": {
                    "required": True,
                    "content": {
                        "application/json": {"schema": {"$ref": "#/components/schemas/UsageBatch"}},
                        "application/x-ndjson": {
                            "schema": {"type": "string", "description": "An event on each line."}
                        },
                    },
                },
                "responses": {
                    "200": {
                        "description": "The batch was read; `errors` names each rejected event.",
                        "headers": REPLAYED,
                        "content": {
                            "application/json": {
                                "schema": {"$ref": "#/components/schemas/UsageResult"}
                            }
                        },
                    },
                    **refusals(REFUSALS),
                },
            }
        },
    },
    schemas={
        **otlp_openapi.SCHEMAS,
        "UsageEvent": EVENT,
        "UsageBatch": {
            "type": "object",
            "properties": {
                "events": {
                    "type": "array",
                    "items": {"$ref": "#/components/schemas/UsageEvent"},
                    "minItems": 1,
                    "maxItems": MOST.rows,
                },
            },
            "required": ["events"],
            "additionalProperties": False,
        },
        "UsageResult": {
            "type": "object",
            "properties": {
                "accepted": ANSWERED | {"description": "Events that were stored."},
                "duplicate": ANSWERED | {"description": "Events that were sent before."},
                "rejected": ANSWERED | {"description": "Events that were not stored."},
                "errors": ROW_ERRORS,
            },
            "required": ["accepted", "duplicate", "rejected", "errors"],
        },
    },
)
