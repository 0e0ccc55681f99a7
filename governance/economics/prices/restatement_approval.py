"""The approval of a restatement by a person other than the requester."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from governance.economics.formulas.money import money
from governance.economics.prices import permissions, restatement_actions, restatements
from governance.economics.prices.restatements import MonthChange
from governance.foundation.approvals.kinds import (
    ApprovalKind,
    Description,
    LogEntry,
    ProposedChange,
)
from governance.foundation.approvals.models import Approval
from governance.kernel.formatting import plural


def _changes(approval: Approval) -> list[MonthChange]:
    found = restatements.restatement(approval.target_id)
    return restatements.changes(found.match_key, *restatement_actions.months_of(found))


def _describe(approval: Approval) -> Description:
    found = restatements.restatement(approval.target_id)
    first, last = restatement_actions.months_of(found)
    return Description(
        title=approval.summary,
        heading=f"Restatement {found.ref}",
        facts=[
            ("Model", f"{found.provider or 'no provider named'}, {found.model}"),
            ("Months", f"{first.long_name} to {last.long_name}"),
        ],
        changes=[
            ProposedChange(
                each.month.long_name,
                amounts(each.before),
                amounts(each.after),
                detail=plural(each.rows, "row"),
            )
            for each in _changes(approval)
        ],
        verb="Approve restatement",
        covers="Covers the model, its months and the cost of each before and after.",
        consequence="Usage of these months gets the prices of the book. Closed months stay.",
        is_final=True,
    )


def amounts(sums: Mapping[str, Decimal]) -> str:
    """Return amounts by currency as text, such as "€12.00 and $3.10"."""
    return " and ".join(money(value, code) for code, value in sorted(sums.items()))


def _content(approval: Approval) -> Mapping[str, Any]:
    found = restatements.restatement(approval.target_id)
    return {"match_key": found.match_key, "months": [found.first_month, found.last_month]}


def _context(approval: Approval) -> Mapping[str, Any]:
    return {"changes": [each.as_json() for each in _changes(approval)]}


def _entry(approval: Approval, _step: str) -> LogEntry:
    found = restatements.restatement(approval.target_id)
    return LogEntry(found, facts=restatement_actions.named(found))


RESTATEMENT = ApprovalKind(
    name=restatements.KIND,
    label="Restatement of usage",
    permission=permissions.RESTATE,
    describe=_describe,
    fingerprint=_content,
    context=_context,
    apply=lambda approval: restatement_actions.apply(
        restatements.restatement(approval.target_id, lock=True)
    ),
    on_reject=lambda approval: restatement_actions.reject(
        restatements.restatement(approval.target_id, lock=True)
    ),
    entry=_entry,
    lock=restatements.KIND,
    own="You requested this restatement, so another person approves it.",
    entries=dict.fromkeys(
        ("requested", "approved", "rejected", "withdrawn", "voided", "expired"), None
    ),
)
