"""Search in the log: plain words in entries of any age, and nothing that is encrypted."""

import pytest
from sqlalchemy import func, select

from governance.foundation.audit.models import AuditEntry
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import registry
from governance.foundation.logbook import search as searching
from governance.foundation.logbook.filters import parse
from governance.foundation.logbook.models import LogWord, SearchIndex
from governance.foundation.logbook.search import BLOCK, index_new_blocks
from governance.foundation.tenants.models import Tenant
from governance.kernel.data.db import session
from tests.foundation.logbook.log_page_helpers import (
    entry_ids_on_page,
    parse_page,
    sequence_entries,
    walk_pages,
    write_entries,
)

CHANGED = registry["tenant.settings.changed"]


def rename_tenant(acting, name, tenant="acme", **more):
    with acting("admin", tenant) as who:
        return str(
            record(CHANGED, session().get(Tenant, who.tenant_id), after={"name": name}, **more).id
        )


def index_all(acting, tenant="acme"):
    done = 0
    with acting("admin", tenant):
        while more := index_new_blocks():
            done += more
    return done


@pytest.fixture
def long_log(acting, database):
    """Write three full blocks and a tail: a rare name at the start, another in the tail."""
    old = rename_tenant(acting, "Zanzibar Branch")
    write_entries(acting, 3 * BLOCK)
    sequence_entries(acting)
    assert index_all(acting) >= 3
    young = rename_tenant(acting, "Zanzibar Harbour")
    sequence_entries(acting)
    return old, young


def test_a_word_is_found_in_indexed_blocks_in_the_tail_and_while_it_waits(
    as_officer, acting, long_log
):
    waiting = rename_tenant(acting, "Zanzibar Airport")
    assert entry_ids_on_page(as_officer.get("audit/?q=zanzibar")) == [
        waiting,
        long_log[1],
        long_log[0],
    ]
    assert entry_ids_on_page(as_officer.get("audit/?q=ZANZI bran")) == [long_log[0]]
    assert entry_ids_on_page(as_officer.get("audit/?q=zanzibar airport")) == [waiting]
    assert entry_ids_on_page(as_officer.get("audit/?q=zanzibarx")) == []
    assert "Encrypted fields can’t be searched" in as_officer.get("audit/?q=zanzibarx").text


@pytest.mark.slow
def test_the_index_and_no_index_find_the_same(as_officer, acting, long_log):
    queries = ("name25", "Name7 tenant", "Tenant", "done", "zanz", "settings")
    with_index = [entry_ids_on_page(as_officer.get(f"audit/?q={q}")) for q in queries]
    with acting("admin"):
        session().scalars(select(SearchIndex)).one().blocks = 0
    assert [entry_ids_on_page(as_officer.get(f"audit/?q={q}")) for q in queries] == with_index
    assert len(with_index[0]) == 11  # Name25, Name250 to Name259.


def test_every_hit_comes_once_over_all_pages(as_officer, acting, long_log):
    seen, pages = walk_pages(as_officer, "audit/?q=name1")
    assert len(seen) == len(set(seen)) and pages > 2
    with acting("admin"):
        names = session().scalars(
            select(AuditEntry.changes["name"][1].astext).where(
                AuditEntry.action == "tenant.settings.changed"
            )
        )
        assert len(seen) == sum(name.startswith("Name1") for name in names)


def test_words_and_other_filters_hold_together(as_officer, acting, long_log):
    assert entry_ids_on_page(as_officer.get("audit/?q=zanzibar&action=tenant")) == [
        long_log[1],
        long_log[0],
    ]
    assert entry_ids_on_page(as_officer.get("audit/?q=zanzibar&action=-tenant")) == []
    assert entry_ids_on_page(as_officer.get("audit/?q=zanzibar&until=2001-01-01")) == []


def test_what_is_sealed_is_found_by_nobody(as_officer, acting, database):
    entry_id = rename_tenant(acting, "Plain", reason="Confidential-to-Harriet")
    sequence_entries(acting)
    assert entry_ids_on_page(as_officer.get("audit/?q=confidential-to-harriet")) == []
    assert entry_ids_on_page(as_officer.get("audit/?q=plain")) == [entry_id]
    with acting("admin"):
        sealed = (
            session()
            .scalars(select(AuditEntry).where(AuditEntry.id == entry_id))
            .one()
            .sealed["reason"]["cipher"]
        )
    assert entry_ids_on_page(as_officer.get("audit/", query_string={"q": sealed[:40]})) == []


def test_a_search_that_looked_far_enough_says_how_far_and_goes_on(
    as_officer, acting, long_log, monkeypatch
):
    monkeypatch.setattr(searching, "MAX_BLOCKS_READ", 1)
    monkeypatch.setattr(searching, "MAX_SPELLINGS", 0)  # As if too many words shared its beginning.
    reply = as_officer.get("audit/?q=branch")
    assert entry_ids_on_page(reply) == [] and "No matches back to entry" in reply.text
    seen, pages = walk_pages(as_officer, "audit/?q=branch")
    assert seen == [long_log[0]] and pages >= 3


def test_letters_of_all_scripts_are_found_in_either_case(as_officer, acting, database):
    entry_id = rename_tenant(acting, "Straße Ærø 東京")
    for query in ("straße", "ÆRØ", "東京", "stra"):
        assert entry_ids_on_page(as_officer.get("audit/", query_string={"q": query})) == [
            entry_id
        ], query


def test_odd_words_are_words(as_officer, long_log):
    for query in (
        "%",
        "_",
        "'; DROP TABLE log_words; --",
        "\\",
        "a" * 5000,
        "((((",
        "🎈",
        "\u202e",
        "to_tsquery & |",
    ):
        as_officer.get("audit/", query_string={"q": query})


def test_another_tenants_words_are_not_found(as_officer, as_neighbour, acting, long_log):
    theirs = rename_tenant(acting, "Zanzibar Globex", "globex")
    write_entries(acting, BLOCK, "globex")
    sequence_entries(acting, "globex")
    index_all(acting, "globex")
    assert entry_ids_on_page(as_neighbour.get("audit/?q=zanzibar")) == [theirs]
    assert theirs not in entry_ids_on_page(as_officer.get("audit/?q=zanzibar"))


def test_indexing_twice_or_from_the_start_again_changes_nothing(acting, long_log):
    def words():
        with acting("admin"):
            return session().scalar(select(func.count()).select_from(LogWord))

    before = words()
    assert index_all(acting) == 0
    with acting("admin"):
        session().scalars(select(SearchIndex)).one().blocks = 1
    assert index_all(acting) >= 2
    assert words() == before


def test_one_call_indexes_a_bounded_number_of_blocks(acting, long_log):
    with acting("admin"):
        session().scalars(select(SearchIndex)).one().blocks = 0
    with acting("admin"):
        assert index_new_blocks(limit=2) == 2
        assert session().scalars(select(SearchIndex)).one().blocks == 2


def test_a_search_costs_few_statements(as_officer, long_log, statements):
    as_officer.get("audit/?q=zanzibar")
    with statements() as seen:
        as_officer.get("audit/?q=zanzibar harbour")
    assert len([s for s in seen if "audit_" in s or "log_words" in s or "saved_views" in s]) <= 9


def test_a_mark_of_another_list_is_refused(as_officer, database):
    for mark in ("x", "-1", "9" * 40, "WyJhIl0="):
        assert (
            "belongs to another list"
            in as_officer.get(f"audit/?q=name&after={mark}", then=422).text
        )
    assert parse_page(as_officer.get("audit/?q=name&after=0")).select("tr[data-entry]") == []


def test_only_words_make_a_search():
    assert parse({"q": "  ---  "}).words == ["---"]
    assert parse({"q": "!!! ???"}).words == []
