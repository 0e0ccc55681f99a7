"""Pages of collectors: the list, and one collector with its runs."""

from collections.abc import Sequence
from uuid import UUID

from flask import redirect, url_for

from governance.assurance.collectors import actions, collector_list, permissions, queries, run_list
from governance.assurance.collectors.collector_list import COLLECTOR_LIST
from governance.assurance.collectors.models import CollectorRun
from governance.assurance.collectors.run_list import RUNS
from governance.foundation.people import queries as people
from governance.foundation.populations.periods import period_containing, previous_period
from governance.kernel import clock
from governance.kernel.files.downloads import FILE
from governance.kernel.pages import work_pages
from governance.kernel.pages.list_export import ROWS_PER_READ, csv_file, every_page
from governance.kernel.pages.rendering import page
from governance.kernel.web.feature import Feature
from governance.kernel.web.responses import ResponseReturnValue
from governance.kernel.work.background_work import Run

feature = Feature("collectors", __name__)


@feature.get("/evidence/collectors/", needs=permissions.VIEW)
def index() -> ResponseReturnValue:
    asked, board = COLLECTOR_LIST.read(), queries.collector_statuses()
    return page(
        "assurance/collectors/index.html",
        asked=asked,
        board=board,
        shown=collector_list.matching(board, asked),
    )


@feature.get("/evidence/collectors/<key>", needs=permissions.VIEW)
def collector(key: str) -> ResponseReturnValue:
    """Show the newest run with the first rows of its population, and all runs."""
    line, asked = queries.collector_status(key), RUNS.read(place={"key": key})
    found = queries.runs(key, asked.criteria, sort=asked.sort, after=asked.after, size=RUNS.size)
    shown = next((seen for seen in found.rows if seen.run.preview), None)
    today = clock.today()
    return page(
        "assurance/collectors/collector.html",
        line=line,
        progress=work_pages.shown(Run(line.last.run, line.last.work)) if line.last else None,
        asked=asked,
        runs=found.rows,
        next=found.next,
        files=_files(found.rows),
        shown=shown,
        total=queries.count_runs(key),
        names=people.names(seen.run.requested_by for seen in found.rows),
        previous=previous_period(line.collector.schedule, today),
        present=period_containing(line.collector.schedule, today),
    )


def _files(runs: Sequence[queries.RunStatus]) -> dict[UUID, tuple[UUID, str, int]]:
    """Return (evidence id, ref, number) of each version that the runs have stored."""
    return queries.files_of(
        [seen.run.evidence_version_id for seen in runs if seen.run.evidence_version_id]
    )


@feature.get("/evidence/collectors/<key>/runs.csv", needs=permissions.VIEW, answers=FILE)
def export_runs(key: str) -> ResponseReturnValue:
    """Export all rows that match the filters."""
    queries.collector_status(key)
    asked = RUNS.read(place={"key": key})
    pages = every_page(
        lambda after: queries.runs(
            key, asked.criteria, sort=asked.sort, after=after, size=ROWS_PER_READ
        )
    )
    rows = (
        [run_list.cells(seen, files) for seen in runs] for runs in pages for files in [_files(runs)]
    )
    return csv_file(f"{key}-runs-{clock.today()}", run_list.HEAD, rows, asked)


@feature.post("/evidence/collectors/<key>/runs", needs=permissions.RUN)
def run(key: str) -> ResponseReturnValue:
    """Run the collector manually for the last closed period."""
    found = queries.find_collector(key)
    actions.request_run(found, previous_period(found.schedule, clock.today()))
    return redirect(url_for("collectors.collector", key=key), 303)


def _locked_run(collector_run_id: UUID) -> Run[CollectorRun]:
    return queries.run_of(collector_run_id, lock=True)


work_pages.add_routes(
    feature,
    actions.RUNS,
    "/evidence/collectors/runs/<uuid:collector_run_id>",
    _locked_run,
    cancel="cancellation",
)
