"""The approval of a waiver by two people: a value below the platform minimum."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC
from typing import Any

from governance.foundation.approvals.kinds import (
    ApprovalEffect,
    ApprovalKind,
    Description,
    LogEntry,
    ProposedChange,
)
from governance.foundation.approvals.models import Approval
from governance.kernel import clock
from governance.kernel.formatting import moment, plural
from governance.operations.policies import permissions, queries, waivers
from governance.operations.policies.dimensions import DIMENSIONS, plain, read
from governance.operations.policies.effective_policies import EffectivePolicy, Governed, LiveWaiver
from governance.operations.policies.models import Waiver
from governance.operations.policies.setting_labels import value_label

CLOSED = {
    "rejected": "rejected",
    "expired": "expired",
}  # Any other end of a request is a withdrawal


def _describe(approval: Approval) -> Description:
    row, now = queries.waiver(approval.target_id), queries.current_policy()
    which, minimum = DIMENSIONS[row.dimension], now.platform.floor.get(row.dimension)
    system = next((s for s in now.systems if s.id == row.system_id), None)
    name = system.key if system else queries.system_keys([row.system_id])[row.system_id]
    value = read(row.dimension, row.value)
    days = max((row.expires_at - clock.now()).days, 0)
    return Description(
        title=approval.summary,
        heading=f"One setting of {name} goes below the platform minimum",
        sub="The request contains nothing else.",
        changes=[
            ProposedChange(
                which.title,
                value_label(minimum, which),
                value_label(value, which),
                f"policy.{which.key}",
                "loosens",
            )
        ],
        facts=[
            ("AI system", name),
            ("Ends on", moment(row.expires_at)),
            ("Compensating measure", row.compensation),
        ],
        figures=[
            (f"{bool(system):d} of {len(now.systems)}", "AI systems"),
            (plural(days, "day"), "until it ends automatically"),
        ],
        effects=list(_effects(row, now, system)),
        back=("Waivers", "waivers.index", {}),
        covers=(
            "Covers the AI system, the setting, its value, the end, the reason, the compensating"
            " measure, and the values that apply now."
        ),
        consequence=(
            "The waiver starts when two people have approved it. One person can end it early."
        ),
    )


def _effects(
    row: Waiver, now: EffectivePolicy, system: Governed | None
) -> Iterator[ApprovalEffect]:
    if system is None:
        yield ApprovalEffect("bad", "The AI system was retired.", "A waiver would change nothing.")
        return
    if row.state not in {"requested", "live"}:
        yield ApprovalEffect("ok", "The platform minimum applies.")
        return
    which = DIMENSIONS[row.dimension]
    before, after = (
        now.effective(system)[which.key],
        with_waiver(now, row).effective(system)[which.key],
    )
    link = ("policies.in_force", {"system": system.key}, "Policy in force")
    if row.state == "live":
        yield ApprovalEffect(
            "due",
            f"{which.title} of {system.key} is {value_label(before.value, which)}.",
            f"Set by: {before.decided_by}.",
            link,
        )
    elif before.value == after.value:
        required = value_label(after.value, which)
        yield ApprovalEffect(
            "open",
            "It would change nothing now.",
            f"{after.decided_by} requires {required}. A waiver lowers the platform minimum, not the"
            " tenant's own settings.",
            link,
        )
    else:
        change = f"{value_label(before.value, which)} to {value_label(after.value, which)}"
        yield ApprovalEffect(
            "due",
            f"{which.title} of {system.key} goes from {change}.",
            f"Set by: {before.decided_by}.",
            link,
        )
    yield ApprovalEffect("ok", "Nothing else changes.")
    yield ApprovalEffect(
        "ok",
        "It ends automatically.",
        f"The platform minimum applies again after {moment(row.expires_at)}.",
    )


def with_waiver(now: EffectivePolicy, row: Waiver) -> EffectivePolicy:
    """Return the policy with this waiver live."""
    waived = LiveWaiver(
        row.id, row.system_id, row.dimension, read(row.dimension, row.value), row.expires_at
    )
    return replace(now, waivers=(*now.waivers, waived))


def _fingerprint(approval: Approval) -> Mapping[str, Any]:
    row = queries.waiver(approval.target_id)
    return {
        "system": row.system_id,
        "dimension": row.dimension,
        "value": row.value,
        "until": row.expires_at.astimezone(UTC).isoformat(),
        "reason": row.reason,
        "compensation": row.compensation,
    }


def _values_now(approval: Approval) -> Mapping[str, Any]:
    """Return the minimum that it would lower, and the system's own value.

    When they change, the approvers review the waiver again.
    """
    row, now = queries.waiver(approval.target_id), queries.current_policy()
    minimum = now.platform.floor.get(row.dimension)
    system = next((s for s in now.systems if s.id == row.system_id), None)
    own = now.own(system)[row.dimension] if system else None
    return {
        "minimum": None if minimum is None else plain(minimum),
        "own": None if own is None else plain(own),
    }


def _make_live(approval: Approval) -> None:
    waivers.make_live(queries.waiver(approval.target_id, lock=True))


def _close(approval: Approval) -> None:
    waivers.close(
        queries.waiver(approval.target_id, lock=True), CLOSED.get(approval.state, "withdrawn")
    )


def _entry(approval: Approval, _step: str) -> LogEntry:
    row = queries.waiver(approval.target_id)
    return LogEntry(row, facts=waivers.facts(row) | {"compensation": row.compensation})


WAIVER = ApprovalKind(
    name=queries.WAIVER,
    label="Waiver",
    permission=permissions.WAIVE,
    describe=_describe,
    fingerprint=_fingerprint,
    context=_values_now,
    blocked=lambda approval: waivers.why_blocked(queries.waiver(approval.target_id)),
    apply=_make_live,
    on_reject=_close,
    entry=_entry,
    needed=2,
    lock=waivers.LOCK,
    own="You requested this, so two other people decide.",
    entries={
        "requested": waivers.ASKED,
        "given": waivers.AGREED,
        "approved": None,
        "rejected": waivers.REFUSED,
        "withdrawn": waivers.WITHDRAWN,
    },
)
