"""What lowers a control that rests on a measure: findings that are open. It answers a port of controls."""

from typing import Any

from sqlalchemy import func, select

from governance.assurance.evaluation_findings.models import EvaluationFinding, MeasureControl
from governance.operations.systems.models import AISystem


def missed_evaluations() -> Any:
    """Findings by control, each from its miss (or the mapping) to its closing (or the mapping's end).

    What is about a retired AI system lowers nothing any more.
    """
    f, m, s = EvaluationFinding, MeasureControl, AISystem
    return (
        select(
            m.control_id,
            f.id,
            func.concat("EVF-", f.number).label("ref"),
            func.concat(f.name, " of ", s.name).label("about"),
            func.greatest(f.created_at, m.created_at).label("since"),
            func.least(f.closed_at, m.removed_at, s.retired_at).label("until"),
        )
        .join(m, (m.suite_id == f.suite_id) & (m.measure == f.measure))
        .join(s, s.id == f.system_id)
    )
