"""Approvals of late exclusions, and of withdrawals after the start."""

from collections.abc import Iterator, Mapping
from typing import Any

from governance.foundation.approvals.kinds import (
    ApprovalEffect,
    ApprovalKind,
    Description,
    LogEntry,
)
from governance.foundation.approvals.models import Approval
from governance.foundation.people import queries as people
from governance.kernel import clock
from governance.kernel.formatting import plural, short
from governance.operations.maintenance import (
    actions,
    effect,
    exclusion_plan,
    permissions,
    queries,
)
from governance.operations.maintenance.exclusion_words import notice_words, repeats, scope_words
from governance.operations.maintenance.models import Exclusion

MAX_SHOWN = 4


def _describe(approval: Approval) -> Description:
    found = queries.exclusion(approval.target_id)
    is_withdrawal = approval.kind == queries.WITHDRAWAL
    requester = next(iter(people.names([found.requested_by]).values()), "A former member")
    return Description(
        title=approval.summary,
        heading="Exclusion",
        facts=[
            ("Title", found.title),
            ("Category", found.category_name),
            ("Scope", scope_words(found)),
            ("From", short(found.starts_at)),
            ("To", short(found.ends_at)),
            ("Repeats", repeats(found)),
            ("Announced", notice_words(found)),
            ("Announced by", requester),
            ("Reason", found.reason),
        ],
        effects=[*_effects(found, is_withdrawal=is_withdrawal)],
        covers="Covers the times, the scope, the category and the request itself.",
        back=(found.ref, "maintenance.exclusion", {"exclusion_id": found.id}),
        verb="Approve withdrawal" if is_withdrawal else "Approve exclusion",
        consequence=(
            "Its minutes count again. A closed month that changes gets a new revision."
            if is_withdrawal
            else "Attainment leaves out these minutes; their counts stay. A withdrawal needs two"
            " people again."
        ),
    )


def _effects(found: Exclusion, *, is_withdrawal: bool) -> Iterator[ApprovalEffect]:
    verb = "shows again" if is_withdrawal else "hides"
    rows = effect.of(queries.series_of(found), found.system_id, found.indicator_id)
    for each in [row for row in rows if row.known_minutes][:MAX_SHOWN]:
        yield ApprovalEffect(
            "due" if each.lost else "ok",
            f"It {verb} {plural(each.known_minutes, 'minute')} of {each.name}",
            f"with {each.lost_words} lost.",
        )
    if not any(row.known_minutes for row in rows):
        yield ApprovalEffect("ok", "It has no measured minutes so far.", "")
    if found.starts_at <= clock.now() and not is_withdrawal:
        yield ApprovalEffect(
            "bad", "It covers time that has passed.", "A closed statement may get a revision."
        )


def _fingerprint(approval: Approval) -> Mapping[str, Any]:
    found = queries.exclusion(approval.target_id)
    return {
        "state": found.state,
        "title": found.title,
        "reason": found.reason,
        "visible": found.is_customer_visible,
        "announced": found.announced_at.timestamp(),
        **{name: _plain(getattr(found, name)) for name in exclusion_plan.TIMES},
    }


def _plain(value: Any) -> Any:
    return value.timestamp() if hasattr(value, "timestamp") else value


def _entry(approval: Approval, _step: str) -> LogEntry:
    found = queries.exclusion(approval.target_id)
    return LogEntry(found, facts={"ref": found.ref})


LATE = ApprovalKind(
    name=queries.LATE,
    label="Exclusion",
    permission=permissions.APPROVE,
    describe=_describe,
    fingerprint=_fingerprint,
    apply=lambda approval: actions.approve(queries.exclusion(approval.target_id, lock=True)),
    on_reject=lambda approval: actions.close(queries.exclusion(approval.target_id, lock=True)),
    entry=_entry,
    lock=actions.LOCK,
    own="You announced this exclusion, so another person decides.",
    entries={
        "requested": None,
        "approved": None,
        "rejected": actions.REJECTED,
        "withdrawn": actions.REJECTED,
        "expired": actions.REJECTED,
    },
)

WITHDRAWAL = ApprovalKind(
    name=queries.WITHDRAWAL,
    label="Withdrawal of an exclusion",
    permission=permissions.APPROVE,
    describe=_describe,
    fingerprint=_fingerprint,
    apply=lambda approval: actions.carry_out_withdrawal(
        queries.exclusion(approval.target_id, lock=True),
        requested_by=approval.requested_by,
        reason=approval.reason,
    ),
    entry=_entry,
    lock=actions.LOCK,
    own="You requested this withdrawal, so another person decides.",
)
