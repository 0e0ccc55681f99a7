"""Pages of requests to runners: the list, a new request, and its progress."""

from typing import Any
from uuid import UUID

from flask import flash, redirect, request, url_for

from governance.foundation.people import queries as people
from governance.kernel.errors import DomainError
from governance.kernel.formatting import plural
from governance.kernel.pages.rendering import page
from governance.kernel.web.feature import Feature
from governance.kernel.web.forms import accepted
from governance.kernel.web.responses import ResponseReturnValue
from governance.operations.evaluations import history, permissions, queries
from governance.operations.evaluations.forms import RunRequestForm
from governance.operations.evaluations.models import EvaluationSuite
from governance.operations.evaluations.requests import actions as request_actions
from governance.operations.evaluations.requests import queries as request_queries
from governance.operations.evaluations.requests import runner_messages, undecided_runs
from governance.operations.evaluations.requests.models import EvaluationRequest
from governance.operations.systems import queries as systems
from governance.operations.systems.models import AISystem

feature = Feature("evaluation_requests", __name__)
STATES = {
    "sent": ("info", "Sent"),
    "running": ("info", "Running"),
    "done": ("ok", "Run sent"),
    "failed": ("bad", "Failed"),
    "cancelled": ("none", "Cancelled"),
    "unanswered": ("due", "No answer"),
}


@feature.get("/evaluations/requests/", needs=permissions.VIEW)
def index() -> ResponseReturnValue:
    """List the runners, and the requests to them, newest first."""
    found = request_queries.requests(after=request.args.get("after"))
    return page(
        "operations/evaluations/requests.html",
        runners=request_queries.runners(),
        rows=found.rows,
        next=found.next,
        states=STATES,
        event_type=runner_messages.EVENT_TYPE,
    )


@feature.get("/evaluations/requests/new", needs=permissions.REQUEST)
def new() -> ResponseReturnValue:
    """Request a run from the runners, or show the command and address if there are none."""
    suite, system = _named()
    form = RunRequestForm(
        system_id=system.id if system else None,
        suite_id=suite.id if suite else None,
        release=request.args.get("release", "")[:60],
        samples=request.args.get("samples", type=int),
    )
    return _new(form, suite, system)


def _named() -> tuple[EvaluationSuite | None, AISystem | None]:
    """Return the suite and the system that the address names."""
    suite, system = request.args.get("suite"), request.args.get("system")
    return (
        queries.suite(suite) if suite else None,
        systems.system(system) if system else None,
    )


def _new(
    form: RunRequestForm, suite: EvaluationSuite | None, system: AISystem | None, status: int = 200
) -> ResponseReturnValue:
    release = str(form.release.data or "")
    address = runner_messages.push_address(
        system.key if system else "SYSTEM",
        suite.key if suite else "SUITE",
        None,
        release or "RELEASE",
    )
    return page(
        "operations/evaluations/new_request.html",
        status=status,
        form=form,
        runners=request_queries.runners(),
        address=address,
        command=runner_messages.push_command(address),
        event_type=runner_messages.EVENT_TYPE,
    )


@feature.post("/evaluations/requests/new", needs=permissions.REQUEST)
def create() -> ResponseReturnValue:
    """Send the request to the runners."""
    form = RunRequestForm()
    if not form.validate():
        return _new(form, None, None, status=422)
    suite, system = queries.suite_by_id(form.suite_id.data), systems.system(form.system_id.data)
    rows = list[EvaluationRequest]()

    def act() -> None:
        rows.append(
            request_actions.request(
                system=system,
                suite=suite,
                version=queries.version(suite.id),
                release=form.release.data or "",
                samples=form.samples.data,
            )
        )

    if not accepted(form, act):
        return _new(form, suite, system, status=form.status)
    return redirect(url_for("evaluation_requests.shown", request_id=rows[0].id), 303)


@feature.get("/evaluations/requests/undecided", needs=permissions.REQUEST)
def undecided() -> ResponseReturnValue:
    """Show the runs that would decide this week's open results, before requesting them."""
    return _undecided()


def _undecided(problem: str = "", status: int = 200) -> ResponseReturnValue:
    return page(
        "operations/evaluations/undecided.html",
        status=status,
        rows=undecided_runs.undecided_runs(),
        runners=request_queries.runners(),
        event_type=runner_messages.EVENT_TYPE,
        problem=problem,
    )


@feature.post("/evaluations/requests/undecided", needs=permissions.REQUEST)
def request_undecided() -> ResponseReturnValue:
    """Request all of them from the runners."""
    try:
        made, waiting = undecided_runs.request_all()
    except DomainError as refused:
        return _undecided(refused.message, refused.status)
    said = f"Asked for {plural(len(made), 'run')}."
    if waiting:
        said += f" {plural(waiting, 'more run')} can be asked for once some of these have ended."
    flash(said)
    return redirect(url_for("evaluation_requests.index"), 303)


@feature.get("/evaluations/requests/<uuid:request_id>", needs=permissions.VIEW)
def shown(request_id: UUID) -> ResponseReturnValue:
    """Show a request: its runner's progress, or the run that it sent."""
    found = request_queries.request(request_id)
    suite, version, system = request_queries.about(found)
    return page(
        "operations/evaluations/request.html",
        asked=found,
        suite=suite,
        version=version,
        system=system,
        run=queries.run(found.run_id) if found.run_id else None,
        state=STATES[found.state],
        requester=_name(found),
        moments=history.lines(found.id),
        **_addresses(found, suite, version.number, system),
    )


def _addresses(
    found: EvaluationRequest, suite: EvaluationSuite, number: int, system: AISystem
) -> dict[str, Any]:
    address = runner_messages.push_address(
        system.key, suite.key, number, found.release, str(found.id)
    )
    return {"address": address, "command": runner_messages.push_command(address)}


def _name(found: EvaluationRequest) -> Any:
    return (
        people.names([found.requested_by]).get(found.requested_by) if found.requested_by else None
    )


@feature.post("/evaluations/requests/<uuid:request_id>/cancel", needs=permissions.REQUEST)
def cancel(request_id: UUID) -> ResponseReturnValue:
    """Cancel an open request."""
    request_actions.cancel(request_queries.request(request_id, lock=True))
    return redirect(url_for("evaluation_requests.shown", request_id=request_id), 303)
