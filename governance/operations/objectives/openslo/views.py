"""Import objectives from an OpenSLO file, after a preview, and export them."""

from uuid import UUID

from flask import Response, flash, redirect, url_for

from governance.kernel.errors import DomainError, Invalid, NotFound, Stale
from governance.kernel.files.downloads import FILE
from governance.kernel.files.uploaded_files import keep_preview, previewed_file
from governance.kernel.formatting import plural
from governance.kernel.pages.rendering import page
from governance.kernel.web.feature import Feature
from governance.kernel.web.responses import ResponseReturnValue
from governance.operations.objectives import permissions, queries
from governance.operations.objectives.openslo import actions
from governance.operations.objectives.openslo.export import export
from governance.operations.objectives.openslo.forms import OpenSloConfirmForm, OpenSloFileForm
from governance.operations.objectives.openslo.plan import ImportPlan, plan
from governance.operations.objectives.openslo.yaml_text import MAX_FILE_BYTES, UnreadableFile

feature = Feature("openslo", __name__, counts_everything=True)
AT = "/reliability/objectives/openslo"
MEDIA_TYPE = "application/yaml; charset=utf-8"


@feature.get(f"{AT}/import", needs=permissions.MANAGE)
def new() -> ResponseReturnValue:
    return _choose_page(OpenSloFileForm())


@feature.post(f"{AT}/import", needs=permissions.MANAGE, writes=False)
def preview() -> ResponseReturnValue:
    """Show what the file would change. Only the file is kept, by its digest, for a day."""
    form = OpenSloFileForm()
    if not form.validate():
        return _choose_page(form, status=422)
    data = form.file.data.read(MAX_FILE_BYTES + 1)
    try:
        found = plan(data)
    except UnreadableFile as fault:
        form.file.errors = [*form.file.errors, str(fault)]
        return _choose_page(form, status=422)
    keep_preview(data, limit=MAX_FILE_BYTES)
    return _preview_page(found, status=422 if found.refused else 200)


@feature.post(f"{AT}/import/confirm", needs=permissions.MANAGE)
def confirm() -> ResponseReturnValue:
    """Import exactly the previewed file, if its changes are still those of the preview."""
    form = OpenSloConfirmForm()
    if not form.validate():
        raise NotFound("The import doesn't name a previewed file. Choose the file again.")
    data = previewed_file(form.sha256.data or "", limit=MAX_FILE_BYTES)
    try:
        done = actions.import_openslo(data, basis=form.basis.data)
    except DomainError as fault:
        if fault.status not in {Invalid.status, Stale.status}:
            raise
        return _preview_page(plan(data), status=fault.status, fault=fault.message)
    objectives = plural(len(done.objectives), "objective")
    flash(f"Imported {objectives} and {plural(len(done.indicators), 'indicator')}.")
    return redirect(url_for("objectives.index"), 303)


def _choose_page(form: OpenSloFileForm, *, status: int = 200) -> ResponseReturnValue:
    return page("operations/objectives/openslo_import.html", status=status, form=form)


def _preview_page(
    found: ImportPlan, *, status: int = 200, fault: str | None = None
) -> ResponseReturnValue:
    return page(
        "operations/objectives/openslo_preview.html", status=status, plan=found, fault=fault
    )


@feature.get(f"{AT}.yaml", needs=permissions.VIEW, answers=FILE)
def every_objective() -> ResponseReturnValue:
    return _file(export(queries.active_objectives()), "objectives")


@feature.get(
    "/reliability/objectives/<uuid:objective_id>/openslo.yaml",
    needs=permissions.VIEW,
    answers=FILE,
)
def one_objective(objective_id: UUID) -> ResponseReturnValue:
    objective = queries.objective(objective_id)
    return _file(export([objective]), objective.key)


def _file(content: str, name: str) -> Response:
    response = Response(content, content_type=MEDIA_TYPE)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.openslo.yaml"'
    return response
