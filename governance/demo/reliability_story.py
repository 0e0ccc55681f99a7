"""Acme's service levels: objectives, an agreement, a month that closed with a credit and was revised,
two incidents, and the alert that fires today.

steps(…)    what happens when, in order of time; each opens its own transactions
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from governance.assurance.incidents import (
    actions as incidents,
)
from governance.assurance.incidents import (
    clock_actions,
    contact_actions,
    from_alert,
    impact_actions,
    review_actions,
    update_actions,
)
from governance.assurance.incidents import queries as incident_queries
from governance.assurance.playbooks import actions as playbooks
from governance.assurance.playbooks import queries as playbook_queries
from governance.assurance.playbooks import run_actions
from governance.assurance.playbooks.steps import PlaybookStep
from governance.demo import agreement_story, reliability_indicators
from governance.demo.cast import Cast, days_ago, system_actor
from governance.demo.reliability_indicators import late_rows
from governance.foundation.approvals import actions as approvals
from governance.foundation.approvals.kinds import fingerprint_seen
from governance.foundation.approvals.queries import approval
from governance.kernel import clock, current
from governance.kernel.current import Actor
from governance.kernel.db import transaction
from governance.kernel.intervals import MINUTE, Span
from governance.kernel.months import Month, ZonePeriod, month_span
from governance.operations.alerts import evaluation
from governance.operations.alerts import queries as alert_queries
from governance.operations.maintenance import actions as maintenance
from governance.operations.maintenance.exclusion_plan import Plan
from governance.operations.measurements import actions as measurements
from governance.operations.objectives import queries as objectives
from governance.operations.systems import queries as systems

ZONE = "Europe/Berlin"
CLOSE_DAY = 3
DAY = timedelta(days=1)
DISPUTED_AFTER = timedelta(days=9)  # of the close
CLAIM_LEFT = timedelta(days=12)  # until the claim on the vendor has to be sent
CALM_AFTER = (timedelta(hours=6, minutes=30), timedelta(hours=8))  # of the outage: it resolves
LATE_AFTER = timedelta(days=3)  # of the close: the missing minutes arrive
UNGROUNDED = (
    PlaybookStep("Stop the feature", kind="stop", target="claims-triage/auto-approve"),
    PlaybookStep("Hold payments of affected claims", "The payment run is at 18:00."),
    PlaybookStep("Find the affected decisions", "Filter by release and by the clause they cite."),
    PlaybookStep(
        "Tighten the policy",
        "Sources only, until the fix is verified.",
        kind="tighten",
        target="strict",
    ),
    PlaybookStep("Notify the reinsurer", "Only if a payment was made."),
    PlaybookStep("Draft the customer update", "From the incident's page."),
    PlaybookStep("Re-run the evaluation", "Suite claims-grounding, on the release in use."),
)
OUTAGE = (
    PlaybookStep(
        "Check the model provider's status page", kind="link", target="https://status.helio.example"
    ),
    PlaybookStep("Switch to the second region"),
    PlaybookStep(
        "Tell the leads", "claims-triage is down. We are switching regions.", "notify", "leads"
    ),
)


@dataclass(frozen=True, slots=True)
class StoryStep:
    """What is done at an instant."""

    at: datetime
    act: Callable[[], None]

    def play(self) -> None:
        with clock.frozen(self.at):
            self.act()


@dataclass(slots=True)
class ReliabilityStory:
    """The people, the month of the statement, and what the steps made so far."""

    acme: Cast
    now: datetime
    month: Month = field(init=False)
    closed: Span = field(init=False)
    closes_at: datetime = field(init=False)
    ids: dict[str, UUID] = field(default_factory=dict)
    stored: datetime | None = None

    def __post_init__(self) -> None:
        self.now = self.now.replace(second=0, microsecond=0)
        zones = [ZonePeriod(datetime(2000, 1, 1, tzinfo=UTC), ZONE)]
        month = Month(self.now.year, self.now.month).plus(-1)
        if self.now.day <= CLOSE_DAY + LATE_AFTER.days + 1:
            month = month.plus(-1)
        after = month.plus(1)
        self.month, self.closed = month, month_span(zones, month)
        self.closes_at = datetime(
            after.year, after.number, CLOSE_DAY, 6, 4, tzinfo=ZoneInfo(ZONE)
        ).astimezone(UTC)

    def steps(self) -> list[StoryStep]:
        """Everything up to the stop of today, in order of time."""
        begin = self.closed.start - timedelta(days=7)
        outage = self._outage()
        found = [
            StoryStep(begin, self._define),
            StoryStep(begin + timedelta(days=1), self._write_playbooks),
            StoryStep(begin + timedelta(days=2), self._agree),
            StoryStep(begin + timedelta(days=3), self._announce_maintenance),
            StoryStep(self.closes_at, self._close),
            StoryStep(self.closes_at + LATE_AFTER, self._revise),
            StoryStep(min(self.closes_at + DISPUTED_AFTER, self.now - DAY), self._dispute),
            StoryStep(outage + 12 * MINUTE, self._outage_begins),
            StoryStep(outage + 4 * timedelta(hours=1), self._outage_ends),
            StoryStep(outage + CALM_AFTER[1], self._outage_calms),
            StoryStep(outage + timedelta(days=3), self._review_outage),
            StoryStep(self.now - timedelta(days=2), self._plan_maintenance),
            StoryStep(self.now - 170 * MINUTE, self._spend_too_fast),
            StoryStep(self.now - 62 * MINUTE, self._ground_lost),
            StoryStep(self.now - 48 * MINUTE, self._declare),
        ]
        return sorted(found, key=lambda step: step.at)

    def after_the_stop(self) -> Iterator[StoryStep]:
        """What follows the stop of auto-approve, 42 minutes ago."""
        yield StoryStep(self.now - 41 * MINUTE, self._run_playbook)
        yield StoryStep(self.now - 12 * MINUTE, self._draft_update)
        yield StoryStep(self.now, self._catch_up)

    # ---- before

    def _define(self) -> None:
        with self._as("officer"):
            people = {part: self.acme.id(part) for part in ("jun", "anna")}
            self.ids = reliability_indicators.define(people)
        self._measure(clock.now())

    def _measure(self, until: datetime) -> None:
        """Store what was measured since the last time."""
        with self._as("officer"):
            reliability_indicators.store_minutes(
                self.ids, self.stored, until, self.now, self.closed
            )
        self.stored = until

    def _write_playbooks(self) -> None:
        with self._as("officer"):
            playbooks.create(
                title="Ungrounded output",
                used_for="Answers or approvals cite sources that don't support them.",
                steps=UNGROUNDED,
                owner_id=self.acme.id("jun"),
                drill_every_days=91,
            )
            playbooks.create(
                title="Outage of a model provider",
                used_for="Every call to a provider's model fails or times out.",
                steps=OUTAGE,
                owner_id=self.acme.id("anna"),
                drill_every_days=182,
            )
            contact_actions.add_contact("Bea Winter", "bea.winter@acme-claims.example")

    def _agree(self) -> None:
        console = Cast("console", self.acme.issuer.removesuffix("acme") + "console")
        with self._as("officer"):
            ids = {each.name: each.id for each in objectives.active_objectives()}
        agreement_story.promise(self.acme, console("operator"), ids, self.closed)
        due = (self.now + CLAIM_LEFT).date() - self.closed.end.astimezone(ZoneInfo(ZONE)).date()
        agreement_story.vendor_promise(
            console("operator"), console("noor"), self.closed.start, due.days
        )

    def _announce_maintenance(self) -> None:
        with self._as("jun"):
            for day, hour in ((3, 2), (17, 2)):
                start = self.closed.start + timedelta(days=day, hours=hour)
                maintenance.announce(
                    Plan(
                        title="Database upgrade of claims-triage",
                        category="maintenance",
                        starts_at=start,
                        ends_at=start + timedelta(hours=2),
                        reason="Security updates of the claims database.",
                        system_id=self._system("claims-triage"),
                    )
                )

    def _plan_maintenance(self) -> None:
        local = self.now.astimezone(ZoneInfo(ZONE))
        sunday = local + timedelta(days=(6 - local.weekday()) % 7 or 7)
        start = sunday.replace(hour=2, minute=0, second=0, microsecond=0).astimezone(UTC)
        if start < self.now + timedelta(days=1):
            start += timedelta(days=7)
        with self._as("jun"):
            maintenance.announce(
                Plan(
                    title="Failover exercise of claims-triage",
                    category="maintenance",
                    starts_at=start,
                    ends_at=start + timedelta(hours=2),
                    reason="Half-yearly exercise of the second region.",
                    system_id=self._system("claims-triage"),
                )
            )

    def _close(self) -> None:
        self._measure(clock.now())
        agreement_story.close_month()

    def _revise(self) -> None:
        with self._as("officer"):
            rows = (
                (self.ids["claims-triage-availability"], at, good, total)
                for at, good, total in late_rows(self.closed)
            )
            measurements.store(
                rows, backfill_reason="The Frankfurt collector had kept these minutes on disk."
            )
        agreement_story.close_month()

    def _dispute(self) -> None:
        with self._as("officer"):
            agreement_story.dispute_first_exclusion(
                "The upgrade began 20 minutes before the announced window, so its minutes should"
                " count."
            )

    # ---- an outage that is over

    def _outage(self) -> datetime:
        """When claims-triage was down for 31 minutes: 18 days ago, or in the months before."""
        return self.now - timedelta(days=18, hours=5)

    def _outage_begins(self) -> None:
        self._measure(clock.now() - MINUTE)
        self._evaluate()
        alert = self._alert("claims-triage · Availability")
        if alert is None:
            return
        with self._as("jun"):
            found = from_alert.declare_from_alert(
                alert,
                "claims-triage rejected every request",
                severity=2,
                summary="A certificate of the claims gateway expired.",
                impact_from=self._outage(),
            )
            incidents.add_note(found, "The gateway's certificate expired. Renewing it.")
            clock_actions.record_response(found)
            incidents.go_to(found, "identified")

    def _outage_ends(self) -> None:
        self._measure(clock.now() - MINUTE)
        self._evaluate()
        found = self._open_incident()
        if found is None:
            return
        with self._as("jun"):
            incident = incident_queries.incident(found, lock=True)
            incidents.go_to(incident, "monitoring")
            window = incident_queries.impacts_of([incident.id])[incident.id][0].impact
            impact_actions.change_window(
                incident,
                window,
                starts_at=window.starts_at,
                ends_at=self._outage() + 31 * MINUTE,
            )
            impact_actions.add_figure(incident, "212", "claims sent to adjusters")
            incidents.go_to(incident, "resolved")

    def _outage_calms(self) -> None:
        """Evaluate every five minutes, as often as an alert that resolves needs it."""
        self._measure(clock.now() - MINUTE)
        first, last = CALM_AFTER
        for minute in range(first // MINUTE, last // MINUTE + 1, 5):
            with self._at(self._outage() + minute * MINUTE):
                self._evaluate()

    def _review_outage(self) -> None:
        found = self._open_incident()
        if found is None:
            return
        self._measure(clock.now() - MINUTE)
        self._evaluate()
        with self._as("officer"):
            incident = incident_queries.incident(found, lock=True)
            self._classify(incident, applies=())
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
                owner_id=self.acme.id("jun"),
                due_on=clock.today() + timedelta(days=7),
            )
            review_actions.add_follow_up(
                incident,
                "Alert two weeks before any certificate ends",
                owner_id=self.acme.id("anna"),
                due_on=days_ago(-6),
            )
            review_actions.complete(incident, done, outcome="Renewed by the platform since today.")
            review_actions.close(incident)

    # ---- today

    def _spend_too_fast(self) -> None:
        self._measure(clock.now() - MINUTE)
        self._evaluate()

    def _ground_lost(self) -> None:
        self._measure(clock.now() - MINUTE)
        self._evaluate()

    def _declare(self) -> None:
        alert = self._alert("claims-triage · Grounded approvals")
        if alert is None:
            return
        with self._as("jun"):
            found = from_alert.declare_from_alert(
                alert,
                "Approvals cite a withdrawn clause",
                severity=2,
                summary="Automatic approvals cite clause 14.3, which was withdrawn.",
                impact_from=self.now - 70 * MINUTE,
            )
            incidents.assign_roles(
                found,
                version=found.version,
                lead_id=self.acme.id("jun"),
                communications_id=self.acme.id("officer"),
                scribe_id=self.acme.id("anna"),
            )

    def _run_playbook(self) -> None:
        incident = self._open_incident()
        if incident is None:
            return
        with self._as("jun"):
            found = incident_queries.incident(incident)
            book = next(
                each for each in playbook_queries.live_playbooks() if "Ungrounded" in each.title
            )
            run = run_actions.start_run(
                playbook_queries.present_version(book).id,
                incident_id=found.id,
                incident_ref=found.ref,
            ).id
        for minutes, part, number, note in (
            (40, "admin", 1, ""),
            (36, "jun", 2, "231 payments are on hold until a person releases them."),
            (31, "jun", 3, "231 of 318 approvals cite the clause."),
        ):
            with self._at(self.now - minutes * MINUTE), self._as(part):
                run_actions.do_step(playbook_queries.run(run, lock=True), number, note=note)
        with self._at(self.now - 31 * MINUTE), self._as("jun"):
            of = incident_queries.incident(incident, lock=True)
            incidents.add_note(
                of,
                "Cause found: the index uses data set policy-wordings 12, which lost the"
                " “withdrawn” flag of clause 14.3.",
            )
            incidents.go_to(of, "identified")
            window = incident_queries.impacts_of([incident])[incident][0].impact
            impact_actions.change_window(
                of,
                window,
                starts_at=window.starts_at,
                ends_at=self.now - 42 * MINUTE,
            )
            for figure, meaning in (
                ("231 of 318", "approvals cite a withdrawn clause"),
                ("€0", "paid out: the payment run is at 18:00"),
                ("231", "claims sent to adjusters, 64 reviewed"),
            ):
                impact_actions.add_figure(of, figure, meaning)
        with self._at(self.now - 24 * MINUTE), self._as("jun"):
            run_actions.skip_step(
                playbook_queries.run(run, lock=True), 5, reason="no payment was made"
            )
        with self._at(self.now - 22 * MINUTE), self._as("officer"):
            self._classify(incident_queries.incident(incident), applies=None)

    def _draft_update(self) -> None:
        found = self._open_incident()
        if found is None:
            return
        with self._at(self.now - 20 * MINUTE), self._as("officer"):
            incident = incident_queries.incident(found, lock=True)
            first = update_actions.draft(incident)
            update_actions.edit(
                incident,
                first,
                version=first.version,
                title="Automatic claim approvals are stopped",
                body="Some automatic approvals cited a clause that no longer applies. We stopped"
                " automatic approvals. New claims go to adjusters.",
            )
            requested = update_actions.request_approval(incident, first).id
        with self._at(self.now - 18 * MINUTE), self._as("admin"):
            self._approve(requested)
        with self._as("jun"):
            incident = incident_queries.incident(found, lock=True)
            second = update_actions.draft(incident)
            update_actions.edit(
                incident,
                second,
                version=second.version,
                title="Automatic claim approvals are paused",
                body="For 28 minutes, 231 automatic approvals cited a policy clause that had been"
                " withdrawn. No payment was made. New claims go to adjusters. We are checking the"
                " results of a stricter setting.\n\nUnknown: whether approvals of the days before"
                " are affected.",
            )
            update_actions.request_approval(incident, second)
            incidents.go_to(incident, "monitoring")

    def _catch_up(self) -> None:
        self._measure(self.now - MINUTE)
        self._evaluate()

    # ---- what several steps share

    def _classify(self, incident: Any, *, applies: tuple[str, ...] | None) -> None:
        """Nothing applies, with the reason; None leaves the AI Act to be decided."""
        reasons = {
            "gdpr": "No personal data left the system.",
            "nis2": "Acme isn't an essential or important entity.",
            "cra": "The product is outside its scope.",
            "ai-act": "Nobody was harmed, and no fundamental right was infringed.",
        }
        for regime, reason in reasons.items():
            if applies is None and regime == "ai-act":
                clock_actions.assign_decider(
                    incident,
                    regime,
                    decider_id=self.acme.id("officer"),
                    decide_by=clock.now() + timedelta(days=2),
                )
            else:
                clock_actions.classify(incident, regime, applies=False, reason=reason)

    def _approve(self, approval_id: UUID) -> None:
        found = approval(approval_id)
        approvals.approve(found, seen=fingerprint_seen(found))

    def _evaluate(self) -> None:
        with self._as_meridian():
            evaluation.evaluate()

    def _alert(self, objective: str) -> UUID | None:
        with self._as("jun"):
            return next(
                (
                    each.id
                    for each in alert_queries.open_alerts()
                    if alert_queries.objective_name(each) == objective
                ),
                None,
            )

    def _open_incident(self) -> UUID | None:
        with self._as("jun"):
            return next((each.id for each in incident_queries.open_incidents()), None)

    def _system(self, key: str) -> UUID:
        return systems.system(key).id

    def _as(self, part: str) -> Any:
        return _acting(self.acme(part))

    def _as_meridian(self) -> Any:
        return _acting(system_actor("acme"))

    def _at(self, at: datetime) -> Any:
        return clock.frozen(at)


@contextmanager
def _acting(who: Actor) -> Iterator[None]:
    with current.acting_as(who), transaction():
        yield
