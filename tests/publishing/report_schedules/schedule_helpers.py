"""Helpers that schedule reports through the page, and run the hourly job."""

from datetime import UTC, date, datetime

from sqlalchemy import func, select

from governance.assurance.assessments import assessment_actions
from governance.assurance.controls import adoption_actions
from governance.assurance.frameworks import actions as adopting
from governance.assurance.frameworks import queries as frameworks
from governance.foundation.audit.models import AuditEntry
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.publishing.report_schedules.jobs import generate
from governance.publishing.reports.models import ReportRun
from tests import make

PAGE = "reports/schedules/"
NOVEMBER = datetime(2026, 11, 25, 12, tzinfo=UTC)
DECEMBER = datetime(2026, 12, 1, 0, 17, tzinfo=UTC)
POLICY = {"kind": "policy-attestation", "cadence": "monthly"}


def recipients(*roles):
    return [str(make.person_id(role)) for role in roles]


def scheduled(person, *roles, then=303, **fields):
    chosen = recipients(*(roles or ("compliance_officer",)))
    return person.post(PAGE, then=then, recipients=chosen, **(POLICY | fields))


def generated(at=DECEMBER):
    """Run the hourly job at that time. Return all reports, oldest first."""
    with clock.frozen(at):
        generate()
    return reports()


def reports():
    r = ReportRun
    columns = (r.id, r.kind, r.title, r.parameters, r.requested_by, r.assessment_id, r.as_of)
    with make.acting("admin", read_only=True):
        return list(session().execute(select(*columns).order_by(r.created_at, r.id)))


def entries(name):
    with make.acting("admin", read_only=True):
        query = select(func.count()).where(AuditEntry.action == name)
        return session().scalar(query)


def start_assessment():
    with make.acting("compliance_officer"):
        adopting.adopt_framework("nist-ai-rmf-1.0")
        adoption_actions.adopt(["SEC-04"], with_evidence=True)
        return assessment_actions.start_assessment(
            frameworks.framework("nist-ai-rmf-1.0").id,
            title="2026",
            period_from=date(2026, 1, 1),
            period_to=date(2026, 12, 31),
        ).id
