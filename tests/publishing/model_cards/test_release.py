"""The release that a model card describes: served, last evaluated, or chosen by a person."""

import pytest

from governance.kernel import clock
from governance.operations.systems import queries as register
from governance.publishing.model_cards import queries, record
from tests import make
from tests.assurance.frameworks.framework_files import main_text
from tests.publishing.model_cards import card_helpers
from tests.publishing.model_cards.card_helpers import (
    HOME,
    SYSTEM,
    approve,
    choose,
    complete_system,
    evaluated,
    now_digest,
    public_path,
    requested,
    rolled_out,
)

OLD, NEW = "2026.11.2", "2026.12.0"


@pytest.fixture(scope="module")
def complete(module_transaction):
    system_id = complete_system()
    evaluated(299, 1, number=2, at=clock.now(), release=NEW)
    return system_id


@pytest.fixture
def system(complete, database):
    return complete


def described():
    with make.acting("viewer", read_only=True):
        return record.assembled(register.system(SYSTEM)).release


def published():
    with make.acting("viewer", read_only=True):
        return [each.content["release"] for each in queries.versions(register.system(SYSTEM).id)]


def test_without_a_rollout_it_is_the_release_that_was_evaluated_last(system, as_viewer):
    assert described() == NEW
    assert f"{NEW}, which was evaluated last." in main_text(as_viewer.get(f"{HOME}/"))


def test_it_is_the_release_that_people_are_served_also_after_it_was_rolled_back(system, as_viewer):
    rolled_out(system, OLD)
    assert described() == OLD
    assert f"{OLD}, which people are served." in main_text(as_viewer.get(f"{HOME}/"))
    rolled_out(system, NEW, previous=OLD)
    assert described() == NEW
    rolled_out(system, "2026.12.1", previous=OLD, state="rolled_back")
    assert described() == OLD


def test_the_chosen_release_is_in_the_draft_in_the_approval_and_in_the_published_card(
    system, as_officer, as_contributor, client
):
    choose(as_contributor, OLD)
    text = main_text(as_contributor.get(f"{HOME}/preview"))
    assert f"describes release {OLD}" in text and "run 1" in text and "run 2" not in text
    address = requested(as_contributor)
    assert f"{OLD}, chosen by a person" in main_text(as_officer.get(address))
    approve(as_officer, address)
    assert published() == [OLD]
    text = main_text(client.get(public_path()))
    assert f"describes release {OLD}" in text and "Current" in text
    page = as_officer.get(f"{HOME}/").text
    assert "Model card 1 is current" in page and f"{NEW}, evaluated last" in page


def test_a_choice_makes_a_request_void_and_changes_nothing_for_readers(
    system, as_officer, as_contributor, client
):
    card_helpers.publish()
    choose(as_contributor, OLD)
    assert "Claims triage Current" in main_text(client.get(public_path()))
    text = main_text(as_contributor.get(f"{HOME}/"))
    assert "Model card 2 is ready to publish" in text and f"Release from {NEW} to {OLD}" in text
    address = requested(as_contributor)
    choose(as_officer, "", seen=1)
    approve(as_officer, address, then=409, seen="x")
    assert published() == [NEW]


def test_a_card_is_stale_once_people_are_served_another_release(system, client):
    card_helpers.publish()
    evaluated(number=3, at=clock.now(), release="2026.12.1")
    assert "Claims triage Current" in main_text(client.get(public_path()))
    rolled_out(system, OLD)
    text = main_text(client.get(public_path()))
    assert "Claims triage Stale" in text and "Release" in text


def test_a_release_without_a_run_of_its_own_is_refused_by_its_name(system, as_officer):
    reply = choose(as_officer, "2027.1.0", then=422)
    assert "Release 2027.1.0 has no run of its own." in main_text(reply)
    choose(as_officer, "x" * 5000, then=422)
    assert described() == NEW
    rolled_out(system, "2027.1.0")
    text = main_text(as_officer.get(f"{HOME}/"))
    assert "can’t be published yet: 1 thing is missing" in text
    reply = as_officer.post(f"{HOME}/", then=422, seen=now_digest())
    assert "1 thing missing: Release 2027.1.0 has no run of its own." in main_text(reply)
    choose(as_officer, OLD)
    assert "is ready to publish" in main_text(as_officer.get(f"{HOME}/"))


def test_only_who_may_write_chooses_and_two_who_choose_at_once_are_told(
    system, as_officer, as_contributor, as_viewer, as_auditor, as_neighbour
):
    for visitor in (as_viewer, as_auditor):
        assert "Choose release" not in main_text(visitor.get(f"{HOME}/"))
        choose(visitor, OLD, then=403)
    choose(as_neighbour, OLD, then=404)
    choose(as_contributor, OLD)
    reply = choose(as_officer, NEW, then=409)
    assert "chose a release since you opened the card" in main_text(reply)
    assert described() == OLD
    choose(as_officer, OLD, seen=1)  # Repeating it changes nothing.
    choose(as_officer, "", seen=1)
    assert described() == NEW
    with make.acting("viewer", read_only=True):
        row = queries.card_release(system)
        assert (row.release, row.revision) == ("", 2)
        address = f"model-cards/releases/{row.id}"
    assert as_viewer.get(address, then=302).location.endswith(f"{HOME}/")
    as_neighbour.get(address, then=404)
