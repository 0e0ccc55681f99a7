"""While an engagement that asks for it is open, the tenant's evidence and controls stay as they are; and no file that
auditors were given is destroyed before their engagement is over.

Asked where rows are written, so that pages, keys and commands meet the same refusal. What the console itself files goes
on, whoever pressed the button (assurance/evidence/deletion_guard.py), and auditors still write down what they tested.
"""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import event
from sqlalchemy.orm import Session

from governance.assurance.controls.models import Control, ControlMapping, ControlTest
from governance.assurance.engagements import queries
from governance.assurance.engagements.models import Engagement
from governance.assurance.evidence import deletion_guard
from governance.assurance.evidence.models import Evidence, EvidenceDestruction, EvidenceLink, EvidenceReview, EvidenceVersion
from governance.kernel import clock, current
from governance.kernel.errors import DomainError
from governance.kernel.formatting import long_day

NONE = "no engagement keeps still"
KEPT = (Control, ControlMapping, ControlTest, Evidence, EvidenceDestruction, EvidenceLink, EvidenceReview, EvidenceVersion)


class KeptStill(DomainError):
    """The tenant wants nothing changed while the auditors look."""


def keep_still(work: Session, _context: Any, _instances: Any) -> None:
    who = current.actor_or_none()
    if who is None or who.kind == "job" or who.role == "auditor" or deletion_guard.is_by_the_console() or not _touches(work):
        return
    if _nobody_asks_for_it(work):
        return
    held = queries.keeping_still(clock.now())
    if held is not None:
        raise KeptStill(f"{_read_only(held)} Requests are answered with the versions that are there.")


def _nobody_asks_for_it(work: Session) -> bool:
    """Whether no engagement of the tenant asks for it at all: found once a transaction, and anew once engagements are written."""
    if any(isinstance(row, Engagement) for row in (*work.new, *work.dirty)):
        work.info.pop(NONE, None)
    elif NONE not in work.info:
        work.info[NONE] = not queries.may_keep_still()
    return bool(work.info.get(NONE))


def keep_files(versions: Collection[UUID]) -> dict[UUID, str]:
    """Why the files of these versions stay: evidence is read-only now, or auditors were given them."""
    now = clock.now()
    if (held := queries.keeping_still(now)) is not None:
        return dict.fromkeys(versions, f"{_read_only(held)} Nothing is destroyed until then.")
    given = queries.provisions(versions, now)
    return {i: f"{each.firm} was given it in {each.ref}, which is not over. It stays until then." for i, each in given.items()}


def _read_only(held: Engagement) -> str:
    until = long_day(held.fieldwork_to)
    return f"Evidence and controls are read-only until the end of {until}: {held.firm} is at work on {held.ref}."


def watch() -> None:
    """From now on every flush of this process is asked, and whoever destroys a file."""
    deletion_guard.keep(keep_files)
    if not event.contains(Session, "before_flush", keep_still):
        event.listen(Session, "before_flush", keep_still)


def _touches(work: Session) -> bool:
    added_or_gone = any(isinstance(row, KEPT) for row in (*work.new, *work.deleted))
    return added_or_gone or any(isinstance(row, KEPT) and work.is_modified(row) for row in work.dirty)
