"""`record()`: the deed and its entry in one transaction."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from enum import Enum
from typing import Any
from uuid import UUID

import rfc8785
from sqlalchemy import insert, inspect

from governance.audit import sealing
from governance.audit.models import AuditEntry
from governance.audit.registry import Action
from governance.kernel import clock, current
from governance.kernel.db import Model, session
from governance.kernel.errors import Invalid
from governance.kernel.ids import uuid7

MAX_FIELD = 4000
MAX_ITEMS = 200
MAX_DEPTH = 4
MAX_BODY = 60_000  # bytes; a bundle of the tree holds entries of less than 64 KiB (C2SP tlog-tiles)
EXACT = 2**53 - 1  # the largest integer that RFC 8785 can write
SYSTEM = "0" * 32


class UndeclaredField(TypeError):
    """The action's declaration does not name the field, so it is not written. A fault of ours, not a user's."""


def record(
    deed: Action,
    target: Model,
    *,
    because: str | None = None,
    about: UUID | None = None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    outcome: str = "done",
    **facts: Any,
) -> AuditEntry:
    """Write the entry of a deed on `target`, in the present transaction.

    `before` and `after` hold the fields that changed; other keywords are plain facts. Fields that the
    registry calls personal are sealed under the key of the person `about` (by default the actor).
    """
    session().flush()  # the target may be new, and its constraints are to fail before its entry exists
    who = current.actor()
    known = who.person_id or who.key_id
    actor = sealing.pseudonym(known) if known else SYSTEM
    changes = {
        name: [(before or {}).get(name), value] for name, value in (after or {}).items() if (before or {}).get(name) != value
    }
    given = {name: value for name, value in facts.items() if value is not None}
    if because:
        given["because"] = because
    _declared(deed, changes.keys() | given.keys())
    subject = sealing.pseudonym(about) if about else actor
    entry = AuditEntry(
        id=uuid7(), tenant_id=who.tenant_id, at=clock.now(), actor=actor, actor_kind=who.kind, action=deed.name,
        target_type=type(target).__name__, target_id=target.id, outcome=outcome,
        request_id=current.origin().request_id, origin=current.origin().network,
        changes={n: [_said(deed, n, v) for v in pair] for n, pair in changes.items() if n not in deed.personal},
        facts={n: _said(deed, n, v) for n, v in given.items() if n not in deed.personal},
        sealed=_sealed(deed, subject, changes, given),
    )  # fmt: skip
    entry.body = canonical(entry)
    if len(entry.body) > MAX_BODY:
        raise Invalid(f"{deed.name}: the details have {len(entry.body)} bytes, more than the {MAX_BODY} that the log takes.")
    values = {column: getattr(entry, column) for column in COLUMNS}
    session().connection().execute(WRITE, values | {"created_at": entry.at})
    return entry


# By Core: the unit of work would cost three times as much, and an entry is never changed.
COLUMNS = [column.name for column in inspect(AuditEntry).columns if column.name != "created_at"]
WRITE = insert(AuditEntry)


def canonical(entry: AuditEntry) -> bytes:
    """The bytes that the log's tree will hash: RFC 8785 JSON of the entry, ciphertext included."""
    return rfc8785.dumps({
        "id": str(entry.id), "tenant": str(entry.tenant_id), "at": entry.at.astimezone(UTC).isoformat(), "actor": entry.actor,
        "actor_kind": entry.actor_kind, "action": entry.action, "target": [entry.target_type, str(entry.target_id)],
        "outcome": entry.outcome, "request_id": entry.request_id, "origin": entry.origin,
        "changes": entry.changes, "facts": entry.facts, "sealed": entry.sealed,
    })  # fmt: skip


def _declared(deed: Action, names: set[str]) -> None:
    if unknown := names - deed.fields - deed.personal:
        raise UndeclaredField(f"{deed.name} does not declare {', '.join(sorted(unknown))}")


def _sealed(deed: Action, subject: str, changes: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    personal = {n: f"{_plain(old)} → {_plain(new)}" for n, (old, new) in changes.items() if n in deed.personal}
    personal |= {n: str(_plain(v)) for n, v in given.items() if n in deed.personal}
    return {name: sealing.seal(subject, name, text[:MAX_FIELD]) for name, text in personal.items()}


def _said(deed: Action, name: str, value: Any) -> Any:
    """What stands in the clear: of a person his pseudonym."""
    return sealing.pseudonym(value) if name in deed.persons and isinstance(value, UUID) else _plain(value)


def _plain(value: Any, depth: int = 0) -> Any:
    """JSON that RFC 8785 can write and PostgreSQL can keep, and short enough for a log."""
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
    """Lone surrogates have no UTF-8, and JSONB has no NUL."""
    return str(value)[:MAX_FIELD].replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode()
