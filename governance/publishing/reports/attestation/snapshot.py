"""The frozen data of a policy attestation, of a period (both days included) or of one day.

    snapshot(since, until)      plain JSON, schema `governance.policy-attestation/1`

Everything is read as of `until`. Later events are not included. People are named, since the report
shows who decided, but the operator's people are "the operator". Values are those of the decision
API. Parts: policy_history.py, waivers.py, stops.py.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from governance.assurance.controls.runtime_dependencies import DRILL_VALID_DAYS
from governance.foundation.people.queries import names
from governance.operations.policies import queries as policies
from governance.operations.policies.dimensions import DIMENSIONS, plain
from governance.operations.policies.effective_policies import (
    EffectivePolicy,
    Governed,
    scopes,
)
from governance.operations.policies.models import PolicyVersion
from governance.operations.policies.strictness import Decided
from governance.publishing.reports.attestation.known_rows import (
    KnownRows,
    features_by_id,
    iso,
    people_in,
    risk_class,
    systems_by_id,
)
from governance.publishing.reports.attestation.policy_history import (
    floor_facts,
    pending_versions,
    rejected_facts,
    version_facts,
    versions_in,
)
from governance.publishing.reports.attestation.stops import (
    drill_end,
    drill_facts,
    finished_drills,
    platform_stop_facts,
    stop_facts,
    stops_in,
    switch_facts,
)
from governance.publishing.reports.attestation.waivers import waiver_facts, waivers_in

SCHEMA = "governance.policy-attestation/1"
type Json = dict[str, Any]


def snapshot(since: datetime | None, until: datetime) -> Json:
    """Return the facts from `since` to `until`, or of the instant `until` if `since` is None."""
    end, begin = policies.current_policy(until), policies.current_policy(since) if since else None
    versions = versions_in(since, until)
    known = KnownRows(systems=systems_by_id(), features=features_by_id(), people={}, until=until)
    waivers, stops, drills = (
        waivers_in(since, until),
        stops_in(since, until),
        finished_drills(until),
    )
    waiting, approved = (
        pending_versions(until),
        policies.approvals_of_waivers([each.id for each in waivers]),
    )
    known.people |= names(people_in(versions, waivers, stops, drills, waiting))
    known.people |= names(each.person_id for every in approved.values() for each in every)
    return {
        "dimensions": [_dimension(key) for key in DIMENSIONS],
        "tier": _tier(end),
        "tier_before": _tier(begin) if begin else None,
        "scopes": list(_scopes(begin, end)),
        "points": _points(begin, end, versions, since, until),
        "versions": [version_facts(each, known) for each in versions if each.number is not None],
        "rejected": [rejected_facts(each, known) for each in versions if each.number is None],
        "waiting": [rejected_facts(each, known) for each in waiting],
        "floor": floor_facts(end.platform, since, until),
        "waivers": [
            waiver_facts(each, approved.get(each.id, ()), known, end.platform) for each in waivers
        ],
        "stops": [*platform_stop_facts(since, until), *stop_facts(stops, known)],
        "drills": [
            drill_facts(each, known) for each in drills if since and drill_end(each) > since
        ],
        "switches": [
            each for system in end.systems for each in switch_facts(system, drills, known)
        ],
        "proven_for": DRILL_VALID_DAYS,
        "revisions": [],
    }


def _dimension(key: str) -> Json:
    d = DIMENSIONS[key]
    return {
        "key": key,
        "title": d.title,
        "asks": d.question,
        "levels": [{"value": v.value, "label": v.label, "means": v.means} for v in d.levels],
        "unit": d.unit,
    }


def _tier(policy: EffectivePolicy) -> Json:
    return {
        "key": policy.tier.key,
        "name": policy.tier.name,
        "means": policy.tier.means,
        "version": policy.number,
        "since": iso(policy.since),
    }


def _scopes(begin: EffectivePolicy | None, end: EffectivePolicy) -> Iterator[Json]:
    """Yield requests without a system, then the systems at the end, then those retired since."""
    before: dict[UUID | None, Governed | None] = (
        {s.id if s else None: s for s in scopes(begin)} if begin else {}
    )
    for system in scopes(end):
        there = (system.id if system else None) in before
        yield _scope(system, begin if there else None, end)
    alive = {s.id for s in end.systems}
    for system in begin.systems if begin else ():
        if system.id not in alive:
            yield _scope(system, begin, None)


def _scope(
    system: Governed | None, begin: EffectivePolicy | None, end: EffectivePolicy | None
) -> Json:
    now = end.effective(system) if end else {}
    then = begin.effective(system) if begin else {}
    return {
        "key": system.key if system else "",
        "name": system.name if system else "",
        "lane": risk_class(system) if system else "",
        "begin": {key: plain(each.value) for key, each in then.items()} if begin else None,
        "end": {key: _decided(each) for key, each in now.items()} if end else None,
    }


def _decided(each: Decided) -> Json:
    spoke = [
        {"layer": layer.label or layer.name, "value": plain(layer.values[each.key])}
        for layer in each.layers
    ]
    return {
        "value": plain(each.value),
        "set_by": each.decided_by,
        "kind": each.by[0].kind,
        "spoke": spoke,
    }


def _points(
    begin: EffectivePolicy | None,
    end: EffectivePolicy,
    versions: Sequence[PolicyVersion],
    since: datetime | None,
    until: datetime,
) -> list[Json]:
    """Return the policy of requests without a system: at the start, with each version, at the end."""
    if begin is None or since is None:
        return []
    live = [v for v in versions if v.number is not None and v.in_force_from is not None]
    steps = [
        _point(f"version {v.number}", v.in_force_from, policies.current_policy(v.in_force_from))
        for v in live
    ]
    return [_point("start", since, begin), *steps, _point("end", until, end)]


def _point(label: str, at: datetime | None, policy: EffectivePolicy) -> Json:
    return {
        "label": label,
        "at": iso(at),
        "values": {key: plain(each.value) for key, each in policy.effective().items()},
    }
