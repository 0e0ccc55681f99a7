"""An incident 41 hours ago: an answer quoted another policyholder's letter.

It is resolved, but the data protection authority must be notified within 72 hours.
"""

from datetime import timedelta
from uuid import UUID

from governance.assurance.incidents import actions, clock_actions, impact_actions, queries
from governance.demo import incident_steps
from governance.demo.reliability_setting import HOUR, ReliabilitySetting, system_id
from governance.demo.story import StoryStep
from governance.kernel.intervals import MINUTE

NOTICED = timedelta(hours=41)  # ago


def steps(setting: ReliabilitySetting) -> list[StoryStep]:
    noticed = setting.now - NOTICED
    declared: list[UUID] = []
    return [
        StoryStep(noticed, lambda: _declare(setting, declared)),
        StoryStep(noticed + 50 * MINUTE, lambda: _identify(setting, declared[0])),
        StoryStep(noticed + 5 * HOUR, lambda: _resolve(setting, declared[0])),
        StoryStep(noticed + 7 * HOUR, lambda: _classify(setting, declared[0])),
    ]


def _declare(setting: ReliabilitySetting, declared: list[UUID]) -> None:
    with setting.acting("jun"):
        found = actions.declare(
            "An answer quoted another policyholder's letter",
            severity=3,
            summary="A policyholder reported that the assistant quoted a letter that isn't theirs.",
            systems=[system_id("support-assistant")],
            impact_from=setting.now - NOTICED - 3 * HOUR,
        )
        clock_actions.record_response(found)
        declared.append(found.id)


def _identify(setting: ReliabilitySetting, declared: UUID) -> None:
    with setting.acting("jun"):
        incident = queries.incident(declared, lock=True)
        actions.add_note(
            incident,
            "Two policyholders share a name, and the search for letters matched by name. It matches"
            " by policy number now.",
        )
        impact_actions.add_figure(incident, "1", "letter shown to another policyholder")
        actions.go_to(incident, "identified")


def _resolve(setting: ReliabilitySetting, declared: UUID) -> None:
    with setting.acting("jun"):
        incident = queries.incident(declared, lock=True)
        actions.go_to(incident, "monitoring")
        incident_steps.end_impact(incident, setting.now - NOTICED + 40 * MINUTE)
        actions.go_to(incident, "resolved")


def _classify(setting: ReliabilitySetting, declared: UUID) -> None:
    with setting.acting("officer"):
        incident_steps.classify(queries.incident(declared), applies="gdpr")
