"""Bulk actions through the front door: no destructive default, and the preview is applied."""

from dataclasses import replace
from datetime import date
from uuid import UUID, uuid4

import pytest
from bs4 import BeautifulSoup
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from governance.assurance.assessments import assessment_actions, assessment_queries, item_actions
from governance.assurance.assessments.models import AssessmentItem
from governance.assurance.controls.models import Control
from governance.assurance.evidence.models import Evidence
from governance.assurance.frameworks import queries as frameworks
from governance.foundation.audit.models import AuditEntry
from governance.foundation.people.models import Membership
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.kernel.work import bulk
from governance.kernel.work.bulk import MAX_ITEMS, BulkItem
from governance.operations.systems import actions as systems
from governance.operations.systems.models import AISystem
from tests import make
from tests.assurance.evidence import evidence_helpers
from tests.bulk_helpers import (
    confirm_bulk,
    confirmation_fields,
    preview_bulk,
    preview_table,
    undo_address,
)

KEY = "nist-ai-rmf-1.0"
LISTS = {"controls": Control, "evidence": Evidence, "requirements": AssessmentItem}


@pytest.fixture
def lists(app, acting):
    """Create two owned rows of each list. Return name → (list, bulk action, ids)."""
    controls = [
        evidence_helpers.create_control(ref, title)
        for ref, title in (("SEC-04", "Penetration test"), ("SEC-05", "Encryption at rest"))
    ]
    pieces = [
        evidence_helpers.create_evidence(title)
        for title in ("Penetration test report", "Key inventory")
    ]
    with acting("compliance_officer"):
        held = assessment_actions.start_assessment(
            frameworks.framework(KEY).id,
            title="Q4 2026",
            period_from=date(2026, 1, 1),
            period_to=date(2026, 12, 31),
        )
        ids = [
            each.row.id
            for each in assessment_queries.items(held.id)
            if each.ref in {"GOVERN 1.1", "GOVERN 1.2"}
        ]
        for item_id in ids:
            item_actions.assign(
                assessment_queries.item(item_id), make.person_id("contributor"), date(2026, 12, 11)
            )
    return {
        "controls": ("controls/", "controls/assign", controls),
        "evidence": ("evidence/", "evidence/assign", pieces),
        "requirements": (f"frameworks/{KEY}/requirements", f"frameworks/{KEY}/assign", ids),
    }


def owners(name, ids):
    """Return the owners of these rows now, in the order of their ids."""
    model = LISTS[name]
    with make.acting("compliance_officer", read_only=True):
        found = {
            row.id: row.owner_id
            for row in session().execute(select(model.id, model.owner_id).where(model.id.in_(ids)))
        }
    return [found[i] for i in ids]


def preselected(html, address):
    """Return the fields of the bulk form as the page shows it at first."""
    form = BeautifulSoup(html, "html.parser").find(
        "form", action=lambda a: a and a.endswith(address)
    )
    fields = {
        f["name"]: f.get("value", "")
        for f in form.find_all("input")
        if f.get("type") in {"hidden", "date"}
    }
    for select_ in form.find_all("select"):
        options = select_.find_all("option")
        fields[select_["name"]] = next((o for o in options if o.has_attr("selected")), options[0])[
            "value"
        ]
    return {name: value for name, value in fields.items() if name != "csrf_token"}


@pytest.mark.parametrize("name", LISTS)
def test_the_bulk_bar_preselects_nothing_that_takes_an_owner_away(as_officer, lists, name):
    page, address, ids = lists[name]
    form = preselected(as_officer.get(page).text, address)
    refused = as_officer.post(address, then=422, ids=[str(i) for i in ids], **form).text
    assert "Choose an owner" in refused
    assert owners(name, ids) == [make.person_id("contributor")] * 2


NONE_OF_THEM = "00000000-0000-0000-0000-000000000000"


def bulk_form(name, owner="reviewer", **more):
    return {"owner_id": "none" if owner is None else str(make.person_id(owner)), **more}


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


ASSIGNED = {
    "controls": "control.assigned",
    "evidence": "evidence.assigned",
    "requirements": "assessment.item.assigned",
}


@pytest.mark.parametrize("name", LISTS)
def test_removing_owners_is_the_last_choice_and_is_previewed(as_officer, lists, name):
    page, address, ids = lists[name]
    bar = BeautifulSoup(as_officer.get(page).text, "html.parser").find("select", id="bulk-owner")
    texts = [option.text for option in bar.find_all("option")]
    assert texts[0] in {"Choose an owner", "Keep each owner"} and texts[-1] == "Remove owner"
    before = len(entries(ASSIGNED[name]))
    shown = preview_bulk(as_officer, address, ids=ids, **bulk_form(name, None))
    assert (
        "Remove the owner of 2" in shown
        and owners(name, ids) == [make.person_id("contributor")] * 2
    )
    as_officer.post(address, **confirmation_fields(shown))
    assert owners(name, ids) == [None, None] and len(entries(ASSIGNED[name])) == before + 2


@pytest.mark.parametrize("name", LISTS)
def test_the_preview_lists_exactly_what_is_applied(as_officer, lists, name):
    """List each change of owner, and list rows that have this owner already apart, unchanged."""
    _, address, ids = lists[name]
    confirm_bulk(as_officer, address, ids=ids[:1], **bulk_form(name))
    before = len(entries(ASSIGNED[name]))
    shown = preview_bulk(as_officer, address, ids=ids, **bulk_form(name))
    [change], [same] = preview_table(shown, "changes"), preview_table(shown, "unchanged")
    assert "Anna Rossi becomes Jun Chen" in change[1] and same[1] == "Jun Chen"
    done = as_officer.post(address, follow=True, **confirmation_fields(shown)).text
    assert owners(name, ids) == [make.person_id("reviewer")] * 2
    assert [str(e.target_id) for e in entries(ASSIGNED[name])[before:]] == [str(ids[1])]
    assert "is now assigned to Jun Chen" in done and undo_address(done)
    again = preview_bulk(as_officer, address, ids=ids, **bulk_form(name))
    assert (
        "Nothing would change" in again
        and not confirmation_fields(again)
        and len(preview_table(again, "unchanged")) == 2
    )


@pytest.mark.parametrize("name", LISTS)
def test_pressed_twice_it_is_applied_once_and_answered_alike(as_officer, lists, name):
    _, address, ids = lists[name]
    before = len(entries(ASSIGNED[name]))
    fields = confirmation_fields(preview_bulk(as_officer, address, ids=ids, **bulk_form(name)))
    first, second = (as_officer.post(address, follow=True, **fields).text for _ in range(2))
    assert undo_address(first) == undo_address(second) is not None
    assert "are now assigned to Jun Chen" in second and len(entries(ASSIGNED[name])) == before + 2


@pytest.mark.parametrize("name", LISTS)
def test_a_preview_that_was_overtaken_is_shown_again_and_nothing_is_applied(
    as_officer, as_admin, lists, name
):
    """Preview again after another confirmation, and apply only the newest list.

    Two tabs cause this, or two people.
    """
    _, address, ids = lists[name]
    fields = confirmation_fields(preview_bulk(as_officer, address, ids=ids, **bulk_form(name)))
    confirm_bulk(as_admin, address, ids=ids[1:], **bulk_form(name, "admin"))
    shown = as_officer.post(address, then=409, **fields).text
    assert owners(name, ids) == [make.person_id("contributor"), make.person_id("admin")]
    assert "Nothing was saved" in shown and "Sanjay Patel becomes Jun Chen" in " ".join(
        map(str, preview_table(shown, "changes"))
    )
    as_officer.post(address, **confirmation_fields(shown))
    assert owners(name, ids) == [make.person_id("reviewer")] * 2


@pytest.mark.parametrize("name", LISTS)
def test_two_tabs_with_the_same_wish_change_nothing_twice(as_officer, as_admin, lists, name):
    _, address, ids = lists[name]
    fields = confirmation_fields(preview_bulk(as_officer, address, ids=ids, **bulk_form(name)))
    confirm_bulk(as_admin, address, ids=ids, **bulk_form(name))
    before = len(entries(ASSIGNED[name]))
    assert "Nothing to change" in as_officer.post(address, follow=True, **fields).text
    assert len(entries(ASSIGNED[name])) == before


@pytest.mark.parametrize("name", LISTS)
def test_an_id_that_is_not_here_refuses_the_whole_selection(as_officer, as_neighbour, lists, name):
    _, address, ids = lists[name]
    foreign = {
        "controls": lambda: evidence_helpers.create_control(owner=None, slug="globex"),
        "evidence": lambda: evidence_helpers.create_evidence("X", None, slug="globex"),
    }
    other = foreign.get(name, lambda: make.person_id("viewer"))()
    for stranger in (other, NONE_OF_THEM, "nonsense"):
        as_officer.post(address, then=404, ids=[str(ids[0]), str(stranger)], **bulk_form(name))
        as_officer.post(address, then=404, seen=[f"{ids[0]}.0", f"{stranger}.0"], **bulk_form(name))
    as_neighbour.post(address, then=404, ids=ids, owner_id=str(make.person_id("admin", "globex")))
    assert owners(name, ids) == [make.person_id("contributor")] * 2


@pytest.mark.parametrize("name", LISTS)
def test_who_may_not_assign_gets_no_bar_and_no_preview(
    as_viewer, as_contributor, as_auditor, lists, name
):
    page, address, ids = lists[name]
    for visitor in (as_viewer, as_contributor, as_auditor):
        visitor.post(address, then=403, ids=ids, **bulk_form(name))
        visitor.post(address, then=403, seen=[f"{ids[0]}.0"], **bulk_form(name))
        assert "bulk-owner" not in visitor.get(page).text


@pytest.mark.parametrize("name", LISTS)
def test_nothing_selected_too_much_selected_and_nobody_who_can_own_are_refused(
    as_officer, lists, name
):
    _, address, ids = lists[name]
    assert "Select at least one" in as_officer.post(address, then=422, **bulk_form(name)).text
    many = [str(uuid4()) for _ in range(MAX_ITEMS + 1)]
    assert (
        f"at most {MAX_ITEMS}"
        in as_officer.post(address, then=422, ids=many, **bulk_form(name)).text
    )
    for nobody in (
        make.person_id("viewer"),
        make.person_id("compliance_officer", "globex"),
        "nonsense",
    ):
        as_officer.post(address, then=422, ids=ids, owner_id=str(nobody))
    assert owners(name, ids) == [make.person_id("contributor")] * 2


def test_what_is_retired_is_named_with_its_reason_and_left_alone(as_officer, lists):
    for name, noun in (("controls", "control"), ("evidence", "evidence item")):
        _, address, ids = lists[name]
        as_officer.post(f"{name}/{ids[0]}/retirement", reason="Replaced.")
        shown = preview_bulk(as_officer, address, ids=ids, **bulk_form(name))
        [blocked] = preview_table(shown, "blocked")
        assert "was retired on" in blocked[1] and f"1 {noun} changes" in shown
        as_officer.post(address, **confirmation_fields(shown))
        assert owners(name, ids) == [make.person_id("contributor"), make.person_id("reviewer")]


def test_a_control_that_is_retired_after_the_preview_brings_the_preview_back(
    as_officer, as_admin, lists
):
    _, address, ids = lists["controls"]
    fields = confirmation_fields(
        preview_bulk(as_officer, address, ids=ids, **bulk_form("controls"))
    )
    as_admin.post(f"controls/{ids[0]}/retirement", reason="Replaced.")
    shown = as_officer.post(address, then=409, **fields).text
    assert (
        "was retired on" in preview_table(shown, "blocked")[0][1]
        and owners("controls", ids) == [make.person_id("contributor")] * 2
    )


def test_a_due_date_alone_keeps_each_owner(as_officer, lists):
    _, address, ids = lists["requirements"]
    as_officer.post(address, then=422, ids=ids, due_on="soon")
    shown = preview_bulk(as_officer, address, ids=ids, due_on="2026-12-18")
    assert "11 December 2026 becomes 18 December 2026" in preview_table(shown, "changes")[0][2]
    assert (
        "2 requirements are due on 18 December 2026."
        in as_officer.post(address, follow=True, **confirmation_fields(shown)).text
    )
    assert owners("requirements", ids) == [make.person_id("contributor")] * 2


def test_a_change_freeze_refuses_the_whole_confirmation_beside_the_preview(
    as_officer, lists, acting
):
    """Reject all of it: evidence and controls are read-only at the auditors' request."""
    _, address, ids = lists["controls"]
    fields = confirmation_fields(
        preview_bulk(as_officer, address, ids=ids, **bulk_form("controls"))
    )
    make.change_freeze()
    assert "read-only" in as_officer.post(address, then=422, **fields).text
    assert owners("controls", ids) == [make.person_id("contributor")] * 2


# ---- the rule itself

VALUES = st.fixed_dictionaries(
    {
        "owner_id": st.sampled_from([None, "ana", "ben"]),
        "due_on": st.sampled_from([None, "mon", "tue"]),
    }
)
WISHES = st.one_of(
    st.fixed_dictionaries({"owner_id": st.sampled_from([None, "ana", "ben"])}),
    VALUES,
    st.just({}),
)
ROWS = st.lists(st.tuples(VALUES, st.sampled_from([None, "retired"])), max_size=8)


def items(rows):
    return [
        BulkItem(UUID(int=n), f"R-{n}", "", "", now, blocked)
        for n, (now, blocked) in enumerate(rows)
    ]


@given(ROWS, WISHES)
def test_applying_a_preview_gives_what_it_lists_and_then_there_is_nothing_left(rows, wish):
    """List each selected row once. After it is applied, the same wish changes nothing."""
    before = items(rows)
    shown = bulk.preview(before, lambda _: wish)
    assert sorted(item.id for item in shown.items) == [item.id for item in before]
    after = {change.item.id: change.after for change in shown.changes}
    assert all(
        change.item.blocked is None and change.after != change.item.now for change in shown.changes
    )
    applied = [replace(item, now=after.get(item.id, item.now)) for item in before]
    again = bulk.preview(applied, lambda _: wish)
    assert again.changes == () and {i.id for i in again.blocked} == {i.id for i in shown.blocked}
    assert {i.id for i in bulk.overtaken(applied, shown.seen)} == set(after)
    assert not bulk.overtaken(before, shown.seen)


@given(ROWS, WISHES, WISHES)
def test_one_press_is_known_by_what_was_seen_and_wished(rows, wish, other):
    seen = bulk.preview(items(rows), lambda _: wish).seen
    assert bulk.confirmation(seen, wish) == bulk.confirmation(dict(reversed(seen.items())), wish)
    assert (bulk.confirmation(seen, wish) == bulk.confirmation(seen, other)) == (wish == other)


# ---- forms with an owner among other fields


def test_an_owner_who_left_is_not_removed_by_saving_another_field(
    as_officer, as_admin, lists, acting
):
    """Keep them in the list: otherwise the browser would send the first choice, no owner."""
    _, _, (item, _) = lists["requirements"]
    with acting("admin"):
        systems.register(
            key="claims-triage",
            stage="live",
            name="Claims triage",
            lane="standard",
            purpose="Sorts.",
            owner_id=make.person_id("contributor"),
        )
        session().scalars(
            select(Membership).where(Membership.person_id == make.person_id("contributor"))
        ).one().ended_at = clock.now()
    steering = preselected(
        as_officer.get(f"assessments/items/{item}/steering").text, f"{item}/steering"
    )
    as_officer.post(f"assessments/items/{item}/steering", **steering | {"target": "2"})
    assert owners("requirements", [item]) == [make.person_id("contributor")]
    edit = as_admin.get("systems/claims-triage/edit").text
    assert "Anna Rossi (can&#39;t own it any more)" in edit
    sent = preselected(edit, "claims-triage/edit") | {
        "name": "Claims desk",
        "purpose": "Sorts claims.",
    }
    as_admin.post("systems/claims-triage/edit", **sent)
    with acting("admin", read_only=True):
        assert session().scalar(select(AISystem.owner_id)) == make.person_id("contributor")
    as_officer.post(
        f"assessments/items/{item}/steering",
        then=422,
        **steering | {"owner_id": str(make.person_id("viewer"))},
    )
