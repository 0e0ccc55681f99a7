"""Shared parts of a tenant's policy pages: routes, previews, summaries and approvals."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from governance.foundation.approvals import queries as approvals
from governance.foundation.approvals.models import Approval
from governance.kernel import clock
from governance.kernel.errors import NotFound
from governance.kernel.web.feature import Feature
from governance.kernel.web.forms import uuid_or_none
from governance.operations.decision_counts import queries as decisions
from governance.operations.policies import ports, preview, queries
from governance.operations.policies.effective_policies import (
    Content,
    EffectivePolicy,
    Governed,
    read_content,
)
from governance.operations.policies.models import PolicyVersion
from governance.operations.policies.policy_diff import SettingChange, lines
from governance.operations.policies.setting_labels import (
    TIER,
    logged_value,
    setting_title,
    short_label,
    value_label,
)
from governance.operations.policies.tiers import Tier

feature = Feature("policies", __name__)
DAY = timedelta(days=1)
REPLAYED = timedelta(days=14)
feature.add_app_template_filter(value_label, "value_label")
feature.add_app_template_filter(short_label, "short_label")
feature.add_app_template_filter(setting_title, "setting_title")
feature.add_app_template_filter(logged_value, "logged_value")


def working_content(now: EffectivePolicy, row: PolicyVersion | None) -> Content:
    """Return the base of a change: the open version's content, or the current policy.

    Overrides of retired systems are left out.
    """
    return now.content if row is None else read_content(row.content).within(now.systems)


def system_named(policy: EffectivePolicy, name: str | None) -> Governed | None:
    """Return the AI system of this slug or id, or None without a name."""
    if not name:
        return None
    system_id = uuid_or_none(name)
    found = next(
        (
            s
            for s in policy.systems
            if name == s.key or (system_id is not None and s.id == system_id)
        ),
        None,
    )
    if found is None:
        raise NotFound("This AI system doesn't exist, or you don't have access to it.")
    return found


def preview_context(before: EffectivePolicy, after: EffectivePolicy | None) -> dict[str, Any]:
    """Return the effects of a change and its replay. Runs two statements, or none if unchanged."""
    if after is None:
        return {}
    now = clock.now()
    effects = preview.effects(before, after, decisions.evaluations_since(now - DAY))
    tightens, loosens = preview.totals(effects)
    return {
        "effects": effects,
        "tightens": tightens,
        "loosens": loosens,
        "verdict": preview.verdict(before, after),
        "replay": preview.replay(before, after, decisions.evaluations_since(now - REPLAYED)),
        "days": REPLAYED.days,
        "notices": [
            *ports.tier_notices(before.content.tier, after.content.tier),
            *preview.notices(after, of=before),
        ],
        "lines": lines(before.content, after.content),
        "tiers": after.platform.tiers,
        "systems": {s.id: s.key for s in after.systems},
    }


def summaries(rows: Sequence[PolicyVersion], tiers: Mapping[str, Tier]) -> dict[UUID, str]:
    """Return each version's changes by id.

    For example "Standard to Strict", or "Retention 30 to 90 days, and 2 more".
    """
    bases = queries.contents(row.base for row in rows) if rows else {}
    found = {
        row.id: lines(bases.get(row.base, Content()), read_content(row.content)) for row in rows
    }
    return {version_id: _summary(changes, tiers) for version_id, changes in found.items()}


def _summary(changes: Sequence[SettingChange], tiers: Mapping[str, Tier]) -> str:
    if not changes:
        return "no changes"
    first, more = changes[0], len(changes) - 1
    title = setting_title(first.key)
    before, after = (value_label(each, first.key, tiers) for each in (first.before, first.after))
    if first.key == TIER:
        summary = f"{before} to {after}"
    elif first.after is None:
        summary = f"{title} no longer overridden"
    elif first.before is None:
        summary = f"{title} {after}"
    else:
        summary = f"{title} {before} to {after}"
    return summary + (f", and {more} more" if more else "")


def visible_approval(row: PolicyVersion) -> Approval | None:
    """Return the newest request for its approval, if the reader may see it."""
    found = approvals.latest(queries.POLICY, [row.id]).get(row.id)
    return found if found is not None and approvals.is_visible(found) else None
