"""Erasure of a person by two people: permanent, in the log and everywhere else.

The log still verifies.
"""

import io
import json
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import func, select, text

from governance.foundation.approvals import actions as approvals
from governance.foundation.approvals.kinds import fingerprint_seen
from governance.foundation.approvals.models import Approval
from governance.foundation.approvals.queries import open_approval
from governance.foundation.audit import logs, merkle, personal_field_encryption, proof
from governance.foundation.audit.models import AuditEntry, DataKey, Leaf
from governance.foundation.audit.record import record
from governance.foundation.people import (
    admission_actions,
    invitation_actions,
    member_actions,
    sign_in_rules,
)
from governance.foundation.people import queries as directory
from governance.foundation.people.jobs import actor_of
from governance.foundation.people.models import Invitation, Person, SavedForm, Session
from governance.foundation.privacy import erasure_actions, erasure_list, queries
from governance.foundation.privacy.models import Erasure
from governance.kernel import clock, current
from governance.kernel.data.db import session, transaction
from governance.kernel.errors import Forbidden
from governance.kernel.files import storage
from governance.kernel.work import jobs, outbox
from governance.kernel.work.background_work import run_of
from governance.kernel.work.jobs import WorkItem
from governance.operations.systems import actions as systems
from governance.publishing.reports.models import ReportRun
from tests import faults, make
from tests.foundation.approvals.approval_helpers import decide_approval, fingerprint_on_page
from tests.foundation.privacy.conftest import (
    ADDRESS,
    NAME,
    add_person,
    erase_person,
    erasure_page,
    request_erasure,
    rows_with,
    sequence_and_recheck,
)
from tests.foundation.privacy.conftest import membership_id_of as someone
from tests.row_factory import RowFactory


def entries_about(subject: str) -> list[AuditEntry]:
    every = session().scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
    return [e for e in every if any(s["subject"] == subject for s in e.sealed.values())]


def newest_entry(action: str) -> AuditEntry:
    query = select(AuditEntry).where(AuditEntry.action == action)
    return (
        session().scalars(query.order_by(AuditEntry.at.desc(), AuditEntry.id.desc()).limit(1)).one()
    )


# ---- erased data, and the intact log


def test_after_an_erasure_the_name_is_nowhere_and_the_log_still_verifies(
    as_admin, as_officer, departing_member, acting
):
    with acting("admin"):
        systems.register(
            key="claims-bot",
            stage="live",
            name="Claims bot",
            lane="standard",
            purpose=f"Asked for by {NAME.upper()}, {ADDRESS}.",
            owner_id=departing_member.person_id,
        )
    before = sequence_and_recheck()
    with acting("admin"):
        sealed = entries_about(departing_member.pseudonym)
        places = dict(session().execute(select(Leaf.id, Leaf.index)).all())
        assert (
            len(sealed) >= 2
            and personal_field_encryption.unseal("name", sealed[0].sealed["name"]) == NAME
        )
        assert {"people", "ai_systems"} <= rows_with(NAME)
        session().expunge_all()
    assert before.ok
    path = erase_person(as_officer, as_admin, departing_member)
    with acting("admin"):
        listed = session().scalars(select(Erasure)).one().found
        assert (
            rows_with(NAME)
            == rows_with(ADDRESS)
            == {"audit_entries"}
            == {name.split(".")[0] for name in listed["left"]}
        )
        assert sum(listed["left"].values()) == 1, (
            "the entry that tells the purpose of the system, in the clear"
        )
        again = entries_about(departing_member.pseudonym)
        assert {e.id for e in sealed} <= {e.id for e in again}
        for entry in again:
            assert all(
                personal_field_encryption.unseal(field, s) is None
                for field, s in entry.sealed.items()
                if s["subject"] == departing_member.pseudonym
            )
        assert (
            session().scalar(
                select(func.count())
                .select_from(DataKey)
                .where(DataKey.subject == departing_member.pseudonym)
            )
            == 0
        )
        held = directory.any_membership(departing_member.id)
        assert (
            held.ended_at
            and held.pseudonym != departing_member.pseudonym
            and held.person.name == "Erased person"
            and held.person.email == ""
        )
        assert (
            "Asked for by [erased], [erased]."
            in session().scalars(select(systems.AISystem.purpose)).all()
        )
    after = sequence_and_recheck()
    assert after.ok and after.entries > before.entries
    with acting("admin"):
        now = dict(session().execute(select(Leaf.id, Leaf.index)).all())
        assert places.items() <= now.items()
    page = as_officer.get(path).text
    assert "A person was erased" in page and "Ai systems, purpose" in page and NAME not in page
    assert (
        NAME not in as_officer.get("privacy/").text
        and "Erased person" in as_officer.get("systems/claims-bot").text
    )


def test_a_proof_that_somebody_took_before_holds_after(
    as_admin, as_officer, departing_member, acting
):
    sequence_and_recheck()
    with acting("admin"):
        entry = next(e.id for e in entries_about(departing_member.pseudonym))
        key = logs.verifier(logs.signing_key())
    before = as_officer.get(f"audit/entries/{entry}/proof").text
    erase_person(as_officer, as_admin, departing_member)
    sequence_and_recheck()
    body = as_officer.get(f"audit/entries/{entry}/bytes").data
    index, head = proof.verify(before, body, key)
    again, grown = proof.verify(as_officer.get(f"audit/entries/{entry}/proof").text, body, key)
    assert index == again and grown.size > head.size
    with pytest.raises(merkle.ProofFails):
        proof.verify(before, body.replace(departing_member.pseudonym.encode(), b"f" * 32), key)


@pytest.mark.slow
def test_sessions_invitations_and_letters_lose_what_they_held(
    as_admin, as_officer, departing_member, acting
):
    with acting("admin"):
        sent = invitation_actions.invite_member(
            "nadia@old.example", "viewer", tenant_name="Acme", link="https://console.example"
        )
        sent.email = ADDRESS  # Simulates that an address was invited that became hers.
        outbox.send_mail(ADDRESS, "Welcome", f"Dear {NAME}")
        outbox.send_mail(
            "maya@acme.example",
            "About a colleague",
            f"Dear Maya,\n{NAME} left us. Write to {ADDRESS}.",
        )
        hers = (
            session()
            .scalars(select(Session).where(Session.person_id == departing_member.person_id))
            .one()
        )
        waits = {
            "key": b"k",
            "content": b"c",
            "expires_at": clock.now() + timedelta(hours=1),
            "used_at": None,
        }
        session().add(SavedForm(session_id=hers.id, person_id=departing_member.person_id, **waits))
    with acting("admin"):
        invited = session().scalars(select(Invitation.id)).one()
    erase_path = request_erasure(as_officer, departing_member)
    decide_approval(as_admin, erase_path, verb="approve", typed=NAME)
    jobs.drain(actor_of)
    with acting("admin"):
        row = (
            session()
            .scalars(select(Session).where(Session.person_id == departing_member.person_id))
            .one()
        )
        assert row.ended_at and (row.browser, row.network, row.id_token) == ("", "", b"")
        assert session().scalars(select(SavedForm)).all() == []
        invitation = session().scalars(select(Invitation).where(Invitation.id == invited)).one()
        assert invitation.email == "" and invitation.withdrawn_at
        letters = [
            i.params for i in session().scalars(select(WorkItem).where(WorkItem.kind == "mail"))
        ]
        assert {
            "to": "maya@acme.example",
            "subject": "About a colleague",
            "body": "",  # It was delivered.
        } in letters
        assert rows_with(NAME) == set() and rows_with(ADDRESS) == set()


@pytest.mark.slow
def test_an_earlier_name_and_address_go_too(as_admin, as_officer, departing_member, acting):
    changed = make.identity("acme", "Nadia Sommer", "nadia.sommer@acme.example")
    key = departing_member.person_id
    with current.acting_as(make.system_actor("acme")), transaction(person_id=key):
        person = session().get(Person, key)
        record(
            admission_actions.PERSON_RENAMED,
            person,
            about=key,
            before={"name": person.name, "email": person.email},
            after={"name": changed.name, "email": changed.email},
        )
        person.name, person.email = changed.name, changed.email
    with acting("admin"):
        systems.register(
            key="claims-bot",
            stage="live",
            name="Claims bot",
            lane="standard",
            purpose=f"By {NAME}, now Nadia Sommer.",
            owner_id=None,
        )
    erase_person(as_officer, as_admin, departing_member, name="nadia  SOMMER")
    with acting("admin"):
        left = session().scalars(select(Erasure)).one().found["left"]
        assert [
            rows_with(w) - {name.split(".")[0] for name in left}
            for w in (NAME, ADDRESS, "Nadia Sommer", changed.email)
        ] == [set()] * 4
        assert (
            session().scalars(select(systems.AISystem.purpose)).one()
            == "By [erased], now [erased]."
        )


@pytest.mark.slow
def test_the_address_that_was_invited_is_sealed_no_longer(as_admin, as_officer, acting, database):
    with acting("admin"):
        invitation_actions.invite_member(
            ADDRESS, "viewer", tenant_name="Acme", link="https://console.example"
        )
        sent = newest_entry("invitation.sent").sealed["email"]
        assert personal_field_encryption.unseal("email", sent) == ADDRESS
    erase_person(as_officer, as_admin, add_person())
    with acting("admin"):
        assert personal_field_encryption.unseal("email", sent) is None


def test_of_what_was_requested_about_the_person_no_text_stays(
    as_admin, as_officer, as_reviewer, acting, database
):
    """Remove a name of one word, too, which no other text is searched for."""
    member = add_person(name="Nadia", address="nadia@acme.example")
    first = request_erasure(as_officer, member, reason="Nadia wants it")
    decide_approval(as_admin, first, verb="reject", reason="Nadia is still with us")
    as_officer.post("privacy/unmaskings/new", subject=member.pseudonym, reason="Was it Nadia?")
    erase_person(as_officer, as_admin, member, name="Nadia")
    with acting("admin"):
        texts = session().execute(select(Approval.summary, Approval.reason, Approval.note)).all()
        assert len(texts) == 3 and not any("Nadia" in text for row in texts for text in row)
    assert "Nadia" not in as_admin.get(first).text


def test_mail_about_the_request_does_not_name_the_person(as_admin, as_officer, acting, database):
    """Remove a name of one word from pending mail, too."""
    path = request_erasure(as_officer, add_person(name="Nadia", address="nadia@acme.example"))
    as_officer.post(f"{path}/reminders", person=str(make.person_id("admin")))
    as_admin.post(f"{path}/comments", text="Is it urgent?")
    with acting("admin"):
        letters = [
            i.params for i in session().scalars(select(WorkItem).where(WorkItem.kind == "mail"))
        ]
    assert len(letters) == 2 and not any(
        "Nadia" in text for letter in letters for text in letter.values()
    )
    assert all("Erasure" in letter["body"] for letter in letters)


def test_the_reason_of_who_approved_is_in_the_log_until_the_person_is_erased(
    as_admin, as_officer, departing_member, acting
):
    path = request_erasure(as_officer, departing_member)
    decide_approval(as_admin, path, verb="approve", typed=NAME, reason="Nadia signed the form")
    with acting("admin"):
        sealed = newest_entry("approval.approved").sealed["reason"]
        assert personal_field_encryption.unseal("reason", sealed) == "Nadia signed the form"
    assert "Nadia signed the form" in as_officer.get(path).text
    jobs.drain(actor_of)
    with acting("admin"):
        assert personal_field_encryption.unseal("reason", sealed) is None


def test_what_cannot_be_changed_is_counted_and_said(as_admin, as_officer, departing_member, acting):
    with acting("admin"):
        systems.register(
            key="nadia-bot",
            stage="live",
            name=f"Bot of {NAME}",
            lane="standard",
            purpose="Sorts claims.",
            owner_id=None,
        )
    path = erase_person(as_officer, as_admin, departing_member)
    with acting("admin"):
        left = session().scalars(select(Erasure)).one().found["left"]
        named = rows_with(NAME)
    assert named == {name.split(".")[0] for name in left} == {"audit_entries"}
    assert "the log is append-only" in as_admin.get(path).text


@pytest.mark.slow
def test_a_report_that_names_the_person_is_withdrawn_and_can_be_made_again(
    as_admin, as_officer, departing_member, acting
):
    blob = storage.store().write(
        make.system_actor("acme").tenant_id, io.BytesIO(b"%PDF of her"), limit=100
    )
    other = storage.store().write(
        make.system_actor("acme").tenant_id, io.BytesIO(b"%PDF of others"), limit=100
    )
    with acting("admin"):
        rows = RowFactory()
        values = rows.values(ReportRun.__table__) | {
            "pages": 1,
            "pdf_size": 11,
            "finished_at": clock.now(),
            "requested_by": None,
        }
        for key, said in ((blob, NAME), (other, "Anna Rossi")):
            given = {
                "id": uuid4(),
                "snapshot": {
                    "owner": f"Owned by\n{said}",
                    "document": {"number": "ACME-2026", "version": "1.0"},
                },
                "fingerprint": "f" * 64,
                "pdf_key": key.key,
                "pdf_sha256": key.sha256,
            }
            session().execute(ReportRun.__table__.insert().values(values | given))
    path = erase_person(as_officer, as_admin, departing_member)
    with acting("admin"):
        hers, theirs = (
            session().scalars(select(ReportRun).where(ReportRun.pdf_sha256 == b.sha256)).one()
            for b in (blob, other)
        )
        assert hers.is_withdrawn and hers.snapshot is None and hers.finished_at and hers.fingerprint
        assert hers.parameters["document"] == {"number": "ACME-2026", "version": "1.0"}
        assert not theirs.is_withdrawn and theirs.snapshot
        run = hers.id
    assert not storage.store().exists(blob.key) and storage.store().exists(other.key)
    assert "Withdrawn" in as_officer.get("reports/").text
    assert "named a person who was erased" in as_officer.get(f"reports/{run}").text
    as_officer.post(f"reports/{run}/pdf", then=409)
    assert "1 report" in as_officer.get(path).text


@pytest.mark.slow
def test_other_names_and_words_stay_as_they_are(as_admin, as_officer, acting, database):
    member = add_person(name="Al Done", address="al@acme.example")
    with acting("admin"):
        systems.register(
            key="al-bot",
            stage="live",
            name="Alt",
            lane="standard",
            purpose=(
                "Al Doneski and Anna Rossi; other.al@acme.example, al@acme.example.example; Al"
                " Done: done."
            ),
            owner_id=None,
        )
    erase_person(as_officer, as_admin, member, name="Al Done")
    with acting("admin"):
        assert (
            session()
            .scalars(select(systems.AISystem.purpose).where(systems.AISystem.key == "al-bot"))
            .one()
            == "Al Doneski and Anna Rossi; other.al@acme.example, al@acme.example.example;"
            " [erased]: done."
        )


@pytest.mark.slow
def test_a_name_of_one_word_is_not_replaced_by_machine_and_the_page_says_so(
    as_admin, as_officer, acting, database
):
    member = add_person(name="queued", address="queued@acme.example")
    with acting("admin"):
        waiting = jobs.enqueue(
            "mail", to="x@acme.example", subject="x", body="Ask queued@acme.example"
        ).id
    path = request_erasure(as_officer, member)
    assert "a single word can mean other things" in as_admin.get(path).text
    decide_approval(as_admin, path, verb="approve", typed="queued")
    with current.acting_as(make.system_actor("acme")), transaction(person_id=member.person_id):
        erasure_actions.finish_erasure(
            queries.erasure(session().scalars(select(Erasure.id)).one(), lock=True),
            directory.any_membership(member.id),
        )
        item = session().scalars(select(WorkItem).where(WorkItem.id == waiting)).one()
        assert item.state == "queued" and item.params["body"] == "Ask [erased]"


# ---- another tenant


@pytest.mark.slow
def test_who_is_known_to_another_tenant_keeps_their_name_there_and_has_none_here(
    as_admin, as_officer, departing_member, acting
):
    add_person("globex", "viewer")
    with acting("compliance_officer", "globex"):
        kept = newest_entry("membership.started").sealed["name"]
    path = erase_person(as_officer, as_admin, departing_member)
    with acting("compliance_officer", "globex"):
        assert directory.names([departing_member.person_id]) == {departing_member.person_id: NAME}
        assert personal_field_encryption.unseal("name", kept) == NAME
    with acting("compliance_officer"):
        assert directory.names([departing_member.person_id]) == {
            departing_member.person_id: "Erased person"
        }
        assert session().scalars(select(Erasure)).one().found["left"] == {"people.name": 1}
    page = as_officer.get(path).text
    assert NAME not in page and "another tenant has this person as a member" in page


def test_the_account_of_an_erased_person_does_not_join_again(
    as_admin, as_officer, departing_member, acting
):
    erase_person(as_officer, as_admin, departing_member)
    who = make.identity("acme", NAME, ADDRESS)
    with acting("admin"):
        invitation_actions.invite_member(
            ADDRESS, "viewer", tenant_name="Acme", link="https://console.example"
        )
    with acting("admin"), pytest.raises(sign_in_rules.NoMembership, match="was erased at Acme"):
        admission_actions.admit(who, None)


def test_another_tenants_members_and_erasures_are_not_found(
    as_officer, as_neighbour, as_stranger, departing_member
):
    path = request_erasure(as_officer, departing_member)
    as_neighbour.post("privacy/erasures/new", then=404, member=str(departing_member.id), reason="x")
    for page in (path, erasure_page()):
        as_neighbour.get(page.replace("/t/acme/", "/t/globex/"), then=404)
        as_stranger.get(page, then=404)
    decide_approval(as_neighbour, path.replace("/t/acme/", "/t/globex/"), 404, verb="approve")
    as_neighbour.post(erasure_page().replace("/t/acme/", "/t/globex/") + "/runs", then=404)
    assert NAME not in as_neighbour.get("privacy/erasures/new").text


# ---- two people


def test_it_takes_a_second_person(as_officer, as_admin, departing_member, acting):
    path = request_erasure(as_officer, departing_member)
    assert "can’t approve your own request" in as_officer.get(path).text
    decide_approval(as_officer, path, 403, verb="approve", typed=NAME)
    with acting("compliance_officer"):
        assert queries.open_erasure(departing_member.pseudonym).state == "requested"


def test_nobody_approves_their_own_erasing(
    as_officer, as_reviewer, as_admin, acting, departing_member
):
    member = someone("reviewer")
    path = request_erasure(as_officer, member)
    assert "It is about you, so another person must decide." in as_reviewer.get(path).text
    decide_approval(as_reviewer, path, 403, verb="approve", typed="Jun Chen")


def test_the_name_is_typed(as_officer, as_admin, departing_member):
    path = request_erasure(as_officer, departing_member)
    for typed in ("", "Nadia", "erase"):
        assert (
            "exactly as shown"
            in decide_approval(as_admin, path, 422, verb="approve", typed=typed).text
        )


def test_an_approval_of_something_else_than_was_seen_is_refused(
    as_officer, as_admin, departing_member, acting
):
    path = request_erasure(as_officer, departing_member)
    seen = fingerprint_on_page(as_admin, path)
    with acting("admin"):
        member_actions.change_role(directory.membership(departing_member.id), "viewer")
    assert (
        "has changed since you opened"
        in decide_approval(as_admin, path, 409, verb="approve", seen=seen, typed=NAME).text
    )
    decide_approval(as_admin, path, 303, verb="approve", typed=NAME)


def test_a_withdrawn_or_refused_request_cannot_be_approved(as_officer, as_admin, departing_member):
    path = request_erasure(as_officer, departing_member)
    seen = fingerprint_on_page(as_admin, path)
    decide_approval(as_admin, path, 403, verb="withdraw")
    decide_approval(as_officer, path, verb="withdraw")
    decide_approval(as_admin, path, 409, verb="approve", seen=seen, typed=NAME)
    again = request_erasure(as_officer, departing_member)
    assert again != path
    decide_approval(as_admin, again, 422, verb="reject", reason=" ")
    decide_approval(as_admin, again, verb="reject", reason="She is still with us.")
    decide_approval(as_admin, again, 409, verb="approve", seen=seen, typed=NAME)
    assert "The erasure was rejected" in as_admin.get(erasure_page()).text
    assert "What it affects" not in as_admin.get(again).text, "nothing was affected"


def test_a_double_click_asks_and_erases_once(as_officer, as_admin, departing_member, acting):
    path = request_erasure(as_officer, departing_member)
    assert request_erasure(as_officer, departing_member) == path
    seen = fingerprint_on_page(as_admin, path)
    decide_approval(as_admin, path, verb="approve", seen=seen, typed=NAME)
    decide_approval(as_admin, path, verb="approve", seen=seen, typed=NAME)
    jobs.drain(actor_of)
    with acting("admin"):
        assert (
            session().scalar(
                select(func.count())
                .select_from(AuditEntry)
                .where(AuditEntry.action == "person.erased")
            )
            == 1
        )


def test_an_old_sign_in_does_not_approve(app, as_officer, departing_member, acting):
    from datetime import timedelta

    from tests.browser import Visitor

    path = request_erasure(as_officer, departing_member)
    stale = Visitor(app, make.cookie("admin", signed_in_ago=timedelta(minutes=6)))
    decide_approval(
        stale, path, 401, verb="approve", seen=fingerprint_on_page(stale, path), typed=NAME
    )
    jobs.drain(actor_of)
    with acting("admin"):
        assert queries.erasures()[0].state == "requested"
        assert directory.any_membership(departing_member.id).person.name == NAME


@pytest.mark.parametrize("who", ["as_contributor", "as_viewer", "as_auditor"])
def test_others_may_neither_ask_nor_see(who, request, departing_member, as_officer):
    visitor, path = request.getfixturevalue(who), request_erasure(as_officer, departing_member)
    visitor.get("privacy/", then=403)
    hidden = 404 if who == "as_contributor" else 403  # Contributors take part in other approvals.
    visitor.get(path, then=hidden)
    visitor.get(erasure_page(), then=403)
    visitor.post("privacy/erasures/new", then=403, member=str(departing_member.id), reason="x")
    decide_approval(visitor, path, hidden, verb="approve", typed=NAME)


def test_the_last_admin_cannot_be_erased(as_officer, acting, database):
    member = someone("admin")
    assert "is the only tenant admin" in request_erasure(as_officer, member, 422)


def test_nonsense_is_named(as_officer, departing_member):
    as_officer.post("privacy/erasures/new", then=422, member="x", reason="y")
    as_officer.post("privacy/erasures/new", then=422, member=str(departing_member.id), reason=" ")
    as_officer.post("privacy/erasures/new", then=404, member=str(uuid4()), reason="x")
    path = request_erasure(as_officer, departing_member)
    decide_approval(as_officer, path, 422, verb="delete")


# ---- legal holds


@pytest.mark.parametrize("on", ["person", "tenant"])
def test_a_legal_hold_blocks_asking_and_approving_and_both_are_recorded(
    on, as_officer, as_admin, departing_member, acting
):
    path = request_erasure(as_officer, departing_member)
    seen = fingerprint_on_page(as_admin, path)
    as_officer.post(
        "privacy/holds/new",
        member=str(departing_member.id) if on == "person" else "",
        reason="Case 4711",
    )
    assert (
        "legal hold"
        in decide_approval(as_admin, path, 409, verb="approve", seen=seen, typed=NAME).text
    )
    decide_approval(as_officer, path, verb="withdraw")
    assert "blocks this erasure" in request_erasure(as_officer, departing_member, 422)
    with acting("admin"):
        blocked = (
            session()
            .scalars(
                select(AuditEntry)
                .where(AuditEntry.action == "erasure.blocked")
                .order_by(AuditEntry.at)
            )
            .all()
        )
        assert [e.facts["step"] for e in blocked] == ["approved", "requested"] and {
            e.outcome for e in blocked
        } == {"denied"}
        hold = queries.holds()[0].id
    as_admin.post(f"privacy/holds/{hold}/release", reason="Case closed")
    as_admin.post(f"privacy/holds/{hold}/release", then=422, reason="Case closed")
    erase_person(as_officer, as_admin, departing_member)


def test_a_hold_on_somebody_else_blocks_nothing(as_officer, as_admin, departing_member, acting):
    other = someone("viewer")
    as_officer.post("privacy/holds/new", member=str(other.id), reason="Case 4711")
    erase_person(as_officer, as_admin, departing_member)
    with acting("admin"):
        assert queries.erasures()[0].state == "done"
        assert directory.any_membership(departing_member.id).person.name != NAME


def test_a_hold_between_approval_and_work_stops_it(as_officer, as_admin, departing_member, acting):
    path = request_erasure(as_officer, departing_member)
    decide_approval(as_admin, path, verb="approve", typed=NAME)
    as_officer.post("privacy/holds/new", member=str(departing_member.id), reason="Case 4711")
    jobs.drain(actor_of)
    with acting("admin"):
        erasure = queries.erasures()[0]
        assert erasure.state == "rejected" and "legal hold" in run_of(erasure).work.error
        assert directory.any_membership(departing_member.id).person.name == NAME
    assert erasure_list.everything() == []


def test_what_has_begun_takes_no_hold(as_officer, as_admin, departing_member, acting):
    path = request_erasure(as_officer, departing_member)
    decide_approval(as_admin, path, verb="approve", typed=NAME)
    with acting("admin"):
        erasure_actions.begin_erasure(queries.erasures()[0])
    assert (
        "has started and can"
        in as_officer.post(
            "privacy/holds/new", then=422, member=str(departing_member.id), reason="x"
        ).text
    )


# ---- killed


def test_killed_between_the_list_and_the_rows_it_goes_on_and_is_done_once(
    as_officer, as_admin, departing_member, acting, isolated
):
    path = request_erasure(as_officer, departing_member)
    decide_approval(as_admin, path, verb="approve", typed=NAME)
    with (
        faults.killed_in_transaction_of(isolated, "UPDATE memberships"),
        pytest.raises(faults.Killed),
    ):
        jobs.drain(actor_of)
    first = erasure_list.everything()
    with acting("admin"):
        assert (
            directory.any_membership(departing_member.id).person.name == NAME
            and first[0].subject == departing_member.pseudonym
        )
        session().execute(jobs.WorkTicket.__table__.update().values(ready_at=clock.now()))
    assert jobs.drain(actor_of) == 1
    assert erasure_list.everything() == first
    with acting("admin"):
        assert rows_with(NAME) == set()
        assert (
            session().scalar(
                select(func.count())
                .select_from(AuditEntry)
                .where(AuditEntry.action == "person.erased")
            )
            == 1
        )


def test_a_store_that_is_away_erases_nothing_and_is_tried_again(
    as_officer, as_admin, departing_member, acting, tmp_path
):
    path = request_erasure(as_officer, departing_member)
    decide_approval(as_admin, path, verb="approve", typed=NAME)
    (tmp_path / "no folder").write_text("a file")
    storage.use(f"file:{tmp_path / 'no folder'}")
    jobs.drain(actor_of)
    with acting("admin"):
        assert (
            directory.any_membership(departing_member.id).person.name == NAME
            and run_of(queries.erasures()[0]).state == "queued"
        )


def test_a_failed_erasure_is_retried_and_one_under_way_is_neither_retried_nor_cancelled(
    as_officer, as_admin, as_viewer, departing_member, acting
):
    decide_approval(
        as_admin, request_erasure(as_officer, departing_member), verb="approve", typed=NAME
    )
    page = erasure_page()
    assert "still being generated" in as_officer.post(f"{page}/again", then=409).text
    as_officer.post(f"{page}/cancel", then=404)
    with acting("admin"):
        run = run_of(queries.erasures()[0])
        run.work.state, run.work.step = "failed", "The disk is full."
    shown = as_officer.get(page).text
    assert ">Retry</button>" in shown and ">Cancel</button>" not in shown
    as_viewer.post(f"{page}/again", then=403)
    as_officer.post(f"{page}/again")
    assert jobs.drain(actor_of) >= 1
    with acting("admin"):
        assert rows_with(NAME) == set() and run_of(queries.erasures()[0]).is_ready


def test_an_erasure_that_a_hold_refused_is_not_retried(
    as_officer, as_admin, departing_member, acting
):
    decide_approval(
        as_admin, request_erasure(as_officer, departing_member), verb="approve", typed=NAME
    )
    as_officer.post("privacy/holds/new", member=str(departing_member.id), reason="A dispute.")
    jobs.drain(actor_of)
    assert "This erasure was rejected" in as_officer.post(f"{erasure_page()}/again", then=409).text
    with acting("admin"):
        assert directory.any_membership(departing_member.id).person.name == NAME


def test_the_list_names_nobody(as_officer, as_admin, departing_member, tmp_path):
    erase_person(as_officer, as_admin, departing_member)
    (file,) = (tmp_path / "objects" / "erasures").iterdir()
    said = file.read_text()
    assert json.loads(said)["subject"] == departing_member.pseudonym
    assert not [word for word in (NAME, ADDRESS, str(departing_member.person_id)) if word in said]


def test_who_asked_for_their_own_erasing_leaves_nothing_new(as_officer, as_admin, acting, database):
    member = someone("compliance_officer")
    path = request_erasure(as_officer, member)
    decide_approval(as_admin, path, verb="approve", typed="Ines Duarte")
    jobs.drain(actor_of)
    as_officer.get("privacy/", then=302)
    with acting("admin"):
        assert (
            not personal_field_encryption.has_keys(member.pseudonym)
            and rows_with("Ines Duarte") == set()
        )


def test_the_door_is_open_for_two_admins_only(acting, departing_member):
    with acting("compliance_officer"):
        asked = open_approval(
            "erasure",
            erasure_actions.request_erasure(directory.any_membership(departing_member.id), "x").id,
        )
        with pytest.raises(Forbidden):
            approvals.approve(asked, seen=fingerprint_seen(asked), typed=NAME)


def test_the_planner_keeps_no_sample_of_names(database):
    """Disable samples: ANALYZE copies common values to pg_statistic, which no erasure reaches."""
    unsampled = (
        "SELECT attrelid::regclass::text, attname FROM pg_attribute WHERE attstattarget = 0 AND"
        " attnum > 0"
    )
    found = {tuple(row) for row in database.execute(text(unsampled))}
    of_directory = [
        "user_name",
        "user_name_key",
        "external_id",
        "display_name",
        "name",
        "emails",
        "address",
    ]
    assert found == {
        ("people", "name"),
        ("people", "email"),
        ("invitations", "email"),
        *(("scim_users", column) for column in of_directory),
    }
