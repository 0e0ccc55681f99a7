"""Pages to add, change and remove the measures of a draft."""

from flask import redirect, request, url_for

from governance.kernel.errors import DomainError, NotFound
from governance.kernel.pages.rendering import page
from governance.kernel.web.forms import accepted
from governance.kernel.web.responses import ResponseReturnValue
from governance.operations.evaluations import permissions, queries
from governance.operations.evaluations.coverage.owasp import EDITIONS
from governance.operations.evaluations.forms import PublishForm
from governance.operations.evaluations.models import EvaluationSuite, SuiteVersion
from governance.operations.evaluations.suites import measure_actions
from governance.operations.evaluations.suites.measure_forms import MeasureForm, form_of
from governance.operations.evaluations.views import feature


def _open_draft(key: str) -> tuple[EvaluationSuite, SuiteVersion]:
    """Return the suite and its open draft, locked if the request changes it."""
    found = queries.suite(key, lock=request.method == "POST")
    version = queries.versions(found.id)[0]
    if version.is_published or found.is_retired:
        raise DomainError(
            f"{found.name} is retired."
            if found.is_retired
            else f"Version {version.number} is published, so it can't change. Draft the next one."
        )
    return found, version


@feature.route(
    "/evaluations/suites/<key>/measures/new", methods=["GET", "POST"], needs=permissions.MANAGE
)
def new_measure(key: str) -> ResponseReturnValue:
    """Add a measure to the open draft."""
    found, version = _open_draft(key)
    return _measure_page(found, version, MeasureForm(), "")


@feature.route(
    "/evaluations/suites/<key>/measures/<measure_key>",
    methods=["GET", "POST"],
    needs=permissions.MANAGE,
)
def edit_measure(key: str, measure_key: str) -> ResponseReturnValue:
    """Change a measure of the open draft."""
    found, version = _open_draft(key)
    if request.method == "POST":
        return _measure_page(found, version, MeasureForm(), measure_key)
    measures = {each.key: each for each in queries.measures(version.id)}
    if measure_key not in measures:
        raise NotFound("This measure doesn't exist, or you don't have access to it.")
    return _measure_page(found, version, form_of(measures[measure_key]), measure_key)


def _measure_page(
    found: EvaluationSuite, version: SuiteVersion, form: MeasureForm, measure_key: str
) -> ResponseReturnValue:
    is_sent = request.method == "POST"
    if is_sent and accepted(
        form,
        lambda: measure_actions.save_measure(
            version, form.measure, key=measure_key, seen=form.seen.data or ""
        ),
    ):
        return redirect(url_for("evaluations.suite", key=found.key), 303)
    now = measure_actions.fingerprint(version, queries.measures(version.id))
    if form.stale or not is_sent:
        form.seen.data = now
    return page(
        "operations/evaluations/measure.html",
        status=form.status if is_sent else 200,
        suite=found,
        version=version,
        form=form,
        measure_key=measure_key,
        fingerprint=now,
        editions=EDITIONS,
    )


@feature.post("/evaluations/suites/<key>/measures/<measure_key>/remove", needs=permissions.MANAGE)
def remove_measure(key: str, measure_key: str) -> ResponseReturnValue:
    """Remove a measure of the open draft."""
    found, version = _open_draft(key)
    if PublishForm().validate():
        measure_actions.remove_measure(
            version, key=measure_key, seen=request.form.get("seen", "")[:64]
        )
    return redirect(url_for("evaluations.suite", key=found.key), 303)
