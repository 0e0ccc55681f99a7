"""Respond to requests: attach evidence, provide it, and record the auditors' review.

Provided versions can't be detached. A correction is attached as another version.
"""

from uuid import UUID

from governance.assurance.engagements import actions, permissions
from governance.assurance.engagements.models import (
    AuditRequest,
    Engagement,
    RequestAttachment,
    RequestRemark,
)
from governance.assurance.engagements.requests import actions as requests
from governance.assurance.engagements.requests import attachment_queries
from governance.assurance.evidence.version_choices import usable_version
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.kernel import clock, current
from governance.kernel.data.db import session
from governance.kernel.errors import DomainError, Invalid
from governance.kernel.formatting import long_day
from governance.kernel.safety.access import require

VERSION_ATTACHED = action(
    "engagement.request.version.attached",
    "attached evidence to an audit request",
    target="AuditRequest",
    activity="update",
    severity="informational",
    fields="ref evidence number sha256",
)


VERSION_DETACHED = action(
    "engagement.request.version.detached",
    "removed evidence from an audit request",
    target="AuditRequest",
    activity="update",
    severity="informational",
    fields="ref evidence number sha256",
)


RESPONSE_PROVIDED = action(
    "engagement.request.provided",
    "provided evidence for an audit request",
    target="AuditRequest",
    activity="update",
    severity="informational",
    fields="ref versions",
)


RESPONSE_ACCEPTED = action(
    "engagement.request.accepted",
    "accepted the evidence for an audit request",
    target="AuditRequest",
    activity="update",
    severity="informational",
    fields="ref",
)


RESPONSE_RETURNED = action(
    "engagement.request.returned",
    "returned an audit request",
    target="AuditRequest",
    activity="update",
    severity="informational",
    fields="ref",
)


REQUEST_COMMENTED = action(
    "engagement.request.commented",
    "commented on an audit request",
    target="AuditRequest",
    activity="update",
    severity="informational",
    fields="ref",
    personal="text",
)


def attach_version(
    engagement: Engagement, request: AuditRequest, version_id: UUID | None
) -> RequestAttachment:
    """Attach a version. Idempotent. Auditors see it after it is provided."""
    _check_may_respond(engagement, request)
    version = usable_version(version_id) if version_id else None
    if version is None:
        raise Invalid(
            "This version can't be attached: it was rejected, its file was deleted, or it doesn't"
            " exist. Choose another.",
            field="version_id",
        )
    already = next(
        (a for a in attachment_queries.attached([request.id]) if a.version.id == version.id), None
    )
    if already is not None:
        return already.attachment
    made = RequestAttachment(
        request_id=request.id,
        version_id=version.id,
        attached_by=current.actor().person_id,
        provided_at=None,
        created_at=clock.now(),
    )
    session().add(made)
    request.version += 1  # So that providing from a page without this version raises Stale.
    record(
        VERSION_ATTACHED,
        request,
        ref=request.ref,
        evidence=str(version.evidence_id),
        number=version.number,
        sha256=version.sha256,
    )
    return made


def detach_version(
    engagement: Engagement, request: AuditRequest, attachment: RequestAttachment
) -> None:
    """Detach a version. Raises DomainError if it was already provided."""
    _check_may_respond(engagement, request)
    if attachment.provided_at is not None:
        raise DomainError(
            "This version was already provided to the auditors, so it can't be removed. Attach"
            " another version instead."
        )
    version = attachment_queries.version(attachment.version_id)
    session().delete(attachment)
    request.version += 1
    record(
        VERSION_DETACHED,
        request,
        ref=request.ref,
        evidence=str(version.evidence_id),
        number=version.number,
        sha256=version.sha256,
    )


def _check_may_respond(engagement: Engagement, request: AuditRequest) -> None:
    actions.check_not_over(engagement)
    require(permissions.PROVIDE, on=request)
    if request.state == "accepted":
        raise DomainError(
            f"{request.ref} was accepted on {long_day(request.state_since.date())}, so it's closed."
        )
    if request.state == "provided":
        raise DomainError(
            f"The response to {request.ref} was provided on"
            f" {long_day(request.state_since.date())} and awaits the auditors' review."
        )


def provide_response(
    engagement: Engagement, request: AuditRequest, *, said: str = "", seen: int | None = None
) -> None:
    """Provide the attached versions to the auditors, who then see exactly these.

    Raises Invalid without a new version or a comment, and Stale if the request changed since
    version `seen`.
    """
    requests.check_unchanged(request, seen)
    _check_may_respond(engagement, request)
    new = [
        each
        for each in attachment_queries.attached([request.id])
        if each.attachment.provided_at is None
    ]
    if not new and not said.strip():
        raise Invalid(
            "Attach evidence or write a comment that responds to the request.",
            field="text",
        )
    for each in new:
        if usable_version(each.version.id) is None:
            name = f"{each.evidence.ref} version {each.version.number}"
            raise DomainError(
                f"{name} was rejected or its file was deleted after you attached it. Remove it and"
                " attach another version."
            )
    now = clock.now()
    for each in new:
        each.attachment.provided_at = now
    _set_state(request, "provided", said)
    record(
        RESPONSE_PROVIDED,
        request,
        reason=said.strip() or None,
        ref=request.ref,
        versions=[
            f"{e.evidence.ref} v{e.version.number} {e.version.sha256 or ''}".strip() for e in new
        ],
    )


def accept_response(
    engagement: Engagement, request: AuditRequest, *, said: str = "", seen: int | None = None
) -> None:
    requests.check_unchanged(request, seen)
    _check_awaits_review(engagement, request)
    _set_state(request, "accepted", said)
    record(RESPONSE_ACCEPTED, request, reason=said.strip() or None, ref=request.ref)


def return_response(
    engagement: Engagement, request: AuditRequest, *, reason: str, seen: int | None = None
) -> None:
    """Return the response with a reason. The request then awaits another response."""
    requests.check_unchanged(request, seen)
    _check_awaits_review(engagement, request)
    if not reason.strip():
        raise Invalid("Describe what is missing, so the owner can fix it.", field="text")
    _set_state(request, "returned", reason)
    record(RESPONSE_RETURNED, request, reason=reason.strip()[:4000], ref=request.ref)


def _check_awaits_review(engagement: Engagement, request: AuditRequest) -> None:
    actions.check_not_over(engagement)
    if request.state != "provided":
        raise DomainError(f"{request.ref} is {request.state}, so there is no response to review.")


def _set_state(request: AuditRequest, state: str, said: str) -> None:
    request.state, request.state_since, request.version = state, clock.now(), request.version + 1
    _add_remark(request, state, said)


def _add_remark(request: AuditRequest, kind: str, text: str) -> RequestRemark:
    text = text.strip()
    if len(text) > 4000:  # noqa: PLR2004 - a long letter
        raise Invalid("A comment can have up to 4,000 characters.", field="text")
    made = RequestRemark(
        request_id=request.id,
        kind=kind,
        text=text,
        written_by=current.actor().person_id,
        written_at=clock.now(),
    )
    session().add(made)
    session().flush()
    return made  # The caller writes the audit entry.


def add_comment(engagement: Engagement, request: AuditRequest, text: str) -> RequestRemark:
    actions.check_not_over(engagement)
    if not text.strip():
        raise Invalid("Enter a comment.", field="text")
    made = _add_remark(request, "comment", text)
    record(REQUEST_COMMENTED, request, ref=request.ref, text=text.strip())
    return made
