"""Bulk actions: the effect on each selected item, and whether the preview is still current. Pure.

preview(items, wanted) → BulkPreview   what changes, what is so already, what can't change and why
overtaken(items, seen)                 the items that changed since they were previewed
confirmation(seen, wanted)             names one press of the button: pressed twice, it is the same
"""

import hashlib
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

MAX_ITEMS = 200  # Per bulk action: more than a page of any list shows.
FINGERPRINT_LENGTH = 16  # Hex characters, 64 bits: against an unnoticed change, not an attacker.
type Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class BulkItem:
    """A selected row: the fields that the action can change, and why it can't change this one."""

    id: UUID
    ref: str
    title: str
    href: str
    now: Values
    blocked: str | None = None

    @property
    def fingerprint(self) -> str:
        """The 16 hex characters that differ once a field in `now` differs.

        They also differ once `blocked`, which says why the action is blocked, differs.
        """
        return _digest([self.now, self.blocked])


@dataclass(frozen=True, slots=True)
class BulkColumn:
    """A field that an action can change; `describe` gives the text of each of its values."""

    field: str
    label: str
    describe: Callable[[Collection[Any]], Mapping[Any, str]]


@dataclass(frozen=True, slots=True)
class BulkChange:
    """One item and the values that the action gives it: every field of `now`, changed or not."""

    item: BulkItem
    after: Values


@dataclass(frozen=True, slots=True)
class BulkPreview:
    changes: tuple[BulkChange, ...] = ()
    unchanged: tuple[BulkItem, ...] = ()
    blocked: tuple[BulkItem, ...] = ()

    @property
    def items(self) -> tuple[BulkItem, ...]:
        return (*(each.item for each in self.changes), *self.unchanged, *self.blocked)

    @property
    def seen(self) -> dict[UUID, str]:
        """The item id → fingerprint that the confirming form sends."""
        return {item.id: item.fingerprint for item in self.items}


def preview(items: Sequence[BulkItem], new_values: Callable[[BulkItem], Values]) -> BulkPreview:
    """Return what the action would do.

    `new_values` returns the fields that the action sets on one item, with their values.
    """
    changes = [BulkChange(item, {**item.now, **new_values(item)}) for item in items]
    differing = [change for change in changes if change.after != change.item.now]
    return BulkPreview(
        changes=tuple(change for change in differing if change.item.blocked is None),
        unchanged=tuple(change.item for change in changes if change.after == change.item.now),
        blocked=tuple(change.item for change in differing if change.item.blocked is not None),
    )


def overtaken(items: Collection[BulkItem], seen: Mapping[UUID, str]) -> tuple[BulkItem, ...]:
    return tuple(item for item in items if seen.get(item.id) != item.fingerprint)


def confirmation(seen: Mapping[UUID, str], new_values: object) -> str:
    return _digest(
        [sorted((str(item_id), fingerprint) for item_id, fingerprint in seen.items()), new_values]
    )


def _digest(what: object) -> str:
    text = json.dumps(what, default=str, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:FINGERPRINT_LENGTH]
