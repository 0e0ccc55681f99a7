"""Two people at the same switch at the same time, committed on their own connections."""

import threading
from types import SimpleNamespace
from uuid import uuid4

import pytest
from sqlalchemy import text

from governance.foundation.approvals import actions as approvals
from governance.foundation.approvals import kinds
from governance.foundation.approvals import queries as approvals_of
from governance.kernel import clock, current
from governance.kernel.data import db
from governance.kernel.data.db import find, transaction
from governance.kernel.errors import DomainError
from governance.operations.switches import actions, queries
from governance.operations.systems import actions as systems
from governance.operations.systems import queries as register
from governance.operations.systems.models import AISystem
from tests import make
from tests.browser import Visitor
from tests.operations.switches import switch_helpers
from tests.waiting import MAX_WAIT_SECONDS, wait_until

WAITING_FOR_A_LOCK = """
    SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"""


def run_concurrently(deed, slug="globex", roles=("admin", "compliance_officer")):
    """Return the outcomes when two people did it at the same time."""
    start, outcomes = threading.Barrier(2), []

    def act(role):
        try:
            with current.acting_as(make.actor(role, slug)):
                start.wait(MAX_WAIT_SECONDS)
                with transaction():
                    outcomes.append(deed(role))
        except DomainError as refused:
            outcomes.append(refused.message)

    threads = [threading.Thread(target=act, args=(role,)) for role in roles]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(MAX_WAIT_SECONDS)
    return outcomes


def test_two_people_who_stop_at_once_make_one_stop_and_two_who_restart_end_it_once(committed_world):
    one, other = run_concurrently(
        lambda role: actions.stop("tenant", None, None, reason=f"Seen by {role}").id
    )
    assert one == other
    with make.acting("admin", "globex"):
        shown = actions.seen(queries.stop(one))

    def restart(role):
        actions.restart(queries.stop(one), seen=shown, reason="Fixed.")
        return "restarted"

    assert sorted(run_concurrently(restart)) == [
        "Someone else has already restarted it.",
        "restarted",
    ]


def test_a_restart_that_waits_for_its_turn_keeps_no_stop_waiting(committed_world, app):
    """Stop without waiting: of a simultaneous restart, the page that was opened before is stale."""
    with make.acting("admin", "globex"):
        one = actions.stop("tenant", None, None, serve=False, reason="One plane").id
        shown = actions.seen(queries.stop(one))
    browser, replies = Visitor(app, make.cookie("admin", "globex"), "globex"), []
    sent = {"verb": "restart", "seen": shown, "reason": "Fixed."}
    late = threading.Thread(
        target=lambda: replies.append(
            browser.post(f"switches/stops/{one}/restart", then=409, **sent)
        )
    )
    with make.acting("compliance_officer", "globex"):
        db.lock_tenant("switches")
        late.start()
        wait_until(lambda: db.session().scalar(text(WAITING_FOR_A_LOCK)))
        assert actions.stop("tenant", None, None, reason="Both planes").serve
    late.join(MAX_WAIT_SECONDS)
    assert len(replies) == 1
    with make.acting("admin", "globex"):
        [*there] = db.session().scalars(queries.select_own_active()).all()
        assert len(there) == 2
        actions.restart(there[0], seen=actions.seen(there[0]), reason="The test is over.")


# ---- approving a restart


@pytest.fixture
def requested(committed_world):
    """Stop a high-risk feature and request its restart as the admin.

    Yield it with the fingerprint that an approver has seen.

    The stop is removed afterwards.
    """
    switch_helpers.register_system(f"race-{uuid4().hex[:8]}", features=["draft"])
    with make.acting("admin"):
        found = max(register.live_systems(), key=lambda each: each.created_at)
        [part] = register.features(found.id)
        held = actions.stop("feature", found, part, reason="It was wrong")
        asked = actions.request_restart(held, seen=actions.seen(held), reason="Fixed.").id
        stop_id, system_id, part_id = held.id, found.id, part.id
    with make.acting("compliance_officer"):
        shown = kinds.fingerprint_seen(approvals_of.approval(asked))
    yield SimpleNamespace(
        stop=stop_id, approval=asked, seen=shown, system=system_id, feature=part_id
    )
    with make.acting("admin"):
        systems.retire(find(AISystem, system_id), reason="The test is over.")
        for each in db.session().scalars(queries.select_own_active()).all():
            each.restarted_at = clock.now()


def approve(requested):
    approvals.approve(approvals_of.approval(requested.approval), seen=requested.seen)
    return "approved"


def state(requested):
    """Return the request's state, and the number of active stops of the feature."""
    with make.acting("admin", read_only=True):
        active = [
            each
            for each in db.session().scalars(queries.select_own_active()).all()
            if each.feature_id == requested.feature
        ]
        return approvals_of.approval(requested.approval).state, len(active)


def test_a_stop_and_an_approval_of_the_restart_at_once_leave_it_stopped(requested):
    """Void the request by an earlier stop, or stop again after the restart."""

    def press(role):
        if role == "reviewer":
            return approve(requested)
        return actions.stop(
            "feature",
            find(AISystem, requested.system),
            register.feature(requested.feature),
            reason="Still wrong",
        ).id

    outcomes = run_concurrently(press, "acme", ("reviewer", "contributor"))
    assert state(requested) in {("voided", 1), ("approved", 1)}
    assert (state(requested)[0] == "voided") == (requested.stop in outcomes), (
        "the same stop, or another one after the restart"
    )


def test_two_who_approve_at_once_restart_it_once(requested):
    one, other = sorted(
        run_concurrently(lambda _: approve(requested), "acme", ("reviewer", "compliance_officer"))
    )
    assert (one, other) == ("This request was already approved. Nothing was changed.", "approved")
    assert state(requested) == ("approved", 0)


def test_a_double_click_of_the_approver_restarts_it_once(requested):
    before = switch_helpers.tenant_revision_now()
    assert (
        run_concurrently(lambda _: approve(requested), "acme", ("reviewer", "reviewer"))
        == ["approved"] * 2
    )
    assert (
        state(requested) == ("approved", 0) and switch_helpers.tenant_revision_now() == before + 1
    )


def test_two_who_request_a_restart_at_once_request_it_once(requested):
    with make.acting("admin"):
        approvals.withdraw(approvals_of.approval(requested.approval))
        shown = actions.seen(queries.stop(requested.stop))
    one, other = run_concurrently(
        lambda _: (
            actions.request_restart(queries.stop(requested.stop), seen=shown, reason="Fixed.").id
        ),
        "acme",
    )
    assert one == other
