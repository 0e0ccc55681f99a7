"""Today's incident: claims-triage approves claims with a withdrawn clause.

It covers the alert, the incident, the playbook's run, a first update to the customer, and a
second update that awaits approval.
"""

from collections.abc import Iterator
from uuid import UUID

from governance.assurance.incidents import (
    actions,
    from_alert,
    impact_actions,
    queries,
    update_actions,
)
from governance.demo import incident_steps, playbook_story
from governance.demo.reliability_setting import ReliabilitySetting
from governance.demo.story import StoryStep
from governance.foundation.approvals import actions as approvals
from governance.foundation.approvals.kinds import fingerprint_seen
from governance.foundation.approvals.queries import approval
from governance.kernel import clock
from governance.kernel.intervals import MINUTE

OBJECTIVE = "claims-triage · Grounded approvals"
FIGURES = (
    ("231 of 318", "approvals cite a withdrawn clause"),
    ("€0", "paid out: the payment run is at 18:00"),
    ("231", "claims sent to adjusters, 64 reviewed"),
)
FIRST = (
    "Automatic claim approvals are stopped",
    (
        "Some automatic approvals cited a clause that no longer applies. We stopped automatic"
        " approvals. New claims go to adjusters."
    ),
)
SECOND = (
    "Automatic claim approvals are paused",
    (
        "For 28 minutes, 231 automatic approvals cited a policy clause that had been withdrawn. No"
        " payment was made. New claims go to adjusters. We are checking the results of a stricter"
        " setting.\n\nUnknown: whether approvals of the days before are affected."
    ),
)


def steps_before_the_stop(setting: ReliabilitySetting, declared: list[UUID]) -> list[StoryStep]:
    """Return the steps in which the budget burns, the alert fires and the incident is declared."""
    return [
        StoryStep(setting.now - 170 * MINUTE, setting.evaluate),
        StoryStep(setting.now - 62 * MINUTE, setting.evaluate),
        StoryStep(setting.now - 48 * MINUTE, lambda: _declare(setting, declared)),
    ]


def steps_after_the_stop(setting: ReliabilitySetting, declared: list[UUID]) -> Iterator[StoryStep]:
    """Yield the steps after the stop of auto-approve, 42 minutes ago."""
    for incident in declared:
        yield from _response(setting, incident)
    yield StoryStep(setting.now, setting.evaluate)


def _response(setting: ReliabilitySetting, incident: UUID) -> Iterator[StoryStep]:
    now, runs = setting.now, list[UUID]()

    def start_playbook() -> None:
        runs.append(playbook_story.start_run(setting, incident))

    yield StoryStep(now - 41 * MINUTE, start_playbook)
    yield StoryStep(now - 31 * MINUTE, lambda: _find_cause(setting, incident))
    yield StoryStep(now - 24 * MINUTE, lambda: playbook_story.skip_reinsurer(setting, runs[0]))
    yield StoryStep(now - 22 * MINUTE, lambda: _classify(setting, incident))
    yield StoryStep(now - 20 * MINUTE, lambda: _send_update(setting, incident))
    yield StoryStep(now - 12 * MINUTE, lambda: _draft_update(setting, incident))


def _declare(setting: ReliabilitySetting, declared: list[UUID]) -> None:
    alert = setting.alert(OBJECTIVE)
    if alert is None:
        return
    with setting.acting("jun"):
        found = from_alert.declare_from_alert(
            alert,
            "Approvals cite a withdrawn clause",
            severity=2,
            summary="Automatic approvals cite clause 14.3, which was withdrawn.",
            impact_from=setting.now - 70 * MINUTE,
        )
        actions.assign_roles(
            found,
            version=found.version,
            lead_id=setting.acme.id("jun"),
            communications_id=setting.acme.id("officer"),
            scribe_id=setting.acme.id("anna"),
        )
        declared.append(found.id)


def _find_cause(setting: ReliabilitySetting, incident: UUID) -> None:
    with setting.acting("jun"):
        found = queries.incident(incident, lock=True)
        actions.add_note(
            found,
            "Cause found: the index uses data set policy-wordings 12, which lost the “withdrawn”"
            " flag of clause 14.3.",
        )
        actions.go_to(found, "identified")
        incident_steps.end_impact(found, setting.now - 42 * MINUTE)
        for figure, meaning in FIGURES:
            impact_actions.add_figure(found, figure, meaning)


def _classify(setting: ReliabilitySetting, incident: UUID) -> None:
    """Classify the incident as the officer, who gets two days to decide on the AI Act."""
    with setting.acting("officer"):
        undecided = {"ai-act": setting.acme.id("officer")}
        incident_steps.classify(queries.incident(incident), undecided=undecided)


def _send_update(setting: ReliabilitySetting, incident: UUID) -> None:
    with setting.acting("officer"):
        requested = _request_approval(incident, *FIRST)
    with clock.frozen(setting.now - 18 * MINUTE), setting.acting("admin"):
        found = approval(requested)
        approvals.approve(found, seen=fingerprint_seen(found))


def _draft_update(setting: ReliabilitySetting, incident: UUID) -> None:
    with setting.acting("jun"):
        _request_approval(incident, *SECOND)
        actions.go_to(queries.incident(incident, lock=True), "monitoring")


def _request_approval(incident: UUID, title: str, body: str) -> UUID:
    """Draft an update and request its approval. Return the approval's id."""
    found = queries.incident(incident, lock=True)
    update = update_actions.draft(found)
    update_actions.edit(found, update, version=update.version, title=title, body=body)
    return update_actions.request_approval(found, update).id
