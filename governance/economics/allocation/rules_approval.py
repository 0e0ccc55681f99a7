"""The approval kind for allocation rules: a second person approves a proposal."""

from collections.abc import Mapping
from typing import Any

from governance.economics.allocation import actions, effects, permissions, queries
from governance.economics.allocation.models import AllocationRules
from governance.economics.allocation.range_chart import whole
from governance.economics.allocation.rule_content import changed_lines, read_rules
from governance.economics.formulas.money import money
from governance.foundation.approvals.kinds import (
    ApprovalKind,
    Description,
    LogEntry,
    ProposedChange,
)
from governance.foundation.approvals.models import Approval


def _describe(approval: Approval) -> Description:
    row = queries.version(approval.target_id)
    names = {key: name for key, (_slug, name) in queries.customers().items()}
    lines = changed_lines(queries.rules_of(row.base), read_rules(row.content), names)
    found = effects.effects_of(read_rules(row.content)) if row.state == "requested" else None
    return Description(
        title=approval.summary,
        heading=f"How shared cost is allocated from {row.first_month.long_name}",
        sub=f"Compared with version {row.base}." if row.base else "No rules are in force yet.",
        changes=[ProposedChange(*line) for line in lines],
        template="economics/allocation/approval.html" if found else "",
        details={"effects": found, "money": money, "whole": whole} if found else {},
        covers="Covers the rule of every pool, the first month, and the request itself.",
        back=("Allocation", "operator_allocation.index", {}),
        verb="Approve rules",
        consequence="Months from then on are allocated by these rules. Closed months stay.",
    )


def _content(approval: Approval) -> Mapping[str, Any]:
    row = queries.version(approval.target_id)
    return {"base": row.base, "since": row.since, "content": row.content}


def _newest(_approval: Approval) -> Mapping[str, Any]:
    return {"newest": queries.newest_number()}


def _blocked(approval: Approval) -> str | None:
    return actions.since_problem(queries.version(approval.target_id).first_month)


def _entry(approval: Approval, _step: str) -> LogEntry:
    row = queries.version(approval.target_id)
    return LogEntry(row, facts=actions.facts(row))


def _target(approval: Approval) -> AllocationRules:
    return queries.version(approval.target_id, lock=True)


RULES = ApprovalKind(
    name=queries.KIND,
    label="Allocation rules",
    permission=permissions.CHANGE,
    describe=_describe,
    fingerprint=_content,
    context=_newest,
    blocked=_blocked,
    apply=lambda approval: actions.apply_request(_target(approval)),
    on_reject=lambda approval: actions.close_request(_target(approval), approval.state),
    entry=_entry,
    lock=actions.LOCK,
    own="You proposed these rules, so another person approves them.",
    entries={
        "requested": actions.REQUESTED,
        "approved": None,
        "rejected": actions.REJECTED,
        "withdrawn": actions.WITHDRAWN,
    },
)
