"""The operator's pages of imported files: upload, preview, apply, discard."""

from typing import Any, cast
from uuid import UUID

from flask import flash, redirect, request, url_for

from governance.economics.imports import actions, import_summary, kinds, permissions, queries
from governance.economics.imports.cells import example
from governance.economics.imports.forms import UploadForm
from governance.economics.imports.kinds import ImportKind
from governance.economics.imports.models import FileImport
from governance.foundation.people import queries as people
from governance.kernel.errors import NotFound
from governance.kernel.files import storage
from governance.kernel.files.downloads import FILE
from governance.kernel.files.spreadsheet_writer import csv_bytes
from governance.kernel.files.uploaded_files import plain_name
from governance.kernel.pages import work_pages
from governance.kernel.pages.rendering import page, table_file
from governance.kernel.safety import access
from governance.kernel.web.feature import Feature, somebody_may
from governance.kernel.web.forms import accepted
from governance.kernel.web.identity import OPERATOR_SLUG
from governance.kernel.web.responses import ResponseReturnValue
from governance.kernel.work import background_work
from governance.kernel.work.background_work import GeneratedFile, Run

feature = Feature("imports", __name__, scope="operator")
MAX_FIELDS_BYTES = 64 * 1024  # of the form, without the file
REJECTED_HEAD = ("line", "field", "reason")


@feature.url_value_preprocessor
def take_large_files(endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """Raise the body limit for people who may import. Larger bodies are rejected unread."""
    if (
        endpoint == "imports.upload"
        and request.method == "POST"
        and somebody_may(OPERATOR_SLUG, permissions.IMPORT)
    ):
        request.max_content_length = kinds.MAX_FILE_BYTES + MAX_FIELDS_BYTES


@feature.get("/economics/imports/", needs=permissions.VIEW)
def index() -> ResponseReturnValue:
    """List the imported files, with the upload form."""
    return _index(UploadForm())


def _index(form: UploadForm, *, status: int = 200) -> ResponseReturnValue:
    found = queries.newest(request.args.get("after"))
    runs = queries.runs(found)
    return page(
        "economics/imports/index.html",
        status=status,
        form=form,
        runs=runs,
        next=found.next,
        kinds={each.name: each for each in kinds.all_kinds()},
        allowed=[each for each in kinds.all_kinds() if access.allowed(each.permission)],
        names=_names([run.row.requested_by for run in runs]),
        state_of=import_summary.state_of,
    )


def _names(ids: list[UUID | None]) -> dict[UUID, str]:
    return people.names({each for each in ids if each})


@feature.post("/economics/imports/", needs=permissions.IMPORT)
def upload() -> ResponseReturnValue:
    """Store a file and queue its reading."""
    form, rows = UploadForm(), list[FileImport]()

    def act() -> None:
        sent, kind = request.files["file"], actions.find_kind(form.kind.data)
        try:
            # The type stubs declare IO, but werkzeug's stream is a binary file.
            stream = cast("Any", sent.stream)
            rows.append(actions.upload(kind, plain_name(sent.filename), stream))
        except actions.AlreadyImported as known:
            flash(known.message)
            rows.append(known.file_import)

    if not accepted(form, act):
        return _index(form, status=form.status)
    return redirect(url_for("imports.file_import", import_id=rows[0].id), 303)


@feature.get("/economics/imports/<uuid:import_id>", needs=permissions.VIEW)
def file_import(import_id: UUID) -> ResponseReturnValue:
    """Show the preview or the result of an import."""
    return _page(queries.file_import(import_id))


def _page(row: FileImport, *, problem: str = "", status: int = 200) -> ResponseReturnValue:
    run, kind, totals = background_work.run_of(row), kinds.named(row.kind), queries.totals_of(row)
    names = _names([row.requested_by, row.decided_by])
    return page(
        "economics/imports/import.html",
        status=status,
        row=row,
        kind=kind,
        title=import_summary.headline(row, totals),
        state=import_summary.state_of(run),
        problem=problem or row.problem,
        progress=work_pages.shown(run),
        months=import_summary.by_month(totals),
        tenants=import_summary.by_tenant(totals),
        amounts=import_summary.amounts,
        names=names,
        may_decide=_may_decide(kind),
        may_discard=_may_discard(run),
    )


def _may_decide(kind: ImportKind | None) -> bool:
    return (
        kind is not None and access.allowed(kind.permission) and access.allowed(permissions.IMPORT)
    )


def _may_discard(run: Run[FileImport]) -> bool:
    return run.row.state not in {"applied", "discarded"} and run.is_over


@feature.post("/economics/imports/<uuid:import_id>/apply", needs=permissions.IMPORT)
def apply(import_id: UUID) -> ResponseReturnValue:
    """Queue the write of the whole file."""
    row = queries.file_import(import_id)
    actions.apply(row)
    return redirect(url_for("imports.file_import", import_id=row.id), 303)


@feature.post("/economics/imports/<uuid:import_id>/discard", needs=permissions.IMPORT)
def discard(import_id: UUID) -> ResponseReturnValue:
    """Discard the file."""
    row = queries.file_import(import_id)
    actions.find_kind(row.kind)
    actions.discard(row)
    return redirect(url_for("imports.index"), 303)


work_pages.add_routes(
    feature,
    actions.IMPORTS,
    "/economics/imports/<uuid:import_id>",
    lambda import_id: background_work.run_of(queries.file_import(import_id)),
)


# ---- files


@feature.get(
    "/economics/imports/<uuid:import_id>/rejected.csv", needs=permissions.VIEW, answers=FILE
)
def rejected(import_id: UUID) -> ResponseReturnValue:
    """Download the listed rejected rows with lines and reasons."""
    row = queries.file_import(import_id)
    name = f"rejected-{row.kind}-{row.sha256[:8]}.csv"
    if row.rejected_key and storage.store().exists(row.rejected_key):
        return work_pages.attachment(
            GeneratedFile(name, "text/csv; charset=utf-8", key=row.rejected_key)
        )
    return table_file(csv_bytes(REJECTED_HEAD, row.rejected), name)


@feature.get("/economics/imports/templates/<name>.csv", needs=permissions.VIEW, answers=FILE)
def template(name: str) -> ResponseReturnValue:
    """Download a template: the columns of a kind and one example line."""
    kind = kinds.named(name)
    if kind is None or not (kind.columns or kind.template):
        raise NotFound("There is no template for this kind of file.")
    if kind.template:
        return table_file(kind.template.encode(), f"{kind.name}.csv")
    head = [column.name for column in kind.columns]
    content = csv_bytes(head, [[example(column) for column in kind.columns]])
    return table_file(content, f"{kind.name}.csv")
