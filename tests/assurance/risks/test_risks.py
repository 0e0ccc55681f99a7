"""Risks through the front door: create, edit, mitigate, close; and permissions."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import func, select

from governance.assurance.risks import actions, queries, scale_actions, score_actions
from governance.assurance.risks.models import Risk, RiskScore
from governance.assurance.risks.scales import DEFAULT
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.kernel.errors import Invalid
from governance.operations.systems import actions as systems
from governance.operations.systems import queries as system_queries
from tests import make
from tests.assurance.risks import risk_helpers
from tests.assurance.risks.risk_helpers import FORM
from tests.browser import words


def count(model=Risk):
    with make.acting(read_only=True):
        return session().scalar(select(func.count()).select_from(model))


def retire_system(system_id):
    with make.acting():
        systems.retire(system_queries.system(system_id, lock=True), reason="Replaced.")


# ---- creating


def test_an_officer_creates_a_risk_and_a_second_click_creates_none(as_officer):
    assert "No risks yet" in as_officer.get("risks/").text
    system = risk_helpers.create_system()
    form = FORM | {"system_ids": [str(system)], "owner_id": str(make.person_id("contributor"))}
    shown = words(as_officer.post("risks/new", follow=True, **form))
    for part in ("RSK-1", "20 after controls, above the appetite of 9", "Anna Rossi"):
        assert part in shown, part
    as_officer.post("risks/new", **form)
    assert count() == 1 and count(RiskScore) == 1
    entry = risk_helpers.entries("risk.created")[0]
    assert entry.facts["ref"] == "RSK-1" and entry.facts["systems"] == ["claims-triage"]
    listed = words(as_officer.get("risks/"))
    for part in (
        "1 of 1 risk is above appetite",
        "claims-triage",
        "NIST confabulation, LLM09:2025",
        "none mapped",
    ):
        assert part in listed, part


def test_another_risk_of_the_same_title_is_refused(as_officer, as_reviewer):
    as_officer.post("risks/new", **FORM)
    late = as_reviewer.post("risks/new", then=422, **FORM | {"likelihood": "2"})
    assert "RSK-1 already has this title" in late.text
    as_officer.post("risks/new", then=422, **FORM | {"impact": "3"})
    assert count() == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", ""),
        ("title", "x" * 161),
        ("likelihood", "6"),
        ("likelihood", "0"),
        ("likelihood", "often"),
        ("impact", "6"),
        ("impact", ""),
        ("likelihood", ""),
        ("treatment", "ignore"),
        ("sources", ["LLM11:2026"]),
        ("system_ids", [str(uuid4())]),
        ("owner_id", "0190aaaa-0000-7000-8000-000000000000"),
        ("due_on", "2020-01-01"),
        ("due_on", "soon"),
    ],
)
def test_what_a_risk_may_not_be(as_officer, field, value):
    assert "data-errors" in as_officer.post("risks/new", then=422, **FORM | {field: value}).text
    assert count() == 0


def test_a_likelihood_outside_the_scale_is_refused_by_the_action_too(acting):
    with acting(), pytest.raises(Invalid) as refused:
        actions.create(replace(risk_helpers.CONTENT, likelihood=6))
    assert refused.value.field == "likelihood"


def test_a_retired_system_gets_no_new_risk_and_keeps_its_old_one(as_officer):
    system = risk_helpers.create_system()
    risk = risk_helpers.create_risk(system_ids=[system])
    retire_system(system)
    form = FORM | {"system_ids": [str(system)], "title": "Another"}
    as_officer.post("risks/new", then=422, **form)
    with make.acting(), pytest.raises(Invalid, match="was retired"):
        actions.create(replace(risk_helpers.CONTENT, title="Another", system_ids=[system]))
    assert "retired" in words(as_officer.get(f"risks/{risk}"))
    kept = FORM | {"system_ids": [str(system)], "version": "1", "impact": "3"}
    as_officer.post(f"risks/{risk}/edit", **kept)


def test_another_tenants_system_and_control_are_refused(as_officer):
    theirs = risk_helpers.create_system("their-system", slug="globex")
    as_officer.post("risks/new", then=422, **FORM | {"system_ids": [str(theirs)]})
    with make.acting(), pytest.raises(Invalid, match="of the register"):
        actions.create(replace(risk_helpers.CONTENT, system_ids=[theirs]))
    risk = risk_helpers.create_risk()
    control = risk_helpers.create_control_of_globex()
    form = {"control_id": str(control), "reduces": "likelihood", "steps": "1"}
    as_officer.post(f"risks/{risk}/controls", then=422, **form)
    as_officer.post(f"risks/{risk}/controls/{control}/remove", then=404)


# ---- editing


def test_two_people_edit_and_the_second_is_told_which_field_differs(as_officer, as_reviewer):
    risk = risk_helpers.create_risk()
    as_reviewer.post(f"risks/{risk}/edit", **FORM | {"likelihood": "3", "version": "1"})
    late = as_officer.post(
        f"risks/{risk}/edit", then=409, **FORM | {"likelihood": "2", "version": "1"}
    )
    assert "Your entries differ in: likelihood" in late.text and 'value="2"' in late.text
    as_officer.post(f"risks/{risk}/edit", **FORM | {"likelihood": "2", "version": "2"})
    assert risk_helpers.posture(risk).risk.likelihood == 2
    assert len(risk_helpers.entries("risk.changed")) == 2
    assert len(risk_helpers.entries("risk.scored")) == 3


def test_the_same_edit_twice_is_one_edit(as_officer):
    risk = risk_helpers.create_risk()
    for _ in range(2):
        as_officer.post(f"risks/{risk}/edit", **FORM | {"likelihood": "2", "version": "1"})
    assert len(risk_helpers.entries("risk.changed")) == 1


def test_a_contributor_works_on_their_own_risks_only(as_contributor):
    mine = risk_helpers.create_risk()
    theirs = risk_helpers.create_risk("compliance_officer", title="Another")
    as_contributor.post(f"risks/{mine}/edit", **FORM | {"impact": "3", "version": "1"})
    as_contributor.post(f"risks/{theirs}/edit", then=403, **FORM | {"version": "1"})
    as_contributor.post(f"risks/{theirs}/acceptance", then=403, reason="x", expires_on="2027-01-01")
    assert "Add control" in as_contributor.get(f"risks/{mine}").text
    assert "Add control" not in as_contributor.get(f"risks/{theirs}").text
    as_contributor.get("risks/new", then=403)
    as_contributor.get("risks/scale", then=403)


@pytest.mark.parametrize(
    ("who", "status"), [("as_viewer", 403), ("as_auditor", 403), ("as_stranger", 404)]
)
@pytest.mark.parametrize("path", ["edit", "controls", "owner", "close", "acceptance"])
def test_nobody_else_changes_a_risk(database, who, status, path, request):
    risk = risk_helpers.create_risk()
    visitor = request.getfixturevalue(who)
    form = FORM | {"version": "1", "reason": "x", "owner_id": "none", "expires_on": "2027-01-01"}
    visitor.post(f"risks/{risk}/{path}", then=status, **form)
    assert risk_helpers.posture(risk).risk.version == 1
    if status == 403:
        assert "RSK-1" in visitor.get("risks/").text


# ---- controls


def test_the_status_of_a_control_raises_and_lowers_the_score(as_officer):
    risk = risk_helpers.create_risk()
    control = risk_helpers.create_effective_control()
    form = {"control_id": str(control), "reduces": "likelihood", "steps": "3"}
    shown = words(as_officer.post(f"risks/{risk}/controls", follow=True, **form))
    for part in ("8 after controls, within the appetite of 9", "5 − 3 = 2", "−3", "1 control"):
        assert part in shown, part
    as_officer.post(f"risks/{risk}/controls", **form)  # Clicked twice.
    assert len(risk_helpers.entries("risk.control.added")) == 1
    risk_helpers.record_test(control, failed=12)
    shown = words(as_officer.get(f"risks/{risk}"))
    assert "20 after controls, above the appetite of 9" in shown and "Failing" in shown
    assert "1 of 1 fails" in words(as_officer.get("risks/"))


def test_the_hourly_job_keeps_the_score_that_a_control_changed(acting):
    risk, control = risk_helpers.create_risk(), risk_helpers.create_effective_control()
    risk_helpers.mitigate(risk, control)
    with acting():
        assert score_actions.keep_scores() == 0
    risk_helpers.record_test(control, failed=12)
    for changed in (1, 0):
        with acting():
            assert score_actions.keep_scores() == changed
    with acting():
        last = queries.scores(risk)[-1]
        assert (last.residual_likelihood, last.residual_impact) == (5, 4)
        assert last.cause == "GRD-02 is failing, was effective"


def test_a_retired_control_is_not_added_and_earns_nothing(as_officer):
    risk, control = risk_helpers.create_risk(), risk_helpers.create_effective_control()
    risk_helpers.mitigate(risk, control)
    risk_helpers.retire_control(control)
    shown = words(as_officer.get(f"risks/{risk}"))
    assert "20 after controls" in shown and "Retired" in shown
    as_officer.post(f"risks/{risk}/controls/{control}/remove")
    form = {"control_id": str(control), "reduces": "likelihood", "steps": "1"}
    as_officer.post(f"risks/{risk}/controls", then=422, **form)
    assert risk_helpers.posture(risk).mitigations == ()


@pytest.mark.parametrize(
    ("field", "value"), [("steps", "5"), ("steps", "0"), ("reduces", "cost"), ("control_id", "x")]
)
def test_what_a_control_may_not_lower(as_officer, field, value):
    risk, control = risk_helpers.create_risk(), risk_helpers.create_effective_control()
    form = {"control_id": str(control), "reduces": "likelihood", "steps": "1"} | {field: value}
    assert "data-errors" in as_officer.post(f"risks/{risk}/controls", then=422, **form).text


# ---- assigning, closing


def test_an_assignment_and_a_closing_can_be_undone(as_officer):
    risk = risk_helpers.create_risk()
    page = as_officer.post(
        f"risks/{risk}/owner", follow=True, owner_id=str(make.person_id("reviewer"))
    )
    assert "RSK-1 is now assigned to Jun Chen." in page.text
    page = as_officer.post(f"risks/{risk}/close", follow=True, reason="The feature is gone.")
    assert "RSK-1 was closed" in page.text and "No risks yet" in page.text
    assert "RSK-1" in as_officer.get("risks/?state=closed").text
    as_officer.post(f"risks/{risk}/edit", then=422, **FORM | {"version": "1"})
    offer = page.text.partition("/risks/undo/")[2].partition('"')[0]
    as_officer.post(f"risks/undo/{offer}")
    assert risk_helpers.posture(risk).risk.closed_at is None
    assert len(risk_helpers.entries("risk.reopened")) == 1


# ---- the list


def test_the_heat_map_counts_by_number_and_shape_and_leads_to_its_risks(as_viewer):
    risk = risk_helpers.create_risk()
    risk_helpers.mitigate(risk, risk_helpers.create_effective_control())
    risk_helpers.create_risk(title="Outdated wordings", likelihood=2, impact=2, treatment="accept")
    page = as_viewer.get("risks/")
    shown = words(page)
    for part in (
        "Before controls: 1 of 2 above appetite",
        "After controls: 0 of 2 above appetite",
        "Likelihood 5, impact 4, score 20: 1 risk: RSK-1",
        "Likelihood 2, impact 4, score 8: 1 risk: RSK-1",
    ):
        assert part in shown, part
    assert "#s-bad" in page.text and "#s-dot" in page.text
    only = words(as_viewer.get("risks/?residual_at=2x4"))
    assert "1 of 1 risk" in only and "Outdated wordings" not in only


def test_the_list_filters_and_exports_what_it_shows(as_viewer):
    system = risk_helpers.create_system()
    risk_helpers.create_risk(system_ids=[system])
    risk_helpers.create_risk("reviewer", title="Ours", sources=[], likelihood=1, impact=2)
    for query, there, gone in (
        (f"system={system}", "RSK-1", "RSK-2"),
        ("system=all", "RSK-2", "RSK-1"),
        ("source=own", "RSK-2", "RSK-1"),
        ("source=nist", "RSK-1", "RSK-2"),
        ("band=low", "RSK-2", "RSK-1"),
        ("band=above", "RSK-1", "RSK-2"),
        ("acceptance=none", "RSK-1", "RSK-2"),
        (f"owner={make.person_id('reviewer')}", "RSK-2", "RSK-1"),
        ("q=ours", "RSK-2", "RSK-1"),
    ):
        file = as_viewer.get(f"risks/export.csv?{query}").text
        assert there in file and gone not in file, query
    rows = as_viewer.get("risks/export.csv").text.splitlines()
    assert rows[0].startswith("\ufeffRef,") or rows[0].startswith("Ref,")
    assert len(rows) == 3
    assert as_viewer.get("risks/export.xlsx").data[:2] == b"PK"


def test_the_list_reads_as_few_statements_for_many_risks(as_officer, statements):
    system, control = risk_helpers.create_system(), risk_helpers.create_effective_control()
    counts = []
    as_officer.get("risks/")
    for batch in range(2):
        for n in range(1 + 8 * batch):
            risk = risk_helpers.create_risk(title=f"Risk {batch} {n}", system_ids=[system])
            risk_helpers.mitigate(risk, control)
        with statements() as seen:
            as_officer.get("risks/")
        counts.append(len(seen))
    assert counts[1] <= counts[0] <= 12


def test_risks_of_a_system_are_its_own_and_those_of_all(acting):
    system, other = risk_helpers.create_system(), risk_helpers.create_system("ad-copywriter")
    mine = risk_helpers.create_risk(system_ids=[system], likelihood=2)
    everywhere = risk_helpers.create_risk(title="Everywhere")
    risk_helpers.create_risk(title="Other", system_ids=[other])
    with acting(read_only=True):
        assert [each.risk.id for each in queries.risks_of(system)] == [everywhere, mine]


def test_a_system_shows_its_risks_in_a_tab_once_it_has_some(as_viewer, as_stranger):
    system = risk_helpers.create_system()
    assert "/systems/claims-triage/risks" not in as_viewer.get("systems/claims-triage").text
    risk_helpers.create_risk(system_ids=[system])
    assert "/systems/claims-triage/risks" in as_viewer.get("systems/claims-triage").text
    shown = words(as_viewer.get("systems/claims-triage/risks"))
    assert "1 of 1 risk is above appetite" in shown and "RSK-1" in shown
    as_stranger.get("systems/claims-triage/risks", then=404)


# ---- the scale


SCALE = {
    "likelihood": "Rare\nPossible\nLikely\nCertain",
    "impact": "Minor\nMajor\nSevere",
    "low_to": "2",
    "medium_to": "4",
    "high_to": "8",
    "appetite": "4",
    "max_acceptance_days": "90",
    "reason": "The board prefers fewer steps.",
    "version": "1",
}


def test_a_scale_with_other_steps_converts_nothing_and_asks_to_score_again(
    as_officer, as_contributor
):
    risk = risk_helpers.create_risk()
    risk_helpers.accept(risk)
    as_officer.post("risks/scale", **SCALE)
    as_officer.post("risks/scale", **SCALE)  # Clicked twice; the same content changes nothing.
    found = risk_helpers.posture(risk)
    assert found.scale == DEFAULT and not found.is_comparable
    assert found.residual.score == 20 and found.acceptance.name == "stale"
    listed = words(as_officer.get("risks/"))
    assert "1 risk is scored on a scale with other steps." in listed
    assert "own scale, likelihood 1 to 4" in listed
    inbox = words(as_contributor.get("inbox/"))
    assert "Score again: approvals without a valid source" in inbox
    as_officer.post(f"risks/{risk}/edit", then=422, **FORM | {"version": "1"})
    form = as_officer.get(f"risks/{risk}/edit").text
    assert form.count('<option selected value="">Choose a step') == 2
    again = FORM | {"likelihood": "4", "impact": "3", "version": "1"}
    as_officer.post(f"risks/{risk}/edit", **again)
    found = risk_helpers.posture(risk)
    assert found.is_comparable and found.residual.score == 12 and found.band == "critical"
    assert len(risk_helpers.entries("risk.scale.changed")) == 1
    assert risk_helpers.entries("risk.scale.changed")[0].facts["rescore"] == 1


def test_other_names_and_another_appetite_keep_every_score(as_officer):
    risk = risk_helpers.create_risk()
    risk_helpers.accept(risk)
    with make.acting():
        scale_actions.change_scale(replace(DEFAULT, appetite=20), version=1, reason="As agreed.")
    found = risk_helpers.posture(risk)
    assert found.is_comparable and found.scale.number == 2 and not found.is_above_appetite
    assert found.acceptance.name == "accepted"


def test_two_people_change_the_scale_and_the_second_sees_the_differences(as_officer):
    with make.acting("reviewer"):
        scale_actions.change_scale(replace(DEFAULT, appetite=12), version=1, reason="As agreed.")
    late = as_officer.post("risks/scale", then=409, **SCALE)
    assert "Someone else changed the scale" in late.text and 'value="2"' in late.text


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("likelihood", "Rare\nLikely"),
        ("impact", "Same\nSame\nSame"),
        ("high_to", "12"),
        ("low_to", "5"),
        ("appetite", "13"),
        ("max_acceptance_days", "0"),
        ("reason", ""),
    ],
)
def test_what_the_page_of_the_scale_refuses(as_officer, field, value):
    assert "data-errors" in as_officer.post("risks/scale", then=422, **SCALE | {field: value}).text
    with make.acting(read_only=True):
        assert queries.scale() == DEFAULT


def test_a_due_date_in_the_past_stays_only_where_nobody_changes_it(database):
    day = clock.today()
    risk = risk_helpers.create_risk(due_on=day)
    with clock.frozen(clock.now() + timedelta(days=30)), make.acting():
        row = queries.find_risk(risk, lock=True)
        content = replace(risk_helpers.CONTENT, impact=3, due_on=day)
        actions.edit(row, content, version=1)
        with pytest.raises(Invalid, match="today or later"):
            actions.edit(row, replace(content, due_on=day + timedelta(days=1)), version=2)
