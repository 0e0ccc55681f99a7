"""Pages to freeze a population, show it, download it, and draw a sample from it."""

from datetime import UTC, date, datetime, time
from uuid import UUID

from flask import flash, redirect, request, url_for

from governance.assurance.controls.models import Control
from governance.assurance.evidence.file_types import find_type, safe_name
from governance.assurance.testing import (
    control_scope,
    matrix_queries,
    permissions,
    population_actions,
    population_import,
    population_queries,
    sample_actions,
    sample_queries,
)
from governance.assurance.testing.forms import (
    PopulationFreezeForm,
    PopulationUploadForm,
    SampleDrawForm,
)
from governance.assurance.testing.models import Population, Sample
from governance.assurance.testing.sampling import (
    METHOD,
    advise_size,
    spaced_seed,
)
from governance.assurance.testing.views import feature
from governance.assurance.testing.work_in_progress import (
    current_engagement,
)
from governance.foundation.people.aliases import shown_names
from governance.kernel import clock
from governance.kernel.errors import Invalid
from governance.kernel.files.downloads import FILE
from governance.kernel.files.spreadsheet_writer import csv_bytes
from governance.kernel.formatting import plural
from governance.kernel.pages.rendering import page, table_file
from governance.kernel.web.forms import accepted, counted
from governance.kernel.web.responses import ResponseReturnValue

ROWS_SHOWN = 50  # Rows of a population shown on its page.


@feature.route(
    "/evidence/type-ii/<uuid:control_id>/freeze", methods=["GET", "POST"], needs=permissions.MANAGE
)
def freeze(control_id: UUID) -> ResponseReturnValue:
    """Freeze what a collector finds now, or the control's own evidence."""
    control, made = control_scope.control_in_scope(control_id), list[Population]()
    form = PopulationFreezeForm(**_days())
    form.key.choices = _freezable(control)
    if request.method == "POST" and accepted(form, lambda: made.append(_freeze(control, form))):
        return _frozen(made[0])
    return page(
        "assurance/testing/freeze.html",
        control=control,
        form=form,
        status=form.status if request.method == "POST" else 200,
    )


def _days() -> dict[str, date]:
    first, last = matrix_queries.default_period(engaged=current_engagement()())
    return {"period_from": first, "period_to": min(last, clock.today())}


def _freezable(control: Control) -> list[tuple[str, str]]:
    return [
        *population_queries.collector_choices(control.ref),
        ("evidence", "Accepted versions of the control's evidence"),
    ]


def _freeze(control: Control, form: PopulationFreezeForm) -> Population:
    first, last = form.period_from.data, form.period_to.data
    assert first is not None
    assert last is not None
    if form.key.data == "evidence":
        return population_actions.freeze_versions(control, first, last)
    return population_actions.freeze_collected(control, form.key.data, first, last)


@feature.route(
    "/evidence/type-ii/<uuid:control_id>/upload", methods=["GET", "POST"], needs=permissions.MANAGE
)
def upload(control_id: UUID) -> ResponseReturnValue:
    """Freeze an uploaded CSV or XLSX list from another system."""
    control, made = control_scope.control_in_scope(control_id), list[Population]()
    form = PopulationUploadForm(**_days(), run_on=clock.today())
    if request.method == "POST" and accepted(form, lambda: made.append(_upload(control, form))):
        return _frozen(made[0])
    return page(
        "assurance/testing/upload.html",
        control=control,
        form=form,
        status=form.status if request.method == "POST" else 200,
    )


def _upload(control: Control, form: PopulationUploadForm) -> Population:
    sent = request.files.get("file")
    if sent is None or not sent.filename:
        raise Invalid("Choose a file.", field="file")
    name = safe_name(sent.filename)
    # Werkzeug types the stream as IO, but it is a binary file.
    kind = find_type(sent.stream, name)  # type: ignore[arg-type]
    if not {"csv", "xlsx"} & set(kind.endings):
        raise Invalid(f"{name} is {kind.says}. Upload a CSV or XLSX table.", field="file")
    assert form.period_from.data is not None
    assert form.period_to.data is not None
    assert form.run_on.data is not None
    return population_actions.freeze_population(
        control,
        key=f"file: {(form.title.data or '').strip().casefold()}",
        title=form.title.data or "",
        query=form.query.data or "",
        parameters={"file": name},
        # The stream is a binary file, as above.
        rows=population_import.read_population(sent.stream, name),  # type: ignore[arg-type]
        period_from=form.period_from.data,
        period_to=form.period_to.data,
        run_at=(
            min(clock.now(), datetime.combine(form.run_on.data, time(), UTC))
            if form.run_on.data <= clock.today()
            else datetime.combine(form.run_on.data, time(), UTC)
        ),
        run_by=form.run_by.data or "",
        source="file",
    )


def _frozen(population: Population) -> ResponseReturnValue:
    flash(
        f"{plural(population.row_count, 'row')} frozen with SHA-256 {population.sha256[:8]}…."
        " You can draw a sample now."
    )
    return redirect(url_for("testing.population", population_id=population.id), 303)


@feature.get("/evidence/type-ii/populations/<uuid:population_id>", needs=permissions.VIEW)
def population(population_id: UUID) -> ResponseReturnValue:
    return _population(population_queries.population(population_id, whole=True), SampleDrawForm())


def _population(
    population: Population, form: SampleDrawForm, *, status: int = 200
) -> ResponseReturnValue:
    control = control_scope.control_in_scope(population.control_id)
    start = max(0, counted(request.args.get("from", "0")))
    return page(
        "assurance/testing/population.html",
        status=status,
        p=population,
        control=control,
        intact=population_queries.is_as_frozen(population),
        rows=population.rows[start : start + ROWS_SHOWN],
        start=start,
        following=start + ROWS_SHOWN if start + ROWS_SHOWN < population.row_count else None,
        columns=list(population.rows[0]) if population.rows else [],
        rerun=next(
            (
                f.rerun
                for f in population_queries.populations(control.id)
                if f.population.id == population.id
            ),
            "",
        ),
        names=shown_names([population.frozen_by]),
        samples=[s for s in sample_queries.samples(control.id) if s.population.id == population.id],
        form=form,
        spaced=spaced_seed,
        method=METHOD,
        advice=advise_size(sample_queries.sample_sizes(), control.cadence, population.row_count),
    )


@feature.post(
    "/evidence/type-ii/populations/<uuid:population_id>/download",
    needs=permissions.VIEW,
    answers=FILE,
)
def download(population_id: UUID) -> ResponseReturnValue:
    population = population_queries.population(population_id, whole=True)
    population_actions.record_download(population)
    columns = list(population.rows[0]) if population.rows else []
    content = csv_bytes(columns, ([row.get(c) for c in columns] for row in population.rows))
    return table_file(content, f"population-{population.sha256[:8]}.csv")


@feature.post("/evidence/type-ii/populations/<uuid:population_id>/samples", needs=permissions.TEST)
def draw(population_id: UUID) -> ResponseReturnValue:
    population, form, made = (
        population_queries.population(population_id, whole=True),
        SampleDrawForm(),
        list[tuple[Sample, bool]](),
    )
    control = control_scope.control_in_scope(population.control_id)
    if not accepted(
        form,
        lambda: made.append(
            sample_actions.draw_sample(
                population,
                control,
                attributes=form.lines,
                seed=form.seed.data or "",
                size=form.size.data,
                reason=form.reason.data or "",
            )
        ),
    ):
        return _population(population, form, status=form.status)
    drawn, new = made[0]
    if new:
        flash(
            f"{drawn.size} of {plural(population.row_count, 'item')} drawn with seed"
            f" {spaced_seed(drawn.seed)}."
        )
    else:
        flash(
            f"Seed {spaced_seed(drawn.seed)} draws the same {plural(drawn.size, 'item')},"
            " so this is the existing sample."
        )
    return redirect(url_for("testing.sample", sample_id=drawn.id), 303)
