"""An agreement of Acme with two commitments, and two days of October's minutes."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from sqlalchemy import select

from governance.foundation.people.jobs import actor_of
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.kernel.work import jobs
from governance.operations.agreements.models import (
    Agreement,
    AgreementContact,
    AgreementVersion,
    Commitment,
)
from governance.operations.agreements.terms import fingerprint_of, terms_of
from governance.operations.maintenance.models import Exclusion
from governance.operations.measurements import actions as measurements
from governance.publishing.statements.models import Statement, StatementRevision
from tests import make
from tests.operations.measurements.measurement_helpers import system_of

MINUTE = timedelta(minutes=1)
BACKFILL = timedelta(days=300)  # They may be 400 days old, also where TODAY is years later.
KEY = "triage-availability"
EARLY = datetime(2026, 11, 2, 12, tzinfo=UTC)  # Before the close day.
DUE = datetime(2026, 11, 3, 12, tzinfo=UTC)


def at(day, hour=0, minute=0):
    return datetime(2026, 10, day, hour, minute, tzinfo=UTC)


def agree(
    number=1,
    *,
    direction="to_tenant",
    counterparty="Acme Insurance",
    commitments=(),
    effective=datetime(2026, 9, 30, 22, tzinfo=UTC),
    version=1,
    agreement=None,
    **changed,
):
    """Add an agreement with an accepted version, written as its rows."""
    if agreement is None:
        agreement = Agreement(
            direction=direction,
            number=number,
            name=f"Service {number}",
            counterparty=counterparty,
            created_by=None,
            ended_at=None,
            ended_by=None,
        )
        session().add(agreement)
        session().flush()
    values = {
        "agreement_id": agreement.id,
        "number": version,
        "state": "draft",
        "side": "provider",
        "effective_from": effective,
        "ends_on": None,
        "time_zone": "Europe/Berlin",
        "currency": "EUR",
        "monthly_fee": 1_240_000,
        "credit_cap": Decimal("0.3"),
        "minimum_coverage": Decimal("0.01"),
        "close_day": 3,
        "maintenance_notice_hours": 72,
        "excluded_categories": ["maintenance"],
        "claim_days": 30,
        "business_hours": {},
        "reason": "",
        "drafted_by": None,
        "proposed_by": None,
        "proposed_at": effective,
        "terms": None,
        "accepted_at": effective,
    }
    row = AgreementVersion(**values | changed)
    session().add(row)
    session().flush()
    promised = []
    for clause, each in enumerate(commitments, 1):
        promised.append(
            Commitment(
                **{
                    "version_id": row.id,
                    "clause": clause,
                    "objective_id": None,
                    "indicator_id": None,
                    "vendor_kind": None,
                    "target": Decimal("0.99"),
                    "bands": [["0.99", "0.1"], ["0.98", "0.25"]],
                    "fee_part": 520_000,
                }
                | each
            )
        )
        session().add(promised[-1])
    session().flush()
    row.terms = terms_of(agreement, row, promised, [])
    row.fingerprint, row.state = fingerprint_of(row.terms), "accepted"
    session().flush()
    return agreement


def indicator(key=KEY, kind="downtime", vendor=None):
    return measurements.define(
        key=key, name=f"{key}, measured", system_id=system_of().id, kind=kind, vendor=vendor
    )


def store(of, start, minutes, good=3, total=3):
    """Store minutes of one indicator, as a backfill."""
    rows = [(of.id, start + n * MINUTE, good, total) for n in range(minutes)]
    with clock.frozen(min(clock.now(), start + BACKFILL)):
        measurements.store(rows, backfill_reason="a test's month")


def october(number=1):
    """Add two days of minutes, of which 60 are down: 2,820 of 2,880, which is 97.9%: 25%."""
    made = indicator()
    store(made, at(1), 2880)
    store(made, at(2, 6), 60, good=0)
    agreement = agree(number, commitments=[{"indicator_id": made.id}])
    session().add(
        AgreementContact(
            agreement_id=agreement.id,
            side="customer",
            purpose="service credits",
            name="Ines Duarte",
            email="ines.duarte@acme.example",
        )
    )
    return agreement, made


def october_with_maintenance():
    """Add the same, with 30 of the 60 minutes under maintenance.

    Return the ids of agreement and indicator.
    """
    with make.acting("admin"):
        agreement, made = october()
        session().add(maintenance_exclusion(made))
        return agreement.id, made.id


def maintenance_exclusion(made):
    """Add 2 October, 06:00 to 06:30 UTC: 30 of the 60 minutes down, announced 46 hours before."""
    start = at(2, 6)
    return Exclusion(
        number=5,
        title="Database upgrade",
        category="maintenance",
        system_id=made.system_id,
        indicator_id=None,
        starts_at=start,
        ends_at=start + 30 * MINUTE,
        time_zone="UTC",
        rrule=None,
        repeat_until=None,
        last_end=start + 30 * MINUTE,
        announced_at=start - 100 * 60 * MINUTE,
        reason="Upgrade",
        is_customer_visible=True,
        state="approved",
        requested_by=None,
        approved_by=None,
        approved_at=None,
        withdrawn_at=None,
        withdrawn_by=None,
    )


def close(acting, now=DUE):
    """Run the hourly job's two steps, and the work that they queue."""
    from governance.publishing.statements import actions, queries
    from governance.publishing.statements import jobs as closing

    with clock.frozen(now):
        with acting("admin"):
            closing.start_due(now)
        with acting("admin"):
            for each in queries.due_here():
                actions.request_revision(each)
        jobs.drain(actor_of)
    for tried in range(1, jobs.MAX_ATTEMPTS):  # A busy machine may resume work.
        with clock.frozen(now + tried * timedelta(minutes=2)):
            jobs.drain(actor_of)


def only_statement():
    return session().scalars(select(Statement)).one()


def revisions():
    query = select(StatementRevision).order_by(StatementRevision.number)
    return session().scalars(query).all()
