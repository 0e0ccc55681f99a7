"""The API route `POST /api/v1/evidence`, which uploads versions."""

import re
from datetime import date
from typing import Any, BinaryIO

from flask import jsonify, request

from governance.assurance.evidence import permissions, queries, version_actions
from governance.assurance.evidence.models import Evidence
from governance.assurance.evidence.push import push as push_version
from governance.kernel import current
from governance.kernel.days import ANY_DAY, parse_day
from governance.kernel.errors import Invalid
from governance.kernel.web.feature import Feature
from governance.kernel.web.forms import uuid_or_none
from governance.kernel.web.idempotency import idempotency_key
from governance.kernel.web.responses import ResponseReturnValue

feature = Feature("evidence_api", __name__, scope="machine")

MAX_FORM_BYTES = 1024 * 1024
UNSTORABLE = re.compile("[\\0\ud800-\udfff]")  # NUL and lone surrogates, which JSON allows.
FIELDS = (
    "evidence",
    "sha256",
    "filename",
    "collected_on",
    "period_from",
    "period_to",
    "valid_until",
    "source",
)


@feature.url_value_preprocessor
# Flask defines this signature.
def take_large_files(endpoint: str | None, values: dict[str, Any] | None) -> None:  # noqa: ARG001
    """Allow large bodies. Keys without the permission were already denied."""
    if endpoint == "evidence_api.push" and request.method == "POST":
        request.max_content_length = version_actions.MAX_FILE_BYTES + MAX_FORM_BYTES


@feature.post("/api/v1/evidence", needs=permissions.PUSH)
def push() -> ResponseReturnValue:
    """Upload a version, as multipart with a file or as JSON with the SHA-256 of a stored file."""
    sent = _sent_values()
    file = request.files.get("file")
    # Werkzeug's type is wider.
    stream: BinaryIO | None = file.stream if file else None  # type: ignore[assignment]
    evidence = _evidence(sent.get("evidence", ""))
    done = push_version(
        evidence,
        stream=stream,
        filename=file.filename if file else None,
        sha256=_sha256(sent.get("sha256")),
        idempotency_key=idempotency_key(),
        source=sent.get("source", "").strip()[:120] or None,
        collected_on=_day(sent, "collected_on") if sent.get("collected_on", "").strip() else None,
        period_from=_day(sent, "period_from"),
        period_to=_day(sent, "period_to"),
        valid_until=_day(sent, "valid_until"),
    )
    answer = jsonify(done.answer)
    answer.status_code = 201
    answer.headers["Location"] = f"/t/{current.actor().tenant_slug}/evidence/{evidence.id}"
    if done.again:
        answer.headers["Idempotency-Replayed"] = "true"
    return answer


def _sent_values() -> dict[str, str]:
    """Return the values of a form or of a JSON object. Raises Invalid for unknown fields."""
    if request.mimetype == "multipart/form-data":
        given: Any = request.form.to_dict()
    elif request.mimetype == "application/json":
        given = _json()
        if not isinstance(given, dict) or not all(
            isinstance(value, str) for value in given.values()
        ):
            raise Invalid("Send one JSON object whose values are all strings.")
    else:
        raise Invalid("Send multipart/form-data with a file, or application/json with a sha256.")
    if unknown := given.keys() - set(FIELDS):
        raise Invalid(
            f"{min(unknown)[:40]} is not a field. The fields are {', '.join(FIELDS)} and file.",
            field=min(unknown)[:40],
        )
    if unkept := next((name for name, value in given.items() if UNSTORABLE.search(value)), None):
        raise Invalid(
            f"{unkept} contains a character that can't be stored. Nothing was saved.", field=unkept
        )
    return dict(given)


def _json() -> Any:
    """Return the JSON body, or None if it is invalid or nested too deeply."""
    try:
        return request.get_json(silent=True)
    except RecursionError:
        return None


def _evidence(named: str) -> Evidence:
    if not named.strip():
        raise Invalid("evidence: enter the ref or id of an evidence item.", field="evidence")
    evidence_id = uuid_or_none(named)
    return queries.find_evidence(evidence_id) if evidence_id else queries.find_by_ref(named)


def _sha256(given: str | None) -> str | None:
    if not given:
        return None
    digest = given.strip().lower()
    # SHA-256 has 64 hexadecimal digits.
    if len(digest) != 64 or not set(digest) <= set("0123456789abcdef"):  # noqa: PLR2004
        raise Invalid("sha256: enter 64 hexadecimal digits.", field="sha256")
    return digest


def _day(sent: dict[str, str], name: str) -> date:
    return parse_day(sent.get(name, ""), field=name, bounds=ANY_DAY, is_named=True)
