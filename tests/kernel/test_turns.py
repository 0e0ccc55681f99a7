"""One page's thread computes at a time, and none is held up by one that waits."""

import threading
from collections.abc import Callable

import pytest
from sqlalchemy import text

from governance.kernel import db, turns
from governance.kernel.compiled_select import CompiledSelect
from tests.waiting import wait_until

NEVER = 60  # seconds that no test takes
LOCK = text("SELECT pg_advisory_xact_lock(4711)")
WAITING = text(
    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 4711 AND NOT granted"
)


@pytest.fixture
def patient(monkeypatch):
    """A page that waits for its turn waits as long as it has to."""
    monkeypatch.setattr(turns, "PATIENCE_SECONDS", NEVER)


def _started(work: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def _page(*steps: Callable[[], object]) -> threading.Thread:
    """A thread that takes its turn for these steps."""

    def work():
        with turns.taking_turns():
            for step in steps:
                step()

    return _started(work)


def _ended(thread: threading.Thread) -> bool:
    thread.join(NEVER)
    return not thread.is_alive()


def test_of_many_pages_one_computes_at_a_time(patient):
    computing, most, counted = [0], [0], []

    def compute():
        computing[0] += 1
        most[0] = max(most[0], computing[0])
        sum(range(20_000))
        computing[0] -= 1
        counted.append(1)

    def wait_elsewhere():
        with turns.elsewhere():
            threading.Event().wait(0.0001)

    pages = [_page(*[compute, wait_elsewhere] * 20) for _ in range(8)]
    assert all(_ended(each) for each in pages)
    assert most == [1] and len(counted) == 8 * 20


def test_while_a_page_waits_elsewhere_the_next_one_has_the_turn(patient):
    there, go_on = threading.Event(), threading.Event()

    def wait():
        with turns.elsewhere(), turns.elsewhere():
            there.set()
            go_on.wait(NEVER)

    waiting = _page(wait)
    assert there.wait(NEVER) and _ended(_page())
    go_on.set()
    assert _ended(waiting)


def test_a_page_that_keeps_its_turn_for_too_long_loses_it_once_and_for_all(monkeypatch):
    there, go_on = threading.Event(), threading.Event()
    keeping = _page(there.set, lambda: go_on.wait(NEVER))
    assert there.wait(NEVER)
    monkeypatch.setattr(turns, "PATIENCE_SECONDS", 0.001)
    assert _ended(_page())
    monkeypatch.setattr(turns, "PATIENCE_SECONDS", NEVER)
    assert _ended(_page()), "the pages after it need no patience"
    go_on.set()
    assert _ended(keeping) and _ended(_page())


def test_a_page_that_fails_gives_its_turn_back(patient):
    with pytest.raises(ZeroDivisionError), turns.taking_turns():
        raise ZeroDivisionError
    assert _ended(_page())


def test_what_takes_no_turns_is_never_held_up(patient):
    there, go_on = threading.Event(), threading.Event()

    def pass_by():
        with turns.elsewhere():
            pass

    keeping = _page(there.set, lambda: go_on.wait(NEVER))
    assert there.wait(NEVER) and _ended(_started(pass_by))
    go_on.set()
    assert _ended(keeping)


def _in_a_statement() -> None:
    with db.transaction():
        db.session().execute(LOCK)


def _with_the_begin() -> None:
    asked = CompiledSelect(lambda: LOCK)
    with db.transaction(first=[asked.question()]):
        assert asked.told() is not None


@pytest.mark.parametrize("ask", [_in_a_statement, _with_the_begin])
def test_a_page_that_waits_for_the_database_leaves_its_turn_to_others(patient, race_database, ask):
    db.connect(race_database.app_url)
    with db.engine().connect() as holder:
        holder.execute(LOCK)
        waiting = _page(ask)
        wait_until(lambda: holder.scalar(WAITING))
        assert _ended(_page())
        assert waiting.is_alive()
        holder.rollback()
    assert _ended(waiting)
    db.engine().dispose()
