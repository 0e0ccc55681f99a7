"""While an engagement that asks for it is open, the tenant's evidence and controls stay as they
are; and no file that auditors were given is destroyed before their engagement is over.

Asked where rows are written (kernel/write_guards.py), so that pages, keys and commands meet the
same refusal. What the console itself files goes on, whoever pressed the button
(assurance/evidence/deletion_guard.py), and auditors still write down what they tested.
"""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy.orm import Session

from governance.assurance.controls.models import Control, ControlMapping, ControlTest
from governance.assurance.engagements import queries
from governance.assurance.engagements.models import Engagement
from governance.assurance.evidence import deletion_guard
from governance.assurance.evidence.models import (
    Evidence,
    EvidenceDeletion,
    EvidenceLink,
    EvidenceReview,
    EvidenceVersion,
)
from governance.kernel import clock, current
from governance.kernel.db import Model
from governance.kernel.errors import DomainError
from governance.kernel.formatting import long_day

NONE = "no engagement keeps still"
FROZEN: tuple[type[Model], ...] = (
    Control,
    ControlMapping,
    ControlTest,
    Evidence,
    EvidenceDeletion,
    EvidenceLink,
    EvidenceReview,
    EvidenceVersion,
)


class KeptStill(DomainError):
    """The tenant wants nothing changed while the auditors look."""


def check_not_frozen(work: Session) -> None:
    """Raise KeptStill when an engagement freezes evidence and controls now.

    Asked before rows of FROZEN are written.
    """
    who = current.actor_or_none()
    if (
        who is None
        or who.kind == "job"
        or who.role == "auditor"
        or deletion_guard.is_filed_by_meridian()
    ):
        return
    if _nobody_asks_for_it(work):
        return
    held = queries.keeping_still(clock.now())
    if held is not None:
        raise KeptStill(f"{_read_only(held)} You can respond to requests with existing versions.")


def _nobody_asks_for_it(work: Session) -> bool:
    """Whether no engagement of the tenant asks for it: read once per transaction, and again after
    engagements are written.
    """
    if any(isinstance(row, Engagement) for row in (*work.new, *work.dirty)):
        work.info.pop(NONE, None)
    elif NONE not in work.info:
        work.info[NONE] = not queries.may_keep_still()
    return bool(work.info.get(NONE))


def keep_files(versions: Collection[UUID]) -> dict[UUID, str]:
    """Why the files of these versions stay: evidence is read-only now, or auditors were given
    them.
    """
    now = clock.now()
    if (held := queries.keeping_still(now)) is not None:
        return dict.fromkeys(versions, f"{_read_only(held)} Nothing can be deleted until then.")
    given = queries.provisions(versions, now)
    return {
        i: f"It was provided to {each.firm} in {each.ref}. It can be deleted after {each.ref} ends."
        for i, each in given.items()
    }


def _read_only(held: Engagement) -> str:
    until = long_day(held.fieldwork_to)
    return (
        f"Evidence and controls are read-only until the end of {until}, during the fieldwork of"
        f" {held.ref} ({held.firm})."
    )
