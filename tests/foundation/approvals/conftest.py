"""A kind of approval for tests: a change of an AI system's purpose.

Meanwhile nobody may edit the purpose unnoticed.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import pytest

from governance.foundation.approvals import actions, kinds
from governance.foundation.approvals.kinds import ApprovalKind, Description, ProposedChange
from governance.foundation.approvals.models import Approval
from governance.kernel.data.db import find
from governance.kernel.errors import Invalid
from governance.operations.systems import actions as systems
from governance.operations.systems import permissions
from governance.operations.systems.models import AISystem
from tests import make

NAME = "test_purpose"


class PurposeChangeKind:
    """The kind, with each system's proposed purpose, and what was applied, in order."""

    def __init__(self) -> None:
        self.wanted: dict[UUID, str] = {}
        self.applied: list[tuple[UUID, str]] = []
        self.closed: list[str] = []
        self.context, self.block, self.typed = "", None, ""
        self.kind = ApprovalKind(
            name=NAME,
            label="Purpose",
            permission=permissions.CHANGE,
            describe=self._describe,
            fingerprint=self._fingerprint,
            apply=self._apply,
            on_reject=lambda approval: self.closed.append(approval.state),
            context=lambda _approval: {"context": self.context},
            blocked=lambda _approval: self.block,
            confirmation=lambda _approval: self.typed,
        )

    def _describe(self, approval: Approval) -> Description:
        system = find(AISystem, approval.target_id)
        return Description(
            approval.summary,
            changes=[
                ProposedChange("Purpose", system.purpose, self.wanted[system.id], note="loosens")
            ],
            back=("AI systems", "systems.index", {}),
            consequence="It changes at once.",
        )

    def _fingerprint(self, approval: Approval) -> dict[str, str]:
        system = find(AISystem, approval.target_id)
        return {"purpose": system.purpose, "wanted": self.wanted[system.id]}

    def _apply(self, approval: Approval) -> None:
        if self.wanted[approval.target_id] == "impossible":
            raise Invalid("That purpose is impossible.")
        set_purpose(approval.target_id, self.wanted[approval.target_id])
        self.applied.append((approval.target_id, self.wanted[approval.target_id]))

    def system(self, slug: str = "acme", key: str = "router") -> UUID:
        with make.acting("admin", slug):
            made = systems.register(
                key=key,
                stage="live",
                name=key,
                lane="standard",
                purpose="Sorts requests.",
                owner_id=None,
            )
            self.wanted[made.id] = "Answers requests."
            return made.id

    def requested(
        self, system: UUID, role: str = "admin", slug: str = "acme", **options: object
    ) -> UUID:
        with make.acting(role, slug):
            return actions.request(
                NAME, system, summary="change the purpose of router", reason="It grew", **options
            ).id


def set_purpose(system_id: UUID, purpose: str) -> None:
    system = find(AISystem, system_id)
    systems.edit(
        system, seen=systems.revision(system), name=system.name, purpose=purpose, owner_id=None
    )


@contextmanager
def registered_kind(kind: ApprovalKind) -> Iterator[None]:
    kinds.register(kind)
    try:
        yield
    finally:
        unregister_kind(kind.name)


def unregister_kind(name: str) -> None:
    """Remove a kind, as a release without its feature would."""
    kinds._kinds.pop(name, None)


@pytest.fixture
def purpose_kind(app) -> Iterator[PurposeChangeKind]:
    ours = PurposeChangeKind()
    with registered_kind(ours.kind):
        yield ours
