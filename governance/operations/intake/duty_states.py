"""The state of each of the tenant's duties: a control, a point of a document, or nothing.

    states_of(duties)               for a proposal, which has no documents yet
    states_of(duties, system_id)    for a registered system

A control or a point shows that somebody works on a duty. A person judges if it is fulfilled.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from governance.kernel.formatting import long_day
from governance.operations.intake import ports
from governance.operations.intake.ports import DocumentPoint, MappedControl
from governance.operations.intake.triage import LegalDuty


@dataclass(frozen=True, slots=True)
class DutyState:
    """The controls with the requirement that they satisfy, and the points of documents."""

    controls: tuple[tuple[MappedControl, str], ...]
    points: tuple[DocumentPoint, ...]

    @property
    def is_open(self) -> bool:
        return not self.controls and not self.points


def states_of(
    duties: Iterable[LegalDuty], system_id: UUID | None = None
) -> Mapping[str, DutyState]:
    """Return the state of each duty of the tenant, by its article.

    Runs one statement for controls.
    """
    ours = [each for each in duties if each.is_ours]
    controls = ports.mapped_controls()(sorted({ref for each in ours for ref in each.requirements}))
    points = ports.document_points()(system_id) if system_id and ours else {}
    return {each.source: _state(each, controls, points) for each in ours}


def _state(
    duty: LegalDuty,
    controls: Mapping[str, Sequence[MappedControl]],
    points: Mapping[str, DocumentPoint],
) -> DutyState:
    return DutyState(
        tuple((each, ref) for ref in duty.requirements for each in controls.get(ref, ())),
        tuple(points[key] for key in duty.points if key in points),
    )


def vendor_questions(duties: Iterable[LegalDuty], name: str) -> str:
    """Return the questions to a system's vendor: the other party's duties, one per line."""
    lines = [
        f"- {each.text} ({each.source}), from {long_day(each.applies_from)}"
        for each in duties
        if not each.is_ours
    ]
    if not lines:
        return ""
    ask = f"About {name}: please show us how you fulfill these duties under the EU AI Act."
    return "\n".join([ask, *lines])
