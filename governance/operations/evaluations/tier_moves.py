"""What a change of the policy tier moves in evaluations: limits, and verdicts by them.

A run keeps the verdict that it was judged with. The gates of rollouts read the limits in force, so
the preview and the approval of a tier name each result that would read differently.
"""

from collections import defaultdict
from datetime import timedelta

from governance.kernel import clock
from governance.kernel.formatting import plural
from governance.operations.evaluations import figures, queries, served_releases
from governance.operations.evaluations.task_packs import TIERS
from governance.operations.evaluations.weeks import monday_of
from governance.operations.policies.ports import TierNotice

KEPT = "Runs keep the verdicts they were judged with; gates of rollouts follow the new limits."


def tier_moves(before: str, after: str) -> list[TierNotice]:
    """Return a notice for each AI system whose limits move; five statements."""
    old, new = (tier if tier in TIERS else TIERS[-1] for tier in (before, after))
    monday = monday_of(clock.today())
    runs = queries.newest_runs_of(monday) or queries.newest_runs_of(monday - timedelta(weeks=1))
    roles = served_releases.roles_of({system.id for _run, _suite, system in runs})
    of_run = {
        run.id: (run, system)
        for run, _suite, system in runs
        if not served_releases.is_unknown(roles.get(system.id), run.release)
    }
    limits: dict[str, set[str]] = defaultdict(set)
    moved: dict[str, list[str]] = defaultdict(list)
    for result, measure in queries.results_of(of_run) if of_run else ():
        run, system = of_run[result.run_id]
        was, now = (result.verdicts.get(tier, {}) for tier in (old, new))
        if measure.is_signal or was.get("limit") == now.get("limit"):
            continue
        limits[system.name].add(
            f"{measure.name} {figures.limit(measure, was.get('limit'))} becomes"
            f" {figures.limit(measure, now.get('limit'))}"
        )
        if result.n and was.get("verdict") != now.get("verdict"):
            role = roles.get(system.id, {}).get(run.release)
            where = f" ({role.text})" if role else ""
            moved[system.name].append(
                f"{measure.name} in run {run.number:,} of {run.release}{where} would be"
                f" {_word(now)}, not {_word(was)}"
            )
    return [
        TierNotice(
            f"{name}: {plural(len(found), 'limit')} of evaluations"
            f" {'moves' if len(found) == 1 else 'move'},"
            f" {plural(len(moved[name]), 'verdict')} would read differently.",
            "; ".join([*sorted(found), *moved[name]]) + f". {KEPT}",
        )
        for name, found in sorted(limits.items())
    ]


def _word(judged: dict[str, str]) -> str:
    return figures.VERDICTS[judged.get("verdict", "none")][1].lower()
