"""Evaluation findings in search."""

from typing import Any

from governance.assurance.evaluation_findings import queries
from governance.assurance.evaluation_findings.models import EvaluationFinding
from governance.kernel.manifest import IndexedSearch, SearchText


def _text(row: Any) -> SearchText:
    return SearchText(f"EVF-{row.number}", row.name, "evaluation finding")


findings = IndexedSearch(
    kind="evaluation finding",
    model=EvaluationFinding,
    reads=("number", "name"),
    text=_text,
    seen=queries.seen_ids,
    endpoint="evaluation_findings.finding",
    address=lambda row_id, _ref, _parent: {"evaluation_finding_id": row_id},
)
