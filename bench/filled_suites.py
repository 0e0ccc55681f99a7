"""A published suite of twelve rates, which the sections on evaluations run each week."""

from governance.operations.evaluations import queries
from governance.operations.evaluations.models import EvaluationSuite
from governance.operations.evaluations.suites import actions as suite_actions
from governance.operations.evaluations.suites.task_packs import TIERS

CASES = 1000
NAMES = [f"measure-{number}" for number in range(12)]
LIMIT = 0.9  # The limit of each rate, in every tier.


def published_suite(key: str) -> EvaluationSuite:
    """Create the suite with that key and its measures NAMES. The caller acts as the tenant's admin."""
    suite = suite_actions.create(key=key, name=key, purpose="Measures the page.")
    version = queries.versions(suite.id)[0]
    suite_actions.edit_draft(version, method="Counts.")
    measures = [
        suite_actions.MeasureInput(
            key=name,
            name=name,
            kind="rate",
            unit="share",
            at_least=True,
            limits=dict.fromkeys(TIERS, LIMIT),
        )
        for name in NAMES
    ]
    suite_actions.set_measures(version, measures)
    suite_actions.publish(version, suite)
    return suite
