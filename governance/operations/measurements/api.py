"""`POST /api/v1/indicators`, which stores minute counts."""

from flask import jsonify, request

from governance.kernel.web import batch_requests
from governance.kernel.web.feature import Feature
from governance.kernel.web.idempotency import idempotency_key
from governance.kernel.web.responses import ResponseReturnValue
from governance.operations.measurements import batches, permissions, push_actions

feature = Feature("indicators_api", __name__, scope="machine")
batch_requests.takes_batches(feature, batches.MOST)


@feature.post("/api/v1/indicators", needs=permissions.PUSH)
def push() -> ResponseReturnValue:
    """Store the valid rows. The answer names the others."""
    done = push_actions.push(
        batch_requests.body(), request.mimetype, idempotency_key=idempotency_key()
    )
    answer = jsonify(done.answer)
    if done.is_replay:
        answer.headers["Idempotency-Replayed"] = "true"
    return answer
