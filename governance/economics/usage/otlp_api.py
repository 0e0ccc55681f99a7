"""`POST /api/v1/otlp/v1/traces`: OTLP/HTTP, for exporters whose endpoint is …/api/v1/otlp."""

from flask import Response, request

from governance.economics.usage import otlp_actions, permissions
from governance.economics.usage.otlp_actions import JSON, PROTOBUF
from governance.kernel.web import batch_requests
from governance.kernel.web.feature import Feature
from governance.kernel.web.responses import ResponseReturnValue

feature = Feature("usage_otlp", __name__, scope="machine")
batch_requests.takes_batches(feature, otlp_actions.MOST)


@feature.post("/api/v1/otlp/v1/traces", needs=permissions.PUSH)
def export_traces() -> ResponseReturnValue:
    """Store the model calls among the spans. The answer names those that can't be stored."""
    from governance.economics.usage import otlp_answers  # noqa: PLC0415 - loads protobuf

    result = otlp_actions.export(batch_requests.body(), request.mimetype)
    as_json = request.mimetype == JSON
    return Response(
        otlp_answers.exported(result.rejected, as_json=as_json),
        mimetype=JSON if as_json else PROTOBUF,
    )


@feature.after_request
def answer_as_status(answer: Response) -> Response:
    """Convert an error answer to google.rpc.Status, in the encoding of the request."""
    if answer.mimetype == "application/problem+json":
        from governance.economics.usage import otlp_answers  # noqa: PLC0415 - the same

        reason, as_json = answer.get_json()["title"], request.mimetype != PROTOBUF
        answer.data = otlp_answers.refused(answer.status_code, reason, as_json=as_json)
        answer.mimetype = JSON if as_json else PROTOBUF
    return answer
