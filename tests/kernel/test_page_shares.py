"""Shares of the page threads, which no key, session or tenant exceeds."""

from concurrent.futures import ThreadPoolExecutor
from threading import Condition, Lock

import pytest

from governance.kernel.web.page_shares import Owner, PageShares, Share
from tests.waiting import MAX_WAIT_SECONDS

THREADS = 16
EACH, ALL = Share(running=4, waiting=12), Share(running=8, waiting=128)


class Pages:
    """Threads that work until `leave` ends them, with the outcome of each request."""

    def __init__(self) -> None:
        self.pool = ThreadPoolExecutor(THREADS)
        self.shares = PageShares(self.pool.submit)
        self.changed = Condition(Lock())
        self.inside: list[str] = []
        self.most: dict[str, int] = {}
        self.refused: list[str] = []
        self.answered: list[str] = []
        self.may_leave = 0

    def send(self, key: str, tenant: str) -> None:
        owners = [Owner(f"key {key}", EACH), Owner(f"tenant {tenant}", ALL)]
        self.shares.start(owners, lambda: self._work(key), lambda: self.refused.append(key))

    def _work(self, key: str) -> None:
        with self.changed:
            self.inside.append(key)
            self.most[key] = max(self.most.get(key, 0), self.inside.count(key))
            self.changed.notify_all()
            assert self.changed.wait_for(lambda: self.may_leave > 0, MAX_WAIT_SECONDS)
            self.may_leave -= 1
            self.inside.remove(key)
            self.answered.append(key)
            self.changed.notify_all()

    def wait_until_inside(self, *keys: str) -> None:
        with self.changed:
            assert self.changed.wait_for(
                lambda: sorted(self.inside) == sorted(keys), MAX_WAIT_SECONDS
            ), self.inside

    def leave(self, count: int) -> None:
        with self.changed:
            before = len(self.answered)
            self.may_leave += count
            self.changed.notify_all()
            assert self.changed.wait_for(
                lambda: len(self.answered) == before + count, MAX_WAIT_SECONDS
            )


@pytest.fixture
def pages():
    made = Pages()
    yield made
    made.may_leave = 1000
    with made.changed:
        made.changed.notify_all()
    made.pool.shutdown()


def test_forty_requests_of_one_key_hold_four_threads_and_another_tenant_is_served(pages):
    for _ in range(40):
        pages.send("attacker", "acme")
    pages.wait_until_inside(*["attacker"] * 4)
    assert pages.refused == ["attacker"] * 24  # Four run and twelve wait.
    pages.send("neighbor", "globex")
    pages.send("colleague", "acme")
    pages.wait_until_inside(*["attacker"] * 4, "neighbor", "colleague")
    pages.leave(18)
    assert sorted(pages.answered) == [*["attacker"] * 16, "colleague", "neighbor"]
    assert pages.most["attacker"] == 4
    pages.send("attacker", "acme")
    pages.leave(1)
    assert pages.answered.count("attacker") == 17  # Its slot is free again.


def test_ten_keys_of_one_tenant_hold_half_of_the_threads(pages):
    for number in range(40):
        pages.send(f"key {number % 10}", "acme")
    pages.send("neighbor", "globex")
    with pages.changed:
        assert pages.changed.wait_for(lambda: len(pages.inside) == 9, MAX_WAIT_SECONDS)
        assert "neighbor" in pages.inside
    assert not pages.refused
    pages.leave(41)
    assert len(pages.answered) == 41


def test_work_that_fails_gives_its_room_back(pages):
    def fail() -> None:
        raise ValueError("failed")

    owners = [Owner("key a", Share(running=1, waiting=1))]
    pages.shares.start(owners, fail, lambda: pages.refused.append("a"))
    pages.pool.submit(lambda: None).result(MAX_WAIT_SECONDS)
    pages.shares.start(owners, lambda: pages._work("a"), lambda: pages.refused.append("a"))
    pages.wait_until_inside("a")
