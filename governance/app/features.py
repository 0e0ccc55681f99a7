"""The one list of features. Everything central derives from their manifests."""

from governance.assurance.access_reviews.feature import manifest as access_reviews
from governance.assurance.assessments.feature import manifest as assessments
from governance.assurance.collectors.feature import manifest as collectors
from governance.assurance.controls.feature import manifest as controls
from governance.assurance.engagements.feature import manifest as engagements
from governance.assurance.evaluation_findings.feature import manifest as evaluation_findings
from governance.assurance.evidence.feature import manifest as evidence
from governance.assurance.frameworks.feature import manifest as frameworks
from governance.assurance.incidents.feature import manifest as incidents
from governance.assurance.playbooks.feature import manifest as playbooks
from governance.assurance.previews.feature import manifest as previews
from governance.assurance.red_teams.feature import manifest as red_teams
from governance.assurance.risks.feature import manifest as risks
from governance.assurance.testing.feature import manifest as testing
from governance.economics.allocation.feature import manifest as allocation
from governance.economics.budgets.feature import manifest as cost_budgets
from governance.economics.costs.feature import manifest as costs
from governance.economics.imports.feature import manifest as imports
from governance.economics.prices.feature import manifest as prices
from governance.economics.rates.feature import manifest as rates
from governance.economics.revenue.feature import manifest as revenue
from governance.economics.reviews.feature import manifest as reviews
from governance.economics.tenant_costs.feature import manifest as tenant_costs
from governance.economics.usage.feature import manifest as usage
from governance.foundation.anchors.feature import manifest as anchors
from governance.foundation.api_keys.feature import manifest as api_keys
from governance.foundation.approvals.feature import manifest as approvals
from governance.foundation.audit.feature import manifest as audit
from governance.foundation.comments.feature import manifest as comments
from governance.foundation.glossary.feature import manifest as glossary
from governance.foundation.identity_providers.feature import manifest as identity_providers
from governance.foundation.list_views.feature import manifest as list_views
from governance.foundation.logbook.feature import manifest as logbook
from governance.foundation.notifications.feature import manifest as notifications
from governance.foundation.people.feature import manifest as people
from governance.foundation.privacy.feature import manifest as privacy
from governance.foundation.profiles.feature import manifest as profiles
from governance.foundation.scim.feature import manifest as scim
from governance.foundation.search.feature import manifest as search
from governance.foundation.support_access.feature import manifest as support_access
from governance.foundation.tenants.feature import manifest as tenants
from governance.foundation.webhooks.feature import manifest as webhooks
from governance.operations.agreements.feature import manifest as agreements
from governance.operations.alerts.feature import manifest as alerts
from governance.operations.datasets.feature import manifest as datasets
from governance.operations.decision_counts.feature import manifest as decision_counts
from governance.operations.decisions.feature import manifest as decisions
from governance.operations.evaluations.feature import manifest as evaluations
from governance.operations.intake.feature import manifest as intake
from governance.operations.maintenance.feature import manifest as maintenance
from governance.operations.measurements.feature import manifest as measurements
from governance.operations.objectives.feature import manifest as objectives
from governance.operations.policies.feature import manifest as policies
from governance.operations.rollouts.feature import manifest as rollouts
from governance.operations.switches.feature import manifest as switches
from governance.operations.systems.feature import manifest as systems
from governance.publishing.change_log.feature import manifest as change_log
from governance.publishing.explanations.feature import manifest as explanations
from governance.publishing.inbox.feature import manifest as inbox
from governance.publishing.model_cards.feature import manifest as model_cards
from governance.publishing.operator_desk.feature import manifest as operator_desk
from governance.publishing.operator_work.feature import manifest as operator_work
from governance.publishing.overview.feature import manifest as overview
from governance.publishing.red_team_reports.feature import manifest as red_team_reports
from governance.publishing.report_schedules.feature import manifest as report_schedules
from governance.publishing.reports.feature import manifest as reports
from governance.publishing.review_files.feature import manifest as review_files
from governance.publishing.statements.feature import manifest as statements
from governance.publishing.system_documents.feature import manifest as system_documents
from governance.publishing.tenant_exports.feature import manifest as tenant_exports
from governance.publishing.tenant_offboarding.feature import manifest as tenant_offboarding

FEATURES = (
    overview,
    operator_desk,
    operator_work,
    inbox,
    reports,
    statements,
    review_files,
    system_documents,
    red_team_reports,
    report_schedules,
    change_log,
    explanations,
    model_cards,
    tenant_exports,
    tenant_offboarding,
    frameworks,
    controls,
    risks,
    evidence,
    previews,
    assessments,
    evaluation_findings,
    red_teams,
    testing,
    engagements,
    collectors,
    access_reviews,
    incidents,
    playbooks,
    systems,
    intake,
    rollouts,
    switches,
    policies,
    datasets,
    decisions,
    decision_counts,
    objectives,
    alerts,
    measurements,
    evaluations,
    maintenance,
    agreements,
    reviews,
    cost_budgets,
    revenue,
    prices,
    allocation,
    costs,
    tenant_costs,
    usage,
    rates,
    imports,
    tenants,
    people,
    profiles,
    notifications,
    identity_providers,
    scim,
    api_keys,
    approvals,
    comments,
    privacy,
    support_access,
    audit,
    logbook,
    list_views,
    search,
    webhooks,
    anchors,
    glossary,
)
