"""`GET /api/v1/openapi.json`: the description of /api, from the manifests of the features in it."""

from flask import Response, jsonify

from governance.kernel import manifest
from governance.kernel.api_description import ApiDescription, describe
from governance.kernel.safety import access
from governance.kernel.web.feature import Feature
from governance.kernel.web.responses import ResponseReturnValue

feature = Feature("api_description", __name__, scope="public")

ITSELF = ApiDescription(
    paths={
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
    }
)


@feature.get("/api/v1/openapi.json", needs=access.PUBLIC)
def description() -> ResponseReturnValue:
    parts = [each.api for each in manifest.installed() if each.api is not None]
    answer: Response = jsonify(describe(parts))
    answer.headers["Cache-Control"] = "public, max-age=300"
    return answer
