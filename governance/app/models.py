"""Every table, for the migrations and for the proofs over all of them: the kernel's, and those that
manifests name.
"""

from governance.app.features import FEATURES
from governance.kernel.data import tenant_revision
from governance.kernel.files import installation_marks
from governance.kernel.pages import undo
from governance.kernel.work import jobs

TABLES = (
    installation_marks,
    jobs,
    tenant_revision,
    undo,
    *(module for each in FEATURES for module in each.models),
)
