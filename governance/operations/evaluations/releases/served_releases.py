"""Choose the runs that count today: those of a release that is served or in a rollout.

roles_of(system_ids)        the role of each such release, by AI system; one statement
stated(system_id)           the release that somebody stated, and since when; None without one
stated_at(system_id, day)   the release that was stated for a day
is_unknown(roles, release)  True if a run of the release doesn't count
known_runs(system_ids)      the runs of each release that the record ever named, as a condition

Rollouts show which release is served; for an AI system without rollouts, somebody states it. Until
then none of its runs count: boards show them apart, and no finding opens or closes.
"""

from collections.abc import Collection, Mapping
from datetime import date
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select, tuple_

from governance.kernel import clock
from governance.kernel.data.db import session
from governance.operations.evaluations import ports
from governance.operations.evaluations.models import EvaluationRun
from governance.operations.evaluations.ports import Roles
from governance.operations.evaluations.releases.models import ServedRelease


def roles_of(system_ids: Collection[UUID]) -> Mapping[UUID, Roles]:
    """Return the role of each release. A system without a record of releases isn't in it."""
    return _roles_of(tuple(sorted(set(system_ids)))) if system_ids else {}


def _roles_of(system_ids: tuple[UUID, ...]) -> Mapping[UUID, Roles]:
    return ports.roles_of()(system_ids)


def has_rollouts(system_id: UUID) -> bool:
    """Return True if rollouts show which release the system serves."""
    roles = roles_of([system_id]).get(system_id)
    return roles is not None and not is_stated(roles)


def is_stated(roles: Roles | None) -> bool:
    """Return True if a person stated the served release because no rollout shows it."""
    return roles is not None and all(role == ports.STATED for role in roles.values())


def stated(system_id: UUID) -> ServedRelease | None:
    """Return the latest statement."""
    return stated_at(system_id, clock.today())


def stated_at(system_id: UUID, day: date) -> ServedRelease | None:
    """Return the statement for a day."""
    r = ServedRelease
    query = select(r).where(r.system_id == system_id, r.since <= day)
    return session().scalars(query.order_by(r.since.desc(), r.created_at.desc()).limit(1)).first()


def is_unknown(roles: Roles | None, release: str) -> bool:
    """Return True if no record names this release of the system, so that its runs don't count."""
    return release not in (roles or {})


def was_recorded(system_id: UUID, release: str) -> bool:
    """Return True if the record ever named the release of the system."""
    return release in recorded_of([system_id]).get(system_id, ())


def recorded_of(system_ids: Collection[UUID]) -> Mapping[UUID, Collection[str]]:
    """Return each release that the record ever named. A system without a record isn't in it."""
    return ports.recorded_of()(tuple(sorted(set(system_ids)))) if system_ids else {}


def known_runs(system_ids: Collection[UUID]) -> ColumnElement[bool]:
    """Select the runs of these systems whose release the record ever named.

    For a system without a record, select every run.
    """
    recorded = recorded_of(system_ids)
    pairs = [(system_id, release) for system_id, its in recorded.items() for release in its]
    return or_(
        EvaluationRun.system_id.not_in(list(recorded)),
        tuple_(EvaluationRun.system_id, EvaluationRun.release).in_(pairs),
    )
