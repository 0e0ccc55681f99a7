"""Reviews: the operator's months with their frozen figures, discussed, signed and exported."""

from governance.economics.reviews import (
    actions,
    close_actions,
    models,
    residual_actions,
    sign_off_actions,
)
from governance.foundation.audit.registry import actions_in
from governance.kernel.manifest import EntryLink, Manifest

manifest = Manifest(
    name="reviews",
    models=(models,),
    approvals=(sign_off_actions.FINANCE, sign_off_actions.PRODUCT, residual_actions.RESIDUAL),
    audit=actions_in(actions, close_actions, sign_off_actions, residual_actions),
    links={
        "Review": EntryLink(no_page="its month is on the operator's pages"),
        "ReviewAction": EntryLink(no_page="its month is on the operator's pages"),
        "ReviewScenario": EntryLink(no_page="its month is on the operator's pages"),
    },
)
