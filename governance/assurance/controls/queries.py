"""Queries for controls with everything that their status depends on, now or at an instant.

    posture(as_of)              all live controls with mappings, evidence and tests; two statements
    facts_of(id, at)            the same for one control
    mappings(id), tests(id)     the open mappings and the tests of one control
    find_control(id, lock)      the row that an action changes

An auditor sees only the controls of their engagement, and of those only the mappings in scope. The
history itself is control_ledger.py.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, and_, func, or_, select
from sqlalchemy.orm import aliased

from governance.assurance.controls.control_ledger import ledger
from governance.assurance.controls.models import Control, ControlMapping, ControlTest
from governance.assurance.controls.status import ControlFacts
from governance.assurance.frameworks.models import Framework, Requirement
from governance.kernel import clock
from governance.kernel.data.db import find, find_several, session
from governance.kernel.data.selects import Rows, Selected, one_of
from governance.kernel.errors import NotFound
from governance.kernel.safety.visibility_scope import Scope, limits
from governance.operations.intake.ports import MappedControl


def posture(as_of: datetime | None = None) -> list[ControlFacts]:
    """Return the controls live at the instant, by ref, as known then, in two statements."""
    found = ledger().at(as_of or clock.now())
    if (scope := limits()) is None:
        return found
    return [_within(scope, each) for each in found if scope.holds(each.control_id)]


def all_controls() -> Select[UUID, str, str, datetime | None]:
    """Select the controls that evidence can support, including retired ones (evidence/ports.py)."""
    return select(Control.id, Control.ref, Control.title, Control.retired_at)


def facts_of(control_id: UUID, at: datetime) -> ControlFacts | None:
    """Return one control, retired or not, as known at that moment."""
    found, scope = ledger(control_id).of(control_id, at), limits()
    return found if found is None or scope is None else _within(scope, found)


def _within(scope: Scope, facts: ControlFacts) -> ControlFacts:
    return replace(
        facts, mappings=tuple(each for each in facts.mappings if scope.holds_requirement(each[0]))
    )


def find_control(control_id: UUID, *, lock: bool = False) -> Control:
    """Return the control. Raise NotFound if it is outside the acting person's scope."""
    scope = limits()
    if scope is not None and not scope.holds(control_id):
        raise NotFound("This control doesn't exist, or you don't have access to it.")
    return find(Control, control_id, what="control", lock=lock)


def find_controls(ids: Collection[UUID], *, lock: bool = False) -> Sequence[Control]:
    """Return the existing controls with these ids, by ref. `lock` locks the rows."""
    return find_several(Control, ids, order=Control.ref, lock=lock)


MAPPINGS = Rows(
    ControlMapping,
    lambda m: and_(one_of(m.control_id, "control_ids"), m.removed_at.is_(None)),
    lambda m: (m.created_at,),
)
TESTS = Rows(
    ControlTest,
    lambda m: one_of(m.control_id, "control_ids"),
    lambda m: (m.tested_on.desc(), m.created_at.desc()),
)


def mappings(control_id: UUID) -> Sequence[ControlMapping]:
    """Return the open mappings of one control."""
    return MAPPINGS.read(control_ids=(control_id,))


def tests(control_id: UUID) -> Sequence[ControlTest]:
    """Return the tests of one control, newest first."""
    return TESTS.read(control_ids=(control_id,))


def refs_taken() -> set[str]:
    """Return the refs of all controls, including retired ones. A ref is never reused."""
    return set(session().scalars(select(Control.ref)))


LIVE_CONTROLS = Selected[tuple[UUID, str, str]](
    lambda: (
        select(Control.id, Control.ref, Control.title)
        .where(Control.retired_at.is_(None))
        .order_by(Control.ref)
    )
)


def choices() -> list[tuple[UUID, str]]:
    """Return (id, "SEC-04 Third-party penetration test") of each live control."""
    return [(control_id, f"{ref} {title}") for control_id, ref, title in LIVE_CONTROLS.read()]


def controls_of_requirement(requirement_id: UUID) -> list[tuple[Control, str]]:
    """Return (control, coverage) of the live controls mapped to a requirement."""
    query = select(Control, ControlMapping.coverage).join(
        ControlMapping, ControlMapping.control_id == Control.id
    )
    query = query.where(
        ControlMapping.requirement_id == requirement_id,
        ControlMapping.removed_at.is_(None),
        Control.retired_at.is_(None),
    )
    return [(row[0], row[1]) for row in session().execute(query.order_by(Control.ref))]


def controls_mapped_to(
    requirements: Collection[tuple[str, str]], *, in_full: bool = False
) -> Sequence[Control]:
    """Return the live controls mapped to any of the requirements, by ref.

    See `select_controls_mapped_to`.
    """
    return session().scalars(select_controls_mapped_to(requirements, in_full=in_full)).all()


def select_controls_mapped_to(
    requirements: Collection[tuple[str, str]], *, in_full: bool = False
) -> Select[Control]:
    """Select the live controls mapped to any of the requirements, or to a part of one, by ref.

    A requirement is a prefix of its framework's key, and a ref: ("soc2", "CC7") is CC7 and
    everything below it, such as CC7.4, in each edition of SOC 2 that the tenant has adopted.
    `in_full` leaves out controls that cover a requirement partially.
    """
    named = or_(
        *(
            and_(
                Framework.key.startswith(key),
                or_(Requirement.ref == ref, Requirement.ref.startswith(f"{ref}.")),
            )
            for key, ref in requirements
        )
    )
    mapped = (
        select(ControlMapping.control_id)
        .join(Requirement, Requirement.id == ControlMapping.requirement_id)
        .join(Framework, Framework.id == Requirement.framework_id)
        .where(ControlMapping.removed_at.is_(None), named)
    )
    if in_full:
        mapped = mapped.where(ControlMapping.coverage == "full")
    query = select(Control).where(Control.retired_at.is_(None), Control.id.in_(mapped))
    return query.order_by(Control.ref)


def controls_by_requirement(refs: Collection[str]) -> dict[str, list[MappedControl]]:
    """Return the live controls mapped to each of these requirements of the NIST AI RMF, by ref."""
    query = (
        select(Requirement.ref, Control.id, Control.ref, Control.title)
        .join(ControlMapping, ControlMapping.requirement_id == Requirement.id)
        .join(Control, Control.id == ControlMapping.control_id)
        .join(Framework, Framework.id == Requirement.framework_id)
        .where(
            Framework.key.startswith("nist-ai-rmf"),
            Requirement.ref.in_(refs),
            ControlMapping.removed_at.is_(None),
            Control.retired_at.is_(None),
        )
        .order_by(Requirement.ref, Control.ref)
        .distinct()
    )
    found: dict[str, list[MappedControl]] = {}
    scope = limits()
    for ref, control_id, control_ref, title in session().execute(query):
        if scope is not None and not scope.holds(control_id):
            continue
        found.setdefault(ref, []).append(MappedControl(control_id, control_ref, title))
    return found


def count_sole_requirements(control_id: UUID) -> int:
    """Return the number of requirements that only this control satisfies."""
    others = aliased(ControlMapping)
    another = (
        select(others.id)
        .join(Control, Control.id == others.control_id)
        .where(
            others.requirement_id == ControlMapping.requirement_id,
            others.control_id != control_id,
            others.removed_at.is_(None),
        )
        .where(Control.retired_at.is_(None))
        .exists()
    )
    mine = (
        select(func.count())
        .select_from(ControlMapping)
        .where(ControlMapping.control_id == control_id, ControlMapping.removed_at.is_(None))
    )
    return session().scalar(mine.where(~another)) or 0
