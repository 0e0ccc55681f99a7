"""The rollout gate on answers: enough of them, in the ratio of the stage."""

from collections.abc import Iterator

from governance.operations.decision_counts import queries as decision_counts
from governance.operations.gates.gates import Gate, GateReading, GateSubject
from governance.operations.gates.sample_ratio import ratio_reading, sample_ratio
from governance.operations.gates.stage import BASIS_POINTS


def answers(subject: GateSubject) -> tuple[int, int]:
    """Count the answers with the candidate, and with the current release, in this stage.

    They are answers of the decision API since the rollout entered the stage.
    """
    if subject.since is None:
        return 0, 0
    flag = f"rollout.{subject.feature}"
    counts = decision_counts.values_since(subject.system, flag, subject.since)
    return counts.get(subject.release, 0), counts.get(subject.previous, 0)


def _served(subject: GateSubject) -> Iterator[GateReading]:
    """Yield readings of enough answers and of their ratio; none if no key may be in.

    A step binds to the figure, so it isn't the count, which grows while a person reads the page.
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


SERVED = Gate(key="answers", kind="condition", topic="traffic", read=_served)
