"""Acme's kill switches: their features, a drill and a stop.

add_features()   the features of each system, by the acting person, in their transaction
tell_drill(…)    a drill that one person planned and another approved, and that passed
tell_stop(…)     claims-triage · auto-approve, stopped 42 minutes ago and obeyed by 14 consumers

The last two open their own transactions. `key_id` is the API key of the consumers.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from governance.foundation.approvals import actions as approvals
from governance.foundation.approvals.kinds import fingerprint_seen
from governance.foundation.approvals.queries import open_approval
from governance.kernel import clock, current
from governance.kernel.current import Actor
from governance.kernel.data.db import transaction
from governance.operations.switches import actions, consumer_actions, drill_actions, queries
from governance.operations.switches.consumers import Heard
from governance.operations.switches.models import Drill
from governance.operations.systems import actions as register
from governance.operations.systems import queries as systems
from governance.operations.systems.models import AISystem, SystemFeature

CLAIMS = "claims-triage"
FEATURES: Mapping[str, Sequence[tuple[str, str]]] = {
    CLAIMS: (
        ("auto-approve", "Claims under €1,500 go to an adjuster instead"),
        ("sort-queue", "Claims arrive unsorted"),
        ("summarise", "Adjusters see the claim without a summary"),
    ),
    "support-assistant": (
        ("answer", "Questions go to a person, with the expected waiting time"),
        ("suggest-reply", "Agents write replies without a suggestion"),
    ),
    "ad-copywriter": (
        ("draft", "Marketing starts from the last campaign's text"),
        ("translate", "Translations are ordered from the agency"),
    ),
}
# Drills of one day. The model card of policy-lookup needs the last one.
DRILLS = (
    (CLAIMS, "auto-approve"),
    (CLAIMS, "summarise"),
    ("policy-lookup", "search"),
)
OBEYED: Mapping[str, Sequence[float]] = {
    "Frankfurt": (0.11, 0.14, 0.17, 0.19, 0.22, 0.26, 0.31, 0.38),
    "Dublin": (0.18, 0.24, 0.29, 0.44),
    "Singapore": (0.57, 0.80),
}  # seconds, by region
REASON = "Approvals cited clauses that aren't in the policy: 11 of 1,200 in run 2304"
DRILL_REASON = "Quarterly drill: a passed drill proves this switch for 90 days"
STOPPED_SINCE = timedelta(minutes=42)
SECONDS = 5


def add_features() -> None:
    for system, features in FEATURES.items():
        found = systems.system(system)
        for key, fallback in features:
            register.add_feature(found, key=key, fallback=fallback)


def tell_drill(
    planner: Actor,
    second: Actor,
    console: Actor,
    *,
    at: datetime,
    key_id: UUID,
    feature: str,
    system: str = CLAIMS,
    pace: float = 1.0,
) -> None:
    """Plan a drill the day before as one person, approve it as another, and run it.

    The consumers are those of claims-triage, which also uses the search of policy-lookup. `pace`
    is a factor of time: 0.75 is a quarter faster.
    """
    with clock.frozen(at - timedelta(days=1)):
        with current.acting_as(planner), transaction():
            drill_id = drill_actions.plan(
                *_scope(feature, system), due_at=at, seconds=SECONDS, reason=DRILL_REASON
            ).id
        with current.acting_as(second), transaction():
            if (requested := open_approval(queries.DRILL, drill_id)) is not None:
                approvals.approve(requested, seen=fingerprint_seen(requested))
    with current.acting_as(console):
        _hear(key_id, at - timedelta(minutes=1), version=0)
        with clock.frozen(at), transaction():
            drill_actions.begin_or_end(queries.drill(drill_id, lock=True))
            held = queries.stop_of_drill(drill_id)
            version = held.version if held else 0
        _hear(key_id, at, version=version, pace=pace)
        with clock.frozen(at + timedelta(seconds=1)), transaction():
            drill = queries.drill(drill_id, lock=True)
            drill_actions.begin_or_end(drill)
            _report(drill)


def _report(drill: Drill) -> None:
    if drill.state == "passed":
        drill_actions.report(drill)


def tell_stop(who: Actor, console: Actor, *, now: datetime, key_id: UUID) -> None:
    """Stop the feature as one person. Every consumer obeys, the slowest after 0.8 s."""
    at = now - STOPPED_SINCE
    with current.acting_as(console):
        _hear(key_id, at - timedelta(minutes=1), version=0)
    with clock.frozen(at), current.acting_as(who), transaction():
        version = actions.stop("feature", *_scope("auto-approve"), reason=REASON).version
    with current.acting_as(console):
        _hear(key_id, at, version=version, seen_at=now)


def _scope(feature: str, system: str = CLAIMS) -> tuple[AISystem, SystemFeature]:
    found = systems.system(system)
    return found, next(f for f in systems.features(found.id) if f.key == feature)


def _hear(
    key_id: UUID, at: datetime, *, version: int, pace: float = 1.0, seen_at: datetime | None = None
) -> None:
    """Record every consumer, each at its own moment after `at`."""
    heard = [
        Heard(
            key_id,
            f"{region.lower()}-worker-{n}",
            region,
            None,
            version,
            moment := at + timedelta(seconds=after * pace),
            seen_at or moment,
        )
        for region, all_after in OBEYED.items()
        for n, after in enumerate(all_after, 1)
    ]
    with clock.frozen(max(h.at for h in heard)), transaction():
        consumer_actions.note_consumers(heard)
