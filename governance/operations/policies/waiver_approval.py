"""The approval of a waiver by two people: a value below the platform minimum."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC
from typing import Any

from governance.foundation.approvals.kinds import (
    ApprovalKind,
    Description,
    Effect,
    LogEntry,
    ProposedChange,
)
from governance.foundation.approvals.models import Approval
from governance.kernel import clock
from governance.kernel.formatting import moment, plural
from governance.operations.policies import permissions, queries, waivers
from governance.operations.policies.effective_policies import EffectivePolicy, Governed, LiveWaiver
from governance.operations.policies.models import Waiver
from governance.operations.policies.policy_diff import measured
from governance.operations.policies.strictness import DIMENSIONS, plain, read

CLOSED = {
    "rejected": "rejected",
    "expired": "expired",
}  # any other end of a request is a withdrawal


def _describe(approval: Approval) -> Description:
    row, now = queries.waiver(approval.target_id), queries.standing()
    which, minimum = DIMENSIONS[row.dimension], now.platform.floor.get(row.dimension)
    system = next((s for s in now.systems if s.id == row.system_id), None)
    name = system.key if system else queries.system_keys([row.system_id])[row.system_id]
    value = read(row.dimension, row.value)
    days = max((row.expires_at - clock.now()).days, 0)
    return Description(
        title=approval.summary,
        heading=f"One setting of {name} goes below the platform minimum",
        sub="Nothing else is in the request.",
        changes=[
            ProposedChange(
                which.title,
                measured(minimum, which),
                measured(value, which),
                f"policy.{which.key}",
                "loosens",
            )
        ],
        facts=[
            ("AI system", name),
            ("Ends on", moment(row.expires_at)),
            ("What is done instead", row.compensation),
        ],
        figures=[
            (f"{bool(system):d} of {len(now.systems)}", "AI systems"),
            (plural(days, "day"), "until it ends automatically"),
        ],
        effects=list(_effects(row, now, system)),
        back=("Waivers", "waivers.index", {}),
        covers=(
            "Covers the AI system, the setting, its value, the end, the reason, what is done"
            " instead, and the values that apply now."
        ),
        consequence=(
            "The waiver is live when two people have approved it. One person can end it early."
        ),
    )


def _effects(row: Waiver, now: EffectivePolicy, system: Governed | None) -> Iterator[Effect]:
    if system is None:
        yield Effect("bad", "The AI system was retired.", "A waiver would change nothing.")
        return
    if row.state not in {"requested", "live"}:
        yield Effect("ok", "The platform minimum applies.")
        return
    which = DIMENSIONS[row.dimension]
    before, after = (
        now.effective(system)[which.key],
        with_waiver(now, row).effective(system)[which.key],
    )
    link = ("policies.in_force", {"system": system.key}, "Policy in force")
    if row.state == "live":
        yield Effect(
            "due",
            f"{which.title} of {system.key} is {measured(before.value, which)}.",
            f"Set by {before.set_by}.",
            link,
        )
    elif before.value == after.value:
        asks = f"{after.set_by} requires {measured(after.value, which)}."
        yield Effect(
            "open",
            "It would change nothing now:",
            f"{asks} A waiver lifts the platform minimum, never the tenant's own settings.",
            link,
        )
    else:
        moves = f"{measured(before.value, which)} to {measured(after.value, which)}"
        yield Effect(
            "due", f"{system.key} goes from {moves}.", f"Set by {before.set_by} now.", link
        )
    yield Effect("ok", "Every other setting and AI system stays as it is.")
    yield Effect(
        "ok",
        "It ends automatically.",
        f"The platform minimum applies again after {moment(row.expires_at)}.",
    )


def with_waiver(now: EffectivePolicy, row: Waiver) -> EffectivePolicy:
    """As it would be with this waiver live."""
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
    """The minimum that it would lift, and what its system has: when they move, the approvers look
    again.
    """
    row, now = queries.waiver(approval.target_id), queries.standing()
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
    own="You requested this yourself, so two others decide.",
    entries={
        "requested": waivers.ASKED,
        "given": waivers.AGREED,
        "approved": None,
        "rejected": waivers.REFUSED,
        "withdrawn": waivers.WITHDRAWN,
    },
)
