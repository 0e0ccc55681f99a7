"""Add, change and remove one measure of a draft, without overwriting unseen changes.

    fingerprint(version, measures)       the draft's state when a form was opened
    save_measure(version, …, seen=…)     add a measure, or change the one with that slug
    remove_measure(version, …, seen=…)

Each raises Stale if the draft changed since the form was opened.
"""

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from governance.kernel.errors import NotFound, Stale
from governance.operations.evaluations import queries
from governance.operations.evaluations.models import SuiteMeasure, SuiteVersion
from governance.operations.evaluations.suites import actions as suite_actions
from governance.operations.evaluations.suites.actions import MeasureInput

FIELDS = (
    "key",
    "name",
    "kind",
    "percent",
    "unit",
    "at_least",
    "is_inverted",
    "is_signal",
    "min_samples",
    "sources",
    "limits",
    "risks",
)


def fingerprint(version: SuiteVersion, measures: Sequence[SuiteMeasure]) -> str:
    """Return the SHA-256 of the draft's full content."""
    said: dict[str, Any] = {
        "version": str(version.id),
        "method": version.method,
        "task_success": version.task_success,
        "cases": [version.cases, version.cases_sha256],
        "measures": [{name: getattr(each, name) for name in FIELDS} for each in measures],
    }
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def check_seen(version: SuiteVersion, seen: str) -> None:
    """Raise Stale if somebody changed the draft since the form was opened."""
    if seen != fingerprint(version, queries.measures(version.id)):
        raise Stale(
            "Someone else changed this draft while you were editing. Your entries are still in the"
            " form. Review the draft, then save again."
        )


def save_measure(version: SuiteVersion, measure: MeasureInput, *, key: str = "", seen: str) -> None:
    """Add a measure at the end, or change the one whose slug is `key`.

    Raises Stale, NotFound for a measure that was removed, and Invalid.
    """
    check_seen(version, seen)
    given = _inputs(version)
    if not key:
        suite_actions.set_measures(version, [*given, measure])
        return
    if key not in {each.key for each in given}:
        raise NotFound("This measure doesn't exist, or somebody removed it.")
    suite_actions.set_measures(version, [measure if each.key == key else each for each in given])


def remove_measure(version: SuiteVersion, *, key: str, seen: str) -> None:
    """Remove a measure of a draft. Idempotent. Raises Stale."""
    given = _inputs(version)
    if key in {each.key for each in given}:
        check_seen(version, seen)
        suite_actions.set_measures(version, [each for each in given if each.key != key])


def _inputs(version: SuiteVersion) -> list[MeasureInput]:
    return [suite_actions.copied(each) for each in queries.measures(version.id)]
