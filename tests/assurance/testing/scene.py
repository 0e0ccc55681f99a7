"""What the tests of Type II testing begin with, by the product's own actions."""

import io
from datetime import timedelta

from governance.assurance.controls import actions as controls
from governance.assurance.testing import actions, population_import, queries
from governance.kernel import clock
from tests import make

HEAD = "id,on,owner"
ATTRIBUTES = ["Signed before the release", "Signed by somebody else"]


def control(ref="SEC-07", cadence="per release", slug="acme"):
    with make.acting("compliance_officer", slug):
        return controls.create(
            ref, "Red-team sign-off", "A red team signs.", kind="preventive", automation="manual", cadence=cadence
        ).id


def rows(count=61):
    today = clock.today()
    lines = [f"2026.{n},{today - timedelta(days=3 * n)},team {n % 4}" for n in range(1, count + 1)]
    return "\n".join([HEAD, *lines]).encode()


def frozen(control_id, content=None, slug="acme", key="releases", by="compliance_officer"):
    today = clock.today()
    with make.acting(by, slug):
        found = queries.control(control_id)
        table = population_import.read(io.BytesIO(content or rows()), "releases.csv")
        return actions.freeze(
            found, key=key, title="Releases", query="select id, on, owner from releases", parameters={"time zone": "UTC"}, rows=table,
            period_from=today - timedelta(days=364), period_to=today, run_at=clock.now(), run_by="release register", source="file",
        ).id  # fmt: skip


def drawn(population_id, seed="4417 90ce", by="reviewer", slug="acme", **options):
    with make.acting(by, slug):
        held = queries.population(population_id, whole=True)
        sample, _ = actions.draw(held, queries.control(held.control_id), attributes=ATTRIBUTES, seed=seed, **options)
        return sample.id


def record(sample_id, numbers=None, said="yes", note="", by="reviewer", slug="acme"):
    """The same for the items of these numbers (all, if none are given)."""
    with make.acting(by, slug):
        items = [v.item for v in queries.items(sample_id) if numbers is None or v.item.number in numbers]
        actions.record_results(items, {ATTRIBUTES[0]: said, ATTRIBUTES[1]: "yes"}, note=note)


def failed(number=17):
    """A sample of 25 with one item that failed; (control, sample, exception)."""
    control_id = control()
    sample_id = drawn(frozen(control_id))
    record(sample_id, set(range(1, 26)) - {number})
    record(sample_id, {number}, "no", "Release without sign-off")
    with make.acting(read_only=True):
        (case,) = queries.exceptions(control_id=control_id)
        return control_id, sample_id, case.exception.id
