"""Prometheus metrics about evaluation runs."""

import prometheus_client

from governance.operations.evaluations.events import RunJudged

runs = prometheus_client.Counter("governance_evaluation_runs_total", "Evaluation runs judged")


def note(_event: RunJudged) -> None:
    """Count a run."""
    runs.inc()
