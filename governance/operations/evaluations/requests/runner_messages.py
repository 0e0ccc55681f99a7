"""The signed webhook message to a runner: suite, release and number of cases.

A runner is a webhook endpoint that subscribes to evaluation.run.requested: its address, its secret,
retries and dead letters are those of webhooks.
"""

from typing import Any
from urllib.parse import urlencode

from governance.foundation.webhooks import event_types
from governance.kernel import config
from governance.operations.evaluations.models import EvaluationSuite, SuiteVersion
from governance.operations.evaluations.requests.models import EvaluationRequest
from governance.operations.systems.models import AISystem

EVENT_TYPE = "evaluation.run.requested"
RUNS = "/api/v1/evaluations"
EXAMPLE = {
    "request": "0193a9d2-c6f1-7f3e-8a4b-5c6d7e8f90a1",
    "system": "claims-triage",
    "release": "2026.11.2",
    "suite": "claims-grounding",
    "version": 3,
    "cases_sha256": None,
    "samples": 1900,
    "ends_at": "2026-11-27T12:40:00Z",
    "push_to": "https://console.example/api/v1/evaluations?system=claims-triage&…",
    "report_to": "https://console.example/api/v1/evaluations/requests/0193a9d2-…/progress",
}
event_types.register(EVENT_TYPE, "a person asks for an evaluation run", EXAMPLE)


def push_address(
    system: str, suite: str, version: int | None, release: str, request: str = ""
) -> str:
    """Return the address to send a run to, with the parameters that identify it."""
    named = {"system": system, "suite": suite, "version": version, "release": release}
    query = {name: value for name, value in (named | {"request": request}).items() if value}
    return f"{config.public_address()}{RUNS}?{urlencode(query)}"


def push_command(address: str) -> str:
    """Return the command that sends an Inspect log to the address."""
    return f'curl -X POST -T logs/run.eval -H "Authorization: Bearer $KEY" "{address}"'


def message(
    request: EvaluationRequest, system: AISystem, suite: EvaluationSuite, version: SuiteVersion
) -> dict[str, Any]:
    """Return the data of the message. It names no person."""
    return {
        "request": request.id,
        "system": system.key,
        "release": request.release,
        "suite": suite.key,
        "version": version.number,
        "cases_sha256": version.cases_sha256,
        "samples": request.samples,
        "ends_at": request.ends_at,
        "push_to": push_address(
            system.key, suite.key, version.number, request.release, str(request.id)
        ),
        "report_to": f"{config.public_address()}{RUNS}/requests/{request.id}/progress",
    }
