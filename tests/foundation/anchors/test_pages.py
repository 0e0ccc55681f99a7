"""Settings of checkpoint anchors: permissions, rejected input, and the page."""

import re
from datetime import timedelta

import pytest
from bs4 import BeautifulSoup

from governance.foundation.anchors import actions, jobs, queries
from governance.foundation.anchors.models import Anchor
from governance.foundation.anchors.webhook import new_secret
from governance.kernel.data.db import find
from tests import make
from tests.browser import Visitor, words
from tests.foundation.anchors.witness_servers import DrivenLog, StubReceiver, run_requested_work

WITNESS = {"kind": "witness", "name": "Northlight", "url": "http://127.0.0.1:7380"}


def test_without_an_anchor_the_page_says_what_that_means(as_admin, as_auditor):
    assert "No external witness has a checkpoint of this log" in words(
        as_admin.get("audit/anchors")
    )
    assert "Add external witness" in words(as_admin.get("audit/anchors"))
    assert "Add external witness" not in words(as_auditor.get("audit/anchors"))


def test_an_admin_adds_a_witness_and_sees_it_agree(log, witness, as_admin, as_officer):
    log.grow(3)
    assert log.key in as_admin.get("audit/anchors/new?kind=witness").text
    witness.trust(log.origin, log.key)
    page = as_admin.post(
        "audit/anchors", **{**WITNESS, "url": witness.url + "/", "key": witness.key}, follow=True
    )
    assert "Northlight added" in page.text
    run_requested_work()
    page = words(as_officer.get("audit/anchors"))
    assert "The external witness agrees" in page and "Agrees on" in page
    assert re.search(r"\d+ \w+ ago", page)
    [(_, facts, kind)] = log.entries("anchor.added")
    assert (
        facts == {"kind": "witness", "name": "Northlight", "host": "127.0.0.1"} and kind == "person"
    )


def test_a_double_click_adds_one(log, witness, as_admin):
    for _ in range(2):
        as_admin.post("audit/anchors", **{**WITNESS, "url": witness.url, "key": witness.key})
    with log.acting("admin"):
        assert len(queries.anchors()) == 1 and len(queries.under_way()) == 1
    assert len(log.entries("anchor.added")) == 1
    again = as_admin.post(
        "audit/anchors",
        **{**WITNESS, "name": "Other", "url": witness.url, "key": witness.key},
        then=422,
    )
    assert "Northlight already has that address" in words(again)


def test_a_receivers_secret_is_shown_before_it_is_added_and_never_again(log, as_admin):
    page = BeautifulSoup(as_admin.get("audit/anchors/new?kind=webhook").text, "html.parser")
    secret = page.find(id="secret")["value"]
    assert secret.startswith("whsec_")
    server = StubReceiver(200)
    with server.serving() as url:
        as_admin.post("audit/anchors", kind="webhook", name="Store", url=url, secret=secret)
        log.grow(1)
        run_requested_work()
    assert "Received" in words(as_admin.get("audit/anchors"))
    assert secret.removeprefix("whsec_") not in as_admin.get("audit/anchors").text
    assert not any(secret in str(entry) for entry in log.entries("anchor.added"))


BAD = [
    ({"url": "http://10.0.0.1/"}, "isn't an https address"),
    ({"url": "https://10.0.0.1/"}, "is on a private network"),
    ({"url": "https://169.254.169.254/latest"}, "is on a private network"),
    ({"url": "https://[::1]/"}, "is on a private network"),
    ({"url": "https://witness.invalid"}, "The host name witness.invalid doesn't exist"),
    ({"url": "file:///etc/passwd"}, "isn't an https address"),
    ({"url": "https://user:word@witness.example"}, "isn't an https address"),
    ({"url": "http://127.0.0.1:7380/?a=b"}, "without ? and #"),
    ({"url": "http://127.0.0.1:99999"}, "isn't an https address"),
    ({"url": "x" * 600}, "500"),
    ({"url": ""}, "Enter its address."),
    ({"name": ""}, "Enter a name."),
    ({"name": "\u200a"}, "Enter a name of 1 to 80"),
    ({"name": "a\u202eb"}, "1 to 80 characters"),
    ({"key": "witness.example+00000000+AAAA"}, "isn't a 32-byte Ed25519 key"),
    ({"key": "nonsense"}, "name+id+base64"),
    ({"kind": "webhook", "secret": "whsec_short"}, "secret"),
    ({"kind": "webhook", "secret": "password"}, "starts with whsec_"),
    ({"kind": "timestamp", "key": "-----BEGIN NOTHING-----"}, "not PEM certificates"),
    ({"kind": "timestamp", "key": "x" * 100_000}, "40000"),
]


@pytest.mark.parametrize(("wrong", "says"), BAD, ids=[says for _, says in BAD])
def test_what_cannot_be_right_is_refused_in_words(log, witness, as_admin, wrong, says):
    reply = as_admin.post("audit/anchors", **{**WITNESS, "key": witness.key, **wrong}, then=422)
    assert says in words(reply) and "Not added." in words(reply)
    with log.acting("admin"):
        assert queries.anchors() == [] and queries.under_way() == []


def test_the_key_of_a_log_is_not_taken_for_that_of_a_witness(log, as_admin):
    log.grow(1)
    assert "This is the key of a log or a signer." in words(
        as_admin.post("audit/anchors", **WITNESS, key=log.key, then=422)
    )


def test_a_log_has_only_so_many(log, as_admin, witness):
    for number in range(queries.MAX_ANCHORS):
        log.add(
            kind="webhook",
            name=f"Store {number}",
            url=f"http://127.0.0.1:1/{number}",
            secret=new_secret(),
        )
    assert "10 external witnesses at most" in words(
        as_admin.post("audit/anchors", **WITNESS, key=witness.key, then=422)
    )
    assert "Add external witness" not in words(as_admin.get("audit/anchors"))


def test_the_page_asks_the_database_as_often_for_many_as_for_one(log, as_admin, statements):
    log.grow(1)
    log.add(kind="webhook", name="Store", url="http://127.0.0.1:1/", secret=new_secret())
    as_admin.get("audit/anchors")
    with statements() as one:
        as_admin.get("audit/anchors")
    for number in range(8):
        log.add(
            kind="webhook",
            name=f"Store {number}",
            url=f"http://127.0.0.1:1/{number}",
            secret=new_secret(),
        )
    with statements() as many:
        as_admin.get("audit/anchors")
    assert len(many) <= len(one)


def test_removing_needs_a_fresh_sign_in_and_stops_the_sending(
    app, log, witness, as_admin, as_officer, as_auditor
):
    log.grow(1)
    anchor = log.witnessed_by(witness)
    path = f"audit/anchors/{anchor}/removal"
    assert "This is the only external witness." in words(as_admin.get(path))
    for visitor in (as_officer, as_auditor):
        visitor.post(path, then=403)
        visitor.post("audit/anchors/send", then=403)
        visitor.post(f"audit/anchors/{anchor}/test", then=403)
        visitor.post("audit/anchors", **WITNESS, key=witness.key, then=403)
    stale = Visitor(app, make.cookie("admin", signed_in_ago=timedelta(hours=1)), "acme")
    stale.post(path, then=401)
    stale.get("audit/anchors/new", then=401)
    assert log.push() == 1
    as_admin.post(path)
    log.grow(1)
    assert log.push() == 0
    as_admin.post(path, then=404)
    as_admin.post(f"audit/anchors/{anchor}/test", then=404)
    assert len(log.entries("anchor.removed")) == 1


def test_one_that_is_removed_while_it_is_asked_is_left_as_it_was(log, witness):
    """Write and halt nothing when the answer arrives after the removal."""
    log.grow(1)
    ids = []

    def removing(_):
        with log.acting("admin"):
            actions.remove(queries.anchor(ids[0]))
        return b"99\n"

    with StubReceiver(409, removing, Content_Type="text/x.tlog.size").serving() as url:
        ids.append(log.add(url=url, key=witness.key))
        assert log.push() == 1
    assert log.trouble is None and log.entries("anchor.state.changed") == []
    with log.acting("admin"):
        assert find(Anchor, ids[0]).state == "new"


def test_the_neighbour_neither_sees_nor_sends_nor_takes(
    log, acting, witness, as_neighbour, as_stranger
):
    log.grow(1)
    anchor = log.witnessed_by(witness)
    log.push()
    with log.acting("admin"):
        [kept] = queries.newest_receipts()[anchor]
        receipt = kept.receipt.id
    assert "Northlight" not in as_neighbour.get("audit/anchors").text
    as_stranger.get("audit/anchors", then=404)
    as_neighbour.post(f"audit/anchors/receipts/{receipt}/download", then=404)
    admin = Visitor(as_neighbour.client.application, make.cookie("admin", "globex"), "globex")
    admin.post(f"audit/anchors/{anchor}/test", then=404)
    admin.post(f"audit/anchors/{anchor}/removal", then=404)
    neighbour = DrivenLog(acting, "globex")
    neighbour.grow(1)
    assert neighbour.push() == 0


def test_every_minute_each_tenant_that_has_anchors_is_served_whatever_is_wrong_with_another(
    log, acting, witness
):
    neighbour = DrivenLog(acting, "globex")
    size, _ = log.grow(2)
    broken = log.add(kind="webhook", name="Broken", url="http://127.0.0.1:1/", secret=new_secret())
    mine = log.witnessed_by(witness)
    seen, _ = neighbour.grow(2)
    theirs = neighbour.witnessed_by(witness)
    jobs.push_all(side_by_side=1)
    assert log.anchor(broken)[0] == "away"
    assert log.anchor(mine) == ("agrees", "", size)
    assert neighbour.anchor(theirs) == ("agrees", "", seen)


def test_before_the_first_checkpoint_nothing_is_sent(log, acting, witness):
    fresh = DrivenLog(acting, "globex")
    fresh.add(url=witness.url, key=witness.key)
    if fresh.size == 0:
        assert fresh.push() == 0
        assert [each.finding for each in fresh.compare()] == ["has not seen this log yet"]
