"""The steps of a new tenant."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Select, and_, func, select

from governance.assurance.assessments.framework_board import FrameworkBoard
from governance.assurance.evidence import permissions as evidence_permissions
from governance.assurance.frameworks.models import Adoption
from governance.foundation.people.models import Membership
from governance.kernel.data.db import session
from governance.operations.systems.models import AISystem
from governance.publishing.overview.queries import live_items


@dataclass(frozen=True, slots=True)
class SetupStep:
    """A step of the first run. Its button is shown to people with the permission `needs`."""

    done: bool
    title: str
    text: str
    endpoint: str
    verb: str
    needs: str


def first_steps(board: FrameworkBoard) -> list[SetupStep]:
    """Return the first steps of a new tenant, in order and in one statement."""
    controls = any(row.retired_at is None for row in board.ledger.controls)
    pieces = live_items(board)
    adopted, two_people, has_system = session().execute(_first_facts(board.framework.id)).one()
    return [
        SetupStep(
            adopted or board.assessment is not None,
            "Adopt a framework",
            "The NIST AI RMF is installed. Adopt it to start.",
            "frameworks.index",
            "Adopt AI RMF",
            "frameworks.adopt",
        ),
        SetupStep(
            controls,
            "Choose your controls",
            "The starter pack is already mapped to the AI RMF.",
            "controls.index",
            "Choose controls",
            "controls.manage",
        ),
        SetupStep(
            two_people,
            "Invite a second person",
            "Evidence counts after a second person accepts it.",
            "people.members",
            "Invite person",
            "people.manage",
        ),
        SetupStep(
            has_system,
            "Register an AI system",
            "Policies, switches and assessments apply to registered systems.",
            "systems.registration",
            "Register system",
            "systems.register",
        ),
        SetupStep(
            any(p.versions for p in pieces),
            "Upload evidence",
            "A file or a link that proves a control works.",
            "evidence.index",
            "Upload evidence",
            "evidence.upload",
        ),
        SetupStep(
            board.assessment is not None,
            "Start an assessment",
            "It sets the period, and the targets that coverage is measured against.",
            "assessments.new",
            "Start assessment",
            "assessments.manage",
        ),
    ]


def _first_facts(framework_id: UUID) -> Select[bool, bool, bool]:
    """Read the facts that complete the first steps.

    These are whether the framework is adopted, one member can upload evidence and another review
    it, and a system is registered.
    """
    members = select(func.count()).select_from(Membership).where(Membership.ended_at.is_(None))
    uploaders, reviewers = (
        members.where(Membership.role.in_(needs.roles)).scalar_subquery()
        for needs in (evidence_permissions.UPLOAD, evidence_permissions.REVIEW)
    )
    return select(
        select(Adoption.id).where(Adoption.framework_id == framework_id).exists(),
        and_(uploaders > 1, reviewers > 0),
        select(AISystem.id).where(AISystem.retired_at.is_(None)).exists(),
    )


def is_incomplete(steps: Sequence[SetupStep]) -> bool:
    return not all(step.done for step in steps)
