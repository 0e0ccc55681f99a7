"""Everything under /api, as OpenAPI 3.1.

Data only; a test checks it against the specification and against the routes.
"""

from typing import Any

PROBLEM = {
    "description": "The request failed. `title` says why; `field` names the value to fix.",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}
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

DESCRIPTION: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {
        "title": "Meridian",
        "version": "1",
        "summary": "Upload evidence from programs.",
        "description": (
            "Each request needs a bearer key of one tenant. Errors are RFC 9457 problem JSON."
        ),
    },
    "servers": [{"url": "/"}],
    "security": [{"key": []}],
    "paths": {
        "/api/v1/evidence": {
            "post": {
                "operationId": "pushEvidence",
                "summary": "Upload a version of an evidence item",
                "description": (
                    "Send the file as multipart, or the SHA-256 of a file that is stored already."
                    " The version counts once a person has accepted it. Needs the scope"
                    " `evidence:write`."
                ),
                "parameters": [
                    {
                        "name": "Idempotency-Key",
                        "in": "header",
                        "required": False,
                        "description": (
                            "For 30 days, the same Idempotency-Key with the same request returns"
                            " the same response and uploads nothing twice. If two arrive at once,"
                            " the second gets the same response or 409. Each bearer key has its own"
                            " Idempotency-Keys, and rotating it keeps them."
                        ),
                        "schema": {"type": "string", "minLength": 1, "maxLength": 255},
                    }
                ],
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
                            "Idempotency-Replayed": {
                                "description": "The response is that of the earlier request.",
                                "schema": {"const": "true"},
                            },
                        },
                        "content": {
                            "application/json": {"schema": {"$ref": "#/components/schemas/Version"}}
                        },
                    },
                    **{
                        status: PROBLEM | {"description": says} for status, says in REFUSALS.items()
                    },
                },
            }
        },
        "/api/v1/openapi.json": {
            "get": {
                "operationId": "describe",
                "summary": "This description",
                "security": [],
                "responses": {
                    "200": {
                        "description": "OpenAPI 3.1",
                        "content": {"application/json": {"schema": {"type": "object"}}},
                    }
                },
            }
        },
    },
    "components": {
        "securitySchemes": {
            "key": {
                "type": "http",
                "scheme": "bearer",
                "bearerFormat": "gc_<tenant>_<43 characters>",
            }
        },
        "schemas": {
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
            "Problem": {
                "type": "object",
                "properties": {
                    "type": {"type": "string"},
                    "title": {"type": "string"},
                    "status": {"type": "integer"},
                    "request_id": {"type": ["string", "null"]},
                    "field": {"type": "string"},
                },
                "required": ["type", "title", "status"],
            },
        },
    },
}
