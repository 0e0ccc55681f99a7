"""OpenAPI 3.1 description of `POST /api/v1/evidence`."""

from typing import Any

from governance.kernel.api_description import REPLAYED, ApiDescription, idempotency_key, refusals

REFUSALS = {
    "400": "The request can't be read, or it was interrupted",
    "401": "The key is missing or invalid",
    "403": "The key lacks the scope, or the evidence item can't be changed",
    "404": "The evidence item doesn't exist in this tenant",
    "409": (
        "A version with the same bytes and period exists, the item is retired, or the same request"
        " is still in progress"
    ),
    "413": "The file is larger than 1 GiB, or than the virus scanner accepts",
    "422": (
        "A value is invalid, the file isn't accepted, or the Idempotency-Key belongs to a"
        " different request"
    ),
    "503": "The storage or the virus scanner isn't available; nothing was saved",
}
DAY = {"type": "string", "format": "date", "examples": ["2026-11-25"]}
DETAILS: dict[str, Any] = {
    "evidence": {
        "type": "string",
        "description": "The evidence item that receives the version: its ref or id.",
        "examples": ["EV-0007"],
    },
    "collected_on": (
        DAY | {"description": "The date it was collected from its source. Defaults to today."}
    ),
    "period_from": DAY | {"description": "The first day it covers."},
    "period_to": DAY | {"description": "The last day it covers."},
    "valid_until": (
        DAY
        | {"description": "The last day it is valid. The evidence becomes overdue the next day."}
    ),
    "source": {
        "type": "string",
        "maxLength": 120,
        "description": "Where it comes from. Defaults to the name of the key.",
    },
}
NEEDED = ["evidence", "period_from", "period_to", "valid_until"]

DESCRIPTION = ApiDescription(
    paths={
        "/api/v1/evidence": {
            "post": {
                "operationId": "pushEvidence",
                "summary": "Upload a version of an evidence item",
                "description": (
                    "Send the file as multipart, or the SHA-256 of a file that is stored already."
                    " The version counts once a person has accepted it. Needs the scope"
                    " `evidence:write`."
                ),
                "parameters": [idempotency_key("30 days")],
                "requestBody": {
                    "required": True,
                    "content": {
                        "multipart/form-data": {
                            "schema": {
                                "type": "object",
                                "properties": (
                                    DETAILS
                                    | {
                                        "file": {
                                            "type": "string",
                                            "format": "binary",
                                            "description": (
                                                "Up to 1 GiB. The type is detected by content."
                                            ),
                                        }
                                    }
                                ),
                                "required": [*NEEDED, "file"],
                            }
                        },
                        "application/json": {
                            "schema": {
                                "type": "object",
                                "properties": (
                                    DETAILS | {"sha256": {"$ref": "#/components/schemas/Sha256"}}
                                ),
                                "required": [*NEEDED, "sha256"],
                            }
                        },
                    },
                },
                "responses": {
                    "201": {
                        "description": (
                            "The version was uploaded and is in review, now or by an earlier"
                            " request"
                            " with the same Idempotency-Key."
                        ),
                        "headers": {
                            "Location": {
                                "description": "The page of the evidence item.",
                                "schema": {"type": "string"},
                            },
                            **REPLAYED,
                        },
                        "content": {
                            "application/json": {"schema": {"$ref": "#/components/schemas/Version"}}
                        },
                    },
                    **refusals(REFUSALS),
                },
            }
        },
    },
    schemas={
        "Sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
        "Version": {
            "type": "object",
            "properties": {
                "id": {"type": "string", "format": "uuid"},
                "evidence": {"type": "string"},
                "version": {"type": "integer", "minimum": 1},
                "filename": {"type": "string"},
                "media_type": {"type": "string"},
                "size": {"type": "integer", "minimum": 1},
                "sha256": {"$ref": "#/components/schemas/Sha256"},
                "review": {"const": "pending"},
            },
            "required": [
                "id",
                "evidence",
                "version",
                "filename",
                "media_type",
                "size",
                "sha256",
                "review",
            ],
        },
    },
)
