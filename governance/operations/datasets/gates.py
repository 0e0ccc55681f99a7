"""The gate of rollouts on the data sets of the AI system."""

from collections.abc import Iterator

from governance.operations.datasets import queries
from governance.operations.gates.gates import Gate, GateReading, GateSubject


def _data_sets(subject: GateSubject) -> Iterator[GateReading]:
    used = queries.datasets_of(subject.system_id)
    reasons = queries.blocking(subject.system_id) if used else []
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


DATA_SETS = Gate(key="data_sets", kind="condition", topic="data", read=_data_sets)
