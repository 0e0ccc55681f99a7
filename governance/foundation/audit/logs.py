"""A tenant's log: its origin, the head of its tree, and the keys that sign its checkpoints."""

from collections.abc import Sequence

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select

from governance.foundation.audit.models import LogHead, LogKey
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.kernel import clock, current
from governance.kernel.data.db import session
from governance.kernel.errors import DomainError
from governance.kernel.installation import domain
from governance.kernel.safety import key_encryption, signed_note
from governance.kernel.safety.signed_note import VerifierKey

KEY_CREATED = action(
    "audit.signing_key.created",
    "created an audit log signing key",
    target="LogKey",
    activity="create",
    severity="medium",
    fields="name key_id replaces",
)
HALTED = action(
    "audit.rollback.detected",
    "detected that the audit log was rolled back and stopped signing it",
    target="LogHead",
    activity="update",
    severity="critical",
    fields="anchor size have",
)
RESUMED = action(
    "audit.rollback.accepted",
    "accepted an audit log rollback and resumed signing",
    target="LogHead",
    activity="update",
    severity="high",
    fields="origin lost_from lost_to anchor previous",
)
SIGNING = b"audit-log-key"
key_encryption.holds(LogKey, "wrapped", lambda _row: SIGNING)


def origin(slug: str) -> str:
    """Return the public name of a log: `<domain of the installation>/audit/<tenant>`."""
    return f"{domain()}/audit/{slug}"


def open_log() -> LogHead:
    """Return the acting tenant's log, locked; create it with its first key if there is none."""
    head = _head()
    if head is None:
        name = origin(current.actor().tenant_slug)
        head = LogHead(origin=name, signed_at=None, trouble=None)
        session().add(head)
        session().flush()
        create_key(name)
    return head


def _head() -> LogHead | None:
    return session().scalars(select(LogHead).with_for_update()).one_or_none()


def create_key(name: str) -> LogKey:
    """Create a signing key of that name.

    The previous one is retired; its signatures stay verifiable.
    """
    before = signing_key()
    if before is not None:
        before.retired_at = clock.now()
    raw = signed_note.new_key()
    public = signed_note.public_half(Ed25519PrivateKey.from_private_bytes(raw))
    key = LogKey(
        name=name, public=public, wrapped=key_encryption.wrap(raw, SIGNING), retired_at=None
    )
    session().add(key)
    record(
        KEY_CREATED, key, name=name, key_id=key_id(key), replaces=key_id(before) if before else None
    )
    return key


def rotate_key() -> LogKey:
    """Sign with a new key from the next checkpoint on."""
    return create_key(open_log().origin)


def halt(*, anchor: str, size: int, sentence: str) -> None:
    """Stop signing: an external witness has more entries than this log, or a different history.

    Entries are still recorded and stay pending until an operator resumes the log. `size` is how
    many entries the witness has seen.
    """
    head = open_log()
    if head.trouble is not None:
        return
    head.trouble = {
        "anchor": anchor,
        "size": size,
        "have": head.size,
        "at": clock.now().isoformat(),
        "sentence": sentence,
    }
    record(HALTED, head, anchor=anchor, size=size, have=head.size)


def resume(*, reason: str | None = None) -> LogHead:
    """Resume a halted log under a new origin, and record which entries were lost.

    The same origin may never sign a second history (C2SP tlog-checkpoint), so the old one is closed
    for good. Raises DomainError for a log that is not halted.
    """
    head = open_log()
    if head.trouble is None:
        raise DomainError("This log is not halted, so there is nothing to resume.")
    lost, previous = dict(head.trouble), head.origin
    stem, _, count = previous.partition("/restored-")
    head.origin = f"{stem}/restored-{int(count or 0) + 1}"
    head.trouble = None
    create_key(head.origin)
    record(
        RESUMED,
        head,
        reason=reason,
        origin=head.origin,
        previous=previous,
        anchor=lost.get("anchor"),
        lost_from=head.size,
        lost_to=lost.get("size"),
    )
    return head


def signing_key() -> LogKey | None:
    """Return the key that signs now."""
    query = (
        select(LogKey)
        .where(LogKey.retired_at.is_(None))
        .order_by(LogKey.created_at.desc(), LogKey.id.desc())
    )
    return session().scalars(query.limit(1)).one_or_none()


def all_keys() -> Sequence[LogKey]:
    """Return the key that signs now, then the retired ones, latest first."""
    query = select(LogKey).order_by(
        LogKey.retired_at.desc().nulls_first(), LogKey.created_at.desc(), LogKey.id.desc()
    )
    return session().scalars(query).all()


def private_key(key: LogKey) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(key_encryption.unwrap(key.wrapped, SIGNING))


def verifier(key: LogKey) -> VerifierKey:
    """Return the key's public half, for verifiers."""
    return VerifierKey(key.name, key.public)


def key_id(key: LogKey) -> str:
    return verifier(key).key_id.hex()
