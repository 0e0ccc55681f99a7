"""List the limits and verdicts of evaluations that change with the policy tier.

A run keeps the verdict that it was judged with. Boards also show today's limits, and rollout gates
read them, so the preview and the approval of a tier name each result that would change.

tier_moves(before, after)       for policies: a notice for each suite and each AI system
moved_verdicts(before, after)   each result of the newest runs whose verdict changes
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from governance.kernel import clock
from governance.kernel.formatting import plural
from governance.kernel.safety.access import allowed
from governance.operations.evaluations import figures, permissions, queries
from governance.operations.evaluations.judges import queries as judge_queries
from governance.operations.evaluations.models import EvaluationRun, SuiteMeasure
from governance.operations.evaluations.ports import ReleaseRole
from governance.operations.evaluations.releases import served_releases
from governance.operations.evaluations.series.weeks import monday_of
from governance.operations.evaluations.suites.task_packs import TIERS
from governance.operations.policies.ports import TierNotice
from governance.operations.systems.models import AISystem

WEEKS = 12  # Weeks in which the newest run is searched, as on the board
KEPT = "Runs keep the verdicts they were judged with. Objectives keep their targets and budgets."


@dataclass(frozen=True, slots=True)
class MovedVerdict:
    """A result of a newest run whose verdict differs under another tier."""

    system: AISystem
    run: EvaluationRun
    role: ReleaseRole | None
    measure: SuiteMeasure
    was: Mapping[str, Any]
    now: Mapping[str, Any]

    @property
    def words(self) -> str:
        """Return "would be undecided, not fail"."""
        return f"would be {_word(self.now)}, not {_word(self.was)}"


def tier_moves(before: str, after: str) -> Sequence[TierNotice]:
    """Return the limits that change by suite, and the verdicts by system. Runs five statements."""
    if not allowed(permissions.VIEW):
        return ()
    return [*_limits(before, after), *_verdicts(before, after)]


def limit_tier(tier: str) -> str:
    """Return the tier whose limits judge; the tenant's own tiers are judged as the strictest."""
    return tier if tier in TIERS else TIERS[-1]


def _limits(before: str, after: str) -> Iterator[TierNotice]:
    old, new = limit_tier(before), limit_tier(after)
    moved: dict[str, list[str]] = defaultdict(list)
    for measure, version, suite in queries.measures_in_use():
        was, now = measure.limits.get(old), measure.limits.get(new)
        if not measure.is_signal and was != now:
            moved[f"{suite.name}, version {version.number}"].append(
                f"{measure.name} {figures.limit(measure, was)} becomes"
                f" {figures.limit(measure, now)}"
            )
    for suite_name, found in moved.items():
        verb = "moves" if len(found) == 1 else "move"
        yield TierNotice(
            f"{suite_name}: {plural(len(found), 'limit')} {verb}.", "; ".join(found) + "."
        )


def _verdicts(before: str, after: str) -> Iterator[TierNotice]:
    by_system: dict[str, list[str]] = defaultdict(list)
    for each in moved_verdicts(before, after):
        where = f" ({each.role.text})" if each.role else ""
        by_system[each.system.name].append(
            f"{each.measure.name} in run {each.run.number} of {each.run.release}{where}"
            f" {each.words}"
        )
    for name, found in sorted(by_system.items()):
        yield TierNotice(
            f"{name}: {plural(len(found), 'verdict')} would read differently.",
            "; ".join(found) + f". {KEPT}",
        )


def moved_verdicts(before: str, after: str) -> Sequence[MovedVerdict]:
    """Return the results whose verdict changes. Runs four statements.

    They are of the newest run of each suite on each release that counts.
    """
    old, new = limit_tier(before), limit_tier(after)
    monday = monday_of(clock.today())
    runs = queries.newest_runs_of(monday - timedelta(weeks=WEEKS - 1), monday)
    roles = served_releases.roles_of({system.id for _run, _suite, system in runs})
    of_run = {
        run.id: (run, system)
        for run, _suite, system in runs
        if not served_releases.is_unknown(roles.get(system.id), run.release)
    }
    if not of_run:
        return ()
    stale = judge_queries.stale([(run, suite.id) for run, suite, _s in runs if run.id in of_run])
    found = []
    for result, measure in queries.results_of(of_run):
        run, system = of_run[result.run_id]
        was, now = (result.verdicts.get(tier, {}) for tier in (old, new))
        decides = not measure.is_signal and result.n and (run.id, measure.key) not in stale
        if decides and was.get("verdict") != now.get("verdict"):
            role = roles.get(system.id, {}).get(run.release)
            found.append(MovedVerdict(system, run, role, measure, was, now))
    return sorted(
        found,
        key=lambda each: (each.system.name, each.run.number, each.measure.position),
    )


def _word(judged: Mapping[str, Any]) -> str:
    return figures.VERDICTS[judged.get("verdict", "none")][1].lower()
