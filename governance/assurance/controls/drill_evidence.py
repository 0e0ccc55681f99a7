"""A kill-switch drill becomes a version of its system's evidence, for controls on MANAGE 2.4."""

import io
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select

from governance.assurance.controls.models import Control, ControlMapping
from governance.assurance.evidence import actions as evidence
from governance.assurance.evidence import link_actions, version_actions
from governance.assurance.evidence.deletion_guard import filed_by_meridian
from governance.assurance.evidence.models import Evidence, EvidenceLink
from governance.assurance.frameworks.models import Framework, Requirement
from governance.kernel.db import session
from governance.operations.switches import drill_actions as switches
from governance.operations.switches.events import DrillEnded

REQUIREMENT = "MANAGE 2.4"
VALID_FOR = timedelta(days=90)
NOTE = "A timed stop of the real system"


def file_drill(drill: DrillEnded) -> None:
    with filed_by_meridian():
        version = version_actions.upload_version(
            _evidence(drill.system),
            io.BytesIO(drill.sheet),
            f"drill-{drill.system}-{drill.day:%Y-%m-%d}.csv",
            collected_on=drill.day,
            period_from=drill.day,
            period_to=drill.day,
            valid_until=drill.day + VALID_FOR,
            source="drill",
        )
    switches.file_as(drill.drill_id, version.id)


def _evidence(system: str) -> Evidence:
    """Created once for a system; linked to each control for the requirement, unless somebody
    removed the link.
    """
    title = f"Kill-switch drill of {system}"
    supported = controls()
    query = select(Evidence).where(Evidence.title == title, Evidence.retired_at.is_(None)).limit(1)
    item = session().scalars(query).one_or_none()
    if item is None:
        return evidence.create_item(
            title,
            kind="record",
            cadence="quarterly",
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
    """The live controls that are mapped to the requirement of the NIST AI RMF."""
    query = (
        select(Control.id)
        .join(ControlMapping, ControlMapping.control_id == Control.id)
        .join(Requirement, Requirement.id == ControlMapping.requirement_id)
        .join(Framework, Framework.id == Requirement.framework_id)
        .where(
            Control.retired_at.is_(None),
            ControlMapping.removed_at.is_(None),
            Requirement.ref == REQUIREMENT,
            Framework.key.startswith("nist-ai-rmf"),
        )
        .distinct()
    )
    return session().scalars(query).all()
