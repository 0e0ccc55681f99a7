"""Permissions to generate and download the files of a review."""

from governance.kernel.safety.access import permission

DOWNLOAD = permission(
    "reviews.download",
    "generate and download signed reviews",
    roles="operator_admin operator_finance",
)
