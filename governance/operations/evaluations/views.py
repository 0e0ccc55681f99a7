"""Pages of evaluations: this week, suites and their versions, runs."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, cast
from uuid import UUID

from flask import flash, redirect, request, url_for

from governance.foundation.people import queries as people
from governance.kernel import clock
from governance.kernel.files.uploaded_files import plain_name
from governance.kernel.pages import work_pages
from governance.kernel.pages.rendering import page
from governance.kernel.web.feature import Feature, somebody_may
from governance.kernel.web.forms import accepted
from governance.kernel.web.responses import ResponseReturnValue
from governance.kernel.work import background_work
from governance.operations.evaluations import figures, history, permissions, queries
from governance.operations.evaluations.coverage import queries as coverage
from governance.operations.evaluations.coverage.owasp import EDITIONS
from governance.operations.evaluations.forms import (
    DraftForm,
    PublishForm,
    RunForm,
    SuiteForm,
    SuiteReasonForm,
)
from governance.operations.evaluations.judges import queries as judge_queries
from governance.operations.evaluations.judges.week_judge import judge_of_week
from governance.operations.evaluations.models import EvaluationRun
from governance.operations.evaluations.releases import served_releases
from governance.operations.evaluations.runs import actions as run_actions
from governance.operations.evaluations.runs import reading_words
from governance.operations.evaluations.series import this_week
from governance.operations.evaluations.series import week_charts as charts
from governance.operations.evaluations.series.weeks import monday_of
from governance.operations.evaluations.suites import actions as suite_actions
from governance.operations.evaluations.suites import measure_actions
from governance.operations.systems import queries as systems

feature = Feature("evaluations", __name__)
MAX_FIELDS_BYTES = 64 * 1024  # Limit of the form's other fields


@feature.url_value_preprocessor
def take_large_files(endpoint: str | None, values: dict[str, Any] | None) -> None:
    """Allow larger requests for people who import. An even larger body is rejected unread."""
    slug = (values or {}).get("tenant", "")
    if (
        endpoint == "evaluations.import_run"
        and request.method == "POST"
        and somebody_may(slug, permissions.IMPORT)
    ):
        request.max_content_length = run_actions.MAX_FILE_BYTES + MAX_FIELDS_BYTES


# ---- this week


@feature.get("/evaluations/", needs=permissions.VIEW)
def index() -> ResponseReturnValue:
    """Show the results of this week by AI system and measure."""
    week = monday_of(clock.today())
    found = queries.evaluated_systems(after=request.args.get("after"))
    ids = [system.id for system in found.rows]
    runs = queries.runs_between(week - timedelta(weeks=this_week.WEEKS - 1), week, ids)
    results = queries.results_of([run.id for run, _suite, _system in runs])
    stale = judge_queries.stale((run, suite.id) for run, suite, _system in runs if run.week == week)
    roles = served_releases.roles_of(ids)
    table = this_week.week_table(week, queries.policy_tier(), runs, results, stale, roles)
    return page(
        "operations/evaluations/index.html",
        table=table,
        tier=queries.policy_tier_name(),
        next=found.next,
        has_suites=bool(queries.open_suites()),
        asks=figures.asks,
        charts=charts,
        judge=judge_of_week(table),
        risks=_risk_counts(),
        risk_title=coverage.title_of,
    )


def _risk_counts() -> Sequence[coverage.RiskCount]:
    """Return the newest edition's risks, with how many active systems tested each in 30 days."""
    edition = EDITIONS[0]
    tested_in = coverage.systems_tested(edition, clock.now() - coverage.RECENT)
    return coverage.counts_of(edition, tested_in, systems.counts()["live"])


# ---- runs


@feature.get("/evaluations/runs/", needs=permissions.VIEW)
def runs() -> ResponseReturnValue:
    """List the runs, newest first."""
    found = queries.runs(after=request.args.get("after"))
    return page(
        "operations/evaluations/runs.html",
        rows=found.rows,
        next=found.next,
        state_of=_state_of,
    )


def _state_of(run: EvaluationRun) -> tuple[str, str]:
    if run.state == "reading":
        return "info", "Reading"
    if run.state == "refused":
        return "bad", "Refused"
    if run.outcome != "completed":
        return "due", f"{(run.outcome or '').capitalize()} run"
    return "ok", "Judged"


@feature.get("/evaluations/runs/new", needs=permissions.IMPORT)
def new_run() -> ResponseReturnValue:
    return _new_run(RunForm())


def _new_run(form: RunForm, *, status: int = 200) -> ResponseReturnValue:
    return page("operations/evaluations/import.html", status=status, form=form)


@feature.post("/evaluations/runs/new", needs=permissions.IMPORT)
def import_run() -> ResponseReturnValue:
    """Store a run's file. A background job reads and judges it."""
    form = RunForm()
    runs = list[EvaluationRun]()

    def act() -> None:
        sent, suite = request.files["file"], queries.suite_by_id(form.suite_id.data)
        try:
            run = run_actions.import_run(
                cast("Any", sent.stream),  # werkzeug's stream is a binary file.
                system=systems.system(form.system_id.data),
                suite=suite,
                version=queries.version(suite.id),
                release=form.release.data or "",
                name=plain_name(sent.filename),
                model=form.model.data or "",
            )
        except run_actions.AlreadyImported as known:
            flash(known.message)
            run = known.run
        runs.append(run)

    if not accepted(form, act):
        return _new_run(form, status=form.status)
    return redirect(url_for("evaluations.run", run_id=runs[0].id), 303)


@feature.get("/evaluations/runs/<uuid:run_id>", needs=permissions.VIEW)
def run(run_id: UUID) -> ResponseReturnValue:
    """Show one run: its verdicts, or why it was rejected."""
    found = queries.run(run_id)
    suite, version, system = queries.about(found)
    today, tier = queries.policy_tier(), queries.judged_by(found)
    names = queries.tier_names({today, tier})
    stale = judge_queries.stale([(found, suite.id)])
    results = queries.results_of([found.id])
    cells = [
        this_week.WeekCell(
            measure,
            found,
            result,
            tier,
            stale=stale.get((found.id, measure.key), ""),
            today=today,
        )
        for result, measure in results
    ]
    roles = served_releases.roles_of([system.id]).get(system.id)
    is_unknown = served_releases.is_unknown(roles, found.release)
    return page(
        "operations/evaluations/run.html",
        role=roles.get(found.release) if roles else None,
        is_unknown=is_unknown,
        is_earlier=is_unknown and served_releases.was_recorded(system.id, found.release),
        is_unrecorded=roles is None,
        is_stated=served_releases.is_stated(roles),
        run=found,
        suite=suite,
        version=version,
        system=system,
        cells=cells,
        read=reading_words.what_was_read(found, results),
        wanted=this_week.wanted_cases(cells),
        corrected=judge_queries.corrected_results(suite.id, results, stale),
        amount=figures.amount,
        tier=names[tier],
        today=names[today],
        is_today=today == tier,
        state=_state_of(found),
        progress=work_pages.shown(background_work.run_of(found)),
        requester=people.names([found.requested_by]).get(found.requested_by)
        if found.requested_by
        else None,
        asks=figures.asks,
        charts=charts,
    )


work_pages.add_routes(
    feature,
    run_actions.RUNS,
    "/evaluations/runs/<uuid:run_id>",
    lambda run_id: background_work.run_of(queries.run(run_id)),
)


# ---- suites


@feature.get("/evaluations/suites/", needs=permissions.VIEW)
def suites() -> ResponseReturnValue:
    """List the suites."""
    return page("operations/evaluations/suites.html", rows=queries.suites())


@feature.route("/evaluations/suites/new", methods=["GET", "POST"], needs=permissions.MANAGE)
def new_suite() -> ResponseReturnValue:
    form = SuiteForm()
    if request.method == "POST" and accepted(
        form,
        lambda: suite_actions.create(
            key=form.key.data or "",
            name=form.name.data or "",
            purpose=form.purpose.data or "",
            owner_id=form.owner_id.data,
            pack=form.pack.data or "",
        ),
    ):
        return redirect(url_for("evaluations.suite", key=form.key.data), 303)
    status = form.status if request.method == "POST" else 200
    return page("operations/evaluations/new_suite.html", status=status, form=form)


@feature.get("/evaluations/suites/<key>", needs=permissions.VIEW)
def suite(key: str) -> ResponseReturnValue:
    """Show a suite with its newest version, or the requested one."""
    found = queries.suite(key)
    versions = queries.versions(found.id)
    number = request.args.get("version", type=int)
    shown = queries.version(found.id, number) if number else versions[0]
    return page(
        "operations/evaluations/suite.html",
        suite=found,
        versions=versions,
        version=shown,
        measures=queries.measures(shown.id),
        owner=people.names([found.owner_id]).get(found.owner_id) if found.owner_id else None,
        moments=history.lines(found.id),
        limit=figures.limit,
        asks=figures.asks,
    )


@feature.post("/evaluations/suites/<key>/draft", needs=permissions.MANAGE)
def draft(key: str) -> ResponseReturnValue:
    """Draft the next version, or open the existing draft."""
    suite_actions.draft(queries.suite(key, lock=True))
    return redirect(url_for("evaluations.editing", key=key), 303)


@feature.route("/evaluations/suites/<key>/edit", methods=["GET", "POST"], needs=permissions.MANAGE)
def editing(key: str) -> ResponseReturnValue:
    """Edit the open draft."""
    found = queries.suite(key, lock=request.method == "POST")
    version = queries.versions(found.id)[0]
    form = DraftForm(obj=version)

    def act() -> None:
        measure_actions.check_seen(version, form.seen.data or "")
        suite_actions.edit_draft(
            version,
            method=form.method.data or "",
            task_success=form.task_success.data or "",
            cases=form.cases.data,
            cases_sha256=form.cases_sha256.data or None,
        )

    if request.method == "POST" and accepted(form, act):
        return redirect(url_for("evaluations.suite", key=key), 303)
    if form.stale or request.method == "GET":
        form.seen.data = measure_actions.fingerprint(version, queries.measures(version.id))
    status = form.status if request.method == "POST" else 200
    return page(
        "operations/evaluations/edit_draft.html",
        status=status,
        suite=found,
        version=version,
        form=form,
    )


@feature.post("/evaluations/suites/<key>/publish", needs=permissions.MANAGE)
def publish(key: str) -> ResponseReturnValue:
    """Publish the open draft."""
    found = queries.suite(key, lock=True)
    form = PublishForm()
    if form.validate():
        suite_actions.publish(queries.versions(found.id)[0], found)
    return redirect(url_for("evaluations.suite", key=key), 303)


@feature.route(
    "/evaluations/suites/<key>/versions/<int:number>/withdraw",
    methods=["GET", "POST"],
    needs=permissions.MANAGE,
)
def withdraw(key: str, number: int) -> ResponseReturnValue:
    """Withdraw a published version."""
    found, form = queries.suite(key), SuiteReasonForm()
    version = queries.version(found.id, number)
    if request.method == "POST" and accepted(
        form, lambda: suite_actions.withdraw(version, found, reason=form.reason.data or "")
    ):
        return redirect(url_for("evaluations.suite", key=key), 303)
    status = form.status if request.method == "POST" else 200
    return page(
        "operations/evaluations/withdraw.html",
        status=status,
        suite=found,
        version=version,
        form=form,
    )


@feature.route(
    "/evaluations/suites/<key>/retire", methods=["GET", "POST"], needs=permissions.MANAGE
)
def retire(key: str) -> ResponseReturnValue:
    """Retire a suite."""
    found, form = queries.suite(key, lock=request.method == "POST"), SuiteReasonForm()
    if request.method == "POST" and accepted(
        form, lambda: suite_actions.retire(found, reason=form.reason.data or "")
    ):
        return redirect(url_for("evaluations.suite", key=key), 303)
    status = form.status if request.method == "POST" else 200
    return page("operations/evaluations/retire.html", status=status, suite=found, form=form)
