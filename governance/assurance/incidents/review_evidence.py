"""File a closed review as a version of evidence, for controls on MANAGE 4 and SOC 2 CC7.

A job stores it, so closing never waits for storage. The evidence item has no deadline, because
reviews follow incidents. Meridian is the uploader, so any reviewer can review it, including the
person who closed the incident. The file names no person, because an erasure can't change a stored
version.
"""

import io
from collections.abc import Sequence
from uuid import UUID

from governance.assurance.controls import queries as controls
from governance.assurance.controls.models import Control
from governance.assurance.evidence import meridian_items, version_actions
from governance.assurance.evidence.deletion_guard import filed_by_meridian
from governance.assurance.evidence.models import EvidenceVersion
from governance.assurance.incidents import queries
from governance.assurance.incidents.models import FollowUp, Incident, IncidentReview
from governance.assurance.incidents.review_actions import FILE_WORK, PART_NAMES, PARTS
from governance.foundation.tenants.system_actor import system_actor_in
from governance.kernel import current
from governance.kernel.data.db import find, transaction
from governance.kernel.data.selects import Selected
from governance.kernel.work.jobs import Progress, WorkItem, work

TITLE = "Post-incident reviews"
NOTE = "Reviews of closed incidents, filed by Meridian"
# (start of the framework's key, start of the requirement's ref)
REQUIREMENTS = (("nist-ai-rmf", "MANAGE 4"), ("soc2", "CC7"))
SUPPORTED = Selected[Control](lambda: controls.select_controls_mapped_to(REQUIREMENTS))


@work(FILE_WORK, waited_for=False)
def file_review(item: WorkItem, _progress: Progress) -> None:
    """File the review of the incident `item.target_id`, once."""
    if item.target_id is None:
        raise RuntimeError("the work names its incident")
    who = current.actor()
    with (
        current.acting_as(system_actor_in(who.tenant_id, who.tenant_slug, who.tenant_name)),
        transaction(),
    ):
        file_now(item.target_id)


def file_now(incident_id: UUID) -> EvidenceVersion | None:
    """Store the review in the current transaction. Return None if it is filed already or still
    open.
    """
    incident = find(Incident, incident_id, what="incident")
    found = queries.review(incident_id, lock=True)
    if found is None or found.closed_at is None or found.evidence_version_id is not None:
        return None
    closed_on = found.closed_at.date()
    text = review_text(incident, found, queries.follow_ups(incident_id))
    with filed_by_meridian():
        version = version_actions.upload_version(
            meridian_items.item_for(
                TITLE,
                cadence="per incident",
                control_ids=[each.id for each in supported_controls()],
                note=NOTE,
            ),
            io.BytesIO(text.encode()),
            f"review-{incident.ref}.txt",
            collected_on=closed_on,
            period_from=min(incident.declared_at.date(), closed_on),
            period_to=closed_on,
            valid_until=closed_on + version_actions.MAX_VALIDITY,
            source="incident",
        )
    found.evidence_version_id = version.id
    return version


def review_text(incident: Incident, review: IncidentReview, follow_ups: Sequence[FollowUp]) -> str:
    """Return the review as plain text, without people's names."""
    times = [
        ("Declared", incident.declared_at),
        ("Identified", incident.identified_at),
        ("Monitoring", incident.monitoring_at),
        ("Resolved", incident.resolved_at),
        ("Review closed", review.closed_at),
    ]
    lines = [
        f"Post-incident review of {incident.ref}",
        incident.title,
        f"Severity {incident.severity}",
        "",
        *(f"{name}: {at.isoformat()}" for name, at in times if at),
    ]
    for name in PARTS:
        lines += ["", PART_NAMES[name], getattr(review, name)]
    lines += ["", "Actions"]
    lines += [
        f"- {each.title}, due {each.due_on}, {'done' if each.done_at else 'open'}"
        for each in follow_ups
    ] or ["None"]
    return "\n".join(lines) + "\n"


def supported_controls() -> Sequence[Control]:
    """Return the controls that reviews are evidence for, by ref."""
    return SUPPORTED.read()
