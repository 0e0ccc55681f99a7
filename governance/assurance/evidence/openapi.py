"""Everything under /api, as OpenAPI 3.1.

Data only; a test checks it against the specification and against the routes.
"""

from typing import Any

PROBLEM = {
    "description": (
        "Refused. `title` is the reason as a sentence; `field` names the value that it is about."
    ),
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}
REFUSALS = {
    "400": "The request cannot be read, or its sender broke off",
    "401": "No key, or one that opens nothing",
    "403": "The key lacks the scope, or the piece may not be changed",
    "404": "There is no such piece of evidence in this tenant",
    "409": (
        "The same bytes are a version for the same period already, the piece is retired, or the"
        " same request is under way"
    ),
    "413": "Larger than 1 GiB, or larger than the virus scanner takes",
    "422": (
        "A value makes no sense, the file may not come in, or the Idempotency-Key was used for"
        " another request"
    ),
    "503": "The store or the virus scanner is away; nothing was saved",
}
DAY = {"type": "string", "format": "date", "examples": ["2026-11-25"]}
DETAILS: dict[str, Any] = {
    "evidence": {
        "type": "string",
        "description": "The piece that this is a version of: its ref or its id.",
        "examples": ["EV-0007"],
    },
    "collected_on": (
        DAY | {"description": "When it was taken from its source; today, unless given."}
    ),
    "period_from": DAY | {"description": "The first day that it covers."},
    "period_to": DAY | {"description": "The last day that it covers."},
    "valid_until": DAY | {"description": "The day after it, the evidence is overdue."},
    "source": {
        "type": "string",
        "maxLength": 120,
        "description": "Where it comes from; the key's name, unless given.",
    },
}
NEEDED = ["evidence", "period_from", "period_to", "valid_until"]

DESCRIPTION: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {
        "title": "Governance Console",
        "version": "1",
        "summary": "What programs bring in.",
        "description": (
            "Each address takes a bearer key of one tenant. Refusals are RFC 9457 problem JSON."
        ),
    },
    "servers": [{"url": "/"}],
    "security": [{"key": []}],
    "paths": {
        "/api/v1/evidence": {
            "post": {
                "operationId": "pushEvidence",
                "summary": "Bring in a version of a piece of evidence",
                "description": (
                    "With its file as multipart, or by the SHA-256 of a file that is here already."
                    " It counts once a person has accepted it. Needs the scope `evidence:write`."
                ),
                "parameters": [
                    {
                        "name": "Idempotency-Key",
                        "in": "header",
                        "required": False,
                        "description": (
                            "The same key with the same request gives the same answer for 30 days,"
                            " and nothing is brought in twice. Two at once: one is answered, the"
                            " other gets the same answer or 409. Afterwards the name is free again."
                            " Rotating the bearer key changes nothing; each bearer key has names of"
                            " its own."
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
                                                "At most 1 GiB. Its type is found by its content."
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
                            "It is in, and waits for review; or it came in with an earlier request"
                            " of the same Idempotency-Key."
                        ),
                        "headers": {
                            "Location": {
                                "description": "The page of the piece.",
                                "schema": {"type": "string"},
                            },
                            "Idempotency-Replayed": {
                                "description": "The answer is that of the earlier request.",
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
