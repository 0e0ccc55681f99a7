"""Gates on the stage and on what the system rests on: answers, data sets, the policy tier."""

from collections.abc import Iterator, Mapping

from governance.operations.datasets import queries as datasets
from governance.operations.decision_counts import queries as decision_counts
from governance.operations.policies import queries as policies
from governance.operations.policies.strictness import changes, loosens
from governance.operations.policies.tiers import DEFAULT_TIER, Tier
from governance.operations.rollouts.evaluation_gates import ratio_reading
from governance.operations.rollouts.gates import Gate, GateReading, GateSubject
from governance.operations.rollouts.ladders import BASIS_POINTS
from governance.operations.rollouts.sample_ratio import sample_ratio


def answers(subject: GateSubject) -> tuple[int, int]:
    """Return how many answers of the decision API named the candidate, and the current release,
    since the rollout came to its stage.
    """
    if subject.since is None:
        return 0, 0
    flag = f"rollout.{subject.feature}"
    counts = decision_counts.values_since(subject.system, flag, subject.since)
    return counts.get(subject.release, 0), counts.get(subject.previous, 0)


def _served(subject: GateSubject) -> Iterator[GateReading]:
    """Enough answers, in the ratio of the stage; not where nobody may be in.

    A step binds to the figure, so it isn't the count: that grows while a person reads the page.
    """
    stage = subject.stage
    if stage is None or stage.is_shadow or not subject.is_reachable:
        return
    candidate, current = answers(subject)
    lacking = stage.samples - candidate
    yield GateReading(
        name="Answers by the release",
        verdict="pass" if lacking <= 0 else "undecided" if candidate else "missing",
        needs=f"at least {stage.samples:,}",
        figure="enough" if lacking <= 0 else "too few" if candidate else "none",
        detail="" if lacking <= 0 else f"needs {lacking:,} more",
        n=f"{candidate:,}",
    )
    share = stage.share / BASIS_POINTS
    yield ratio_reading(
        "Sample ratio", sample_ratio(candidate, current, share), f"{stage.name} of answers"
    )


def _data_sets(subject: GateSubject) -> Iterator[GateReading]:
    used = datasets.datasets_of(subject.system_id)
    reasons = datasets.blocking(subject.system_id) if used else []
    needs = "fresh, consent valid, licensed"
    for each in reasons:
        yield GateReading(
            name=f"Data set: {each.key}",
            verdict="fail",
            needs=needs,
            figure=f"{each.key} {each.version}".strip(),
            detail=each.sentence,
            n=f"1 of {len(used)}",
            link=("datasets.data_set", {"data_set_id": each.data_set_id}),
        )
    if used and not reasons:
        yield GateReading("Data sets", "pass", needs, "none blocks", n=f"{len(used)}")


def looser_than_default(tiers: Mapping[str, Tier], tier: str) -> bool:
    """Whether a tier sets anything looser than the default one; an unknown one is the strictest."""
    if tier not in tiers:
        return False
    return any(
        loosens(each.move) for each in changes(tiers[DEFAULT_TIER].values, tiers[tier].values)
    )


def _tier(_subject: GateSubject) -> Iterator[GateReading]:
    standing = policies.standing()
    least = standing.platform.tiers[DEFAULT_TIER]
    looser = looser_than_default(standing.platform.tiers, standing.content.tier)
    yield GateReading(
        name="Policy tier",
        verdict="fail" if looser else "pass",
        needs=f"{least.name} or stricter",
        figure=standing.tier.name,
        detail=f"version {standing.number}" if standing.number else "no version published",
        link=("policies.index", {}),
    )


SERVED = Gate(key="answers", kind="condition", order=10, read=_served)
DATA_SETS = Gate(key="data_sets", kind="condition", order=20, read=_data_sets)
TIER = Gate(key="policy_tier", kind="condition", order=60, read=_tier)
