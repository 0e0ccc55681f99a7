"""Acme Insurance: controls adopted in four waves, evidence by cadence, tests by hand."""

import io
import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from governance.assurance.controls import actions as controls
from governance.assurance.controls import adoption_actions, control_test_actions, starter_pack
from governance.assurance.controls import queries as control_queries
from governance.assurance.evidence import actions as evidencing
from governance.assurance.evidence import queries as shelf
from governance.assurance.evidence import review_queue, version_actions
from governance.assurance.evidence.models import Evidence, EvidenceVersion
from governance.assurance.frameworks import actions as adopting
from governance.demo import (
    change_log_story,
    collected_evidence,
    decision_history,
    discussion_story,
    documents_story,
    evaluation_story,
    halted_rollout_story,
    intake_story,
    lookup_repair_story,
    machine_keys,
    model_card_story,
    policy_history,
    red_team_story,
    register_story,
    risk_story,
    soc2_engagement,
    stops_and_drills,
)
from governance.demo import type2_tests as type_two
from governance.demo.acme_assessments import CONCLUDED, assessment_events
from governance.demo.acme_privacy import TOBIAS_LEFT, privacy_events
from governance.demo.cast import (
    DRILLED,
    MONTHS,
    SEED,
    Cast,
    acting_on,
    days_ago,
    play,
    system_actor,
)
from governance.demo.evidence_files import evidence_file
from governance.demo.reliability_story import ReliabilityStory
from governance.demo.story import StoryEvent, StoryStep
from governance.kernel import clock, current
from governance.kernel.data.db import find, transaction
from governance.operations.systems import actions as registering

# Exceptions of the story. Every control in none of these sets has accepted evidence, or is
# effective once it is tested.
LATE = {"SEC-04", "TRA-01"}


NOT_ADOPTED = {"ENV-01"}


NO_EVIDENCE = {"MON-07"}


PENDING_REVIEW = {"EVA-03", "VEN-01"}


STARTED_LATELY = {"HUM-01", "RES-01", "INC-02", "RSK-04", "DAT-02", "MON-04", "GOV-02", "HR-02"}


UNTESTED = {
    "GOV-02",
    "RSK-01",
    "RSK-04",
    "RSK-05",
    "INV-02",
    "HUM-01",
    "HR-02",
    "SEC-08",
    "RES-01",
    "DAT-02",
    "EVA-02",
    "EVA-04",
    "EVA-05",
    "MON-02",
    "MON-03",
    "MON-04",
    "VEN-03",
    "LOG-01",
    "INC-02",
    "PUB-02",
    "ROL-02",
    "GOV-04",
}


# By default a control is tested once its newest evidence is accepted, and its conclusion follows.
# These three sets are the exceptions to that order.
TESTED_EARLY = {"EVA-06"}  # before its evidence was accepted


ACCEPTED_LATE = {"EVA-04"}  # after the conclusion


TESTED_LATE = {"INV-01"}  # after the conclusion


TESTED_BY_SAMPLES = {"CHG-02", "LOG-01", "SEC-09", "OPS-06"}  # by type2_tests.py, 18 days ago


BEFORE_SAMPLES = 22  # days ago


DAYS_OF_CADENCE = {"monthly": 30, "quarterly": 91, "half-yearly": 182, "yearly": 365}


CADENCE_OF_EVIDENCE = {
    "daily": "monthly",
    "weekly": "monthly",
    "per release": "quarterly",
    "per change": "quarterly",
}


TITLES = Counter(title for control in starter_pack.pack() for title in control.evidence)


def found_acme(cast: Cast) -> dict[str, Any]:
    """Create what exists on the first day, and return the keys of Acme's machines.

    This adopts the frameworks and registers the AI systems with their features.
    """
    with acting_on(cast("admin"), days_ago(MONTHS * 30 + 15)), transaction():
        for key in (
            "nist-ai-rmf-1.0",
            "nist-ai-600-1",
            "owasp-llm-2025",
            "owasp-llm-2026",
            "soc2-tsc-2017",
        ):
            adopting.adopt_framework(key)
        for key, name, lane, purpose, owner in (
            (
                "support-assistant",
                "Support assistant",
                "standard",
                "Answers policyholders' questions and transfers them to a person.",
                "anna",
            ),
            (
                "claims-triage",
                "Claims triage",
                "high_risk",
                "Ranks incoming claims for adjusters.",
                "jun",
            ),
            (
                "ad-copywriter",
                "Ad copywriter",
                "standard",
                "Drafts ads that marketing edits and approves.",
                "anna",
            ),
        ):
            registering.register(
                key=key,
                stage="live",
                name=name,
                lane=lane,
                purpose=purpose,
                owner_id=cast.id(owner),
            )
        stops_and_drills.add_features()
        return machine_keys.make("acme")


def tell_acme(
    cast: Cast,
    services: str,
    told_to: Callable[[date], None],
    *,
    check_beside: Callable[[], None],
) -> None:
    """Play Acme's whole story, and call `told_to` with each day that it reaches.

    The rollout gates need costs from the operator's story, which runs in another process.
    `check_beside` raises an error if that story has failed.
    """
    chance = random.Random(SEED)  # noqa: S311 - a story, not a secret
    held = AdoptedControls({}, {}, {})
    told = [
        *_adoptions(cast, held),
        *_evidence_events(cast, chance, held),
        *_test_events(held),
        *assessment_events(cast, chance),
        *privacy_events(cast),
        *policy_history.acme(days_ago),
        *collected_evidence.reviews(days_ago),
        *type_two.acme(held.ids, cast.id, days_ago),
        *soc2_engagement.acme(cast.id, days_ago),
        *discussion_story.acme(held.ids, cast.id, days_ago),
        *register_story.acme(cast.id, days_ago),
        *intake_story.acme(days_ago),
        *change_log_story.acme(days_ago),
        *documents_story.acme(days_ago),
        *risk_story.acme(held.ids, cast.id, days_ago),
    ]
    drilled, now = days_ago(DRILLED), clock.running()
    begun: set[date] = set()
    reliability = ReliabilityStory(cast, now, services)
    earlier = [event for event in told if event.day < drilled]
    evaluated = evaluation_story.steps(cast, now)
    newest = max(step.at for step in evaluated)  # These steps must follow the sign-offs.
    evaluated += halted_rollout_story.steps(
        cast, now, ready=partial(_measured, cast, reliability, check_beside)
    )
    evaluated += lookup_repair_story.steps(cast, now)
    evaluated += red_team_story.steps(cast, newest, now)
    this_week = [step for step in evaluated if step.at == newest]
    evaluated = [step for step in evaluated if step.at < newest]
    steps = _in_order([*reliability.steps(), *evaluated])
    steps = [step for step in steps if step.at.date() < drilled]
    _play_beside(cast, earlier, begun, steps, told_to)
    with current.acting_as(system_actor("acme")):
        key_id = machine_keys.key_id("claims-triage")
    for number, (system, feature) in enumerate(stops_and_drills.DRILLS):
        at = datetime.combine(drilled, time(6, 15 + number), UTC)
        stops_and_drills.tell_drill(
            cast("officer"),
            cast("jun"),
            system_actor("acme"),
            at=at,
            key_id=key_id,
            feature=feature,
            system=system,
            pace=1 - number / 4,
        )
    with acting_on(cast("admin"), drilled + timedelta(days=1), 9), transaction():
        _accept_drills()
    later = [event for event in told if event.day >= drilled]
    steps = _in_order([*reliability.steps(), *evaluated])
    steps = [step for step in steps if step.at.date() >= drilled]
    _play_beside(cast, later, begun, steps, told_to)
    halted = _in_order(
        [*halted_rollout_story.halted(cast, now), *lookup_repair_story.found(cast, now)]
    )
    for step in [*this_week, *halted]:
        step.play()
    decision_history.tell(system_actor("acme"))
    stops_and_drills.tell_stop(cast("admin"), system_actor("acme"), now=now, key_id=key_id)
    last = [
        *reliability.after_the_stop(),
        *halted_rollout_story.resumed(cast, now),
        *lookup_repair_story.repaired(cast, now),
        *model_card_story.steps(cast, now),
    ]
    for step in _in_order(last):
        step.play()


def _measured(cast: Cast, reliability: ReliabilityStory, check: Callable[[], None]) -> None:
    """Store what the gates of a rollout read: the minutes up to now and the costs."""
    reliability.measure()
    halted_rollout_story.wait_for_costs(cast, check)


def _in_order(steps: Iterable[StoryStep]) -> list[StoryStep]:
    return sorted(steps, key=lambda step: step.at)


def _play_beside(
    cast: Cast,
    told: list[StoryEvent],
    begun: set[date],
    steps: Iterable[StoryStep],
    told_to: Callable[[date], None],
) -> None:
    """Play events and steps in order of their days. On the same day, steps come first."""
    rest = told
    for step in steps:
        due = [event for event in rest if event.day < step.at.date()]
        rest = [event for event in rest if event.day >= step.at.date()]
        play(cast, due, begun, told_to)
        told_to(step.at.date())
        step.play()
    play(cast, rest, begun, told_to)


def _accept_drills() -> None:
    """Accept the evidence that the drills filed automatically."""
    for _, held in review_queue.queue_page({}, size=1000).rows:
        if held.uploaded_by is None:
            version_actions.accept(*shelf.find_version(held.version_id, lock=True))


@dataclass(frozen=True, slots=True)
class AdoptedControls:
    """The adopted controls, by reference.

    `since` is the planned day of adoption, and `ids` is filled as controls are adopted.
    `accepted` is how many days ago the newest evidence was accepted, as planned.
    """

    since: dict[str, date]
    ids: dict[str, UUID]
    accepted: dict[str, int]


def _adoptions(cast: Cast, held: AdoptedControls) -> Iterator[StoryEvent]:
    """Adopt the controls in four waves, so that maturity levels rise over the year."""
    refs = [c.ref for c in starter_pack.pack() if c.ref not in NOT_ADOPTED]
    for days, first, last in (
        (MONTHS * 30 + 10, 0, 26),
        (430, 26, 40),
        (330, 40, 50),
        (200, 50, len(refs)),
    ):
        held.since.update(dict.fromkeys(refs[first:last], days_ago(days)))
        yield StoryEvent(days_ago(days), "officer", _adopted(cast, held, refs[first:last]))


def _adopted(cast: Cast, held: AdoptedControls, refs: list[str]) -> Callable[[], object]:
    def act() -> None:
        for number, control in enumerate(adoption_actions.adopt(refs, with_evidence=False)):
            held.ids[control.ref] = control.id
            if control.ref not in LATE | NO_EVIDENCE:
                controls.assign(control, cast.id(("anna", "jun", "admin", "officer")[number % 4]))

    return act


def _evidence_events(
    cast: Cast, chance: random.Random, held: AdoptedControls
) -> Iterator[StoryEvent]:
    """Yield the events of each evidence item of the adopted controls.

    Each item is created with its control, gets a version per cadence, and is reviewed by a
    second person.
    """
    for control in starter_pack.pack():
        if control.ref not in held.since:
            continue
        cadence = CADENCE_OF_EVIDENCE.get(control.cadence, control.cadence)
        for number, title in enumerate(control.evidence):
            yield from _one_evidence(
                cast, chance, control.ref, held, cadence, title, first=number == 0
            )


def _one_evidence(
    cast: Cast,
    chance: random.Random,
    ref: str,
    held: AdoptedControls,
    cadence: str,
    title: str,
    *,
    first: bool,
) -> Iterator[StoryEvent]:
    since = held.since[ref]
    box: list[UUID] = []
    owner = (
        None if ref in LATE | NO_EVIDENCE else cast.id(chance.choice(("anna", "jun", "officer")))
    )
    full_title = title if TITLES[title] == 1 else f"{title}, {ref}"
    if ref == "SEC-07" and first:
        cadence = "monthly"

    def begin() -> None:
        due = days_ago(-23) if ref in NO_EVIDENCE else None
        box.append(
            evidencing.create_item(
                full_title,
                kind="report" if "eport" in title else "record",
                cadence=cadence,
                owner_id=owner,
                due_on=due,
                controls={held.ids[ref]: ""},
            ).id
        )

    yield StoryEvent(min(since, days_ago(1)), "officer", begin, 11)
    if ref in NO_EVIDENCE:
        return
    every = DAYS_OF_CADENCE[cadence]
    last = _collected_last(ref, every, chance, first=first)
    held.accepted[ref] = min(held.accepted.get(ref, last), last - 1)
    days = list(range(last, max((days_ago(0) - since).days, last) + 1, every))
    if ref in STARTED_LATELY:
        days = days[:1]
    for number, collected in enumerate(reversed(days)):
        newest = number == len(days) - 1
        yield from _one_version(
            box, ref, days_ago(collected), every, newest=newest, first=first, number=number
        )


def _collected_last(ref: str, every: int, chance: random.Random, *, first: bool) -> int:
    """Return how many days ago the newest version was collected. Its review follows a day later."""
    last = max(CONCLUDED + 3, chance.randint(3, min(20, every // 3)))
    told = {
        **dict.fromkeys(ACCEPTED_LATE, CONCLUDED + 1),
        **dict.fromkeys(TESTED_BY_SAMPLES, BEFORE_SAMPLES),
        "TRA-01": every + 32,
    }
    if first:  # SEC-04 misses a quarter: its evidence expired twelve days ago.
        told |= {"SEC-04": 103, "SEC-07": 41}
    return told.get(ref, last)


def _one_version(
    box: list[UUID],
    ref: str,
    collected: date,
    every: int,
    *,
    newest: bool,
    first: bool,
    number: int,
) -> Iterator[StoryEvent]:
    period = (collected - timedelta(days=every - 1), collected)
    valid = collected + timedelta(days=every + 30)
    if newest and first:
        valid = {
            "SEC-04": days_ago(12),
            "TRA-01": days_ago(2),
            "SEC-07": days_ago(-2),
            "EVA-07": days_ago(-10),
        }.get(ref, valid)
    collector = "officer" if number % 3 == 1 and not newest else "jun"
    if collected < days_ago(TOBIAS_LEFT) and number % 3 == 2:  # noqa: PLR2004 - every third
        collector = "tobias"
    versions: list[UUID] = []

    def upload() -> None:
        evidence = find(Evidence, box[0])
        dates: dict[str, Any] = {
            "collected_on": collected,
            "period_from": period[0],
            "period_to": period[1],
            "valid_until": max(valid, period[1]),
        }
        if newest:
            ending, content = evidence_file(evidence.title, period)
            name = f"{evidence.ref.lower()}-{collected:%Y-%m}.{ending}"
            uploaded = version_actions.upload_version(evidence, io.BytesIO(content), name, **dates)
        else:
            address = f"https://files.acme.example/{evidence.ref.lower()}/{collected:%Y-%m-%d}"
            uploaded = version_actions.link_version(evidence, address, **dates)
        versions.append(uploaded.id)

    def review() -> None:
        evidence, version = find(Evidence, box[0]), find(EvidenceVersion, versions[0])
        if ref == "FAIR-01" and newest:
            version_actions.reject(
                version,
                evidence,
                reason=(
                    "It describes last year's portfolio. The mix of claimants has changed since."
                ),
            )
        else:
            version_actions.accept(version, evidence)

    yield StoryEvent(collected, collector, upload, 13)
    if not (newest and first and ref in PENDING_REVIEW):
        yield StoryEvent(
            min(collected + timedelta(days=1), days_ago(0)),
            "officer" if collector == "jun" else "jun",
            review,
            15,
        )


def _test_events(held: AdoptedControls) -> Iterator[StoryEvent]:
    """Yield two manual tests of each tested control, all passed.

    The second test follows the acceptance of the evidence that it uses. Tests by samples are in
    type2_tests.py.
    """
    for number, (ref, since) in enumerate(sorted(held.since.items())):
        if ref in UNTESTED | NO_EVIDENCE | LATE:
            continue
        sample = {"SEC-11": 12, "RES-02": 2}.get(ref, 25)
        for days in (150 + number % 20, _last_test(ref, number, held)):
            if days_ago(days) > since:
                yield StoryEvent(
                    days_ago(days), "jun", _tested(held, ref, days_ago(days), sample), 12
                )


def _last_test(ref: str, number: int, held: AdoptedControls) -> int:
    """Return how many days ago the control was last tested.

    This is at least a day after the acceptance and before the conclusion.
    """
    if ref in TESTED_EARLY | TESTED_BY_SAMPLES:
        return 40 + number % 25
    return CONCLUDED if ref in TESTED_LATE else held.accepted[ref] - 1


def _tested(held: AdoptedControls, ref: str, day: date, sample: int) -> Callable[[], object]:
    return lambda: control_test_actions.record_test(
        control_queries.find_control(held.ids[ref]), tested_on=day, sample=sample, failed=0
    )
