"""`POST /api/v1/indicators`, which stores minute counts."""

from typing import Any

from flask import g, jsonify, request

from governance.kernel import web
from governance.kernel.errors import TooLarge
from governance.kernel.feature import Feature, a_key_is_here
from governance.kernel.idempotency import idempotency_key
from governance.kernel.web import ResponseReturnValue
from governance.operations.measurements import batches, permissions, push_actions

feature = Feature("indicators_api", __name__, scope="machine")


@feature.url_value_preprocessor
# Flask's signature
def take_batches(endpoint: str | None, values: dict[str, Any] | None) -> None:  # noqa: ARG001
    """Allow a batch's bytes to a key that may push; the bodies of others are rejected unread."""
    if request.method == "POST" and a_key_is_here(permissions.PUSH):
        if (request.content_length or 0) > batches.MAX_BATCH_BYTES:
            raise TooLarge(batches.TOO_LARGE)
        web.allow_body(batches.MAX_BATCH_BYTES)
        g.may_push = True


@feature.before_request
def receive() -> None:
    """Read the body before a transaction opens."""
    if "may_push" in g:
        encoding = request.headers.get("Content-Encoding", "").strip().lower()
        g.batch = batches.unpack(request.get_data(cache=False), encoding)


@feature.post("/api/v1/indicators", needs=permissions.PUSH)
def push() -> ResponseReturnValue:
    """Store the rows that can be stored; the answer names the others."""
    done = push_actions.push(g.pop("batch"), request.mimetype, idempotency_key=idempotency_key())
    answer = jsonify(done.answer)
    if done.is_replay:
        answer.headers["Idempotency-Replayed"] = "true"
    return answer
