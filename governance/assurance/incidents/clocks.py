"""The clocks of an incident: what is due, when, and whether it was in time. Pure.

    statutory(facts, regimes, now)   a clock for each notice of each law, and one for each law that
                                     doesn't apply or that nobody has decided on
    support(facts, rule, now)        response and resolution, by the agreement in force
    next_due(clocks)                 the deadline to show first, or None if nothing is due

A statutory period runs around the clock from awareness. A support period runs in the agreement's
business hours without the pauses; the caller counts them (operations/agreements/business_time.py).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from dateutil.relativedelta import relativedelta

from governance.assurance.incidents.statutory_rules import AWARENESS, FIX, Regime, Stage

type ClockState = Literal["met", "late", "running", "missed", "paused", "open", "off", "waiting"]
UNFINISHED: frozenset[ClockState] = frozenset({"running", "missed", "open"})


@dataclass(frozen=True, slots=True)
class Decision:
    """A person's decision about a law. `applies` is None until somebody decides."""

    applies: bool | None = None
    variant: str = ""
    reason: str = ""
    by: str = ""
    at: datetime | None = None
    decider: str = ""
    decide_by: datetime | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """A notice that was sent."""

    at: datetime
    by: str = ""
    recipient: str = ""
    reference: str = ""


@dataclass(frozen=True, slots=True)
class Clock:
    """A clock as shown on the page. `kind` is support or statutory; `key` names it in URLs.

    States: met and late are done; running, missed and open (undecided) are not; paused and waiting
    have no deadline now; off means that the law doesn't apply.
    """

    key: str
    kind: Literal["support", "statutory"]
    name: str
    state: ClockState
    started_at: datetime
    due_at: datetime | None = None
    done_at: datetime | None = None
    text: str = ""
    note: str = ""
    recipient: str = ""
    verb: str = ""  # What to do by then: "resolve", "send the early warning".
    regime: str = ""
    stage: str = ""

    @property
    def is_done(self) -> bool:
        return self.state in {"met", "late"}

    @property
    def is_red(self) -> bool:
        return self.state in {"missed", "late"}


@dataclass(frozen=True, slots=True)
class StatutoryFacts:
    """The facts that statutory clocks depend on.

    `fixed_at` is when a corrective measure was available, or None while that is unknown.
    """

    aware_at: datetime
    fixed_at: datetime | None
    decisions: Mapping[str, Decision]
    sent: Mapping[tuple[str, str], Sent]


def statutory(facts: StatutoryFacts, regimes: Sequence[Regime], now: datetime) -> list[Clock]:
    """Return the clocks of all laws, in the order of the rules."""
    return [clock for each in regimes for clock in _of_regime(facts, each, now)]


def _of_regime(facts: StatutoryFacts, regime: Regime, now: datetime) -> list[Clock]:
    decision = facts.decisions.get(regime.key, Decision())
    first = regime.variant(decision.variant).stages[0]
    if decision.applies is None and facts.aware_at.date() < regime.applies_from:
        return [
            Clock(
                regime.key,
                "statutory",
                regime.name,
                "off",
                facts.aware_at,
                text=f"applies from {regime.applies_from:%-d %b %Y}",
                regime=regime.key,
            )
        ]
    if decision.applies is False:
        return [_not_applicable(facts, regime, decision, first)]
    if decision.applies is None:
        return [_undecided(facts, regime, decision, first, now)]
    stages = regime.variant(decision.variant).stages
    return [_of_stage(facts, regime, stages, each, now) for each in stages]


def _not_applicable(
    facts: StatutoryFacts, regime: Regime, decision: Decision, first: Stage
) -> Clock:
    return Clock(
        regime.key,
        "statutory",
        regime.name,
        "off",
        facts.aware_at,
        text=f"not applicable: {decision.reason}",
        note=f"{first.period}. Decided by {decision.by}",
        regime=regime.key,
    )


def _undecided(
    facts: StatutoryFacts, regime: Regime, decision: Decision, first: Stage, now: datetime
) -> Clock:
    due = after(facts.aware_at, first)
    who = decision.decider or "Nobody"
    return Clock(
        regime.key,
        "statutory",
        regime.name,
        "missed" if due < now else "open",
        facts.aware_at,
        due_at=due,
        text=f"{first.period}, if it applies. "
        + (f"{who} decides" if decision.decider else "Nobody was asked to decide"),
        recipient=decision.decider,
        verb="decide whether it applies",
        regime=regime.key,
    )


def _of_stage(
    facts: StatutoryFacts, regime: Regime, stages: Sequence[Stage], stage: Stage, now: datetime
) -> Clock:
    name = regime.name if len(stages) == 1 else f"{regime.name}: {stage.name.lower()}"
    due = due_at(facts, regime, stages, stage)
    done = facts.sent.get((regime.key, stage.key))
    state: ClockState = "waiting" if due is None else "running" if now <= due else "missed"
    if done is not None:
        state = "late" if due is not None and done.at > due else "met"
    return Clock(
        f"{regime.key}.{stage.key}",
        "statutory",
        name,
        state,
        facts.aware_at,
        due_at=due,
        done_at=done.at if done else None,
        text=_sent_text(done) if done else f"{stage.period}{_start_text(stages, stage)}",
        note=f"{stage.article}, to {regime.recipient}",
        recipient=regime.recipient,
        verb=f"send the {stage.name.lower()}",
        regime=regime.key,
        stage=stage.key,
    )


def _sent_text(done: Sent) -> str:
    reference = f", reference {done.reference}" if done.reference else ""
    return f"sent to {done.recipient}{reference}"


def _start_text(stages: Sequence[Stage], stage: Stage) -> str:
    if stage.start == FIX:
        return " after a fix is available"
    if stage.start == AWARENESS:
        return ""
    earlier = next(each for each in stages if each.key == stage.start)
    return f" after the {earlier.name.lower()}"


def due_at(
    facts: StatutoryFacts, regime: Regime, stages: Sequence[Stage], stage: Stage
) -> datetime | None:
    """Return when a notice is due, or None while its period hasn't started.

    A period that follows another notice runs from when that notice was sent, or from its deadline
    until then.
    """
    if stage.start == AWARENESS:
        return after(facts.aware_at, stage)
    if stage.start == FIX:
        return after(facts.fixed_at, stage) if facts.fixed_at is not None else None
    earlier = next(each for each in stages if each.key == stage.start)
    sent = facts.sent.get((regime.key, earlier.key))
    start = sent.at if sent else due_at(facts, regime, stages, earlier)
    return after(start, stage) if start is not None else None


def after(start: datetime, stage: Stage) -> datetime:
    """Return the end of a stage's period. Months end on the same day, or on the month's last day."""
    moment = start.astimezone(UTC)
    if stage.months:
        moved: datetime = moment + relativedelta(months=stage.months)
        return moved
    return moment + timedelta(hours=stage.hours, days=stage.days)


# ---- support


@dataclass(frozen=True, slots=True)
class SupportRule:
    """An agreement's terms for a severity, with deadlines counted in business time.

    `resolution_due` is None if the agreement has no resolution time. `terms` reads like "AGR-2,
    SEV2, business hours".
    """

    response: str  # For example "1 h".
    response_due: datetime
    resolution: str
    resolution_due: datetime | None
    terms: str


@dataclass(frozen=True, slots=True)
class SupportFacts:
    started_at: datetime
    responded_at: datetime | None
    resolved_at: datetime | None
    is_paused: bool = False


def support(facts: SupportFacts, rule: SupportRule, now: datetime) -> list[Clock]:
    """Return the response and resolution clocks that the agreement has.

    An incident resolved before any response counts as responded to at that time.
    """
    found = [
        _support_clock(
            "response",
            f"Support response, {rule.response}",
            facts,
            rule.response_due,
            facts.responded_at or facts.resolved_at,
            rule.terms,
            now,
        )
    ]
    if rule.resolution_due is not None:
        found.append(
            _support_clock(
                "resolution",
                f"Resolution, {rule.resolution}",
                facts,
                rule.resolution_due,
                facts.resolved_at,
                rule.terms,
                now,
            )
        )
    return found


VERBS = {"response": "respond", "resolution": "resolve"}


def _support_clock(
    key: str,
    name: str,
    facts: SupportFacts,
    due: datetime,
    done: datetime | None,
    terms: str,
    now: datetime,
) -> Clock:
    paused = facts.is_paused and key == "resolution"
    state: ClockState = "paused" if paused else "running" if now <= due else "missed"
    if done is not None:
        state = "met" if done <= due else "late"
    return Clock(
        key,
        "support",
        name,
        state,
        facts.started_at,
        due_at=None if state == "paused" else due,
        done_at=done,
        note=terms + (". Paused" if paused else ""),
        recipient="the customer",
        verb=VERBS[key],
    )


# ---- all of them


def next_due(clocks: Iterable[Clock]) -> Clock | None:
    """Return the most urgent clock: a missed one, or else the nearest deadline."""
    waiting = [each for each in clocks if each.state in UNFINISHED and each.due_at is not None]
    return min(waiting, key=lambda each: (each.due_at or each.started_at, each.key), default=None)


def open_clocks(clocks: Iterable[Clock]) -> list[Clock]:
    """Return the statutory clocks that keep an incident from being closed."""
    return [
        each
        for each in clocks
        if each.kind == "statutory" and each.state in {"running", "missed", "open", "waiting"}
    ]


def duration_text(length: timedelta) -> str:
    """Return "22 min", "6 h 26 min" or "3 days 4 h": two units, rounded down."""
    minutes = max(0, int(length.total_seconds() // 60))
    days, hours, rest = minutes // 1440, minutes % 1440 // 60, minutes % 60
    if days:
        named = "1 day" if days == 1 else f"{days} days"
        return f"{named} {hours} h" if hours else named
    if hours:
        return f"{hours} h {rest} min" if rest else f"{hours} h"
    return f"{rest} min"
