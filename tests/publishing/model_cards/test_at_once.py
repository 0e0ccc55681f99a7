"""Two people publish the same card at the same moment: own connections."""

import threading
from datetime import timedelta

from governance.kernel import clock, current
from governance.kernel.db import transaction
from governance.kernel.errors import Stale
from governance.operations.evaluations import queries as evaluations
from governance.operations.systems import actions as systems
from governance.operations.systems import queries as register
from governance.publishing.model_cards import actions, queries, record
from tests import make
from tests.assurance.evaluation_findings.finding_helpers import NOW
from tests.operations.evaluations.evaluation_helpers import drain, imported, log_of
from tests.publishing.model_cards.card_helpers import FACTS, drilled, suite
from tests.waiting import MAX_WAIT_SECONDS

KEY = "card-published-twice"


def test_of_two_who_publish_at_once_one_does_and_the_other_is_told(committed_world):
    with clock.frozen(NOW):
        suite(key=KEY)
        with make.acting("admin"):
            made = systems.register(
                key=KEY, name=KEY, lane="standard", purpose="Sorts.", owner_id=None, facts=FACTS
            )
            system_id = made.id
            ended = (NOW - timedelta(days=1)).isoformat()
            log = log_of(300, 0, run="card-run-1", stats={"completed_at": ended})
            imported(log, evaluations.suite(KEY), made)
        drain()
        drilled(system_id)
        with make.acting("admin", read_only=True):
            seen = record.assembled(register.system(KEY)).digest

    start, outcomes = threading.Barrier(2), []

    def publish(role):
        with current.acting_as(make.actor(role)), clock.frozen(NOW):
            start.wait(MAX_WAIT_SECONDS)
            try:
                with transaction():
                    made = actions.publish(register.system(KEY), seen=seen)
                    outcomes.append(str(made.number))
            except Stale as refused:
                outcomes.append(refused.message)

    both = [
        threading.Thread(target=publish, args=(role,)) for role in ("admin", "compliance_officer")
    ]
    for each in both:
        each.start()
    for each in both:
        each.join(MAX_WAIT_SECONDS)
    first, second = sorted(outcomes)
    assert first == "1" and "has published exactly this as version 1." in second
    with make.acting("admin", read_only=True):
        assert len(queries.versions(system_id)) == 1
