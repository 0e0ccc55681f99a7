"""The table of audit actions in docs/operating/audit-log.md, generated from the features.

python -m tools.audit_actions     rewrite the table after an action was added or its text changed
"""

from pathlib import Path

from governance.app.features import FEATURES
from governance.foundation.audit.registry import Action

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "operating" / "audit-log.md"
BEGIN, END = "<!-- actions: begin -->\n", "<!-- actions: end -->\n"
CLASS_NAMES = {
    "api_activity": "API Activity",
    "authentication": "Authentication",
    "entity_management": "Entity Management",
}


def action_names() -> list[str]:
    """Return the names of all declared actions, sorted."""
    return sorted(action.name for action in _actions())


def table() -> str:
    """Return a Markdown table with one row for each action, sorted by name."""
    rows = "".join(
        f"| `{action.name}` | {action.says}{' (no longer recorded)' * action.is_former} | {CLASS_NAMES[action.event_class]}:"
        f" {action.activity.capitalize()} | {action.severity} |\n"
        for action in sorted(_actions(), key=lambda action: action.name)
    )
    return (
        "| action | a person … | OCSF class: activity | severity |\n| --- | --- | --- | ---"
        f" |\n{rows}"
    )


def with_table(page: str) -> str:
    """Return the text of the page with the current table between its two markers."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}{table()}{END}{after}"


def _actions() -> list[Action]:
    return [action for feature in FEATURES for action in feature.audit]


if __name__ == "__main__":
    PAGE.write_text(with_table(PAGE.read_text()))
