"""A tenant's log: its origin, the head of its tree, and the keys that sign its checkpoints."""

from collections.abc import Sequence

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select

from governance.foundation.audit.models import LogHead, LogKey
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.kernel import clock, current, key_encryption, signed_note
from governance.kernel.db import session
from governance.kernel.errors import DomainError
from governance.kernel.installation import domain
from governance.kernel.signed_note import VerifierKey

KEY_MADE = action(
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
    """By what name a log is known: `<domain of the installation>/audit/<tenant>`."""
    return f"{domain()}/audit/{slug}"


def open_log() -> LogHead:
    """The acting tenant's log, locked; opened with its first key when there is none yet."""
    head = _head()
    if head is None:
        name = origin(current.actor().tenant_slug)
        head = LogHead(origin=name, signed_at=None, trouble=None)
        session().add(head)
        session().flush()
        make_key(name)
    return head


def _head() -> LogHead | None:
    return session().scalars(select(LogHead).with_for_update()).one_or_none()


def make_key(name: str) -> LogKey:
    """A new signing key of that name.

    The one before it retires, and what it signed stays verifiable.
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
        KEY_MADE, key, name=name, key_id=key_id(key), replaces=key_id(before) if before else None
    )
    return key


def rotate_key() -> LogKey:
    """Sign with a new key from the next checkpoint on."""
    return make_key(open_log().origin)


def halt(*, anchor: str, size: int, sentence: str) -> None:
    """A place outside holds more, or another history, than we have: sign nothing until an operator
    has looked.

    Entries are still written and wait. `size` is how many entries that place has seen.
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


def take_up_again(*, reason: str | None = None) -> LogHead:
    """After a restore has taken entries away that a witness has seen: go on under a new origin,
    which the log says.

    The same origin may never sign a second history (C2SP tlog-checkpoint), so the one that was is
    closed.
    """
    head = open_log()
    if head.trouble is None:
        raise DomainError("Nothing is wrong with this log, so there is nothing to take up.")
    lost, previous = dict(head.trouble), head.origin
    stem, _, count = previous.partition("/restored-")
    head.origin = f"{stem}/restored-{int(count or 0) + 1}"
    head.trouble = None
    make_key(head.origin)
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
    """The key that signs now."""
    query = (
        select(LogKey)
        .where(LogKey.retired_at.is_(None))
        .order_by(LogKey.created_at.desc(), LogKey.id.desc())
    )
    return session().scalars(query.limit(1)).one_or_none()


def all_keys() -> Sequence[LogKey]:
    """All of them: the one that signs now, then the retired ones, the last first."""
    query = select(LogKey).order_by(
        LogKey.retired_at.desc().nulls_first(), LogKey.created_at.desc(), LogKey.id.desc()
    )
    return session().scalars(query).all()


def private_key(key: LogKey) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(key_encryption.unwrap(key.wrapped, SIGNING))


def verifier(key: LogKey) -> VerifierKey:
    """Its public half, as a verifier takes it."""
    return VerifierKey(key.name, key.public)


def key_id(key: LogKey) -> str:
    return verifier(key).key_id.hex()
