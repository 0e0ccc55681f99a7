"""OpenAPI 3.1 description of `POST /api/v1/indicators`."""

from typing import Any

from governance.kernel.api_description import (
    REPLAYED,
    ROW_ERRORS,
    ApiDescription,
    idempotency_key,
    refusals,
)
from governance.operations.measurements.batches import MAX_REASON_LENGTH, MOST
from governance.operations.measurements.storing import MAX_COUNT

REFUSALS = {
    "400": "The body can't be read, or it was interrupted",
    "401": "The key is missing or invalid",
    "403": "The key lacks the scope",
    "408": "The body was too slow",
    "409": "The same batch is still in progress",
    "413": "The batch has more than 10,000 rows or 8 MB, unpacked",
    "422": "The batch is invalid as a whole, or the Idempotency-Key belongs to a different batch",
    "503": "Meridian is busy; nothing was saved",
}
COUNT = {"type": "integer", "minimum": 0, "maximum": MAX_COUNT}
ANSWERED = {"type": "integer", "minimum": 0}
ROW: dict[str, Any] = {
    "type": "object",
    "properties": {
        "indicator": {
            "type": "string",
            "description": "The slug of the indicator.",
            "examples": ["claims-triage-availability"],
        },
        "at": {
            "type": "string",
            "format": "date-time",
            "description": "The whole minute that was counted.",
            "examples": ["2026-11-25T09:14:00Z"],
        },
        "good": COUNT | {"description": "Good events, at most the total."},
        "total": COUNT | {"description": "All events; 0 is a minute in which nothing happened."},
        "buckets": {
            "type": "object",
            "additionalProperties": COUNT,
            "description": (
                "For a threshold, instead of good and total: a cumulative histogram with a bucket"
                " at the bound and one +Inf."
            ),
            "examples": [{"0.5": 10, "1.0": 14, "+Inf": 15}],
        },
    },
    "required": ["indicator", "at"],
    "oneOf": [{"required": ["good", "total"]}, {"required": ["buckets"]}],
    "additionalProperties": False,
}

DESCRIPTION = ApiDescription(
    paths={
        "/api/v1/indicators": {
            "post": {
                "operationId": "pushIndicators",
                "summary": "Send minute counts of indicators",
                "description": (
                    "A later value of a minute replaces the earlier one. Minutes may arrive in any"
                    " order up to 48 hours late, and up to 400 days late as a backfill. Rows that"
                    " can't be stored are named; the others are stored. Gzip is accepted. Needs the"
                    " scope `indicators:write`."
                ),
                "parameters": [idempotency_key("7 days")],
                "requestBody": {
                    "required": True,
                    "content": {
                        "application/json": {
                            "schema": {"$ref": "#/components/schemas/IndicatorBatch"}
                        },
                        "application/x-ndjson": {
                            "schema": {
                                "type": "string",
                                "description": (
                                    "A row on each line. The first line may be the backfill."
                                ),
                            }
                        },
                    },
                },
                "responses": {
                    "200": {
                        "description": "The batch was read; `errors` names each rejected row.",
                        "headers": REPLAYED,
                        "content": {
                            "application/json": {
                                "schema": {"$ref": "#/components/schemas/IndicatorResult"}
                            }
                        },
                    },
                    **refusals(REFUSALS),
                },
            }
        },
    },
    schemas={
        "IndicatorRow": ROW,
        "IndicatorBatch": {
            "type": "object",
            "properties": {
                "rows": {
                    "type": "array",
                    "items": {"$ref": "#/components/schemas/IndicatorRow"},
                    "minItems": 1,
                    "maxItems": MOST.rows,
                },
                "backfill": {
                    "type": "object",
                    "description": "For minutes older than 48 hours. The audit log keeps it.",
                    "properties": {
                        "reason": {"type": "string", "minLength": 1, "maxLength": MAX_REASON_LENGTH}
                    },
                    "required": ["reason"],
                    "additionalProperties": False,
                },
            },
            "required": ["rows"],
            "additionalProperties": False,
        },
        "IndicatorResult": {
            "type": "object",
            "properties": {
                "accepted": ANSWERED | {"description": "Rows with a new minute."},
                "corrected": ANSWERED | {"description": "Rows that replaced another value."},
                "duplicate": ANSWERED | {"description": "Rows that were known already."},
                "rejected": ANSWERED | {"description": "Rows that were not stored."},
                "errors": ROW_ERRORS,
            },
            "required": ["accepted", "corrected", "duplicate", "rejected", "errors"],
        },
    },
)
