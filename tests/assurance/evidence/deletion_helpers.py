"""Helpers that request, approve and carry out permanent deletions of evidence."""

from sqlalchemy import select

from governance.assurance.evidence import deletion_queries, jobs
from governance.assurance.evidence import queries as evidence_queries
from governance.assurance.evidence.models import EvidenceDeletion
from governance.foundation.approvals.queries import open_approval
from governance.kernel import current
from governance.kernel.data.db import session
from tests import make
from tests.foundation.approvals.approval_helpers import decide_approval


def storage_key_of(version_id):
    with make.acting(read_only=True):
        return evidence_queries.find_version(version_id)[0].storage_key


def deletion_request_id(version_id):
    with make.acting(read_only=True):
        return session().scalar(
            select(EvidenceDeletion.id).where(EvidenceDeletion.version_id == version_id)
        )


def deletion_approval_path(version_id):
    """Return the path of the open approval to delete this version."""
    with make.acting(read_only=True):
        found = deletion_queries.deletion_of(
            evidence_queries.find_version(version_id)[0], "requested"
        )
        return f"approvals/{open_approval(deletion_queries.DELETION, found.id).id}"


def request_deletion(visitor, v, reason="It names a customer who objected."):
    visitor.get(f"evidence/versions/{v}/deletion", then=None)
    visitor.post(f"evidence/versions/{v}/deletion", reason=reason)


def run_nightly_cleanup():
    """Run the nightly cleanup as the system actor."""
    with current.acting_as(make.system_actor("acme")):
        jobs.tidy()


def approve_deletion(visitor, v, then=303):
    return decide_approval(visitor, deletion_approval_path(v), then, verb="approve")


def count_deletion_rows():
    with make.acting(read_only=True):
        rows = session().execute(select(EvidenceDeletion.version_id, EvidenceDeletion.state))
        return {row.version_id: row.state for row in rows}
