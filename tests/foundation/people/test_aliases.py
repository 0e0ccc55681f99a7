"""Auditors' aliases of people: the same on every page, and unique to each person."""

import re

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import update

from governance.assurance.engagements.models import Engagement
from governance.assurance.engagements.packages import queries as package_queries
from governance.foundation.people import aliases, member_actions, queries
from governance.foundation.people.queries import names
from governance.kernel.data.db import session
from tests import make
from tests.assurance.evidence import evidence_helpers

ROLES = ("admin", "compliance_officer", "reviewer", "contributor", "auditor")
PEOPLE = tuple(make.person_id(role) for role in ROLES)


def called(reader: str = "auditor") -> dict[str, str]:
    """Return role in the tests' world → the name that this reader sees."""
    with make.acting(reader, read_only=True):
        found = aliases.shown_names(PEOPLE)
    return {role: found[make.person_id(role)] for role in ROLES}


def show_names() -> None:
    with make.acting("admin"):
        session().execute(update(Engagement).values(shows_names=True))


@pytest.mark.parametrize(
    ("place", "letter"), [(1, "A"), (26, "Z"), (27, "AA"), (52, "AZ"), (53, "BA"), (703, "AAA")]
)
def test_letters(place, letter):
    assert aliases.letter(place) == letter


def test_an_auditor_tells_people_apart_and_is_called_by_name(app, isolated):
    found = called()
    assert found["auditor"] == "Harriet Lowe"
    others = [found[role] for role in ROLES if role != "auditor"]
    assert all(re.fullmatch(r"(Admin|Officer|Contributor) [A-Z]", each) for each in others)
    letters = [each[-1] for each in others]
    assert len(set(letters)) == len(letters)
    assert found["compliance_officer"].startswith("Officer") and found["admin"].startswith("Admin")


def test_members_read_names(app, isolated):
    assert called("viewer")["compliance_officer"] == "Ines Duarte"


def test_the_letter_stays_when_people_join_leave_or_change_their_role(app, isolated):
    before = called()
    make.add_member("second_admin")
    with make.acting("admin"):
        leaves = queries.membership_of(make.person_id("contributor"))
        member_actions.remove_member(leaves)
        member_actions.change_role(queries.membership_of(make.person_id("reviewer")), "viewer")
    after = called()
    assert after["contributor"] == before["contributor"]
    assert after["compliance_officer"] == before["compliance_officer"]
    assert after["reviewer"] == before["reviewer"].replace("Officer", "Viewer")


def test_page_history_log_and_package_call_a_person_the_same(as_auditor, as_officer):
    control = evidence_helpers.create_control()
    officer = called()["compliance_officer"]
    page = as_auditor.get(f"controls/{control}").text
    assert officer in page and "Ines Duarte" not in page
    log = BeautifulSoup(as_auditor.get("audit/").text, "html.parser").get_text(" ")
    assert f"{officer} · p-" in log and "Ines Duarte" not in log
    with make.acting("auditor", read_only=True):
        wanted = [make.person_id("compliance_officer")]
        assert package_queries.pseudonyms(wanted) == names(wanted)
        [moment] = queries.timeline([control])
    assert moment.who == officer
    assert f"{officer} ·" not in as_officer.get("audit/").text  # Members' log has pseudonyms.


def test_an_engagement_can_show_names_with_the_letters_of_packages(as_auditor, app):
    hidden = called()
    show_names()
    assert called()["compliance_officer"] == f"Ines Duarte ({hidden['compliance_officer']})"
    control = evidence_helpers.create_control()
    assert (
        f"Ines Duarte ({hidden['compliance_officer']})"
        in as_auditor.get(f"controls/{control}").text
    )


def test_names_are_shown_only_if_all_open_engagements_of_the_auditor_show_them(app, isolated):
    from tests.assurance.engagements import engagement_helpers

    show_names()
    second = engagement_helpers.create_engagement("Brook Audit")
    with make.acting("admin"):
        from governance.assurance.engagements.models import EngagementAuditor

        session().add(
            EngagementAuditor(
                engagement_id=second,
                name="Harriet Lowe",
                email="auditor@audit.example",
                person_id=make.person_id("auditor"),
            )
        )
    assert called()["compliance_officer"].startswith("Officer ")


def test_another_tenant_has_letters_of_its_own(app, isolated):
    with make.acting("compliance_officer", "globex", read_only=True):
        assert aliases.shown_names(PEOPLE) == {}
        own = aliases.aliases([make.person_id("admin", "globex")])
    assert list(own.values()) == ["Admin A"] or list(own.values()) == ["Admin B"]


def test_an_engagement_says_which_and_its_change_is_logged(as_admin, app):
    from tests.assurance.engagements import engagement_helpers

    held = engagement_helpers.create_engagement("Brook Audit", shows_names=True)
    assert "Shown by name" in as_admin.get(f"engagements/{held}").text
