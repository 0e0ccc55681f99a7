"""Bulk assignment of an engagement's requests: previewed, applied once, and undone."""

from datetime import date

from sqlalchemy import select

from governance.assurance.engagements.models import AuditRequest
from governance.kernel.data.db import session
from tests import make
from tests.assurance.engagements import engagement_helpers
from tests.bulk_helpers import confirm_bulk, preview_bulk, undo_address

DAY = date(2026, 12, 18)


def facts():
    with make.acting(read_only=True):
        rows = session().scalars(select(AuditRequest).order_by(AuditRequest.ref)).all()
        return {row.id: (row.owner_id, row.due_on) for row in rows}


def test_selected_requests_get_an_owner_and_a_day_and_undo_brings_both_back(as_officer, database):
    engagement = engagement_helpers.world_engagement()
    ids = [engagement_helpers.create_request(engagement) for _ in range(3)]
    address, before = f"engagements/{engagement}/requests/assign", facts()
    page = as_officer.get(f"engagements/{engagement}/requests").text
    assert all(f'value="{each}"' in page for each in ids) and "data-bulk" in page
    form = {
        "ids": [str(each) for each in ids[:2]],
        "owner_id": str(make.person_id("admin")),
        "due_on": str(DAY),
    }
    preview_bulk(as_officer, address, **form)
    assert facts() == before
    reply = confirm_bulk(as_officer, address, **form)
    changed = (make.person_id("admin"), DAY)
    assert [facts()[each] for each in ids] == [changed, changed, before[ids[2]]]
    as_officer.post(undo_address(as_officer.get(reply.headers["Location"]).text))
    assert facts() == before


def test_an_accepted_request_stays_and_says_why(as_officer, as_auditor, database):
    engagement = engagement_helpers.world_engagement()
    done, other = (engagement_helpers.create_request(engagement) for _ in range(2))
    engagement_helpers.provide_request(engagement, done, said="As asked.")
    page = f"engagements/{engagement}/requests/{done}"
    engagement_helpers.change_request_state(as_auditor, page, "accept")
    address = f"engagements/{engagement}/requests/assign"
    form = {"ids": [str(done), str(other)], "owner_id": str(make.person_id("admin"))}
    preview = preview_bulk(as_officer, address, **form)
    assert "was accepted." in preview and "be changed" in preview
    confirm_bulk(as_officer, address, **form)
    assert facts()[other][0] == make.person_id("admin") != facts()[done][0]


def test_only_who_manages_the_engagement_selects(
    as_contributor, as_auditor, as_neighbour, database
):
    engagement = engagement_helpers.world_engagement()
    asked = engagement_helpers.create_request(engagement)
    address = f"engagements/{engagement}/requests/assign"
    for who, then in ((as_contributor, 403), (as_auditor, 403), (as_neighbour, 404)):
        who.post(address, ids=[str(asked)], due_on=str(DAY), then=then)
    assert "data-bulk" not in as_auditor.get(f"engagements/{engagement}/requests").text


def test_a_request_of_another_engagement_is_not_there(as_officer, database):
    engagement = engagement_helpers.world_engagement()
    other = engagement_helpers.create_engagement("Other firm")
    asked = engagement_helpers.create_request(other)
    as_officer.post(
        f"engagements/{engagement}/requests/assign", ids=[str(asked)], due_on=str(DAY), then=404
    )
