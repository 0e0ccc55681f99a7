"""Change freeze: evidence and controls are read-only during the fieldwork of some engagements.

Files that were provided to auditors can't be deleted until their engagement ends.

The check runs where rows are written (kernel/data/write_guards.py), so pages, API keys and commands
get the same error. Collection by Meridian continues (evidence/deletion_guard.py), and auditors can
still record their tests.
"""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy.orm import Session

from governance.assurance.controls.models import Control, ControlMapping, ControlTest
from governance.assurance.engagements import queries, scope_queries
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
from governance.kernel.data.db import Model
from governance.kernel.errors import DomainError
from governance.kernel.formatting import long_day

NO_FREEZE = "no engagement makes evidence read-only"
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


class ChangesFrozen(DomainError):
    """An open engagement makes evidence and controls read-only."""


def check_not_frozen(work: Session) -> None:
    """Raise ChangesFrozen if an open engagement makes evidence and controls read-only.

    Jobs, auditors and Meridian's own uploads are exempt.
    """
    who = current.actor_or_none()
    if (
        who is None
        or who.kind == "job"
        or who.role == "auditor"
        or deletion_guard.is_filed_by_meridian()
    ):
        return
    if _is_never_frozen(work):
        return
    engagement = queries.read_only_engagement(clock.now())
    if engagement is not None:
        raise ChangesFrozen(
            f"{_read_only(engagement)} You can respond to requests with existing versions."
        )


def _is_never_frozen(work: Session) -> bool:
    """Check that no engagement of the tenant freezes changes. Cached until engagements change."""
    if any(isinstance(row, Engagement) for row in (*work.new, *work.dirty)):
        work.info.pop(NO_FREEZE, None)
    elif NO_FREEZE not in work.info:
        work.info[NO_FREEZE] = not queries.has_read_only_engagement()
    return bool(work.info.get(NO_FREEZE))


def reasons_to_keep(versions: Collection[UUID]) -> dict[UUID, str]:
    """Return why files of these versions can't be deleted now, by version id."""
    now = clock.now()
    if (engagement := queries.read_only_engagement(now)) is not None:
        return dict.fromkeys(
            versions, f"{_read_only(engagement)} Nothing can be deleted until then."
        )
    given = scope_queries.provisions(versions, now)
    return {
        i: f"It was provided to {each.firm} in {each.ref}. It can be deleted after {each.ref} ends."
        for i, each in given.items()
    }


def _read_only(engagement: Engagement) -> str:
    until = long_day(engagement.fieldwork_to)
    return (
        f"Evidence and controls are read-only until the end of {until}, during the fieldwork of"
        f" {engagement.ref} ({engagement.firm})."
    )
