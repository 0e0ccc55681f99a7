"""Two people who publish or approve one card at the same time, on their own connections."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import select

from governance.foundation.approvals import actions as approvals
from governance.foundation.approvals.kinds import fingerprint_seen
from governance.foundation.approvals.models import Approval
from governance.kernel import clock, current
from governance.kernel.data.db import session, transaction
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

KEY = "card-twice"
TOLD = {
    "publishing": "has published exactly this as version 1.",
    "approving": "This request was already approved. Nothing was changed.",
}


@pytest.mark.parametrize("by", ["publishing", "approving"])
def test_of_two_who_publish_at_once_one_does_and_the_other_is_told(committed_world, by):
    key = f"{KEY}-{by}"
    with clock.frozen(NOW):
        system_id, seen = _ready(key)
        if by == "approving":
            with make.acting("contributor"):
                actions.request_approval(register.system(key), seen=seen)

    start, outcomes = threading.Barrier(2), []

    def publish(role):
        with current.acting_as(make.actor(role)), clock.frozen(NOW):
            start.wait(MAX_WAIT_SECONDS)
            try:
                with transaction():
                    if by == "publishing":
                        actions.publish(register.system(key), seen=seen)
                    else:
                        _approve(system_id)
                    outcomes.append("")
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
    assert first == "" and TOLD[by] in second
    with make.acting("admin", read_only=True):
        assert len(queries.versions(system_id)) == 1


def _ready(key):
    """Return the id of a system whose card can be published, and the card's digest."""
    suite(key=key)
    with make.acting("admin"):
        made = systems.register(
            key=key,
            stage="live",
            name=key,
            lane="standard",
            purpose="Sorts.",
            owner_id=None,
            facts=FACTS,
        )
        system_id = made.id
        ended = (NOW - timedelta(days=1)).isoformat()
        log = log_of(300, 0, run=f"run-{key}", stats={"completed_at": ended})
        imported(log, evaluations.suite(key), made)
    drain()
    drilled(system_id)
    with make.acting("admin", read_only=True):
        return system_id, record.assembled(register.system(key)).digest


def _approve(system_id):
    query = select(Approval).where(Approval.target_id == system_id)
    found = session().scalars(query).one()
    approvals.approve(found, seen=fingerprint_seen(found))
