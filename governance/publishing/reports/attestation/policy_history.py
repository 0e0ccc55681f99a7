"""The authors and approvers of policy changes, for an attestation."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import select

from governance.kernel.data.db import session
from governance.kernel.errors import Invalid
from governance.operations.policies import queries as policies
from governance.operations.policies.dimensions import Value, plain, plain_all
from governance.operations.policies.effective_policies import (
    Content,
    EffectivePolicy,
    Governed,
    Platform,
    read_content,
    read_platform,
)
from governance.operations.policies.models import PlatformPolicy, PolicyVersion
from governance.operations.policies.strictness import DimensionChange, changes
from governance.publishing.reports.attestation.known_rows import Json, KnownRows, iso


def versions_in(since: datetime | None, until: datetime) -> Sequence[PolicyVersion]:
    """List the versions published or rejected in the period. For a day, the version in force."""
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


def pending_versions(until: datetime) -> Sequence[PolicyVersion]:
    query = select(PolicyVersion).where(
        PolicyVersion.state.in_(("requested", "scheduled")), PolicyVersion.requested_at <= until
    )
    return session().scalars(query).all()


def version_facts(row: PolicyVersion, known: KnownRows) -> Json:
    before, after = (
        _content(row.base if row.number is None else row.number - 1),
        read_content(row.content),
    )
    at = policies.current_policy(row.in_force_from)
    return {
        "number": row.number,
        "at": iso(row.in_force_from),
        "tier": after.tier,
        "tier_before": before.tier,
        "loosens": row.loosens,
        "back_to": row.back_to,
        "reason": row.reason,
        "made_by": known.who(row.made_by),
        "requested_at": iso(row.requested_at),
        "decided_by": known.who(row.decided_by) if row.decided_by else None,
        "decided_at": iso(row.decided_at),
        "digest": row.digest,
        "changes": list(_diff(at, before, after)),
    }


def _content(number: int) -> Content:
    """Return the content of a version. Before the first one, return the default."""
    found = (
        session()
        .scalars(select(PolicyVersion.content).where(PolicyVersion.number == number))
        .one_or_none()
    )
    return read_content(found) if found else Content()


def _diff(at: EffectivePolicy, before: Content, after: Content) -> Iterator[Json]:
    """Yield the changes in the tenant's own layers: for all requests, then for systems that differ."""
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
    except Invalid:  # The operator has withdrawn the tier since.
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


def rejected_facts(row: PolicyVersion, known: KnownRows) -> Json:
    return {
        "state": row.state,
        "loosens": row.loosens,
        "reason": row.reason,
        "made_by": known.who(row.made_by),
        "requested_at": iso(row.requested_at),
        "decided_by": known.who(row.decided_by) if row.decided_by else None,
        "decided_at": iso(row.decided_at),
        "tier": row.content.get("tier", ""),
    }


def floor_facts(now: Platform, since: datetime | None, until: datetime) -> Json:
    return {
        "number": now.number,
        "values": plain_all(now.floor),
        "until": iso(now.until),
        "unwaivable": sorted(now.unwaivable),
        "changes": list(_floor_changes(since, until)),
    }


def _floor_changes(since: datetime | None, until: datetime) -> Iterator[Json]:
    """Yield the operator's versions of the period, each compared with the minimum just before it."""
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
