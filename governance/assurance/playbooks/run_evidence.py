"""A finished run files itself as evidence: for controls on incident response and recovery."""

import io
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import or_, select

from governance.assurance.controls.models import Control, ControlMapping
from governance.assurance.evidence import actions as evidence
from governance.assurance.evidence import link_actions, version_actions
from governance.assurance.evidence.deletion_guard import filed_by_meridian
from governance.assurance.evidence.models import Evidence, EvidenceLink, EvidenceVersion
from governance.assurance.frameworks.models import Framework, Requirement
from governance.assurance.playbooks.queries import RunProgress
from governance.foundation.people.models import Membership
from governance.foundation.tenants.system_actor import founder
from governance.kernel import clock, current
from governance.kernel.db import session
from governance.kernel.spreadsheet_writer import Cell, csv_rows

VALID_FOR = timedelta(days=182)
NOTE = "Each run of the playbook: who completed which step when, and what was skipped"
REQUIREMENTS = (
    ("nist-ai-rmf", "MANAGE 4.3"),
    ("nist-ai-rmf", "MANAGE 2.4"),
    ("soc2-tsc", "CC7.4"),
    ("soc2-tsc", "CC7.5"),
)
COLUMNS = ("Step", "Title", "State", "By", "At", "What Meridian did")


def file_run(found: RunProgress) -> tuple[Evidence, EvidenceVersion]:
    """File the run. Meridian is the uploader, so any reviewer can review the version."""
    today, who = clock.today(), current.actor()
    meridian = founder(who.tenant_id, who.tenant_slug, who.tenant_name)
    with current.acting_as(meridian), filed_by_meridian():
        item = _evidence(found.playbook.title)
        version = version_actions.upload_version(
            item,
            io.BytesIO(_sheet(found)),
            f"playbook-run-{found.run.ref.lower()}.csv",
            collected_on=today,
            period_from=found.run.created_at.date(),
            period_to=today,
            valid_until=today + VALID_FOR,
            source="playbook",
        )
    return item, version


def _evidence(title: str) -> Evidence:
    """Created once for a playbook; linked to each control for the requirements, unless someone
    removed the link.
    """
    name, supported = f"Playbook runs: {title}", controls()
    query = select(Evidence).where(Evidence.title == name, Evidence.retired_at.is_(None)).limit(1)
    item = session().scalars(query).one_or_none()
    if item is None:
        return evidence.create_item(
            name,
            kind="record",
            cadence="per incident",
            owner_id=None,
            controls=dict.fromkeys(supported, NOTE),
        )
    ever = set(
        session().scalars(
            select(EvidenceLink.control_id).where(EvidenceLink.evidence_id == item.id)
        )
    )
    for control_id in set(supported) - ever:
        link_actions.link(item, control_id, NOTE)
    return item


def controls() -> Sequence[UUID]:
    """The live controls that are mapped to one of the requirements."""
    wanted = or_(
        *(
            Framework.key.startswith(framework) & (Requirement.ref == ref)
            for framework, ref in REQUIREMENTS
        )
    )
    query = (
        select(Control.id)
        .join(ControlMapping, ControlMapping.control_id == Control.id)
        .join(Requirement, Requirement.id == ControlMapping.requirement_id)
        .join(Framework, Framework.id == Requirement.framework_id)
        .where(Control.retired_at.is_(None), ControlMapping.removed_at.is_(None), wanted)
        .distinct()
    )
    return session().scalars(query).all()


def _sheet(found: RunProgress) -> bytes:
    """The run as CSV, with pseudonyms, since nothing can be erased from stored evidence.

    Notes may name people, so they stay out; the audit log keeps them encrypted.
    """
    people = {step.result.recorded_by for step in found.steps if step.result is not None}
    rows = session().execute(
        select(Membership.person_id, Membership.pseudonym).where(
            Membership.person_id.in_({p for p in people if p})
        )
    )
    known = {row[0]: row[1] for row in rows}
    above: list[tuple[Cell, ...]] = [
        ("Playbook", found.playbook.title),
        ("Version", found.version.number),
        ("Run", found.run.ref),
        ("Incident", found.run.incident_ref or "drill"),
        ("Tenant", current.actor().tenant_name),
        ("Started", found.run.created_at),
        ("Finished", found.run.ended_at),
        ("Completed", found.done),
        ("Skipped", found.skipped),
    ]
    table: list[tuple[Cell, ...]] = [
        (
            step.number,
            step.step.title,
            step.state,
            known.get(step.result.recorded_by, "")
            if step.result and step.result.recorded_by
            else "",
            step.result.created_at if step.result else None,
            step.result.effect if step.result else None,
        )
        for step in found.steps
    ]
    return csv_rows(above) + b"\r\n" + csv_rows([COLUMNS, *table])
