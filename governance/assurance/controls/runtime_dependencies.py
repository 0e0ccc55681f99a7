"""Runtime dependencies of a control: facts besides evidence that can lower its status. Pure.

They are kill-switch drills, the policy in force, alerts on service levels, the follow-up of
incidents, and measures of evaluations.

    RuntimeFacts, SwitchFacts, OpenWaiver, OpenProblem    the facts at one instant
    doubts(live, today)                      what lowers the status, with the reason and its object
    doubts_of_misses(misses)                 the same for measures that missed their limit

A failed drill makes a control fail, and so does a measure that missed its limit. It is due without
a passed drill in 90 days, without a published policy, on the most permissive tier, with a waiver
below the platform minimum, with an alert that nobody answered for a day, or with an incident whose
review or follow-up is late. Good facts raise nothing: only evidence does.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Literal
from uuid import UUID

from governance.kernel import formatting

type RestsOn = Literal["drill", "policy", "service_levels", "incidents"]
type ProblemKind = Literal["alert", "review", "follow_up"]
type DoubtKind = Literal["switch", "policy", "waiver", "alert", "incident", "evaluation"]
RESTS_ON: dict[str, str] = {
    "drill": "kill-switch drills",
    "policy": "the policy in force",
    "service_levels": "alerts on service levels",
    "incidents": "the follow-up of incidents",
}
PROBLEMS_OF: dict[str, str] = {
    "service_levels": "No alert is waiting for an answer",
    "incidents": "Every incident is reviewed, and no follow-up is overdue",
}
DRILL_VALID_DAYS = 90  # Days after which a drill is no longer proof.
MOST_PERMISSIVE_TIER = "baseline"


@dataclass(frozen=True, slots=True)
class SwitchFacts:
    """The kill switch of a system or of one feature, with its last finished drill.

    `drilled` is None if there was none. A drill of the entire system proves all features; a drill
    of a feature proves only that feature.
    """

    system_id: UUID
    key: str
    drilled: date | None = None
    passed: bool = False
    feature: str = ""

    @property
    def name(self) -> str:
        return f"{self.feature} of {self.key}" if self.feature else self.key

    def proven(self, today: date) -> bool:
        return (
            self.passed
            and self.drilled is not None
            and (today - self.drilled).days <= DRILL_VALID_DAYS
        )


@dataclass(frozen=True, slots=True)
class OpenWaiver:
    """An open waiver: one setting of one system below the platform minimum."""

    waiver_id: UUID
    system: str
    dimension: str
    until: date


@dataclass(frozen=True, slots=True)
class OpenProblem:
    """A problem with service levels or incidents that was due at `since` and isn't done.

    `target_id` is the alert or the incident, `about` its name.
    """

    kind: ProblemKind
    target_id: UUID
    ref: str
    about: str
    since: date


@dataclass(frozen=True, slots=True)
class OpenMiss:
    """An open finding on a measure that the control depends on.

    Its name is like "Hallucination of Claims triage".
    """

    finding_id: UUID
    ref: str
    about: str
    since: date


@dataclass(frozen=True, slots=True)
class RuntimeFacts:
    """The facts that a control depends on at one instant.

    `version` 0 means that no policy was published and the default applies.
    """

    rests_on: RestsOn
    switches: tuple[SwitchFacts, ...] = ()
    tier: str = ""
    version: int = 0
    since: date | None = None
    waivers: tuple[OpenWaiver, ...] = field(default=())
    problems: tuple[OpenProblem, ...] = field(default=())

    def says(self, today: date) -> str:
        """Return a short text for the list of facts."""
        if self.rests_on in PROBLEMS_OF:
            late = len(self.problems)
            return f"{late} overdue" if late else PROBLEMS_OF[self.rests_on]
        if self.rests_on == "policy":
            return (
                f"Tier {self.tier}, version {self.version} since {_long(self.since)}"
                if self.since
                else "No policy in force"
            )
        proven = sum(switch.proven(today) for switch in self.switches)
        return (
            f"{proven} of {len(self.switches)} kill switches drilled in {DRILL_VALID_DAYS} days"
            if self.switches
            else "No AI systems yet"
        )


@dataclass(frozen=True, slots=True)
class Doubt:
    """A fact that lowers the status. Severity "bad" makes it fail; "warn" makes it due."""

    severity: Literal["bad", "warn"]
    word: str
    fact: str
    consequence: str
    kind: DoubtKind
    ref: str
    target_id: UUID | None


def doubts(live: RuntimeFacts | None, today: date) -> tuple[Doubt, ...]:
    """Return all facts that lower the status, failed drills first."""
    if live is None:
        return ()
    if live.rests_on in PROBLEMS_OF:
        return tuple(map(_of_problem, live.problems))
    found = _of_switches(live.switches, today) if live.rests_on == "drill" else _of_policy(live)
    return tuple(sorted(found, key=lambda doubt: doubt.severity != "bad"))


def _of_switches(switches: Sequence[SwitchFacts], today: date) -> Iterator[Doubt]:
    for s in switches:
        if s.drilled is not None and not s.passed:
            yield Doubt(
                "bad",
                "Drill failed",
                f"The last drill of {s.name} failed on {_long(s.drilled)}.",
                "Some consumers didn't obey the stop. Find out why, then drill again.",
                "switch",
                s.key,
                s.system_id,
            )
        elif not s.proven(today):
            last = (
                f"The last drill passed on {_long(s.drilled)}, more than {DRILL_VALID_DAYS} days"
                " ago."
                if s.drilled
                else "The system as a whole has never been drilled."
            )
            yield Doubt(
                "warn",
                "Drill due",
                f"The kill switch of {s.name} needs a drill.",
                last,
                "switch",
                s.key,
                s.system_id,
            )


def _of_policy(live: RuntimeFacts) -> Iterator[Doubt]:
    if not live.version:
        yield Doubt(
            "warn",
            "No policy in force",
            "No policy has been published.",
            "The default tier applies until you publish one.",
            "policy",
            "policy",
            None,
        )
    elif live.tier.lower() == MOST_PERMISSIVE_TIER:
        yield Doubt(
            "warn",
            "Baseline tier",
            "The tier in force is Baseline, the most permissive one.",
            "It sets few limits. Choose a stricter tier.",
            "policy",
            f"version {live.version}",
            None,
        )
    if live.waivers:
        yield _open_waivers(sorted(live.waivers, key=lambda w: (w.until, w.system, w.dimension)))


def _open_waivers(waivers: Sequence[OpenWaiver]) -> Doubt:
    first = waivers[0]
    if len(waivers) == 1:
        fact = (
            f"A waiver is open until {_long(first.until)}: {first.dimension} of {first.system} is"
            " below the platform minimum."
        )
        return Doubt(
            "warn",
            "Waiver open",
            fact,
            "The platform minimum applies again when the waiver ends.",
            "waiver",
            "waiver",
            first.waiver_id,
        )
    named = ", ".join(f"{w.dimension} of {w.system}" for w in waivers[:3])
    # The sentence names three waivers.
    more = f" and {len(waivers) - 3} more" if len(waivers) > 3 else ""  # noqa: PLR2004
    fact = (
        f"{len(waivers)} waivers are open, the first until {_long(first.until)}: {named}{more} are"
        " below the platform minimum."
    )
    return Doubt(
        "warn",
        "Waivers open",
        fact,
        "The platform minimum applies again when the waivers end.",
        "waiver",
        "waivers",
        None,
    )


def _of_problem(problem: OpenProblem) -> Doubt:
    since = _long(problem.since)
    word, fact, consequence = {
        "alert": (
            "Alert unanswered",
            f"Nobody answered {problem.ref} on {problem.about} within a day.",
            f"It has been due since {since}. Acknowledge it, or declare an incident.",
        ),
        "review": (
            "Review missing",
            f"The review of {problem.ref} ({problem.about}) isn't closed.",
            f"It was due on {since}. Close the review, so that it counts as evidence.",
        ),
        "follow_up": (
            "Follow-up overdue",
            f"An action of {problem.ref} is overdue: {problem.about}.",
            f"It was due on {since}. Finish it, or agree on another date.",
        ),
    }[problem.kind]
    kind: DoubtKind = "alert" if problem.kind == "alert" else "incident"
    return Doubt("warn", word, fact, consequence, kind, problem.ref, problem.target_id)


def doubts_of_misses(misses: Sequence[OpenMiss]) -> tuple[Doubt, ...]:
    """Return a doubt for each finding, oldest first."""
    return tuple(
        Doubt(
            "bad",
            "Evaluation failed",
            f"{miss.about} has missed its limit since {_long(miss.since)}.",
            f"{miss.ref} is open. Repair it, evaluate again, then close the finding.",
            "evaluation",
            miss.ref,
            miss.finding_id,
        )
        for miss in sorted(misses, key=lambda miss: (miss.since, miss.ref))
    )


def _long(when: date | None) -> str:
    return formatting.long_day(when) if when else "no date"
