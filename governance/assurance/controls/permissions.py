"""Permissions of controls. Contributors edit only the controls they own."""

from governance.kernel.safety.access import permission
from governance.kernel.safety.conditions import is_owner

VIEW = permission(
    "controls.view", "view controls", roles="admin compliance_officer contributor auditor viewer"
)
MANAGE = permission(
    "controls.manage", "create, map or retire controls", roles="admin compliance_officer"
)
WORK = permission(
    "controls.work",
    "edit a control or record its tests",
    roles="admin compliance_officer contributor",
    only={"contributor": [is_owner]},
)
TEST = permission(
    "controls.test",
    "test a control",
    roles="admin compliance_officer contributor auditor",
    only={"contributor": [is_owner]},
)
