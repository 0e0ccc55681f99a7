"""Every table, for the migrations and for the proofs over all of them."""

from governance.assurance.access_reviews import models as access_reviews
from governance.assurance.assessments import models as assessments
from governance.assurance.collectors import models as collectors
from governance.assurance.controls import models as controls
from governance.assurance.engagements import models as engagements
from governance.assurance.evidence import models as evidence
from governance.assurance.frameworks import models as frameworks
from governance.assurance.testing import models as testing
from governance.foundation.anchors import models as anchors
from governance.foundation.api_keys import models as api_keys
from governance.foundation.approvals import models as approvals
from governance.foundation.audit import models as audit
from governance.foundation.logbook import models as logbook
from governance.foundation.people import models as people
from governance.foundation.privacy import models as privacy
from governance.foundation.tenants import models as tenants
from governance.kernel import jobs, tenant_revision, undo
from governance.operations.decision_counts import models as decisions
from governance.operations.decisions import models as ofrep
from governance.operations.policies import models as policies
from governance.operations.switches import models as switches
from governance.operations.systems import models as systems
from governance.publishing.reports import models as reports

__all__ = [
           "access_reviews",
           "anchors",
           "api_keys",
           "approvals",
           "assessments",
           "audit",
           "collectors",
           "controls",
           "decisions",
           "engagements",
           "evidence",
           "frameworks",
           "jobs",
           "logbook",
           "ofrep",
           "people",
           "policies",
           "privacy",
           "reports",
           "switches",
           "systems",
           "tenant_revision",
           "tenants",
           "testing",
           "undo",
]  # fmt: skip
