"""Controls, samples and results of Type II testing, created by the product's own actions."""

import io
from datetime import date, timedelta
from uuid import UUID

from governance.assurance.controls import actions as controls
from governance.assurance.controls.control_record import ControlContent
from governance.assurance.testing import (
    control_scope,
    exception_actions,
    exception_queries,
    population_actions,
    population_import,
    population_queries,
    sample_actions,
    sample_queries,
)
from governance.kernel import clock
from governance.kernel.safety import visibility_scope
from tests import make

POPULATION_HEADER = "id,on,owner"
ATTRIBUTES = ["Signed before the release", "Signed by someone else"]


def create_control(ref="SEC-07", cadence="per release", slug="acme"):
    with make.acting("compliance_officer", slug):
        return controls.create(
            ref,
            ControlContent(
                title="Red-team sign-off",
                does="A red team signs.",
                kind="preventive",
                automation="manual",
                cadence=cadence,
            ),
        ).id


def population_csv(count=61):
    today = clock.today()
    lines = [f"2026.{n},{today - timedelta(days=3 * n)},team {n % 4}" for n in range(1, count + 1)]
    return "\n".join([POPULATION_HEADER, *lines]).encode()


def freeze_population(
    control_id, content=None, slug="acme", key="releases", by="compliance_officer"
):
    today = clock.today()
    with make.acting(by, slug):
        found = control_scope.control_in_scope(control_id)
        table = population_import.read_population(
            io.BytesIO(content or population_csv()), "releases.csv"
        )
        return population_actions.freeze_population(
            found,
            key=key,
            title="Releases",
            query="select id, on, owner from releases",
            parameters={"time zone": "UTC"},
            rows=table,
            period_from=today - timedelta(days=364),
            period_to=today,
            run_at=clock.now(),
            run_by="release register",
            source="file",
        ).id


def draw_sample(population_id, seed="4417 90ce", by="reviewer", slug="acme", **options):
    with make.acting(by, slug):
        held = population_queries.population(population_id, whole=True)
        sample, _ = sample_actions.draw_sample(
            held,
            control_scope.control_in_scope(held.control_id),
            attributes=ATTRIBUTES,
            seed=seed,
            **options,
        )
        return sample.id


def record_results(sample_id, numbers=None, said="yes", note="", by="reviewer", slug="acme"):
    """Record results for the items of these numbers, or for all items if none are given."""
    with make.acting(by, slug):
        items = [
            v.item
            for v in sample_queries.items(sample_id)
            if numbers is None or v.item.number in numbers
        ]
        sample_actions.record_results(items, {ATTRIBUTES[0]: said, ATTRIBUTES[1]: "yes"}, note=note)


def create_failed_sample(number=17):
    """Draw a sample of 25 and fail one item. Return (control, sample, exception)."""
    control_id = create_control()
    sample_id = draw_sample(freeze_population(control_id))
    record_results(sample_id, set(range(1, 26)) - {number})
    record_results(sample_id, {number}, "no", "Release without sign-off")
    with make.acting(read_only=True):
        (case,) = exception_queries.exceptions(control_id=control_id)
        return control_id, sample_id, case.exception.id


def remediate_exception(exception_id, *, failed=0, sample=10):
    """Raise the exception's finding (once), fix and retest it."""
    with make.acting():
        held = exception_queries.exception(exception_id)
        found = exception_queries.finding_of(held.id) or exception_actions.raise_finding(
            held,
            title="The gate",
            plan="Close it",
            owner_id=make.person_id("contributor"),
            due_on=clock.today(),
        )
        exception_actions.report_fixed(found, "Closed")
        finding = found.id
    with make.acting("reviewer"):
        found, held = exception_queries.finding(finding)
        exception_actions.record_retest(
            found,
            held,
            control_scope.control_in_scope(held.control_id),
            tested_on=clock.today(),
            sample=sample,
            failed=failed,
            note="Tried",
        )


FIRST, LAST = date(2025, 12, 1), date(2026, 11, 30)

TODAY = date(2026, 11, 25)

NOBODY = UUID(int=7)


def auditors_see(scope):
    """Give auditors this scope within the block. Other people have none."""
    return visibility_scope.scope_finder.answered_by(
        lambda who: scope if who.role == "auditor" else None
    )
