"""The rollout gate that blocks on open evaluation findings of the AI system."""

from collections.abc import Iterator

from sqlalchemy import select

from governance.assurance.evaluation_findings.models import EvaluationFinding
from governance.kernel.data.db import session
from governance.operations.gates.gates import Gate, GateReading, GateSubject

MAX_NAMED = 3


def _findings(subject: GateSubject) -> Iterator[GateReading]:
    f = EvaluationFinding
    query = (
        select(f.number)
        .where(f.system_id == subject.system_id, f.closed_at.is_(None))
        .order_by(f.number)
    )
    rows = session().execute(query).all()
    named = [f"EVF-{row.number}" for row in rows[:MAX_NAMED]]
    more = len(rows) - len(named)
    yield GateReading(
        name="Open findings of evaluations",
        verdict="fail" if rows else "pass",
        needs="none open",
        figure=", ".join(named) + (f" and {more} more" if more else "") if rows else "none",
        n=f"{len(rows)}",
        link=("evaluation_findings.of_system", {"system_key": subject.system}),
    )


FINDINGS = Gate(key="findings", kind="condition", topic="findings", read=_findings)
