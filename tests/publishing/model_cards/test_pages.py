"""Model cards through the front door: rejected, published, stale, withdrawn, public."""

import hashlib
import json

import pytest
import rfc8785
from sqlalchemy import select

from governance.foundation.audit.models import AuditEntry
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.operations.policies import actions as policies
from governance.operations.policies.effective_policies import Content
from governance.operations.systems import actions as systems
from governance.operations.systems import queries as register
from governance.publishing.model_cards import queries, record
from tests import make
from tests.assurance.frameworks.framework_files import main_text
from tests.assurance.incidents import incident_helpers
from tests.browser import field_value
from tests.operations.datasets import data_set_helpers
from tests.publishing.model_cards import card_helpers
from tests.publishing.model_cards.card_helpers import (
    HOME,
    SYSTEM,
    add_finding,
    approve,
    complete_system,
    evaluated,
    now_digest,
    public_path,
    requested,
)


def cards(slug="acme"):
    with make.acting("compliance_officer", slug, read_only=True):
        found = queries.versions(register.system(SYSTEM).id)
        session().expunge_all()
    return found


def entries(action):
    with make.acting("compliance_officer", read_only=True):
        query = select(AuditEntry.facts).where(AuditEntry.action == action)
        return session().scalars(query).all()


@pytest.fixture(scope="module")
def complete(module_transaction):
    return complete_system()


@pytest.fixture
def system(complete, database):
    return complete


def test_another_person_publishes_what_was_requested_with_its_digest_and_in_the_log(
    system, as_officer, as_contributor
):
    page = as_officer.get(f"{HOME}/")
    assert "Model card 1 is ready to publish" in main_text(page)
    assert "run 1" in main_text(as_officer.get(f"{HOME}/preview"))
    address = requested(as_contributor)
    assert "Model card 1 awaits approval" in main_text(as_contributor.get(f"{HOME}/"))
    assert requested(as_officer) == address and cards() == []
    page = main_text(as_officer.get(address))
    assert "publish model card 1 of Claims triage" in page and "n = 300, run 1" in page
    approve(as_officer, address)
    (made,) = cards()
    assert made.number == 1 and made.release == "2026.11.2" and made.sha256 == now_digest()
    assert entries("model_card.published") == [
        {
            "system": SYSTEM,
            "version": 1,
            "release": "2026.11.2",
            "sha256": made.sha256,
            "figures": 2,
            "known_failures": 0,
        }
    ]
    text = main_text(as_officer.get(f"{HOME}/1"))
    assert "Hallucination 0.0%" in text and "Ines Duarte published a model card (1)" in text
    text = main_text(as_officer.get(f"{HOME}/"))
    assert "Model card 1 is current" in text and "Public at http" in text
    assert "Request approval" not in text and "Open approval" not in text


def test_who_requested_it_cant_approve_it(system, as_officer, as_admin):
    address = requested(as_officer)
    assert "another person must decide" in main_text(as_officer.get(address))
    approve(as_officer, address, then=403, seen="x")
    assert cards() == []
    approve(as_admin, address)
    approve(as_admin, address, then=409, seen="x")  # The second of two tabs.
    assert [each.number for each in cards()] == [1]


def test_a_figure_that_changes_makes_a_request_void(system, as_officer, as_contributor):
    address = requested(as_contributor)
    seen = field_value(as_officer.get(address).text, "seen")
    evaluated(299, 1, number=2, at=clock.now())
    reply = approve(as_officer, address, then=409, seen=seen)
    assert "The content has changed since it was requested" in main_text(reply)
    assert cards() == []
    approve(as_officer, requested(as_contributor))
    assert [each.sha256 for each in cards()] == [now_digest()]


def test_a_request_that_is_out_of_date_is_replaced(system, as_officer, as_contributor):
    first = requested(as_contributor)
    evaluated(299, 1, number=2, at=clock.now())
    assert "Request approval" in main_text(as_contributor.get(f"{HOME}/"))
    second = requested(as_contributor)
    assert second != first
    approve(as_officer, first, then=409, seen="x")
    approve(as_officer, second)
    assert len(cards()) == 1


def test_a_figure_that_changes_between_preview_and_publishing_is_not_published(system, as_officer):
    seen = now_digest()
    evaluated(299, 1, number=2, at=clock.now())
    reply = as_officer.post(f"{HOME}/", then=409, seen=seen)
    assert "The record has changed since you opened the card" in main_text(reply)
    assert cards() == []
    as_officer.post(f"{HOME}/", then=409, seen="nonsense")


def test_a_card_that_was_just_published_is_not_published_again(system, as_admin):
    seen = now_digest()
    card_helpers.publish()
    reply = as_admin.post(f"{HOME}/", then=409, seen=seen)
    assert "Ines Duarte has published exactly this as version 1." in main_text(reply)
    assert len(cards()) == 1


def test_only_who_may_publish_does_and_another_tenant_has_nothing(
    system, as_contributor, as_viewer, as_auditor, as_neighbour
):
    seen = now_digest()
    for visitor in (as_viewer, as_auditor):
        assert "Request approval" not in main_text(visitor.get(f"{HOME}/"))
        visitor.post(f"{HOME}/", then=403, seen=seen)
    address = requested(as_contributor)
    approve(as_contributor, address, then=403, seen="x")
    as_viewer.get(address, then=403)
    as_neighbour.get(address, then=404)
    card_helpers.publish()
    as_contributor.get(f"{HOME}/1/withdraw", then=403)
    as_viewer.post(f"{HOME}/1/withdraw", then=403, reason="x")
    as_neighbour.get(f"{HOME}/", then=404)
    as_neighbour.get(f"model-cards/{cards()[0].id}", then=404)
    assert as_viewer.get(f"model-cards/{cards()[0].id}", then=302).location.endswith(f"{HOME}/1")


def test_anybody_with_the_address_reads_the_card_and_nothing_else(system, as_officer, client):
    card_helpers.publish()
    path = public_path()
    text = main_text(client.get(path))
    assert "Claims triage Current" in text and "Ranks incoming claims for adjusters." in text
    assert "Explains cover, deductibles and bills" in text and "Decide on a claim" in text
    assert "at most 3.0%" in text and "300" in text and "version 1" in text
    assert client.get(path).headers["X-Robots-Tag"] == "noindex, nofollow"
    page = client.get(path).text
    assert "/t/acme" not in page and "Ines" not in page and "noindex" in page
    for wrong in ("/model-cards/acme/x", "/model-cards/nobody/x", path.replace("acme", "globex")):
        assert "There is nothing at this address." in client.get(wrong, then=404).text
    client.get(f"{path}/2", then=404)
    client.get(f"/model-cards/acme/{'x' * 500}", then=404)


def test_the_json_has_the_digest_that_anybody_can_compute(system, client):
    card_helpers.publish()
    read = json.loads(client.get(f"{public_path()}/1/card.json").text)
    assert read["sha256"] == hashlib.sha256(rfc8785.dumps(read["card"])).hexdigest()
    assert read["card"]["figures"][0]["run"] == 1 and "run_id" not in read["card"]["figures"][0]


def test_the_ml_bom_is_that_of_the_published_version(system, client):
    data_set_helpers.add_data_set(content=data_set_helpers.described(), uses=[(system, "training")])
    card_helpers.publish()
    path = public_path()
    read = json.loads(client.get(f"{path}/1/ml-bom.json").text)
    assert read["specVersion"] == "1.7" and read["version"] == 1
    assert read["components"][0]["name"] == "Claims triage"
    assert read["components"][0]["licenses"] == [{"license": {"name": "Unknown"}}]
    assert read["components"][-1]["licenses"] == [{"expression": "CC-BY-4.0"}]
    assert "claims-2025, version 1, CC-BY-4.0" in main_text(client.get(path))
    client.get(f"{path}/2/ml-bom.json", then=404)


def test_a_published_card_is_stale_once_an_input_changes_and_says_only_what_readers_know(
    system, as_officer, client, statements
):
    card_helpers.publish()
    evaluated(290, 10, number=2, at=clock.now())
    with make.acting("compliance_officer"):
        found = register.system(SYSTEM)
        systems.edit(
            found,
            seen=systems.revision(found),
            name=found.name,
            purpose="Pays small claims.",
            owner_id=None,
        )
    page = client.get(public_path())
    text = main_text(page)
    assert "Claims triage Stale" in text and "Hallucination; Purpose" in text
    assert "Pays small claims." not in text and "3.3%" not in text
    inside = main_text(as_officer.get(f"{HOME}/1"))
    assert "Pays small claims." in inside and "3.3%" in inside


def test_an_older_version_says_that_there_is_a_newer_one(system, client):
    card_helpers.publish()
    evaluated(290, 1, number=2, at=clock.now())
    card_helpers.publish()
    assert [each.number for each in cards()] == [2, 1]
    text = main_text(client.get(f"{public_path()}/1"))
    assert "There is a newer version." in text and "Replaced" in text and "0.0%" in text
    assert "Claims triage Current" in main_text(client.get(public_path()))


def test_a_withdrawn_card_shows_nothing_of_what_it_said(system, as_officer, as_admin, client):
    card_helpers.publish()
    as_officer.post(f"{HOME}/1/withdraw", then=422, reason=" ")
    as_officer.post(f"{HOME}/1/withdraw", reason="It names a customer.")
    as_officer.post(f"{HOME}/1/withdraw", reason="Again.")  # The second of two clicks.
    reply = client.get(public_path(), then=410)
    assert "was withdrawn on" in main_text(reply)
    assert "Ranks incoming" not in reply.text and "names a customer" not in reply.text
    for name in ("card.json", "ml-bom.json", "card.pdf", "card.pdf.sig"):
        said = client.get(f"{public_path()}/1/{name}", then=410).text
        assert "This model card was withdrawn." in said and "Ranks incoming" not in said
    assert "It names a customer." in main_text(as_officer.get(f"{HOME}/1"))
    assert len(entries("model_card.withdrawn")) == 1
    as_officer.get(f"{HOME}/1/withdraw")
    approve(as_admin, requested(as_officer))
    assert "Model card 2" in main_text(client.get(public_path()))


def test_a_known_failure_is_published_in_the_words_that_a_person_wrote(
    system, as_officer, as_contributor, client
):
    incident = incident_helpers.declare(
        "Globex saw claims of Initech", systems=[system], impact_from=clock.now()
    )
    finding = add_finding(system)
    text = main_text(as_officer.get(f"{HOME}/"))
    assert "Known failure INC-1 has no text." in text
    assert "Known failure EVF-1 has no text." in text
    for kind, source, title in (
        ("incident", incident, "Mixed claims"),
        ("finding", finding, "Wrong"),
    ):
        address = f"{HOME}/failures/{kind}/{source}"
        as_contributor.get(address)
        as_contributor.post(address, seen="0", title=title, text="Stopped on the same day.")
        reply = as_officer.post(address, then=409, seen="0", title=title, text="Other words.")
        assert "wrote this text since you opened it" in main_text(reply)
    assert len(entries("model_card.failure_text.written")) == 2
    card_helpers.publish()
    page = client.get(public_path())
    assert "Mixed claims. Stopped on the same day. Not fixed yet. INC-1" in main_text(page)
    assert "Initech" not in page.text
    incident_helpers.advance(incident, "identified", "monitoring", "resolved")
    assert "Known failure INC-1 is over, and its text is older." in main_text(
        as_officer.get(f"{HOME}/")
    )


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"title": ""}, "Enter a title."),
        ({"text": " "}, "Enter a text."),
        ({"text": "x" * 601}, "600 characters"),
        ({"title": "x" * 81}, "80 characters"),
    ],
)
def test_a_text_that_readers_could_not_use_is_refused(system, as_officer, given, sentence):
    address = f"{HOME}/failures/finding/{add_finding(system)}"
    form = {"seen": "0", "title": "Wrong", "text": "It cited.", **given}
    assert sentence in as_officer.post(address, then=422, **form).text


def test_a_failure_of_another_system_has_no_text_here(system, as_officer, as_viewer):
    as_officer.get(f"{HOME}/failures/finding/{system}", then=404)
    as_officer.get(f"{HOME}/failures/nonsense/{system}", then=404)
    as_viewer.get(f"{HOME}/failures/finding/{add_finding(system)}", then=403)


def test_the_card_of_a_retired_system_stays_as_it_is(system, as_officer, client):
    card_helpers.publish()
    with make.acting("compliance_officer"):
        systems.retire(register.system(SYSTEM), reason="Replaced.")
    assert "Its model card can’t change any more." in main_text(as_officer.get(f"{HOME}/"))
    as_officer.post(f"{HOME}/", then=422, seen=now_digest())
    client.get(public_path())
    as_officer.post(f"{HOME}/1/withdraw", reason="It is gone.")


def test_todays_limits_are_beside_the_verdict_that_a_run_keeps(
    system, as_officer, as_contributor, client
):
    """Tighten the tier after the run; the page shows the new limit next to the old verdict."""
    says = "under the limits of Regulated: undecided, limit 1.0%"
    for address in ("", "preview"):
        assert "under the limits" not in main_text(as_officer.get(f"{HOME}/{address}"))
    with make.acting("admin"):
        policies.tighten_now(Content("regulated"), base=0, reason="Claims need it.")
    for address in ("", "preview"):
        assert says in main_text(as_officer.get(f"{HOME}/{address}"))
    address = requested(as_contributor)
    assert says in main_text(as_officer.get(address))
    approve(as_officer, address)
    path = public_path()
    assert says in main_text(client.get(path))
    figure = client.get(f"{path}/1/card.json").json["card"]["figures"][0]
    assert figure["verdict"] == "pass" and figure["limit"] == 0.03
    assert figure["in_force"] == {"tier": "Regulated", "limit": 0.01, "verdict": "undecided"}


def test_what_is_kept_is_what_the_digest_is_of(system):
    card_helpers.publish()
    (made,) = cards()
    assert record.digest_of(made.content) == made.sha256
