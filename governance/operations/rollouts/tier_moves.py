"""List the gates of open rollouts that change with the policy tier."""

from collections.abc import Iterator, Sequence

from governance.kernel.formatting import plural
from governance.kernel.safety.access import allowed
from governance.operations.evaluations.releases import promotion
from governance.operations.evaluations.suites.tier_moves import MovedVerdict, moved_verdicts
from governance.operations.policies import queries as policies
from governance.operations.policies.gates import looser_than_default
from governance.operations.policies.ports import TierNotice
from governance.operations.policies.tiers import DEFAULT_TIER
from governance.operations.rollouts import permissions, queries
from governance.operations.rollouts.models import Rollout

GATES = {"pass": "pass", "fail": "fail", "undecided": "be undecided", "none": "have no result"}


def gate_moves(before: str, after: str) -> Sequence[TierNotice]:
    """Return a notice for each open rollout whose gates would change.

    Runs one statement more than the moved verdicts.
    """
    if not allowed(permissions.VIEW):
        return ()
    rows = queries.open_rollouts()
    moved = moved_verdicts(before, after) if rows else ()
    return [
        notice
        for row in rows
        for notice in _of(row, [*_tier(before, after), *_measures(row, moved)], moved)
    ]


def _measures(row: Rollout, moved: Sequence[MovedVerdict]) -> Iterator[str]:
    for each in _deciding(row, moved):
        yield (
            f"{each.measure.name} would {GATES[each.now.get('verdict', 'none')]}, not"
            f" {GATES[each.was.get('verdict', 'none')]}"
        )


def _deciding(row: Rollout, moved: Sequence[MovedVerdict]) -> list[MovedVerdict]:
    """Return the moved results that a gate of the rollout reads: of its release, and recent."""
    return [
        each
        for each in moved
        if each.system.id == row.system_id
        and each.run.release == row.release
        and promotion.is_fresh(each.run.ran_at)
    ]


def _tier(before: str, after: str) -> Iterator[str]:
    tiers = policies.platform().tiers
    was, now = (looser_than_default(tiers, tier) for tier in (before, after))
    if was != now:
        least = tiers[DEFAULT_TIER].name
        yield f"Policy tier would {'fail' if now else 'pass'}, as it needs {least} or stricter"


def _of(row: Rollout, gates: Sequence[str], moved: Sequence[MovedVerdict]) -> Iterator[TierNotice]:
    if not gates:
        return
    text = "; ".join(gates) + "."
    fails = any(each.now.get("verdict") == "fail" for each in _deciding(row, moved))
    if fails and row.state == "running" and row.position > 0:
        text += " Meridian would " + ("halt it." if row.on_failure == "halt" else "roll it back.")
    yield TierNotice(
        f"{row.ref} of {row.release}: {plural(len(gates), 'gate')} would read differently.", text
    )
