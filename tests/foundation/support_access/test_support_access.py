"""Support access: an operator sees a tenant's content only within the tenant's grant.

The grant has a time and a scope.
"""

from datetime import timedelta

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import select, update

from governance.foundation.audit.models import AuditEntry
from governance.foundation.people import member_actions
from governance.foundation.people import queries as people
from governance.foundation.people.jobs import actor_of
from governance.foundation.people.models import Membership, Person
from governance.foundation.support_access import actions
from governance.foundation.support_access.models import SupportGrant
from governance.foundation.tenants import queries as directory
from governance.kernel import clock, current
from governance.kernel.data.db import session, transaction
from governance.kernel.work import jobs
from tests import make
from tests.browser import Visitor
from tests.conftest import visitor
from tests.foundation.approvals.approval_helpers import decide_approval, newest_approval_page
from tests.publishing.operator_desk.desk_helpers import DESK, entries

ASKED = {
    "reason": "Ticket 4711: coverage looks wrong",
    "hours": "2",
    "level": "view",
    "feature": "",
}


@pytest.fixture(autouse=True)
def fresh_tenant_memory():
    yield
    directory.forget()


@pytest.fixture
def as_operator(app, isolated):
    """Return Eva, signed in at the operator, who opens pages of acme."""
    return visitor(app, "operator_admin", "console", at="acme")


def ask(operator: Visitor, slug: str = "acme", **changed: str) -> str:
    """Request a grant. Return the page of its approval."""
    operator.post(f"{DESK}/{slug}/support", **ASKED | changed)
    return newest_approval_page(slug)


def give(operator: Visitor, admin: Visitor, **changed: str) -> SupportGrant:
    decide_approval(admin, ask(operator, **changed), verb="approve")
    return newest_grant()


def newest_grant(slug: str = "acme") -> SupportGrant:
    with current.acting_as(make.system_actor(slug)), transaction(read_only=True):
        found = session().scalars(select(SupportGrant).order_by(SupportGrant.id.desc())).first()
        assert found
        session().expunge(found)
        return found


def reads(slug: str = "acme") -> list[AuditEntry]:
    return [e for e in entries("tenant.page.viewed", slug) if "grant" in e.facts]


def test_nothing_opens_before_an_admin_approves(as_operator, as_admin, as_officer):
    as_operator.get("controls/", then=404)
    path = ask(as_operator)
    as_operator.get("controls/", then=404)
    as_officer.get(path, then=404)
    assert "Requested by an operator: Ticket 4711" in as_admin.get("inbox/").text
    page = as_admin.get(path).text
    assert "Eva Brandt" in page and "View only" in page and "Ticket 4711" in page
    decide_approval(as_admin, path, verb="approve")
    shown = as_operator.get("controls/").text
    assert "You’re in Acme Insurance until" in shown and "You can view only" in shown
    assert "Open Acme Insurance" in as_operator.get(f"{DESK}/acme").text


def test_a_rejected_request_opens_nothing(as_operator, as_admin):
    decide_approval(as_admin, ask(as_operator), verb="reject", reason="Not needed")
    as_operator.get("controls/", then=404)
    assert newest_grant().state == "closed"
    assert entries("support_access.rejected") and entries("support_access.rejected", "console")


def test_every_read_is_in_the_tenants_log_under_its_grant(as_operator, as_admin, as_officer):
    grant = give(as_operator, as_admin)
    as_operator.get("controls/")
    as_operator.get("jump?q=risk")
    as_operator.get("evidence/")
    found = reads()
    assert [e.facts["page"] for e in found] == [
        "controls.index",
        "jump.jump",
        "evidence.index",
    ]
    assert {e.facts["grant"] for e in found} == {str(grant.id)}
    assert {e.actor_kind for e in found} == {"operator"}
    listed = as_officer.get("settings/support-access").text
    assert ">3</a>" in listed and "Eva Brandt" in listed and "Ticket 4711" in listed


def test_view_only_changes_nothing_by_any_method(as_operator, as_admin):
    give(as_operator, as_admin)
    refused = as_operator.post("inbox/snooze", then=403).text
    assert "view only" in refused
    for path in ("controls/", "systems/new", "settings/members/invite", "policies/draft"):
        reply = as_operator.post(path, then=None)
        assert reply.status_code in {403, 404, 405}, path


def test_changing_access_has_a_contributors_hands_and_decides_nothing(
    as_operator, as_admin, as_officer
):
    give(as_operator, as_admin, level="change")
    shown = as_operator.get("controls/").text
    assert "change what a contributor can" in shown
    as_operator.get("settings/members", then=403)
    path = ask(as_operator, level="change")
    assert decide_approval(as_operator, path, then=None, verb="approve").status_code in {403, 404}
    assert newest_grant().state == "requested"


def test_access_ends_at_its_time_also_in_the_middle_of_a_form(app, as_operator, as_admin):
    grant = give(as_operator, as_admin, level="change")
    as_operator.get("controls/")
    form = newest_approval_page()
    with clock.frozen(grant.ends_at + timedelta(seconds=1)):
        later = visitor(app, "operator_admin", "console", at="acme")
        told = later.post(form, then=403, verb="withdraw").text
        assert "Your access to this tenant ended" in told and "Nothing was saved" in told
        later.get("controls/", then=403)
    with clock.frozen(grant.ends_at + timedelta(days=2)):
        visitor(app, "operator_admin", "console", at="acme").get("controls/", then=404)


def test_an_admin_ends_it_at_once(as_operator, as_admin, as_officer):
    grant = give(as_operator, as_admin)
    as_operator.get("controls/")
    as_officer.post(f"settings/support-access/{grant.id}/end", then=403)
    as_admin.post(f"settings/support-access/{grant.id}/end")
    as_operator.get("controls/", then=403)
    assert entries("support_access.ended") and entries("support_access.ended", "console")
    as_admin.post(f"settings/support-access/{grant.id}/end")
    assert len(entries("support_access.ended")) == 1


def run_jobs_after(grant: SupportGrant, **later: int) -> None:
    with clock.frozen(grant.ends_at + timedelta(**later)):
        jobs.drain(actor_of)


@pytest.mark.parametrize("later", [{"seconds": 1}, {"days": 9}], ids=["at once", "after downtime"])
def test_the_end_of_its_time_is_in_both_logs_once(as_operator, as_admin, later):
    grant = give(as_operator, as_admin)
    as_operator.get("controls/")
    as_operator.get("evidence/")
    run_jobs_after(grant, minutes=-1)
    assert entries("support_access.ended") == []
    run_jobs_after(grant, **later)
    [ended], [told] = entries("support_access.ended"), entries("support_access.ended", "console")
    assert ended.facts == told.facts == {"tenant": "acme", "how": "by time", "reads": 2}
    assert ended.actor_kind == told.actor_kind == "job"
    with clock.frozen(grant.ends_at + timedelta(days=10)), make.acting("admin"):
        assert not actions.note_expiry(session().merge(grant)), "a killed process does it again"
    assert len(entries("support_access.ended")) == 1


def test_access_that_an_admin_ended_doesnt_end_again(as_operator, as_admin):
    grant = give(as_operator, as_admin)
    as_admin.post(f"settings/support-access/{grant.id}/end")
    run_jobs_after(grant, hours=1)
    [ended] = entries("support_access.ended")
    assert ended.facts["how"] == "by the tenant"


def test_the_tenant_reads_what_was_opened_under_a_grant_and_nothing_else(
    as_operator, as_admin, as_officer
):
    grant = give(as_operator, as_admin)
    as_operator.get("controls/")
    as_admin.post(f"settings/support-access/{grant.id}/end")
    give(as_operator, as_admin)
    as_operator.get("evidence/")
    listed = BeautifulSoup(as_officer.get("settings/support-access").text, "html.parser")
    assert listed.select_one(f'a[href="/t/acme/audit/?q={grant.id}"]').text == "1"
    log = BeautifulSoup(as_officer.get(f"audit/?q={grant.id}").text, "html.parser")
    rows = [row.text for row in log.select("#main tr[data-row]")]
    assert len(rows) == 4, "requested, approved, one page, ended"
    assert [row for row in rows if "Controls" in row] and "Evidence" not in "".join(rows)


def test_the_operator_ends_it_too(as_operator, as_admin):
    grant = give(as_operator, as_admin)
    as_operator.post(f"{DESK}/acme/support/{grant.id}/end")
    as_operator.get("controls/", then=403)
    assert (
        len(entries("support_access.ended")) == len(entries("support_access.ended", "console")) == 1
    )


def test_a_grant_opens_no_other_tenant_and_no_other_operator(app, as_operator, as_admin):
    grant = give(as_operator, as_admin)
    as_operator.get("/t/globex/controls/", then=404)
    as_operator.post(f"{DESK}/globex/support/{grant.id}/end", then=404)
    as_operator.get("controls/")
    make.add_member("second_operator", "console", since=clock.now() - make.MEMBERS_FOR)
    visitor(app, "second_operator", "console", at="acme").get("controls/", then=404)


def test_a_grant_of_one_feature_opens_only_that(as_operator, as_admin):
    give(as_operator, as_admin, feature="evidence")
    page = as_operator.get("evidence/").text
    nav = page.partition('aria-label="Sections"')[2].partition("</nav>")[0]
    assert "Evidence" in nav and "Controls" not in nav
    for path in ("controls/", "systems/", "jump?q=a", "", "inbox/", "settings/"):
        as_operator.get(path, then=404)


def test_it_is_not_renewed_by_the_operator_alone(app, as_operator, as_admin):
    grant = give(as_operator, as_admin)
    ask(as_operator)
    as_operator.post(f"{DESK}/acme/support", then=422, **ASKED)
    with clock.frozen(grant.ends_at + timedelta(seconds=1)):
        visitor(app, "operator_admin", "console", at="acme").get("controls/", then=403)


def test_an_operator_who_is_a_member_signs_in_instead(app, as_operator, as_admin):
    give(as_operator, as_admin)
    me = make.person_id("operator_admin", "console")
    with current.acting_as(make.system_actor("acme")), transaction(person_id=me):
        person = session().get(Person, me)
        member_actions.add_member(person, "viewer", via="a test")
    reply = as_operator.get("controls/", then=302)
    assert "/login?tenant=acme" in reply.location
    refused = as_operator.post(f"{DESK}/acme/support", then=422, **ASKED).text
    assert "You&#39;re a member of Acme Insurance" in refused


def test_one_human_with_two_accounts_doesnt_approve_their_own_request(app, as_operator, as_admin):
    path = ask(as_operator)
    with (
        current.acting_as(make.system_actor("acme")),
        transaction(person_id=make.person_id("admin")),
    ):
        session().execute(
            update(Person)
            .where(Person.id == make.person_id("admin"))
            .values(email="Operator@Console.example")
        )
    decide_approval(as_admin, path, then=409, verb="approve")
    assert newest_grant().state == "requested"


@pytest.mark.parametrize("change", ["role", "left"])
def test_an_operator_with_another_role_gets_nothing(app, as_operator, as_admin, change):
    path = ask(as_operator)
    with current.acting_as(make.system_actor("console")), transaction():
        values = {"role": "operator_support"} if change == "role" else {"ended_at": clock.now()}
        mine = Membership.person_id == make.person_id("operator_admin", "console")
        session().execute(update(Membership).where(mine).values(**values))
    decide_approval(as_admin, path, then=409, verb="approve")
    assert newest_grant().state == "requested"


def test_a_role_that_changes_later_ends_it(as_operator, as_admin):
    give(as_operator, as_admin)
    as_operator.get("controls/")
    with current.acting_as(make.system_actor("console")), transaction():
        mine = Membership.person_id == make.person_id("operator_admin", "console")
        session().execute(update(Membership).where(mine).values(role="operator_finance"))
    as_operator.get("controls/", then=404)


def test_finance_cant_ask_and_no_tenant_person_can(app, isolated, as_admin):
    Visitor(app, make.cookie("operator_finance", "console")).post(
        f"{DESK}/acme/support", then=403, **ASKED
    )
    as_admin.post(f"{DESK}/acme/support", then=404, **ASKED)


@pytest.mark.parametrize(
    "wrong",
    [{"hours": "9"}, {"hours": "-1"}, {"feature": "console"}, {"reason": " "}, {"level": "x"}],
)
def test_a_request_that_makes_no_sense_is_refused(as_operator, wrong):
    as_operator.post(f"{DESK}/acme/support", then=422, **ASKED | wrong)
    with current.acting_as(make.system_actor("acme")), transaction(read_only=True):
        assert session().scalar(select(SupportGrant.id)) is None


def test_what_an_operator_does_is_named_in_the_tenants_timelines(as_operator, as_admin):
    grant = give(as_operator, as_admin)
    approved = entries("support_access.approved")[0]
    assert approved.facts["tenant"] == "acme" and approved.facts["minutes"] == 120
    assert "Eva" not in str(approved.facts)
    with make.acting("admin"):
        who = [m.who for m in people.timeline([grant.id])]
    assert "Eva Brandt (operator)" in who and "Sanjay Patel" in who


def test_a_suspended_tenant_is_closed_to_operators_too(as_operator, as_admin):
    give(as_operator, as_admin)
    as_operator.post(f"{DESK}/acme/suspend", reason="Unpaid", typed="Acme Insurance")
    assert as_operator.get("controls/", then=None).status_code in {403, 404}
    with pytest.raises(Exception, match="suspended"), make.acting("operator_admin", "console"):
        actions.request_access(
            directory.any_tenant_by_slug("acme"),
            hours=1,
            feature="",
            may_change=False,
            reason="x",
        )
