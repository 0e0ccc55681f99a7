"""A machine that sends evaluation runs with its key."""

import json
from collections.abc import Mapping
from typing import Any

from governance.foundation.api_keys import actions as keys
from governance.foundation.api_keys import queries
from tests import make
from tests.operations.evaluations.evaluation_helpers import drain

ADDRESS = "/api/v1/evaluations"
PLACE = {"system": "claims-triage", "suite": "claims-grounding", "release": "2026.11.2"}


class Machine:
    """A program with a key."""

    def __init__(self, app, slug="acme", scopes=("evaluations:write",), **limits):
        with make.acting("admin", slug):
            name = f"ci {len(queries.live())}"
            _, self.key = keys.create(name, scopes, **limits)
        self.client = app.test_client()

    def push(self, content, then=202, key=None, headers=None, **query):
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        named = {"Idempotency-Key": key} if key else {}
        reply = self.client.post(
            ADDRESS,
            data=body,
            query_string={name: value for name, value in (PLACE | query).items() if value},
            headers=self._key | {"Content-Type": "application/json"} | named | (headers or {}),
        )
        assert then is None or reply.status_code == then, reply.text
        assert reply.status_code < 300 or reply.mimetype == "application/problem+json"
        return reply

    def judged(self, content, **query) -> dict[str, Any]:
        """Send a run, process it, and return its result."""
        sent = self.push(content, **query).json
        drain()
        return self.get(sent["id"]).json

    def get(self, run_id, then=200):
        reply = self.client.get(f"{ADDRESS}/{run_id}", headers=self._key)
        assert reply.status_code == then, reply.text
        return reply

    @property
    def _key(self) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self.key}"}


def own_run(n: int, passed: int, **changes: Any) -> dict[str, Any]:
    """Return a run in Meridian's own JSON with one measure."""
    return {
        "meridian_run": 1,
        "run": "ci-1",
        "model": "helio-large-3",
        "completed_at": "2026-11-24T10:00:00Z",
        "measures": [{"name": "grounded", "n": n, "passed": passed}],
    } | changes
