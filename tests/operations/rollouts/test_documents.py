"""The reach of a release in the documents of its AI system, bound to its rollout."""

import pytest

from governance.kernel import clock
from governance.kernel.formatting import long_day
from governance.operations.rollouts import actions, documents, queries
from governance.operations.systems import queries as register
from tests import make
from tests.assurance.frameworks.framework_files import main_text
from tests.operations.rollouts.rollout_helpers import (
    NEW,
    OLD,
    evaluate,
    planned,
    running_at,
    world,
)
from tests.publishing.system_documents.document_helpers import FILE


@pytest.fixture(scope="module")
def begun(app, module_transaction):
    """Create a system with good runs of both releases, once."""
    world()
    for release in (OLD, NEW):
        evaluate(release=release)


@pytest.fixture(autouse=True)
def _world(begun, isolated):
    """Roll back each test to the system."""


def _points() -> list[tuple[tuple[str, ...], str]]:
    with make.acting("viewer", read_only=True):
        system = register.system("claims-triage")
        return [(each.points, each.text) for each in documents.points_of(system.id)]


def test_a_planned_a_running_and_an_ended_release_are_told_each_as_it_is():
    assert _points() == []
    rollout_id = planned()
    stages = "Shadow, 1%, 5%, 25%, 50%, 100%"
    says = f"Release {NEW} is planned to replace {OLD} in stages: {stages}."
    assert _points() == [(("2.f", "6"), says)]
    running_at(500, rollout_id)
    assert _points() == [(("2.f", "6"), f"Release {NEW} is to replace {OLD}: it is running at 5%.")]
    with make.acting("contributor"):
        actions.roll_back(queries.rollout(rollout_id), reason="Wrong clauses.")
        day = long_day(clock.now())
    says = f"Release {NEW} was rolled back at 5% on {day}: everybody has {OLD} again."
    assert _points() == [(("6",), says)]


def test_the_technical_file_has_the_sentence_with_its_rollout(as_officer):
    planned()
    page = as_officer.get(as_officer.post(FILE).location)
    assert f"Release {NEW} is planned to replace {OLD}" in main_text(page)
    assert "Rollout RO-1" in main_text(page) and "/rollouts/" in page.text
