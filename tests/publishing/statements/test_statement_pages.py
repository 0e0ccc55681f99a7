"""Pages of statements: the list, a statement, its revisions, disputes, the operator's side."""

import io
import json
import re
import zipfile
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import select

from governance.foundation.approvals import actions as approving
from governance.foundation.approvals import kinds
from governance.foundation.approvals.models import Approval
from governance.foundation.people.jobs import actor_of
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.kernel.intervals import Span
from governance.kernel.work import jobs
from governance.kernel.work.events import publish
from governance.operations.maintenance.events import ExclusionChanged
from governance.operations.maintenance.models import Exclusion
from governance.operations.measurements.models import Indicator
from governance.publishing.statements import claim_actions
from governance.publishing.statements.models import Dispute, VendorClaim
from tests import make
from tests.conftest import visitor
from tests.publishing.statements import statement_helpers as helpers
from tests.publishing.statements.statement_helpers import DUE, at, close
from tests.step_up_helpers import visitor_needing_step_up

LIST = "reliability/statements/"


@pytest.fixture(scope="module")
def closed(module_transaction):
    """Close October, once for all tests, each of which is rolled back to it."""
    helpers.october_with_maintenance()
    close(make.acting)
    with make.acting("admin"):
        return helpers.only_statement().id


@pytest.fixture
def as_operator_here(app, isolated):
    return visitor(app, "operator_admin", "console")


@pytest.fixture
def as_finance(app, isolated):
    return visitor(app, "operator_finance", "console")


def operator(path):
    return f"/operator/statements/{path}"


# ---- the tenant


def test_a_statement_reads_downwards(closed, as_viewer):
    path = f"{LIST}{closed}"
    page = as_viewer.get(path).text
    for text in (
        "You are owed €520.00 for October",
        "How €520.00 adds up",
        "31 × 1,440 + 60",
        "maintenance 2 October",
        "98.947%",
        "97.916%",
        "Missed: band 10%",
        "MNT-5",
        "governance verify-statement acme-2026-10-r1.zip",
        "Not paid yet",
    ):
        assert text in page, text
    assert "from=2026-09-30T22" in page  # Each figure opens to its minutes.
    assert "Prepare claim" not in page and "Recoverable" not in page
    as_viewer.get(f"{path}?revision=9", then=404)
    as_viewer.get(f"{path}?revision=x", then=404)
    assert "Revision 1 closed the month" in as_viewer.get(f"{path}/revisions").text
    assert "No disputes" in as_viewer.get(f"{path}/disputes").text


def test_another_tenant_has_no_part_of_it(closed, as_stranger, as_neighbour):
    for path in ("", "/revisions", "/disputes", "/disputes/new"):
        as_stranger.get(f"{LIST}{closed}{path}", then=404)
    as_stranger.post(f"{LIST}{closed}/revisions/1/download", then=404)


def test_the_file_downloads_and_the_download_is_recorded(closed, as_viewer, acting):
    reply = as_viewer.post(f"{LIST}{closed}/revisions/1/download", then=200)
    assert "acme-2026-10-r1.zip" in reply.headers["Content-Disposition"]
    packed = zipfile.ZipFile(io.BytesIO(reply.data))
    content = json.loads(packed.read("sla-statement.json"))
    assert content["statement"]["result"]["credit"] == 52_000
    as_viewer.post(f"{LIST}{closed}/revisions/7/download", then=404)


# ---- disputes


def dispute(client, statement, **form):
    return client.post(f"{LIST}{statement}/disputes/new", **form)


EXCLUSION = {
    "kind": "exclusion",
    "exclusion": "MNT-5 2026-10-02T06:00:00Z",
    "reason": "It was announced too late.",
}


def test_a_dispute_shows_its_effect_first_and_an_accepted_one_makes_a_revision(
    closed, as_officer, as_viewer, as_operator_here, acting
):
    as_viewer.get(f"{LIST}{closed}/disputes/new", then=403)
    assert "Not sent" not in as_officer.get(f"{LIST}{closed}/disputes/new").text
    page = dispute(as_officer, closed, then=200, step="preview", **EXCLUSION).text
    assert "30 min count again, 30 of them down" in page
    assert "97.916% instead of 98.947%" in page and "€1,300.00 instead of €520.00" in page
    with acting("admin"):
        assert not session().scalars(select(Dispute)).all()
    dispute(as_officer, closed, step="raise", **EXCLUSION)
    with acting("admin"):
        made = session().scalars(select(Dispute)).one()
        assert (made.ref, made.state, made.effect["credit"]) == ("DSP-1", "open", [52_000, 130_000])
        made_id = made.id
    page = as_officer.get(f"{LIST}{closed}").text
    assert "1 dispute open" in page and "would raise the credit by €780.00" in page
    assert "Answer</a>" not in page
    answer = operator(f"acme/{closed}/disputes/{made_id}/answer")
    assert ">Answer</a>" not in as_operator_here.get(answer).text  # This is the page itself.
    as_operator_here.post(answer, then=422, decision="accepted", answer="")
    as_operator_here.post(answer, decision="accepted", answer="You are right: 100 hours isn't so.")
    as_operator_here.post(answer, then=422, decision="rejected", answer="No.")
    jobs.drain(actor_of)
    with acting("admin"):
        first, second = helpers.revisions()
        assert (first.credit, second.credit, second.cause) == (52_000, 130_000, "dispute")
    page = as_officer.get(f"{LIST}{closed}").text
    assert "Revision 2 adds €780.00" in page and "Dispute DSP-1 was accepted" in page
    assert "You are right" in as_officer.get(f"{LIST}{closed}/disputes").text


def test_a_dispute_sent_twice_is_raised_once(closed, as_officer, acting):
    for _ in range(2):
        dispute(as_officer, closed, step="raise", **EXCLUSION)
    with acting("viewer"):
        assert len(session().scalars(select(Dispute)).all()) == 1


def test_disputed_minutes_are_left_out_once_accepted(closed, as_officer, as_operator_here, acting):
    form = {
        "kind": "minutes",
        "indicator": helpers.KEY,
        "reason": "Our own network was down.",
        "starts_at": "2026-10-02T08:30",
        "ends_at": "2026-10-02T09:00",
    }
    assert (
        "30 min are left out, 30 of them down"
        in dispute(as_officer, closed, then=200, step="preview", **form).text
    )
    dispute(as_officer, closed, step="raise", **form)
    with acting("admin"):
        made = session().scalars(select(Dispute)).one().id
    as_operator_here.post(
        operator(f"acme/{closed}/disputes/{made}/answer"), decision="accepted", answer="Agreed."
    )
    jobs.drain(actor_of)
    with acting("admin"):
        assert helpers.revisions()[-1].result["lines"][0]["attained"] == "2820/2820"


@pytest.mark.parametrize(
    "form",
    [
        {"kind": "exclusion", "exclusion": "MNT-9 2026-10-02T06:00:00Z", "reason": "x"},
        {"kind": "minutes", "indicator": helpers.KEY, "reason": "x"},
        {
            "kind": "minutes",
            "indicator": helpers.KEY,
            "reason": "x",
            "starts_at": "2026-10-02T09:00",
            "ends_at": "2026-10-02T08:00",
        },
        {
            "kind": "minutes",
            "indicator": helpers.KEY,
            "reason": "x",
            "starts_at": "2026-12-02T09:00",
            "ends_at": "2026-12-02T10:00",
        },
        {
            "kind": "minutes",
            "indicator": "other",
            "reason": "x",
            "starts_at": "2026-10-02T08:00",
            "ends_at": "2026-10-02T09:00",
        },
        EXCLUSION | {"reason": " "},
    ],
)
def test_a_dispute_about_nothing_is_refused(closed, as_officer, form):
    dispute(as_officer, closed, then=422, step="raise", **form)


def test_its_tenant_withdraws_a_dispute(closed, as_officer, as_viewer, acting):
    dispute(as_officer, closed, step="raise", **EXCLUSION)
    with acting("admin"):
        made = session().scalars(select(Dispute)).one().id
    as_viewer.post(f"{LIST}{closed}/disputes/{made}/withdraw", then=403)
    as_officer.post(f"{LIST}{closed}/disputes/{made}/withdraw")
    assert "was withdrawn" in as_officer.get(f"{LIST}{closed}/disputes").text
    assert as_officer.get(f"reliability/statements/disputes/{made}", then=302)


def test_an_overdue_answer_is_an_inbox_item_until_the_dispute_is_withdrawn(
    closed, as_officer, as_viewer, acting
):
    dispute(as_officer, closed, step="raise", **EXCLUSION)
    item = "Follow up on dispute DSP-1: no answer yet"
    assert item not in as_officer.get("inbox/").text
    with acting("admin"):
        made = session().scalars(select(Dispute)).one()
        made.due_on, made_id = clock.today() - timedelta(days=1), made.id
    page = as_officer.get("inbox/").text
    assert item in page and "Statement of October 2026" in page
    assert item not in as_viewer.get("inbox/").text
    as_officer.post(f"{LIST}{closed}/disputes/{made_id}/withdraw")
    assert item not in as_officer.get("inbox/").text


def test_a_new_statement_is_an_inbox_item_until_you_download_it(
    closed, app, as_officer, as_admin, as_viewer
):
    item = "Check the statement of October 2026"
    with clock.frozen(helpers.DUE + timedelta(days=1)):
        page = BeautifulSoup(as_officer.get("inbox/").text, "html.parser").get_text()
        assert item in page
        assert "Credit: €520.00. Download it to check it, or dispute it" in page
        assert item not in as_viewer.get("inbox/").text
        as_officer.post(f"{LIST}{closed}/revisions/1/download", then=200)
        assert item not in as_officer.get("inbox/").text
        assert "Statement of October 2026" in as_officer.get("inbox/?view=done").text
        assert item in as_admin.get("inbox/").text  # Others haven't checked it.
    with clock.frozen(helpers.DUE + timedelta(days=31)):
        assert item not in visitor(app, "admin").get("inbox/").text


def test_a_disputed_revision_needs_no_check_and_the_next_one_does(closed, as_officer, acting):
    item = "Check the statement of October 2026"
    with clock.frozen(helpers.DUE + timedelta(days=1)):
        dispute(as_officer, closed, step="raise", **EXCLUSION)
        assert item not in as_officer.get("inbox/").text
        with acting("admin"):
            helpers.store(session().scalars(select(Indicator)).first(), helpers.at(3), 1440)
    close(acting, helpers.DUE + timedelta(days=1))
    with clock.frozen(helpers.DUE + timedelta(days=2)):
        assert f"{item}, revision 2" in as_officer.get("inbox/").text


def test_an_exclusion_that_changes_after_the_close_makes_a_revision(closed, acting):
    with acting("admin"):
        found = session().scalars(select(Exclusion)).one()
        found.state = "withdrawn"
        changed = ExclusionChanged(
            found.id, Span(found.starts_at, found.ends_at), found.system_id, None, "withdrawn"
        )
        publish(changed)
        assert helpers.only_statement().is_revision_due
    close(acting)
    with acting("admin"):
        row = helpers.revisions()[-1]
        assert (row.number, row.cause, row.credit) == (2, "exclusion", 130_000)
        assert [each["ref"] for each in row.changes["exclusions"]["removed"]] == ["MNT-5"]


# ---- the operator


def vendor_agreement(acting, number, name, fee, *, claim_days=60):
    """Add a vendor's agreement of 99.5%, with 30 minutes of errors on 2 October. Return its id."""
    slug = name.partition(" ")[0].lower()
    with acting("admin"):
        made = helpers.indicator(f"{slug}-errors", vendor=name)
        helpers.store(made, at(1), 2880)
        helpers.store(made, at(2, 6), 30, good=0)
    with make.acting("operator_admin", "console"):
        agreement = helpers.agree(
            number,
            direction="from_vendor",
            counterparty=name,
            monthly_fee=fee,
            claim_days=claim_days,
            commitments=[
                {
                    "target": Decimal("0.995"),
                    "bands": [["0.995", "0.1"]],
                    "fee_part": fee,
                    "vendor_kind": "downtime",
                }
            ],
        )
        return agreement.id


@pytest.fixture
def vendor(closed, acting):
    """Return the id of a vendor's agreement on the day after the close, before the deadline."""
    with clock.frozen(DUE + timedelta(days=1)):
        yield vendor_agreement(acting, 1, "Helio Cloud", 314_000)


def test_the_operator_sees_all_tenants_and_both_sides(closed, vendor, as_operator_here, as_viewer):
    page = as_operator_here.get(operator("")).text
    assert "Acme Insurance" in page and "€520.00" in page
    page = as_operator_here.get(operator(f"acme/{closed}")).text
    assert "We owe Acme Insurance €520.00 for October; Helio Cloud owes us €314.00" in page
    assert "Helio Cloud owes us €314.00" in page and "€206" in page  # 520 − 314.
    assert "1 period" in page and "90 errors" in page
    running = re.search(r'href="[^"]*(provisional/[^"]+)"', page)
    assert running
    assert "provisional" in as_operator_here.get(operator(f"acme/{running[1]}")).text
    as_viewer.get(operator(""), then=404)
    assert "Helio" not in as_viewer.get(f"{LIST}{closed}").text


def test_of_several_vendors_it_sees_the_sum_and_the_next_deadline(
    closed, vendor, acting, as_operator_here
):
    address = operator(f"acme/{closed}")
    one = re.search(r"claim due in (\d+) days", as_operator_here.get(address).text)
    vendor_agreement(acting, 2, "Quill Search", 96_000, claim_days=50)
    page = as_operator_here.get(address).text
    assert "We owe Acme Insurance €520.00 for October; vendors owe us €410.00" in page
    assert one and f"first claim due in {int(one[1]) - 10} days" in page


def test_a_claim_is_prepared_approved_by_another_sent_and_paid(
    closed, vendor, as_operator_here, as_finance, acting
):
    path = operator(f"acme/{closed}/claims/{vendor}")
    page = as_operator_here.post(path, then=200, step="preview", bill="6,280.00").text
    assert "Claim €628.00 from Helio Cloud" in page
    as_operator_here.post(path, then=422, step="preview", bill="many")
    where = as_operator_here.post(path, step="send", bill="", request_ids="req-1\nreq-2").location
    claim = where.rpartition("/")[2]
    assert "Awaiting approval" in as_operator_here.get(where).text
    as_operator_here.post(f"{where}/send", then=422, reference="")
    approve("operator_finance")
    assert "Ready to send" in as_finance.get(where).text
    file = as_finance.post(f"{where}/file", then=200).data
    packed = zipfile.ZipFile(io.BytesIO(file))
    assert json.loads(packed.read("claim.json"))["request_ids"] == ["req-1", "req-2"]
    assert b"2026-10-02T06:00:00Z,2026-10-02T06:30:00Z,30,90,90" in packed.read("periods.csv")
    as_operator_here.post(f"{where}/send", reference="HC-991")
    as_operator_here.post(f"{where}/settle", then=422, outcome="paid", paid="")
    as_operator_here.post(f"{where}/settle", outcome="paid", paid="314.00")
    assert "Paid" in as_operator_here.get(where).text
    with make.acting("operator_admin", "console"):
        row = session().scalars(select(VendorClaim)).one()
        assert (str(row.id), row.state, row.paid_amount) == (claim, "paid", 31_400)


def approve(role):
    with make.acting(role, "console"):
        request = session().scalars(select(Approval).where(Approval.kind == "vendor_claim")).one()
        approving.approve(request, seen=kinds.fingerprint_seen(request))


def test_a_claim_that_was_not_sent_in_time_expires(closed, vendor, as_operator_here):
    path = operator(f"acme/{closed}/claims/{vendor}")
    where = as_operator_here.post(path, step="send", bill="").location
    with clock.frozen(DUE.replace(year=2027)), make.acting("operator_admin", "console"):
        assert claim_actions.expire_overdue() == 1
    assert "Expired" in as_operator_here.get(where).text


# October ends in the agreement's time zone: 23:00 UTC on the 31st. The vendor's 60 days follow.
DEADLINE = datetime(2026, 12, 30, 23, tzinfo=UTC)
JUST_BEFORE = DEADLINE - timedelta(microseconds=1)
TOO_LATE = "The deadline to claim from Helio Cloud has passed."


def claims():
    with make.acting("operator_admin", "console"):
        return [(each.state, each.deadline) for each in session().scalars(select(VendorClaim))]


def test_a_claim_is_prepared_until_its_deadline_and_not_from_then_on(closed, vendor, app):
    path = operator(f"acme/{closed}/claims/{vendor}")
    with clock.frozen(DEADLINE):
        late = visitor(app, "operator_admin", "console")
        assert TOO_LATE in late.post(path, then=422, step="send", bill="").text
        assert claims() == []
    with clock.frozen(JUST_BEFORE):
        visitor(app, "operator_admin", "console").post(path, step="send", bill="")
        assert claims() == [("prepared", DEADLINE)]


def test_an_approved_claim_is_sent_until_its_deadline_and_not_from_then_on(closed, vendor, app):
    with clock.frozen(JUST_BEFORE):
        in_time = visitor(app, "operator_admin", "console")
        where = in_time.post(
            operator(f"acme/{closed}/claims/{vendor}"), step="send", bill=""
        ).location
        approve("operator_finance")
    with clock.frozen(DEADLINE):
        late = visitor(app, "operator_admin", "console")
        assert TOO_LATE in late.post(f"{where}/send", then=422, reference="HC-991").text
        assert claims() == [("approved", DEADLINE)]
    with clock.frozen(JUST_BEFORE):
        in_time.post(f"{where}/send", reference="HC-991")
        assert claims() == [("sent", DEADLINE)]


def test_an_unsent_claim_and_its_approval_end_at_the_deadline_and_not_before(
    closed, vendor, as_operator_here
):
    as_operator_here.post(operator(f"acme/{closed}/claims/{vendor}"), step="send", bill="")
    with make.acting("operator_admin", "console"):
        request = session().scalars(select(Approval).where(Approval.kind == "vendor_claim")).one()
        assert request.expires_at == DEADLINE
    with clock.frozen(JUST_BEFORE), make.acting("operator_admin", "console"):
        assert claim_actions.expire_overdue() == 0
    assert claims() == [("prepared", DEADLINE)]
    with clock.frozen(DEADLINE), make.acting("operator_admin", "console"):
        assert claim_actions.expire_overdue() == 1
    assert claims() == [("expired", DEADLINE)]


def test_a_payment_is_recorded_once_however_often_its_form_is_sent(closed, as_finance, as_viewer):
    path = operator(f"acme/{closed}/pay")
    page = BeautifulSoup(as_finance.get(path).text, "html.parser")
    once = page.select_one("input[name=once]")["value"]
    for _ in range(2):
        as_finance.post(path, amount="100.00", note="INV-1", once=once)
    as_finance.post(path, amount="100.00", note="INV-2")
    page = as_viewer.get(f"{LIST}{closed}").text
    assert page.count("INV-1") == 1 and "€320.00" in page


def test_a_payment_needs_a_fresh_sign_in(closed, app, as_viewer):
    late = visitor_needing_step_up(app, "operator_finance", "console")
    path = operator(f"acme/{closed}/pay")
    late.get(path, then=401)
    late.post(path, then=401, amount="100.00", note="INV-1")
    assert "INV-1" not in as_viewer.get(f"{LIST}{closed}").text


def test_a_paid_credit_is_recorded_and_never_more_than_is_owed(closed, as_finance, as_viewer):
    path = operator(f"acme/{closed}/pay")
    assert "Not saved" not in as_finance.get(path).text
    as_finance.post(path, then=422, amount="600.00", note="INV-1")
    as_finance.post(path, then=422, amount="0", note="INV-1")
    as_finance.post(path, amount="500.00", note="INV-1")
    page = as_viewer.get(f"{LIST}{closed}").text
    assert "INV-1" in page and "€20.00" in page
