"""Data sets through the front door: add, describe, publish, use, retire."""

import re
from datetime import timedelta
from uuid import uuid4

import pytest

from governance.kernel import clock
from governance.operations.systems import queries as systems
from tests import make
from tests.operations.datasets import data_set_helpers as helpers


def new(who, **more):
    sent = {"name": "Claims of 2025", "key": "claims-2025", "description": "One row each."}
    return who.post("data-sets/new", then=303, **sent | more).location.removesuffix("/draft")


def fields(**more):
    today = clock.today()
    return {
        "provenance": "Claims that customers filed.",
        "licence": "cc-by-4.0",
        "personal_data": "yes",
        "consent_basis": "consent",
        "consent_from": (today - timedelta(days=400)).isoformat(),
        "consent_until": (today + timedelta(days=200)).isoformat(),
        "newest_record": (today - timedelta(days=5)).isoformat(),
        "max_age_days": "90",
        "duplicate_percent": "1.5",
        "row_count": "184200",
        "known_gaps": "No claims of minors.",
        **more,
    }


def describe(who, path, then=303, **more):
    seen = helpers.seen_in(who.get(f"{path}/draft").text)
    return who.post(f"{path}/draft", then=then, **{"seen": seen, **fields(**more)})


def publish(who, path, then=303, **more):
    seen = helpers.seen_in(who.get(f"{path}/publish").text)
    return who.post(f"{path}/publish", then=then, **{"seen": seen, **more})


def test_before_the_first_data_set_the_page_says_what_it_is_for(as_officer, as_viewer):
    assert "No data sets yet" in as_officer.get("data-sets/").text
    assert "New data set" not in as_viewer.get("data-sets/").text


def test_a_data_set_is_added_described_published_and_used(as_officer, as_viewer):
    system_id = helpers.register_system()
    path = new(as_officer)
    assert "without licence" in as_officer.get(path).text.lower()
    assert "can be published" in as_officer.get(describe(as_officer, path).location).text
    publish(as_officer, path)
    as_officer.post(f"{path}/uses", then=303, system_id=system_id, purpose="training")
    text = as_viewer.get(path).text
    assert "Claims of 2025 can be used" in text and "CC-BY-4.0" in text and "184,200" in text
    assert "claims-triage" in text and "Training" in text and "Describe version" not in text


def test_a_version_that_is_published_never_changes_a_change_is_the_next_version(as_officer):
    path = new(as_officer)
    describe(as_officer, path)
    publish(as_officer, path)
    describe(as_officer, path, row_count="190000")
    page = as_officer.get(path).text
    assert "Version 2 is a draft" in page and "184,200" in page and "190,000" not in page
    assert "Enter what changed" in publish(as_officer, path, then=422).text
    publish(as_officer, path, change_note="Claims of December.")
    diff = as_officer.get(f"{path}/versions/2").text
    assert "1 difference from version 1" in diff and "184,200" in diff and "190,000" in diff
    assert "Claims of December." in diff
    assert "1 difference from version 2" in as_officer.get(f"{path}/versions/1?against=2").text
    as_officer.get(f"{path}/versions/3", then=404)


def test_what_is_missing_is_named_before_a_version_is_published(as_officer):
    path = new(as_officer)
    describe(as_officer, path, licence="", known_gaps="")
    text = as_officer.get(f"{path}/publish").text
    assert "needs 2 more fields" in text and "Enter an SPDX identifier" in text
    refused = as_officer.post(f"{path}/publish", then=422, seen="1")
    assert "Enter an SPDX identifier" in refused.text
    assert "Without licence" in as_officer.get("data-sets/").text


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"consent_from": "2026-05-01", "consent_until": "2026-04-30"}, "ends before it begins"),
        ({"duplicate_percent": "100.1"}, "percentage from 0 to 100"),
        ({"duplicate_percent": "-1"}, "percentage from 0 to 100"),
        ({"duplicate_percent": "NaN"}, "percentage from 0 to 100"),
        ({"duplicate_percent": "Infinity"}, "percentage from 0 to 100"),
        ({"oldest_record": "2026-05-01", "newest_record": "2026-04-30"}, "older than the oldest"),
        ({"newest_record": "2099-01-01"}, "future"),
        ({"newest_record": "yesterday"}, "isn&#39;t a date"),
        ({"max_age_days": "0"}, "Enter 1 to"),
        ({"max_age_days": "9" * 400}, ""),
        ({"row_count": "-1"}, "whole number of rows"),
        ({"row_count": "9" * 30}, "whole number of rows"),
        ({"licence": "my licence"}, "SPDX identifier such as"),
        ({"licence_text": "Ours alone."}, "not both"),
        ({"licence": "LicenseRef-Ours"}, "SPDX identifier such as"),
        ({"source_url": "javascript:alert(1)"}, "https://"),
        ({"consent_basis": "not_needed"}, "has personal data"),
        ({"personal_data": "perhaps"}, ""),
        ({"known_gaps": "x" * 5000}, ""),
    ],
)
def test_what_cannot_be_true_is_refused_beside_its_field(as_officer, wrong, says):
    path = new(as_officer)
    answer = describe(as_officer, path, then=422, **wrong)
    assert "Not saved" in answer.text and says in answer.text
    assert "is a draft" not in as_officer.get(path).text


def test_of_two_people_who_describe_a_version_the_second_is_asked_to_review(
    as_officer, as_contributor
):
    path = new(as_officer)
    describe(as_officer, path)
    seen = helpers.seen_in(as_contributor.get(f"{path}/draft").text)
    describe(as_officer, path, row_count="2")
    answer = as_contributor.post(f"{path}/draft", then=409, seen=seen, **fields(row_count="3"))
    assert "Someone else changed version 1" in answer.text
    as_contributor.post(
        f"{path}/draft", then=303, seen=helpers.seen_in(answer.text), **fields(row_count="3")
    )


def test_a_draft_that_changed_since_it_was_reviewed_is_not_published(as_officer):
    path = new(as_officer)
    describe(as_officer, path)
    seen = helpers.seen_in(as_officer.get(f"{path}/publish").text)
    describe(as_officer, path, row_count="2")
    assert (
        "changed or was published" in as_officer.post(f"{path}/publish", then=409, seen=seen).text
    )


def test_a_second_click_publishes_nothing_and_adds_nothing(as_officer):
    system_id = helpers.register_system()
    path = new(as_officer)
    describe(as_officer, path)
    seen = helpers.seen_in(as_officer.get(f"{path}/publish").text)
    as_officer.post(f"{path}/publish", then=303, seen=seen)
    as_officer.post(f"{path}/publish", then=409, seen=seen)
    for _ in range(2):
        as_officer.post(f"{path}/uses", then=303, system_id=system_id, purpose="training")
    text = as_officer.get(path).text
    assert "version 1" in text and text.count("End use") == 1
    sent = {"name": "Claims", "key": "claims-2025", "description": "Again."}
    assert "already has the slug" in as_officer.post("data-sets/new", then=422, **sent).text


def test_who_may_not_publish_may_describe_and_who_may_only_view_may_neither(
    as_contributor, as_viewer, as_officer
):
    path = new(as_contributor)
    describe(as_contributor, path)
    as_contributor.post(f"{path}/publish", then=403, seen="1")
    as_contributor.post(f"{path}/retire", then=403, reason="x")
    as_viewer.post(f"{path}/draft", then=403)
    as_viewer.post("data-sets/new", then=403)
    assert (
        "An admin or a compliance officer can publish it"
        in as_contributor.get(f"{path}/publish").text
    )
    publish(as_officer, path)


def test_retiring_shows_the_systems_that_it_blocks_and_then_blocks_them(as_officer):
    system_id = helpers.register_system()
    data_set_id = helpers.add_data_set(content=helpers.described(), uses=[(system_id, "retrieval")])
    path = f"data-sets/{data_set_id}"
    text = as_officer.get(f"{path}/retire").text
    assert "it blocks 1 AI system" in text and "claims-triage" in text
    as_officer.post(f"{path}/retire", then=422, reason=" ")
    as_officer.post(f"{path}/retire", then=303, reason="Replaced.")
    assert "Rollouts of 1 AI system are blocked" in as_officer.get(path).text
    sent = {"name": "x", "description": "x"}
    assert "was retired" in as_officer.post(f"{path}/edit", then=422, **sent).text
    as_officer.get(f"{path}/draft", then=409)
    use = re.search(r"/uses/([0-9a-f-]+)/end", as_officer.get(path).text)[1]
    as_officer.post(f"{path}/uses/{use}/end", then=303)
    assert "are blocked" not in as_officer.get(path).text


def test_the_record_of_a_system_names_the_versions_that_it_uses(as_officer):
    system_id = helpers.register_system()
    path = new(as_officer)
    as_officer.post(f"{path}/uses", then=303, system_id=system_id, purpose="training")
    describe(as_officer, path)
    publish(as_officer, path)
    assert "claims-2025 1" in as_officer.get("systems/claims-triage").text
    as_officer.post(f"{path}/uses", then=303, system_id=system_id, purpose="evaluation")
    for left in ("claims-2025 1", ""):
        use = re.search(r"/uses/([0-9a-f-]+)/end", as_officer.get(path).text)[1]
        as_officer.post(f"{path}/uses/{use}/end", then=303)
        with make.acting("viewer"):
            assert systems.system(system_id).data_sets == ([left] if left else [])


def test_data_for_evaluations_alone_does_not_change_the_system(as_officer):
    system_id = helpers.register_system()
    helpers.add_data_set(content=helpers.described(), uses=[(system_id, "evaluation")])
    with make.acting("viewer"):
        assert systems.system(system_id).data_sets == []


def test_a_use_names_a_system_of_the_tenant(as_officer):
    theirs = helpers.register_system("their-bot", "globex")
    path = f"data-sets/{helpers.add_data_set()}"
    for system_id in (theirs, uuid4(), "x"):
        as_officer.post(f"{path}/uses", then=422, system_id=system_id, purpose="training")
    ours = helpers.register_system()
    as_officer.post(f"{path}/uses", then=422, system_id=ours, purpose="fun")
    as_officer.post(f"{path}/uses", then=303, system_id=ours, purpose="training")


def test_another_tenants_data_set_is_not_there(as_officer):
    theirs = helpers.add_data_set(slug="globex", content=helpers.described())
    for address in ("", "/draft", "/publish", "/versions/1", "/edit", "/retire"):
        as_officer.get(f"data-sets/{theirs}{address}", then=404)
    as_officer.post(f"data-sets/{theirs}/publish", then=404, seen="0")
    assert str(theirs) not in as_officer.get("data-sets/").text


def test_of_two_people_who_edit_the_name_the_second_is_asked_to_review(as_officer):
    path = f"data-sets/{helpers.add_data_set()}"
    seen = helpers.seen_in(as_officer.get(f"{path}/edit").text)
    sent = {"seen": seen, "description": "One row each.", "owner_id": ""}
    as_officer.post(f"{path}/edit", then=303, name="First", **sent)
    answer = as_officer.post(f"{path}/edit", then=409, name="Second", **sent)
    assert "Someone else changed First" in answer.text


def test_the_list_filters_and_exports_what_it_shows(as_officer):
    system_id = helpers.register_system()
    helpers.add_data_set(
        "old-wordings",
        content=helpers.described(newest_record=helpers.days_ago(100), max_age_days=30),
        uses=[(system_id, "retrieval")],
    )
    helpers.add_data_set("fresh-claims", content=helpers.described())
    stale = as_officer.get("data-sets/?state=stale").text
    assert "old-wordings" in stale and "fresh-claims" not in stale
    used = as_officer.get(f"data-sets/?system={system_id}&purpose=retrieval").text
    assert "old-wordings" in used and "fresh-claims" not in used
    file = as_officer.get("data-sets/export.csv?state=stale").text
    assert "old-wordings" in file and "claims-triage" in file and "fresh-claims" not in file
    assert as_officer.get("data-sets/?sort=-consent").status_code == 200


def test_a_discarded_draft_leaves_the_published_version(as_officer):
    path = new(as_officer)
    describe(as_officer, path)
    publish(as_officer, path)
    describe(as_officer, path, row_count="7")
    as_officer.post(f"{path}/draft/discard", then=303)
    text = as_officer.get(path).text
    assert "is a draft" not in text and "184,200" in text
