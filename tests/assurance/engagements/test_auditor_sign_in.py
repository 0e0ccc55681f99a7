"""Auditors' access, which ends with the fieldwork even during a download.

Others always have access.
"""

import dataclasses
import re
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from governance.assurance.controls import mapping_actions
from governance.assurance.controls.queries import find_control
from governance.assurance.engagements import actions, queries
from governance.assurance.engagements.auditors import access as auditor_access
from governance.assurance.engagements.auditors import queries as auditor_queries
from governance.assurance.engagements.jobs import end_sessions_of_closed_windows
from governance.assurance.engagements.models import Engagement, EngagementAuditor
from governance.assurance.frameworks import queries as frameworks
from governance.foundation.audit.models import AuditEntry
from governance.foundation.people import (
    admission_actions,
    invitation_actions,
    member_actions,
    member_erasure_actions,
    sign_in_rules,
)
from governance.foundation.people.models import (
    Connection,
    Invitation,
    Membership,
    Person,
    Session,
    person_key,
)
from governance.foundation.tenants import actions as tenants
from governance.foundation.tenants.models import Tenant
from governance.kernel import clock, current
from governance.kernel.data.db import session, transaction
from governance.kernel.errors import Invalid
from governance.kernel.work.jobs import WorkItem
from tests import make, step_up_helpers
from tests.assurance.engagements import engagement_helpers
from tests.assurance.evidence import evidence_helpers
from tests.browser import Visitor
from tests.conftest import visitor
from tests.foundation.people.conftest import hidden_fields


def entry_facts(acting, name):
    """Return the facts of each entry of that action."""
    with acting("admin"):
        return [
            e.facts
            for e in session().scalars(
                select(AuditEntry).where(AuditEntry.action == name).order_by(AuditEntry.id)
            )
        ]


def live_sessions(acting):
    with acting("admin"):
        query = select(Session.id).where(
            Session.person_id == make.person_id("auditor"), Session.ended_at.is_(None)
        )
        return list(session().scalars(query))


def test_an_auditor_has_access_only_while_an_engagement_of_theirs_is_open(
    as_auditor, acting, database
):
    as_auditor.get("controls/")
    with acting("admin"):
        closes = queries.engagement(engagement_helpers.world_engagement()).closes_at
    with clock.frozen(closes - timedelta(seconds=1)):
        fresh = visitor(as_auditor.client.application, "auditor")
        fresh.get("controls/")
    with clock.frozen(closes):
        page = fresh.get("controls/", then=403)
    assert "Your access ended" in page.text


def test_ending_the_engagement_ends_access_and_the_session_immediately(
    as_auditor, acting, database
):
    as_auditor.get("controls/")
    engagement_helpers.end_engagement(engagement_helpers.world_engagement())
    assert live_sessions(acting) == []
    assert as_auditor.get("controls/", then=None).status_code in {302, 401}
    assert [facts["how"] for facts in entry_facts(acting, "session.ended")] == [
        "access to the engagement ended"
    ]


def test_signing_in_after_the_end_is_denied_and_that_session_ends_too(app, acting, database):
    engagement_helpers.end_engagement(engagement_helpers.world_engagement())
    again = visitor(app, "auditor")
    again.get("", then=403)
    assert live_sessions(acting) == []
    again.get("", then=302)


def test_before_the_window_opens_nobody_comes_in(app, acting, database):
    engagement_helpers.end_engagement(engagement_helpers.world_engagement())
    engagement_helpers.create_engagement(opens=2, closes=9, auditor="auditor")
    visitor(app, "auditor").get("", then=403)


def test_another_open_engagement_keeps_the_door_open(as_auditor, database):
    engagement_helpers.create_engagement("Second firm", auditor="auditor")
    engagement_helpers.end_engagement(engagement_helpers.world_engagement())
    visitor(as_auditor.client.application, "auditor").get("controls/")


def test_other_roles_are_not_asked(as_officer, as_viewer, database):
    engagement_helpers.end_engagement(engagement_helpers.world_engagement())
    as_officer.get("controls/")
    as_viewer.get("controls/")


def test_windows_begin_and_end_at_midnight_of_the_tenants_clocks(acting, database):
    held = engagement_helpers.create_engagement()
    with acting("admin"):
        row = queries.engagement(held)
        assert row.opens_at.hour == row.closes_at.hour == 0
        assert row.closes_at - row.opens_at == timedelta(days=21)


def test_the_schedule_asks_once_over_all_tenants_and_works_only_where_a_window_has_closed(
    app, acting, database
):
    visitor(app, "auditor").get("controls/")
    end_sessions_of_closed_windows()
    with acting("admin"):
        queries.engagement(engagement_helpers.world_engagement()).closes_at = (
            clock.now() - timedelta(hours=1)
        )
    with transaction(read_only=True):
        assert queries.tenants_with_closed_window(clock.now()) == [
            make.system_actor("acme").tenant_id
        ]
        assert session().scalars(select(Engagement.firm)).all() == [make.FIRM]
    end_sessions_of_closed_windows()
    assert live_sessions(acting) == []


def test_a_new_time_zone_moves_the_windows_that_are_not_over_with_an_entry_each(
    app, as_admin, as_auditor, acting, database
):
    engagement_helpers.end_engagement(engagement_helpers.world_engagement())
    over, planned = (
        engagement_helpers.create_engagement("Over", opens=-30, closes=-3),
        engagement_helpers.create_engagement("Planned", opens=3, closes=9),
    )
    open_ = engagement_helpers.create_engagement("Open", auditor="auditor", closes=0)
    add_auditor(planned, way="sso")
    visitor(app, "auditor").get("controls/")
    mark = re.search(r'name="mark"[^>]*value="([^"]+)"', as_admin.get("settings/").text)[1]
    with acting("admin"):
        held = session().get(Tenant, current.actor().tenant_id)
        sent = {
            name: getattr(held, name)
            for name in ("name", "region", "unit", "classification", "audience")
        }
        was = {each: queries.engagement(each).closes_at for each in (over, planned, open_)}
    as_admin.post("settings/", mark=mark, time_zone="Pacific/Kiritimati", **sent)
    with acting("admin"):
        now = {each: queries.engagement(each).closes_at for each in was}
        assert now[over] == was[over] and now[planned] < was[planned]
        assert now[planned].astimezone(ZoneInfo("Pacific/Kiritimati")).hour == 0
        assert invitation_of(acting, planned).expires_at == now[planned]
    moved = entry_facts(acting, "engagement.window.moved")
    assert {facts["zone"] for facts in moved} == {"Pacific/Kiritimati"} and len(moved) == 2
    with clock.frozen(max(now[open_], clock.now())):
        visitor(app, "auditor").get("controls/", then=403)


def test_the_schedule_ends_sessions_when_windows_close(app, acting, database):
    visitor(app, "auditor").get("controls/")
    with acting("admin"):
        queries.engagement(engagement_helpers.world_engagement()).closes_at = clock.now()
    end_sessions_of_closed_windows()
    assert live_sessions(acting) == []


def test_a_download_breaks_off_at_the_next_chunk_when_the_engagement_ends(
    as_auditor, acting, database
):
    held = evidence_helpers.create_evidence()
    version = evidence_helpers.upload_version(held, b"a,b\n" + b"1,2\n" * 900_000, "large.csv")
    reply = as_auditor.client.post(
        f"/t/acme/evidence/versions/{version}/download",
        data={"csrf_token": as_auditor.csrf()},
        buffered=False,
    )
    pieces = iter(reply.response)
    assert len(next(pieces)) > 0
    engagement_helpers.end_engagement(engagement_helpers.world_engagement())
    with pytest.raises(actions.EngagementClosed, match="download stopped"):
        list(pieces)
    reply.close()


def test_removing_an_auditor_ends_their_access(as_officer, as_auditor, acting, database):
    engagement = engagement_helpers.world_engagement()
    as_auditor.get("controls/")
    with acting("admin"):
        [auditor] = [each.auditor.id for each in auditor_queries.auditors(engagement)]
    as_officer.post(f"engagements/{engagement}/auditors/{auditor}/remove")
    assert as_auditor.get("controls/", then=None).status_code in {302, 401, 403}


# ---- scope


def test_an_auditor_downloads_only_files_in_scope(app, acting, database):
    engagement_helpers.end_engagement(engagement_helpers.world_engagement())
    with acting("compliance_officer"):
        soc2 = frameworks.framework("soc2-tsc-2017")
    engagement_helpers.create_engagement(auditor="auditor", framework_id=soc2.id)
    outside = evidence_helpers.upload_version(evidence_helpers.create_evidence("Outside"))
    control = evidence_helpers.create_control("SEC-77", "In scope")
    inside = evidence_helpers.upload_version(
        evidence_helpers.create_evidence("Inside", supports=[control]), b"a,b\n1,2\n", "inside.csv"
    )
    with acting("compliance_officer"):
        requirement = next(r for r in frameworks.requirements(soc2.id) if r.assessable)
        mapping_actions.map_to(find_control(control, lock=True), requirement.id, coverage="full")
    auditor_browser = visitor(app, "auditor")
    auditor_browser.post(f"evidence/versions/{outside}/download", then=404)
    assert (
        auditor_browser.post(f"evidence/versions/{inside}/download", then=200).data == b"a,b\n1,2\n"
    )


# ---- sign-in by link and code


@pytest.fixture
def outside_visitor(app, isolated):
    return Visitor(app)


def sent_mails(acting):
    with acting("admin"):
        return list(
            session().scalars(
                select(WorkItem.params).where(WorkItem.kind == "mail").order_by(WorkItem.id)
            )
        )


def invite_auditor(as_officer, acting, email="nora@brook.example", way="link"):
    engagement = engagement_helpers.create_engagement()
    as_officer.post(f"engagements/{engagement}/auditors", name="Nora Field", email=email, way=way)
    letter = sent_mails(acting)[-1]
    assert letter["to"] == email
    found = re.search(r"http://localhost(/auditor/acme/\S+)", letter["body"])
    return engagement, found[1] if found else None


def mailed_code(acting):
    return re.search(r"^(\d{4} \d{4})$", sent_mails(acting)[-1]["body"], re.MULTILINE)[1]


def test_a_link_sends_a_code_and_the_code_opens_a_session_once(
    as_officer, outside_visitor, acting, database
):
    engagement, link = invite_auditor(as_officer, acting)
    outside_visitor.get(link)
    outside_visitor.post(f"{link}/code", then=200)
    right = mailed_code(acting)
    arrived = outside_visitor.post(link, code=right)
    assert arrived.location.endswith("/t/acme/engagements/")
    outside_visitor.get("engagements/")
    outside_visitor.get(f"engagements/{engagement}")
    outside_visitor.get("settings/members", then=403)
    again = Visitor(outside_visitor.client.application)
    again.post(link, code=right, then=422)
    with acting("admin"):
        started = (
            session()
            .scalars(select(AuditEntry).where(AuditEntry.action == "session.started"))
            .all()
        )
        assert [e.actor_kind for e in started if e.facts["via"] == "code by mail"] == ["person"]


def test_a_link_does_not_end_another_tenants_session_without_saying_so(
    app, as_officer, acting, database
):
    (_, link), busy = invite_auditor(as_officer, acting), visitor(app, "admin", "globex")
    assert busy.post(f"{link}/code", then=200).text.count("You&#39;re signed in to Globex") == 1
    right, theirs = mailed_code(acting), busy.client.get_cookie("session").value
    busy.post(link, then=409, code=right)
    busy.get("/t/globex/settings/sessions")
    page = busy.post(f"{link}/code", then=200)
    agreed = hidden_fields(page.text)["leaves"]
    busy.post(link, code=mailed_code(acting), leaves=agreed)
    busy.get("/t/acme/engagements/")
    Visitor(app, theirs, "globex").get("settings/sessions", then=302)


def test_the_link_and_the_code_are_kept_as_hashes_only(
    as_officer, outside_visitor, acting, database
):
    _engagement, link = invite_auditor(as_officer, acting)
    outside_visitor.post(f"{link}/code", then=200)
    with acting("admin"):
        [row] = (
            session()
            .scalars(select(EngagementAuditor).where(EngagementAuditor.link_hash.is_not(None)))
            .all()
        )
        held = f"{row.link_hash!r} {row.code_hash!r}"
        bodies = b"".join(session().scalars(select(AuditEntry.body)))
    assert link.rpartition("/")[2] not in held and mailed_code(acting).replace(" ", "") not in held
    assert link.rpartition("/")[2].encode() not in bodies and b"nora@brook" not in bodies


def test_a_wrong_code_is_counted_and_five_wrong_ones_use_it_up(
    as_officer, outside_visitor, acting, database
):
    _engagement, link = invite_auditor(as_officer, acting)
    outside_visitor.post(f"{link}/code", then=200)
    right = mailed_code(acting)
    for _ in range(5):
        outside_visitor.post(link, code="00000000", then=422)
    page = outside_visitor.post(link, code=right, then=422)
    assert "Too many wrong codes" in page.text
    assert len(entry_facts(acting, "engagement.auditor.sign_in_denied")) == 5


def test_a_code_ends_after_ten_minutes(as_officer, outside_visitor, acting, database):
    _engagement, link = invite_auditor(as_officer, acting)
    outside_visitor.post(f"{link}/code", then=200)
    right = mailed_code(acting)
    with clock.frozen(clock.now() + timedelta(minutes=10, seconds=1)):
        outside_visitor.post(link, code=right, then=422)


def test_five_codes_an_hour_are_sent_and_no_more(as_officer, outside_visitor, acting, database):
    _engagement, link = invite_auditor(as_officer, acting)
    for _ in range(5):
        outside_visitor.post(f"{link}/code", then=200)
    outside_visitor.post(f"{link}/code", then=409)
    with clock.frozen(clock.now() + timedelta(hours=1, seconds=1)):
        outside_visitor.post(f"{link}/code", then=200)


def test_a_link_that_was_taken_back_or_never_was_looks_the_same(
    as_officer, outside_visitor, acting, database
):
    engagement, link = invite_auditor(as_officer, acting)
    never = outside_visitor.get(f"{link[:-5]}XXXXX", then=404).text
    engagement_helpers.end_engagement(engagement)
    over = outside_visitor.get(link, then=404).text
    assert "This link isn" in never and "This link isn" in over
    outside_visitor.get(link.replace("/acme/", "/globex/"), then=404)
    outside_visitor.get(link.replace("/acme/", "/nobody/"), then=404)


def test_before_the_window_the_link_sends_no_code(as_officer, outside_visitor, acting, database):
    held = engagement_helpers.create_engagement(opens=3, closes=9)
    as_officer.post(
        f"engagements/{held}/auditors", name="Nora Field", email="nora@brook.example", way="link"
    )
    link = re.search(r"http://localhost(/auditor/acme/\S+)", sent_mails(acting)[-1]["body"])[1]
    assert "fieldwork starts on" in outside_visitor.post(f"{link}/code", then=409).text


def test_an_auditor_with_single_sign_on_is_invited_and_known_after_signing_in(
    as_officer, acting, database
):
    engagement, link = invite_auditor(as_officer, acting, "olaf@brook.example", "sso")
    assert link is None and "/login?tenant=acme" in sent_mails(acting)[-1]["body"]
    who = make.identity("acme", "Olaf Brook", "olaf@brook.example")
    key = person_key(who.issuer, who.subject)
    connection = Connection(issuer=who.issuer, client_id="c", secret=b"", group_roles={})
    with current.acting_as(make.system_actor("acme")), transaction(person_id=key):
        _person, membership = admission_actions.admit(who, connection)
        assert membership.role == "auditor"
    with acting("admin"):
        assert [held.id for held in queries.open_engagements_of(key)] == [engagement]


# ---- single sign-on is required


def require_single_sign_on(acting, *, enforced=True):
    with acting("admin"):
        live = session().scalars(select(Connection).where(Connection.state == "live")).one_or_none()
        if live is None:
            live = Connection(issuer="https://id.acme.example", client_id="c", secret=b"")
            session().add(live)
        live.enforced = enforced
        tenant = session().get_one(Tenant, current.actor().tenant_id)
        tenants.set_domains(tenant, {"acme.example"})


def test_where_single_sign_on_is_required_nobody_of_the_work_domains_comes_by_a_code(
    app, as_officer, acting, database
):
    """Invalidate the link and a code sent just before for the work domains.

    Other addresses keep theirs.
    """
    _, link = invite_auditor(as_officer, acting, "intern@acme.example")
    insider = Visitor(app)
    insider.post(f"{link}/code", then=200)
    code = mailed_code(acting)
    require_single_sign_on(acting)
    assert "Single sign-on is required" in insider.post(link, code=code, then=422).text
    assert "Single sign-on is required" in insider.post(f"{link}/code", then=409).text
    engagement, link = invite_auditor(as_officer, acting)
    sign_in_by_link(app, link, acting)
    with pytest.raises(Invalid, match="requires single sign-on of people at acme.example"):
        add_auditor(engagement, "second@Acme.Example")
    require_single_sign_on(acting, enforced=False)
    add_auditor(engagement, "second@acme.example")


# ---- removed, and invited again


def add_auditor(engagement, email="nora@brook.example", way="link", role="compliance_officer"):
    """Add an auditor by the product's own action. Return the token of the link, if there is one."""
    with make.acting(role):
        held = queries.engagement(engagement)
        auditor_access.add_auditor(
            held,
            name="Nora Field",
            email=email,
            way=way,
            address="http://localhost/auditor/acme",
            sign_in="http://in",
        )


def mailed_link(acting):
    return re.search(r"http://localhost(/auditor/acme/\S+)", sent_mails(acting)[-1]["body"])[1]


def sign_in_by_link(app, link, acting, then=303):
    """Sign in by link and code, from a new browser."""
    who = Visitor(app)
    if who.post(f"{link}/code", then=None).status_code == 200:
        return who, who.post(link, code=mailed_code(acting), then=then)
    return who, who.post(link, code="00000000", then=then)


def membership_of_email(acting, email="nora@brook.example"):
    return session().scalars(select(Membership).join(Person).where(Person.email == email)).one()


def sign_in_by_connection(who, then=None):
    """Sign in by the tenant's own connection, as the callback does.

    Return the role, or the reason.
    """
    connection = Connection(issuer=who.issuer, client_id="c", secret=b"", group_roles=then or {})
    key = person_key(who.issuer, who.subject)
    with current.acting_as(make.system_actor("acme")), transaction(person_id=key):
        return admission_actions.admit(who, connection)[1].role


def test_a_removed_auditor_needs_a_new_link(as_officer, app, acting, database):
    engagement, other = (
        engagement_helpers.create_engagement(),
        engagement_helpers.create_engagement("Second firm"),
    )
    add_auditor(other)
    add_auditor(engagement)
    link = mailed_link(acting)
    sign_in_by_link(app, link, acting)
    with acting("admin"):
        member_actions.remove_member(membership_of_email(acting))
    auditor_browser = Visitor(app)
    assert "revoked" in auditor_browser.post(f"{link}/code", then=409).text
    assert "Access revoked" in as_officer.get(f"engagements/{engagement}").text
    as_officer.post(
        f"engagements/{engagement}/auditors",
        name="Nora Field",
        email="nora@brook.example",
        way="link",
    )
    auditor_browser.get(link, then=404)
    again, _ = sign_in_by_link(app, mailed_link(acting), acting)
    again.get(f"engagements/{engagement}")
    as_officer.post(
        f"engagements/{engagement}/auditors",
        name="Nora",
        email="nora@brook.example",
        way="link",
        then=422,
    )


def test_a_code_that_was_sent_before_the_removal_opens_nothing_after_it(app, acting, database):
    add_auditor(engagement_helpers.create_engagement())
    link = mailed_link(acting)
    sign_in_by_link(app, link, acting)
    auditor_browser = Visitor(app)
    auditor_browser.post(f"{link}/code", then=200)
    with acting("admin"):
        member_actions.remove_member(membership_of_email(acting))
    assert "revoked" in auditor_browser.post(link, code=mailed_code(acting), then=403).text
    with acting("admin"):
        assert membership_of_email(acting).ended_at is not None


def test_an_erased_auditor_does_not_come_back_by_any_link(app, acting, database):
    engagement = engagement_helpers.create_engagement()
    add_auditor(engagement)
    link = mailed_link(acting)
    sign_in_by_link(app, link, acting)
    with acting("admin"):
        who = membership_of_email(acting).person_id
    with current.acting_as(make.actor("admin")), transaction(person_id=who):
        member_erasure_actions.erase_member(membership_of_email(acting), ["nora@brook.example"])
    Visitor(app).post(f"{link}/code", then=409)
    add_auditor(engagement)
    _, refused = sign_in_by_link(app, mailed_link(acting), acting, then=403)
    assert "erased" in refused.text


# ---- a fresh sign-in


def age_session(acting, email):
    with acting("admin"):
        who = membership_of_email(acting, email).person_id
        query = select(Session).where(Session.person_id == who, Session.ended_at.is_(None))
        [row] = session().scalars(query).all()
        row.authenticated_at -= timedelta(minutes=6)


def test_who_came_by_a_code_signs_in_again_by_a_new_one_and_goes_on(app, acting, database):
    engagement = engagement_helpers.create_engagement()
    add_auditor(engagement)
    link = mailed_link(acting)
    auditor_browser, _ = sign_in_by_link(app, link, acting)
    auditor_browser.post(f"engagements/{engagement}/packages")
    age_session(acting, "nora@brook.example")
    page = auditor_browser.post(f"engagements/{engagement}/packages", then=401)
    onward = re.search(r'href="(/t/acme/engagements/code[^"]*)"', page.text)[1]
    assert "nora@brook.example" in auditor_browser.get(onward).text
    back = f"/t/acme/engagements/{engagement}"
    assert "Code sent." in auditor_browser.post("engagements/code/send", then=200, next=back).text
    assert (
        f'value="{back}"'
        in auditor_browser.post("engagements/code", code="00000000", next=back, then=422).text
    )
    before = auditor_browser.client.get_cookie("session").value
    assert (
        auditor_browser.post("engagements/code", code=mailed_code(acting), next=back).location
        == back
    )
    assert auditor_browser.client.get_cookie("session").value != before
    auditor_browser.post(f"engagements/{engagement}/packages")
    again = Visitor(app, before)
    again.get(f"engagements/{engagement}", then=302)
    assert [facts["fresh"] for facts in entry_facts(acting, "session.started")][-2:] == [True, True]


def test_a_form_of_who_came_by_a_code_survives_the_next_code(app, acting, database):
    engagement = engagement_helpers.create_engagement()
    add_auditor(engagement)
    auditor_browser, _ = sign_in_by_link(app, mailed_link(acting), acting)
    age_session(acting, "nora@brook.example")
    page = auditor_browser.post(f"engagements/{engagement}/packages", then=401)
    kept = step_up_helpers.newest_kept_form_page()
    assert f"next={kept}" in page.text.replace("%2F", "/")
    auditor_browser.post("engagements/code/send", then=200, next=kept)
    assert (
        auditor_browser.post("engagements/code", code=mailed_code(acting), next=kept).location
        == kept
    )
    shown = auditor_browser.get(kept)
    assert "Generate package" in shown.text and step_up_helpers.kept_form_facts(shown)[
        "Engagement"
    ].endswith("Brook Audit")
    assert "/packages/" in step_up_helpers.submit_kept_form(auditor_browser, shown).location
    assert (
        "Already submitted"
        in step_up_helpers.submit_kept_form(auditor_browser, shown, then=409).text
    )


def test_the_code_leads_to_pages_of_this_tenant_only_and_is_for_those_who_came_by_one(
    app, as_auditor, as_officer, acting, database
):
    add_auditor(engagement_helpers.create_engagement())
    auditor_browser, _ = sign_in_by_link(app, mailed_link(acting), acting)
    for bad in ("https://evil.example/", "//evil.example", "/t/globex/", "/t/acme/\\evil"):
        auditor_browser.post("engagements/code/send", then=None, next=bad)
        assert (
            auditor_browser.post("engagements/code", code=mailed_code(acting), next=bad).location
            == "/t/acme/"
        )
        start_new_hour(acting)
    for who in (as_auditor, as_officer):
        who.get("engagements/code", then=404)
        who.post("engagements/code/send", then=404)


def start_new_hour(acting):
    """Start a new hour, since codes are counted by the hour."""
    with acting("admin"):
        for row in session().scalars(
            select(EngagementAuditor).where(EngagementAuditor.codes_since.is_not(None))
        ):
            row.codes_sent = 0


# ---- invitations by the tenant's own connection


def invitation_of(acting, engagement):
    [auditor] = [
        each.auditor for each in auditor_queries.auditors(engagement) if each.auditor.invitation_id
    ]
    return session().get(Invitation, (current.actor().tenant_id, auditor.invitation_id))


def test_an_invitation_lasts_until_the_fieldwork_ends_and_moves_with_it(
    as_officer, acting, database
):
    engagement = engagement_helpers.create_engagement(opens=30, closes=40)
    add_auditor(engagement, way="sso")
    with acting("admin"):
        held = queries.engagement(engagement)
        assert invitation_of(acting, engagement).expires_at == held.closes_at
        sent = {
            name: str(getattr(held, name))
            for name in ("firm", "period_from", "period_to", "fieldwork_from")
        }
        later = str(held.fieldwork_to + timedelta(days=9))
    as_officer.post(f"engagements/{engagement}/edit", version="1", fieldwork_to=later, **sent)
    with acting("admin"):
        assert (
            invitation_of(acting, engagement).expires_at == queries.engagement(engagement).closes_at
        )
    with clock.frozen(clock.now() + timedelta(days=45)):
        assert (
            sign_in_by_connection(make.identity("acme", "Nora Field", "nora@brook.example"))
            == "auditor"
        )


def test_an_invitation_goes_with_the_last_engagement_that_it_leads_to(as_officer, acting, database):
    one, two = (
        engagement_helpers.create_engagement("One", closes=5),
        engagement_helpers.create_engagement("Two", closes=10),
    )
    add_auditor(two, way="sso")
    add_auditor(one, way="sso")
    with acting("admin"):
        [first] = [each.auditor.id for each in auditor_queries.auditors(two)]
        assert invitation_of(acting, one).id == invitation_of(acting, two).id
        assert invitation_of(acting, one).expires_at == queries.engagement(two).closes_at
    as_officer.post(f"engagements/{two}/auditors/{first}/remove")
    with acting("admin"):
        held = invitation_of(acting, one)
        assert held.withdrawn_at is None and held.expires_at == queries.engagement(one).closes_at
    engagement_helpers.end_engagement(one)
    with acting("admin"):
        assert invitation_of(acting, one).withdrawn_at is not None


def test_an_auditor_who_lost_the_invitation_can_be_invited_again(as_officer, acting, database):
    engagement = engagement_helpers.create_engagement()
    add_auditor(engagement, way="sso")
    with acting("admin"):
        invitation_actions.withdraw_invitation(invitation_of(acting, engagement))
    as_officer.post(
        f"engagements/{engagement}/auditors", name="Nora", email="nora@brook.example", way="sso"
    )
    assert (
        sign_in_by_connection(make.identity("acme", "Nora Field", "nora@brook.example"))
        == "auditor"
    )


def test_an_auditor_with_a_link_can_be_invited_to_single_sign_on(app, acting, database):
    one, two, three = (
        engagement_helpers.create_engagement(firm) for firm in ("One", "Two", "Three")
    )
    add_auditor(one)
    sign_in_by_link(app, mailed_link(acting), acting)
    who = make.identity("acme", "Nora Field", "nora@brook.example")
    with acting("admin"):
        session().add(
            Connection(issuer=who.issuer, client_id="c", secret=b"", group_roles={}, tested_at=None)
        )
    add_auditor(two, way="sso")
    with acting("admin"):
        assert invitation_of(acting, two).role == "auditor"
    assert sign_in_by_connection(who) == "auditor"
    add_auditor(three, way="sso")
    with acting("admin"):
        key = person_key(who.issuer, who.subject)
        assert {each.id for each in queries.open_engagements_of(key)} == {two, three}


def test_nobody_is_auditor_and_member_in_one_whichever_comes_first(
    as_officer, as_admin, app, acting, database
):
    engagement = engagement_helpers.create_engagement()
    add_auditor(engagement, "lee@acme.example")
    link = mailed_link(acting)
    page = as_admin.post(
        "settings/members/invite", email="Lee@acme.example", role="admin", then=422
    )
    assert "is an auditor of ENG-" in page.text
    as_admin.post("settings/members/invite", email="kim@acme.example", role="contributor")
    for way in ("link", "sso"):
        sent = {"name": "Kim", "email": "kim@acme.example", "way": way}
        assert (
            "already has an invitation as contributor"
            in as_officer.post(f"engagements/{engagement}/auditors", then=422, **sent).text
        )
    who = make.identity("acme", "Lee", "lee@acme.example")
    mapped = dataclasses.replace(who, groups=("staff",))
    with pytest.raises(sign_in_rules.NoMembership, match="audit their own tenant"):
        sign_in_by_connection(mapped, {"staff": "viewer"})
    with acting("admin"), transaction(person_id=person_key(who.issuer, who.subject)):
        member_actions.add_member(admission_actions.save_person(who), "viewer", via="the test")
    _, refused = sign_in_by_link(app, link, acting, then=422)
    assert "audit their own tenant" in refused.text


def test_once_an_engagement_is_over_its_auditors_address_may_be_invited(as_admin, acting, database):
    engagement = engagement_helpers.create_engagement()
    add_auditor(engagement, "lee@acme.example")
    engagement_helpers.end_engagement(engagement)
    as_admin.post("settings/members/invite", email="lee@acme.example", role="admin")
    with acting("admin"):
        invited = session().scalars(
            select(Invitation).where(
                Invitation.email == "lee@acme.example", Invitation.withdrawn_at.is_(None)
            )
        )
        assert [each.role for each in invited] == ["admin"]


def test_a_member_of_the_house_is_no_auditor_of_it(as_officer, acting, database):
    page = as_officer.post(
        f"engagements/{engagement_helpers.create_engagement()}/auditors",
        name="Anna",
        email="contributor@acme.example",
        way="link",
        then=422,
    )
    assert "audit their own tenant" in page.text


def test_letting_in_takes_a_fresh_sign_in_and_a_manager(app, as_contributor, as_auditor, database):
    held = engagement_helpers.create_engagement()
    visitor_ago = Visitor(
        app, make.cookie("compliance_officer", signed_in_ago=timedelta(minutes=6))
    )
    sent = {"name": "Nora", "email": "nora@brook.example", "way": "link"}
    visitor_ago.post(f"engagements/{held}/auditors", then=401, **sent)
    as_contributor.post(f"engagements/{held}/auditors", then=403, **sent)
    as_auditor.post(
        f"engagements/{engagement_helpers.world_engagement()}/auditors", then=403, **sent
    )


def test_a_double_click_opens_one_engagement(database):
    first, second = (
        engagement_helpers.create_engagement("Twice and sons"),
        engagement_helpers.create_engagement("Twice and sons"),
    )
    assert (
        first == second
        and engagement_helpers.create_engagement("Twice and sons", closes=11) != first
    )
    engagement_helpers.end_engagement(first)
    assert engagement_helpers.create_engagement("Twice and sons") != first
