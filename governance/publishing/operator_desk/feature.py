"""The operator's desk: a page for each tenant, and the actions that an operator has there."""

from governance.foundation.approvals.kinds import APPROVAL_KINDS
from governance.kernel.manifest import Manifest
from governance.publishing.operator_desk import approval_kinds, palette, views

manifest = Manifest(
    name="operator_desk",
    routes=(views.feature,),
    under=("operator_overview.overview",),
    palette=palette.COMMANDS,
    search=palette.SOURCES,
    extensions=(APPROVAL_KINDS(*approval_kinds.KINDS),),
)
