"""The fields of a control, each declared once. kernel/pages/record.py derives the rest."""

from dataclasses import dataclass

from governance.assurance.controls.runtime_dependencies import RESTS_ON
from governance.assurance.evidence.freshness import CADENCES
from governance.kernel.pages.record import Field, Record

KINDS = ("preventive", "detective", "corrective")
AUTOMATIONS = ("manual", "automated")


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlContent:
    """The fields that people enter for a control. `rests_on` is a key of RESTS_ON."""

    title: str
    does: str
    kind: str
    automation: str
    cadence: str
    rests_on: str | None = None


CONTROL = Record(
    ControlContent,
    "controls",
    title=Field("Title", "line", required="Enter a title.", longest=160),
    does=Field(
        "Description",
        "text",
        required="Describe the control and the evidence it produces.",
        longest=4000,
        help="Who does what, how often, and the evidence it produces.",
        shown={"rows": 6},
    ),
    kind=Field("Kind", "choice", choices=[(each, each.capitalize()) for each in KINDS]),
    automation=Field(
        "Automation", "choice", choices=[(each, each.capitalize()) for each in AUTOMATIONS]
    ),
    cadence=Field(
        "Cadence",
        "choice",
        choices=[(each, each.capitalize()) for each in CADENCES],
        default="quarterly",
    ),
    rests_on=Field(
        "Also depends on",
        "choice",
        choices=[(key, text.capitalize()) for key, text in RESTS_ON.items()],
        blank="Nothing else",
        help="A failed drill, or a waiver below the platform minimum, can then lower its status.",
    ),
)
