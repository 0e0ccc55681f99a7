"""Every table of the kernel and of the manifests, for migrations and for tests over all tables."""

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
