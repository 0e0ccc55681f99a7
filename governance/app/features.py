"""The one list of features: a line for each folder of `governance`.

Everything central derives from their manifests. Where parts of several features are listed together
and nothing else orders them, as in the inbox, this order applies.
"""

from importlib import import_module

from governance.kernel.manifest import Manifest

FOLDERS = (
    "publishing.overview",
    "publishing.operator_desk",
    "publishing.operator_work",
    "publishing.inbox",
    "publishing.reports",
    "publishing.statements",
    "publishing.review_files",
    "publishing.system_documents",
    "publishing.red_team_reports",
    "publishing.report_schedules",
    "publishing.change_log",
    "publishing.explanations",
    "publishing.model_cards",
    "publishing.tenant_exports",
    "publishing.tenant_offboarding",
    "assurance.frameworks",
    "assurance.controls",
    "assurance.risks",
    "assurance.evidence",
    "assurance.previews",
    "assurance.assessments",
    "assurance.evaluation_findings",
    "assurance.red_teams",
    "assurance.testing",
    "assurance.engagements",
    "assurance.collectors",
    "assurance.access_reviews",
    "assurance.incidents",
    "assurance.playbooks",
    "operations.systems",
    "operations.intake",
    "operations.rollouts",
    "operations.switches",
    "operations.policies",
    "operations.datasets",
    "operations.decisions",
    "operations.decision_counts",
    "operations.objectives",
    "operations.alerts",
    "operations.measurements",
    "operations.evaluations",
    "operations.maintenance",
    "operations.agreements",
    "economics.reviews",
    "economics.budgets",
    "economics.revenue",
    "economics.prices",
    "economics.allocation",
    "economics.costs",
    "economics.tenant_costs",
    "economics.usage",
    "economics.rates",
    "economics.imports",
    "foundation.tenants",
    "foundation.people",
    "foundation.profiles",
    "foundation.notifications",
    "foundation.identity_providers",
    "foundation.scim",
    "foundation.api_keys",
    "foundation.approvals",
    "foundation.comments",
    "foundation.privacy",
    "foundation.support_access",
    "foundation.audit",
    "foundation.logbook",
    "foundation.list_views",
    "foundation.search",
    "foundation.webhooks",
    "foundation.anchors",
    "foundation.glossary",
)


def _manifest_of(folder: str) -> Manifest:
    found: Manifest = import_module(f"governance.{folder}.feature").manifest
    return found


FEATURES = tuple(_manifest_of(folder) for folder in FOLDERS)
