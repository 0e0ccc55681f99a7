"""The OpenAPI 3.1 description of `POST /api/v1/otlp/v1/traces`."""

from typing import Any

from governance.economics.usage.otlp_actions import JSON, PROTOBUF

REFUSALS = {
    "400": "The body can't be read, or it was interrupted",
    "401": "The key is missing or invalid",
    "403": "The key lacks the scope",
    "413": "The request has more than 10,000 spans or 8 MB, unpacked",
    "415": "The body is neither JSON nor protobuf",
    "422": "The Content-Encoding is not gzip",
    "503": "Meridian is busy; nothing was saved",
}


def _bodies(schema: str) -> dict[str, Any]:
    """Return the content of a message in both encodings."""
    described = {"schema": {"$ref": f"#/components/schemas/{schema}"}}
    return {JSON: described, PROTOBUF: {"schema": {"type": "string", "format": "binary"}}}


PATHS: dict[str, Any] = {
    "/api/v1/otlp/v1/traces": {
        "post": {
            "operationId": "exportTraces",
            "summary": "Send usage as OpenTelemetry spans",
            "description": (
                "OTLP/HTTP for exporters whose endpoint is `/api/v1/otlp`. Spans that call a model"
                " become usage events; others are ignored. A span that is exported again counts"
                " once. Gzip is accepted. Needs the scope `usage:write`."
            ),
            "requestBody": {"required": True, "content": _bodies("OtlpTraces")},
            "responses": {
                "200": {
                    "description": "The spans were read; `partialSuccess` names the rejected ones.",
                    "content": _bodies("OtlpTracesResult"),
                },
                **{
                    status: {"description": reason, "content": _bodies("OtlpStatus")}
                    for status, reason in REFUSALS.items()
                },
            },
        }
    }
}
SCHEMAS: dict[str, Any] = {
    "OtlpTraces": {
        "type": "object",
        "properties": {"resourceSpans": {"type": "array", "items": {"type": "object"}}},
        "description": "ExportTraceServiceRequest of OTLP.",
    },
    "OtlpTracesResult": {
        "type": "object",
        "properties": {
            "partialSuccess": {
                "type": "object",
                "properties": {
                    "rejectedSpans": {"type": "string", "pattern": "^[0-9]+$"},
                    "errorMessage": {"type": "string"},
                },
            }
        },
        "description": "ExportTraceServiceResponse of OTLP.",
    },
    "OtlpStatus": {
        "type": "object",
        "properties": {"code": {"type": "integer"}, "message": {"type": "string"}},
        "required": ["code", "message"],
        "description": "google.rpc.Status.",
    },
}
