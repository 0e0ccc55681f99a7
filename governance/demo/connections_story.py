"""Acme's connections: two webhook receivers, an evaluation runner and a Prometheus.

One objective is imported from OpenSLO. All of them are on loopback (acme_services.py), which
Meridian calls only in the demo.
"""

from datetime import datetime

from sqlalchemy import func, select

from governance.demo.acme_services import (
    EVALUATIONS,
    HANDOVERS,
    IN_TIME,
    ON_CALL,
    PROMETHEUS,
    TICKETS,
)
from governance.demo.reliability_setting import DAY, HOUR, ReliabilitySetting
from governance.demo.story import StoryStep
from governance.foundation.webhooks import actions as webhooks
from governance.foundation.webhooks.jobs import send_due
from governance.foundation.webhooks.models import WebhookTicket
from governance.kernel import clock
from governance.kernel.data.db import session, transaction
from governance.operations.evaluations.requests.runner_messages import EVENT_TYPE
from governance.operations.measurements import prometheus_actions
from governance.operations.measurements import queries as measurements
from governance.operations.objectives.openslo.actions import import_openslo

SOURCE = "frankfurt"
INDICATOR = "support-assistant-handovers"
HISTORY = 7 * DAY  # the window of the objective
OPENSLO = f"""
apiVersion: openslo/v1
kind: SLI
metadata:
  name: {INDICATOR}
  displayName: support-assistant handovers to a person
  annotations: {{meridian.example/unit: handovers}}
spec:
  ratioMetric:
    counter: true
    good:
      metricSource: {{type: Prometheus, metricSourceRef: {SOURCE}, spec: {{query: {IN_TIME}}}}}
    total:
      metricSource: {{type: Prometheus, metricSourceRef: {SOURCE}, spec: {{query: {HANDOVERS}}}}}
---
apiVersion: openslo/v1
kind: SLO
metadata:
  name: support-assistant-handover
  displayName: support-assistant · Handover within 60 s
spec:
  service: support-assistant
  indicatorRef: {INDICATOR}
  timeWindow: [{{duration: 7d, isRolling: true}}]
  budgetingMethod: Occurrences
  objectives: [{{displayName: In time, target: 0.97}}]
"""


def steps(setting: ReliabilitySetting) -> list[StoryStep]:
    return [
        StoryStep(setting.closed.start - 3 * DAY, lambda: _add_receivers(setting)),
        StoryStep(setting.now - 26 * HOUR, lambda: _connect_prometheus(setting)),
    ]


def _add_receivers(setting: ReliabilitySetting) -> None:
    for name, path, events in (
        ("On-call rota", ON_CALL, ("alert.fired", "alert.acknowledged", "alert.resolved")),
        (
            "Ticket system",
            TICKETS,
            ("incident.declared", "incident.updated", "incident.resolved"),
        ),
        ("Evaluation runner", EVALUATIONS, (EVENT_TYPE,)),
    ):
        with setting.acting("admin"):
            webhooks.add(name=name, url=setting.services + path, events=events)


def _connect_prometheus(setting: ReliabilitySetting) -> None:
    """Add the source, import an objective that uses it, and read the history of its window."""
    with setting.acting("officer"):
        source = prometheus_actions.add_source(name=SOURCE, url=setting.services + PROMETHEUS)
        prometheus_actions.queue_test(source)
        import_openslo(OPENSLO.encode())
        [indicator] = [each for each in measurements.live_indicators() if each.key == INDICATOR]
        prometheus_actions.request_backfill(
            indicator,
            since=clock.now() - HISTORY + HOUR,
            reason="History of the objective that was imported from OpenSLO",
        )


def deliver_until(at: datetime) -> None:
    """Send webhooks and their retries, each when it is due, as the jobs process does."""
    while (due := _next_due()) is not None and due <= at:
        with clock.frozen(due):
            send_due(side_by_side=1)


def _next_due() -> datetime | None:
    with transaction(read_only=True):
        return session().scalar(select(func.min(WebhookTicket.ready_at)))
