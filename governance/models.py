"""Every table, for the migrations and for the proofs over all of them."""

from governance.access_reviews import models as access_reviews
from governance.anchors import models as anchors
from governance.api_keys import models as api_keys
from governance.assessments import models as assessments
from governance.audit import models as audit
from governance.collectors import models as collectors
from governance.controls import models as controls
from governance.decisions import models as decisions
from governance.engagements import models as engagements
from governance.evidence import models as evidence
from governance.frameworks import models as frameworks
from governance.kernel import jobs, marks, undo
from governance.logbook import models as logbook
from governance.ofrep import models as ofrep
from governance.people import models as people
from governance.policies import models as policies
from governance.privacy import models as privacy
from governance.reports import models as reports
from governance.switches import models as switches
from governance.systems import models as systems
from governance.tenants import models as tenants
from governance.testing import models as testing

__all__ = ["access_reviews", "anchors", "api_keys", "assessments", "audit", "collectors", "controls", "decisions", "engagements", "evidence", "frameworks", "jobs", "logbook", "marks",
           "ofrep", "people", "policies", "privacy", "reports", "switches", "systems", "tenants", "testing", "undo"]  # fmt: skip
