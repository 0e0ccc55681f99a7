"""Access reviews: another person decides on every membership and key.

Revocations apply immediately, and a closed review doesn't change.
"""

import csv
import io
from datetime import timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from governance.assurance.access_reviews import actions, jobs, queries
from governance.assurance.access_reviews.models import AccessReview
from governance.assurance.evidence import version_actions
from governance.assurance.evidence.models import EvidenceLink, EvidenceVersion
from governance.assurance.evidence.queries import find_version
from governance.foundation.api_keys import actions as keys
from governance.foundation.api_keys import queries as key_queries
from governance.foundation.people import member_actions
from governance.foundation.people import queries as directory
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.kernel.errors import Forbidden, Invalid, NotFound, Stale
from governance.kernel.work.jobs import WorkItem
from tests import make
from tests.assurance.access_reviews.review_helpers import (
    REASON,
    close_review,
    create_key,
    decide_all_but_own,
    decide_items,
    start_review,
)
from tests.assurance.evidence import evidence_helpers


def test_a_review_lists_every_membership_and_every_live_key_with_its_last_use(database):
    gone = create_key("old")
    with make.acting("admin"):
        keys.revoke(key_queries.key(gone))
    create_key()
    make.cookie("viewer")
    review_id = start_review()
    with make.acting("admin"):
        rows = queries.reviewed_access(review_id)
        assert sorted(row.name for row in rows) == sorted(
            [
                *(
                    n
                    for whom, (n, _, _) in make.PEOPLE.items()
                    if whom[0] == "acme" and whom not in make.LATER
                ),
                "mirror",
            ]
        )
        used = {row.name: row.item.used_at for row in rows}
        assert used["Maya Okafor"] is not None and used["mirror"] is None


def test_one_review_is_open_at_a_time_and_its_day_is_near(database):
    start_review()
    with pytest.raises(Exception, match="still in progress"):
        start_review()
    for due in (-1, 93):
        with (
            make.acting("compliance_officer", "globex"),
            pytest.raises(Invalid, match="between today and three months"),
        ):
            actions.start_review("Q4", due_on=clock.today() + timedelta(days=due))


def test_it_takes_two_who_can_review(database):
    with make.acting("admin", "globex"):
        member_actions.change_role(
            directory.membership_of(make.person_id("compliance_officer", "globex")), "viewer"
        )
        with pytest.raises(Invalid, match="two reviewers"):
            actions.start_review("Q4", due_on=clock.today())


def test_what_is_revoked_ends_at_once(database):
    create_key(by="compliance_officer")
    review_id = start_review()
    chosen = {"viewer": "revoke", "mirror": "revoke", "contributor": "viewer"}
    assert decide_items(review_id, "admin", **chosen) == 3
    with make.acting("admin"):
        assert directory.membership_of(make.person_id("viewer")) is None
        assert directory.membership_of(make.person_id("contributor")).role == "viewer"
        assert key_queries.live() == []


def test_nobody_decides_on_their_own_access_or_on_a_key_they_created(database):
    create_key(by="compliance_officer")
    review_id = start_review()
    with pytest.raises(Forbidden, match="your own access"):
        decide_items(review_id, "compliance_officer", viewer="keep", compliance_officer="keep")
    with pytest.raises(Forbidden, match="You created the API key mirror"):
        decide_items(review_id, "compliance_officer", mirror="keep")
    with make.acting("admin"):
        assert queries.review_progress(queries.reviewed_access(review_id)).decided == 0
    assert decide_items(review_id, "admin", "", compliance_officer="keep", mirror="keep") == 2


def test_a_review_takes_away_and_never_gives(database):
    review_id = start_review()
    for more in ("admin", "compliance_officer", "contributor", "auditor", "king"):
        with pytest.raises(Invalid, match="can only reduce access"):
            decide_items(review_id, "admin", contributor=more)
    with pytest.raises(Invalid, match="can only reduce access"):
        decide_items(review_id, "admin", auditor="viewer")
    with pytest.raises(Invalid, match="Enter a reason"):
        decide_items(review_id, "admin", "", viewer="revoke")


def test_an_officer_cannot_take_away_through_a_review_what_they_may_not_take_away(database):
    """Grant no reviewer the admins' permission to remove members and revoke keys."""
    create_key()
    review_id = start_review()
    for chosen in (
        {"viewer": "revoke"},
        {"contributor": "viewer"},
        {"mirror": "revoke"},
        {"admin": "revoke"},
        {"viewer": "keep", "contributor": "revoke"},
    ):
        with pytest.raises(Forbidden, match="ask a tenant admin"):
            decide_items(review_id, "compliance_officer", **chosen)
    with make.acting("admin"):
        assert queries.review_progress(queries.reviewed_access(review_id)).decided == 0
        assert directory.membership_of(make.person_id("viewer")) is not None
    assert decide_items(review_id, "compliance_officer", "", viewer="keep", mirror="keep") == 2


def test_a_decision_can_change_until_it_has_taken_something_away(database):
    review_id = start_review()
    assert decide_items(review_id, "compliance_officer", "", viewer="keep") == 1
    assert decide_items(review_id, "compliance_officer", "", viewer="keep") == 0
    assert decide_items(review_id, "admin", viewer="revoke") == 1
    with pytest.raises(Stale, match="already applied"):
        decide_items(review_id, "compliance_officer", viewer="keep")


def test_a_row_of_another_review_is_not_decided(database):
    review_id = start_review()
    with make.acting("compliance_officer"), pytest.raises(NotFound):
        actions.decide(queries.review(review_id), {make.person_id("viewer"): "keep"})


def test_it_is_closed_once_every_row_is_decided_or_has_ended_and_files_itself(database):
    control = evidence_helpers.create_control("ACC-01", "Access review")
    review_id = start_review()
    with pytest.raises(Invalid, match="6 of 6 items need a decision"):
        close_review(review_id)
    with make.acting("admin"):
        member_actions.remove_member(directory.membership_of(make.person_id("viewer")))
    decide_items(review_id, "compliance_officer", "", admin="keep", reviewer="keep", auditor="keep")
    decide_items(review_id, "admin", contributor="viewer")
    decide_items(review_id, "admin", "", compliance_officer="keep")
    version_id = close_review(review_id)
    with make.acting("reviewer"):
        version, piece = find_version(version_id)
        assert (version.source, piece.cadence, version.uploaded_by) == (
            "access review",
            "quarterly",
            make.person_id("compliance_officer"),
        )
        assert session().scalars(
            select(EvidenceLink.control_id).where(EvidenceLink.evidence_id == piece.id)
        ).all() == [control]
        with version_actions.record_download(version) as file:
            above, _, table = file.read().decode().partition("\r\n\r\n")
        facts, rows = dict(csv.reader(io.StringIO(above))), list(csv.DictReader(io.StringIO(table)))
        assert (
            facts["Items"],
            facts["Kept"],
            facts["Downgraded"],
            facts["Revoked"],
            facts["Ended after the review started"],
        ) == (
            "6",
            "4",
            "1",
            "0",
            "1",
        )
        assert len(rows) == 6 and {r["Decision"] for r in rows} == {"Kept", "Downgraded", "Ended"}
        assert "Ines" not in table and "@" not in table and REASON not in table
        version_actions.accept(version, piece)


def test_what_is_closed_never_changes(database):
    review_id = start_review()
    decide_all_but_own(review_id)
    close_review(review_id)
    with pytest.raises(actions.ReviewClosed):
        decide_items(review_id, "admin", viewer="revoke")
    with make.acting("admin"):
        for change in (
            "UPDATE access_reviews SET due_on = due_on + 1",
            "UPDATE access_review_items SET decision = 'revoke'",
        ):
            with pytest.raises(DBAPIError, match="never changes"), session().begin_nested():
                session().execute(text(change))


def test_the_next_review_is_the_next_version(database):
    for number in (1, 2):
        with clock.frozen(clock.now() + timedelta(days=100 * number)):
            review_id = start_review()
            decide_all_but_own(review_id)
            version_id = close_review(review_id)
        with make.acting("admin"):
            assert (
                session()
                .scalars(select(EvidenceVersion).where(EvidenceVersion.id == version_id))
                .one()
                .number
                == number
            )


@pytest.mark.parametrize(
    ("left", "how"),
    [
        (4, None),
        (3, "soon"),
        (1, "soon"),
        (0, "today"),
        (-6, "today"),
        (-7, "1 week late"),
        (-15, "2 weeks late"),
    ],
)
def test_reminders_come_three_days_before_on_the_day_and_weekly(left, how):
    today = clock.today()
    assert jobs.occasion(today + timedelta(days=left), today) == how


def test_each_occasion_reminds_once_whoever_can_review(database):
    review_id = start_review(due=2)
    assert jobs.remind_tenant(make.system_actor("acme")) == 3
    assert jobs.remind_tenant(make.system_actor("acme")) == 0
    with make.acting("admin"):
        letters = session().scalars(select(WorkItem).where(WorkItem.kind == "mail")).all()
        assert {each.params["to"] for each in letters} == {
            "admin@acme.example",
            "officer@acme.example",
            "jun.chen@acme.example",
        }
        assert "6 decisions due by" in letters[0].params["subject"]
    decide_all_but_own(review_id)
    close_review(review_id)
    with clock.frozen(clock.now() + timedelta(days=2)):
        assert jobs.remind_tenant(make.system_actor("acme")) == 0


def test_a_review_is_its_tenants_own(database):
    review_id = start_review()
    with make.acting("admin", "globex"):
        assert session().scalars(select(AccessReview)).all() == []
        with pytest.raises(NotFound):
            queries.review(review_id)
