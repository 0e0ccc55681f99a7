"""Reliability forms with another tenant's ids in their fields: rejected without a change."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from governance.assurance.incidents import actions
from governance.assurance.playbooks import actions as playbooks
from governance.assurance.playbooks.steps import PlaybookStep
from governance.foundation.audit.models import AuditEntry
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.operations.measurements.models import Indicator
from governance.operations.systems.models import AISystem
from tests import make
from tests.row_factory import RowFactory

PERSON = {"acme": "compliance_officer", "globex": "admin"}
DAYS_AHEAD = {"starts_at": 20, "ends_at": 21, "due_on": 9}  # Filled in when the test runs.
EXCLUSION = {
    "title": "Upgrade",
    "category": "maintenance",
    "reason": "A new version.",
    "starts_at": "%Y-%m-%dT09:00",
    "ends_at": "%Y-%m-%dT09:00",
}
INCIDENT = {"title": "Wrong answers", "severity": "2", "summary": "Some are wrong."}
ACTION = {"title": "Alert earlier", "due_on": "%Y-%m-%d"}
PLAYBOOK = {
    "title": "Outage",
    "used_for": "Nothing answers.",
    "step-1-title": "Look",
    "step-1-does": "instruction",
}
OBJECTIVE = {
    "name": "Availability",
    "key": "availability",
    "target": "99.5",
    "window": "rolling",
    "window_days": "30",
    "hours": "all",
    "minimum_coverage": "95",
}
FORMS = [
    ("reliability/maintenance/new", "system_id", "system", EXCLUSION),
    ("reliability/maintenance/new", "indicator_id", "indicator", EXCLUSION),
    ("reliability/objectives/new", "indicator_id", "indicator", OBJECTIVE),
    ("reliability/objectives/new", "owner_id", "person", OBJECTIVE | {"indicator_id": "own"}),
    ("reliability/playbooks/new", "owner_id", "person", PLAYBOOK),
    ("incidents/new", "systems", "system", INCIDENT),
    ("incidents/new", "lead_id", "person", INCIDENT),
    ("incidents/{incident}/impact", "system_id", "system", {"starts_at": "2026-01-05T09:00"}),
    ("incidents/{incident}/actions", "owner_id", "person", ACTION),
    ("incidents/{incident}/playbooks", "playbook", "playbook", {}),
]


@pytest.fixture
def ids_of(database):
    def made(slug):
        with make.acting("admin", slug):
            rows = RowFactory()
            ids = {"system": rows.of(AISystem), "indicator": rows.of(Indicator)}
            book = playbooks.create(title="Slow", used_for="x", steps=[PlaybookStep("Look")])
            person = make.person_id(PERSON[slug], slug)
            incident = actions.declare("Slow answers", severity=2).id
            return ids | {"playbook": book.id, "person": person, "incident": incident}

    return made


def entries() -> int:
    with make.acting("admin", read_only=True):
        return session().scalars(select(func.count()).select_from(AuditEntry)).one()


def filled(name, value, own):
    if value == "own":
        return str(own["indicator"])
    if "%" in value:
        return (clock.now() + timedelta(days=DAYS_AHEAD[name])).strftime(value)
    return value


@pytest.mark.parametrize(("path", "field", "kind", "sent"), FORMS)
def test_a_form_takes_the_tenants_own_id_and_no_other(as_admin, ids_of, path, field, kind, sent):
    own, theirs = ids_of("acme"), ids_of("globex")
    sent = {name: filled(name, value, own) for name, value in sent.items()}
    address, before = path.format(**own), entries()
    for wrong in (theirs[kind], "00000000-0000-0000-0000-000000000000"):
        reply = as_admin.post(address, then=None, **sent | {field: str(wrong)})
        assert reply.status_code in {404, 422}, f"{wrong}: {reply.status_code}"
        assert "Globex" not in reply.text and "globex" not in reply.text
    assert entries() == before
    as_admin.post(address, then=303, **sent | {field: str(own[kind])})
    assert entries() > before
