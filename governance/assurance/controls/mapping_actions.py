"""Map controls to the requirements they satisfy, and undo that."""

from uuid import UUID

from sqlalchemy import select

from governance.assurance.controls import queries
from governance.assurance.controls.actions import check_is_live
from governance.assurance.controls.models import Control, ControlMapping
from governance.assurance.frameworks import queries as frameworks
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.people.queries import last_actor
from governance.kernel import clock, current
from governance.kernel.data.db import session
from governance.kernel.errors import Invalid, NotFound
from governance.kernel.pages import undo
from governance.kernel.pages.undo import Overtaken, UndoStep

MAPPED = action(
    "control.mapped",
    "mapped a control to a requirement",
    target="Control",
    activity="update",
    severity="informational",
    fields="framework requirement coverage undoes",
    shape="up",
)
UNMAPPED = action(
    "control.unmapped",
    "removed a control's mapping to a requirement",
    target="Control",
    activity="update",
    severity="informational",
    fields="framework requirement coverage undoes",
    shape="down",
)
COVERAGES = ("full", "partial")


def map_to(
    control: Control, requirement_id: UUID, coverage: str, *, undoes: UUID | None = None
) -> ControlMapping:
    """Map a control to a requirement that it satisfies, fully or partially.

    Idempotent. A mapping with another coverage replaces the old one.
    """
    check_is_live(control)
    if coverage not in COVERAGES:
        raise Invalid("Choose full or partial coverage.", field="coverage")
    requirement = _require_requirement(requirement_id)
    existing = _open_mapping(control, requirement_id)
    if existing is not None and existing.coverage == coverage:
        return existing
    if existing is not None:
        existing.removed_at = clock.now()
        session().flush()
    mapping = new_mapping(control, requirement.id, coverage)
    session().add(mapping)
    key = frameworks.framework_by_id(requirement.framework_id).key
    entry = record(
        MAPPED,
        control,
        framework=key,
        requirement=requirement.ref,
        coverage=coverage,
        undoes=undoes,
    )
    _remember_mapping(
        control, requirement_id, entry.id, existing.coverage if existing else None, coverage
    )
    return mapping


def unmap(control: Control, requirement_id: UUID, *, undoes: UUID | None = None) -> None:
    """End a mapping. Idempotent."""
    existing = _open_mapping(control, requirement_id)
    if existing is None:
        return
    existing.removed_at = clock.now()
    requirement = _require_requirement(requirement_id)
    key = frameworks.framework_by_id(requirement.framework_id).key
    entry = record(
        UNMAPPED,
        control,
        framework=key,
        requirement=requirement.ref,
        coverage=existing.coverage,
        undoes=undoes,
    )
    _remember_mapping(control, requirement_id, entry.id, existing.coverage, None)


def _remember_mapping(
    control: Control, requirement_id: UUID, entry_id: UUID, before: str | None, after: str | None
) -> None:
    requirement_key = {"requirement_id": requirement_id}
    undo.remember(
        "control.mapping",
        control.id,
        entry_id,
        before={**requirement_key, "coverage": before},
        after={**requirement_key, "coverage": after},
    )


@undo.restores("control.mapping")
def _restore_mapping(step: UndoStep) -> None:
    control, requirement_id = (
        queries.find_control(step.target_id, lock=True),
        UUID(step.after["requirement_id"]),
    )
    existing, before = _open_mapping(control, requirement_id), step.before["coverage"]
    if (existing.coverage if existing else None) != step.after["coverage"]:
        who = last_actor(control.id, MAPPED, UNMAPPED)
        raise Overtaken(
            f"{control.ref}'s mapping to {_require_requirement(requirement_id).ref} was changed"
            f" by {who}."
        )
    if before is None:
        unmap(control, requirement_id, undoes=step.entry_id)
    else:
        map_to(control, requirement_id, before, undoes=step.entry_id)


def _require_requirement(requirement_id: UUID) -> frameworks.RequirementView:
    try:
        found = frameworks.requirement_by_id(requirement_id)
    except NotFound as error:
        raise Invalid("Choose a requirement from the list.", field="requirement_id") from error
    if not found.assessable:
        raise Invalid(
            f"{found.ref} is a group. Map the control to one of its requirements.",
            field="requirement_id",
        )
    return found


def _open_mapping(control: Control, requirement_id: UUID) -> ControlMapping | None:
    query = select(ControlMapping).where(
        ControlMapping.control_id == control.id, ControlMapping.requirement_id == requirement_id
    )
    return session().scalars(query.where(ControlMapping.removed_at.is_(None))).one_or_none()


def new_mapping(control: Control, requirement_id: UUID, coverage: str) -> ControlMapping:
    return ControlMapping(
        control_id=control.id,
        requirement_id=requirement_id,
        coverage=coverage,
        mapped_by=current.actor().person_id,
        removed_at=None,
        created_at=clock.now(),
    )
