"""Everything that a page shows of one entry."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from flask import g, request

from governance.foundation.audit import personal_field_encryption
from governance.foundation.audit.models import AuditEntry
from governance.foundation.audit.record import SYSTEM
from governance.foundation.audit.registry import registry
from governance.foundation.logbook import entry_links, queries
from governance.foundation.logbook.presentation import (
    actor_label,
    called_by_auditors,
    fact_label,
    fact_text,
    outcome_label,
)
from governance.foundation.logbook.proof_view import prove
from governance.foundation.logbook.queries import NumberedEntry
from governance.foundation.privacy import queries as privacy
from governance.kernel import formatting


class ShownFact(NamedTuple):
    """A recorded fact. `key` is the machine's value where `value` is a label for it."""

    name: str
    label: str
    value: str | None
    key: str = ""


class EncryptedField(NamedTuple):
    """A personal field. `text` is set while its person is unmasked for the reader."""

    label: str
    text: str | None
    is_readable: bool


def details(row: NumberedEntry) -> dict[str, Any]:
    """Return what the page and the panel of one entry need."""
    entry, proof = row.entry, prove(row)
    g.also_read = [str(entry.id)] if request.endpoint == "logbook.index" else []
    action = registry.get(entry.action)
    subjects = {entry.actor, *(each["subject"] for each in _encrypted(entry).values())}
    names = privacy.unmasked(subjects)
    near = queries.neighbours(row.index) if row.index is not None else {}
    return {
        "entry": entry,
        "index": row.index,
        "number": None if row.index is None else formatting.thousands(row.index + 1),
        "local": entry.at.astimezone(formatting.zone()),
        "utc": f"{entry.at:%Y-%m-%d %H:%M:%S.%f} UTC",
        "who": actor_label(entry.actor, entry.actor_kind, called_by_auditors({entry.actor})),
        "says": action.says if action else "",
        "name": names.get(entry.actor),
        "unmask": unmask_address(entry.actor, entry.actor_kind),
        "target": queries.target_labels([entry])[entry.id],
        "target_noun": entry_links.noun(entry.target_type),
        "target_href": entry_links.address(entry.target_type, entry.target_id),
        "sealed": list(_opened(entry, names)),
        "facts": [_fact(name, value) for name, value in sorted(entry.facts.items())],
        "changes": [
            (fact_label(name), fact_text(name, old), fact_text(name, new))
            for name, (old, new) in _changed_fields(entry)
        ],
        "newer": near.get((row.index or 0) + 1),
        "older": near.get((row.index or 0) - 1),
        "proof": proof,
        "outcome": outcome_label(entry.outcome),
    }


def unmask_address(pseudonym: str, kind: str) -> str | None:
    """Return where to request the name behind a pseudonym; Meridian's own work has none."""
    if kind not in {"person", "operator"} or pseudonym == SYSTEM:
        return None
    return entry_links.address_if_allowed("privacy.ask_unmask", subject=pseudonym)


def _fact(name: str, value: Any) -> ShownFact:
    if name == "page" and isinstance(value, str):
        return ShownFact(name, fact_label(name), entry_links.page_label(value), value)
    return ShownFact(name, fact_label(name), fact_text(name, value))


def _encrypted(entry: AuditEntry) -> dict[str, dict[str, str]]:
    return {
        name: field
        for name, field in sorted(entry.sealed.items())
        if isinstance(field, dict) and "subject" in field
    }


def _opened(entry: AuditEntry, names: Mapping[str, str]) -> Iterator[EncryptedField]:
    for name, field in _encrypted(entry).items():
        is_open = field["subject"] in names
        text = personal_field_encryption.unseal(name, field) if is_open else None
        yield EncryptedField(fact_label(name), text, not is_open or text is not None)


def _changed_fields(entry: AuditEntry) -> Iterator[tuple[str, list[Any]]]:
    """Yield each changed field with its old and new value."""
    for name, pair in sorted(entry.changes.items()):
        if isinstance(pair, list) and len(pair) == 2:  # noqa: PLR2004 - before, after
            yield name, pair
