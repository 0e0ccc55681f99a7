"""The controls that the acting person may view in Type II testing."""

from collections.abc import Callable
from uuid import UUID

from governance.assurance.controls import queries as controls
from governance.assurance.controls.models import Control
from governance.kernel.errors import NotFound
from governance.kernel.safety.visibility_scope import scope


def control_in_scope(control_id: UUID) -> Control:
    """Return the control. Raise NotFound if it is outside the acting person's scope."""
    auditor_scope = scope()
    if auditor_scope is not None and not auditor_scope.holds(control_id):
        raise NotFound("This control doesn't exist, or you don't have access to it.")
    return controls.find_control(control_id)


def scope_filter() -> Callable[[UUID], bool]:
    """Return a function that checks by id whether the acting person may view a control.

    It reads the scope once.
    """
    auditor_scope = scope()
    return auditor_scope.holds if auditor_scope is not None else lambda _control_id: True
