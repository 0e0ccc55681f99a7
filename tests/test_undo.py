"""Undo through the front door, for the person who acted, within ten minutes.

It restores the earlier values and doesn't affect later changes.
"""

from datetime import date, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select

from governance.app.schedule import JOBS
from governance.assurance.assessments import assessment_actions, assessment_queries, item_actions
from governance.assurance.assessments.models import AssessmentItem
from governance.assurance.controls import actions as controls
from governance.assurance.controls.models import Control, ControlMapping
from governance.assurance.engagements import actions as engaging
from governance.assurance.engagements.models import AuditRequest
from governance.assurance.engagements.requests import actions as requesting
from governance.assurance.evidence import actions as evidence
from governance.assurance.evidence.models import Evidence, EvidenceLink
from governance.assurance.frameworks import queries as frameworks
from governance.assurance.incidents import actions as incidents
from governance.assurance.playbooks import actions as playbooks
from governance.assurance.risks import actions as risks
from governance.assurance.testing import exception_actions as findings
from governance.foundation.audit.models import AuditEntry
from governance.foundation.people.models import Membership
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.kernel.pages import undo
from governance.kernel.pages.undo import UndoOffer
from governance.operations.datasets import actions as data_sets
from governance.operations.systems import actions as systems
from tests import make
from tests.assurance.evidence import evidence_helpers
from tests.bulk_helpers import confirm_bulk, flash_messages, undo_address

KEY = "nist-ai-rmf-1.0"
ANNA, JUN, INES = (
    make.person_id(role) for role in ("contributor", "reviewer", "compliance_officer")
)


def value(column, row_id):
    with make.acting("compliance_officer", read_only=True):
        return session().scalar(select(column).where(column.class_.id == row_id))


def entries(*actions):
    with make.acting("compliance_officer", read_only=True):
        found = (
            session()
            .scalars(
                select(AuditEntry).where(AuditEntry.action.in_(actions)).order_by(AuditEntry.id)
            )
            .all()
        )
        session().expunge_all()
        return found


def undo_last(visitor, page):
    """Press the Undo button of the page that the last request led to."""
    address = undo_address(page.text)
    assert address, "there is no Undo button"
    reply = visitor.post(address, back=page.request.path)
    return flash_messages(visitor.get(reply.location).text)


@pytest.fixture
def control(app, isolated):
    return evidence_helpers.create_control()


@pytest.fixture
def requirement(acting):
    with acting("compliance_officer", read_only=True):
        return frameworks.requirement(KEY, "MEASURE-2.7").id


@pytest.fixture
def item(acting):
    with acting("compliance_officer"):
        held = assessment_actions.start_assessment(
            frameworks.framework(KEY).id,
            title="Q4 2026",
            period_from=date(2026, 1, 1),
            period_to=date(2026, 12, 31),
        )
        return next(
            each.row.id for each in assessment_queries.items(held.id) if each.ref == "MEASURE 2.7"
        )


@pytest.fixture
def request_of(acting):
    """Return an auditor's request that Anna answers: (address of its page, id)."""
    today = clock.today()
    with acting("compliance_officer"):
        held = engaging.open_engagement(
            "Halden & Co",
            framework_id=None,
            period_from=today - timedelta(days=90),
            period_to=today,
            fieldwork_from=today,
            fieldwork_to=today + timedelta(days=30),
        )
        asked = requesting.add_request(held, title="List of leavers", owner_id=ANNA, due_on=today)
        return f"engagements/{held.id}/requests/{asked.id}", asked.id


# ---- reversible actions


def test_an_assignment_of_a_control_is_undone_and_both_are_in_the_log(as_officer, control):
    page = as_officer.post(f"controls/{control}/owner", owner_id=str(JUN), follow=True)
    assert "SEC-04 is now assigned to Jun Chen." in flash_messages(page.text)
    assert "Undone." in undo_last(as_officer, page)
    assert value(Control.owner_id, control) == ANNA
    made, undone = entries("control.assigned")
    assert (
        undone.facts["undoes"] == str(made.id)
        and undone.changes["owner"] == made.changes["owner"][::-1]
    )


def test_an_assignment_of_evidence_is_undone(as_officer):
    piece = evidence_helpers.create_evidence(owner=None)
    page = as_officer.post(f"evidence/{piece}/owner", owner_id=str(JUN), follow=True)
    undo_last(as_officer, page)
    assert value(Evidence.owner_id, piece) is None


def test_removing_an_owner_is_a_choice_and_is_undone(as_officer, control):
    assert (
        "Choose an owner"
        in as_officer.post(f"controls/{control}/owner", then=422, owner_id="").text
    )
    page = as_officer.post(f"controls/{control}/owner", owner_id="none", follow=True)
    assert value(
        Control.owner_id, control
    ) is None and "SEC-04 has no owner now." in flash_messages(page.text)
    undo_last(as_officer, page)
    assert value(Control.owner_id, control) == ANNA


def test_a_bulk_assignment_is_undone_as_a_whole(as_officer, control):
    other = evidence_helpers.create_control("SEC-05", "Encryption at rest", owner="admin")
    page = confirm_bulk(
        as_officer, "controls/assign", ids=[control, other], owner_id=str(JUN), follow=True
    )
    assert "All 2 changes undone." in undo_last(as_officer, page)
    assert (value(Control.owner_id, control), value(Control.owner_id, other)) == (
        ANNA,
        make.person_id("admin"),
    )


def test_mapping_changing_the_coverage_and_unmapping_are_undone(as_officer, control, requirement):
    def coverage():
        with make.acting("compliance_officer", read_only=True):
            return (
                session()
                .scalars(select(ControlMapping.coverage).where(ControlMapping.removed_at.is_(None)))
                .all()
            )

    mapped = as_officer.post(
        f"controls/{control}/mapping", requirement_id=str(requirement), coverage="full", follow=True
    )
    undo_last(as_officer, mapped)
    assert coverage() == []
    as_officer.post(f"controls/answering/{requirement}", control_id=str(control), coverage="full")
    changed = as_officer.post(
        f"controls/{control}/mapping",
        requirement_id=str(requirement),
        coverage="partial",
        follow=True,
    )
    assert coverage() == [
        "partial"
    ] and "SEC-04 now satisfies MEASURE 2.7 partially." in flash_messages(changed.text)
    undo_last(as_officer, changed)
    assert coverage() == ["full"]
    removed = as_officer.post(f"controls/{control}/mapping/{requirement}/remove", follow=True)
    assert coverage() == []
    undo_last(as_officer, removed)
    assert coverage() == ["full"] and [
        e.facts["undoes"] for e in entries("control.mapped")[2:] if "undoes" in e.facts
    ]


def test_linking_another_note_and_unlinking_are_undone_with_their_notes(as_officer, control):
    piece = evidence_helpers.create_evidence()

    def notes():
        with make.acting("compliance_officer", read_only=True):
            return (
                session()
                .scalars(select(EvidenceLink.note).where(EvidenceLink.removed_at.is_(None)))
                .all()
            )

    linked = as_officer.post(
        f"evidence/{piece}/links", control_id=str(control), note="each quarter", follow=True
    )
    undo_last(as_officer, linked)
    assert notes() == []
    as_officer.post(f"evidence/{piece}/links", control_id=str(control), note="each quarter")
    reworded = as_officer.post(
        f"evidence/{piece}/links", control_id=str(control), note="each month", follow=True
    )
    assert notes() == ["each month"]
    undo_last(as_officer, reworded)
    assert notes() == ["each quarter"]
    removed = as_officer.post(f"evidence/{piece}/links/{control}/remove", follow=True)
    undo_last(as_officer, removed)
    assert notes() == ["each quarter"]


def test_retiring_a_control_and_evidence_is_undone_as_if_it_had_never_been(as_officer, control):
    piece = evidence_helpers.create_evidence()
    for address, model, row, action in (
        (f"controls/{control}", Control, control, "control.restored"),
        (f"evidence/{piece}", Evidence, piece, "evidence.restored"),
    ):
        page = as_officer.post(f"{address}/retirement", reason="Replaced.", follow=True)
        assert value(model.retired_at, row) is not None
        undo_last(as_officer, page)
        assert value(model.retired_at, row) is None
        [restored] = entries(action)
        [retired] = entries(action.replace("restored", "retired"))
        assert restored.facts["undoes"] == str(retired.id)
        as_officer.get(address)


def test_target_owner_and_due_date_of_a_requirement_are_undone_together(as_officer, item):
    page = as_officer.post(
        f"assessments/items/{item}/steering",
        target=4,
        owner_id=str(JUN),
        due_on="2026-12-11",
        version=1,
        follow=True,
    )
    undo_last(as_officer, page)
    now = [
        value(column, item)
        for column in (AssessmentItem.target, AssessmentItem.owner_id, AssessmentItem.due_on)
    ]
    assert now == [3, None, None]


def test_the_owner_and_due_date_of_a_request_are_undone(as_officer, request_of):
    address, asked = request_of
    page = as_officer.post(
        f"{address}/owner", owner_id=str(JUN), due_on="2026-12-11", version=1, follow=True
    )
    undo_last(as_officer, page)
    assert (
        value(AuditRequest.owner_id, asked) == ANNA
        and value(AuditRequest.due_on, asked) == clock.today()
    )


def test_what_changes_nothing_offers_no_undo(as_officer, control):
    assert (
        undo_address(
            as_officer.post(f"controls/{control}/owner", owner_id=str(ANNA), follow=True).text
        )
        is None
    )
    with make.acting("compliance_officer", read_only=True):
        assert session().scalar(select(func.count()).select_from(UndoOffer)) == 0


# ---- unaffected changes


def test_a_row_that_somebody_changed_meanwhile_is_left_alone_and_named(
    as_officer, as_admin, control
):
    others = [
        evidence_helpers.create_control(f"SEC-{n:02}", f"Control {n}") for n in range(10, 20)
    ] + [evidence_helpers.create_control("SEC-05", "Encryption at rest")]
    page = confirm_bulk(
        as_officer, "controls/assign", ids=[control, *others], owner_id=str(JUN), follow=True
    )
    as_admin.post(f"controls/{others[-1]}/owner", owner_id=str(make.person_id("admin")))
    said = undo_last(as_officer, page)
    assert (
        "11 of 12 changes undone. SEC-05 Encryption at rest was reassigned by Sanjay Patel." in said
    )
    assert value(Control.owner_id, control) == ANNA and value(
        Control.owner_id, others[-1]
    ) == make.person_id("admin")


def test_a_mapping_and_a_link_that_somebody_changed_meanwhile_are_left_alone(
    as_officer, as_admin, control, requirement
):
    piece = evidence_helpers.create_evidence()
    mapped = as_officer.post(
        f"controls/{control}/mapping", requirement_id=str(requirement), coverage="full", follow=True
    )
    as_admin.post(
        f"controls/{control}/mapping", requirement_id=str(requirement), coverage="partial"
    )
    assert "SEC-04's mapping to MEASURE 2.7 was changed by Sanjay Patel." in undo_last(
        as_officer, mapped
    )
    linked = as_officer.post(
        f"evidence/{piece}/links", control_id=str(control), note="a", follow=True
    )
    as_admin.post(f"evidence/{piece}/links", control_id=str(control), note="b")
    assert "EV-0001's link to SEC-04 was changed by Sanjay Patel." in undo_last(as_officer, linked)


def test_only_the_fields_that_the_change_set_are_restored(as_officer, as_admin, request_of):
    address, asked = request_of
    page = as_officer.post(
        f"{address}/owner", owner_id=str(JUN), due_on=str(clock.today()), version=1, follow=True
    )
    as_admin.post(f"{address}/owner", owner_id=str(JUN), due_on="2026-12-24", version=2)
    undo_last(as_officer, page)
    assert value(AuditRequest.owner_id, asked) == ANNA and value(
        AuditRequest.due_on, asked
    ) == date(2026, 12, 24)


def test_evidence_whose_title_was_taken_meanwhile_stays_retired(as_officer):
    piece = evidence_helpers.create_evidence()
    page = as_officer.post(f"evidence/{piece}/retirement", reason="Replaced.", follow=True)
    evidence_helpers.create_evidence()
    assert (
        "Nothing was undone." in undo_last(as_officer, page)
        and value(Evidence.retired_at, piece) is not None
    )


def test_a_previous_owner_who_left_is_not_made_the_owner_again(as_officer, control):
    page = as_officer.post(f"controls/{control}/owner", owner_id=str(JUN), follow=True)
    with make.acting("admin"):
        session().scalars(
            select(Membership).where(Membership.person_id == ANNA)
        ).one().role = "viewer"
    assert "Nothing was undone. Choose an owner who" in undo_last(as_officer, page)
    assert value(Control.owner_id, control) == JUN


# ---- person, repetition, time limit


def test_undone_twice_is_undone_once(as_officer, control):
    page = as_officer.post(f"controls/{control}/owner", owner_id=str(JUN), follow=True)
    undo_last(as_officer, page)
    as_officer.post(f"controls/{control}/owner", owner_id=str(JUN))
    assert "You already undid this." in undo_last(as_officer, page)
    assert value(Control.owner_id, control) == JUN and len(entries("control.assigned")) == 3


def test_another_person_cannot_undo_it_and_neither_can_another_feature(
    as_officer, as_admin, as_viewer, as_neighbour, control
):  # noqa: PLR0917
    address = undo_address(
        as_officer.post(f"controls/{control}/owner", owner_id=str(JUN), follow=True).text
    )
    as_admin.post(address, then=404)
    as_viewer.post(address, then=403)
    as_neighbour.post(address.replace("/acme/", "/globex/"), then=404)
    as_officer.post(address.replace("/controls/", "/evidence/"), then=404)
    as_officer.post(f"controls/undo/{uuid4()}", then=404)
    assert value(Control.owner_id, control) == JUN


def test_who_lost_the_permission_meanwhile_cannot_undo(as_reviewer, control):
    address = undo_address(
        as_reviewer.post(f"controls/{control}/owner", owner_id=str(INES), follow=True).text
    )
    with make.acting("admin"):
        session().scalars(
            select(Membership).where(Membership.person_id == JUN)
        ).one().role = "viewer"
    as_reviewer.post(address, then=403)
    assert value(Control.owner_id, control) == INES


def test_after_ten_minutes_it_stays_and_the_offer_is_deleted_at_night(as_officer, control):
    address = undo_address(
        as_officer.post(f"controls/{control}/owner", owner_id=str(JUN), follow=True).text
    )
    with clock.frozen(clock.now() + undo.WINDOW + timedelta(seconds=1)):
        assert "You can undo a change for 10 minutes" in as_officer.post(address, then=409).text
    assert value(Control.owner_id, control) == JUN
    with clock.frozen(clock.now() + timedelta(days=1)):
        JOBS["delete old sign-ins"][0]()
    with make.acting("compliance_officer", read_only=True):
        assert session().scalar(select(func.count()).select_from(UndoOffer)) == 0
    as_officer.post(address, then=404)


def test_a_change_freeze_that_began_meanwhile_keeps_the_change(as_officer, control):
    page = as_officer.post(f"controls/{control}/owner", owner_id=str(JUN), follow=True)
    make.change_freeze()
    assert "Nothing was undone. Evidence and controls are read-only" in undo_last(as_officer, page)
    assert value(Control.owner_id, control) == JUN


def test_a_closed_assessment_keeps_the_change(as_officer, item):
    page = as_officer.post(
        f"assessments/items/{item}/steering", target=3, owner_id=str(JUN), version=1, follow=True
    )
    with make.acting("compliance_officer"):
        held = assessment_queries.item(item).assessment_id
        assessment_actions.close_assessment(
            assessment_queries.assessment(held, lock=True), accept_open=True
        )
    assert "Nothing was undone. Q4 2026 was closed on" in undo_last(as_officer, page)
    assert value(AssessmentItem.owner_id, item) == JUN


# ---- appearance and stored data


def test_the_button_is_announced_reached_by_keyboard_and_leads_back(as_officer, control):
    reply = as_officer.post(f"controls/{control}/owner", owner_id=str(JUN), follow=True)
    text = reply.text
    notes = text.index('id="notes" role="status" aria-live="polite"')
    assert (
        notes
        < text.index("data-announce")
        < text.index("data-undo")
        < text.index('<main id="main"')
    )
    assert 'href="#notes"' in text and f'name="back" value="{reply.request.path}"' in text
    for elsewhere in (
        "https://evil.example/",
        "//evil.example/",
        "/t/globex/",
        "/t/acme/\\evil",
        "/t/acme/\r\nX-Planted: yes",
    ):
        address = undo_address(
            as_officer.post(f"controls/{control}/owner", owner_id=str(INES), follow=True).text
        )
        assert as_officer.post(address, back=elsewhere).location == "/t/acme/controls/"


def test_an_offer_holds_ids_and_no_text(as_officer, control):
    piece = evidence_helpers.create_evidence()
    as_officer.post(f"evidence/{piece}/links", control_id=str(control), note="Ask Anna Rossi")
    as_officer.post(f"evidence/{piece}/links", control_id=str(control), note="Ask Jun Chen")
    with make.acting("compliance_officer", read_only=True):
        offers = session().scalars(select(UndoOffer)).all()
        assert len(offers) == 2 and "Ask" not in str([offer.steps for offer in offers])
        assert {UUID(step["target_id"]) for offer in offers for step in offer.steps} == {piece}


def test_every_kind_of_step_that_a_feature_undoes_has_its_restoring_action():
    undoing = (
        controls,
        evidence,
        item_actions,
        requesting,
        systems,
        playbooks,
        data_sets,
        incidents,
        findings,
        risks,
    )
    kinds = [each.UNDOABLE for each in undoing]
    assert set().union(*kinds) == set(undo._restorers) and sum(map(len, kinds)) == len(
        undo._restorers
    )
    with pytest.raises(ValueError, match="declared twice"):
        undo.restores("control.owner")(lambda _step: None)
