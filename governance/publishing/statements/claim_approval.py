"""The approval of a claim on a vendor, by someone other than the person who prepared it."""

from collections.abc import Mapping
from typing import Any

from governance.foundation.approvals.kinds import ApprovalKind, Description, LogEntry
from governance.foundation.approvals.models import Approval
from governance.kernel.formatting import moment, plural
from governance.operations.agreements.money import money
from governance.publishing.statements import claim_actions, claim_queries, figures, permissions


def _describe(approval: Approval) -> Description:
    claim = claim_queries.claim(approval.target_id)
    periods = claim.facts["periods"]
    return Description(
        title=approval.summary,
        heading=f"Claim {claim.ref}",
        facts=[
            ("Vendor", claim.vendor),
            ("Month", figures.month_title(claim.month)),
            ("Amount", money(claim.amount, claim.currency)),
            ("Periods", plural(len(periods), "period")),
            ("Errors", f"{sum(each['errors'] for each in periods):,}"),
            ("Deadline", moment(claim.deadline)),
        ],
        verb="Approve claim",
        covers="Covers the amount, the periods with their counts, and the request itself.",
        consequence="The claim file can be sent to the vendor. Nothing is sent by itself.",
    )


def _content(approval: Approval) -> Mapping[str, Any]:
    claim = claim_queries.claim(approval.target_id)
    return {
        "vendor": claim.vendor,
        "month": claim.month,
        "amount": claim.amount,
        "currency": claim.currency,
        "periods": claim.facts["periods"],
    }


def _entry(approval: Approval, _step: str) -> LogEntry:
    claim = claim_queries.claim(approval.target_id)
    names = ("number", "vendor", "month", "amount", "currency")
    return LogEntry(claim, facts={name: getattr(claim, name) for name in names})


CLAIM = ApprovalKind(
    name=claim_queries.CLAIM,
    label="Claim on a vendor",
    permission=permissions.CLAIM,
    describe=_describe,
    fingerprint=_content,
    apply=lambda approval: claim_actions.approve(
        claim_queries.claim(approval.target_id, lock=True)
    ),
    on_reject=lambda approval: claim_actions.decline(
        claim_queries.claim(approval.target_id, lock=True)
    ),
    entry=_entry,
    lifetime=None,
    lock="vendor claims",
    own="You prepared this claim, so another person approves it.",
    entries={
        "requested": None,
        "approved": claim_actions.APPROVED,
        "rejected": claim_actions.DECLINED,
        "withdrawn": claim_actions.DECLINED,
        "voided": claim_actions.DECLINED,
        "expired": claim_actions.DECLINED,
    },
)
