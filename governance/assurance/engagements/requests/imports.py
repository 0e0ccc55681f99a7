"""Import a request list in two steps: upload the file for a preview, then add its requests."""

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import insert

from governance.assurance.engagements import actions
from governance.assurance.engagements.models import (
    AuditRequest,
    Engagement,
    RequestImport,
)
from governance.assurance.engagements.requests import queries as request_queries
from governance.assurance.engagements.requests.parsing import ImportedRequest, ParsedRequestList
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.people import queries as members
from governance.foundation.people.owners import OWNING_ROLES
from governance.kernel import clock, current
from governance.kernel.data.db import lock_tenant, session
from governance.kernel.data.ids import uuid7
from governance.kernel.errors import DomainError

LIST_UPLOADED = action(
    "engagement.request_list.uploaded",
    "uploaded a list of audit requests",
    target="RequestImport",
    activity="create",
    severity="informational",
    fields="engagement rows problems sha256",
    personal="filename",
)


LIST_IMPORTED = action(
    "engagement.request_list.imported",
    "imported a list of audit requests",
    target="RequestImport",
    activity="update",
    severity="informational",
    fields="engagement added already sha256",
    personal="filename",
)


ROWS_PER_INSERT = 1000


def upload_list(
    engagement: Engagement, listed: ParsedRequestList, *, filename: str, sha256: str
) -> RequestImport:
    """Store a parsed list for its preview. No requests are added yet."""
    actions.check_not_over(engagement)
    kept = RequestImport(
        engagement_id=engagement.id,
        filename=filename,
        sha256=sha256,
        rows=[row.as_json for row in listed.rows],
        problems=[list(problem) for problem in listed.problems],
        found=len(listed.rows),
        sent_by=current.actor().person_id,
        applied_at=None,
        added=None,
    )
    session().add(kept)
    record(
        LIST_UPLOADED,
        kept,
        engagement=engagement.ref,
        rows=kept.found,
        problems=len(listed.problems),
        sha256=sha256,
        filename=filename,
    )
    return kept


def import_list(engagement: Engagement, kept: RequestImport) -> int:
    """Add the requests whose ref isn't in the list yet, and return their number.

    Raises DomainError if the list has errors. Importing the same list again adds nothing.
    """
    actions.check_not_over(engagement)
    if kept.applied_at is not None:
        return 0
    if kept.problems:
        raise DomainError(
            "The list has errors, so nothing was imported. Fix them in the file and upload it"
            " again."
        )
    lock_tenant(f"requests of {engagement.id}")
    known, people_by_address = request_queries.row_digests(engagement.id), _owners_by_email()
    new = [row for row in map(ImportedRequest.from_json, kept.rows) if row.ref not in known]
    now, requested_by = clock.now(), current.actor().person_id
    values = [
        {
            "id": uuid7(),
            "tenant_id": engagement.tenant_id,
            "engagement_id": engagement.id,
            "ref": row.ref,
            "title": row.title,
            "detail": row.detail,
            "criteria": list(row.criteria),
            "due_on": row.due_on,
            "owner_id": people_by_address.get(row.owner.lower()),
            "state": "open",
            "state_since": now,
            "requested_by": requested_by,
            "row": row.digest,
            "version": 1,
            "created_at": now,
        }
        for row in new
    ]
    for start in range(0, len(values), ROWS_PER_INSERT):
        session().execute(insert(AuditRequest), values[start : start + ROWS_PER_INSERT])
    kept.applied_at, kept.added = now, len(new)
    record(
        LIST_IMPORTED,
        kept,
        engagement=engagement.ref,
        added=len(new),
        already=kept.found - len(new),
        sha256=kept.sha256,
        filename=kept.filename,
    )
    return len(new)


def _owners_by_email() -> Mapping[str, UUID]:
    return {m.email.lower(): m.person_id for m in members.members() if m.role in OWNING_ROLES}
