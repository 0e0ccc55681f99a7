"""OpenAPI 3.1 description of `/api/v1/evaluations`."""

from typing import Any

from governance.kernel.api_description import REPLAYED, ApiDescription, idempotency_key, refusals
from governance.operations.evaluations.requests.models import REQUEST_STATES
from governance.operations.evaluations.runs.answer import VERDICTS

REFUSALS = {
    "400": "The body can't be read, or it was interrupted",
    "401": "The key is missing or invalid",
    "403": "The key lacks the scope",
    "408": "The body was too slow",
    "409": "A run with this name and other content exists, or the same request is in progress",
    "413": "The file has more than 512 MB, unpacked",
    "422": (
        "A parameter is invalid, the system or suite is retired, the version was withdrawn, or the"
        " Idempotency-Key belongs to a different request"
    ),
    "503": "Meridian is busy; nothing was saved",
}
COUNT = {"type": "integer", "minimum": 0}
NUMBER_OR_NULL = {"type": ["number", "null"]}
TEXT_OR_NULL = {"type": ["string", "null"]}


def _parameter(name: str, description: str, example: str, *, required: bool = False) -> Any:
    return {
        "name": name,
        "in": "query",
        "required": required,
        "description": description,
        "schema": {
            "type": "integer" if name == "version" else "string",
            "examples": [int(example) if name == "version" else example],
        },
    }


def _schema(name: str) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}


EXAMPLE_ID = "0193a9d2-c6f1-7f3e-8a4b-5c6d7e8f90a1"
RUN_ID = {
    "name": "run_id",
    "in": "path",
    "required": True,
    "description": "The id in the answer to the run that was sent.",
    "schema": {"type": "string", "format": "uuid"},
}
ANY_FILE = {"schema": {"type": "string", "format": "binary"}}
SENT = {
    "headers": {
        "Location": {
            "description": "The address of the run, for its verdicts.",
            "schema": {"type": "string"},
        },
        **REPLAYED,
    },
    "content": _schema("EvaluationRun"),
}
MEASURE: dict[str, Any] = {
    "type": "object",
    "properties": {
        "measure": {"type": "string", "examples": ["hallucination"]},
        "name": {"type": "string"},
        "unit": {"type": "string", "description": "`share` is between 0 and 1."},
        "decides": {"type": "boolean", "description": "False for a signal, which decides nothing."},
        "n": COUNT | {"description": "Evaluated cases. Of 0 cases nothing passes."},
        "counted": {"type": ["integer", "null"]},
        "value": NUMBER_OR_NULL,
        "low": NUMBER_OR_NULL,
        "high": NUMBER_OR_NULL,
        "confidence": {"type": "number", "description": "All intervals of a run hold together."},
        "at_least": {
            "type": "boolean",
            "description": "False: the value may be at most the limit.",
        },
        "limit": NUMBER_OR_NULL,
        "verdict": {"enum": list(VERDICTS)},
        "more_samples": {
            "type": ["integer", "null"],
            "description": "Further cases that would decide an undecided measure.",
        },
    },
    "required": ["measure", "n", "verdict", "limit", "decides"],
}
RUN: dict[str, Any] = {
    "type": "object",
    "properties": {
        "id": {"type": "string", "format": "uuid"},
        "number": COUNT,
        "state": {"enum": ["reading", "judged", "refused", "failed", "cancelled"]},
        "problem": TEXT_OR_NULL | {"description": "Why it was refused, or why the run failed."},
        "place": TEXT_OR_NULL | {"description": "Where in the file, such as `sample 12`."},
        "system": {"type": "string"},
        "suite": {"type": "string"},
        "version": COUNT,
        "release": {"type": "string"},
        "run": {"type": "string", "description": "Your name of the run."},
        "sha256": {"type": "string"},
        "tool": {"type": "string"},
        "tool_run": {"type": "string", "description": "The tool's id of the run."},
        "model": {"type": "string"},
        "outcome": {"enum": ["completed", "failed", "cancelled", None]},
        "week": TEXT_OR_NULL | {"format": "date", "description": "The Monday of its week."},
        "look": COUNT
        | {"description": "Which run of its release it is in its week, counted from 1."},
        "cases": {
            "type": "object",
            "properties": {"scored": COUNT, "failed": COUNT, "unscored": COUNT},
            "required": ["scored", "failed", "unscored"],
        },
        "tier": {"type": "string", "description": "The policy tier whose limits judged."},
        "policy_version": {
            "type": ["integer", "null"],
            "description": "The version of the policy that was in force then.",
        },
        "today": {
            "type": "object",
            "description": "Tier, verdict and limits by the policy that is in force now.",
        },
        "read_as": {
            "type": "object",
            "description": "What true means in the file, by name: good or bad.",
            "additionalProperties": {"enum": ["good", "bad"]},
        },
        "verdict": {
            "enum": [*VERDICTS, None],
            "description": "`pass` only where every measure that decides passes.",
        },
        "measures": {
            "type": "array",
            "items": {"$ref": "#/components/schemas/EvaluationMeasure"},
        },
        "page": {"type": "string"},
        "duplicate": {
            "type": "boolean",
            "description": "The same file is a run already. Only in the answer to a file.",
        },
    },
    "required": ["id", "number", "state", "cases", "verdict", "measures"],
}

DESCRIPTION = ApiDescription(
    paths={
        "/api/v1/evaluations": {
            "post": {
                "operationId": "pushEvaluation",
                "summary": "Send an evaluation run",
                "description": (
                    "The body is the file: an Inspect log (.json, .eval), promptfoo results (JSON,"
                    " JSONL), a garak report (JSONL), an Every Eval Ever document or Meridian's own"
                    " JSON. It is read in the background and counts as a whole, or it is refused"
                    " with place and reason. The same file again is the same run. Gzip is accepted."
                    " Needs the scope `evaluations:write`."
                ),
                "parameters": [
                    _parameter("system", "The AI system's slug.", "claims-triage", required=True),
                    _parameter("suite", "The suite's slug.", "claims-grounding", required=True),
                    _parameter("release", "What was evaluated.", "2026.11.2", required=True),
                    _parameter("version", "A published version; else the newest.", "3"),
                    _parameter("model", "The provider that counts, of several.", "openai:gpt-x"),
                    _parameter("request", "The request that it answers.", EXAMPLE_ID),
                    _parameter("run", "Your name of the run; once in a system.", "ci-4711"),
                    idempotency_key("7 days"),
                ],
                "requestBody": {
                    "required": True,
                    "content": {
                        "application/json": {
                            "schema": {"$ref": "#/components/schemas/EvaluationFile"}
                        },
                        "application/x-ndjson": ANY_FILE,
                        "application/octet-stream": ANY_FILE,
                    },
                },
                "responses": {
                    "202": SENT | {"description": "The file is stored and will be read."},
                    "200": SENT | {"description": "The file was sent before and has been read."},
                    **refusals(REFUSALS),
                },
            }
        },
        "/api/v1/evaluations/{run_id}": {
            "get": {
                "operationId": "getEvaluation",
                "summary": "A run with its verdicts",
                "description": (
                    "Ask again after Retry-After while its state is `reading`. Needs the scope"
                    " `evaluations:write`."
                ),
                "parameters": [RUN_ID],
                "responses": {
                    "200": {
                        "description": "The run.",
                        "headers": {
                            "Retry-After": {
                                "description": "Seconds, while it is read.",
                                "schema": {"type": "integer"},
                            }
                        },
                        "content": _schema("EvaluationRun"),
                    },
                    **refusals(
                        {
                            "401": "The key is missing or invalid",
                            "403": "The key lacks the scope",
                            "404": "There is no such run, or the key has no access to it",
                        }
                    ),
                },
            }
        },
        "/api/v1/evaluations/requests/{request_id}/progress": {
            "post": {
                "operationId": "reportEvaluation",
                "summary": "Say how far a requested evaluation is",
                "description": (
                    "For runners. A request ends 24 hours after it was sent, or six hours after the"
                    " last report. 409 says that it has ended: stop. Needs the scope"
                    " `evaluations:write`."
                ),
                "parameters": [
                    RUN_ID | {"name": "request_id", "description": "`request` of the message."}
                ],
                "requestBody": {"required": True, "content": _schema("EvaluationProgress")},
                "responses": {
                    "200": {
                        "description": "It was kept.",
                        "content": _schema("EvaluationRequest"),
                    },
                    **refusals(
                        {
                            "401": "The key is missing or invalid",
                            "403": "The key lacks the scope",
                            "404": "There is no such request, or the key has no access to it",
                            "409": "The request has ended, so the evaluation can stop",
                            "422": "A field is invalid",
                        }
                    ),
                },
            }
        },
    },
    schemas={
        "EvaluationProgress": {
            "type": "object",
            "properties": {
                "done": COUNT | {"description": "Cases evaluated so far."},
                "total": COUNT | {"description": "Cases in all."},
                "note": {"type": "string", "maxLength": 200},
                "failed": {"type": "boolean", "description": "It can't run; `note` says why."},
            },
            "additionalProperties": False,
        },
        "EvaluationRequest": {
            "type": "object",
            "properties": {
                "id": {"type": "string", "format": "uuid"},
                "state": {"enum": list(REQUEST_STATES)},
                "ends_at": {"type": "string", "format": "date-time"},
            },
            "required": ["id", "state"],
        },
        "EvaluationRun": RUN,
        "EvaluationMeasure": MEASURE,
        "EvaluationFile": {
            "type": "object",
            "description": (
                "Meridian's own format, or a file of a known tool. `samples` is the last member."
            ),
            "properties": {
                "meridian_run": {"const": 1},
                "run": {"type": "string"},
                "model": {"type": "string"},
                "measures": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "properties": {
                            "name": {"type": "string"},
                            "n": COUNT,
                            "passed": COUNT,
                            "mean": {"type": "number"},
                            "deviation": {"type": "number", "minimum": 0},
                        },
                        "required": ["name", "n"],
                    },
                },
                "samples": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "properties": {
                            "case": {"type": "string"},
                            "repetition": COUNT,
                            "outcome": {"enum": ["scored", "failed", "unscored"]},
                            "source": {"type": "string"},
                            "latency_ms": {"type": "number"},
                            "cost": {"type": "number"},
                            "scores": {"type": "object"},
                        },
                        "required": ["case"],
                    },
                },
            },
        },
    },
)
