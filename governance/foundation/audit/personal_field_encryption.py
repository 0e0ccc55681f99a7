"""Pseudonyms and sealed fields: envelope keys from the data subject up to the installation.

A tenant's keys are made with it and stay, so a process remembers them for some minutes. A data
subject's keys are looked up once per transaction or savepoint and never outlive it: erasing takes
effect at once, and a key made where the work is then rolled back must not seal anything that
commits.
"""

import base64
import contextlib
import hashlib
import hmac
from collections import ChainMap
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID
from weakref import WeakKeyDictionary

from cryptography.exceptions import InvalidTag
from sqlalchemy import case, delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import SessionTransaction

from governance.foundation.audit.models import DataKey, TenantKey
from governance.kernel import clock, current, key_encryption
from governance.kernel.db import is_open, session, transaction

PURPOSES = ("pseudonym", "seal")
REMEMBER = timedelta(minutes=5)
MOST = 10_000  # tenants whose keys a process remembers
LEGACY = "2026-11"  # what was sealed before keys had a month ended here


def pseudonym(person_id: UUID) -> str:
    """HMAC-SHA-256 under a key of the tenant, 128 bits in hex: stable inside it, unlinkable across
    tenants.
    """
    return hmac.new(
        _tenant_key("pseudonym"), b"actor\0" + person_id.bytes, hashlib.sha256
    ).hexdigest()[:32]


def seal(subject: str, field: str, text: str) -> dict[str, str]:
    """Encrypt one personal field under this month's key of its data subject (a pseudonym)."""
    context = _context(subject, field)
    month = f"{clock.now():%Y-%m}"
    sealed = key_encryption.encrypt(_data_key(subject, month, make=True), text.encode(), context)
    return {"subject": subject, "period": month, "cipher": base64.b64encode(sealed).decode()}


def unseal(field: str, sealed: dict[str, str]) -> str | None:
    """The text, or None where the data subject was erased or the month was shredded."""
    key = _data_key(sealed["subject"], sealed.get("period", ""), make=False)
    if not key:
        return None
    try:
        context = _context(sealed["subject"], field)
        return key_encryption.decrypt(key, base64.b64decode(sealed["cipher"]), context).decode()
    except InvalidTag:
        return None


def has_keys(subject: str) -> bool:
    """Whether anything that was sealed about this data subject can still be read."""
    return (
        session().scalar(select(DataKey.id).where(DataKey.subject == subject).limit(1)) is not None
    )


def destroy(subjects: Collection[str]) -> int:
    """Destroy every key of these data subjects: what was sealed about them is erased.

    How many there were.
    """
    gone = session().execute(
        delete(DataKey)
        .where(DataKey.subject.in_(subjects))
        .returning(DataKey.subject, DataKey.period)
    )
    return _forget([(row.subject, row.period) for row in gone])


def shred(before: str, keep: Collection[str]) -> int:
    """Destroy the keys of every month before this one ("2026-11"), except those of the subjects to
    keep. How many.
    """
    month = case((DataKey.period == "", LEGACY), else_=DataKey.period)
    query = delete(DataKey).where(month < before, DataKey.subject.not_in(keep))
    gone = session().execute(query.returning(DataKey.subject, DataKey.period))
    return _forget([(row.subject, row.period) for row in gone])


def _forget(gone: list[tuple[str, str]]) -> int:
    """The transaction may hold them in memory."""
    for level in session().info.get("keys", {}).values():
        for subject, period in gone:
            level.pop(f"subject {subject} {period}", None)
    return len(gone)


def make_tenant_keys() -> None:
    """Give the acting tenant its keys, once, when it is created."""
    tenant_id = current.actor().tenant_id
    for purpose in PURPOSES:
        session().add(
            TenantKey(
                purpose=purpose,
                wrapped=key_encryption.wrap(
                    key_encryption.new_key(), _tenant_context(tenant_id, purpose)
                ),
            )
        )
    session().flush()


def _tenant_context(tenant_id: UUID, purpose: str) -> bytes:
    return b"tenant-key\0" + tenant_id.bytes + purpose.encode()


key_encryption.holds(TenantKey, "wrapped", lambda row: _tenant_context(row.tenant_id, row.purpose))


def _context(subject: str, field: str) -> bytes:
    return b"sealed\0" + current.actor().tenant_id.bytes + f"{subject}\0{field}".encode()


def _keys() -> ChainMap[str, bytes]:
    """What is known here: what the enclosing transactions know, and new keys in the innermost
    one.
    """
    known: WeakKeyDictionary[SessionTransaction, dict[str, bytes]] = session().info.setdefault(
        "keys", WeakKeyDictionary()
    )
    return ChainMap(*(known.setdefault(level, {}) for level in _levels()))


def _levels() -> Iterator[SessionTransaction]:
    """The innermost savepoint, and outwards to the transaction."""
    level = session().get_nested_transaction() or session().get_transaction()
    while level is not None:
        yield level
        level = level.parent


@dataclass(frozen=True, slots=True)
class Remembered:
    until: datetime
    keys: dict[str, bytes]


_tenants: dict[UUID, Remembered] = {}


def object_key(tenant_id: UUID) -> bytes:
    """What the acting tenant's stored objects are sealed under; opens a transaction of its own
    where none is open and the key is not remembered: a package of 5,000 files asks 5,000 times.
    """
    if tenant_id != current.actor().tenant_id:
        raise RuntimeError("an object of another tenant")
    held = _remembered(tenant_id)
    if held is None:
        with contextlib.nullcontext() if is_open() else transaction(read_only=True):
            held = _read(tenant_id)
    return hmac.new(held.keys["seal"], b"objects\0" + tenant_id.bytes, hashlib.sha256).digest()


def _tenant_key(purpose: str) -> bytes:
    tenant_id = current.actor().tenant_id
    return (_remembered(tenant_id) or _read(tenant_id)).keys[purpose]


def _remembered(tenant_id: UUID) -> Remembered | None:
    held, now = _tenants.get(tenant_id), clock.now()
    return held if held is not None and now <= held.until <= now + REMEMBER else None


def _read(tenant_id: UUID) -> Remembered:
    rows = session().scalars(select(TenantKey))
    keys = {
        r.purpose: key_encryption.unwrap(r.wrapped, _tenant_context(tenant_id, r.purpose))
        for r in rows
    }
    held = Remembered(clock.now() + REMEMBER, keys)
    if len(_tenants) >= MOST:
        _tenants.clear()
    if held.keys:
        _tenants[tenant_id] = held
    return held


def _data_key(subject: str, period: str, *, make: bool) -> bytes:
    keys, name = _keys(), f"subject {subject} {period}"
    if name not in keys:
        wrapped = _wrapped(subject, period) or (_make_data_key(subject, period) if make else None)
        if wrapped is None:
            return b""
        keys[name] = key_encryption.decrypt(
            _tenant_key("seal"), wrapped, _data_context(subject, period)
        )
    return keys[name]


def _data_context(subject: str, period: str) -> bytes:
    return b"data-key\0" + subject.encode() + (b"\0" + period.encode() if period else b"")


def _wrapped(subject: str, period: str) -> bytes | None:
    return session().scalar(
        select(DataKey.wrapped).where(DataKey.subject == subject, DataKey.period == period)
    )


def _make_data_key(subject: str, period: str) -> bytes | None:
    """Two requests of one person may both be his first: the second waits, and takes the first one's
    key.
    """
    wrapped = key_encryption.encrypt(
        _tenant_key("seal"), key_encryption.new_key(), _data_context(subject, period)
    )
    session().execute(
        insert(DataKey)
        .values(subject=subject, period=period, wrapped=wrapped)
        .on_conflict_do_nothing()
    )
    return _wrapped(subject, period)
