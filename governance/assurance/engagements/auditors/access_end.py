"""Handlers of AuditorAccessEnded: end the auditor's sessions and cancel their unfinished files.

Links and codes need no handler: each use checks the access window (sign_in.py), and so does each
chunk of a download (downloads/custody.py).
"""

from governance.assurance.engagements.events import AuditorAccessEnded
from governance.assurance.engagements.models import EvidencePackage
from governance.foundation.logbook.models import LogExport
from governance.foundation.people import queries as members
from governance.foundation.people import session_actions
from governance.kernel.work import background_work

MAX_WORK = 1000  # Unfinished packages, and unfinished exports, of one person.


def end_sessions(ended: AuditorAccessEnded) -> None:
    membership = members.membership_of(ended.person_id)
    if membership is not None:
        session_actions.end_member_sessions(membership, how=ended.how)


def cancel_downloads(ended: AuditorAccessEnded) -> None:
    """Cancel the auditor's unfinished packages and log exports."""
    for model in (EvidencePackage, LogExport):
        for row in background_work.under_way(
            model, model.requested_by == ended.person_id, limit=MAX_WORK
        ):
            background_work.cancel(background_work.run_of(row))
