"""Acme's service levels: objectives, agreements, a closed month, incidents and alerts.

The month closed with a credit and was revised. There are three incidents, and an alert that
fires today.

    ReliabilityStory.steps()             everything up to the stop of today, in order of time
    ReliabilityStory.after_the_stop()    everything after it

Each chapter has its own module. Their shared state is in reliability_setting.py.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from governance.assurance.incidents import contact_actions
from governance.demo import (
    agreement_story,
    connections_story,
    data_set_story,
    disclosure_story,
    frankfurt_story,
    grounding_story,
    maintenance_story,
    outage_story,
    playbook_story,
    reliability_indicators,
    vendor_story,
)
from governance.demo.cast import Cast
from governance.demo.reliability_setting import (
    DAY,
    LATE_AFTER,
    ZONE,
    ReliabilitySetting,
)
from governance.demo.story import StoryStep
from governance.kernel import clock
from governance.operations.measurements import actions as measurements
from governance.operations.objectives import queries as objectives

DISPUTED_AFTER = 9 * DAY  # after the close
CLAIM_LEFT = 12 * DAY  # until the claim on the model provider must be sent


class ReliabilityStory:
    """The chapters of the story, in order of time."""

    def __init__(self, acme: Cast, now: datetime, services: str) -> None:
        self._setting = ReliabilitySetting(acme, now, services)
        self._declared: list[UUID] = []  # today's incident

    def steps(self) -> list[StoryStep]:
        """Return everything up to the stop of today, in order of time."""
        setting = self._setting
        begin, now = setting.closed.start - timedelta(days=7), setting.now
        found = [
            StoryStep(begin, self._define),
            StoryStep(begin + DAY, self._write_playbooks),
            StoryStep(begin + 2 * DAY, self._agree),
            StoryStep(setting.closes_at, self._close),
            StoryStep(setting.closes_at + LATE_AFTER, self._revise),
            StoryStep(min(setting.closes_at + DISPUTED_AFTER, now - DAY), self._dispute),
            StoryStep(now - 23 * DAY / 24, self._draft_agreements),
            StoryStep(now - 22 * DAY / 24, self._claim),
            *data_set_story.steps(setting),
            *maintenance_story.steps(setting),
            *connections_story.steps(setting),
            *frankfurt_story.steps(setting),
            *outage_story.steps(setting),
            *disclosure_story.steps(setting),
            *grounding_story.steps_before_the_stop(setting, self._declared),
        ]
        return [_delivered(step) for step in sorted(found, key=lambda step: step.at)]

    def after_the_stop(self) -> Iterator[StoryStep]:
        """Return the steps after the stop of auto-approve."""
        yield from map(
            _delivered, grounding_story.steps_after_the_stop(self._setting, self._declared)
        )

    def measure(self) -> None:
        """Store the minutes since the last call."""
        self._setting.measure()

    def _define(self) -> None:
        setting = self._setting
        with setting.acting("officer"):
            people = {part: setting.acme.id(part) for part in ("jun", "anna")}
            setting.ids = reliability_indicators.define(people)
        setting.measure()

    def _write_playbooks(self) -> None:
        playbook_story.write_playbooks(self._setting)
        with self._setting.acting("officer"):
            contact_actions.add_contact("Bea Winter", "bea.winter@acme-claims.example")

    def _agree(self) -> None:
        setting = self._setting
        agreement_story.promise(
            setting.acme, setting.console("operator"), self._objectives(), setting.closed
        )
        closed_on = setting.closed.end.astimezone(ZoneInfo(ZONE)).date()
        due = (setting.now + CLAIM_LEFT).date() - closed_on
        vendor_story.agree(setting.console, setting.closed.start, due.days)

    def _objectives(self) -> dict[str, UUID]:
        with self._setting.acting("officer"):
            return {each.name: each.id for each in objectives.active_objectives()}

    def _close(self) -> None:
        self._setting.measure()
        agreement_story.close_month()

    def _revise(self) -> None:
        setting = self._setting
        with setting.acting("officer"):
            rows = (
                (setting.ids["claims-triage-availability"], at, good, total)
                for at, good, total in reliability_indicators.late_rows(setting.closed)
            )
            measurements.store(
                rows, backfill_reason="The Frankfurt collector had kept these minutes on disk."
            )
        agreement_story.close_month()

    def _dispute(self) -> None:
        with self._setting.acting("officer"):
            agreement_story.dispute_first_exclusion(
                "The upgrade began 20 minutes before the announced window, so its minutes should"
                " count."
            )

    def _draft_agreements(self) -> None:
        setting = self._setting
        agreement_story.draft_both_sides(
            setting.acme, setting.console("operator"), self._objectives(), clock.now()
        )

    def _claim(self) -> None:
        vendor_story.prepare_claim(self._setting.console("operator"))


def _delivered(step: StoryStep) -> StoryStep:
    """Return the step, which first sends the webhooks that are due before it."""

    def act() -> None:
        connections_story.deliver_until(step.at)
        step.act()

    return StoryStep(step.at, act)
