"""The OpenAPI 3.1 description of everything under /api, from what manifests add to it.

    manifest = Manifest(…, api=ApiDescription(paths={"/api/v1/evidence": {…}}, schemas={…}))

Data only; a test checks it against the specification and against the routes.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

PROBLEM: dict[str, Any] = {
    "description": "The request failed. `title` says why; `field` names the value to fix.",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}
ROW_ERRORS = {
    "type": "array",
    "description": "Each row of a batch that was not stored, from 1 on, and why.",
    "items": {
        "type": "object",
        "properties": {
            "row": {"type": "integer", "minimum": 1},
            "field": {"type": "string"},
            "reason": {"type": "string"},
        },
        "required": ["row", "field", "reason"],
    },
}
REPLAYED: dict[str, Any] = {
    "Idempotency-Replayed": {
        "description": "The response is that of the earlier request.",
        "schema": {"const": "true"},
    }
}
SHARED_SCHEMAS: dict[str, Any] = {
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
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiDescription:
    """The API description that a feature adds: path items and the schemas that they refer to."""

    paths: Mapping[str, Any]
    schemas: Mapping[str, Any] = field(default_factory=dict)


def refusals(reasons: Mapping[str, str]) -> dict[str, Any]:
    """Return responses with a problem, by status."""
    return {status: PROBLEM | {"description": reason} for status, reason in reasons.items()}


def idempotency_key(kept: str) -> dict[str, Any]:
    """Return the parameter Idempotency-Key, whose answers are kept for so long ("7 days")."""
    return {
        "name": "Idempotency-Key",
        "in": "header",
        "required": False,
        "description": (
            f"For {kept}, the same Idempotency-Key with the same request returns the same response"
            " and saves nothing twice. If two arrive at once, the second gets the same response or"
            " 409. Each bearer key has its own Idempotency-Keys, and rotating it keeps them."
        ),
        "schema": {"type": "string", "minLength": 1, "maxLength": 255},
    }


def describe(parts: Iterable[ApiDescription]) -> dict[str, Any]:
    """Return the complete description. Raises ValueError when two parts have one path or schema."""
    paths: dict[str, Any] = {}
    schemas: dict[str, Any] = dict(SHARED_SCHEMAS)
    for part in parts:
        if twice := (paths.keys() & part.paths.keys()) | (schemas.keys() & part.schemas.keys()):
            raise ValueError(f"described twice: {', '.join(sorted(twice))}")
        paths |= part.paths
        schemas |= part.schemas
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Meridian",
            "version": "1",
            "summary": "Send evidence and measurements from programs.",
            "description": (
                "Each request needs a bearer key of one tenant. Errors are RFC 9457 problem JSON."
            ),
        },
        "servers": [{"url": "/"}],
        "security": [{"key": []}],
        "paths": dict(sorted(paths.items())),
        "components": {
            "securitySchemes": {
                "key": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "gc_<tenant>_<43 characters>",
                }
            },
            "schemas": schemas,
        },
    }
