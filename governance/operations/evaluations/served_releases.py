"""Which runs count today: those of a release that is served, or that a rollout has.

roles_of(system_ids)        the role of each such release, by AI system; one statement
is_unknown(roles, release)  whether a run of the release decides nothing
counting(roles)             the same as a condition on EvaluationRun

While no rollout of an AI system is recorded, nothing says which release it serves: then the runs of
every release count, each beside the others.
"""

from collections.abc import Collection, Mapping
from uuid import UUID

from sqlalchemy import ColumnElement, or_, tuple_

from governance.kernel.read_once import read_once
from governance.operations.evaluations import ports
from governance.operations.evaluations.models import EvaluationRun
from governance.operations.evaluations.ports import Roles

UNRECORDED = "no rollout says what is served"


def roles_of(system_ids: Collection[UUID]) -> Mapping[UUID, Roles]:
    """Return the role of each release; a system without a recorded rollout isn't in it."""
    return _roles_of(tuple(sorted(set(system_ids)))) if system_ids else {}


@read_once
def _roles_of(system_ids: tuple[UUID, ...]) -> Mapping[UUID, Roles]:
    return ports.roles_of()(system_ids)


def is_unknown(roles: Roles | None, release: str) -> bool:
    """Whether rollouts are recorded, and none serves or carries the release."""
    return roles is not None and release not in roles


def counting(roles: Mapping[UUID, Roles]) -> ColumnElement[bool]:
    """Select the runs that count, of AI systems whose `roles` these are."""
    pairs = [(system_id, release) for system_id, its in roles.items() for release in its]
    return or_(
        EvaluationRun.system_id.not_in(roles),
        tuple_(EvaluationRun.system_id, EvaluationRun.release).in_(pairs),
    )
