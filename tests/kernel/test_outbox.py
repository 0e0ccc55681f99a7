"""Mail: queued with its cause, sent after the commit, to a folder or a real SMTP server."""

from datetime import timedelta
from email import message_from_bytes, policy

import pytest
from sqlalchemy import select

from governance.foundation.people.jobs import actor_of
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.kernel.work import jobs, outbox
from governance.kernel.work.jobs import WorkItem
from tests.kernel.post_office import open_post_office


@pytest.fixture(autouse=True)
def own_outbox(app, settings, tmp_path):
    outbox.use(None, tmp_path / "outbox", domain="console.example")
    yield tmp_path / "outbox"
    outbox.use(settings.smtp_url, settings.var / "outbox", domain=settings.domain)


def queue_mail(
    acting, to="new@acme.example", subject="Join Acme", body="Sign in: http://localhost/\n"
):
    with acting("admin"):
        outbox.send_mail(to, subject, body)
        return (
            session()
            .scalars(
                select(WorkItem)
                .where(WorkItem.kind == "mail")
                .order_by(WorkItem.id.desc())
                .limit(1)
            )
            .one()
            .id
        )


def state_of(acting, item_id):
    with acting("admin", read_only=True):
        item = session().scalars(select(WorkItem).where(WorkItem.id == item_id)).one()
        return item.state, item.step


def test_mail_goes_to_the_folder_after_the_commit(acting, own_outbox):
    item_id = queue_mail(acting)
    assert not own_outbox.exists()
    assert jobs.drain(actor_of) == 1
    [file] = own_outbox.iterdir()
    mail = message_from_bytes(file.read_bytes(), policy=policy.default)
    assert (mail["To"], mail["Subject"], mail.get_content()) == (
        "new@acme.example",
        "Join Acme",
        "Sign in: http://localhost/\n",
    )
    assert state_of(acting, item_id)[0] == "done"


@pytest.mark.parametrize("end", ["delivered", "cancelled", "refused"])
def test_a_letter_that_is_over_keeps_no_text_with_its_links_and_codes(acting, own_outbox, end):
    item_id = queue_mail(acting, body="Your code is 123456.")
    if end == "refused":
        with open_post_office() as office:
            office.refuse_with = "550 no such person"
            address = f"smtp://127.0.0.1:{office.server_address[1]}"
            outbox.use(address, outbox._folder, domain="trust.company.example")
            jobs.drain(actor_of)
    elif end == "cancelled":
        with acting("admin"):
            jobs.cancel(session().scalars(select(WorkItem).where(WorkItem.id == item_id)).one())
    else:
        jobs.drain(actor_of)
    with acting("admin", read_only=True):
        item = session().scalars(select(WorkItem).where(WorkItem.id == item_id)).one()
        assert item.is_over and item.params["body"] == "" and item.params["to"]


def test_no_mail_leaves_when_its_cause_is_rolled_back(acting, own_outbox):
    with pytest.raises(ValueError), acting("admin"):
        outbox.send_mail("new@acme.example", "Join", "…")
        raise ValueError
    assert jobs.drain(actor_of) == 0 and not own_outbox.exists()


def test_mail_goes_by_smtp(acting):
    with open_post_office() as office:
        outbox.use(
            f"smtp://127.0.0.1:{office.server_address[1]}",
            outbox._folder,
            domain="trust.company.example",
        )
        item_id = queue_mail(acting, subject="Prüfung fällig", body="Grüße\n.\nund mehr\n")
        jobs.drain(actor_of)
    [(sender, receiver, raw)] = office.mails
    mail = message_from_bytes(raw, policy=policy.default)
    assert receiver.strip() == "<new@acme.example>" and sender == "<console@trust.company.example>"
    assert (
        mail["Subject"] == "Prüfung fällig"
        and mail["Message-Id"] == f"<{item_id}@trust.company.example>"
    )
    assert state_of(acting, item_id)[0] == "done"


def test_a_server_that_is_away_is_tried_again_three_times(acting):
    with open_post_office() as office:
        port = office.server_address[1]
    outbox.use(f"smtp://127.0.0.1:{port}", outbox._folder, domain="trust.company.example")
    item_id = queue_mail(acting)
    now = clock.now()
    for hours in (0, 1):
        with clock.frozen(now + timedelta(hours=hours, seconds=1)):
            assert jobs.drain(actor_of) == 1
        assert state_of(acting, item_id) == (
            "queued",
            "Retrying soon: The mail server is unavailable.",
        )
    with clock.frozen(now + timedelta(hours=2)):
        assert jobs.drain(actor_of) == 1
        assert jobs.drain(actor_of) == 0
    assert state_of(acting, item_id) == ("failed", "The mail server is unavailable.")


def test_a_server_that_comes_back_gets_the_mail_once(acting):
    outbox.use("smtp://127.0.0.1:1", outbox._folder, domain="trust.company.example")
    item_id = queue_mail(acting)
    jobs.drain(actor_of)
    with open_post_office() as office:
        outbox.use(
            f"smtp://127.0.0.1:{office.server_address[1]}",
            outbox._folder,
            domain="trust.company.example",
        )
        with clock.frozen(clock.now() + timedelta(hours=1)):
            assert jobs.drain(actor_of) == 1
    assert len(office.mails) == 1 and state_of(acting, item_id)[0] == "done"


def test_an_address_that_the_server_refuses_is_not_tried_again(acting):
    with open_post_office() as office:
        office.refuse_with = "550 no such person"
        outbox.use(
            f"smtp://127.0.0.1:{office.server_address[1]}",
            outbox._folder,
            domain="trust.company.example",
        )
        item_id = queue_mail(acting)
        jobs.drain(actor_of)
    assert state_of(acting, item_id) == ("failed", "The mail server rejected this address.")


@pytest.mark.parametrize(
    "to", ["a@acme.example\nBcc: b@globex.example", "a@acme.example\r\n\r\nbody"]
)
def test_an_address_cannot_add_a_header(acting, own_outbox, to):
    item_id = queue_mail(acting, to=to)
    jobs.drain(actor_of)
    assert state_of(acting, item_id)[0] == "failed" and not list(own_outbox.glob("*.eml"))
