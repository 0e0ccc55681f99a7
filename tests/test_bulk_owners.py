"""Bulk changes of owner: previewed, applied once, logged, and undone.

AI systems, data sets, playbooks, incidents, findings and risks have them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import select

from governance.assurance.incidents import actions as incidents
from governance.assurance.incidents.models import Incident
from governance.assurance.playbooks import actions as playbooks
from governance.assurance.playbooks.models import Playbook
from governance.assurance.playbooks.steps import PlaybookStep
from governance.assurance.risks import actions as risks
from governance.assurance.risks.models import Risk
from governance.assurance.risks.risk_record import RiskContent
from governance.assurance.testing import exception_actions, exception_queries
from governance.assurance.testing.models import Finding
from governance.foundation.audit.models import AuditEntry
from governance.kernel import clock
from governance.kernel.data.db import find, session
from governance.operations.datasets import actions as data_sets
from governance.operations.datasets.models import DataSet
from governance.operations.systems import actions as systems
from governance.operations.systems.models import AISystem
from tests import make
from tests.assurance.testing import type2_helpers
from tests.browser import main_words
from tests.bulk_helpers import (
    confirm_bulk,
    confirmation_fields,
    flash_messages,
    preview_bulk,
    preview_table,
    undo_address,
)

ANNA, JUN, SANJAY = (make.person_id(role) for role in ("contributor", "reviewer", "admin"))


def _systems() -> list[Any]:
    return [
        systems.register(
            key=f"claims-{n}",
            stage="live",
            name=f"Claims {n}",
            lane="standard",
            purpose="Sorts.",
            owner_id=ANNA,
        )
        for n in (1, 2)
    ]


def _data_sets() -> list[Any]:
    return [
        data_sets.add(key=f"set-{n}", name=f"Set {n}", description="Rows.", owner_id=ANNA)
        for n in (1, 2)
    ]


def _playbooks() -> list[Any]:
    steps = [PlaybookStep("Look")]
    return [
        playbooks.create(title=f"Outage {n}", used_for="An outage.", steps=steps, owner_id=ANNA)
        for n in (1, 2)
    ]


def _risks() -> list[Any]:
    return [
        risks.create(
            RiskContent(
                title=f"Risk {n}",
                description="It can happen.",
                likelihood=3,
                impact=3,
                treatment="reduce",
            ),
            owner_id=ANNA,
        )
        for n in (1, 2)
    ]


def _incidents() -> list[Any]:
    return [incidents.declare(f"Outage {n}", severity=2, lead_id=ANNA) for n in (1, 2)]


def _findings() -> list[Any]:
    """Create findings, each of an exception of its own, due in a week."""
    found = []
    for ref in ("SEC-07", "SEC-08"):
        control = type2_helpers.create_control(ref)
        sample = type2_helpers.draw_sample(type2_helpers.freeze_population(control))
        type2_helpers.record_results(sample, {1}, "no", "Nobody signed")
        with make.acting("compliance_officer"):
            case = exception_queries.exceptions(control_id=control)[0]
            raised = exception_actions.raise_finding(
                case.exception,
                title=f"Unsigned in {ref}",
                plan="Sign.",
                owner_id=ANNA,
                due_on=clock.today() + timedelta(days=7),
            )
            found.append(raised.id)
    return found


@dataclass(frozen=True)
class Register:
    """A list whose rows have an owner."""

    page: str
    action: str
    owner: Any  # Its column.
    entry: str
    create: Callable[[], Sequence[Any]]

    @property
    def address(self) -> str:
        return f"{self.page}{'' if self.page.endswith('/') else '/'}assign"


REGISTERS = {
    "AI systems": Register(
        "systems/", "system.owner", AISystem.owner_id, "system.assigned", _systems
    ),
    "data sets": Register(
        "data-sets/", "data_set.owner", DataSet.owner_id, "data_set.assigned", _data_sets
    ),
    "playbooks": Register(
        "reliability/playbooks/",
        "playbook.owner",
        Playbook.owner_id,
        "playbook.assigned",
        _playbooks,
    ),
    "incidents": Register(
        "incidents/", "incident.roles", Incident.lead_id, "incident.roles.changed", _incidents
    ),
    "findings": Register(
        "evidence/type-ii/findings",
        "finding.owner",
        Finding.owner_id,
        "finding.assigned",
        _findings,
    ),
    "risks": Register("risks/", "risk.owner", Risk.owner_id, "risk.assigned", _risks),
}
of_each = pytest.mark.parametrize("name", REGISTERS)


@pytest.fixture
def rows(app, isolated, name) -> list[UUID]:
    """Return two rows of the list, both Anna's, in the order of their refs."""
    if name == "findings":
        return _findings()
    with make.acting("compliance_officer"):
        return [each.id for each in REGISTERS[name].create()]


def owners_of(name: str, ids: Sequence[UUID]) -> list[UUID | None]:
    column = REGISTERS[name].owner
    with make.acting("compliance_officer", read_only=True):
        found = dict(
            session()
            .execute(select(column.class_.id, column).where(column.class_.id.in_(ids)))
            .all()
        )
    return [found[each] for each in ids]


def entries(name: str) -> list[AuditEntry]:
    query = select(AuditEntry).where(AuditEntry.action == REGISTERS[name].entry)
    with make.acting("compliance_officer", read_only=True):
        found = list(session().scalars(query.order_by(AuditEntry.id)).all())
        session().expunge_all()
    return found


@of_each
def test_the_preview_is_applied_once_with_an_entry_for_each_row_and_undo_brings_all_back(
    as_officer, rows, name
):
    register = REGISTERS[name]
    shown = preview_bulk(as_officer, register.address, ids=rows, owner_id=str(JUN))
    assert len(
        preview_table(shown, "changes")
    ) == 2 and "Anna Rossi becomes Jun Chen" in main_words(shown)
    assert owners_of(name, rows) == [ANNA, ANNA] and not entries(name)
    fields = confirmation_fields(shown)
    first, second = (as_officer.post(register.address, follow=True, **fields) for _ in range(2))
    assert "are now assigned to Jun Chen" in flash_messages(second.text)
    assert owners_of(name, rows) == [JUN, JUN]
    assert [each.target_id for each in entries(name)] == rows
    address = undo_address(first.text)
    assert address == undo_address(second.text)
    reply = as_officer.post(address, follow=True)
    assert "All 2 changes undone." in flash_messages(reply.text)
    assert owners_of(name, rows) == [ANNA, ANNA]
    made, undone = entries(name)[:2], entries(name)[2:]
    assert [each.facts["undoes"] for each in undone] == [str(each.id) for each in made]


@of_each
def test_a_second_tab_refuses_by_the_name_of_the_row_that_changed(as_officer, as_admin, rows, name):
    register = REGISTERS[name]
    fields = confirmation_fields(
        preview_bulk(as_officer, register.address, ids=rows, owner_id=str(JUN))
    )
    confirm_bulk(as_admin, register.address, ids=rows[1:], owner_id=str(SANJAY))
    again = as_officer.post(register.address, then=409, **fields).text
    [row] = [
        cells[0]
        for cells in preview_table(again, "changes")
        if "Sanjay Patel becomes Jun Chen" in cells[1]
    ]
    ref = {"AI systems": "Claims 2", "data sets": "Set 2"}.get(name, row.split()[0])
    assert f"Changed since you opened the preview: {ref}." in main_words(again)
    assert owners_of(name, rows) == [ANNA, SANJAY]
    as_officer.post(register.address, **confirmation_fields(again))
    assert owners_of(name, rows) == [JUN, JUN]


@of_each
def test_a_row_that_is_over_stays_and_says_why(as_officer, rows, name):
    register = REGISTERS[name]
    fields = confirmation_fields(
        preview_bulk(as_officer, register.address, ids=rows, owner_id=str(JUN))
    )
    with make.acting("compliance_officer"):
        END[name](find(register.owner.class_, rows[0]))
    stale = as_officer.post(register.address, then=409, **fields).text
    [over] = preview_table(stale, "blocked")
    assert any(word in over[1] for word in ("retired", "closed", "awaits its retest")), over
    as_officer.post(register.address, **confirmation_fields(stale))
    assert owners_of(name, rows) == [ANNA, JUN]


def _close_incident(row: Incident) -> None:
    row.state, row.closed_at = "closed", clock.now()


def _fix(row: Finding) -> None:
    exception_actions.report_fixed(row, "Signed.")


END: dict[str, Callable[[Any], None]] = {
    "AI systems": lambda row: systems.retire(row, reason="Replaced."),
    "data sets": lambda row: data_sets.retire(row, reason="Replaced."),
    "playbooks": lambda row: playbooks.retire(row, reason="Replaced."),
    "incidents": _close_incident,
    "findings": _fix,
    "risks": lambda row: risks.close(row, reason="It is gone."),
}


@of_each
def test_undo_leaves_a_row_that_somebody_changed_meanwhile_and_names_it(
    as_officer, as_admin, rows, name
):
    register = REGISTERS[name]
    page = confirm_bulk(as_officer, register.address, ids=rows, owner_id=str(JUN), follow=True).text
    confirm_bulk(as_admin, register.address, ids=rows[:1], owner_id=str(SANJAY))
    said = flash_messages(as_officer.post(undo_address(page), follow=True).text)
    assert "1 of 2 changes undone." in said and "Sanjay Patel" in said
    assert owners_of(name, rows) == [SANJAY, ANNA]


@of_each
def test_who_may_not_assign_gets_no_boxes_and_no_preview(
    as_viewer, as_auditor, as_neighbour, rows, name
):
    register = REGISTERS[name]
    for visitor in (as_viewer, as_auditor):
        visitor.post(register.address, then=403, ids=rows, owner_id=str(JUN))
    assert "data-tick" not in as_viewer.get(register.page).text
    foreign = make.person_id("compliance_officer", "globex")
    as_neighbour.post(register.address, then=404, ids=rows, owner_id=str(foreign))
    assert owners_of(name, rows) == [ANNA, ANNA]


@of_each
def test_unknown_rows_strangers_and_nothing_are_refused(as_officer, rows, name):
    register = REGISTERS[name]
    as_officer.post(register.address, then=404, ids=[rows[0], uuid4()], owner_id=str(JUN))
    stranger = str(make.person_id("compliance_officer", "globex"))
    as_officer.post(register.address, then=422, ids=rows, owner_id=stranger)
    as_officer.post(register.address, then=422, owner_id=str(JUN))
    as_officer.post(register.address, then=422, ids=rows)
    assert owners_of(name, rows) == [ANNA, ANNA]


@pytest.mark.parametrize("name", ["AI systems", "playbooks"])
def test_an_owner_can_be_removed_by_a_choice_of_its_own_and_undo_restores_them(
    as_officer, rows, name
):
    register = REGISTERS[name]
    page = confirm_bulk(as_officer, register.address, ids=rows, owner_id="none", follow=True).text
    assert owners_of(name, rows) == [None, None]
    as_officer.post(undo_address(page))
    assert owners_of(name, rows) == [ANNA, ANNA]


@pytest.mark.parametrize("name", ["incidents", "findings"])
def test_what_must_have_somebody_offers_no_removal(as_officer, rows, name):
    register = REGISTERS[name]
    bar = BeautifulSoup(as_officer.get(register.page).text, "html.parser").find(id="bulk-owner")
    assert "none" not in [option["value"] for option in bar.find_all("option")]
    as_officer.post(register.address, then=422, ids=rows, owner_id="none")
    assert owners_of(name, rows) == [ANNA, ANNA]


# ---- rules of single lists


@pytest.mark.parametrize("name", ["AI systems"])
def test_any_member_can_own_a_system(as_officer, rows, name):
    viewer = make.person_id("viewer")
    confirm_bulk(as_officer, "systems/assign", ids=rows, owner_id=str(viewer))
    assert owners_of(name, rows) == [viewer, viewer]


@pytest.mark.parametrize("name", ["findings"])
def test_a_due_date_alone_keeps_each_owner_and_lies_not_in_the_past(as_officer, rows, name):
    address, day = REGISTERS[name].address, clock.today() + timedelta(days=30)
    before = due_days(rows)
    yesterday = str(clock.today() - timedelta(days=1))
    fields = confirmation_fields(preview_bulk(as_officer, address, ids=rows, due_on=yesterday))
    assert "today or later" in as_officer.post(address, then=422, **fields).text
    assert due_days(rows) == before
    page = confirm_bulk(as_officer, address, ids=rows, due_on=str(day), follow=True).text
    assert due_days(rows) == [day, day] and owners_of(name, rows) == [ANNA, ANNA]
    with clock.frozen(clock.now() + timedelta(minutes=5)):
        as_officer.post(undo_address(page))
    assert due_days(rows) == before


def due_days(ids: Sequence[UUID]) -> list[date]:
    with make.acting("compliance_officer", read_only=True):
        return [find(Finding, each).due_on for each in ids]


@pytest.mark.parametrize("name", ["incidents"])
def test_a_contributor_assigns_only_incidents_in_which_they_have_a_role(
    as_contributor, as_officer, rows, name
):
    confirm_bulk(as_officer, "incidents/assign", ids=rows[1:], owner_id=str(JUN))
    shown = preview_bulk(as_contributor, "incidents/assign", ids=rows, owner_id=str(SANJAY))
    [other] = preview_table(shown, "blocked")
    assert "You have no role in INC-2." in other[1]
    as_contributor.post("incidents/assign", **confirmation_fields(shown))
    assert owners_of(name, rows) == [SANJAY, JUN]


@pytest.mark.parametrize("name", ["incidents"])
def test_the_other_roles_of_an_incident_stay_and_one_form_is_undone_too(as_officer, rows, name):
    roles = {"lead_id": str(ANNA), "communications_id": str(SANJAY), "scribe_id": str(JUN)}
    page = as_officer.post(f"incidents/{rows[0]}/roles", version=1, follow=True, **roles).text
    assert "Roles of INC-1 saved." in flash_messages(page)
    confirm_bulk(as_officer, "incidents/assign", ids=rows, owner_id=str(JUN))
    with make.acting("compliance_officer", read_only=True):
        now = find(Incident, rows[0])
        assert (now.lead_id, now.communications_id, now.scribe_id) == (JUN, SANJAY, JUN)
    as_officer.post(undo_address(page))
    with make.acting("compliance_officer", read_only=True):
        now = find(Incident, rows[0])
        assert (now.lead_id, now.communications_id, now.scribe_id) == (JUN, None, None)
