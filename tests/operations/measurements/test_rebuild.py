"""`governance rebuild-indicators`, which recounts hours and days and reports differences."""

from click.testing import CliRunner
from sqlalchemy import select

from governance.app import cli
from governance.foundation.audit.models import AuditEntry
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.operations.measurements import actions
from governance.operations.measurements.models import HOURS
from tests import make
from tests.operations.measurements.measurement_helpers import MINUTE, NOW, define


def run(*arguments: str):
    span = ["--from", "2026-11-01", "--to", "2026-12-01"]
    return CliRunner().invoke(
        cli.main, ["rebuild-indicators", *span, *arguments], obj=cli.CONNECTED
    )


def test_what_differs_is_corrected_reported_and_recorded(database):
    with clock.frozen(NOW):
        for slug in ("acme", "globex"):
            with make.acting("admin", slug):
                mine = define()
                actions.store([(mine, NOW - n * MINUTE, 1, 2) for n in range(1, 100)])
    with make.acting("admin"):
        session().execute(HOURS.update().values(good=0))
    other = run("--tenant", "globex")
    assert (other.exit_code, other.output) == (
        0,
        "globex: 1 indicators counted, 0 rows corrected\n",
    )
    found = run()
    assert found.exit_code == 1 and "acme: 1 indicators counted, 2 rows corrected" in found.output
    assert run().exit_code == 0
    with make.acting("admin"):
        query = select(AuditEntry).where(AuditEntry.action == actions.REPAIRED.name)
        assert [entry.facts["rows"] for entry in session().scalars(query)] == [2]


def test_a_span_that_ends_before_it_begins_is_refused(database):
    found = run("--to", "2026-10-01")
    assert found.exit_code == 2 and "--to must be after --from" in found.output
