"""Runs of this week that further cases would decide, and requests to runners for them.

undecided_runs()        the fewest further cases first, each with its open request
request_all()           requests the runs that have no open request
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from governance.kernel import clock
from governance.kernel.data.db import lock_tenant
from governance.kernel.errors import DomainError
from governance.kernel.safety import access
from governance.operations.evaluations import permissions, queries
from governance.operations.evaluations.judges import queries as judge_queries
from governance.operations.evaluations.models import (
    EvaluationRun,
    EvaluationSuite,
    SuiteVersion,
)
from governance.operations.evaluations.releases import served_releases
from governance.operations.evaluations.requests import actions as request_actions
from governance.operations.evaluations.requests import queries as request_queries
from governance.operations.evaluations.requests import runner_messages
from governance.operations.evaluations.requests.models import EvaluationRequest
from governance.operations.evaluations.series.this_week import WeekCell, wanted_cases
from governance.operations.evaluations.series.weeks import monday_of
from governance.operations.systems.models import AISystem


@dataclass(frozen=True, slots=True)
class UndecidedRun:
    """A run with measures that `wanted` cases in one new run would decide, at the rates seen."""

    run: EvaluationRun
    suite: EvaluationSuite
    version: SuiteVersion  # The suite's newest published version, which is requested
    system: AISystem
    measures: Sequence[str]
    wanted: int
    asked: EvaluationRequest | None  # Open request for it

    @property
    def command(self) -> str:
        """The command that pushes such a run."""
        address = runner_messages.push_address(
            self.system.key, self.suite.key, self.version.number, self.run.release
        )
        return runner_messages.push_command(address)


def undecided_runs() -> list[UndecidedRun]:
    """Return what further cases would decide this week.

    The number of statements doesn't depend on the number of runs.
    """
    newest = queries.newest_runs_of(monday_of(clock.today()))
    roles = served_releases.roles_of({system.id for _run, _suite, system in newest})
    runs = [
        row
        for row in newest
        if not served_releases.is_unknown(roles.get(row[2].id), row[0].release)
    ]
    cells = _open_cells([(run, suite.id) for run, suite, _system in runs])
    versions = queries.versions_in_use({suite.id for _run, suite, _system in runs})
    asked = {
        (each.system_id, each.version_id, each.release): each
        for each in request_queries.open_requests()
    }
    found: list[UndecidedRun] = []
    for run, suite, system in runs:
        wanted, version = wanted_cases(cells[run.id]), versions.get(suite.id)
        if wanted is None or version is None:
            continue
        names = [cell.measure.name for cell in cells[run.id]]
        request = asked.get((system.id, version.id, run.release))
        found.append(UndecidedRun(run, suite, version, system, names, wanted, request))
    return sorted(found, key=lambda each: (each.wanted, each.system.name, each.suite.name))


def _open_cells(runs: Sequence[tuple[EvaluationRun, UUID]]) -> dict[UUID, list[WeekCell]]:
    """Return the results of each run that further cases would decide."""
    tier, stale = queries.policy_tier(), judge_queries.stale(runs)
    by_id = {run.id: run for run, _suite_id in runs}
    found: dict[UUID, list[WeekCell]] = defaultdict(list)
    for result, measure in queries.results_of(by_id):
        reason = stale.get((result.run_id, measure.key), "")
        judged_by = by_id[result.run_id].judged_tier or tier
        cell = WeekCell(measure, by_id[result.run_id], result, judged_by, (), reason)
        if wanted_cases([cell]) is not None:
            found[result.run_id].append(cell)
    return found


def request_all() -> tuple[list[EvaluationRequest], int]:
    """Request every undecided run, one request per suite and release.

    Returns the requests, and how many runs must wait because too many requests are open. Raises
    DomainError if nothing is left to request.
    """
    access.require(permissions.REQUEST)
    lock_tenant("evaluation requests")  # The second of two clicks sees the requests of the first.
    every = undecided_runs()
    left = [each for each in every if each.asked is None]
    if not left:
        raise DomainError(
            "Each of these runs is requested already. Wait for them, or cancel one."
            if every
            else "No result of this week is undecided, so nothing was requested."
        )
    room = max(request_actions.MAX_OPEN - request_queries.open_count(), 0)
    if not room:
        raise DomainError(request_actions.too_many())
    made = [
        request_actions.request(
            system=each.system,
            suite=each.suite,
            version=each.version,
            release=each.run.release,
            samples=min(each.wanted, request_actions.MAX_SAMPLES),
        )
        for each in left[:room]
    ]
    return made, len(left) - len(made)
