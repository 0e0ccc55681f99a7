"""Pages of data sets: the list, one with its versions and uses, adding and retiring."""

from collections.abc import Sequence
from uuid import UUID

from flask import flash, redirect, request, url_for

from governance.foundation.people import assigning
from governance.foundation.people import queries as people
from governance.foundation.people.owners import assignee_choices, names_among, owner_choices
from governance.kernel import clock
from governance.kernel.errors import NotFound
from governance.kernel.files.downloads import FILE
from governance.kernel.files.spreadsheet_writer import Cell
from governance.kernel.pages.list_export import ROWS_PER_READ, csv_file, every_page
from governance.kernel.pages.rendering import page
from governance.kernel.pages.undo_pages import undo_offer
from governance.kernel.web.feature import Feature
from governance.kernel.web.forms import accepted, uuid_or_none
from governance.kernel.web.responses import ResponseReturnValue
from governance.operations.datasets import actions, content, permissions, queries
from governance.operations.datasets.dataset_list import CSV_HEADER, DATA_SETS, csv_cells
from governance.operations.datasets.forms import (
    AssignDataSetsForm,
    DataSetForm,
    DataSetRetireForm,
    NewDataSetForm,
    UseForm,
)
from governance.operations.datasets.models import DataSet
from governance.operations.datasets.queries import DataSetRow
from governance.operations.datasets.states import KINDS, STATES

feature = Feature("datasets", __name__)


@feature.get("/data-sets/", needs=permissions.VIEW)
def index() -> ResponseReturnValue:
    asked = DATA_SETS.read()
    found = queries.data_sets(
        asked.criteria, sort=asked.sort, after=asked.after, size=DATA_SETS.size
    )
    assignees = assignee_choices() if asked.may_select else []
    return page(
        "operations/datasets/index.html",
        list_request=asked,
        rows=found.rows,
        next=found.next,
        counts=queries.counts(),
        systems=queries.systems_by_data_set([row.data_set.id for row in found.rows]),
        names=names_among((row.data_set.owner_id for row in found.rows), assignees),
        assignees=assignees,
        STATES=STATES,
        KINDS=KINDS,
    )


@feature.post("/data-sets/assign", needs=permissions.EDIT)
def assign_selected() -> ResponseReturnValue:
    return assigning.assign_owner(
        "data set",
        "data sets",
        AssignDataSetsForm(),
        home="datasets.index",
        find=queries.find_data_sets,
        called=("name", "key"),
        address=lambda row: url_for("datasets.data_set", data_set_id=row.id),
        why_not=actions.why_not,
        assign=actions.assign_all,
    )


@feature.post("/data-sets/undo/<uuid:undo_offer_id>", needs=permissions.EDIT)
def undo_change(undo_offer_id: UUID) -> ResponseReturnValue:
    return undo_offer(undo_offer_id, actions.UNDOABLE, url_for("datasets.index"))


@feature.get("/data-sets/export.csv", needs=permissions.VIEW, answers=FILE)
def export() -> ResponseReturnValue:
    """Export every data set that the filters match."""
    asked = DATA_SETS.read()
    pages = every_page(
        lambda after: queries.data_sets(
            asked.criteria, sort=asked.sort, after=after, size=ROWS_PER_READ
        )
    )
    return csv_file(
        f"data-sets-{clock.today()}", CSV_HEADER, (_cells(rows) for rows in pages), asked
    )


def _cells(rows: Sequence[DataSetRow]) -> list[Sequence[Cell]]:
    names = people.names(row.data_set.owner_id for row in rows)
    systems = queries.systems_by_data_set([row.data_set.id for row in rows])
    return [
        csv_cells(
            row,
            [each.name for each in systems.get(row.data_set.id, ())],
            names.get(row.data_set.owner_id) if row.data_set.owner_id else None,
        )
        for row in rows
    ]


@feature.route("/data-sets/new", methods=["GET", "POST"], needs=permissions.EDIT)
def new() -> ResponseReturnValue:
    form, made = NewDataSetForm(), list[DataSet]()

    def save() -> None:
        made.append(
            actions.add(
                key=form.key.data or "",
                name=form.name.data or "",
                description=form.description.data or "",
                owner_id=uuid_or_none(form.owner_id.data),
            )
        )

    if request.method == "POST" and accepted(form, save):
        flash(f"{made[0].name} added. Describe its first version.")
        return redirect(url_for("datasets.draft", data_set_id=made[0].id), 303)
    status = form.status if request.method == "POST" else 200
    return page("operations/datasets/new.html", status=status, form=form)


@feature.get("/data-sets/<uuid:data_set_id>", needs=permissions.VIEW)
def data_set(data_set_id: UUID) -> ResponseReturnValue:
    return _data_set_page(queries.data_set(data_set_id), UseForm())


def _data_set_page(found: DataSet, form: UseForm, *, status: int = 200) -> ResponseReturnValue:
    versions = queries.versions(found.id)
    row = DataSetRow(found, versions[0] if versions else None)
    draft = actions.draft_of(found) if found.draft else None
    return page(
        "operations/datasets/data_set.html",
        status=status,
        data_set=found,
        row=row,
        shown=content.shown(content.VersionContent.of(row.version)) if row.version else {},
        LABELS=content.LABELS,
        draft=draft,
        missing=list(content.missing(draft).values()) if draft else [],
        versions=versions,
        uses=queries.uses(found.id),
        form=form,
        names=people.names([found.owner_id, *(each.published_by for each in versions)]),
        moments=people.timeline([found.id]),
        STATES=STATES,
        KINDS=KINDS,
    )


@feature.route(
    "/data-sets/<uuid:data_set_id>/edit", methods=["GET", "POST"], needs=permissions.EDIT
)
def edit(data_set_id: UUID) -> ResponseReturnValue:
    found = queries.data_set(data_set_id, lock=request.method == "POST")
    form = DataSetForm(name=found.name, description=found.description, owner_id=found.owner_id)
    form.owner_id.offer(owner_choices(found.owner_id))

    def save() -> None:
        actions.edit(
            found,
            seen=form.seen.data or "",
            name=form.name.data or "",
            description=form.description.data or "",
            owner_id=uuid_or_none(form.owner_id.data),
        )

    if request.method == "POST" and accepted(form, save):
        flash(f"{found.name} saved.")
        return redirect(url_for("datasets.data_set", data_set_id=found.id), 303)
    seen = actions.revision(found) if request.method == "GET" or form.stale else form.seen.data
    return page(
        "operations/datasets/edit.html",
        status=form.status if request.method == "POST" else 200,
        data_set=found,
        form=form,
        seen=seen,
    )


@feature.post("/data-sets/<uuid:data_set_id>/uses", needs=permissions.EDIT)
def add_use(data_set_id: UUID) -> ResponseReturnValue:
    found, form = queries.data_set(data_set_id, lock=True), UseForm()

    def save() -> None:
        system_id = uuid_or_none(form.system_id.data) or found.id
        actions.add_use(found, system_id=system_id, purpose=form.purpose.data or "")

    if not accepted(form, save):
        return _data_set_page(found, form, status=form.status)
    flash("The use was added.")
    return redirect(url_for("datasets.data_set", data_set_id=found.id), 303)


@feature.post(
    "/data-sets/<uuid:data_set_id>/uses/<uuid:data_set_use_id>/end", needs=permissions.EDIT
)
def end_use(data_set_id: UUID, data_set_use_id: UUID) -> ResponseReturnValue:
    found = queries.data_set(data_set_id, lock=True)
    use = queries.use(data_set_use_id, lock=True)
    if use.data_set_id != found.id:
        raise NotFound("This use doesn't exist, or you don't have access to it.")
    actions.end_use(found, use)
    flash("The use was ended.")
    return redirect(url_for("datasets.data_set", data_set_id=found.id), 303)


@feature.route(
    "/data-sets/<uuid:data_set_id>/retire", methods=["GET", "POST"], needs=permissions.PUBLISH
)
def retire(data_set_id: UUID) -> ResponseReturnValue:
    """Show the effects of retiring on the systems that use it, then retire it."""
    found = queries.data_set(data_set_id, lock=request.method == "POST")
    form = DataSetRetireForm()
    if request.method == "POST" and accepted(
        form, lambda: actions.retire(found, reason=form.reason.data or "")
    ):
        flash(f"{found.name} retired. Its versions stay on record.")
        return redirect(url_for("datasets.data_set", data_set_id=found.id), 303)
    return page(
        "operations/datasets/retire.html",
        status=form.status if request.method == "POST" else 200,
        data_set=found,
        uses=queries.uses(found.id),
        form=form,
    )
