"""The frozen data of a policy attestation: of a period (both days included), or of one day.

    snapshot(since, until)      plain JSON, schema `governance.policy-attestation/1`

Everything is read as it stood at `until`: what happened later is not in it. People are written by
name, since the report names who decided; the operator's people are "the operator". Values are as
the decision API gives them.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select

from governance.assurance.controls.runtime_dependencies import UNPROVEN, Switch
from governance.assurance.evidence.queries import FORMER
from governance.foundation.approvals.models import ApprovalGiven
from governance.foundation.people.queries import names
from governance.kernel.db import session
from governance.kernel.errors import Invalid
from governance.operations.policies import queries as policies
from governance.operations.policies.effective_policies import (
    LANE_NAMES,
    Content,
    EffectivePolicy,
    Governed,
    Platform,
    read_content,
    read_platform,
    scopes,
)
from governance.operations.policies.models import PlatformPolicy, PolicyVersion, Waiver
from governance.operations.policies.strictness import (
    DIMENSIONS,
    Decided,
    DimensionChange,
    Value,
    changes,
    plain,
    plain_all,
)
from governance.operations.switches.models import (
    Acknowledgement,
    Consumer,
    Drill,
    PlatformStop,
    Stop,
)
from governance.operations.switches.stop_propagation import Listener, Obedience, obedience
from governance.operations.systems.models import AISystem, SystemFeature

SCHEMA = "governance.policy-attestation/1"
OPERATOR = "the operator"
CONSOLE = "the console"
type Json = dict[str, Any]


def snapshot(since: datetime | None, until: datetime) -> Json:
    """The facts from `since` (None: of the instant alone) to `until`."""
    end, begin = policies.standing(until), policies.standing(since) if since else None
    versions = _versions_in(since, until)
    kept = _Kept(systems=_systems(), features=_features(), people={}, until=until)
    waivers, stops, drills = (
        _waivers_in(since, until),
        _stops_in(since, until),
        _finished_drills(until),
    )
    waiting, approved = (
        _waiting(until),
        policies.approvals_of_waivers([each.id for each in waivers]),
    )
    kept.people |= names(_everybody(versions, waivers, stops, drills, waiting))
    kept.people |= names(each.person_id for every in approved.values() for each in every)
    return {
        "dimensions": [_dimension(key) for key in DIMENSIONS],
        "tier": _tier(end),
        "tier_before": _tier(begin) if begin else None,
        "scopes": list(_scopes(begin, end)),
        "points": _points(begin, end, versions, since, until),
        "versions": [_version(each, kept) for each in versions if each.number is not None],
        "rejected": [_refused(each, kept) for each in versions if each.number is None],
        "waiting": [_refused(each, kept) for each in waiting],
        "floor": _floor(end.platform, since, until),
        "waivers": [
            _waiver(each, approved.get(each.id, ()), kept, end.platform) for each in waivers
        ],
        "stops": [*_platform_stops(since, until), *_told_stops(stops, kept)],
        "drills": [_drill(each, kept) for each in drills if since and _at(each) > since],
        "switches": [each for system in end.systems for each in _switches(system, drills, kept)],
        "proven_for": UNPROVEN,
        "revisions": [],
    }


@dataclass(slots=True)
class _Kept:
    """What rows refer to, read once."""

    systems: Mapping[UUID, AISystem]
    features: Mapping[UUID, str]
    people: dict[UUID, str]
    until: datetime

    def who(self, person_id: UUID | None) -> str:
        return self.people.get(person_id, FORMER) if person_id else CONSOLE

    def known(self, at: datetime | None) -> datetime | None:
        """An instant that lies before the end; later ones are not known yet."""
        return at if at is not None and at <= self.until else None

    def system(self, system_id: UUID | None) -> str:
        return (
            self.systems[system_id].key
            if system_id is not None and system_id in self.systems
            else ""
        )


def iso(at: datetime | None) -> str | None:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" if at else None


# ---- what was in force


def _dimension(key: str) -> Json:
    d = DIMENSIONS[key]
    return {
        "key": key,
        "title": d.title,
        "asks": d.asks,
        "levels": [{"value": v.value, "means": v.means} for v in d.levels],
        "unit": d.unit,
    }


def _tier(standing: EffectivePolicy) -> Json:
    return {
        "key": standing.tier.key,
        "name": standing.tier.name,
        "means": standing.tier.means,
        "version": standing.number,
        "since": iso(standing.since),
    }


def _scopes(begin: EffectivePolicy | None, end: EffectivePolicy) -> Iterator[Json]:
    """Requests that name no system, then every system that lived at the end, then those that were
    retired meanwhile.
    """
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
        "lane": LANE_NAMES[system.lane] if system else "",
        "begin": {key: plain(each.value) for key, each in then.items()} if begin else None,
        "end": {key: _decided(each) for key, each in now.items()} if end else None,
    }


def _decided(each: Decided) -> Json:
    spoke = [{"layer": layer.name, "value": plain(layer.values[each.key])} for layer in each.spoke]
    return {
        "value": plain(each.value),
        "set_by": each.set_by,
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
    """The policy of requests that name no system: at the start, as each version came into force,
    and at the end.
    """
    if begin is None or since is None:
        return []
    live = [v for v in versions if v.number is not None and v.in_force_from is not None]
    steps = [
        _point(f"version {v.number}", v.in_force_from, policies.standing(v.in_force_from))
        for v in live
    ]
    return [_point("start", since, begin), *steps, _point("end", until, end)]


def _point(label: str, at: datetime | None, standing: EffectivePolicy) -> Json:
    return {
        "label": label,
        "at": iso(at),
        "values": {key: plain(each.value) for key, each in standing.effective().items()},
    }


# ---- who changed and approved what


def _versions_in(since: datetime | None, until: datetime) -> Sequence[PolicyVersion]:
    """Those that came into force or were turned down in the period; of a day, the version that was
    in force.
    """
    if since is None:
        held = policies.in_force(until)
        return [held] if held else []
    came = (PolicyVersion.in_force_from > since) & (PolicyVersion.in_force_from <= until)
    down = (
        PolicyVersion.number.is_(None)
        & (PolicyVersion.decided_at > since)
        & (PolicyVersion.decided_at <= until)
    )
    return (
        session()
        .scalars(
            select(PolicyVersion)
            .where(came | down)
            .order_by(PolicyVersion.created_at, PolicyVersion.id)
        )
        .all()
    )


def _waiting(until: datetime) -> Sequence[PolicyVersion]:
    query = select(PolicyVersion).where(
        PolicyVersion.state.in_(("requested", "scheduled")), PolicyVersion.requested_at <= until
    )
    return session().scalars(query).all()


def _version(row: PolicyVersion, kept: _Kept) -> Json:
    before, after = (
        _content(row.base if row.number is None else row.number - 1),
        read_content(row.content),
    )
    at = policies.standing(row.in_force_from)
    return {
        "number": row.number,
        "at": iso(row.in_force_from),
        "tier": after.tier,
        "tier_before": before.tier,
        "loosens": row.loosens,
        "back_to": row.back_to,
        "reason": row.reason,
        "made_by": kept.who(row.made_by),
        "requested_at": iso(row.requested_at),
        "decided_by": kept.who(row.decided_by) if row.decided_by else None,
        "decided_at": iso(row.decided_at),
        "digest": row.digest,
        "changes": list(_diff(at, before, after)),
    }


def _content(number: int) -> Content:
    """Of a version in force; before the first one the default stood."""
    found = (
        session()
        .scalars(select(PolicyVersion.content).where(PolicyVersion.number == number))
        .one_or_none()
    )
    return read_content(found) if found else Content()


def _diff(at: EffectivePolicy, before: Content, after: Content) -> Iterator[Json]:
    """What the tenant's own layers did: once for all requests, then for each system where it did
    something else.
    """
    general = _own_changes(at, before, after, None)
    yield from (_change("", change) for change in general)
    for system in at.systems:
        yield from (
            _change(system.key, change)
            for change in _own_changes(at, before, after, system)
            if change not in general
        )


def _own_changes(
    at: EffectivePolicy, before: Content, after: Content, system: Governed | None
) -> list[DimensionChange]:
    return changes(_own(at, before, system), _own(at, after, system))


def _own(at: EffectivePolicy, content: Content, system: Governed | None) -> Mapping[str, Value]:
    try:
        return at.draft(content).own(system)
    except Invalid:  # a tier that the operator has withdrawn since
        return {}


def _change(system: str, change: DimensionChange) -> Json:
    before, after = (
        None if value is None else plain(value) for value in (change.before, change.after)
    )
    return {
        "system": system,
        "dimension": change.key,
        "before": before,
        "after": after,
        "move": change.move,
    }


def _refused(row: PolicyVersion, kept: _Kept) -> Json:
    return {
        "state": row.state,
        "loosens": row.loosens,
        "reason": row.reason,
        "made_by": kept.who(row.made_by),
        "requested_at": iso(row.requested_at),
        "decided_by": kept.who(row.decided_by) if row.decided_by else None,
        "decided_at": iso(row.decided_at),
        "tier": row.content.get("tier", ""),
    }


# ---- the floor


def _floor(now: Platform, since: datetime | None, until: datetime) -> Json:
    return {
        "number": now.number,
        "values": plain_all(now.floor),
        "until": iso(now.until),
        "unwaivable": sorted(now.unwaivable),
        "changes": list(_floor_changes(since, until)),
    }


def _floor_changes(since: datetime | None, until: datetime) -> Iterator[Json]:
    """The operator's versions that came into force in the period, each against the floor just
    before it.
    """
    if since is None:
        return
    query = select(PlatformPolicy).where(
        PlatformPolicy.in_force_from > since, PlatformPolicy.in_force_from <= until
    )
    for row in session().scalars(query.order_by(PlatformPolicy.number)):
        before = policies.platform((row.in_force_from or until) - timedelta(microseconds=1))
        after = read_platform(row.number or 0, row.content, row.until)
        yield {
            "number": row.number,
            "at": iso(row.in_force_from),
            "until": iso(row.until),
            "loosens": row.loosens,
            "reason": row.reason,
            "two_persons": row.decided_by is not None,
            "changes": [_change("", each) for each in changes(before.floor, after.floor)],
        }


# ---- waivers


def _waivers_in(since: datetime | None, until: datetime) -> Sequence[Waiver]:
    """Those that stood at any time of it, and those that were asked for in it and did not come to
    stand.
    """
    begin = since or until
    stood = (
        (Waiver.live_from <= until)
        & (Waiver.expires_at > begin)
        & or_(Waiver.closed_at.is_(None), Waiver.closed_at > begin)
    )
    asked = or_(Waiver.live_from.is_(None), Waiver.live_from > until) & (Waiver.created_at <= until)
    asked &= or_(Waiver.closed_at.is_(None), Waiver.closed_at > begin) & (Waiver.expires_at > begin)
    return (
        session()
        .scalars(select(Waiver).where(stood | asked).order_by(Waiver.created_at, Waiver.id))
        .all()
    )


def _waiver(
    row: Waiver, approved: Sequence[ApprovalGiven], kept: _Kept, platform: Platform
) -> Json:
    first, second = (*(each for each in approved if kept.known(each.given_at)), None, None)[:2]
    live, closed = kept.known(row.live_from), kept.known(row.closed_at)
    floor = platform.floor.get(row.dimension)
    return {
        "system": kept.system(row.system_id),
        "dimension": row.dimension,
        "value": row.value,
        "floor": None if floor is None else plain(floor),
        "reason": row.reason,
        "compensation": row.compensation,
        "requested_by": kept.who(row.requested_by),
        "requested_at": iso(row.created_at),
        "first_by": kept.who(first.person_id) if first else None,
        "first_at": iso(first.given_at if first else None),
        "second_by": kept.who(second.person_id) if second else None,
        "second_at": iso(second.given_at if second else None),
        "expires_at": iso(row.expires_at),
        "closed_by": kept.who(row.closed_by) if closed and row.closed_by else None,
        "closed_at": iso(closed),
        "state": _state(row, kept.until, stood=live is not None, closed=closed is not None),
    }


def _state(row: Waiver, until: datetime, *, stood: bool, closed: bool) -> str:
    """live, ended, asked or refused, as it was at the end."""
    if stood:
        return "ended" if closed or row.expires_at <= until else "live"
    return "rejected" if closed else "requested"


# ---- stops


def _stops_in(since: datetime | None, until: datetime) -> Sequence[Stop]:
    """Those that stood at any time of it; drills are told by themselves."""
    query = select(Stop).where(Stop.drill_id.is_(None), Stop.created_at <= until)
    query = query.where(or_(Stop.restarted_at.is_(None), Stop.restarted_at > (since or until)))
    return session().scalars(query.order_by(Stop.created_at, Stop.id)).all()


def _told_stops(stops: Sequence[Stop], kept: _Kept) -> Iterator[Json]:
    listeners, acknowledged = (
        _listeners() if stops else {},
        _acknowledged([s.id for s in stops], kept.until),
    )
    for stop in stops:
        of = [UUID(str(one)) for one in stop.expected or ()]
        yield _told_stop(
            stop,
            kept,
            obedience(listeners, of, acknowledged[stop.id], stop.created_at),
            len(acknowledged[stop.id]),
        )


def _listeners() -> dict[UUID, Listener]:
    return {
        c.id: Listener(c.id, c.name, c.region, c.system_id, c.version, c.seen_at)
        for c in session().scalars(select(Consumer))
    }


def _acknowledged(ids: Sequence[UUID], until: datetime) -> dict[UUID, dict[UUID, datetime]]:
    """By stop, when each consumer first obeyed."""
    found: dict[UUID, dict[UUID, datetime]] = defaultdict(dict)
    if ids:
        query = select(Acknowledgement).where(
            Acknowledgement.stop_id.in_(ids), Acknowledgement.at <= until
        )
        for each in session().scalars(query):
            found[each.stop_id][each.consumer_id] = each.at
    return found


def _told_stop(stop: Stop, kept: _Kept, obeyed: Obedience, all_: int) -> Json:
    restarted = kept.known(stop.restarted_at)
    return {
        "scope": _scope_words(stop, kept),
        "planes": _planes(generate=stop.generate, serve=stop.serve),
        "reason": stop.reason,
        "by": kept.who(stop.stopped_by),
        "at": iso(stop.created_at),
        "expected": obeyed.expected,
        "obeyed": obeyed.obeyed,
        "heard": all_,
        "slowest_ms": None if obeyed.slowest is None else round(obeyed.slowest * 1000),
        "missing": [one.name for one in obeyed.missing],
        "restart_requested_by": (
            kept.who(stop.restart_requested_by) if restarted and stop.restart_requested_by else None
        ),
        "restarted_by": kept.who(stop.restarted_by) if restarted else None,
        "restarted_at": iso(restarted),
        "restart_reason": stop.restart_reason if restarted else None,
    }


def _scope_words(stop: Stop | Drill, kept: _Kept) -> str:
    key = kept.system(stop.system_id)
    return (
        f"{kept.features.get(stop.feature_id, '')} of {key}"
        if stop.feature_id
        else key or "everything"
    )


def _planes(*, generate: bool, serve: bool) -> str:
    return (
        "generating and serving" if generate and serve else "generating" if generate else "serving"
    )


def _platform_stops(since: datetime | None, until: datetime) -> list[Json]:
    query = select(PlatformStop).where(PlatformStop.created_at <= until)
    query = query.where(
        or_(PlatformStop.restarted_at.is_(None), PlatformStop.restarted_at > (since or until))
    )
    return [
        _platform_stop(row, until)
        for row in session().scalars(query.order_by(PlatformStop.created_at))
    ]


def _platform_stop(row: PlatformStop, until: datetime) -> Json:
    restarted = row.restarted_at if row.restarted_at and row.restarted_at <= until else None
    return {
        "scope": "everything, of all tenants",
        "planes": _planes(generate=row.generate, serve=row.serve),
        "reason": row.reason,
        "by": OPERATOR,
        "at": iso(row.created_at),
        "expected": 0,
        "obeyed": 0,
        "heard": 0,
        "slowest_ms": None,
        "missing": [],
        "restart_requested_by": None,
        "restarted_by": OPERATOR if restarted else None,
        "restarted_at": iso(restarted),
        "restart_reason": row.restart_reason if restarted else None,
    }


# ---- drills


def _finished_drills(until: datetime) -> list[Drill]:
    """Every drill that was over by then, the oldest first."""
    query = select(Drill).where(Drill.state.in_(("passed", "failed", "cancelled")))
    return sorted((d for d in session().scalars(query) if _at(d) <= until), key=_at)


def _at(drill: Drill) -> datetime:
    return drill.ended_at or drill.due_at


def _drill(row: Drill, kept: _Kept) -> Json:
    return {
        "scope": _scope_words(row, kept),
        "state": row.state,
        "at": iso(_at(row)),
        "seconds": row.seconds,
        "expected": row.expected,
        "obeyed": row.obeyed,
        "slowest_ms": row.slowest_ms,
        "planned_by": kept.who(row.planned_by),
        "approved_by": kept.who(row.approved_by) if row.approved_by else None,
    }


def _switches(system: Governed, drills: Sequence[Drill], kept: _Kept) -> Iterator[Json]:
    """The switch of the whole system, and of each feature that was drilled; a drill of the whole
    proves its features too.
    """
    own = [d for d in drills if d.system_id == system.id and d.state != "cancelled"]
    yield _switch(system, system.key, [d for d in own if d.feature_id is None], kept)
    for feature_id in dict.fromkeys(d.feature_id for d in own if d.feature_id is not None):
        over = [d for d in own if d.feature_id in {None, feature_id}]
        yield _switch(system, f"{kept.features.get(feature_id, '')} of {system.key}", over, kept)


def _switch(system: Governed, name: str, drills: Sequence[Drill], kept: _Kept) -> Json:
    """How a switch stood at the end, by the last drill over it."""
    last = drills[-1] if drills else None
    found = Switch(
        system.id,
        system.key,
        _at(last).date() if last else None,
        passed=last is not None and last.state == "passed",
    )
    state = (
        "dead"
        if last is not None and last.state == "failed"
        else "armed"
        if found.proven(kept.until.date())
        else "unproven"
    )
    return {
        "system": name,
        "name": system.name,
        "lane": LANE_NAMES[system.lane],
        "state": state,
        "last": iso(_at(last)) if last else None,
    }


# ---- names


def _systems() -> dict[UUID, AISystem]:
    return {each.id: each for each in session().scalars(select(AISystem))}


def _features() -> dict[UUID, str]:
    return {each.id: each.key for each in session().scalars(select(SystemFeature))}


def _everybody(
    versions: Iterable[PolicyVersion],
    waivers: Iterable[Waiver],
    stops: Iterable[Stop],
    drills: Iterable[Drill],
    waiting: Iterable[PolicyVersion],
) -> Iterator[UUID | None]:
    for v in (*versions, *waiting):
        yield from (v.made_by, v.decided_by)
    for w in waivers:
        yield from (w.requested_by, w.closed_by)
    for s in stops:
        yield from (s.stopped_by, s.restart_requested_by, s.restarted_by)
    for d in drills:
        yield from (d.planned_by, d.approved_by)
