"""An outage of claims-triage that is over: declared from its alert, resolved, reviewed and closed.

Webhooks about it never reached the ticket system, which was down then.
"""

from datetime import datetime, timedelta
from uuid import UUID

from governance.assurance.incidents import (
    actions,
    clock_actions,
    from_alert,
    impact_actions,
    queries,
    review_actions,
)
from governance.demo import incident_steps
from governance.demo.cast import days_ago
from governance.demo.reliability_setting import DAY, HOUR, ReliabilitySetting
from governance.demo.story import StoryStep
from governance.kernel import clock
from governance.kernel.intervals import MINUTE

LENGTH = 31 * MINUTE
CALM_AFTER = (6 * HOUR + 30 * MINUTE, 8 * HOUR)  # after the outage, while its alert resolves
OBJECTIVE = "claims-triage · Availability"


def steps(setting: ReliabilitySetting) -> list[StoryStep]:
    begins = _begins_at(setting)
    declared: list[UUID] = []
    return [
        StoryStep(begins + 12 * MINUTE, lambda: _declare(setting, declared)),
        StoryStep(begins + 4 * HOUR, lambda: _resolve(setting, declared)),
        StoryStep(begins + CALM_AFTER[1], lambda: _calm(setting)),
        StoryStep(begins + 3 * DAY, lambda: _review(setting, declared)),
    ]


def _begins_at(setting: ReliabilitySetting) -> datetime:
    return setting.now - timedelta(days=18, hours=5)


def _declare(setting: ReliabilitySetting, declared: list[UUID]) -> None:
    setting.evaluate()
    alert = setting.alert(OBJECTIVE)
    if alert is None:
        return
    with setting.acting("jun"):
        found = from_alert.declare_from_alert(
            alert,
            "claims-triage rejected every request",
            severity=2,
            summary="A certificate of the claims gateway expired.",
            impact_from=_begins_at(setting),
        )
        actions.add_note(found, "The gateway's certificate expired. Renewing it.")
        clock_actions.record_response(found)
        actions.go_to(found, "identified")
        declared.append(found.id)


def _resolve(setting: ReliabilitySetting, declared: list[UUID]) -> None:
    setting.evaluate()
    for each in declared:
        with setting.acting("jun"):
            incident = queries.incident(each, lock=True)
            actions.go_to(incident, "monitoring")
            incident_steps.end_impact(incident, _begins_at(setting) + LENGTH)
            impact_actions.add_figure(incident, "212", "claims sent to adjusters")
            actions.go_to(incident, "resolved")


def _calm(setting: ReliabilitySetting) -> None:
    """Evaluate every five minutes, which an alert needs to resolve."""
    setting.measure()
    first, last = CALM_AFTER
    for minute in range(first // MINUTE, last // MINUTE + 1, 5):
        with clock.frozen(_begins_at(setting) + minute * MINUTE):
            setting.judge()


def _review(setting: ReliabilitySetting, declared: list[UUID]) -> None:
    setting.evaluate()
    for each in declared:
        with setting.acting("officer"):
            incident = queries.incident(each, lock=True)
            incident_steps.classify(incident)
            review_actions.edit_review(
                incident,
                version=0,
                happened="The claims gateway's certificate expired and no one was told.",
                impact="claims-triage was down for 31 minutes. 212 claims went to adjusters.",
                factors="Certificates were renewed by hand. The reminder went to a former member.",
                went_well="The alert paged within four minutes; adjusters took over at once.",
                to_change="Renew certificates automatically, and alert two weeks before they end.",
            )
            done = review_actions.add_follow_up(
                incident,
                "Renew the gateway's certificate automatically",
                owner_id=setting.acme.id("jun"),
                due_on=clock.today() + timedelta(days=7),
            )
            review_actions.add_follow_up(
                incident,
                "Alert two weeks before any certificate ends",
                owner_id=setting.acme.id("anna"),
                due_on=days_ago(-6),
            )
            review_actions.complete(incident, done, outcome="Renewed by the platform since today.")
            review_actions.close(incident)
