"""Log entries of policy versions: actions and changed settings."""

from collections.abc import Iterable

from governance.foundation.audit.registry import action
from governance.operations.policies import queries
from governance.operations.policies.effective_policies import EffectivePolicy
from governance.operations.policies.policy_diff import SettingChange
from governance.operations.policies.setting_labels import logged_value

DRAFTED = action(
    "policy.drafted",
    "drafted a policy",
    target="PolicyVersion",
    activity="create",
    severity="informational",
    fields="base lines loosens back_to",
)
ASKED = action(
    "policy.approval.requested",
    "requested approval of a policy",
    target="PolicyVersion",
    activity="update",
    severity="low",
    fields="base lines loosens apply_at digest",
    shape="open",
)
REFUSED = action(
    "policy.rejected",
    "rejected a policy",
    target="PolicyVersion",
    activity="update",
    severity="low",
    fields="digest",
    shape="down",
)
WITHDRAWN = action(
    "policy.withdrawn",
    "withdrew a policy",
    target="PolicyVersion",
    activity="update",
    severity="low",
    fields="digest",
)
APPROVED = action(
    "policy.approved",
    "approved a policy",
    target="PolicyVersion",
    activity="update",
    severity="low",
    fields="base lines apply_at digest",
    persons="made_by",
    shape="ok",
)
SCHEDULED = action(
    "policy.scheduled",
    "scheduled a policy",
    target="PolicyVersion",
    activity="update",
    severity="low",
    fields="base lines apply_at digest",
)
APPLIED = action(
    "policy.published",
    "published a policy",
    target="PolicyVersion",
    activity="update",
    severity="medium",
    fields="number base tier lines loosens back_to digest mark",
    persons="decided_by",
    shape="ok",
)
TURNED_BACK = action(
    "policy.returned_to_draft",
    "returned a policy to draft",
    target="PolicyVersion",
    activity="update",
    severity="low",
    fields="note base",
)
MAX_LOGGED_LINES = 60  # Lines per entry; the digest covers all of them


def logged_lines(differs: Iterable[SettingChange], now: EffectivePolicy | None) -> list[list[str]]:
    """Return rows of [slug or "", setting, before, after], limited to fit an entry."""
    given = list(differs)
    known = {s.id: s.key for s in now.systems} if now else {}
    known |= queries.system_keys(
        line.system_id for line in given if line.system_id and line.system_id not in known
    )
    rows = [
        [
            known.get(line.system_id, "") if line.system_id else "",
            line.key,
            logged_value(line.before),
            logged_value(line.after),
        ]
        for line in given
    ]
    more = len(rows) - MAX_LOGGED_LINES
    return rows if more <= 0 else [*rows[:MAX_LOGGED_LINES], ["", f"and {more} more", "", ""]]
