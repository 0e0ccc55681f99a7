"""`POST /api/v1/usage`, which stores usage events."""

from flask import jsonify, request

from governance.economics.usage import actions, permissions
from governance.kernel.web import batch_requests
from governance.kernel.web.feature import Feature
from governance.kernel.web.idempotency import idempotency_key
from governance.kernel.web.responses import ResponseReturnValue

feature = Feature("usage_api", __name__, scope="machine")
batch_requests.takes_batches(feature, actions.MOST)


@feature.post("/api/v1/usage", needs=permissions.PUSH)
def push() -> ResponseReturnValue:
    """Store the valid events. The answer names the others."""
    done = actions.push(batch_requests.body(), request.mimetype, idempotency_key=idempotency_key())
    answer = jsonify(done.answer)
    if done.is_replay:
        answer.headers["Idempotency-Replayed"] = "true"
    return answer
