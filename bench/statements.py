"""Month close measured: its time for all tenants grows linearly with their number.

measure(…)      closes the month of N tenants, then of 2 N

Each tenant has one agreement, one indicator, and a month of minutes. A close counts them, signs
the data file, lays out the PDF in a child and files the revision.
"""

import time
from datetime import UTC, datetime

from sqlalchemy import func, select, text

from bench.table import Row
from governance.foundation.people.jobs import actor_of
from governance.foundation.tenants import actions as tenants
from governance.foundation.tenants import queries as directory
from governance.foundation.tenants.system_actor import system_actor_in
from governance.kernel import clock, current
from governance.kernel.data.db import session, transaction
from governance.kernel.data.monthly_partitions import utc_month
from governance.kernel.intervals import Span
from governance.kernel.work import jobs
from governance.operations.measurements import partitions
from governance.publishing.statements import jobs as closing
from governance.publishing.statements.models import StatementRevision

TENANTS = 8
GOAL = 1.25  # Time per tenant of twice as many tenants, relative to the first ones.
DUE = datetime(2026, 11, 10, 12, tzinfo=UTC)
OCTOBER = Span(datetime(2026, 9, 30, 22, tzinfo=UTC), datetime(2026, 10, 31, 23, tzinfo=UTC))

FILL = """
    INSERT INTO indicator_minutes (tenant_id, indicator_id, at, received_at, good, total, down)
    SELECT :tenant, :indicator, at, at, CASE WHEN n % 90 = 0 THEN 0 ELSE 3 END, 3, n % 90 = 0
    FROM generate_series(CAST(:start AS timestamptz), CAST(:last AS timestamptz), '1 minute')
         WITH ORDINALITY AS minutes (at, n)
"""


def measure(*, quick: bool) -> list[Row]:
    """Return the rows of this section."""
    first = TENANTS // 4 if quick else TENANTS
    few = _close([f"month-{n}" for n in range(first)]) / first
    many = _close([f"later-month-{n}" for n in range(2 * first)]) / (2 * first)
    return [
        (f"closing a month, {first} tenants", few * 1000, "ms each", None, ""),
        (f"closing a month, {2 * first} tenants", many * 1000, "ms each", None, ""),
        ("time per tenant, twice as many", many / few, "times", None, f"≤ {GOAL}"),
    ]


def _close(slugs: list[str]) -> float:
    """Return the seconds to close the month of these new tenants, each exactly once."""
    for slug in slugs:
        _tenant(slug)
    begun = time.perf_counter()
    with clock.frozen(DUE):
        for slug in slugs:
            with current.acting_as(_actor(slug)), transaction():
                closing.start_due(DUE)
        jobs.drain(actor_of)
    seconds = time.perf_counter() - begun
    for slug in slugs:
        with current.acting_as(_actor(slug)), transaction(read_only=True):
            count = session().scalar(select(func.count()).select_from(StatementRevision))
        if count != 1:
            raise RuntimeError(f"{slug} has {count} revisions")
    return seconds


def _actor(slug: str) -> current.Actor:
    tenant_id = directory.tenant_id(slug)
    if tenant_id is None:
        raise RuntimeError(f"no tenant {slug}")
    return system_actor_in(tenant_id, slug, slug.title())


def _tenant(slug: str) -> None:
    from tests.publishing.statements import statement_helpers as helpers

    if directory.tenant_id(slug) is None:
        tenants.create_tenant(slug, slug.title(), kind="customer")
    with current.acting_as(_actor(slug)), transaction():
        made = helpers.indicator()
        helpers.agree(commitments=[{"indicator_id": made.id}])
        partitions.MINUTES.ensure([utc_month(OCTOBER.start), utc_month(OCTOBER.end)])
        session().execute(
            text(FILL),
            {
                "tenant": made.tenant_id,
                "indicator": made.id,
                "start": OCTOBER.start,
                "last": OCTOBER.end.replace(hour=22, minute=59),
            },
        )
