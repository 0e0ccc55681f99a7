"""The auditors' door opens and closes by itself, also in the middle of a download; and nobody else is asked."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from governance import schedule
from governance.audit.models import AuditEntry
from governance.controls import actions as controls
from governance.controls.queries import find_control
from governance.engagements import actions, queries
from governance.engagements.models import EngagementAuditor
from governance.frameworks import queries as frameworks
from governance.kernel import clock, current
from governance.kernel.db import session, transaction
from governance.kernel.jobs import WorkItem
from governance.people import actions as people
from governance.people.models import Connection, Session, person_key
from tests import make
from tests.browser import Visitor
from tests.conftest import visitor
from tests.engagements import field
from tests.evidence import shelf


def entries(acting, name):
    """The facts of each entry of that action."""
    with acting("admin"):
        return [e.facts for e in session().scalars(select(AuditEntry).where(AuditEntry.action == name).order_by(AuditEntry.id))]


def live_sessions(acting):
    with acting("admin"):
        query = select(Session.id).where(Session.person_id == make.person_id("auditor"), Session.ended_at.is_(None))
        return list(session().scalars(query))


def test_an_auditor_comes_in_while_an_engagement_of_his_is_open_and_not_a_moment_longer(as_auditor, acting, database):
    as_auditor.get("controls/")
    with acting("admin"):
        closes = queries.engagement(field.worlds()).closes_at
    with clock.frozen(closes - timedelta(seconds=1)):
        fresh = visitor(as_auditor.client.application, "auditor")
        fresh.get("controls/")
    with clock.frozen(closes):
        page = fresh.get("controls/", then=403)
    assert "Your access ended" in page.text


def test_ending_the_engagement_shuts_him_out_at_once_and_ends_his_session(as_auditor, acting, database):
    as_auditor.get("controls/")
    field.end(field.worlds())
    assert live_sessions(acting) == []
    assert as_auditor.get("controls/", then=None).status_code in {302, 401}
    assert [facts["how"] for facts in entries(acting, "session.ended")] == ["the engagement's window closed"]


def test_signed_in_anew_he_is_refused_and_that_session_ends_too(app, acting, database):
    field.end(field.worlds())
    again = visitor(app, "auditor")
    again.get("", then=403)
    assert live_sessions(acting) == []
    again.get("", then=302)


def test_before_the_window_opens_nobody_comes_in(app, acting, database):
    field.end(field.worlds())
    field.engagement(opens=2, closes=9, auditor="auditor")
    visitor(app, "auditor").get("", then=403)


def test_another_open_engagement_keeps_the_door_open(as_auditor, database):
    field.engagement("Second firm", auditor="auditor")
    field.end(field.worlds())
    visitor(as_auditor.client.application, "auditor").get("controls/")


def test_other_roles_are_not_asked(as_officer, as_viewer, database):
    field.end(field.worlds())
    as_officer.get("controls/")
    as_viewer.get("controls/")


def test_windows_begin_and_end_at_midnight_of_the_tenants_clocks(acting, database):
    held = field.engagement()
    with acting("admin"):
        row = queries.engagement(held)
        assert row.opens_at.hour == row.closes_at.hour == 0
        assert row.closes_at - row.opens_at == timedelta(days=21)


def test_the_schedule_ends_sessions_when_windows_close(app, acting, database):
    visitor(app, "auditor").get("controls/")
    with acting("admin"):
        queries.engagement(field.worlds()).closes_at = clock.now()
    schedule.shut_auditors_doors()
    assert live_sessions(acting) == []


def test_a_download_breaks_off_at_the_next_chunk_when_the_engagement_ends(as_auditor, acting, database):
    held = shelf.piece()
    version = shelf.version(held, b"a,b\n" + b"1,2\n" * 900_000, "large.csv")
    reply = as_auditor.client.post(
        f"/t/acme/evidence/versions/{version}/download", data={"csrf_token": as_auditor.csrf()}, buffered=False
    )
    pieces = iter(reply.response)
    assert len(next(pieces)) > 0
    field.end(field.worlds())
    with pytest.raises(actions.Closed, match="breaks off"):
        list(pieces)
    reply.close()


def test_removing_him_shuts_him_out(as_officer, as_auditor, acting, database):
    engagement = field.worlds()
    as_auditor.get("controls/")
    with acting("admin"):
        [auditor] = [each.auditor.id for each in queries.auditors(engagement)]
    as_officer.post(f"engagements/{engagement}/auditors/{auditor}/remove")
    assert as_auditor.get("controls/", then=None).status_code in {302, 401, 403}


# ---- scope


def test_he_takes_files_of_the_engagements_scope_only(app, acting, database):
    field.end(field.worlds())
    soc2 = frameworks.framework("soc2-tsc-2017")
    field.engagement(auditor="auditor", framework_id=soc2.id)
    outside = shelf.version(shelf.piece("Outside"))
    control = shelf.control("SEC-77", "In scope")
    inside = shelf.version(shelf.piece("Inside", supports=[control]), b"a,b\n1,2\n", "inside.csv")
    with acting("compliance_officer"):
        requirement = next(r for r in frameworks.requirements(soc2.id) if r.assessable)
        controls.map_to(find_control(control, lock=True), requirement.id, coverage="full")
    him = visitor(app, "auditor")
    him.post(f"evidence/versions/{outside}/download", then=404)
    assert him.post(f"evidence/versions/{inside}/download", then=200).data == b"a,b\n1,2\n"


# ---- the way in by link and code


@pytest.fixture
def outside(app, isolated):
    return Visitor(app)


def letters(acting):
    with acting("admin"):
        return list(session().scalars(select(WorkItem.params).where(WorkItem.kind == "mail").order_by(WorkItem.id)))


def invited(as_officer, acting, email="nora@brook.example", way="link"):
    engagement = field.engagement()
    as_officer.post(f"engagements/{engagement}/auditors", name="Nora Field", email=email, way=way)
    letter = letters(acting)[-1]
    assert letter["to"] == email
    found = re.search(r"http://localhost(/auditor/acme/\S+)", letter["body"])
    return engagement, found[1] if found else None


def code(acting):
    return re.search(r"^(\d{4} \d{4})$", letters(acting)[-1]["body"], re.MULTILINE)[1]


def test_a_link_sends_a_code_and_the_code_opens_a_session_once(as_officer, outside, acting, database):
    engagement, link = invited(as_officer, acting)
    outside.get(link)
    outside.post(f"{link}/code", then=200)
    right = code(acting)
    arrived = outside.post(link, code=right)
    assert arrived.location.endswith("/t/acme/engagements/")
    outside.get("engagements/")
    outside.get(f"engagements/{engagement}")
    outside.get("settings/members", then=403)
    again = Visitor(outside.client.application)
    again.post(link, code=right, then=422)
    with acting("admin"):
        started = session().scalars(select(AuditEntry).where(AuditEntry.action == "session.started")).all()
        assert [e.actor_kind for e in started if e.facts["via"] == "code by mail"] == ["person"]


def test_the_link_and_the_code_are_kept_as_hashes_only(as_officer, outside, acting, database):
    _engagement, link = invited(as_officer, acting)
    outside.post(f"{link}/code", then=200)
    with acting("admin"):
        [row] = session().scalars(select(EngagementAuditor).where(EngagementAuditor.link_hash.is_not(None))).all()
        held = f"{row.link_hash!r} {row.code_hash!r}"
        bodies = b"".join(session().scalars(select(AuditEntry.body)))
    assert link.rpartition("/")[2] not in held and code(acting).replace(" ", "") not in held
    assert link.rpartition("/")[2].encode() not in bodies and b"nora@brook" not in bodies


def test_a_wrong_code_is_counted_and_five_wrong_ones_use_it_up(as_officer, outside, acting, database):
    _engagement, link = invited(as_officer, acting)
    outside.post(f"{link}/code", then=200)
    right = code(acting)
    for _ in range(5):
        outside.post(link, code="00000000", then=422)
    page = outside.post(link, code=right, then=422)
    assert "Too many wrong codes" in page.text
    assert len(entries(acting, "engagement.code.refused")) == 5


def test_a_code_ends_after_ten_minutes(as_officer, outside, acting, database):
    _engagement, link = invited(as_officer, acting)
    outside.post(f"{link}/code", then=200)
    right = code(acting)
    with clock.frozen(clock.now() + timedelta(minutes=10, seconds=1)):
        outside.post(link, code=right, then=422)


def test_five_codes_an_hour_are_sent_and_no_more(as_officer, outside, acting, database):
    _engagement, link = invited(as_officer, acting)
    for _ in range(5):
        outside.post(f"{link}/code", then=200)
    outside.post(f"{link}/code", then=409)
    with clock.frozen(clock.now() + timedelta(hours=1, seconds=1)):
        outside.post(f"{link}/code", then=200)


def test_a_link_that_was_taken_back_or_never_was_looks_the_same(as_officer, outside, acting, database):
    engagement, link = invited(as_officer, acting)
    never = outside.get(f"{link[:-5]}XXXXX", then=404).text
    field.end(engagement)
    over = outside.get(link, then=404).text
    assert "opens nothing" in never and "opens nothing" in over
    outside.get(link.replace("/acme/", "/globex/"), then=404)
    outside.get(link.replace("/acme/", "/nobody/"), then=404)


def test_before_the_window_the_link_sends_no_code(as_officer, outside, acting, database):
    held = field.engagement(opens=3, closes=9)
    as_officer.post(f"engagements/{held}/auditors", name="Nora Field", email="nora@brook.example", way="link")
    link = re.search(r"http://localhost(/auditor/acme/\S+)", letters(acting)[-1]["body"])[1]
    assert "opens on" in outside.post(f"{link}/code", then=409).text


def test_by_the_tenants_connection_he_is_invited_and_known_once_he_has_signed_in(as_officer, acting, database):
    engagement, link = invited(as_officer, acting, "olaf@brook.example", "sso")
    assert link is None and "/login?tenant=acme" in letters(acting)[-1]["body"]
    who = make.identity("acme", "Olaf Brook", "olaf@brook.example")
    key = person_key(who.issuer, who.subject)
    connection = Connection(issuer=who.issuer, client_id="c", secret=b"", group_roles={})
    with current.acting_as(make.founder("acme")), transaction(person_id=key):
        _person, membership = people.admit(who, connection)
        assert membership.role == "auditor"
    with acting("admin"):
        assert [held.id for held in queries.current(key)] == [engagement]


def test_a_member_of_the_house_is_no_auditor_of_it(as_officer, acting, database):
    page = as_officer.post(
        f"engagements/{field.engagement()}/auditors", name="Anna", email="contributor@acme.example", way="link", then=422
    )
    assert "nobody audits his own house" in page.text


def test_letting_in_takes_a_fresh_sign_in_and_a_manager(app, as_contributor, as_auditor, database):
    held = field.engagement()
    visitor_ago = Visitor(app, make.cookie("compliance_officer", signed_in_ago=timedelta(minutes=6)))
    sent = {"name": "Nora", "email": "nora@brook.example", "way": "link"}
    visitor_ago.post(f"engagements/{held}/auditors", then=401, **sent)
    as_contributor.post(f"engagements/{held}/auditors", then=403, **sent)
    as_auditor.post(f"engagements/{field.worlds()}/auditors", then=403, **sent)
