"""Drafts that the record adds to the change log: what customers may notice, each record once.

They contain nothing internal.
"""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from governance.assurance.evaluation_findings.models import EvaluationFinding
from governance.kernel import clock, current
from governance.kernel.data.db import session
from governance.operations.evaluations import queries as evaluations
from governance.operations.evaluations.models import EvaluationRun
from governance.operations.rollouts import actions as rollouts
from governance.operations.rollouts import queries as rollout_queries
from governance.operations.systems import actions as systems
from governance.operations.systems import queries as register
from governance.publishing.change_log import actions, drafts, jobs
from tests import make
from tests.assurance.frameworks.framework_files import main_text
from tests.operations.rollouts.rollout_helpers import evaluate, planned, running_at, world
from tests.publishing.change_log.change_log_helpers import changes, started


@pytest.fixture(scope="module")
def begun(app, module_transaction):
    """Create a system with good runs of both releases, once."""
    world()
    for release in ("2026.11.2", "2026.12.0"):
        evaluate(release=release)


@pytest.fixture
def log(begun, isolated):
    started()


def draft() -> list[tuple[str, str]]:
    """Run the job. Return kind and title of all changes."""
    with current.acting_as(make.system_actor("acme")):
        jobs.draft_in_tenant()
    with make.acting("viewer", read_only=True):
        return [(each.kind, each.title) for each in changes()]


def edited(stage: str, *, purpose: str = "Sorts.", facts=None) -> None:
    """Edit the system as its form does, in that stage of its lifecycle."""
    with make.acting("admin"):
        system = register.system("claims-triage")
        system.stage = stage
        systems.edit(
            system,
            seen=systems.revision(system),
            name=system.name,
            purpose=purpose,
            owner_id=system.owner_id,
            facts=facts,
        )


def test_a_rollout_that_served_somebody_is_drafted_once_when_it_ends(log):
    rollout_id = planned()
    running_at(500, rollout_id)
    assert draft() == []
    with make.acting("contributor"):
        rollouts.roll_back(rollout_queries.rollout(rollout_id), reason="Secret reason.")
    expected = [("rollback", "claims-triage: we withdrew release 2026.12.0")]
    assert draft() == expected and draft() == expected
    with make.acting("viewer", read_only=True):
        (found,) = changes()
        assert found.body == (
            "We withdrew release 2026.12.0 of auto-approve while its rollout was at 5%."
        )
        assert found.effect == "Everyone who uses auto-approve has release 2026.11.2 again."
        assert "Secret" not in found.body + found.effect and found.state == "draft"


def test_a_rollout_that_ended_in_shadow_is_no_news(log):
    rollout_id = planned()
    running_at(0, rollout_id)
    with make.acting("contributor"):
        rollouts.roll_back(rollout_queries.rollout(rollout_id), reason="Wrong clauses.")
    assert draft() == []


def test_a_substantial_change_of_a_system_is_drafted_and_another_one_isnt(log, as_viewer):
    edited("live", facts={"team": "Claims"})
    assert draft() == []
    edited("live", purpose="Sorts and pays.")
    assert draft() == [("model", "We changed claims-triage")]
    with make.acting("viewer", read_only=True):
        (found,) = changes()
        change_id = found.id
        assert found.body == "Purpose: Sorts and pays. Before: Sorts."
    assert "We changed claims-triage" in main_text(as_viewer.get(f"change-log/{change_id}"))


def test_a_finding_that_a_later_run_closed_is_a_fix(log):
    with make.acting("admin") as who:
        first, second = session().scalars(select(EvaluationRun).limit(2)).all()
        session().add(
            EvaluationFinding(
                number=1,
                system_id=first.system_id,
                suite_id=evaluations.suite("claims-grounding").id,
                measure="grounded",
                name="Grounded answers",
                first_run_id=first.id,
                last_run_id=first.id,
                passed_run_id=second.id,
                closed_at=clock.now(),
                closed_by=who.person_id,
                closing_note="Internal.",
            )
        )
    assert draft() == [("fix", "claims-triage: Grounded answers back within the limit")]


def test_a_draft_that_was_discarded_doesnt_come_back(log):
    rollout_id = planned()
    running_at(500, rollout_id)
    with make.acting("contributor"):
        rollouts.roll_back(rollout_queries.rollout(rollout_id), reason="Wrong clauses.")
    draft()
    with make.acting("contributor"):
        actions.discard(changes()[0])
    assert len(draft()) == 1
    with make.acting("viewer", read_only=True):
        assert changes()[0].state == "discarded"


def test_without_a_change_log_nothing_is_drafted_and_its_start_reads_the_last_30_days(
    begun, isolated
):
    rollout_id = planned()
    running_at(500, rollout_id)
    with make.acting("contributor"):
        rollouts.roll_back(rollout_queries.rollout(rollout_id), reason="Wrong clauses.")
        rollout_queries.rollout(rollout_id).ended_at = clock.now() - timedelta(days=29)
    assert draft() == []
    started()
    with make.acting("viewer", read_only=True):
        assert [each.kind for each in changes()] == ["rollback"]


def test_a_policy_names_its_settings_and_only_so_many_of_them():
    blocked = "Questionable content is blocked too"
    lines = [
        ("", "Content filter", "Standard", "Strict", blocked),
        ("Atlas", "Retention", "90 days", "30 days", ""),
    ]
    since = datetime(2026, 11, 25, 9, 24, tzinfo=UTC)
    title, body, effect = drafts.policy(7, since, lines)
    assert title == "Our AI policy has changed: version 7"
    assert body == (
        f"Content filter is now Strict. {blocked}. It was Standard before.\n"
        "Atlas: Retention is now 30 days. It was 90 days before."
    )
    assert effect == "The new settings have applied since 25 November 2026."
    _, body, _ = drafts.policy(8, since, lines * 10)
    assert body.endswith("And 8 more settings.")


def test_reading_the_record_with_nothing_new_writes_nothing(log, statements):
    draft()
    with statements() as sent:
        draft()
    assert not [each for each in sent if each.startswith(("INSERT", "UPDATE"))]
