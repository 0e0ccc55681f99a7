"""Evidence from kill-switch drills, for controls on MANAGE 2.4.

Each drill becomes a version of its system's evidence item.
"""

import io
from collections.abc import Sequence
from datetime import timedelta

from governance.assurance.controls import queries
from governance.assurance.controls.models import Control
from governance.assurance.evidence import meridian_items, version_actions
from governance.assurance.evidence.deletion_guard import filed_by_meridian
from governance.operations.switches import drill_actions as switches
from governance.operations.switches.events import DrillEnded

REQUIREMENTS = (("nist-ai-rmf", "MANAGE 2.4"),)
VALID_FOR = timedelta(days=90)
NOTE = "A timed stop of the real system"


def file_drill(drill: DrillEnded) -> None:
    with filed_by_meridian():
        version = version_actions.upload_version(
            meridian_items.item_for(
                f"Kill-switch drill of {drill.system}",
                cadence="quarterly",
                control_ids=[each.id for each in supported_controls()],
                note=NOTE,
            ),
            io.BytesIO(drill.sheet),
            f"drill-{drill.system}-{drill.day:%Y-%m-%d}.csv",
            collected_on=drill.day,
            period_from=drill.day,
            period_to=drill.day,
            valid_until=drill.day + VALID_FOR,
            source="drill",
        )
    switches.file_as(drill.drill_id, version.id)


def supported_controls() -> Sequence[Control]:
    """Return the controls that a drill is evidence for."""
    return queries.controls_mapped_to(REQUIREMENTS)
