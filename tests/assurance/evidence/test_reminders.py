"""Reminders to owners of overdue or due evidence, by mail and in the inbox.

There is one for each item and due date.
"""

from datetime import timedelta

from sqlalchemy import select

from governance.assurance.evidence import actions, reminders
from governance.foundation.people import member_actions
from governance.foundation.people.models import Membership
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.kernel.work.jobs import WorkItem
from tests import make
from tests.assurance.evidence import evidence_helpers
from tests.assurance.evidence.evidence_helpers import entries_of_action


def run_reminders():
    with make.acting():
        return reminders.remind()


def sent_mails():
    with make.acting(read_only=True):
        return [
            w.params
            for w in session().scalars(
                select(WorkItem).where(WorkItem.kind == "mail").order_by(WorkItem.created_at)
            )
        ]


def test_one_letter_names_all_that_is_due_and_none_comes_twice(as_contributor):
    today = clock.today()
    late = evidence_helpers.create_evidence("Restore drill", due_on=today - timedelta(days=3))
    evidence_helpers.create_evidence("Access list", due_on=today + timedelta(days=5))
    evidence_helpers.create_evidence("Much later", due_on=today + timedelta(days=90))
    evidence_helpers.create_evidence("Nobody's", owner=None, due_on=today - timedelta(days=3))
    assert "owner reminded" not in as_contributor.get("evidence/inbox").text
    assert run_reminders() == 1 and run_reminders() == 0
    [letter] = sent_mails()
    assert (
        letter["to"] == "contributor@acme.example"
        and letter["subject"] == "2 evidence items need you in Acme Insurance"
    )
    assert f"http://127.0.0.1:8000/t/acme/evidence/{late}\n" in letter["body"]
    assert (
        "EV-0001 Restore drill: 3 days overdue" in letter["body"]
        and "Access list" in letter["body"]
        and "Much later" not in letter["body"]
    )
    assert as_contributor.get("evidence/inbox").text.count("owner reminded") == 2


def test_another_due_date_is_told_of_again(database):
    e = evidence_helpers.create_evidence("Restore drill", due_on=clock.today() - timedelta(days=3))
    assert run_reminders() == 1
    with make.acting("compliance_officer"):
        evidence = actions.queries.find_evidence(e)
        actions.edit(
            evidence,
            version=evidence.version,
            title=evidence.title,
            kind=evidence.kind,
            cadence=evidence.cadence,
            confidentiality=evidence.confidentiality,
            due_on=clock.today() + timedelta(days=2),
        )
    assert run_reminders() == 1 and len(sent_mails()) == 2


def test_an_owner_who_has_left_is_not_told_and_whoever_comes_after_them_is(database):
    """Remind each next owner for the same due date, and record no reminder that nobody got."""
    e = evidence_helpers.create_evidence("Restore drill", due_on=clock.today() - timedelta(days=3))
    with make.acting("admin"):
        member_actions.remove_member(
            session()
            .scalars(
                select(Membership).where(Membership.person_id == make.person_id("contributor"))
            )
            .one()
        )
    assert run_reminders() == 0 and entries_of_action("evidence.reminder.sent") == []
    for owner in ("compliance_officer", "reviewer"):
        with make.acting("compliance_officer"):
            actions.assign(actions.queries.find_evidence(e), make.person_id(owner))
        assert run_reminders() == 1 and run_reminders() == 0
    assert len(entries_of_action("evidence.reminder.sent")) == 2
    assert [letter["to"] for letter in sent_mails() if "Restore drill" in letter["body"]] == [
        "officer@acme.example",
        "jun.chen@acme.example",
    ]


def test_what_is_fresh_is_not_told_of(database):
    evidence_helpers.accept_version(
        evidence_helpers.upload_version(evidence_helpers.create_evidence())
    )
    assert run_reminders() == 0 and sent_mails() == []
