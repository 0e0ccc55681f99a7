"""Rules about rows that every writer must follow: pages, keys, commands and jobs alike.

A manifest calls `guard(models, check)`; before a flush that adds, changes or deletes a row of these
models, `check(work)` runs with the session and raises to reject it.
"""

from collections.abc import Callable
from typing import Any

from sqlalchemy import event
from sqlalchemy.orm import Session

from governance.kernel.data.db import Model

type Check = Callable[[Session], None]

_guards: list[tuple[tuple[type[Model], ...], Check]] = []


def guard(models: tuple[type[Model], ...], check: Check) -> None:
    """Call `check` before each flush that touches one of these models. Idempotent."""
    if (models, check) not in _guards:
        _guards.append((models, check))


@event.listens_for(Session, "before_flush")
def _ask(work: Session, _context: Any, _instances: Any) -> None:
    for models, check in _guards:
        if _touches(work, models):
            check(work)


def _touches(work: Session, models: tuple[type[Model], ...]) -> bool:
    added_or_gone = any(isinstance(row, models) for row in (*work.new, *work.deleted))
    return added_or_gone or any(
        isinstance(row, models) and work.is_modified(row) for row in work.dirty
    )
