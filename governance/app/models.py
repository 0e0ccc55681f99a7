"""Every table, for the migrations and for the proofs over all of them: the kernel's, and those that
manifests name.
"""

from governance.app.features import FEATURES
from governance.kernel import installation_marks, jobs, tenant_revision, undo

TABLES = (
    installation_marks,
    jobs,
    tenant_revision,
    undo,
    *(module for each in FEATURES for module in each.models),
)
