"""Notices of Meridian's own steps, to those who can act, and of requests, to approvers."""

import pytest
from sqlalchemy import update

from governance.foundation.people.models import Membership
from governance.foundation.people.preferences import Preferences
from governance.kernel.data.db import session
from governance.kernel.work.jobs import WorkItem
from governance.operations.rollouts import actions, queries
from governance.operations.rollouts.status import status_of
from governance.operations.systems.models import AISystem
from tests import make
from tests.assurance.frameworks.framework_files import main_text
from tests.operations.rollouts.rollout_helpers import (
    ALSO_GOOD,
    BAD,
    NEW,
    OLD,
    advance,
    evaluate,
    planned,
    running_at,
    state_of,
    watch,
    world,
)

PAGE = "notifications/"
HALTED = "Meridian halted RO-1 of claims-triage, release 2026.12.0, at 5%: Grounded answers"


@pytest.fixture(scope="module")
def begun(app, module_transaction):
    """Create a system with good runs of both releases, once."""
    world()
    for release in (OLD, NEW):
        evaluate(release=release)


@pytest.fixture(autouse=True)
def _world(begun, isolated):
    """Roll back each test to the system."""


def _prefer(role: str, channel: str) -> None:
    with make.acting("admin"):
        session().execute(
            update(Membership)
            .where(Membership.person_id == make.person_id(role))
            .values(preferences=Preferences(channels={"rollout": channel}).stored())
        )


def _mailed() -> list[str]:
    """Return the subjects of queued mail about a rollout."""
    with make.acting("admin", read_only=True):
        found = session().query(WorkItem).filter(WorkItem.kind == "mail").all()
        return [each.params["subject"] for each in found if "RO-1" in each.params["subject"]]


def test_an_automatic_halt_tells_the_owners_and_approvers_once(
    as_contributor, as_officer, as_admin, as_reviewer, as_viewer
):
    rollout_id = planned()
    running_at(500, rollout_id)
    _prefer("admin", "off")
    _prefer("reviewer", "digest")
    with make.acting("admin"):
        session().execute(update(AISystem).values(owner_id=make.person_id("viewer")))
    before = len(_mailed())
    evaluate(BAD)
    for _ in range(3):
        watch()
    assert state_of(rollout_id) == ("halted", "5%")
    for visitor in (as_contributor, as_officer, as_reviewer, as_viewer):
        assert main_text(visitor.get(PAGE)).count(HALTED) == 1
    assert "RO-1" not in main_text(as_admin.get(PAGE))
    assert _mailed()[before:] == [HALTED] * 3


def test_each_halt_is_told_and_so_is_a_pause_or_a_rollback(as_officer):
    rollout_id = planned(on_failure="roll_back")
    running_at(500, rollout_id)
    evaluate(BAD)
    watch()
    page = main_text(as_officer.get(PAGE))
    assert "Meridian rolled back RO-1 of claims-triage" in page
    evaluate(ALSO_GOOD)
    again = planned()
    running_at(500, again)
    for _ in range(2):
        evaluate(BAD)
        watch()
        evaluate(ALSO_GOOD)
        advance(as_officer, again)
    assert main_text(as_officer.get(PAGE)).count("Meridian halted RO-2") == 2


def test_what_a_person_halts_or_promotes_tells_nobody(as_officer):
    rollout_id = planned()
    running_at(500, rollout_id)
    with make.acting("contributor"):
        actions.halt(queries.rollout(rollout_id), reason="A complaint.")
    assert "RO-1" not in main_text(as_officer.get(PAGE)) and not _mailed()


def test_a_step_that_awaits_approval_tells_approvers_but_not_its_requester(
    as_contributor, as_officer, as_admin, as_viewer
):
    with make.acting("admin"):
        session().execute(update(AISystem).values(lane="high_risk"))
    rollout_id = planned(role="compliance_officer")
    says = "asks you to approve: start RO-1 of claims-triage, release 2026.12.0"
    advance(as_officer, rollout_id)
    with make.acting("contributor"):  # It finds the open request.
        row = queries.rollout(rollout_id)
        seen = status_of(row).fingerprint
        actions.request_step(row, step="start", seen=seen, reason="Again.")
    assert main_text(as_admin.get(PAGE)).count(says) == 1
    for visitor in (as_officer, as_contributor, as_viewer):
        assert says not in main_text(visitor.get(PAGE))
