"""The collectors' pages: what the console collects about itself, and one collector with its runs."""

from uuid import UUID

from flask import redirect, url_for

from governance.assurance.collectors import actions, collector_list, permissions, queries
from governance.assurance.collectors.collector_list import COLLECTORS
from governance.assurance.collectors.models import CollectorRun
from governance.assurance.collectors.periods import before, holding
from governance.foundation.people import queries as people
from governance.kernel import clock, work_pages
from governance.kernel.background_work import Run
from governance.kernel.feature import Feature
from governance.kernel.pages import filters, page
from governance.kernel.web import ResponseReturnValue

feature = Feature("collectors", __name__)


@feature.get("/evidence/collectors/", needs=permissions.VIEW)
def index() -> ResponseReturnValue:
    asked, board = COLLECTORS.read(), queries.board()
    return page("assurance/collectors/index.html", asked=asked, board=board, shown=collector_list.matching(board, asked))


@feature.get("/evidence/collectors/<key>", needs=permissions.VIEW)
def collector(key: str) -> ResponseReturnValue:
    """Its newest run with the first rows of the population, and all its runs."""
    line, after = queries.one(key), filters("after").get("after")
    found = queries.runs(key, after=after)
    runs = [queries.Seen(run, work) for run, work in found.rows]
    shown = next((seen for seen in runs if seen.run.preview), None)
    files = queries.files_of([seen.run.evidence_version_id for seen in runs if seen.run.evidence_version_id])
    today = clock.today()
    return page(
        "assurance/collectors/collector.html", line=line, progress=work_pages.shown(Run(line.last.run, line.last.work)) if line.last else None, runs=runs, next=found.next, after=after, files=files, shown=shown,
        names=people.names(seen.run.asked_by for seen in runs), previous=before(line.collector.schedule, today),
        present=holding(line.collector.schedule, today),
    )  # fmt: skip


@feature.post("/evidence/collectors/<key>/runs", needs=permissions.RUN)
def run(key: str) -> ResponseReturnValue:
    """By hand, over the last period that is over."""
    found = queries.collector(key)
    actions.ask(found, before(found.schedule, clock.today()))
    return redirect(url_for("collectors.collector", key=key), 303)


def _locked_run(collector_run_id: UUID) -> Run[CollectorRun]:
    return queries.run_of(collector_run_id, lock=True)


work_pages.add_routes(
    feature, actions.RUNS, "/evidence/collectors/runs/<uuid:collector_run_id>", _locked_run, cancel="cancellation"
)
