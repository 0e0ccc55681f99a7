"""Versions of a system, one per change; substantial changes are detected and notified."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from governance.assurance.assessments import assessment_actions
from governance.assurance.assessments.models import Assessment
from governance.assurance.frameworks import queries as frameworks
from governance.foundation.audit.models import AuditEntry
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.operations.systems import actions, queries
from governance.operations.systems.models import SystemVersion
from tests import make
from tests.assurance.frameworks.framework_files import main_text

TRIAGE = "systems/claims-triage"
FACTS = {
    "name": "Claims triage",
    "purpose": "Sorts claims.",
    "owner_id": "",
    "models": "Helio, helio-4-large, 2026-08",
    "autonomy": "limits",
    "intended_users": "21 adjusters",
}


@pytest.fixture(autouse=True)
def registered_system(database):
    with make.acting("compliance_officer"):
        actions.register(
            key="claims-triage",
            stage="live",
            name="Claims triage",
            lane="high_risk",
            purpose="Sorts claims.",
            owner_id=None,
            facts={
                "models": FACTS["models"],
                "autonomy": "limits",
                "intended_users": "21 adjusters",
            },
        )


def seen(page):
    return re.search(r'name="seen" value="(\w+)"', page.text)[1]


def edit(visitor, *, then=303, form=None, **changed):
    form = form or visitor.get(f"{TRIAGE}/edit")
    return visitor.post(f"{TRIAGE}/edit", then=then, seen=seen(form), **{**FACTS, **changed})


def versions():
    with make.acting("admin", read_only=True):
        return [
            (each.number, each.substantial)
            for each in reversed(queries.versions(queries.system("claims-triage").id))
        ]


def entries(action):
    with make.acting("admin", read_only=True):
        query = select(AuditEntry).where(AuditEntry.action == action).order_by(AuditEntry.at)
        return [each.facts for each in session().scalars(query)]


# ---- each change is a version


def test_every_change_is_a_version_and_an_edit_that_changes_nothing_is_none(as_officer):
    edit(as_officer, team="Claims", reason="Asked by audit.")
    edit(as_officer, team="Claims")
    as_officer.post(f"{TRIAGE}/features/new", key="auto-approve", fallback="A person decides")
    as_officer.post(f"{TRIAGE}/stage", stage="restricted", reason="The limit is missed.")
    assert versions() == [(1, []), (2, []), (3, []), (4, [])]
    listed = main_text(as_officer.get(f"{TRIAGE}/versions"))
    assert "Asked by audit." in listed and "Lifecycle stage" in listed and "Features" in listed
    shown = main_text(as_officer.get(f"{TRIAGE}/versions/2"))
    assert "Version 2 changes 1 field" in shown and "Claims" in shown and "Ines Duarte" in shown
    assert "as registered" in main_text(as_officer.get(f"{TRIAGE}/versions/1"))
    both = main_text(as_officer.get(f"{TRIAGE}/versions/4?against=1"))
    assert "Version 4 changes 3 fields" in both and "auto-approve: A person decides" in both


def test_an_edit_that_leaves_fields_out_keeps_them(as_officer):
    form = as_officer.get(f"{TRIAGE}/edit")
    as_officer.post(
        f"{TRIAGE}/edit", seen=seen(form), name="Triage", purpose="Sorts claims.", owner_id=""
    )
    with make.acting("admin", read_only=True):
        found = queries.system("claims-triage")
        assert (found.name, found.intended_users, found.kind) == (
            "Triage",
            "21 adjusters",
            "system",
        )


def test_what_the_register_says_is_on_the_page(as_officer, as_viewer):
    edit(
        as_officer,
        limits="Doesn't decide on bodily injury\nDoesn't read handwriting",
        sources_control="shown with each approval",
        why_shown="A model sorted your claim.",
        ai_act_class="high_risk",
        ai_act_reason="Annex III, point 5(c).",
        dependencies="Helio Cloud",
    )
    shown = main_text(as_viewer.get(TRIAGE))
    for words in (
        "Doesn't read handwriting",
        "shown with each approval",
        "A model sorted your claim.",
        "High risk (Article 6). Annex III, point 5(c).",
        "Helio helio-4-large 2026-08",
        "Helio Cloud",
        "21 adjusters",
    ):
        assert words in shown.replace("’", "'"), words


def test_a_class_of_the_ai_act_needs_its_reasons(as_officer):
    page = edit(as_officer, then=422, ai_act_class="minimal")
    assert 'href="#ai_act_reason"' in page.text and versions() == [(1, [])]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("models", "helio"),
        ("limits", "x\n" * 60 + "y" * 300),
        ("kind", "robot"),
        ("team", "x" * 201),
    ],
)
def test_a_wrong_fact_is_refused_beside_its_field_and_keeps_what_was_typed(
    as_officer, field, value
):
    page = edit(as_officer, then=422, **{field: value, "why_shown": "Kept words"})
    assert f'href="#{field}"' in page.text and "Kept words" in page.text
    assert versions() == [(1, [])]


def test_of_two_people_editing_one_version_the_second_sees_the_field_and_loses_nothing(
    as_officer, as_reviewer
):
    mine, theirs = as_officer.get(f"{TRIAGE}/edit"), as_reviewer.get(f"{TRIAGE}/edit")
    edit(as_reviewer, form=theirs, intended_users="30 adjusters")
    late = edit(as_officer, then=409, form=mine, intended_users="38,400 policyholders")
    text = main_text(late)
    assert "Intended users" in text and "38,400 policyholders" in text and "30 adjusters" in text
    assert [number for number, _ in versions()] == [1, 2]
    edit(as_officer, form=late, intended_users="38,400 policyholders")
    assert [number for number, _ in versions()] == [1, 2, 3]


def test_a_form_sent_twice_makes_one_version(as_officer):
    form = as_officer.get(f"{TRIAGE}/edit")
    edit(as_officer, form=form, team="Claims")
    edit(as_officer, form=form, team="Claims")
    assert versions() == [(1, []), (2, [])]


# ---- substantial changes


def test_another_model_family_is_a_substantial_change_and_recorded_once(as_officer):
    edit(as_officer, models="Helio, helio-4-small, 2026-09")
    assert versions()[-1] == (2, []) and entries("system.substantial_change.detected") == []
    edit(as_officer, models="Helio, helio-5-medium, 2026-11")
    assert versions()[-1] == (3, ["model_family"])
    assert entries("system.substantial_change.detected") == [
        {"key": "claims-triage", "version": 3, "reasons": ["model_family"]}
    ]
    shown = main_text(as_officer.get(f"{TRIAGE}/versions/3"))
    assert "This is a substantial change." in shown and "the model family changes" in shown
    assert "Substantial change" in main_text(as_officer.get(f"{TRIAGE}/versions"))


def test_data_sets_set_by_their_feature_are_a_version_too(as_officer):
    with make.acting("compliance_officer"):
        system = queries.system("claims-triage", lock=True)
        actions.set_data_sets(system, ["policy-wordings 12"])
        actions.set_data_sets(system, ["policy-wordings 12"])
        actions.set_data_sets(system, ["policy-wordings 13"])
    assert versions() == [(1, []), (2, []), (3, ["data_sets"])]


def start_assessment(title, system):
    today = clock.today()
    return assessment_actions.start_assessment(
        frameworks.framework("nist-ai-rmf-1.0").id,
        title=title,
        scope=system,
        period_from=today - timedelta(days=90),
        period_to=today,
        targets=2,
    )


def test_a_substantial_change_makes_the_systems_assessments_outdated_until_replaced(as_officer):
    with make.acting("compliance_officer"):
        system = queries.system("claims-triage")
        first = start_assessment("Triage, Q3", str(system.id)).id
        other = start_assessment("The organization", "organisation").id
    edit(as_officer, team="Claims")
    assert "must be renewed" not in main_text(as_officer.get(TRIAGE))
    edit(as_officer, team="Claims", purpose="Decides claims.")
    edit(as_officer, team="Claims", purpose="Decides all claims.")
    with make.acting("admin", read_only=True):
        marked = {each.id: each.stale_version for each in session().scalars(select(Assessment))}
        assert marked == {first: 3, other: None}
    assert entries("assessment.outdated") == [
        {"title": "Triage, Q3", "version": 3, "reasons": ["purpose"]}
    ]
    shown = main_text(as_officer.get(TRIAGE))
    assert "1 record must be renewed" in shown and "Assessment Triage, Q3" in shown
    assert "changed substantially" in main_text(as_officer.get(f"assessments/{first}"))
    with make.acting("compliance_officer"):
        start_assessment("Triage, Q4", str(queries.system("claims-triage").id))
    assert "must be renewed" not in main_text(as_officer.get(TRIAGE))


# ---- stored and encrypted


def test_a_version_never_changes_but_for_a_person_who_is_erased(acting):
    with acting("admin"):
        row = session().scalars(select(SystemVersion)).one()
        for change in (
            "UPDATE ai_system_versions SET number = 7",
            "UPDATE ai_system_versions SET content = '{}'",
            "DELETE FROM ai_system_versions",
        ):
            with pytest.raises(DBAPIError), session().begin_nested():
                session().execute(text(change))
        row.content = row.content | {"purpose": "Asked for by [erased]."}
        session().flush()


@pytest.mark.parametrize("path", ["versions", "versions/1", "edit", "stage", "recertify"])
def test_another_tenant_and_strangers_find_nothing(as_neighbour, as_stranger, path):
    as_neighbour.get(f"{TRIAGE}/{path}", then=404)
    as_stranger.get(f"{TRIAGE}/{path}", then=404)


@pytest.mark.parametrize("number", ["2", "0", "99999999999999999999", "x"])
def test_a_version_that_does_not_exist_is_not_found(as_viewer, number):
    as_viewer.get(f"{TRIAGE}/versions/{number}", then=404)


@pytest.mark.parametrize("against", ["1", "x", "-1", "%20", "99999999999"])
def test_nonsense_to_compare_with_is_the_version_before(as_officer, against):
    edit(as_officer, team="Claims")
    as_officer.get(f"{TRIAGE}/versions/2?against={against}")
    as_officer.get(f"{TRIAGE}/versions?before={against}")


def test_pages_of_versions_follow_one_another(as_viewer):
    with make.acting("compliance_officer"):
        system = queries.system("claims-triage", lock=True)
        for number in range(55):
            actions.set_data_sets(system, [f"claims {number}"])
    first = as_viewer.get(f"{TRIAGE}/versions")
    assert "Version 56" in first.text and "Version 6<" not in first.text
    second = as_viewer.get(f"{TRIAGE}/versions?before=7")
    assert "Version 6<" in second.text and "Version 1<" in second.text


def test_a_long_history_costs_no_more_statements(as_viewer, statements):
    def cost(path):
        with statements() as sent:
            as_viewer.get(path)
        return len([each for each in sent if "ai_system" in each])

    few = cost(f"{TRIAGE}/versions")
    with make.acting("compliance_officer"):
        system = queries.system("claims-triage", lock=True)
        for number in range(40):
            actions.set_data_sets(system, [f"claims {number}"])
    assert cost(f"{TRIAGE}/versions") == few <= 2
