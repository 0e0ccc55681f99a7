"""Two people at the same switch at the same moment: committed, on connections of their own."""

import threading

import pytest
from sqlalchemy import create_engine

from governance.kernel import current, db
from governance.kernel.db import transaction
from governance.kernel.errors import DomainError
from governance.switches import actions, queries
from tests import make


@pytest.fixture
def committed(app, settings, isolated):
    """Globex, which has nothing else: what is left of the race is a stop that was restarted."""
    engine = create_engine(settings.database_url)
    db.connect(engine)
    yield
    engine.dispose()


def at_once(deed):
    """What came of it when two people did it at the same moment."""
    start, outcomes = threading.Barrier(2), []

    def act(role):
        try:
            with current.acting_as(make.actor(role, "globex")):
                start.wait(5)
                with transaction():
                    outcomes.append(deed(role))
        except DomainError as refused:
            outcomes.append(refused.message)

    threads = [threading.Thread(target=act, args=(role,)) for role in ("admin", "compliance_officer")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
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
