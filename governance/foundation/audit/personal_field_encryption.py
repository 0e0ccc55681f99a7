"""Pseudonyms and encrypted fields: envelope keys from the data subject up to the installation.

A tenant's keys are created with it and don't change, so a process caches them for some minutes. A
data subject's keys are read once per transaction or savepoint and never outlive it: erasure takes
effect immediately, and a key created in work that is rolled back can't encrypt anything that
commits.
"""

import base64
import contextlib
import hashlib
import hmac
from collections import ChainMap
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID
from weakref import WeakKeyDictionary

from cryptography.exceptions import InvalidTag
from sqlalchemy import case, delete, select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import SessionTransaction

from governance.foundation.audit.models import DataKey, TenantKey
from governance.kernel import clock, current
from governance.kernel.data.db import info, is_open, session, transaction
from governance.kernel.safety import key_encryption

PURPOSES = ("pseudonym", "seal")
CACHE_LIFETIME = timedelta(minutes=5)
MAX_CACHED_TENANTS = 10_000
MAX_CACHED_PSEUDONYMS = 64  # Per tenant: the people who act in the same minutes.
WRAPPED = "wrapped data keys"  # The key in the info of a transaction that may only read.
LEGACY = "2026-11"  # The month of what was encrypted before keys had a month.


def pseudonym(person_id: UUID) -> str:
    """Return a person's pseudonym: stable inside the tenant, unlinkable across tenants.

    It is HMAC-SHA-256 under a key of the tenant, 128 bits in hex.
    """
    tenant = _tenant()
    known = tenant.pseudonyms.get(person_id)
    if known is None:
        digest = hmac.digest(tenant.keys["pseudonym"], b"actor\0" + person_id.bytes, "sha256")
        known = digest.hex()[:32]
        if len(tenant.pseudonyms) >= MAX_CACHED_PSEUDONYMS:
            tenant.pseudonyms.clear()
        tenant.pseudonyms[person_id] = known
    return known


def seal(subject: str, field: str, text: str) -> dict[str, str]:
    """Encrypt one personal field under this month's key of its data subject (a pseudonym)."""
    context = _context(subject, field)
    month = f"{clock.now():%Y-%m}"
    sealed = key_encryption.encrypt(_data_key(subject, month, make=True), text.encode(), context)
    return {"subject": subject, "period": month, "cipher": base64.b64encode(sealed).decode()}


def read_keys(sealed: Iterable[Mapping[str, str]]) -> None:
    """Read the keys of these fields by one statement, before each is unsealed."""
    keys = _keys()
    names = {(each["subject"], each.get("period", "")) for each in sealed}
    kept = info().get(WRAPPED, {})
    missing = [each for each in names if _key_name(*each) not in keys.keys() | kept.keys()]
    if len(missing) <= 1:  # `unseal` reads it
        return
    query = select(DataKey.subject, DataKey.period, DataKey.wrapped).where(
        tuple_(DataKey.subject, DataKey.period).in_(missing)
    )
    for subject, period, wrapped in session().execute(query):
        keys[_key_name(subject, period)] = key_encryption.decrypt(
            _tenant_key("seal"), wrapped, _data_context(subject, period)
        )


def keep_wrapped(rows: Iterable[DataKey]) -> None:
    """Keep keys that a statement has read with the entries, for `unseal` in this transaction."""
    kept = info().setdefault(WRAPPED, {})
    kept |= {_key_name(row.subject, row.period): row.wrapped for row in rows}


def unseal(field: str, sealed: dict[str, str]) -> str | None:
    """Return the text, or None where the data subject was erased or the month's key destroyed."""
    key = _data_key(sealed["subject"], sealed.get("period", ""), make=False)
    if not key:
        return None
    try:
        context = _context(sealed["subject"], field)
        return key_encryption.decrypt(key, base64.b64decode(sealed["cipher"]), context).decode()
    except InvalidTag:
        return None


def has_keys(subject: str) -> bool:
    """Return whether anything encrypted about this data subject can still be read."""
    return (
        session().scalar(select(DataKey.id).where(DataKey.subject == subject).limit(1)) is not None
    )


def destroy(subjects: Collection[str]) -> int:
    """Destroy every key of these data subjects, which erases what was encrypted about them.

    Returns how many keys there were.
    """
    gone = session().execute(
        delete(DataKey)
        .where(DataKey.subject.in_(subjects))
        .returning(DataKey.subject, DataKey.period)
    )
    return _forget([(row.subject, row.period) for row in gone])


def shred(before: str, keep: Collection[str]) -> int:
    """Destroy the keys of every month before this one ("2026-11"), except those of these subjects.

    Returns how many keys there were.
    """
    month = case((DataKey.period == "", LEGACY), else_=DataKey.period)
    query = delete(DataKey).where(month < before, DataKey.subject.not_in(keep))
    gone = session().execute(query.returning(DataKey.subject, DataKey.period))
    return _forget([(row.subject, row.period) for row in gone])


def _forget(gone: list[tuple[str, str]]) -> int:
    """Forget keys that the transaction may have in memory; return how many were destroyed."""
    for level in session().info.get("keys", {}).values():
        for subject, period in gone:
            level.pop(_key_name(subject, period), None)
    return len(gone)


def make_tenant_keys() -> None:
    """Create the acting tenant's keys, once, when the tenant is created."""
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
    """Return the keys of this and the enclosing transactions; new ones go to the innermost."""
    known: WeakKeyDictionary[SessionTransaction, dict[str, bytes]] = session().info.setdefault(
        "keys", WeakKeyDictionary()
    )
    return ChainMap(*(known.setdefault(level, {}) for level in _levels()))


def _levels() -> Iterator[SessionTransaction]:
    """Yield the innermost savepoint, then outwards to the transaction."""
    level = session().get_nested_transaction() or session().get_transaction()
    while level is not None:
        yield level
        level = level.parent


@dataclass(frozen=True, slots=True)
class CachedKeys:
    until: datetime
    keys: dict[str, bytes]
    # Cached by person: each entry needs its actor's, and OpenSSL takes longer for it than the rest.
    pseudonyms: dict[UUID, str] = field(default_factory=dict)


_cached: dict[UUID, CachedKeys] = {}


def object_key(tenant_id: UUID) -> bytes:
    """Return the key that encrypts the acting tenant's stored objects.

    Opens a transaction where none is open and the key is not cached: a package of 5,000 files needs
    it 5,000 times.
    """
    if tenant_id != current.actor().tenant_id:
        raise RuntimeError("an object of another tenant")
    tenant = _from_cache(tenant_id)
    if tenant is None:
        with contextlib.nullcontext() if is_open() else transaction(read_only=True):
            tenant = _read(tenant_id)
    return hmac.new(tenant.keys["seal"], b"objects\0" + tenant_id.bytes, hashlib.sha256).digest()


def _tenant_key(purpose: str) -> bytes:
    return _tenant().keys[purpose]


def _tenant() -> CachedKeys:
    tenant_id = current.actor().tenant_id
    return _from_cache(tenant_id) or _read(tenant_id)


def _from_cache(tenant_id: UUID) -> CachedKeys | None:
    cached, now = _cached.get(tenant_id), clock.now()
    return cached if cached is not None and now <= cached.until <= now + CACHE_LIFETIME else None


def _read(tenant_id: UUID) -> CachedKeys:
    rows = session().scalars(select(TenantKey))
    keys = {
        r.purpose: key_encryption.unwrap(r.wrapped, _tenant_context(tenant_id, r.purpose))
        for r in rows
    }
    fresh = CachedKeys(clock.now() + CACHE_LIFETIME, keys)
    if len(_cached) >= MAX_CACHED_TENANTS:
        _cached.clear()
    if fresh.keys:
        _cached[tenant_id] = fresh
    return fresh


def _data_key(subject: str, period: str, *, make: bool) -> bytes:
    keys, name = _keys(), _key_name(subject, period)
    if name not in keys:
        wrapped = _wrapped(subject, period) or (_make_data_key(subject, period) if make else None)
        if wrapped is None:
            return b""
        keys[name] = key_encryption.decrypt(
            _tenant_key("seal"), wrapped, _data_context(subject, period)
        )
    return keys[name]


def _key_name(subject: str, period: str) -> str:
    return f"subject {subject} {period}"


def _data_context(subject: str, period: str) -> bytes:
    return b"data-key\0" + subject.encode() + (b"\0" + period.encode() if period else b"")


def _wrapped(subject: str, period: str) -> bytes | None:
    kept: bytes | None = info().get(WRAPPED, {}).get(_key_name(subject, period))
    return kept or session().scalar(
        select(DataKey.wrapped).where(DataKey.subject == subject, DataKey.period == period)
    )


def _make_data_key(subject: str, period: str) -> bytes | None:
    """Create a subject's key, or wait for a concurrent request that creates it; return the key."""
    wrapped = key_encryption.encrypt(
        _tenant_key("seal"), key_encryption.new_key(), _data_context(subject, period)
    )
    session().execute(
        insert(DataKey)
        .values(subject=subject, period=period, wrapped=wrapped)
        .on_conflict_do_nothing()
    )
    return _wrapped(subject, period)
