"""The incident of the closed month: claims-triage and its collector failed in Frankfurt.

Its minutes arrive after the close, so the first revision of the statement doesn't count them.
"""

from datetime import timedelta
from uuid import UUID

from governance.assurance.incidents import (
    actions,
    clock_actions,
    queries,
    review_actions,
)
from governance.demo import incident_steps
from governance.demo.reliability_indicators import LATE_MINUTES, late_start
from governance.demo.reliability_setting import DAY, HOUR, ReliabilitySetting, system_id
from governance.demo.story import StoryStep
from governance.kernel import clock
from governance.kernel.intervals import MINUTE


def steps(setting: ReliabilitySetting) -> list[StoryStep]:
    begins = late_start(setting.closed)
    declared: list[UUID] = []
    return [
        StoryStep(begins + 25 * MINUTE, lambda: _declare(setting, declared)),
        StoryStep(begins + 5 * HOUR, lambda: _resolve(setting, declared)),
        StoryStep(begins + 4 * DAY, lambda: _review(setting, declared)),
    ]


def _declare(setting: ReliabilitySetting, declared: list[UUID]) -> None:
    with setting.acting("jun"):
        found = actions.declare(
            "claims-triage failed for a third of the time in Frankfurt",
            severity=2,
            summary="A switch in the Frankfurt data centre dropped connections.",
            systems=[system_id("claims-triage")],
            impact_from=late_start(setting.closed),
        )
        actions.add_note(found, "The collector in Frankfurt is cut off too: no minutes arrive.")
        clock_actions.record_response(found)
        actions.go_to(found, "identified")
        declared.append(found.id)


def _resolve(setting: ReliabilitySetting, declared: list[UUID]) -> None:
    for each in declared:
        with setting.acting("jun"):
            incident = queries.incident(each, lock=True)
            end = late_start(setting.closed) + LATE_MINUTES * MINUTE
            incident_steps.end_impact(incident, end)
            actions.go_to(incident, "monitoring")
            actions.go_to(incident, "resolved")


def _review(setting: ReliabilitySetting, declared: list[UUID]) -> None:
    for each in declared:
        with setting.acting("officer"):
            incident = queries.incident(each, lock=True)
            incident_steps.classify(incident)
            review_actions.edit_review(
                incident,
                version=0,
                happened="A switch failed slowly, and its spare didn't take over.",
                impact="claims-triage failed in 65 of 204 minutes. Adjusters repeated their work.",
                factors="The spare was tested when it was installed, and never again.",
                went_well="Adjusters called within 20 minutes.",
                to_change="Test the spare each quarter, and keep minutes on a second collector.",
            )
            done = review_actions.add_follow_up(
                incident,
                "Fetch the minutes that the Frankfurt collector kept on disk",
                owner_id=setting.acme.id("jun"),
                due_on=clock.today() + timedelta(days=30),
            )
            review_actions.complete(incident, done, outcome="Its disk is readable.")
            review_actions.close(incident)
