"""The public page and its feed: valid for feed readers, separate by tenant, with nothing else."""

import re
from datetime import UTC, datetime

import feedparser
import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.kernel.data.ids import uuid7
from governance.publishing.change_log import actions, atom_feed, queries
from tests import make
from tests.publishing.change_log.change_log_helpers import published, started, written

NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)


@pytest.fixture
def public(isolated):
    """Return the path of Acme's page."""
    return started()


def parsed(client, public):
    reply = client.get(f"{public}/feed.atom")
    assert reply.content_type == "application/atom+xml; charset=utf-8"
    found = feedparser.parse(reply.data)
    assert not found.bozo and found.version == "atom10"
    return found


def test_a_feed_reader_reads_what_was_published(client, public, as_contributor, as_officer):
    assert parsed(client, public).entries == []
    change_id = published(as_contributor, as_officer, title="Größer & <besser>")
    feed = parsed(client, public)
    assert feed.feed.title.startswith("Changes to AI at ") and feed.feed.author
    links = {each.rel: each.href for each in feed.feed.links}
    assert links["self"].endswith(f"{public}/feed.atom") and links["alternate"].endswith(public)
    (entry,) = feed.entries
    assert entry.title == "Größer & <besser>" and entry.id.endswith(f"change/{change_id}")
    assert re.fullmatch(r"tag:[^,]+,2026:change/[0-9a-f-]{36}", entry.id)
    assert entry.published_parsed and entry.updated_parsed and entry.link.endswith("#CH-1")
    assert "Answers follow the language of the claim." in entry.content[0].value


def test_a_withdrawal_reaches_readers_as_an_update_of_the_same_entry(
    client, public, as_contributor, as_officer
):
    change_id = published(as_contributor, as_officer)
    before = parsed(client, public).entries[0]
    as_officer.post(f"change-log/{change_id}/withdraw", reason="It was Czech.")
    after = parsed(client, public).entries[0]
    assert after.id == before.id and after.title.startswith("Withdrawn: ")
    assert after.content[0].value == "Withdrawn: It was Czech."
    assert after.updated >= before.updated


def test_a_reader_that_asks_again_gets_304_until_something_changes(
    client, public, as_contributor, as_officer
):
    for path in (public, f"{public}/feed.atom"):
        first = client.get(path)
        tag = {"If-None-Match": first.headers["ETag"]}
        client.get(path, headers=tag, then=304)
    published(as_contributor, as_officer)
    client.get(f"{public}/feed.atom", headers=tag, then=200)


def test_drafts_discarded_and_requested_changes_are_nowhere_public(client, public, as_contributor):
    as_contributor.post(f"change-log/{written()}/request")
    as_contributor.post(f"change-log/{written(title='Polish, discarded')}/discard")
    written(title="Only a draft")
    for path in (public, f"{public}/feed.atom"):
        assert "Polish" not in client.get(path).text and "Only a draft" not in client.get(path).text


@pytest.mark.parametrize("tail", ["", "/feed.atom"])
def test_every_wrong_address_gets_the_same_answer(client, public, tail):
    # An existing page reveals no more than a missing one.
    theirs = started("globex").rsplit("_", 1)[1]
    slug, secret = public.removeprefix("/public/changes/chg_").split("_", 1)
    wrong = [
        f"chg_{slug}_{'A' * 22}",
        f"chg_globex_{secret}",
        f"chg_{slug}_{theirs}",
        f"chg_nobody-here_{secret}",
        f"cal_{slug}_{secret}",
        "chg_",
        "x" * 10_000,
        f"chg_{slug}_{secret}%00",
        "' OR 1=1 --",
    ]
    answers = {
        re.sub(
            r"[0-9a-f-]{16,}|/public/[^\"<]*",
            "",
            client.get(f"/public/changes/{each}{tail}", then=404).text,
        )
        for each in wrong
    }
    assert len(answers) == 1


def test_a_tenants_page_shows_nothing_of_another(client, public, as_contributor, as_officer):
    other = started("globex")
    published(as_contributor, as_officer)
    assert "Polish" in client.get(public).text
    for path in (other, f"{other}/feed.atom"):
        assert "Polish" not in client.get(path).text


def test_the_page_is_switched_off_and_its_address_replaced(
    client, public, as_admin, as_contributor, as_officer
):
    published(as_contributor, as_officer)
    as_contributor.post("change-log/page", then=403, step="off")
    as_admin.post("change-log/page", step="off")
    client.get(public, then=404)
    as_admin.post("change-log/page", step="on")
    client.get(public, then=200)
    as_admin.post("change-log/page", step="replace")
    client.get(public, then=404)
    client.get(f"{public}/feed.atom", then=404)
    with make.acting("viewer", read_only=True):
        log = queries.change_log()
        assert log
        token = log.token
    assert "Polish" in client.get(f"/public/changes/{token}").text


def test_a_long_log_has_older_pages_and_shows_each_change_once(client, public, as_contributor):
    for number in range(60):
        change_id = written(title=f"Change number {number}.")
        with make.acting("compliance_officer"):
            actions.publish(queries.change(change_id))
    found, path = [], public
    for _ in range(5):
        page = client.get(path).text
        found += re.findall(r"Change number (\d+)\.", re.sub(r"<title>.*?</title>", "", page))
        older = re.search(r'href="([^"]*\?before=\d+)"', page)
        if older is None:
            break
        path = older[1]
    assert [int(each) for each in found] == list(range(59, -1, -1))


def test_the_number_of_statements_doesnt_grow_with_the_changes(client, public, statements):
    def asked() -> int:
        with statements() as sent:
            client.get(public)
        return len(sent)

    before = asked()
    for _ in range(10):
        change_id = written()
        with make.acting("compliance_officer"):
            actions.publish(queries.change(change_id))
    assert asked() <= before


@given(title=st.text(max_size=60), text=st.text(max_size=200))
def test_any_text_makes_a_feed_that_a_parser_accepts(title, text):
    entry = atom_feed.FeedEntry(uuid7(), title, text, "Fix", "https://a.example/#CH-1", NOW, NOW)
    content = atom_feed.feed(
        log_id=uuid7(),
        title=title,
        author="Acme",
        page="https://a.example/public/changes/x",
        address="https://a.example/public/changes/x/feed.atom",
        started=NOW,
        entries=[entry],
    )
    found = feedparser.parse(content)
    assert not found.bozo and len(found.entries) == 1
