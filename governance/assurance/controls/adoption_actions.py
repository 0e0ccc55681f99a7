"""Actions that adopt controls of the starter pack.

Adopting also creates their mappings, the frameworks that they map to, and the evidence items they
need.
"""

from collections.abc import Collection, Sequence
from datetime import timedelta

from sqlalchemy import select

from governance.assurance.controls.actions import CREATED, add_control, created_facts
from governance.assurance.controls.control_record import CONTROL
from governance.assurance.controls.mapping_actions import new_mapping
from governance.assurance.controls.models import Control
from governance.assurance.controls.starter_pack import StarterControl, mapped_frameworks, pack
from governance.assurance.evidence import actions as evidence
from governance.assurance.evidence import link_actions
from governance.assurance.evidence.freshness import CADENCES
from governance.assurance.evidence.models import Evidence
from governance.assurance.frameworks import actions as framework_actions
from governance.assurance.frameworks import queries as frameworks
from governance.foundation.audit.record import record
from governance.kernel import clock
from governance.kernel.data.db import lock_tenant, session
from governance.kernel.errors import Invalid

# A tenant has a quarter to upload the first evidence of an adopted control.
FIRST_VERSION_DUE = timedelta(days=92)


def adopt(refs: Collection[str] | None = None, *, with_evidence: bool = True) -> list[Control]:
    """Adopt controls of the starter pack (all, or these refs) with their mappings.

    Existing refs don't change. Each framework that a new control maps to is adopted, so that its
    pages show the mapping.

    With evidence, each item that the controls need is created once, with a first version due in a
    quarter.
    """
    chosen = [each for each in pack() if refs is None or each.ref in set(refs)]
    if refs is not None and len(chosen) != len(set(refs)):
        raise Invalid("One of the selected controls isn't in the starter pack.", field="refs")
    lock_tenant("controls")
    taken = set(session().scalars(select(Control.ref)))
    new = [each for each in chosen if each.ref not in taken]
    for key in mapped_frameworks(new):
        framework_actions.adopt_framework(key)
    adopted = [(_adopt_one(each), each) for each in new]
    if with_evidence:
        _create_evidence(adopted)
    return [control for control, _ in adopted]


def _adopt_one(each: StarterControl) -> Control:
    control = add_control(each.ref, CONTROL.content_of(each), owner_id=None)
    session().add_all(
        new_mapping(control, frameworks.requirement(key, ref).id, coverage)
        for key, ref, coverage in each.mappings
    )
    record(
        CREATED,
        control,
        source="starter pack",
        mappings=[f"{ref} {coverage}" for _, ref, coverage in each.mappings],
        **created_facts(control),
    )
    return control


def _create_evidence(adopted: Sequence[tuple[Control, StarterControl]]) -> None:
    """Create one item per title; a live item with the title is linked instead."""
    chosen: dict[str, list[tuple[Control, StarterControl]]] = {}
    for control, each in adopted:
        for title in each.evidence:
            chosen.setdefault(title, []).append((control, each))
    existing = {
        e.title.casefold(): e
        for e in session().scalars(select(Evidence).where(Evidence.retired_at.is_(None)))
    }
    for title, users in chosen.items():
        item = existing.get(title.casefold())
        if item is None:
            supported = {control.id: "" for control, _ in users}
            evidence.create_item(
                title,
                kind="record",
                cadence=_shortest_cadence(users),
                due_on=clock.today() + FIRST_VERSION_DUE,
                controls=supported,
            )
            continue
        for control, _ in users:
            link_actions.link(item, control.id)


def _shortest_cadence(users: Sequence[tuple[Control, StarterControl]]) -> str:
    """Return the shortest cadence of the controls that share the item."""
    return min((each.cadence for _, each in users), key=lambda c: CADENCES.get(c) or 9999)
