"""Permissions to read, describe, publish and retire data sets."""

from governance.kernel.safety.access import permission

VIEW = permission(
    "data_sets.view",
    "view data sets",
    roles="admin compliance_officer contributor auditor viewer",
)
EDIT = permission(
    "data_sets.edit",
    "add data sets, describe their next version, and say which AI systems use them",
    roles="admin compliance_officer contributor",
)
PUBLISH = permission(
    "data_sets.publish",
    "publish a version of a data set, and retire data sets",
    roles="admin compliance_officer",
)
