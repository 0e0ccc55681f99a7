"""Every table, for the migrations and for the proofs over all of them."""

from governance.assessments import models as assessments
from governance.audit import models as audit
from governance.controls import models as controls
from governance.evidence import models as evidence
from governance.frameworks import models as frameworks
from governance.kernel import jobs
from governance.people import models as people
from governance.reports import models as reports
from governance.systems import models as systems
from governance.tenants import models as tenants

__all__ = ["assessments", "audit", "controls", "evidence", "frameworks", "jobs", "people", "reports", "systems", "tenants"]
