"""Audit action names, which are a contract because other people's SIEM rules use them."""

from pathlib import Path

from tools import audit_actions

FROZEN = Path(__file__).parents[1] / "snapshots" / "audit_actions.txt"
FROZEN_BECAUSE = (
    "Audit action names are frozen, because other people's SIEM rules name them. Keep the name, and"
    " change only what the action says"
)


def test_no_action_is_renamed_or_removed():
    gone = sorted(set(FROZEN.read_text().split()) - set(audit_actions.action_names()))
    assert not gone, f"{FROZEN_BECAUSE}: {', '.join(gone)}"


def test_every_action_is_frozen():
    frozen = FROZEN.read_text().split()
    new = sorted(set(audit_actions.action_names()) - set(frozen))
    assert not new, (
        f"New audit actions: {', '.join(new)}. Their names are frozen from now on, because other"
        " people's SIEM rules will name them: review each (noun.verb-past), then add it to"
        f" tests/snapshots/{FROZEN.name}, sorted"
    )
    assert frozen == sorted(set(frozen))


def test_the_docs_list_every_action():
    page = audit_actions.PAGE.read_text()
    assert page == audit_actions.with_table(page), (
        "docs/operating/audit-log.md lists other actions than the features declare: run"
        " `python -m tools.audit_actions`"
    )
