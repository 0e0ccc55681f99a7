"""Comments on findings of evaluations and of red teams, by those who may view the finding."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from governance.assurance.controls import adoption_actions
from governance.assurance.controls import queries as controls
from governance.assurance.evaluation_findings import mapping_actions
from governance.assurance.frameworks import actions as adopting
from governance.foundation.audit.models import AuditEntry
from governance.foundation.comments.models import ObjectComment
from governance.foundation.notifications import digests
from governance.foundation.notifications.models import Notification
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.kernel.work.jobs import WorkItem
from governance.operations.evaluations import queries as evaluations
from governance.operations.systems import actions as registering
from governance.operations.systems import queries as systems
from tests import make
from tests.assurance.engagements import engagement_helpers
from tests.assurance.evaluation_findings.finding_helpers import (
    CONTROL,
    MISSES,
    NOW,
    findings,
    run,
)
from tests.assurance.red_teams.red_team_helpers import (
    attempted,
    join_as_auditor,
    planned,
    reported,
)
from tests.foundation.comments.comment_helpers import (
    ANNA,
    JUN,
    comments,
    discussion,
    entries,
    told,
)
from tests.operations.evaluations.evaluation_helpers import published_suite, system

MAYA = "viewer@acme.example"


@pytest.fixture(autouse=True)
def _world(app, isolated):
    with clock.frozen(NOW - timedelta(days=30)), make.acting("admin"):
        adopting.adopt_framework("nist-ai-rmf-1.0")
        adoption_actions.adopt([CONTROL], with_evidence=False)
        published_suite()
        system()
        [control] = controls.find_controls([each[0] for each in controls.choices()])
        suite = evaluations.suite("claims-grounding")
        mapping_actions.map_measure(suite, "hallucination", control)
    with clock.frozen(NOW):
        yield


def missed():
    """Return a finding of an evaluation: the address of its comments, and its page."""
    run(MISSES, 1)
    [found] = findings()
    return f"comments/evaluation-finding/{found.id}", f"evaluations/findings/{found.id}"


def broken(**plan):
    """Return a finding of a red team: the address of its comments, and its page."""
    red_team_id, scenario_id, _ = planned(**plan)
    if plan:
        join_as_auditor(red_team_id)
    found = reported(red_team_id, attempted(red_team_id, scenario_id))
    return f"comments/red-team-finding/{found}", f"red-teams/findings/{found}"


TITLES = {missed: "EVF-1 Hallucination", broken: "RTF-1 An invoice approves itself"}
both = pytest.mark.parametrize("made", [missed, broken], ids=["of an evaluation", "of a red team"])


def own_the_system(role):
    with make.acting("admin"):
        registering.assign(systems.system("claims-triage", lock=True), make.person_id(role))


def mails() -> list[str]:
    with make.acting("admin", read_only=True):
        query = select(WorkItem.params).where(WorkItem.kind == "mail").order_by(WorkItem.id)
        return [each["body"] for each in session().scalars(query)]


@both
def test_members_discuss_a_finding_on_its_page(as_officer, as_contributor, made):
    address, page = made()
    after = as_officer.post(address, text="Is this the flag of clause 14.3?")
    assert after.location.endswith(f"{page}#discussion")
    as_contributor.post(address, text="It is.")
    first, second = discussion(as_officer.get(page))
    assert "Ines Duarte" in first and "Is this the flag of clause 14.3?" in first
    assert "Anna Rossi" in second and "It is." in second
    assert TITLES[made] in as_officer.get(address).text
    [posted, _] = entries("comment.posted")
    assert posted.facts["ref"] == TITLES[made] and "14.3" not in str(posted.body)


@both
def test_a_comment_on_a_finding_is_edited_and_removed_by_its_writer(
    as_officer, as_contributor, made
):
    address, page = made()
    as_officer.post(address, text="Frist")
    comment = comments()[0].id
    as_contributor.post(f"comments/{comment}/edit", text="Not mine", then=403)
    as_contributor.post(f"comments/{comment}/remove", then=403)
    edited = as_officer.post(f"comments/{comment}/edit", text="First")
    assert edited.location.endswith(f"{page}#discussion")
    assert "Frist" in as_officer.get(f"comments/{comment}/history").text
    as_officer.post(f"comments/{comment}/remove")
    assert "removed by Ines Duarte" in discussion(as_officer.get(page))[0]


@both
def test_a_mention_is_notified_and_mailed_with_a_link_that_opens_the_finding(
    as_officer, as_contributor, made
):
    address, page = made()
    as_officer.post(address, text=f"@{ANNA} does the next release fix it?")
    assert told("contributor")[-1] == ("mention", TITLES[made])
    with make.acting("admin", read_only=True):
        query = select(Notification.id).where(Notification.kind == "mention")
        notification = session().scalars(query).one()
    opened = as_contributor.post(f"notifications/{notification}/open")
    assert opened.location.endswith(page)
    [shown] = discussion(as_contributor.get(page))
    assert shown.endswith("@Anna Rossi does the next release fix it?")
    mail = mails()[-1]
    assert f"mentioned you in {TITLES[made]}" in mail and f"/t/acme/{page}" in mail
    assert "does the next release" not in mail


@both
def test_the_owner_of_the_ai_system_follows_and_the_digest_links_to_the_finding(as_officer, made):
    address, page = made()
    own_the_system("contributor")
    as_officer.post(address, text="Not a false alarm")
    assert told("contributor")[-1] == ("comment", TITLES[made])
    before = len(mails())
    with clock.frozen(NOW + timedelta(days=1)), make.acting("admin"):
        digests.send_digests()
    [digest] = [mail for mail in mails()[before:] if "Ines Duarte commented on" in mail]
    assert f"commented on {TITLES[made]}\nhttp" in digest and f"/t/acme/{page}" in digest


def test_who_reported_a_finding_follows_where_the_ai_system_has_no_owner(as_officer):
    address, _page = broken()
    as_officer.post(address, text="We see the same")
    assert told("contributor")[-1] == ("comment", TITLES[broken])


def test_viewers_read_comments_on_findings_of_evaluations_and_write_none(as_officer, as_viewer):
    address, page = missed()
    as_officer.post(address, text=f"@{MAYA} look")
    found = as_viewer.get(page)
    assert "@Maya Okafor" in discussion(found)[0] and "Post comment" not in found.text
    as_viewer.post(address, text="No", then=403)
    assert len(comments()) == 1


def test_viewers_meet_no_comment_on_a_finding_of_a_red_team(as_officer, as_viewer):
    address, page = broken()
    refused = as_officer.post(address, text=f"@{MAYA} look", then=422).text
    assert f"Nobody who can read this has the address {MAYA}" in refused and comments() == []
    menu = as_officer.get(f"{address}/people").text
    assert JUN in menu and MAYA not in menu
    as_officer.post(address, text="Keep this among us")
    for path in (page, address, f"comments/{comments()[0].id}/history"):
        as_viewer.get(path, then=403)
    as_viewer.post(address, text="Me too", then=403)
    assert told("viewer") == []


@both
def test_auditors_neither_read_nor_write_comments_on_a_finding(as_officer, as_auditor, made):
    address, page = made()
    as_officer.post(address, text="Before the auditors ask")
    found = as_auditor.get(page)
    assert "Before the auditors ask" not in found.text and 'id="discussion"' not in found.text
    for path in (address, f"{address}/people", f"comments/{comments()[0].id}/history"):
        as_auditor.get(path, then=403)
    as_auditor.post(address, text="Me too", then=403)


def test_a_tester_of_a_third_party_reads_the_finding_without_its_comments(as_officer, as_auditor):
    address, page = broken(kind="third_party", firm="Orca Labs")
    engagement_helpers.end_engagement(engagement_helpers.world_engagement())
    as_officer.post(address, text="Before the testers ask")
    assert "Before the testers ask" not in as_auditor.get(page).text
    as_auditor.get(address, then=403)
    as_auditor.post(address, text="Ours", then=403)
    refused = as_officer.post(address, text="@auditor@audit.example look", then=422).text
    assert "Nobody who can read this" in refused


@both
def test_another_tenant_finds_no_comment_on_a_finding(as_officer, as_stranger, as_neighbour, made):
    address, _page = made()
    as_officer.post(address, text="Ours")
    comment = comments()[0].id
    for path in (address, f"{address}/people", f"comments/{comment}/history"):
        as_neighbour.get(path, then=404)
        as_stranger.get(path, then=404)
    as_neighbour.post(address, text="Theirs", then=404)
    as_neighbour.post(f"comments/{comment}/edit", text="Theirs", then=404)
    as_neighbour.post(f"comments/{comment}/remove", then=404)
    assert [each.text for each in comments()] == ["Ours"]
    with make.acting("compliance_officer", "globex", read_only=True):
        assert session().scalars(select(ObjectComment)).all() == []


def test_the_id_of_one_kind_of_finding_is_none_of_the_other(as_officer):
    of_an_evaluation, of_a_red_team = missed()[0], broken()[0]
    for address, other in (
        (of_an_evaluation, "red-team-finding"),
        (of_a_red_team, "evaluation-finding"),
    ):
        wrong = f"comments/{other}/{address.rpartition('/')[2]}"
        as_officer.get(wrong, then=404)
        as_officer.post(wrong, text="Elsewhere", then=404)
    assert comments() == []
    with make.acting("admin", read_only=True):
        query = select(AuditEntry.id).where(AuditEntry.action == "comment.posted")
        assert session().scalars(query).all() == []


@both
def test_a_discussion_of_a_finding_is_one_statement_and_none_for_auditors(
    as_officer, as_auditor, made, statements
):
    address, page = made()
    for n in range(3):
        as_officer.post(address, text=f"@{JUN} {n}")
    for reader, number in ((as_officer, 1), (as_auditor, 0)):
        with statements() as seen:
            reader.get(page)
        assert len([each for each in seen if "FROM object_comments" in each]) == number
