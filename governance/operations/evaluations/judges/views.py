"""Pages of judges: a suite's judges, one judge's agreement, and the upload of people's labels."""

import hashlib
import re
from typing import Any
from uuid import UUID

from flask import redirect, request, url_for
from wtforms import FileField, SelectField, StringField
from wtforms.validators import DataRequired, InputRequired, Length

from governance.foundation.people import queries as people
from governance.foundation.tenants.forms import one_line
from governance.kernel.errors import Invalid
from governance.kernel.pages.rendering import page
from governance.kernel.web.forms import Form, accepted
from governance.kernel.web.responses import ResponseReturnValue
from governance.operations.evaluations import figures, history, permissions, queries
from governance.operations.evaluations.judges import actions as judge_actions
from governance.operations.evaluations.judges import labels as judge_labels
from governance.operations.evaluations.judges import queries as judge_queries
from governance.operations.evaluations.judges.labels import LabelsRefused
from governance.operations.evaluations.judges.models import EvaluationJudge
from governance.operations.evaluations.models import EvaluationSuite
from governance.operations.evaluations.views import feature


class JudgeForm(Form):
    measure = SelectField(
        "Measure",
        [InputRequired("Choose a measure.")],
        choices=[],
        validate_choice=False,  # The action checks it.
    )
    provider = StringField(
        "Provider", [DataRequired("Enter the provider."), Length(max=60)], filters=[one_line]
    )
    name = StringField(
        "Model",
        [DataRequired("Enter the model."), Length(max=120)],
        filters=[one_line],
        description="As your tool writes it in its logs, without the provider.",
    )
    version = StringField(
        "Version",
        [DataRequired("Enter the version."), Length(max=60)],
        filters=[one_line],
        description="Another version is another judge: register it when it changes.",
    )


class LabelsForm(Form):
    file = FileField(
        "Labelled cases",
        [InputRequired("Choose a file.")],
        description=(
            "CSV with the columns case, human and judge. The labels are pass or fail. Meridian keeps"
            " a digest of each case."
        ),
    )


@feature.get("/evaluations/judges/", needs=permissions.VIEW)
def all_judges() -> ResponseReturnValue:
    """List the judges in use with their agreement with people, over all suites."""
    found = judge_queries.current_judges(after=request.args.get("after"))
    suite_ids = {suite.id for _judge, suite in found.rows}
    return page(
        "operations/evaluations/all_judges.html",
        rows=found.rows,
        next=found.next,
        newest=judge_queries.newest_calibrations([each.id for each, _suite in found.rows]),
        names=judge_queries.measure_names(suite_ids),
        stale=judge_queries.stale_systems(suite_ids),
    )


@feature.get("/evaluations/suites/<key>/judges/", needs=permissions.VIEW)
def judges(key: str) -> ResponseReturnValue:
    """List the judges of a suite with their agreement with people."""
    suite = queries.suite(key)
    rows = judge_queries.judges_of([suite.id])
    return page(
        "operations/evaluations/judges.html",
        suite=suite,
        rows=rows,
        newest=judge_queries.newest_calibrations([each.id for each in rows]),
        names=_measure_names(suite),
    )


def _measure_names(suite: EvaluationSuite) -> dict[str, str]:
    return {each.key: each.name for each in judge_queries.rate_measures(suite.id)}


@feature.route(
    "/evaluations/suites/<key>/judges/new", methods=["GET", "POST"], needs=permissions.MANAGE
)
def new_judge(key: str) -> ResponseReturnValue:
    """Register the judge of a measure."""
    suite, form, made = queries.suite(key), JudgeForm(), []
    form.measure.choices = list(_measure_names(suite).items())
    if request.method == "POST" and accepted(
        form,
        lambda: made.append(
            judge_actions.register(
                suite,
                measure=form.measure.data or "",
                provider=form.provider.data or "",
                name=form.name.data or "",
                version=form.version.data or "",
            )
        ),
    ):
        return redirect(url_for("evaluations.judge", judge_id=made[0].id), 303)
    status = form.status if request.method == "POST" else 200
    return page("operations/evaluations/new_judge.html", status=status, suite=suite, form=form)


@feature.get("/evaluations/judges/<uuid:judge_id>", needs=permissions.VIEW)
def judge(judge_id: UUID) -> ResponseReturnValue:
    """Show a judge with its agreement with people."""
    found = judge_queries.judge(judge_id)
    suite = queries.suite_by_id(found.suite_id)
    calibrations = judge_queries.calibrations(found.id)
    uploaders = {each.uploaded_by for each in calibrations if each.uploaded_by}
    return page(
        "operations/evaluations/judge.html",
        judge=found,
        suite=suite,
        measure=_measure_names(suite).get(found.measure_key, found.measure_key),
        calibrations=calibrations,
        newest=calibrations[0] if calibrations else None,
        names=people.names(list(uploaders)),
        moments=history.lines(found.id),
        figures=figures,
    )


@feature.route(
    "/evaluations/judges/<uuid:judge_id>/labels", methods=["GET", "POST"], needs=permissions.MANAGE
)
def judge_labels_form(judge_id: UUID) -> ResponseReturnValue:
    """Upload people's labels of cases that the judge judged."""
    found, form = judge_queries.judge(judge_id), LabelsForm()
    suite = queries.suite_by_id(found.suite_id)
    problems: list[Any] = []
    if request.method == "POST" and accepted(form, lambda: _upload(found, suite, problems)):
        return redirect(url_for("evaluations.judge", judge_id=found.id), 303)
    return page(
        "operations/evaluations/judge_labels.html",
        status=form.status if request.method == "POST" else 200,
        judge=found,
        suite=suite,
        form=form,
        problems=problems,
    )


def _upload(judge: EvaluationJudge, suite: EvaluationSuite, problems: list[Any]) -> None:
    sent = request.files.get("file")
    if sent is None or not sent.filename:
        raise Invalid("Choose a file.", field="file")
    content = sent.stream.read(judge_labels.MAX_FILE_BYTES + 1)
    try:
        cases = judge_labels.read(content)
    except LabelsRefused as refused:
        problems.extend(refused.problems)
        raise
    name = re.sub(r"[^\w .()-]", "_", sent.filename.replace("\\", "/").rpartition("/")[2])[:120]
    judge_actions.calibrate(
        judge,
        suite,
        cases,
        filename=name or "labels.csv",
        sha256=hashlib.sha256(content).hexdigest(),
    )
