"""Controls that depend on alerts and on the follow-up of incidents.

Overdue work lowers them, with a reason that names it, from its due date until it is done.
"""

from datetime import UTC, datetime, timedelta

import pytest

from governance.assurance.controls import adoption_actions, queries
from governance.assurance.controls.status import status
from governance.assurance.frameworks import actions as adopting
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.operations.alerts import actions as alerts
from governance.operations.alerts.models import Alert
from governance.operations.systems import actions as systems
from tests import make
from tests.assurance.controls.reliability_rows import add_alert, add_follow_up, add_incident

NOW = datetime(2026, 11, 25, 9, 24, tzinfo=UTC)


@pytest.fixture(autouse=True)
def fixed_day(app):
    with clock.frozen(NOW):
        yield


@pytest.fixture
def claims_triage(app, isolated):
    """Adopt the controls a month ago: MON-02 depends on alerts, INC-01 on incidents."""
    with clock.frozen(NOW - timedelta(days=60)), make.acting("compliance_officer"):
        adopting.adopt_framework("nist-ai-rmf-1.0")
        adoption_actions.adopt(["MON-02", "INC-01"], with_evidence=False)
        return systems.register(
            key="claims-triage", stage="live", name="x", purpose="x", lane="standard", owner_id=None
        ).id


def reasons(ref: str, at: datetime = NOW) -> list[str]:
    """Return the reasons of the control that alerts and incidents give at that time."""
    with clock.frozen(at), make.acting("compliance_officer", read_only=True):
        found = next(c for c in queries.ledger().at(at) if c.ref == ref)
        day = at.date()
        judged = status(found, today=day, period_from=day - timedelta(days=90), period_to=day)
        return [r.fact for r in judged.reasons if r.kind in {"alert", "incident"}]


def test_an_alert_counts_once_nobody_answered_it_for_a_day(claims_triage):
    with make.acting("admin"):
        add_alert(claims_triage, NOW - timedelta(hours=30))
    said = ["Nobody answered ALR-7 on claims-triage · Availability within a day."]
    assert reasons("MON-02") == said and reasons("INC-01") == []
    assert reasons("MON-02", NOW - timedelta(hours=8)) == []
    with make.acting("admin"):
        alerts.acknowledge(session().query(Alert).one().id)
    assert reasons("MON-02", NOW + timedelta(minutes=1)) == []
    assert reasons("MON-02", NOW - timedelta(minutes=1)) == said


def test_a_review_and_a_follow_up_count_from_the_day_they_were_due(claims_triage):
    with make.acting("admin"):
        found = add_incident(NOW - timedelta(days=15))
        add_follow_up(found, NOW - timedelta(days=2))
        add_follow_up(found, NOW - timedelta(days=9), done_at=NOW - timedelta(days=9))
    assert sorted(reasons("INC-01")) == [
        "An action of INC-34 is overdue: Add 40 cases.",
        "The review of INC-34 (Approvals cited a withdrawn clause) isn't closed.",
    ]
    assert reasons("INC-01", NOW - timedelta(days=5)) == []
