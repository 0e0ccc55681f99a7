"""Names of people in mail to an auditor, which equal those on the pages that it links to.

They are roles with letters, or names where the engagement shows names.
"""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from governance.assurance.playbooks import actions as playbooks
from governance.assurance.playbooks import queries as playbook_queries
from governance.assurance.playbooks import run_actions
from governance.assurance.playbooks.steps import PlaybookStep
from governance.foundation.notifications import digests
from governance.foundation.people import aliases
from governance.foundation.people.models import Membership
from governance.foundation.people.preferences import Preferences
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.kernel.work.jobs import WorkItem
from governance.operations.systems import actions as systems
from governance.operations.systems import queries as system_queries
from tests import make
from tests.assurance.engagements import engagement_helpers
from tests.name_helpers import CANARY, rename_everybody, show_names

AUDITOR = "auditor@audit.example"
OFFICER = r"Officer [A-Z]+"
both = pytest.mark.parametrize("shows_names", [False, True])


def mails_to(address: str) -> list[str]:
    """Return subject and text of each message, the oldest first."""
    with make.acting("admin", read_only=True):
        query = select(WorkItem.params).where(WorkItem.kind == "mail").order_by(WorkItem.id)
        sent = session().scalars(query).all()
    return [f"{each['subject']}\n{each['body']}" for each in sent if each["to"] == address]


def called_by_the_auditor() -> str:
    with make.acting("auditor", read_only=True):
        return aliases.shown_names([make.person_id("compliance_officer")])[
            make.person_id("compliance_officer")
        ]


def prefer_mail_at_once() -> None:
    with make.acting("admin"):
        chosen = Preferences(channels={"assignment": "email"}).stored()
        auditors = Membership.person_id == make.person_id("auditor")
        session().execute(update(Membership).where(auditors).values(preferences=chosen))


def own_a_system() -> None:
    """Make the auditor the owner of an AI system, as any member can be."""
    with make.acting("compliance_officer"):
        systems.register(
            key="claims-triage",
            name="Claims triage",
            lane="standard",
            stage="live",
            purpose="x",
            owner_id=None,
        )
        found = system_queries.system("claims-triage", lock=True)
        systems.assign(found, make.person_id("auditor"))


@pytest.fixture
def renamed(app, isolated):
    rename_everybody()


@both
def test_mail_at_once_calls_people_what_the_page_calls_them(renamed, as_auditor, shows_names):
    show_names(shows_names)
    prefer_mail_at_once()
    own_a_system()
    [mail] = mails_to(AUDITOR)
    called = called_by_the_auditor()
    assert f"{called} made you the owner of Claims triage" in mail
    assert called in as_auditor.get("notifications/").text
    assert (CANARY in mail) == shows_names and re.search(OFFICER, mail)


@both
def test_the_digest_calls_people_what_the_page_calls_them(renamed, shows_names):
    show_names(shows_names)
    own_a_system()
    later = clock.now() + timedelta(days=1, minutes=1)
    with clock.frozen(later), make.acting("admin"):
        digests.send_digests()
    [mail] = mails_to(AUDITOR)
    assert f"{called_by_the_auditor()} made you the owner of Claims triage" in mail
    assert (CANARY in mail) == shows_names


def test_members_read_the_sender_by_name(database):
    """Name the sender of the same event to a reader who may see names."""
    with make.acting("compliance_officer"):
        member = session().scalars(
            select(Membership).where(Membership.person_id == make.person_id("viewer"))
        )
        assert aliases.sender_name(member.one()) == make.PEOPLE["acme", "compliance_officer"][0]


@both
def test_the_invitation_names_the_inviter_as_the_engagement_allows(
    renamed, as_officer, shows_names
):
    engagement = engagement_helpers.create_engagement(shows_names=shows_names)
    as_officer.post(
        f"engagements/{engagement}/auditors",
        name="Nora Field",
        email="nora@brook.example",
        way="link",
    )
    [mail] = mails_to("nora@brook.example")
    assert (CANARY in mail) == shows_names
    assert (
        bool(re.search(rf"^{OFFICER} invited you to the audit", mail, re.MULTILINE)) != shows_names
    )


def test_an_invitation_hides_names_from_whom_another_engagement_hides_them(renamed, as_officer):
    hiding = engagement_helpers.create_engagement()
    showing = engagement_helpers.create_engagement("Halden & Co", shows_names=True)
    for engagement in (hiding, showing):
        as_officer.post(
            f"engagements/{engagement}/auditors",
            name="Nora Field",
            email="nora@brook.example",
            way="link",
        )
    assert [CANARY in each for each in mails_to("nora@brook.example")] == [False, False]
    engagement_helpers.end_engagement(hiding)
    third = engagement_helpers.create_engagement("Third Audit", shows_names=True)
    as_officer.post(
        f"engagements/{third}/auditors", name="Nora Field", email="nora@brook.example", way="link"
    )
    assert CANARY in mails_to("nora@brook.example")[-1]


def test_a_playbook_writes_to_members_and_to_no_auditor(renamed, acting):
    with acting("compliance_officer"):
        tell = PlaybookStep("Tell everybody", kind="notify", target="members")
        book = playbooks.create(title="Ungrounded output", used_for="x", steps=[tell])
        version = playbook_queries.present_version(book)
        run = run_actions.start_run(version.id, incident_id=book.id, incident_ref="INC-34")
        effect = run_actions.do_step(playbook_queries.run(run.id, lock=True), 1).effect
    assert mails_to(AUDITOR) == [] and effect.endswith("people notified")
    assert len(mails_to("q0.vexworth@acme.example")) == 1


def test_the_status_page_is_given_by_the_tenant(renamed, as_admin):
    as_admin.post("incidents/settings/contacts", name="Harriet Lowe", email=AUDITOR)
    [mail] = mails_to(AUDITOR)
    assert "Acme Insurance gave you access to its status page" in mail and CANARY not in mail
