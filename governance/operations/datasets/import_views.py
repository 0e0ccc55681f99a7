"""Import a Croissant file as the draft of a data set, after a preview."""

from flask import flash, redirect, url_for

from governance.kernel.errors import NotFound
from governance.kernel.files.uploaded_files import keep_preview, previewed_file
from governance.kernel.pages.rendering import page
from governance.kernel.web.forms import accepted, uuid_or_none
from governance.kernel.web.responses import ResponseReturnValue
from governance.operations.datasets import actions, content, croissant, permissions, queries
from governance.operations.datasets.croissant import CroissantDataSet
from governance.operations.datasets.forms import CroissantConfirmForm, CroissantFileForm
from governance.operations.datasets.json_text import MAX_FILE_BYTES, UnreadableFile
from governance.operations.datasets.models import DataSet
from governance.operations.datasets.slugs import slug_of
from governance.operations.datasets.views import feature


@feature.get("/data-sets/import", needs=permissions.EDIT)
def choose_file() -> ResponseReturnValue:
    return _choose_page(CroissantFileForm())


@feature.post("/data-sets/import", needs=permissions.EDIT, writes=False)
def preview_file() -> ResponseReturnValue:
    """Show what the file would fill. Only the file is kept, by its digest, for a day."""
    form = CroissantFileForm()
    if not form.validate():
        return _choose_page(form, status=422)
    data = form.file.data.read(MAX_FILE_BYTES + 1)
    try:
        found = croissant.read(data)
    except UnreadableFile as fault:
        form.file.errors = [*form.file.errors, str(fault)]
        return _choose_page(form, status=422)
    keep_preview(data, limit=MAX_FILE_BYTES)
    return _preview_page(found, CroissantConfirmForm())


@feature.post("/data-sets/import/confirm", needs=permissions.EDIT)
def confirm_file() -> ResponseReturnValue:
    """Save the previewed file as a draft."""
    form, made = CroissantConfirmForm(), list[DataSet]()
    if form.sha256.data is None or not form.sha256.validate(form):
        raise NotFound("The import doesn't name a previewed file. Choose the file again.")
    found = croissant.read(previewed_file(form.sha256.data, limit=MAX_FILE_BYTES))
    into = uuid_or_none(form.into.data)

    def act() -> None:
        made.append(
            actions.import_croissant(
                found,
                into=queries.data_set(into, lock=True) if into else None,
                key=form.key.data or "",
                owner_id=uuid_or_none(form.owner_id.data),
            )
        )

    if not accepted(form, act):
        return _preview_page(found, form, status=form.status)
    flash(f"{made[0].name}: the file is imported as a draft.")
    return redirect(url_for("datasets.publishing", data_set_id=made[0].id), 303)


def _choose_page(form: CroissantFileForm, *, status: int = 200) -> ResponseReturnValue:
    return page("operations/datasets/import.html", status=status, form=form)


def _preview_page(
    found: CroissantDataSet, form: CroissantConfirmForm, *, status: int = 200
) -> ResponseReturnValue:
    return page(
        "operations/datasets/import_preview.html",
        status=status,
        found=found,
        form=form,
        sha256=found.content.file_sha256,
        slug=form.key.data or slug_of(found.name),
        shown=content.shown(found.content),
        labels=content.LABELS,
        missing=content.missing(found.content),
    )
