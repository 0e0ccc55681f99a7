"""Upload of finished runs as evidence for controls on incident response and recovery."""

import io
from datetime import timedelta

from sqlalchemy import select

from governance.assurance.controls import queries as controls
from governance.assurance.evidence import meridian_items, version_actions
from governance.assurance.evidence.deletion_guard import filed_by_meridian
from governance.assurance.evidence.models import Evidence, EvidenceVersion
from governance.assurance.playbooks.queries import RunProgress
from governance.foundation.people.models import Membership
from governance.foundation.tenants.system_actor import system_actor_in
from governance.kernel import clock, current
from governance.kernel.data.db import session
from governance.kernel.files.spreadsheet_writer import Cell, csv_rows

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
    """Upload the run as evidence. Meridian is the uploader, so any reviewer can review it."""
    today, who = clock.today(), current.actor()
    meridian = system_actor_in(who.tenant_id, who.tenant_slug, who.tenant_name)
    with current.acting_as(meridian), filed_by_meridian():
        item = meridian_items.item_for(
            f"Playbook runs: {found.playbook.title}",
            cadence="per incident",
            control_ids=[each.id for each in controls.controls_mapped_to(REQUIREMENTS)],
            note=NOTE,
        )
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


def _sheet(found: RunProgress) -> bytes:
    """Return the run as CSV, with pseudonyms, since nothing can be erased from stored evidence.

    Notes are left out, since they may name people. The audit log has them, encrypted.
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
