"""Support access: requested by an operator, approved by the tenant, ended by time or by either."""

from governance.foundation.approvals.kinds import APPROVAL_KINDS
from governance.foundation.audit.registry import actions_in
from governance.foundation.people.ports import outsider_names, support_visitor
from governance.foundation.support_access import (
    actions,
    approval_kinds,
    glossary,
    jobs,
    models,
    palette,
    queries,
    views,
    visits,
)
from governance.kernel.glossary import GLOSSARY
from governance.kernel.manifest import EntryLink, Manifest, PortAnswer

manifest = Manifest(
    name="support_access",
    models=(models,),
    routes=(views.feature, views.operator_feature),
    under=("tenant_settings.settings", "operator_overview.overview"),
    search=(palette.support_requests,),
    work=(jobs.note_expiry,),
    extensions=(GLOSSARY(*glossary.TERMS), APPROVAL_KINDS(*approval_kinds.KINDS)),
    audit=actions_in(actions),
    links={"SupportGrant": EntryLink(endpoint="support_access.index", noun="support access")},
    answers=(
        PortAnswer(support_visitor, visits.visitor),
        PortAnswer(outsider_names, queries.operator_names),
    ),
)
