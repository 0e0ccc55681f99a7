"""API of evaluations.

`POST /api/v1/evaluations` takes runs, `GET` returns one with its verdicts, and runners report their
progress.
"""

from uuid import UUID

from flask import Response, jsonify, request

from governance.kernel.errors import Invalid
from governance.kernel.web.feature import Feature
from governance.kernel.web.forms import uuid_or_none
from governance.kernel.web.idempotency import idempotency_key
from governance.kernel.web.responses import ResponseReturnValue
from governance.operations.evaluations import permissions, queries
from governance.operations.evaluations.requests import actions as request_actions
from governance.operations.evaluations.requests.actions import Report
from governance.operations.evaluations.runs import actions as run_actions
from governance.operations.evaluations.runs import push_actions
from governance.operations.evaluations.runs.answer import answer_of
from governance.operations.evaluations.runs.push_actions import WantedRun
from governance.operations.evaluations.runs.received_file import received, takes_a_file

feature = Feature("evaluations_api", __name__, scope="machine")
MAX_LENGTHS = {
    "system": 41,
    "suite": 41,
    "release": 60,
    "version": 9,
    "model": 200,
    "run": 200,
    "request": 36,
}
REPORTED: dict[str, type] = {"done": int, "total": int, "note": str, "failed": bool}
WORDS: dict[type, str] = {int: "a whole number", str: "text", bool: "true or false"}
NEEDED = ("system", "suite", "release")

takes_a_file(
    feature,
    "evaluations_api.push",
    lambda: push_actions.check(_wanted()),
    run_actions.MAX_FILE_BYTES,
)


@feature.post("/api/v1/evaluations", needs=permissions.PUSH)
def push() -> ResponseReturnValue:
    """Queue the reading of the file in the body. The answer has the address of its verdicts."""
    done = push_actions.push(received(), _wanted(), idempotency_key=idempotency_key())
    run = queries.run(UUID(done.answer["id"]))
    answer = jsonify(answer_of(run) | {"duplicate": done.answer["duplicate"]})
    answer.status_code = 202 if run.state == "reading" else 200
    answer.headers["Location"] = f"/api/v1/evaluations/{run.id}"
    if done.is_replay:
        answer.headers["Idempotency-Replayed"] = "true"
    return answer


@feature.get("/api/v1/evaluations/<uuid:run_id>", needs=permissions.PUSH)
def run(run_id: UUID) -> ResponseReturnValue:
    """Return the run: being read, judged with its verdicts, or rejected with place and reason."""
    found = push_actions.run_of_key(run_id)
    answer: Response = jsonify(answer_of(found))
    if found.state == "reading":
        answer.headers["Retry-After"] = "5"
    return answer


@feature.post("/api/v1/evaluations/requests/<uuid:request_id>/progress", needs=permissions.PUSH)
def report(request_id: UUID) -> ResponseReturnValue:
    """Store a runner's progress. 409 tells the runner to stop."""
    asked = push_actions.request_of_key(request_id)
    request_actions.report(asked, _report())
    return jsonify(
        {"id": str(asked.id), "state": asked.state, "ends_at": asked.ends_at.isoformat()}
    )


def _report() -> Report:
    """Parse the body. Raises Invalid with the field."""
    try:
        given = request.get_json(silent=True) if request.mimetype == "application/json" else None
    except RecursionError:
        given = None
    if not isinstance(given, dict):
        raise Invalid("Send one JSON object with done, total, note or failed.")
    if unknown := given.keys() - REPORTED.keys():
        name = min(unknown)[:40]
        raise Invalid(f"{name} is not a field. The fields are {', '.join(REPORTED)}.", field=name)
    for name, value in given.items():
        if type(value) is not REPORTED[name]:
            raise Invalid(f"{name}: this isn't {WORDS[REPORTED[name]]}.", field=name)
    return Report(**given)


def _wanted() -> WantedRun:
    """Parse the query of the address. Raises Invalid with the field."""
    given = request.args.to_dict()
    if unknown := given.keys() - MAX_LENGTHS.keys():
        name = min(unknown)[:40]
        raise Invalid(
            f"{name} is not a parameter. The parameters are {', '.join(MAX_LENGTHS)}.", field=name
        )
    for name in NEEDED:
        if not given.get(name, "").strip():
            raise Invalid(f"{name}: this parameter is needed.", field=name)
    for name, value in given.items():
        if len(value) > MAX_LENGTHS[name] or not value.isprintable():
            raise Invalid(
                f"{name}: send up to {MAX_LENGTHS[name]} printable characters.", field=name
            )
    number = given.get("version", "")
    if number and not (number.isascii() and number.isdecimal()):
        raise Invalid("version: send the number of a published version.", field="version")
    request_id = uuid_or_none(given.get("request", ""))
    if given.get("request") and request_id is None:
        raise Invalid("request: send the id of the request that it answers.", field="request")
    return WantedRun(
        system=given["system"].strip(),
        suite=given["suite"].strip(),
        release=given["release"].strip(),
        version=int(number) if number else None,
        model=given.get("model", "").strip(),
        run=given.get("run", "").strip(),
        request=request_id,
    )
