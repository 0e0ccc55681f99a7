"""While an engagement that asks for it is open, the tenant's evidence and controls stay as they are.

Asked where rows are written, so that pages, keys and commands meet the same refusal. What the console collects by
itself goes on, and auditors still write down what they tested.
"""

from typing import Any

from sqlalchemy import event
from sqlalchemy.orm import Session

from governance.controls.models import Control, ControlMapping, ControlTest
from governance.engagements import queries
from governance.evidence.models import Evidence, EvidenceLink, EvidenceReview, EvidenceVersion
from governance.kernel import clock, current
from governance.kernel.errors import DomainError
from governance.kernel.words import long_day

KEPT = (Control, ControlMapping, ControlTest, Evidence, EvidenceLink, EvidenceReview, EvidenceVersion)


class KeptStill(DomainError):
    """The tenant wants nothing changed while the auditors look."""


def keep_still(work: Session, _context: Any, _instances: Any) -> None:
    who = current.actor_or_none()
    if who is None or who.kind == "job" or who.role == "auditor" or not _touches(work):
        return
    held = queries.keeping_still(clock.now())
    if held is not None:
        raise KeptStill(
            f"Evidence and controls are read-only until the end of {long_day(held.fieldwork_to)}: {held.firm} is at work on {held.ref}. "
            "Requests are answered with the versions that are there."
        )


def watch() -> None:
    """From now on every flush of this process is asked."""
    if not event.contains(Session, "before_flush", keep_still):
        event.listen(Session, "before_flush", keep_still)


def _touches(work: Session) -> bool:
    added_or_gone = any(isinstance(row, KEPT) for row in (*work.new, *work.deleted))
    return added_or_gone or any(isinstance(row, KEPT) and work.is_modified(row) for row in work.dirty)
