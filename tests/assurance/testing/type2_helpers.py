"""What the tests of Type II testing begin with, by the product's own actions."""

import io
from datetime import date, timedelta
from uuid import UUID

from governance.assurance.controls import actions as controls
from governance.assurance.testing import actions, population_import, queries
from governance.kernel import clock
from tests import make

POPULATION_HEADER = "id,on,owner"
ATTRIBUTES = ["Signed before the release", "Signed by somebody else"]


def create_control(ref="SEC-07", cadence="per release", slug="acme"):
    with make.acting("compliance_officer", slug):
        return controls.create(
            ref,
            "Red-team sign-off",
            "A red team signs.",
            kind="preventive",
            automation="manual",
            cadence=cadence,
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
        found = queries.control(control_id)
        table = population_import.read(io.BytesIO(content or population_csv()), "releases.csv")
        return actions.freeze(
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
        held = queries.population(population_id, whole=True)
        sample, _ = actions.draw(
            held, queries.control(held.control_id), attributes=ATTRIBUTES, seed=seed, **options
        )
        return sample.id


def record_results(sample_id, numbers=None, said="yes", note="", by="reviewer", slug="acme"):
    """The same for the items of these numbers (all, if none are given)."""
    with make.acting(by, slug):
        items = [
            v.item for v in queries.items(sample_id) if numbers is None or v.item.number in numbers
        ]
        actions.record_results(items, {ATTRIBUTES[0]: said, ATTRIBUTES[1]: "yes"}, note=note)


def create_failed_sample(number=17):
    """A sample of 25 with one item that failed; (control, sample, exception)."""
    control_id = create_control()
    sample_id = draw_sample(freeze_population(control_id))
    record_results(sample_id, set(range(1, 26)) - {number})
    record_results(sample_id, {number}, "no", "Release without sign-off")
    with make.acting(read_only=True):
        (case,) = queries.exceptions(control_id=control_id)
        return control_id, sample_id, case.exception.id


def remediate_exception(exception_id, *, failed=0, sample=10):
    """Its finding raised (once), fixed and retested."""
    with make.acting():
        held = queries.exception(exception_id)
        found = queries.finding_of(held.id) or actions.raise_finding(
            held,
            title="The gate",
            plan="Close it",
            owner_id=make.person_id("contributor"),
            due_on=clock.today(),
        )
        actions.remedy(found, "Closed")
        finding = found.id
    with make.acting("reviewer"):
        found, held = queries.finding(finding)
        actions.retest(
            found,
            held,
            queries.control(held.control_id),
            tested_on=clock.today(),
            sample=sample,
            failed=failed,
            note="Tried",
        )


FIRST, LAST = date(2025, 12, 1), date(2026, 11, 30)

TODAY = date(2026, 11, 25)

NOBODY = UUID(int=7)
