"""Open findings that lower the status of controls, for a port of the controls package."""

from typing import Any

from sqlalchemy import func, select

from governance.assurance.evaluation_findings.models import EvaluationFinding, MeasureControl
from governance.operations.systems.models import AISystem


def missed_evaluations() -> Any:
    """Select the findings by control, each with its period.

    A period starts at the miss or the mapping, whichever is later. It ends when the finding is
    closed or the mapping is removed. Findings of retired AI systems don't count.
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
