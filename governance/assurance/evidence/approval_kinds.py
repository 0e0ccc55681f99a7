"""The approval kind for the permanent deletion of evidence files."""

from collections.abc import Mapping
from typing import Any

from governance.assurance.evidence import (
    deletion,
    deletion_queries,
    permissions,
    stored_files,
)
from governance.foundation.approvals.kinds import (
    ApprovalEffect,
    ApprovalKind,
    Description,
    LogEntry,
)
from governance.foundation.approvals.models import Approval
from governance.kernel.formatting import long_day, plural, size


def _describe(approval: Approval) -> Description:
    request, version, evidence = deletion_queries.deletion_request(approval.target_id)
    shared = stored_files.others_with(version)
    facts = [
        ("Evidence", f"{evidence.ref} {evidence.title}"),
        ("Version", str(version.number)),
        ("File", version.filename),
        ("Size", size(request.size)),
        ("SHA-256", request.sha256),
        ("Uploaded on", long_day(version.uploaded_at.date())),
    ]
    if request.by_rule:
        facts.append(("Requested by", "the retention rule, on behalf of the person who set it"))
    effects = [
        ApprovalEffect(
            "ok", "The record is kept.", "It shows the SHA-256, size, approver, date and reason."
        )
    ]
    if shared:
        have = "1 other version has" if shared == 1 else f"{plural(shared, 'other version')} have"
        effects.append(
            ApprovalEffect(
                "open",
                f"{have} the same file.",
                "The file stays in storage until the last of these versions is deleted.",
            )
        )
    return Description(
        title=approval.summary,
        heading="What is deleted",
        facts=facts,
        effects=effects,
        verb="Delete permanently",
        is_final=True,
        covers="Covers the file's bytes, the version, the evidence item and the request itself.",
        back=(evidence.ref, "evidence.item", {"evidence_id": evidence.id}),
        consequence="The file is deleted within a minute. It can't be restored.",
    )


def _fingerprint(approval: Approval) -> Mapping[str, Any]:
    request, version, _evidence = deletion_queries.deletion_request(approval.target_id)
    return {
        "version": version.id,
        "number": version.number,
        "sha256": request.sha256,
        "state": request.state,
    }


def _context(approval: Approval) -> Mapping[str, Any]:
    _request, _version, evidence = deletion_queries.deletion_request(approval.target_id)
    return {"ref": evidence.ref, "title": evidence.title}


def _blocked(approval: Approval) -> str | None:
    _request, version, evidence = deletion_queries.deletion_request(approval.target_id)
    return deletion.reason_to_keep(version, evidence)


def _start(approval: Approval) -> None:
    request, _version, _evidence = deletion_queries.deletion_request(approval.target_id, lock=True)
    deletion.start_destruction(request)


def _close(approval: Approval) -> None:
    request, _version, _evidence = deletion_queries.deletion_request(approval.target_id, lock=True)
    deletion.close_deletion(request, "rejected" if approval.state == "rejected" else "withdrawn")


def _entry(approval: Approval, _step: str) -> LogEntry:
    request, version, _evidence = deletion_queries.deletion_request(approval.target_id)
    return LogEntry(
        version,
        facts={
            "number": version.number,
            "sha256": request.sha256,
            "size": request.size,
            "by_rule": request.by_rule or None,
        },
    )


DELETION = ApprovalKind(
    name=deletion_queries.DELETION,
    label="Deletion of evidence",
    permission=permissions.DELETE,
    describe=_describe,
    fingerprint=_fingerprint,
    context=_context,
    blocked=_blocked,
    apply=_start,
    on_reject=_close,
    entry=_entry,
    lifetime=None,
    own="You requested this, or set the rule that did, so another person must decide.",
    entries={
        "requested": deletion.DELETION_REQUESTED,
        "approved": deletion.DELETION_APPROVED,
        "rejected": deletion.DELETION_REJECTED,
        "withdrawn": deletion.DELETION_WITHDRAWN,
    },
)

KINDS = (DELETION,)
