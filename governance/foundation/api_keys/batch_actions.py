"""Store a machine's batch once per Idempotency-Key; answer a repetition with the stored answer.

once(endpoint, body, idempotency_key, store)   the answer, new or earlier
once_of(endpoint, digest, …)                   the same for a body that is stored already
delete_old()                                   nightly: nobody repeats them any more
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, select

from governance.foundation.api_keys.models import ReceivedBatch
from governance.kernel import clock, current
from governance.kernel.data.db import session, try_lock_tenant
from governance.kernel.errors import DomainError, Invalid

RETENTION = timedelta(days=7)

type Answer = dict[str, Any]


class BatchKeyReused(Invalid):
    """The Idempotency-Key belongs to a different batch."""


class BatchInProgress(DomainError):
    """The same batch is being stored."""


@dataclass(frozen=True, slots=True)
class BatchResult:
    """The answer, and whether it is that of an earlier request."""

    answer: Answer
    is_replay: bool = False


def once(
    endpoint: str, body: bytes, idempotency_key: str | None, store: Callable[[], Answer]
) -> BatchResult:
    """Return what `store` answers, or the answer to the same batch of the last 7 days.

    Raises BatchKeyReused and BatchInProgress; without an Idempotency-Key it just stores.
    """
    return once_of(endpoint, hashlib.sha256(body).hexdigest(), idempotency_key, store)


def once_of(
    endpoint: str, digest: str, idempotency_key: str | None, store: Callable[[], Answer]
) -> BatchResult:
    """Do the same as `once`, by the SHA-256 of a body that is no longer in memory."""
    if idempotency_key is None:
        return BatchResult(store())
    if (earlier := _earlier(endpoint, idempotency_key, digest)) is not None:
        return BatchResult(earlier, is_replay=True)
    answer = store()
    session().add(
        ReceivedBatch(
            key_id=current.key_id(),
            endpoint=endpoint,
            idempotency_key=idempotency_key,
            digest=digest,
            answer=answer,
            created_at=clock.now(),
        )
    )
    session().flush()
    return BatchResult(answer)


def delete_old() -> int:
    """Delete answers older than 7 days; return how many."""
    old = ReceivedBatch.created_at < clock.now() - RETENTION
    return int(session().execute(delete(ReceivedBatch).where(old)).rowcount)  # type: ignore[attr-defined]


def _earlier(endpoint: str, idempotency_key: str, digest: str) -> Answer | None:
    if not try_lock_tenant(f"{endpoint} {current.key_id()} {idempotency_key}"):
        raise BatchInProgress(
            "A batch with this Idempotency-Key is still in progress. Retry in a moment."
        )
    query = select(ReceivedBatch).where(
        ReceivedBatch.key_id == current.key_id(),
        ReceivedBatch.endpoint == endpoint,
        ReceivedBatch.idempotency_key == idempotency_key,
    )
    earlier = session().scalars(query).one_or_none()
    if earlier is None:
        return None
    if earlier.created_at < clock.now() - RETENTION:
        session().delete(earlier)
        session().flush()
        return None
    if earlier.digest != digest:
        raise BatchKeyReused(
            "This Idempotency-Key belongs to a different batch. Nothing was saved. Use a new key.",
            field="Idempotency-Key",
        )
    return earlier.answer
