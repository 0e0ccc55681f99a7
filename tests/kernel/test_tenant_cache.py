"""The tenant cache of committed facts: bounded, shared by threads, never outdated."""

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest

from governance.kernel import current
from governance.kernel.data import db, tenant_cache
from governance.kernel.data.db import transaction
from governance.kernel.data.tenant_cache import BoundedCache, recall
from tests import make


@pytest.fixture(autouse=True)
def clean(app, isolated):
    tenant_cache.forget()
    yield
    tenant_cache.forget()


def recall_at(number, made="new", *, slug="acme", **how):
    """Return what a transaction gets that reads this number and would compute `made`."""
    how.setdefault("read_only", True)
    with current.acting_as(make.system_actor(slug)), transaction(**how):
        return recall("facts", lambda: made, under=lambda: number)


def test_the_same_number_gives_the_same_and_a_greater_one_anew():
    assert [
        recall_at((1, 0), "a"),
        recall_at((1, 0), "b"),
        recall_at((2, 0), "c"),
        recall_at((2, 1), "d"),
        recall_at((2, 1), "e"),
    ] == list("aacdd")


def test_an_overtaken_reader_neither_gets_nor_replaces_what_is_newer():
    assert recall_at((5, 0), "newer") == "newer"
    assert recall_at((4, 0), "older") == "older"
    assert recall_at((4, 9), "mixed") == "mixed"
    assert recall_at((5, 0), "wrong") == "newer"


def test_two_tenants_never_share():
    assert [
        recall_at((1, 0), "acme's"),
        recall_at((1, 0), "globex's", slug="globex"),
        recall_at((1, 0), "wrong"),
    ] == [
        "acme's",
        "globex's",
        "acme's",
    ]


@pytest.mark.parametrize("how", [{"read_only": False}, {"person_id": uuid4()}])
def test_a_transaction_that_may_write_or_sees_more_neither_uses_nor_fills_it(how):
    assert recall_at((1, 0), "its own", **how) == "its own"
    assert recall_at((1, 0), "kept") == "kept"
    assert recall_at((1, 0), "its own", **how) == "its own"


def test_outside_of_any_tenant_nothing_is_kept():
    with transaction(read_only=True):
        assert [recall("facts", lambda n=n: n, under=lambda: (1, 0)) for n in (1, 2)] == [1, 2]


def test_without_a_number_nothing_is_kept():
    assert [
        recall_at(None, "a"),
        recall_at(None, "b"),
        recall_at((1, 0), "c"),
        recall_at(None, "d"),
    ] == list("abcd")


def test_the_number_is_read_once_in_a_transaction():
    read = []
    with current.acting_as(make.system_actor("acme")), transaction(read_only=True):
        for key in range(3):
            recall(key, lambda: 0, under=lambda: read.append(1) or (1, 0))
    assert read == [1]


def test_what_the_database_was_before_it_went_away_is_forgotten():
    recall_at((1, 0), "before")
    db.engine().dispose()
    assert recall_at((1, 0), "after") == "after"


def test_tenants_and_values_are_bounded(monkeypatch):
    for number in range(tenant_cache.MAX_TENANTS * 2):
        tenant_cache._under(uuid4(), (number, 0))
    assert len(tenant_cache._tenants) == tenant_cache.MAX_TENANTS
    cache = BoundedCache(3)
    for number in range(10):
        cache.get(number, lambda number=number: number)
        cache.get(0, lambda: 0)  # It is read again and again, so it stays.
    assert (
        len(cache) == 3
        and cache.get(0, lambda: "gone") == 0
        and cache.get(5, lambda: "gone") == "gone"
    )


def test_threads_that_make_the_same_get_the_same():
    cache = BoundedCache(100)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda n: cache.get(n % 50, object), range(4000)))
    assert len(set(map(id, found))) == 50
