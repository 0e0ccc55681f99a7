"""Long work: run once, watched, cancelled, resumed after a kill, never lost silently."""

import os
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import create_engine, make_url, select, text

from governance.foundation.tenants import actions as tenants
from governance.foundation.tenants.system_actor import system_actor_in
from governance.kernel import clock, current
from governance.kernel.data import db, embedded
from governance.kernel.data.db import session, transaction
from governance.kernel.errors import Invalid, Unavailable
from governance.kernel.work import jobs
from governance.kernel.work.jobs import JobRun, Leader, WorkItem, WorkTicket
from tests.migrated_databases import migrated_database
from tests.waiting import MAX_WAIT_SECONDS, wait_until


@pytest.fixture(scope="module")
def own_server(server, app, worker_id):
    """Return a database of this file's own: several processes must see each other's commits."""
    name = f"jobs_{worker_id}".replace("-", "_")
    started = migrated_database(name)
    yield started
    embedded.drop(server, name)


@pytest.fixture(scope="module")
def new_tenant(own_server, settings):
    engine = create_engine(own_server.app_url, pool_size=10)
    db.connect(engine)
    tenant = tenants.create_tenant("worksco", "Works Co")
    engine.dispose()
    db.connect(settings.database_url)
    return system_actor_in(tenant.id, "worksco", "Works Co")


@pytest.fixture
def actor(isolated, new_tenant, own_server, settings):
    engine = create_engine(own_server.app_url, pool_size=10)
    db.connect(engine)
    yield new_tenant
    with current.acting_as(new_tenant), transaction():
        session().execute(text("DELETE FROM work_items"))
        session().execute(text("DELETE FROM work_tickets"))
    for kind in [k for k in jobs.handlers if k.startswith("test ")]:
        del jobs.handlers[kind]
        jobs.waited_for_of.pop(kind, None)
    engine.dispose()
    db.connect(settings.database_url)


def enqueue(actor, kind="test", **params):
    with current.acting_as(actor), transaction():
        return jobs.enqueue(f"test {kind}", **params).id


def work_state(actor, item_id):
    with current.acting_as(actor), transaction(read_only=True):
        item = session().scalars(select(WorkItem).where(WorkItem.id == item_id)).one()
        session().expunge(item)
        return item


def tickets():
    with transaction(read_only=True):
        return session().scalars(select(WorkTicket)).all()


# ---- one process


def test_work_is_done_by_the_person_who_asked_and_says_how_far_it_is(actor):
    seen = []

    @jobs.work("test count")
    def count(item, progress):
        for n in range(1, 4):
            progress(n, 3, f"Counting {n}")
            seen.append(
                (
                    work_state(actor, item.id).percent,
                    work_state(actor, item.id).step,
                    work_state(actor, item.id).state,
                    current.actor(),
                )
            )

    item_id = enqueue(actor, "count", to=3)
    assert work_state(actor, item_id).state == "queued" and seen == []
    assert jobs.drain(lambda _: actor) == 1
    assert [s[:3] for s in seen] == [
        (33, "Counting 1", "running"),
        (66, "Counting 2", "running"),
        (100, "Counting 3", "running"),
    ]
    assert {s[3] for s in seen} == {actor}
    done = work_state(actor, item_id)
    assert (done.state, done.step, done.is_over) == (
        "done",
        "Done",
        True,
    ) and done.started_at <= done.finished_at
    assert tickets() == [] and jobs.drain(lambda _: actor) == 0


def test_work_that_was_never_committed_is_never_done(actor):
    with pytest.raises(ValueError), current.acting_as(actor), transaction():
        jobs.enqueue("test gone")
        raise ValueError
    assert tickets() == []


def test_draining_one_tenant_leaves_the_work_of_others(actor):
    done = []
    jobs.work("test mine")(lambda item, _progress: done.append(item.id))
    item_id = enqueue(actor, "mine")
    assert jobs.drain(lambda _: actor, of=item_id) == 0, "the id of another tenant"
    assert done == [] and len(tickets()) == 1
    assert jobs.drain(lambda _: actor, of=actor.tenant_id) == 1
    assert done == [item_id]


@pytest.fixture
def order(actor):
    """Return a list of finished work of three kinds, in its order.

    A person always awaits the first kind, never the second, and the third if they requested it.
    """
    done = []
    for kind, waited_for in (("mailed", True), ("filed", False), ("collected", None)):
        jobs.work(f"test {kind}", waited_for=waited_for)(
            lambda item, _progress: done.append(
                (item.kind.removeprefix("test "), item.params["by"])
            )
        )
    return done


def queued(actor, kind, by, hours=0):
    """Queue work of a person or of the schedule, `hours` ago."""
    who = replace(actor, kind=by)
    with clock.frozen(clock.now() - timedelta(hours=hours)):
        return enqueue(who, kind, by=by)


def test_what_a_person_waits_for_is_done_before_the_work_of_the_night(actor, order):
    for _each in range(20):
        queued(actor, "collected", "job", hours=6)
    queued(actor, "filed", "person")
    queued(actor, "collected", "person")
    queued(actor, "mailed", "job")
    jobs.drain(lambda _: actor)
    assert order[:2] == [("collected", "person"), ("mailed", "job")]
    assert order[2:22] == [("collected", "job")] * 20
    assert order[22:] == [("filed", "person")]


def test_work_of_the_schedule_is_overtaken_for_twelve_hours_and_no_longer(actor, order):
    for hours in (11, 13):
        queued(actor, "collected", "job", hours=hours)
    queued(actor, "collected", "person")
    jobs.drain(lambda _: actor)
    assert [by for _kind, by in order] == ["job", "person", "job"]


def test_a_retry_keeps_its_place_before_the_work_of_the_night(actor, order):
    tried = []

    @jobs.work("test mailed", waited_for=True)
    def mailed(item, progress):
        tried.append(item.id)
        if len(tried) == 1:
            raise Unavailable("The mail server is away.")
        order.append(("mailed", item.params["by"]))

    queued(actor, "mailed", "person")
    assert jobs.run_next(lambda _: actor) and order == []
    for _each in range(3):
        queued(actor, "collected", "job", hours=6)
    assert jobs.run_next(lambda _: actor) and order == [("collected", "job")], "it isn't ready yet"
    with clock.frozen(clock.now() + timedelta(minutes=1)):
        jobs.drain(lambda _: actor)
    assert order[1:] == [("mailed", "person")] + [("collected", "job")] * 2


def test_work_for_a_moment_is_not_done_before_it(actor, order):
    with current.acting_as(replace(actor, kind="person")), transaction():
        jobs.enqueue("test collected", ready_at=clock.now() + timedelta(minutes=5), by="person")
    assert jobs.drain(lambda _: actor) == 0
    with clock.frozen(clock.now() + timedelta(minutes=6)):
        assert jobs.drain(lambda _: actor) == 1


def test_taking_work_reads_the_index_however_much_waits(actor, order):
    with transaction():
        session().execute(
            text(
                "INSERT INTO work_tickets (id, for_tenant, kind, ready_at, place, tries, created_at)"
                " SELECT gen_random_uuid(), :tenant, 'test collected', now() - interval '1 hour',"
                " now() - interval '1 hour', 0, now()"
                " FROM generate_series(1, 5000)"
            ),
            {"tenant": actor.tenant_id},
        )
        session().execute(text("ANALYZE work_tickets"))
        plan = session().scalars(
            text(
                "EXPLAIN SELECT id FROM work_tickets WHERE ready_at <= now() ORDER BY place"
                " LIMIT 1 FOR UPDATE SKIP LOCKED"
            )
        )
        assert "ix_work_tickets_place" in " ".join(plan)


def test_what_goes_wrong_is_said_and_its_cause_is_not_shown(actor):
    @jobs.work("test breaks")
    def breaks(item, progress):
        raise ZeroDivisionError("secret detail")

    @jobs.work("test refuses")
    def refuses(item, progress):
        raise Invalid("That assessment is empty.")

    broken, refused, unknown = (
        enqueue(actor, kind) for kind in ("breaks", "refuses", "nobody knows")
    )
    assert jobs.drain(lambda _: actor) == 3
    assert (work_state(actor, broken).state, work_state(actor, broken).error) == (
        "failed",
        "ZeroDivisionError",
    )
    assert "secret" not in work_state(actor, broken).step
    assert (work_state(actor, refused).state, work_state(actor, refused).step) == (
        "failed",
        "That assessment is empty.",
    )
    assert work_state(actor, unknown).state == "failed" and tickets() == []


def test_queued_work_is_cancelled_at_once(actor):
    @jobs.work("test never")
    def never(item, progress):
        pytest.fail("it ran")

    item_id = enqueue(actor, "never")
    cancel(actor, item_id)
    assert (work_state(actor, item_id).state, work_state(actor, item_id).step) == (
        "cancelled",
        "Cancelled before it started",
    )
    jobs.drain(lambda _: actor)
    assert work_state(actor, item_id).state == "cancelled" and tickets() == []


def cancel(actor, item_id):
    with current.acting_as(actor), transaction():
        jobs.cancel(session().scalars(select(WorkItem).where(WorkItem.id == item_id)).one())


def test_running_work_is_cancelled_at_its_next_step(actor):
    steps = []

    @jobs.work("test long")
    def long(item, progress):
        for n in range(5):
            progress(n, 5, "Working")
            steps.append(n)
            if n == 1:
                cancel(actor, item.id)

    item_id = enqueue(actor, "long")
    jobs.drain(lambda _: actor)
    assert steps == [0, 1]
    assert (work_state(actor, item_id).state, work_state(actor, item_id).step) == (
        "cancelled",
        "Cancelled. Nothing was saved.",
    )


def test_work_that_is_over_cannot_be_cancelled(actor):
    jobs.work("test quick")(lambda item, progress: None)
    item_id = enqueue(actor, "quick")
    jobs.drain(lambda _: actor)
    cancel(actor, item_id)
    assert (
        work_state(actor, item_id).state == "done"
        and not work_state(actor, item_id).cancel_requested
    )


def test_what_is_away_is_tried_again_later(actor):
    tries = []

    @jobs.work("test away")
    def away(item, progress):
        tries.append(clock.now())
        if len(tries) < 3:
            raise Unavailable("The store is away.")

    item_id, now = enqueue(actor, "away"), clock.now()
    for hours in range(4):
        with clock.frozen(now + timedelta(hours=hours, seconds=1)):
            jobs.drain(lambda _: actor)
    assert len(tries) == 3 and work_state(actor, item_id).state == "done"


def test_waiting_work_that_is_cancelled_is_not_tried_again(actor):
    @jobs.work("test away")
    def away(item, progress):
        cancel(actor, item.id)
        raise Unavailable("The store is away.")

    item_id = enqueue(actor, "away")
    jobs.drain(lambda _: actor)
    assert work_state(actor, item_id).state == "cancelled" and len(tickets()) == 1
    with clock.frozen(clock.now() + timedelta(hours=1)):
        jobs.drain(lambda _: actor)
    assert work_state(actor, item_id).state == "cancelled" and tickets() == []


def test_tickets_hold_no_content():
    assert {c.name for c in WorkTicket.__table__.columns} == {
        "id",
        "for_tenant",
        "kind",
        "ready_at",
        "place",
        "tries",
        "created_at",
    }


# ---- several at once


def test_workers_share_the_queue_and_each_work_is_done_once(actor):
    done, meeting = [], threading.Barrier(2, timeout=MAX_WAIT_SECONDS)

    @jobs.work("test shared")
    def shared(item, progress):
        if len(done) < 2:
            meeting.wait()  # Both workers hold one at the same time.
        done.append(item.id)

    ids = {enqueue(actor, "shared") for _ in range(8)}
    workers = [threading.Thread(target=jobs.drain, args=(lambda _: actor,)) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(MAX_WAIT_SECONDS)
    assert sorted(done) == sorted(ids) and tickets() == []


@pytest.mark.slow
def test_a_lease_is_renewed_while_a_long_step_runs(actor, monkeypatch):
    monkeypatch.setattr(jobs, "LEASE", timedelta(seconds=3))
    runs, over = [], threading.Event()

    @jobs.work("test slow")
    def slow(item, progress):
        runs.append(item.id)
        over.wait(MAX_WAIT_SECONDS)

    item_id = enqueue(actor, "slow")
    worker = threading.Thread(target=jobs.run_next, args=(lambda _: actor,))
    worker.start()
    wait_until(lambda: runs)
    first = lease()
    wait_until(lambda: lease() > first)
    with clock.frozen(first + timedelta(milliseconds=1)):
        assert jobs.run_next(lambda _: actor) is False
    over.set()
    worker.join(MAX_WAIT_SECONDS)
    assert runs == [item_id] and work_state(actor, item_id).state == "done"


def lease():
    """Return until when a worker holds the only work item."""
    with transaction(read_only=True):
        return session().scalars(select(WorkTicket.ready_at)).one()


def test_a_process_that_lost_its_lease_writes_no_more(actor):
    runs = []

    @jobs.work("test overtaken")
    def overtaken(item, progress):
        runs.append("begun")
        if len(runs) == 1:
            with current.acting_as(None), clock.frozen(clock.now() + timedelta(minutes=2)):
                assert jobs.run_next(lambda _: actor)
            progress(1, 2, "I should not be here")
            runs.append("went on")

    item_id = enqueue(actor, "overtaken")
    jobs.drain(lambda _: actor)
    item = work_state(actor, item_id)
    assert runs == ["begun", "begun"] and (item.state, item.step) == ("done", "Done")


def test_a_period_is_claimed_once(actor):
    claims, start = [], threading.Barrier(6)

    def claim():
        start.wait()
        with transaction():
            claims.append(jobs.once_per("monthly", "worksco", "2026-10"))

    threads = [threading.Thread(target=claim) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(claims) == [False] * 5 + [True]
    with pytest.raises(ValueError), transaction():
        assert jobs.once_per("monthly", "worksco", "2026-11")
        raise ValueError
    with transaction():
        assert jobs.once_per("monthly", "worksco", "2026-11"), (
            "a period whose work failed is free again"
        )
        assert session().scalars(select(JobRun).where(JobRun.job == "monthly")).all()


def test_one_of_two_leads_and_the_other_follows_when_it_is_gone(actor, own_server):
    first, second = Leader(), Leader()
    wait_until(first.leads)
    assert [second.leads(), first.leads()] == [False, True]
    with create_engine(
        own_server.super_uri.replace("postgresql://", "postgresql+psycopg://")
    ).connect() as root:
        root.execute(
            text(
                "SELECT pg_terminate_backend(pid, 2000) FROM pg_locks WHERE locktype = 'advisory'"
                " AND objid = :key AND granted AND database ="
                " (SELECT oid FROM pg_database WHERE datname = :name)"
            ),
            {"key": Leader.KEY, "name": make_url(own_server.app_url).database},
        )
    wait_until(second.leads)  # The server notices a closed connection within moments.
    assert not first.leads() and not first.leads()
    second.resign()
    wait_until(first.leads)
    first.resign()


@pytest.mark.slow
def test_two_schedulers_run_each_period_once_and_catch_up_at_the_start(actor):
    ran = []

    def tick():
        with transaction():
            if jobs.once_per("tick", "", clock.now().isoformat(timespec="seconds")):
                ran.append(clock.now().replace(microsecond=0))

    schedules = [jobs.scheduler({"tick": (tick, {"second": "*"})}) for _ in range(2)]
    for schedule in schedules:
        schedule.start()
    wait_until(lambda: len(ran) >= 2)
    for schedule in schedules:
        schedule.shutdown(wait=True)
    assert len(ran) == len(set(ran)) >= 2
    following = Leader()
    wait_until(
        following.leads
    )  # A stopped schedule no longer leads; the server closes its connection in a moment.
    following.resign()


# ---- a process that is killed

CHILD_SOURCE = """
import sys, time
from datetime import datetime
from uuid import UUID
from governance.kernel import clock, current
from governance.kernel.data import db
from governance.kernel.safety import key_encryption
from governance.kernel.work import jobs
key_encryption.use(bytes(range(1, 33)))
db.connect(sys.argv[1])
who = current.Actor(UUID(sys.argv[2]), "worksco", "Works Co", None, "The console", "admin", kind="job")
@jobs.work("test killed")
def killed(item, progress):
    progress(1, 2, "Half way")
    print("half way", flush=True)
    time.sleep(60)
with clock.frozen(datetime.fromisoformat(sys.argv[3])):
    jobs.run_next(lambda _: who)
"""


def run_and_kill(own_server, actor, at):
    child = subprocess.Popen(
        [
            sys.executable,
            "-c",
            CHILD_SOURCE,
            own_server.app_url,
            str(actor.tenant_id),
            at.isoformat(),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert child.stdout.readline().strip() == "half way"
    finally:
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        child.stdout.close()


def test_work_of_a_killed_process_is_taken_up_again(actor, own_server):
    done = []
    item_id, now = enqueue(actor, "killed"), clock.now() + timedelta(seconds=1)
    run_and_kill(own_server, actor, now)
    assert (work_state(actor, item_id).state, work_state(actor, item_id).step) == (
        "running",
        "Half way",
    )
    jobs.work("test killed")(lambda item, progress: done.append(item.id))
    with clock.frozen(now + timedelta(seconds=30)):
        assert jobs.drain(lambda _: actor) == 0, "its lease still runs"
    with clock.frozen(now + timedelta(seconds=62)):
        assert jobs.drain(lambda _: actor) == 1
    assert done == [item_id] and work_state(actor, item_id).state == "done"


@pytest.mark.slow
def test_work_that_kills_three_processes_fails_visibly_and_once(actor, own_server):
    item_id, now = enqueue(actor, "killed"), clock.now() + timedelta(seconds=1)
    for n in range(3):
        run_and_kill(own_server, actor, now + timedelta(minutes=2 * n))
    jobs.work("test killed")(lambda item, progress: pytest.fail("a fourth try"))
    with clock.frozen(now + timedelta(minutes=10)):
        assert jobs.drain(lambda _: actor) == 1
        assert jobs.drain(lambda _: actor) == 0
    assert (work_state(actor, item_id).state, work_state(actor, item_id).step) == (
        "failed",
        "Failed after 3 attempts",
    )
    assert tickets() == []


# ---- the loop of the jobs process


def test_the_loop_outlives_a_fault_and_stops_when_told(actor):
    stop, seen = threading.Event(), []

    def actor_of(item):
        seen.append(item.id)
        if len(seen) == 1:
            raise RuntimeError("a fault of ours")
        return actor

    jobs.work("test loop")(lambda item, progress: None)
    first, second = enqueue(actor, "loop"), enqueue(actor, "loop")
    loop = threading.Thread(target=jobs.work_loop, args=(actor_of, stop, 0.05))
    loop.start()
    wait_until(lambda: work_state(actor, second).state == "done")
    stop.set()
    loop.join(MAX_WAIT_SECONDS)
    assert (
        not loop.is_alive()
        and work_state(actor, second).state == "done"
        and work_state(actor, first).state == "queued"
    )
