"""Pages of findings, and of the controls that rest on each suite's measures."""

from typing import Any
from uuid import UUID

from flask import flash, redirect, request, url_for

from governance.assurance.controls import queries as controls
from governance.assurance.evaluation_findings import (
    finding_actions,
    mapping_actions,
    permissions,
    queries,
)
from governance.assurance.evaluation_findings.forms import (
    CloseForm,
    MappingForm,
    ProposedForm,
    UnmapForm,
)
from governance.assurance.evaluation_findings.models import EvaluationFinding
from governance.foundation.people import queries as people
from governance.kernel.formatting import plural
from governance.kernel.pages.rendering import page
from governance.kernel.web.feature import Feature
from governance.kernel.web.forms import accepted
from governance.kernel.web.responses import ResponseReturnValue
from governance.operations.evaluations import queries as evaluations
from governance.operations.evaluations.judges import queries as judge_queries
from governance.operations.evaluations.releases import promotion
from governance.operations.evaluations.series import week_charts as charts
from governance.operations.evaluations.series.this_week import WeekCell
from governance.operations.systems import queries as systems

feature = Feature("evaluation_findings", __name__)


# ---- findings


@feature.get("/evaluations/findings/", needs=permissions.VIEW)
def index() -> ResponseReturnValue:
    """List the open findings, or the closed ones."""
    closed = request.args.get("state") == "closed"
    found = queries.findings(closed=closed, after=request.args.get("after"))
    return page(
        "assurance/evaluation_findings/index.html",
        rows=found.rows,
        next=found.next,
        closed=closed,
        undecided=queries.undecided_findings([row[0] for row in found.rows]),
    )


@feature.get("/evaluations/findings/<uuid:evaluation_finding_id>", needs=permissions.VIEW)
def finding(evaluation_finding_id: UUID) -> ResponseReturnValue:
    """Show one finding: the runs that missed and passed, and what follows from it."""
    found, system, suite = queries.finding_and_about(evaluation_finding_id)
    runs = queries.runs(found)
    verdict = promotion.promotion_verdict(system.id, runs[found.last_run_id][0].release)
    rows = _rows(found, runs)
    return page(
        "assurance/evaluation_findings/finding.html",
        finding=found,
        system=system,
        suite=suite,
        rows=rows,
        undecided=rows[-1]["cell"].stale if rows and found.is_open else "",
        tier=evaluations.policy_tier_name(),
        controls=queries.controls(found),
        verdict=verdict,
        moments=[_line(each) for each in people.timeline([found.id])],
        closer=people.names([found.closed_by]).get(found.closed_by) if found.closed_by else None,
        charts=charts,
    )


def _line(moment: people.Moment) -> dict[str, Any]:
    """Return a line of the history: what happened in which run, or a person's note."""
    kinds = {finding_actions.PASSED.name: "ok", finding_actions.CLOSED.name: "ok"}
    run = moment.facts.get("run")
    return {
        "kind": kinds.get(moment.action, "bad"),
        "text": f"{moment.who} {moment.says}",
        "meta": moment.reason or (f"Run {run:,}" if isinstance(run, int) else ""),
        "at": moment.at,
    }


def _rows(found: EvaluationFinding, runs: dict[UUID, Any]) -> list[dict[str, Any]]:
    """Return the runs of a finding with their results for its measure."""
    tier, judges = evaluations.policy_tier(), judge_queries.judges_of_system(found.system_id)
    stale = judge_queries.stale_by(
        ((run, version.suite_id) for run, version in runs.values()), judges
    )
    why = {run.id: queries.undecided(found, run, version, stale) for run, version in runs.values()}
    cells = {
        run_id: WeekCell(measure, runs[run_id][0], result, tier, (), why[run_id])
        for run_id, (result, measure) in queries.results(found).items()
    }
    named = [("First miss", found.first_run_id)]
    if found.last_run_id != found.first_run_id:
        named.append(("Newest miss", found.last_run_id))
    if found.passed_run_id:
        named.append(("Passed since", found.passed_run_id))
    return [
        {"label": label, "run": runs[run_id][0], "version": runs[run_id][1], "cell": cells[run_id]}
        for label, run_id in named
        if run_id in cells
    ]


@feature.route(
    "/evaluations/findings/<uuid:evaluation_finding_id>/close",
    methods=["GET", "POST"],
    needs=permissions.CLOSE,
)
def close(evaluation_finding_id: UUID) -> ResponseReturnValue:
    """Close a finding with a note."""
    found, form = queries.finding(evaluation_finding_id, lock=request.method == "POST"), CloseForm()
    if request.method == "POST" and accepted(
        form, lambda: finding_actions.close(found, note=form.note.data or "")
    ):
        return redirect(url_for("evaluation_findings.finding", evaluation_finding_id=found.id), 303)
    system, suite = queries.about(found)
    return page(
        "assurance/evaluation_findings/close.html",
        status=form.status if request.method == "POST" else 200,
        finding=found,
        system=system,
        suite=suite,
        form=form,
    )


@feature.get("/systems/<system_key>/findings", needs=permissions.VIEW)
def of_system(system_key: str) -> ResponseReturnValue:
    """Show the findings of one AI system, and what blocks its newest release."""
    system = systems.system(system_key)
    release, rows = promotion.newest_release(system.id), queries.findings_of(system.id)
    return page(
        "assurance/evaluation_findings/of_system.html",
        system=system,
        owner=people.names([system.owner_id]).get(system.owner_id) if system.owner_id else None,
        rows=rows,
        undecided=queries.undecided_findings([row[0] for row in rows]),
        verdicts=[(release, promotion.promotion_verdict(system.id, release))] if release else [],
    )


# ---- controls that rest on measures


@feature.get("/evaluations/controls/", needs=permissions.VIEW)
def mapped() -> ResponseReturnValue:
    """List the suites with the number of their mappings."""
    return page(
        "assurance/evaluation_findings/mapped.html",
        rows=[row for row in evaluations.suites() if not row[0].is_retired],
        counts=queries.mapped_counts(),
    )


@feature.get("/evaluations/controls/<key>", needs=permissions.VIEW)
def mapping(key: str) -> ResponseReturnValue:
    """Show the controls that rest on each measure of a suite."""
    return _mapping(key, MappingForm())


def _mapping(key: str, form: MappingForm, *, status: int = 200) -> ResponseReturnValue:
    suite = evaluations.suite(key)
    measures = mapping_actions.deciding_measures(suite)
    form.measure.choices = list(measures.items())
    resting: dict[str, list[Any]] = {}
    for measure, control in queries.measure_controls(suite.id):
        resting.setdefault(measure, []).append(control)
    return page(
        "assurance/evaluation_findings/mapping.html",
        status=status,
        suite=suite,
        measures=measures,
        resting=resting,
        form=form,
        proposed=ProposedForm(),
    )


@feature.post("/evaluations/controls/<key>", needs=permissions.MAP)
def map_measure(key: str) -> ResponseReturnValue:
    """Make a control rest on a measure."""
    suite, form = evaluations.suite(key), MappingForm()
    form.measure.choices = list(mapping_actions.deciding_measures(suite).items())
    if not accepted(
        form,
        lambda: mapping_actions.map_measure(
            suite,
            form.measure.data or "",
            controls.find_control(form.control_id.data, lock=True),
        ),
    ):
        return _mapping(key, form, status=form.status)
    return redirect(url_for("evaluation_findings.mapping", key=key), 303)


@feature.post("/evaluations/controls/<key>/proposed", needs=permissions.MAP)
def map_proposed(key: str) -> ResponseReturnValue:
    """Map the controls on the proposed MEASURE requirements."""
    suite, form = evaluations.suite(key), ProposedForm()
    if form.validate():
        added = mapping_actions.map_proposed(suite)
        flash(f"{plural(added, 'mapping')} added." if added else "No control is to be added.")
    return redirect(url_for("evaluation_findings.mapping", key=key), 303)


@feature.post("/evaluations/controls/<key>/remove", needs=permissions.MAP)
def unmap_measure(key: str) -> ResponseReturnValue:
    """Remove a control's mapping to a measure."""
    suite, form = evaluations.suite(key), UnmapForm()
    if form.validate():
        control = controls.find_control(form.control_id.data, lock=True)
        mapping_actions.unmap_measure(suite, form.measure.data or "", control)
    return redirect(url_for("evaluation_findings.mapping", key=key), 303)
