"""Concurrent work on red teams: two people close one finding, two testers record attempts."""

from datetime import timedelta

from sqlalchemy import func, select

from governance.assurance.red_teams import actions, finding_actions, queries
from governance.assurance.red_teams.models import RedTeamAttempt
from governance.foundation.audit.models import AuditEntry
from governance.kernel import clock
from governance.kernel.data.db import session, transaction
from governance.operations.evaluations import queries as evaluations
from governance.operations.systems import queries as register
from tests import make
from tests.assurance.evaluation_findings.finding_helpers import at_once
from tests.assurance.red_teams.red_team_helpers import (
    FIXED,
    NOW,
    OLD,
    WRONG,
    attempted,
    draft,
    reported,
    step,
)
from tests.operations.evaluations.evaluation_helpers import (
    drain,
    imported,
    log_of,
    published_suite,
    system,
)


def begin(key):
    """Create a system with this slug. Return the ids of its red team and scenario."""
    with clock.frozen(NOW - timedelta(days=30)), make.acting("admin"):
        published_suite(key)
        system(key)
    with clock.frozen(NOW), make.acting("compliance_officer"):
        row = actions.plan(draft(system=key))
        return row.id, actions.add_scenario(row, risk="LLM01:2026", title="T", goal="G").id


def test_two_people_who_close_a_finding_at_once_close_it_once(committed_world):
    team, scenario = begin("closed-twice")
    with clock.frozen(NOW):
        found = reported(team, attempted(team, scenario))
        step(found, "confirm")
        with make.acting("contributor"):
            version = evaluations.version(evaluations.suite("closed-twice").id)
            finding_actions.pin_case(
                queries.finding(found, lock=True),
                version_id=version.id,
                measure="hallucination",
                case=WRONG,
            )
        step(found, "fix", by="contributor", release=FIXED)
        for counts, release in (((9, 1), OLD), ((10, 0), FIXED)):
            with make.acting("admin"):
                imported(
                    log_of(*counts, run=f"closed-{release}"),
                    evaluations.suite("closed-twice"),
                    register.system("closed-twice"),
                    release=release,
                )
            drain()

    def close():
        with transaction():
            finding_actions.take_step(queries.finding(found, lock=True), "close", reason="Both.")
            return queries.finding(found).state

    assert at_once(close, close) == ["closed", "closed"]
    with make.acting("admin"):
        query = select(func.count()).where(
            AuditEntry.target_id == found, AuditEntry.action == "red_team.finding.closed"
        )
        assert session().scalar(query) == 1


def test_attempts_recorded_at_once_have_numbers_of_their_own(committed_world):
    team, scenario = begin("tried-twice")

    def attempt():
        with transaction():
            row = queries.red_team(team)
            return actions.record_attempt(
                row, queries.scenario(team, scenario), what="It.", outcome="held", release=OLD
            ).number

    assert sorted(at_once(attempt, attempt)) == [1, 2]
    with make.acting("admin"):
        query = select(func.count()).where(RedTeamAttempt.red_team_id == team)
        assert session().scalar(query) == 2
