"""`record()`: write an entry in the transaction of the change that it records."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import Enum
from typing import Any
from uuid import UUID

import rfc8785

from governance.foundation.audit import personal_field_encryption
from governance.foundation.audit.models import AuditEntry
from governance.foundation.audit.registry import Action
from governance.kernel import clock, current
from governance.kernel.data.db import Model, connection
from governance.kernel.data.ids import uuid7
from governance.kernel.errors import Invalid

MAX_FIELD = 4000
MAX_ITEMS = 200
MAX_DEPTH = 4
MAX_BODY = 60_000  # Bytes. A bundle of the tree has entries of less than 64 KiB (C2SP tlog-tiles).
EXACT = 2**53 - 1  # The largest integer that RFC 8785 can write.
SYSTEM = "0" * 32


class UndeclaredField(TypeError):
    """The action's declaration does not name the field: a programming error."""


class UndeclaredTarget(TypeError):
    """The action's declaration does not name the target's class: a programming error.

    No link would lead to the target.
    """


@dataclass(slots=True)
class RecordedEntry:
    """A written entry, with the field names of AuditEntry."""

    tenant_id: UUID
    id: UUID
    at: datetime
    actor: str
    actor_kind: str
    action: str
    target_type: str
    target_id: UUID
    outcome: str
    request_id: str
    origin: str
    changes: dict[str, Any]
    facts: dict[str, Any]
    sealed: dict[str, Any]
    body: bytes = b""


def record(
    action: Action,
    target: Model,
    /,
    *,
    reason: str | None = None,
    about: UUID | None = None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    outcome: str = "done",
    **facts: Any,
) -> RecordedEntry:
    """Record an action on `target` in the current transaction.

    `before` and `after` are the changed fields; other keywords are plain facts. Personal fields are
    encrypted under the key of the person `about`, by default the actor. Raises UndeclaredField or
    UndeclaredTarget for what the action doesn't declare, UndeclaredTarget for a former action, and
    Invalid for more than MAX_BODY bytes.
    """
    kind = type(target).__name__
    if action.is_former:
        raise UndeclaredTarget(f"{action.name} is an action of earlier versions")
    if action.targets and kind not in action.targets:
        raise UndeclaredTarget(
            f"{action.name} is recorded on {' or '.join(sorted(action.targets))}, not on {kind}"
        )
    # Flush first: the target may be new, and its constraints must fail before its entry exists.
    database = connection()
    who = current.actor()
    known = who.person_id or who.key_id
    actor = personal_field_encryption.pseudonym(known) if known else SYSTEM
    changes = {
        name: [(before or {}).get(name), value]
        for name, value in (after or {}).items()
        if (before or {}).get(name) != value
    }
    given = {name: value for name, value in facts.items() if value is not None}
    if reason:
        given["reason"] = reason
    _check_declared(action, changes.keys() | given.keys())
    subject = personal_field_encryption.pseudonym(about) if about else actor
    entry = RecordedEntry(
        tenant_id=who.tenant_id,
        id=uuid7(),
        at=clock.now(),
        actor=actor,
        actor_kind=who.kind,
        action=action.name,
        target_type=kind,
        target_id=target.id,
        outcome=outcome,
        request_id=current.origin().request_id,
        origin=current.origin().network,
        changes={
            n: [_recorded(action, n, v) for v in pair]
            for n, pair in changes.items()
            if n not in action.personal
        },
        facts={n: _recorded(action, n, v) for n, v in given.items() if n not in action.personal},
        sealed=_encrypted(action, subject, changes, given),
    )
    row = _row(entry)
    if len(entry.body) > MAX_BODY:
        raise Invalid(
            f"These details are too long to record: {len(entry.body):,} bytes, and the limit"
            f" is {MAX_BODY:,} bytes. Shorten them and try again."
        )
    database.exec_driver_sql(WRITE, row)
    return entry


# Values go to the driver as text: the unit of work would cost three times the statement.
WRITE = (
    "INSERT INTO audit_entries (tenant_id, id, at, actor, actor_kind, action, target_type,"
    " target_id, outcome, request_id, origin, changes, facts, sealed, body, created_at) VALUES (%s,"
    " %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
)


def _row(entry: RecordedEntry) -> tuple[str | bytes, ...]:
    """Return the values of WRITE, and set the entry's body, which is made of the same texts."""
    e = entry
    tenant, key, target = str(e.tenant_id), str(e.id), str(e.target_id)
    at, changes, facts, sealed = _instant(e.at), _json(e.changes), _json(e.facts), _json(e.sealed)
    # For entries (no floats, no integer past 2**53) the standard library's encoder writes the bytes
    # of `canonical`, but sorts by code points where RFC 8785 sorts by UTF-16 units. Below the
    # surrogates both orders agree; text above them is encoded by `canonical` itself.
    text = (
        f'{{"action":{_quoted(e.action)},"actor":{_quoted(e.actor)}'
        f',"actor_kind":{_quoted(e.actor_kind)},"at":"{at}","changes":{changes}'
        f',"facts":{facts},"id":"{key}","origin":{_quoted(e.origin)}'
        f',"outcome":{_quoted(e.outcome)},"request_id":{_quoted(e.request_id)},"sealed":{sealed}'
        f',"target":[{_quoted(e.target_type)},"{target}"],"tenant":"{tenant}"}}'
    )
    e.body = text.encode() if text.isascii() or max(text) < "\ud800" else canonical(e)
    return (
        tenant,
        key,
        at,
        e.actor,
        e.actor_kind,
        e.action,
        e.target_type,
        target,
        e.outcome,
        e.request_id,
        e.origin,
        changes,
        facts,
        sealed,
        e.body,
        at,
    )


_encoded = json.JSONEncoder(
    ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
).encode
_quoted = json.encoder.encode_basestring


def _json(value: dict[str, Any]) -> str:
    return _encoded(value) if value else "{}"


def _instant(at: datetime) -> str:
    return (at if at.tzinfo is UTC else at.astimezone(UTC)).isoformat()


def canonical(entry: AuditEntry | RecordedEntry) -> bytes:
    """Return the bytes that the log's tree hashes: RFC 8785 JSON of the entry, with ciphertext."""
    return rfc8785.dumps(_shown(entry))


def _shown(entry: AuditEntry | RecordedEntry) -> dict[str, Any]:
    return {
        "id": str(entry.id),
        "tenant": str(entry.tenant_id),
        "at": _instant(entry.at),
        "actor": entry.actor,
        "actor_kind": entry.actor_kind,
        "action": entry.action,
        "target": [entry.target_type, str(entry.target_id)],
        "outcome": entry.outcome,
        "request_id": entry.request_id,
        "origin": entry.origin,
        "changes": entry.changes,
        "facts": entry.facts,
        "sealed": entry.sealed,
    }


def _check_declared(action: Action, names: set[str]) -> None:
    if unknown := names - action.fields - action.personal:
        raise UndeclaredField(f"{action.name} does not declare {', '.join(sorted(unknown))}")


def _encrypted(
    action: Action, subject: str, changes: Mapping[str, Any], given: Mapping[str, Any]
) -> dict[str, Any]:
    personal = {
        n: f"{_plain(old)} → {_plain(new)}"
        for n, (old, new) in changes.items()
        if n in action.personal
    }
    personal |= {n: str(_plain(v)) for n, v in given.items() if n in action.personal}
    return {
        name: personal_field_encryption.seal(subject, name, text[:MAX_FIELD])
        for name, text in personal.items()
    }


def _recorded(action: Action, name: str, value: Any) -> Any:
    """Return the value to record unencrypted; people are recorded by their pseudonym."""
    return (
        personal_field_encryption.pseudonym(value)
        if name in action.persons and isinstance(value, UUID)
        else _plain(value)
    )


def _plain(value: Any, depth: int = 0) -> Any:
    """Return JSON that RFC 8785 can write and PostgreSQL can store, short enough for a log."""
    if isinstance(value, Enum):
        return _plain(value.value, depth)
    if value is None or isinstance(value, bool) or (isinstance(value, int) and abs(value) <= EXACT):
        return value
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, set | frozenset):
        value = sorted(value, key=str)
    if isinstance(value, list | tuple) and depth < MAX_DEPTH:
        return [_plain(v, depth + 1) for v in value[:MAX_ITEMS]]
    if isinstance(value, Mapping) and depth < MAX_DEPTH:
        return {_text(k): _plain(v, depth + 1) for k, v in list(value.items())[:MAX_ITEMS]}
    return _text(value)


def _text(value: Any) -> str:
    """Replace lone surrogates, which have no UTF-8, and NUL, which JSONB can't store."""
    short = str(value)[:MAX_FIELD].replace("\0", "\N{REPLACEMENT CHARACTER}")
    return short if short.isascii() else short.encode("utf-8", "replace").decode()
