"""Upload versions through the API, once per Idempotency-Key."""

import hashlib
import json
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, BinaryIO

from sqlalchemy import delete

from governance.assurance.evidence import version_actions, version_queries
from governance.assurance.evidence.models import Evidence, EvidencePush
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.kernel import clock, current
from governance.kernel.data.db import session, try_lock_tenant
from governance.kernel.errors import DomainError, Invalid
from governance.kernel.files import storage

PUSHED = action(
    "evidence.version.pushed",
    "pushed an evidence version through the API",
    target="EvidenceVersion",
    activity="create",
    severity="informational",
    fields="evidence number sha256",
)
PUSH_RETENTION = timedelta(days=30)


class IdempotencyKeyReused(Invalid):
    """The Idempotency-Key belongs to a different request."""


class PushInProgress(DomainError):
    """The same request is still in progress."""


@dataclass(frozen=True, slots=True)
class PushResult:
    answer: dict[str, Any]
    again: bool


def push(
    evidence: Evidence,
    *,
    stream: BinaryIO | None,
    filename: str | None,
    sha256: str | None,
    idempotency_key: str | None,
    collected_on: date | None,
    period_from: date,
    period_to: date,
    valid_until: date,
    source: str | None,
) -> PushResult:
    """Upload a file, or the stored file with this SHA-256, as a version.

    A retry with the same Idempotency-Key gets the same response. `collected_on` defaults to today,
    and `source` to the name of the key. A retry on another day is still the same request. Raises
    IdempotencyKeyReused or PushInProgress.
    """
    dates = {"period_from": period_from, "period_to": period_to, "valid_until": valid_until}
    if (stream is None) == (sha256 is None):
        raise Invalid(
            "Send either a file or the sha256 of a file that is stored already.", field="file"
        )
    digest = _digest_of(
        [
            evidence.id,
            filename if stream else None,
            _sha256(stream) if stream else sha256,
            source,
            collected_on,
            dates,
        ]
    )
    if idempotency_key is not None and (before := _earlier_result(idempotency_key, digest)):
        return before
    facts: dict[str, Any] = {
        "source": source or current.actor().name,
        "collected_on": collected_on or clock.today(),
        **dates,
    }
    if stream is not None:
        version = version_actions.upload_version(
            evidence, stream, filename, unchanged=True, **facts
        )
    else:
        version = version_actions.upload_by_digest(evidence, sha256 or "", **facts)
    session().flush()
    answer = {
        "id": str(version.id),
        "evidence": evidence.ref,
        "version": version.number,
        "filename": version.filename,
        "media_type": version.media_type,
        "size": version.size,
        "sha256": version.sha256,
        "review": "pending",
    }
    if idempotency_key is not None:
        session().add(
            EvidencePush(
                key_id=current.key_id(),
                idempotency_key=idempotency_key,
                digest=digest,
                version_id=version.id,
                answer=answer,
            )
        )
    record(PUSHED, version, evidence=evidence.ref, number=version.number, sha256=version.sha256)
    return PushResult(answer, again=False)


def _earlier_result(idempotency_key: str, digest: str) -> PushResult | None:
    if not try_lock_tenant(f"push {current.key_id()} {idempotency_key}"):
        raise PushInProgress(
            "A request with this Idempotency-Key is still in progress. Retry in a moment."
        )
    earlier = version_queries.earlier_push(current.key_id(), idempotency_key)
    if earlier is None:
        return None
    if (
        earlier.created_at < clock.now() - PUSH_RETENTION
    ):  # Expired, although the nightly job hasn't deleted it yet.
        session().delete(earlier)
        session().flush()
        return None
    if earlier.digest != digest:
        raise IdempotencyKeyReused(
            "This Idempotency-Key belongs to a different request. Nothing was saved. Use a new"
            " key.",
            field="Idempotency-Key",
        )
    return PushResult(earlier.answer, again=True)


def _digest_of(digest: list[Any]) -> str:
    return hashlib.sha256(json.dumps(digest, default=str, sort_keys=True).encode()).hexdigest()


def _sha256(stream: BinaryIO) -> str:
    digest = hashlib.sha256()
    stream.seek(0)
    while piece := stream.read(storage.PIECE_BYTES):
        digest.update(piece)
    stream.seek(0)
    return digest.hexdigest()


def delete_old_pushes() -> int:
    """Delete stored responses older than 30 days, which clients no longer retry.

    Returns their number.
    """
    gone = session().execute(
        delete(EvidencePush).where(EvidencePush.created_at < clock.now() - PUSH_RETENTION)
    )
    return int(gone.rowcount)  # type: ignore[attr-defined]  # CursorResult at run time
