"""Approval of a policy version that loosens a setting, or of any version in some tiers.

Those are the tiers in which every change needs two people.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, timedelta
from typing import Any

from governance.foundation.approvals import kinds
from governance.foundation.approvals.kinds import (
    ApprovalEffect,
    ApprovalKind,
    Description,
    LogEntry,
    ProposedChange,
)
from governance.foundation.approvals.models import Approval
from governance.kernel import clock
from governance.kernel.formatting import moment, plural, thousands
from governance.operations.decision_counts import queries as decisions
from governance.operations.policies import (
    actions,
    draft_actions,
    permissions,
    ports,
    preview,
    queries,
    version_log,
)
from governance.operations.policies.dimensions import DIMENSIONS, Value
from governance.operations.policies.effective_policies import Content, EffectivePolicy, read_content
from governance.operations.policies.models import PolicyVersion
from governance.operations.policies.policy_diff import SettingChange, lines, platform_content
from governance.operations.policies.setting_labels import logged_value, value_label

REPLAYED = timedelta(days=14)
DAY = timedelta(days=1)


def _describe(approval: Approval) -> Description:
    row = queries.policy_version(approval.target_id)
    link = ("policies.version_by_id", {"policy_version_id": row.id})
    back = (f"Policy version {row.number}" if row.number else f"Policy draft {row.base + 1}", *link)
    if kinds.fingerprint(approval) != approval.fingerprint:
        edited = ApprovalEffect(
            "open", "The draft was edited after this request.", "", (*link, "Open the draft")
        )
        return Description(approval.summary, back=back, effects=[edited])
    before, after = _steps(row)
    found = preview.verdict(before, after)
    described = Description(
        approval.summary,
        heading="What changes" if approval.state == "open" else "What was requested",
        sub="The request contains nothing else.",
        back=back,
        facts=_facts(row),
        changes=[
            _change(line, found, before, after) for line in lines(before.content, after.content)
        ],
        covers=(
            "Covers the settings, the version they change, when they take effect, and the request"
            " itself."
        ),
    )
    return described if approval.state != "open" else _with_effects(described, row, before, after)


def _steps(row: PolicyVersion) -> tuple[EffectivePolicy, EffectivePolicy]:
    """Return the base policy, and the policy with the version.

    Both are under the current platform minimum and for the current AI systems.
    """
    now = queries.current_policy()
    base = (
        now.content
        if row.base == now.number
        else queries.contents([row.base]).get(row.base, Content())
    )
    return now.draft(base.within(now.systems)), now.draft(
        read_content(row.content).within(now.systems)
    )


def _facts(row: PolicyVersion) -> list[tuple[str, Any]]:
    facts = [("Takes effect", moment(row.apply_at))] if row.apply_at else []
    return [*facts, ("Returns to", f"version {row.back_to}")] if row.back_to else facts


def _change(
    line: SettingChange,
    found: preview.ChangeVerdict,
    before: EffectivePolicy,
    after: EffectivePolicy,
) -> ProposedChange:
    note = "loosens" if preview.line_loosens(line, found, before, after) else ""
    if line.key == "tier":
        return ProposedChange(
            "Tier", before.tier.name, after.tier.name, f"policy.tier = {line.after}", note
        )
    system = next((s.key for s in after.systems if s.id == line.system_id), None)
    title = DIMENSIONS[line.key].title + (f" of {system}" if system else "")
    value = "not overridden" if line.after is None else logged_value(line.after)
    return ProposedChange(
        title,
        _value(line.key, line.before),
        _value(line.key, line.after),
        f"policy.{line.key} = {value}",
        note,
    )


def _value(key: str, value: Value | None) -> str:
    return "not overridden" if value is None else value_label(value, key)


def _with_effects(
    described: Description, row: PolicyVersion, before: EffectivePolicy, after: EffectivePolicy
) -> Description:
    """Add the effects by AI system, and the replay of recent decisions."""
    now = clock.now()
    found = preview.effects(before, after, decisions.evaluations_since(now - DAY))
    replayed = preview.replay(before, after, decisions.evaluations_since(now - REPLAYED))
    tightens, looser = preview.totals(found)
    moved = sum(bool(effect.changes) for effect in found if effect.system)
    figures = [
        (f"{moved} of {len(after.systems)}", "AI systems change"),
        (str(looser), "setting loosens" if looser == 1 else "settings loosen"),
        (str(tightens), "setting tightens" if tightens == 1 else "settings tighten"),
    ]
    if replayed.answers:
        figures.append(
            (
                thousands(replayed.looser),
                f"of {plural(replayed.answers, 'decision')} would be looser",
            )
        )
    when = f"on {moment(row.apply_at)}" if row.apply_at and _is_later(row) else "within a second"
    return replace(
        described,
        figures=figures,
        effects=list(_effects(before, after)),
        effects_sub=(
            f"Replayed over the last {REPLAYED.days} days, {plural(replayed.answers, 'decision')}"
        ),
        template="operations/policies/approval.html",
        details={"effects": [each for each in found if each.changes or each.stays]},
        verb="Approve and schedule" if _is_later(row) else "Approve and activate",
        consequence=f"It takes effect {when}. Tightening it again needs only one person.",
    )


def _effects(before: EffectivePolicy, after: EffectivePolicy) -> Iterator[ApprovalEffect]:
    for moves in ports.tier_notices(before.content.tier, after.content.tier):
        yield ApprovalEffect("due", moves.lead, moves.text)
    for notice in preview.notices(after, of=before):
        yield ApprovalEffect("due", notice.lead, notice.text)
    if before.tier.four_eyes:
        yield ApprovalEffect(
            "open", f"In the {before.tier.name} tier, every change needs two people."
        )
    yield ApprovalEffect(
        "ok",
        "The platform minimum still applies.",
        "It replaces any looser value.",
    )


def _is_later(row: PolicyVersion) -> bool:
    return row.apply_at is not None and row.apply_at > clock.now()


def _requested(approval: Approval) -> PolicyVersion:
    """Return the requested version. A page reads it with the policy in force, as its draft."""
    return queries.policy_version(approval.target_id)


def _fingerprint(approval: Approval) -> Mapping[str, Any]:
    row = _requested(approval)
    at = row.apply_at.astimezone(UTC).isoformat() if row.apply_at else None
    return {
        "base": row.base,
        "content": row.content,
        "apply_at": at,
        "loosens": row.loosens,
        "back_to": row.back_to,
        "edited": row.edited,
    }


def _in_force(approval: Approval) -> Mapping[str, Any]:
    """Return the loosened settings, and the layers they depend on.

    When they change, the approver reviews the version again.
    """
    before, after = _steps(queries.policy_version(approval.target_id))
    return {
        "loosens": preview.verdict(before, after).fingerprint,
        "platform": platform_content(before.platform),
        "systems": [[system.id, system.key, system.lane] for system in before.systems],
        "waivers": [waiver.id for waiver in before.waivers],
        "beside": [
            [each.lead, each.text]
            for each in ports.tier_notices(before.content.tier, after.content.tier)
        ],
    }


def _blocked(approval: Approval) -> str | None:
    content = read_content(queries.policy_version(approval.target_id).content)
    if content.systems.keys() - {system.id for system in queries.governed()}:
        return (
            "The draft overrides an AI system that was retired. Edit it, then request approval"
            " again."
        )
    return None


def _activate(approval: Approval) -> None:
    row = queries.policy_version(approval.target_id, lock=True)
    actions.activate(row, by=approval.closed_by, at=approval.closed_at or clock.now())


def _close(approval: Approval) -> None:
    row = queries.policy_version(approval.target_id, lock=True)
    actions.close_request(
        row, approval.state, by=approval.closed_by, at=approval.closed_at, note=approval.note
    )


def _entry(approval: Approval, step: str) -> LogEntry:
    row = queries.policy_version(approval.target_id)
    facts = actions.request_facts(row)
    return LogEntry(
        row,
        facts=facts
        | ({"note": actions.why_returned(approval.note)} if step in {"voided", "expired"} else {}),
    )


POLICY = ApprovalKind(
    name=queries.POLICY,
    label="Policy",
    permission=permissions.APPROVE,
    describe=_describe,
    fingerprint=_fingerprint,
    context=_in_force,
    blocked=_blocked,
    apply=_activate,
    on_reject=_close,
    entry=_entry,
    lock=draft_actions.LOCK,
    own="You edited this version, so another person must decide.",
    entries={
        "requested": version_log.ASKED,
        "approved": version_log.APPROVED,
        "rejected": version_log.REFUSED,
        "withdrawn": version_log.WITHDRAWN,
        "voided": version_log.TURNED_BACK,
        "expired": version_log.TURNED_BACK,
    },
)
