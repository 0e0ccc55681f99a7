"""Items that others wait for, on the overview and in the palette.

They are auditors' requests, access reviews, exceptions, findings and deletions.
"""

from datetime import timedelta

import pytest
from sqlalchemy import update

from governance.assurance.access_reviews import actions as reviewing
from governance.assurance.access_reviews.models import AccessReview
from governance.assurance.engagements.models import Engagement
from governance.assurance.engagements.requests import queries as request_queries
from governance.assurance.engagements.requests import responses
from governance.assurance.evidence import deletion
from governance.assurance.evidence import queries as evidence
from governance.assurance.testing import exception_actions, exception_queries
from governance.kernel.data.db import session
from governance.publishing.inbox import queries
from tests import make
from tests.assurance.engagements import engagement_helpers
from tests.assurance.evidence import evidence_helpers
from tests.assurance.testing import type2_helpers
from tests.conftest import visitor
from tests.foundation.approvals.approval_helpers import newest_approval_page
from tests.publishing.overview.conftest import NOW, days_ago
from tests.publishing.overview.page_helpers import page_heading, section_links, section_text


@pytest.fixture(autouse=True)
def open_engagement(isolated):
    """Open the world's engagement on the day of these tests, not of the machine."""
    with make.acting():
        session().execute(
            update(Engagement).values(opens_at=days_ago(300), closes_at=NOW + timedelta(days=300))
        )


def waiting_items(role, slug="acme"):
    with make.acting(role, slug, read_only=True):
        return {item.title: item for item in queries.page().items}


def days_from_today(days):
    return (NOW + timedelta(days=days)).date()


# ---- requests of auditors


@pytest.fixture
def tenant_with_auditor_requests(isolated):
    held = engagement_helpers.world_engagement()
    return held, {
        "mine": engagement_helpers.create_request(held, "Members", due_on=days_from_today(3)),
        "late": engagement_helpers.create_request(held, "Contracts", due_on=days_from_today(-2)),
        "nobody's": engagement_helpers.create_request(
            held, "Training", owner=None, due_on=days_from_today(9)
        ),
    }


def test_a_request_waits_for_its_owner_with_its_due_day_and_leads_there(
    as_contributor, tenant_with_auditor_requests
):
    held, ids = tenant_with_auditor_requests
    found = waiting_items("contributor")
    assert set(found) == {
        "Respond to auditor request: Members",
        "Respond to auditor request: Contracts",
    }
    assert (
        found["Respond to auditor request: Members"].row.due_on == days_from_today(3)
        and "Halden & Co" in found["Respond to auditor request: Members"].detail
    )
    reply = as_contributor.get("")
    assert f"/t/acme/inbox/items/audit-request.{ids['mine']}/open" in section_links(
        reply, "waits"
    ) and "2 days late" in section_text(reply, "waits")
    opened = as_contributor.get(f"inbox/items/audit-request.{ids['mine']}/open", then=302)
    as_contributor.get(opened.location, then=200)
    assert opened.location == f"/t/acme/engagements/{held}/requests/{ids['mine']}"


def test_officers_are_asked_to_assign_what_nobody_has_and_to_press_for_what_is_late(
    tenant_with_auditor_requests,
):
    assert set(waiting_items("compliance_officer")) == {
        "Assign auditor request: Training",
        "Follow up with Anna Rossi on auditor request: Contracts",
    }


def test_a_returned_request_waits_again_and_an_accepted_one_no_more(tenant_with_auditor_requests):
    held, ids = tenant_with_auditor_requests
    with make.acting("contributor"):
        responses.provide_response(
            *request_queries.request(held, ids["mine"], lock=True), said="As exported."
        )
    assert "Respond to auditor request: Members" not in waiting_items("contributor")
    with make.acting("auditor"):
        responses.return_response(
            *request_queries.request(held, ids["mine"], lock=True), reason="June is missing"
        )
    assert "Revise response to auditor request: Members" in waiting_items("contributor")
    with make.acting("contributor"):
        responses.provide_response(
            *request_queries.request(held, ids["mine"], lock=True), said="With June."
        )
    with make.acting("auditor"):
        responses.accept_response(*request_queries.request(held, ids["mine"], lock=True), said="")
    assert not any("Members" in title for title in waiting_items("contributor"))


def test_what_an_ended_engagement_asked_for_waits_for_nobody(tenant_with_auditor_requests):
    engagement_helpers.end_engagement(tenant_with_auditor_requests[0])
    assert not any(
        "auditors" in title
        for role in ("contributor", "compliance_officer")
        for title in waiting_items(role)
    )


def test_an_auditor_is_asked_to_judge_what_was_provided_in_their_engagement_alone(
    as_auditor, year_of_work, tenant_with_auditor_requests
):
    held, ids = tenant_with_auditor_requests
    other = engagement_helpers.create_engagement("Brook Audit")
    foreign = engagement_helpers.create_request(other, "Payroll")
    assert waiting_items("auditor") == {}
    assert "Gaps that would raise coverage most" in section_text(as_auditor.get(""), "waits")
    for engagement, request in ((held, ids["mine"]), (other, foreign)):
        with make.acting("contributor"):
            responses.provide_response(
                *request_queries.request(engagement, request, lock=True), said="Here."
            )
    assert set(waiting_items("auditor")) == {"Review response: Members"}
    reply = as_auditor.get("")
    assert (
        "Review response: Members" in section_text(reply, "waits") and "Payroll" not in reply.text
    )
    assert "1 item needs you" in page_heading(reply)


# ---- access reviews


def test_an_open_access_review_waits_for_who_has_rows_to_decide_on(as_officer, isolated):
    with make.acting("admin"):
        review = reviewing.start_review("Q4 2026", due_on=days_from_today(10)).id
    found = waiting_items("compliance_officer")["Review access: Q4 2026"]
    assert (
        found.row.due_on == days_from_today(10)
        and found.detail == "5 left to decide, started by Sanjay Patel"
    )  # Six members, without themselves.
    assert f"/t/acme/inbox/items/access-review.{review}/open" in section_links(
        as_officer.get(""), "waits"
    )
    assert not any(
        "Review access" in title
        for role in ("contributor", "auditor")
        for title in waiting_items(role)
    )
    with make.acting("admin"):
        session().execute(
            update(AccessReview).values(closed_at=NOW, closed_by=make.person_id("admin"))
        )
    assert not any("Review access" in title for title in waiting_items("compliance_officer"))


# ---- exceptions and findings


def test_an_exception_waits_for_managements_response_until_it_has_one(as_officer, isolated):
    _, _, exception = type2_helpers.create_failed_sample()
    found = waiting_items("compliance_officer")["Respond to EXC-01 of SEC-07"]
    assert "Release without sign-off" in found.detail
    assert f"/t/acme/inbox/items/test-exception.{exception}/open" in section_links(
        as_officer.get(""), "waits"
    )
    assert not any(
        "EXC-01" in title for role in ("contributor", "auditor") for title in waiting_items(role)
    )
    with make.acting():
        exception_actions.respond(
            exception_queries.exception(exception),
            version=1,
            cause="C",
            effect="E",
            correction="P",
            response="R",
        )
    assert not any("EXC-01" in title for title in waiting_items("compliance_officer"))


def test_an_exception_that_a_later_result_set_aside_waits_for_nobody(isolated):
    _, sample, _ = type2_helpers.create_failed_sample()
    type2_helpers.record_results(sample, {17}, note="The signature was in the annex")
    assert not any("EXC-01" in title for title in waiting_items("compliance_officer"))


def test_a_finding_waits_for_its_owner_and_then_for_a_retest_by_another(isolated):
    control, _, exception = type2_helpers.create_failed_sample()
    with make.acting():
        found = exception_actions.raise_finding(
            exception_queries.exception(exception),
            title="The gate can be off",
            plan="Remove it",
            owner_id=make.person_id("contributor"),
            due_on=days_from_today(19),
        ).id
    assert waiting_items("contributor")[
        "Fix FND-01: The gate can be off"
    ].row.due_on == days_from_today(19)
    assert not any("Fix" in title or "Retest" in title for title in waiting_items("reviewer"))
    with make.acting("contributor"):
        exception_actions.report_fixed(exception_queries.finding(found)[0], "It is gone")
    assert not any("FND-01" in title for title in waiting_items("contributor"))
    assert "Retest FND-01: The gate can be off" in waiting_items("reviewer")
    assert "Retest FND-01: The gate can be off" in waiting_items("auditor")


# ---- deletions


def test_the_destruction_of_a_file_waits_for_a_second_person(as_reviewer, isolated):
    version = evidence_helpers.upload_version(evidence_helpers.create_evidence("Old export"))
    with make.acting("compliance_officer"):
        deletion.request_deletion(*evidence.find_version(version), reason="It was kept too long")
    found = waiting_items("reviewer")[
        "Review the request to delete the file of EV-0001 version 1 permanently"
    ]
    assert (
        found.source.group == "approvals"
        and found.detail == "Requested by Ines Duarte: It was kept too long"
    )
    assert f"/t/acme/inbox/items/{found.key}/open" in section_links(as_reviewer.get(""), "waits")
    assert (
        as_reviewer.get(f"inbox/items/{found.key}/open", then=302).location
        == newest_approval_page()
    )
    assert not any(
        "delete the file" in title
        for role in ("compliance_officer", "contributor", "auditor")
        for title in waiting_items(role)
    )


# ---- statements, and the palette


def test_all_of_it_is_one_statement(as_officer, tenant_with_auditor_requests, statements):
    type2_helpers.create_failed_sample()
    as_officer.get("")
    with statements() as seen:
        as_officer.get("")
    inbox = [s for s in seen if "UNION ALL" in s and "access_reviews" in s]
    assert len(inbox) == 1


def test_another_tenant_waits_for_none_of_it(tenant_with_auditor_requests):
    type2_helpers.create_failed_sample()
    assert waiting_items("compliance_officer", "globex") == {}


VERBS = {
    "Open Type II testing": (
        "/t/acme/evidence/type-ii",
        "compliance_officer contributor viewer auditor",
    ),
    "View auditor requests": (
        "/t/acme/engagements/requests",
        "compliance_officer contributor auditor",
    ),
    "Generate an evidence package": ("/t/acme/engagements/", "compliance_officer auditor"),
    "Start access review": ("/t/acme/settings/access-reviews/new", "compliance_officer"),
    "View collectors": (
        "/t/acme/evidence/collectors/",
        "compliance_officer contributor viewer auditor",
    ),
}


@pytest.mark.parametrize("label", VERBS)
def test_the_palette_offers_each_verb_to_who_may_and_to_nobody_else(app, isolated, label):
    href, roles = VERBS[label]
    for role in ("compliance_officer", "contributor", "viewer", "auditor"):
        found = {
            (each["label"], each["href"])
            for each in visitor(app, role).get("jump", query_string={"q": label}).json
        }
        assert ((label, href) in found) == (role in roles.split()), role
        if role in roles.split():
            visitor(app, role).get(href, then=200)
