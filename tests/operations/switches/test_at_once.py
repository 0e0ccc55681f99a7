"""Two people at the same switch at the same moment: committed, on connections of their own."""

import threading
import time

from sqlalchemy import text

from governance.kernel import current, db
from governance.kernel.db import transaction
from governance.kernel.errors import DomainError
from governance.operations.switches import actions, queries
from tests import make
from tests.browser import Visitor


def at_once(deed):
    """What came of it when two people did it at the same moment."""
    start, outcomes = threading.Barrier(2), []

    def act(role):
        try:
            with current.acting_as(make.actor(role, "globex")):
                start.wait(60)
                with transaction():
                    outcomes.append(deed(role))
        except DomainError as refused:
            outcomes.append(refused.message)

    threads = [threading.Thread(target=act, args=(role,)) for role in ("admin", "compliance_officer")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return outcomes


def test_two_people_who_stop_at_once_make_one_stop_and_two_who_restart_end_it_once(committed):
    one, other = at_once(lambda role: actions.stop("tenant", None, None, reason=f"Seen by {role}").id)
    assert one == other
    with make.acting("admin", "globex"):
        shown = actions.seen(queries.stop(one))

    def restart(role):
        actions.restart(queries.stop(one), seen=shown, because="Mended.")
        return "restarted"

    assert sorted(at_once(restart)) == ["It was restarted already, by somebody else.", "restarted"]


def test_a_restart_that_waits_for_its_turn_keeps_no_stop_waiting(committed, app):
    """A stop waits for nobody: of a restart at the same moment the page that was opened before is stale."""
    with make.acting("admin", "globex"):
        one = actions.stop("tenant", None, None, serve=False, reason="One plane").id
        shown = actions.seen(queries.stop(one))
    browser, replies = Visitor(app, make.cookie("admin", "globex"), "globex"), []
    sent = {"verb": "restart", "seen": shown, "because": "Mended."}
    late = threading.Thread(target=lambda: replies.append(browser.post(f"switches/stops/{one}/restart", then=409, **sent)))
    with make.acting("compliance_officer", "globex"):
        db.alone("switches")
        late.start()
        while not db.session().scalar(text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")):
            time.sleep(0.01)
        assert actions.stop("tenant", None, None, reason="Both planes").serve
    late.join(60)
    assert len(replies) == 1
    with make.acting("admin", "globex"):
        [*there] = queries.own_active_stops()
        assert len(there) == 2
        actions.restart(there[0], seen=actions.seen(there[0]), because="The test is over.")
