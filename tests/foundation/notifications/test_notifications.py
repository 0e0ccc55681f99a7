"""Notifications: each person gets each one once, by the channel of their choice."""

from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import select, update

from governance.foundation.audit.models import AuditEntry
from governance.foundation.notifications import actions, digests, jobs
from governance.foundation.notifications.actions import Happening, notify
from governance.foundation.notifications.models import Notification
from governance.foundation.people.models import Membership
from governance.foundation.people.preferences import Preferences
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.kernel.work import outbox
from governance.kernel.work.jobs import WorkItem
from tests import make
from tests.assurance.evidence import evidence_helpers

PAGE = "notifications/"
ANNA = "contributor@acme.example"


def happening(kind="comment", **more) -> Happening:
    facts = {"says": "commented on", "title": "SEC-04 Penetration test", "path": "controls/"} | more
    return Happening(kind, uuid4(), **facts)


def tell(role="contributor", by="compliance_officer", **more) -> None:
    with make.acting(by):
        notify([make.person_id(role)], happening(**more))


def prefer(role="contributor", **chosen) -> None:
    with make.acting("admin"):
        session().execute(
            update(Membership)
            .where(Membership.person_id == make.person_id(role))
            .values(preferences=Preferences(**chosen).stored())
        )


def member(role="contributor") -> Membership:
    with make.acting("admin", read_only=True):
        query = select(Membership).where(Membership.person_id == make.person_id(role))
        found = session().scalars(query).one()
        session().expunge_all()
        return found


def mails() -> list[WorkItem]:
    with make.acting("admin", read_only=True):
        found = (
            session()
            .scalars(select(WorkItem).where(WorkItem.kind == "mail").order_by(WorkItem.id))
            .all()
        )
        session().expunge_all()
        return list(found)


def soup(reply) -> BeautifulSoup:
    return BeautifulSoup(reply.text, "html.parser")


def badge(reply) -> str:
    return " ".join(soup(reply).select_one(".c-bell").get_text(" ").split())


def rows(reply) -> list[str]:
    return [
        " ".join(each.get_text(" ").split()) for each in soup(reply).select(".c-notifications > li")
    ]


# ---- the page and the bell


def test_the_bell_counts_on_every_page_and_costs_no_statement(as_contributor, statements):
    with statements() as before:
        assert badge(as_contributor.get("settings/sessions")) == "Notifications"
    for _ in range(3):
        tell()
    with statements() as after:
        assert badge(as_contributor.get("settings/sessions")) == "Notifications 3 unread"
    assert len(after) <= len(before)


def test_opening_one_goes_there_and_it_is_read(as_contributor):
    tell(title="SEC-04 <b>", path="controls/?q=SEC-04")
    page = as_contributor.get(PAGE)
    assert "Unread: Ines Duarte commented on SEC-04 <b>" in rows(page)[0]
    form = soup(page).select_one(".c-notifications form")
    after = as_contributor.post(form["action"])
    assert after.location.endswith("/t/acme/controls/?q=SEC-04")
    assert badge(as_contributor.get(PAGE)) == "Notifications"
    assert rows(as_contributor.get(PAGE))[0].startswith("Ines Duarte commented on")


def test_read_unread_and_all_read(as_contributor):
    for n in range(3):
        tell(title=f"SEC-{n}")
    first = as_contributor.get(PAGE)
    action = soup(first).select(".c-notifications > li")[0].select("form")[1]["action"]
    for _ in range(2):
        as_contributor.post(action)
    assert badge(as_contributor.get(PAGE)).endswith("2 unread")
    assert len(rows(as_contributor.get(f"{PAGE}?show=unread"))) == 2
    action = soup(as_contributor.get(PAGE)).select(".c-notifications > li")[0].select("form")[1]
    assert action["action"].endswith("/unread")
    as_contributor.post(action["action"])
    assert badge(as_contributor.get(PAGE)).endswith("3 unread")
    as_contributor.post(f"{PAGE}read")
    assert badge(as_contributor.get(PAGE)) == "Notifications"
    assert "Nothing unread" in as_contributor.get(f"{PAGE}?show=unread").text


def test_nobody_opens_anothers(as_contributor, as_officer, as_neighbour):
    tell()
    with make.acting("admin", read_only=True):
        mine = session().scalars(select(Notification.id)).one()
    for other in (as_officer, as_neighbour):
        assert rows(other.get(PAGE)) == []
        for verb in ("open", "read", "unread"):
            other.post(f"{PAGE}{mine}/{verb}", then=404)
        other.post(f"{PAGE}read")
    assert badge(as_contributor.get(PAGE)).endswith("1 unread")


def test_pages_of_fifty_and_three_statements(as_contributor, statements):
    with make.acting("compliance_officer"):
        for n in range(52):
            notify([make.person_id("contributor")], happening(title=f"SEC-{n:02}"))
    with statements() as seen:
        page = as_contributor.get(PAGE)
    assert len(rows(page)) == 50 and len([s for s in seen if not s.startswith("UPDATE")]) <= 3
    following = soup(page).find("a", string=lambda text: text and "Next" in text)
    assert len(rows(as_contributor.get(following["href"]))) == 2


# ---- recipients


def test_each_is_told_once_and_nobody_of_their_own_acts(app, isolated):
    same = happening()
    for _ in range(2):
        with make.acting("compliance_officer"):
            notify([make.person_id("contributor"), make.person_id("compliance_officer")], same)
    with make.acting("admin", read_only=True):
        assert len(session().scalars(select(Notification)).all()) == 1
    assert member().unread_notifications == 1
    assert member("compliance_officer").unread_notifications == 0


def test_an_owner_is_told_and_a_former_member_is_not(as_officer):
    control = evidence_helpers.create_control(owner=None)
    as_officer.post(f"controls/{control}/owner", owner_id=str(make.person_id("contributor")))
    assert member().unread_notifications == 1
    with make.acting("admin"):
        gone = update(Membership).where(Membership.person_id == make.person_id("contributor"))
        session().execute(gone.values(ended_at=clock.now()))
    tell()
    assert member().unread_notifications == 1


def test_what_can_be_off_is_off_and_what_can_not_stays(app, isolated):
    prefer(channels=dict.fromkeys(("mention", "comment", "decision", "assignment"), "off"))
    for kind in ("mention", "comment", "decision", "assignment"):
        tell(kind=kind)
    with make.acting("admin", read_only=True):
        kinds = set(session().scalars(select(Notification.kind)))
    assert kinds == {"decision", "assignment"}


# ---- mail at once


def test_mail_at_once_has_a_link_and_no_text_and_one_is_enough(app, isolated):
    prefer(channels={"comment": "email"})
    for _ in range(3):
        tell(path="controls/x")
    [mail] = mails()
    assert mail.params["to"] == ANNA and "/t/acme/controls/x" in mail.params["body"]
    assert "/t/acme/settings/profile" in mail.params["body"]
    with make.acting("admin", read_only=True):
        waiting = session().scalars(select(Notification.awaits_mail)).all()
    assert sorted(waiting) == [False, True, True]  # The digest has the others.


# ---- the digest


def send(at: datetime) -> list[WorkItem]:
    before = len(mails())
    with clock.frozen(at), make.acting("admin"):
        digests.send_digests()
    return mails()[before:]


BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("zone", "hour", "now", "due"),
    [
        ("Europe/Berlin", 8, "2026-11-27T07:30", "2026-11-27T07:00"),
        ("Europe/Berlin", 8, "2026-11-27T06:30", "2026-11-26T07:00"),
        ("America/New_York", 8, "2026-11-27T13:00", "2026-11-27T13:00"),
        ("Asia/Kolkata", 23, "2026-11-27T17:29", "2026-11-26T17:30"),
        ("Europe/Berlin", 2, "2026-03-29T03:00", "2026-03-29T01:00"),  # The skipped hour.
    ],
)
def test_when_a_digest_was_last_due(zone, hour, now, due):
    at = digests.last_digest_time(
        hour, ZoneInfo(zone), datetime.fromisoformat(now).replace(tzinfo=UTC)
    )
    assert at.astimezone(UTC) == datetime.fromisoformat(due).replace(tzinfo=UTC)


def test_the_digest_comes_once_at_the_persons_hour_in_their_zone(app, isolated):
    prefer(time_zone="America/New_York", digest_hour=9)
    tell(title="SEC-04 Penetration test", path="controls/x")
    tell(title="SEC-05 Backups")
    local = clock.now().astimezone(ZoneInfo("America/New_York"))
    due = (local + timedelta(days=1)).replace(hour=9, minute=0, second=0, microsecond=0)
    assert send(due - timedelta(minutes=1)) == [] or local.hour < 9
    [mail] = send(due + timedelta(minutes=1)) or mails()
    assert mail.params["to"] == ANNA
    assert mail.params["subject"] == "2 notifications in Acme Insurance"
    assert "Ines Duarte commented on SEC-04 Penetration test\nhttp" in mail.params["body"]
    assert "/t/acme/controls/x" in mail.params["body"]
    assert send(due + timedelta(hours=1)) == []
    assert send(due + timedelta(days=1)) == []


def tomorrow() -> datetime:
    return clock.now() + timedelta(days=1, minutes=1)


def test_what_was_read_or_is_turned_off_is_not_in_it(app, isolated, as_contributor):
    tell(title="Read already")
    as_contributor.post(f"{PAGE}read")
    tell(title="Off since", kind="mention")
    prefer(channels={"mention": "app"})
    send(tomorrow())
    assert not any("Read already" in mail.params["body"] for mail in mails())


def test_a_digest_unsubscribes_by_one_click_without_a_session(app, isolated, client):
    tell()
    [mail] = send(tomorrow())
    letter = outbox._letter(mail)
    address = letter["List-Unsubscribe"].strip("<>")
    assert letter["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    path = address[address.index("/digest/") :]
    assert "Unsubscribe from the daily digest?" in client.get(path).text
    assert Preferences.of(member().preferences).digest
    for _ in range(2):  # A mail program has neither a cookie nor a form's token.
        answer = app.test_client().post(path, data={"List-Unsubscribe": "One-Click"})
        assert answer.status_code == 200
    assert not Preferences.of(member().preferences).digest
    with make.acting("admin", read_only=True):
        query = select(AuditEntry).where(AuditEntry.action == "digest.unsubscribed")
        assert len(session().scalars(query).all()) == 1
    tell()
    assert send(tomorrow() + timedelta(days=1)) == []


def test_a_made_up_link_changes_nothing(app, isolated, client):
    with make.acting("admin", "globex", read_only=True) as who:
        theirs = session().scalars(select(Membership)).first()
        real = digests.unsubscribe_address(theirs).rpartition("/")[2]
    assert who.tenant_slug == "globex"
    moved = real.replace("globex~", "acme~")
    for token in ("x", "acme~" + "A" * 60, moved, real[:-2] + "AA", "nowhere~" + "A" * 60):
        client.get(f"/digest/unsubscribe/{token}", then=404)
        assert app.test_client().post(f"/digest/unsubscribe/{token}").status_code == 404


# ---- limits


def test_ninety_days_and_the_count_is_right_again(app, isolated):
    for n in range(3):
        tell(title=f"SEC-{n}")
    with make.acting("admin"):
        first = session().scalars(select(Notification.id).order_by(Notification.id)).first()
        old = clock.now() - actions.KEPT_FOR - timedelta(days=1)
        session().execute(
            update(Notification).where(Notification.id == first).values(created_at=old)
        )
        session().execute(update(Membership).values(unread_notifications=17))
    with make.acting("admin"):
        actions.delete_old()
    assert member().unread_notifications == 2 and member("viewer").unread_notifications == 0
    assert jobs.delete_old and message_from_bytes
