"""The approval of a looser platform minimum by a second operator."""

from collections.abc import Iterator, Mapping
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
from governance.foundation.tenants.queries import living_tenants
from governance.kernel import clock
from governance.kernel.formatting import moment, plural
from governance.operations.policies import permissions, platform_minimum, queries
from governance.operations.policies.dimensions import DIMENSIONS
from governance.operations.policies.effective_policies import Platform, read_platform
from governance.operations.policies.models import PlatformPolicy
from governance.operations.policies.policy_diff import platform_content
from governance.operations.policies.strictness import Move, loosens

CLOSED = {
    "rejected": "rejected",
    "withdrawn": "withdrawn",
    "voided": "voided",
    "expired": "expired",
}
WHERE = {"floor": "Platform minimum", "unwaivable": "Waivers"}


def _describe(approval: Approval) -> Description:
    row = queries.platform_policy(approval.target_id)
    before, after = layers(row)
    found = platform_minimum.lines(before, after)
    looser = sum(loosens(move) for *_, move in found)
    tenants = sum(each.kind != "operator" for each in living_tenants())
    figures = [(str(tenants), "tenant" if tenants == 1 else "tenants")]
    if row.until:
        figures.append(
            (
                plural(max((row.until - clock.now()).days, 0), "day"),
                "until the current minimum applies again",
            )
        )
    return Description(
        title=approval.summary,
        heading=(
            f"{plural(looser, 'setting')} {'loosens' if looser == 1 else 'loosen'} for every tenant"
        ),
        sub=(
            f"Compared with version {before.number}."
            if before.number
            else "Compared with the built-in values."
        ),
        changes=[_change(*line, after) for line in found],
        facts=[("Looser until", moment(row.until))] if row.until else [],
        figures=figures,
        effects=list(_effects(row, before, after)),
        back=("Platform minimum", "operator_policies.index_of_operator", {}),
        covers=(
            "Covers every value of the platform minimum and the tiers, its end, the version it"
            " changes, and the request itself."
        ),
        verb="Approve for every tenant",
        consequence=(
            "It applies to every tenant within a second. Tightening it again needs only one"
            " operator."
        ),
    )


def layers(row: PlatformPolicy) -> tuple[Platform, Platform]:
    """Return the layer that applies (or applied when the request closed), and the requested one."""
    after = read_platform(row.base + 1, row.content, row.until)
    if row.state == "requested":
        return queries.platform(), after
    return (
        read_platform(row.base, queries.platform_version(row.base).content)
        if row.base
        else Platform()
    ), after


def _change(
    where: str, what: str, before: str, after: str, move: Move, requested: Platform
) -> ProposedChange:
    title = (
        DIMENSIONS[what].title
        if what in DIMENSIONS
        else {"words": "Name and description", "four_eyes": "Approval", "tier": "New tier"}[what]
    )
    place = WHERE.get(where) or f"{requested.tiers[where].name} tier"
    note = f"{place}, {DIMENSIONS[what].flag}" if what in DIMENSIONS else place
    return ProposedChange(title, before, after, note, "loosens" if loosens(move) else "")


def _effects(row: PlatformPolicy, before: Platform, after: Platform) -> Iterator[ApprovalEffect]:
    found = [
        (where, what)
        for where, what, move in platform_minimum.moves(before, after)
        if loosens(move)
    ]
    if any(where == "floor" for where, _ in found):
        yield ApprovalEffect(
            "due",
            "Every tenant gets a looser minimum.",
            "Nothing changes for a tenant whose own policy is stricter.",
        )
    for key in dict.fromkeys(where for where, _ in found if where in after.tiers):
        yield ApprovalEffect(
            "due",
            f"The {after.tiers[key].name} tier loosens.",
            "It affects the tenants that use it.",
        )
    if settings := [DIMENSIONS[what].title for where, what in found if where == "unwaivable"]:
        yield ApprovalEffect(
            "due",
            f"Tenants can request waivers of {', '.join(settings)}.",
            "A waiver needs two approvals and lasts at most 30 days.",
        )
    if row.until:
        yield ApprovalEffect(
            "ok", "The looser minimum ends automatically.", f"It applies until {moment(row.until)}."
        )


def _fingerprint(approval: Approval) -> Mapping[str, Any]:
    row = queries.platform_policy(approval.target_id)
    return {
        "base": row.base,
        "content": row.content,
        "until": row.until.astimezone(UTC).isoformat() if row.until else None,
    }


def _layer_now(_approval: Approval) -> Mapping[str, Any]:
    """Return the minimum that it changes. A looser one can end without a new version number."""
    return {"layer": platform_content(queries.platform())}


def _blocked(approval: Approval) -> str | None:
    until = queries.platform_policy(approval.target_id).until
    return (
        "The end date of the looser minimum has passed. Request the change again with a later date."
        if until and until <= clock.now()
        else None
    )


def _apply(approval: Approval) -> None:
    platform_minimum.apply_request(queries.platform_policy(approval.target_id, lock=True))


def _close(approval: Approval) -> None:
    platform_minimum.close_request(
        queries.platform_policy(approval.target_id, lock=True), CLOSED[approval.state]
    )


def _entry(approval: Approval, _step: str) -> LogEntry:
    row = queries.platform_policy(approval.target_id)
    return LogEntry(row, facts=platform_minimum.facts(row))


PLATFORM = ApprovalKind(
    name=queries.PLATFORM,
    label="Platform minimum",
    permission=permissions.FLOOR,
    describe=_describe,
    fingerprint=_fingerprint,
    context=_layer_now,
    blocked=_blocked,
    apply=_apply,
    on_reject=_close,
    entry=_entry,
    lock=platform_minimum.LOCK,
    own="You requested this, so another operator decides.",
    entries={
        "requested": platform_minimum.ASKED,
        "approved": None,
        "rejected": platform_minimum.REFUSED,
        "withdrawn": platform_minimum.WITHDRAWN,
    },
)
