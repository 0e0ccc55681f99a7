"""Pages of playbooks: the list, one playbook with its versions and runs, and the editor."""

from collections.abc import Sequence
from uuid import UUID

from flask import flash, redirect, url_for

from governance.assurance.playbooks import actions, permissions, queries, step_actions
from governance.assurance.playbooks.forms import (
    AssignPlaybooksForm,
    PlaybookForm,
    PlaybookRetireForm,
    sent_steps,
    step_rows,
)
from governance.assurance.playbooks.models import Playbook
from governance.assurance.playbooks.playbook_list import CSV_HEADER, PLAYBOOKS, csv_cells
from governance.assurance.playbooks.steps import PlaybookStep, read_steps
from governance.foundation.people import assigning
from governance.foundation.people import queries as people
from governance.foundation.people.owners import assignee_choices, names_among, owner_choices
from governance.kernel import clock
from governance.kernel.files.downloads import FILE
from governance.kernel.files.spreadsheet_writer import Cell
from governance.kernel.pages.list_export import ROWS_PER_READ, csv_file, every_page
from governance.kernel.pages.rendering import page
from governance.kernel.pages.undo_pages import undo_offer
from governance.kernel.web.feature import Feature
from governance.kernel.web.forms import accepted, uuid_or_none
from governance.kernel.web.responses import ResponseReturnValue

feature = Feature("playbooks", __name__, counts_everything=True)


@feature.get("/reliability/playbooks/", needs=permissions.VIEW)
def index() -> ResponseReturnValue:
    asked = PLAYBOOKS.read()
    found = queries.playbooks(
        asked.criteria, sort=asked.sort, after=asked.after, size=PLAYBOOKS.size
    )
    ids = [book.id for book in found.rows]
    assignees = assignee_choices() if asked.may_select else []
    return page(
        "assurance/playbooks/index.html",
        list_request=asked,
        playbooks=found.rows,
        next=found.next,
        total=queries.count_playbooks(),
        names=names_among((book.owner_id for book in found.rows), assignees),
        last_runs=queries.latest_run_days(ids),
        assignees=assignees,
    )


@feature.post("/reliability/playbooks/assign", needs=permissions.EDIT)
def assign_selected() -> ResponseReturnValue:
    return assigning.assign_owner(
        "playbook",
        "playbooks",
        AssignPlaybooksForm(),
        home="playbooks.index",
        find=queries.find_playbooks,
        address=lambda book: url_for("playbooks.playbook", playbook_id=book.id),
        why_not=actions.why_not,
        assign=actions.assign_all,
    )


@feature.post("/reliability/playbooks/undo/<uuid:undo_offer_id>", needs=permissions.EDIT)
def undo_change(undo_offer_id: UUID) -> ResponseReturnValue:
    return undo_offer(undo_offer_id, actions.UNDOABLE, url_for("playbooks.index"))


@feature.get("/reliability/playbooks/export.csv", needs=permissions.VIEW, answers=FILE)
def export() -> ResponseReturnValue:
    """Export the filtered list."""
    asked = PLAYBOOKS.read()
    pages = every_page(
        lambda after: queries.playbooks(
            asked.criteria, sort=asked.sort, after=after, size=ROWS_PER_READ
        )
    )
    return csv_file(
        f"playbooks-{clock.today()}", CSV_HEADER, (_cells(books) for books in pages), asked
    )


def _cells(books: Sequence[Playbook]) -> list[Sequence[Cell]]:
    names = people.names(book.owner_id for book in books)
    last = queries.latest_run_days([book.id for book in books])
    return [
        csv_cells(book, names.get(book.owner_id) if book.owner_id else None, last.get(book.id))
        for book in books
    ]


@feature.get("/reliability/playbooks/new", needs=permissions.EDIT)
def new() -> ResponseReturnValue:
    return _editor(PlaybookForm(), [])


@feature.post("/reliability/playbooks/new", needs=permissions.EDIT)
def create() -> ResponseReturnValue:
    form, steps, made = PlaybookForm(), sent_steps(), list[Playbook]()

    def save() -> None:
        made.append(
            actions.create(
                title=form.title.data or "",
                used_for=form.used_for.data or "",
                steps=steps,
                owner_id=uuid_or_none(form.owner_id.data),
                drill_every_days=form.drill_every_days.data,
            )
        )

    if not accepted(form, save):
        return _editor(form, steps, status=form.status)
    flash(f"{made[0].title} created.")
    return redirect(url_for("playbooks.playbook", playbook_id=made[0].id), 303)


def _editor(
    form: PlaybookForm,
    steps: list[PlaybookStep],
    *,
    book: Playbook | None = None,
    status: int = 200,
) -> ResponseReturnValue:
    return page(
        "assurance/playbooks/editor.html",
        status=status,
        form=form,
        book=book,
        rows=step_rows(steps),
        choices=_choices(steps),
    )


def _choices(steps: list[PlaybookStep]) -> list[tuple[str, str]]:
    """List what a step can do. Include the choices of `steps` whose targets no longer exist."""
    offered = step_actions.target_choices()
    known = {value for value, _label in offered}
    gone = {step.choice for step in steps if step.choice not in known}
    return [*offered, *((value, f"{value} (no longer available)") for value in sorted(gone))]


@feature.get("/reliability/playbooks/<uuid:playbook_id>", needs=permissions.VIEW)
def playbook(playbook_id: UUID) -> ResponseReturnValue:
    book = queries.playbook(playbook_id)
    versions = queries.versions(book.id)
    runs = queries.runs(book.id)
    return page(
        "assurance/playbooks/playbook.html",
        book=book,
        version=versions[0],
        versions=versions,
        steps=read_steps(versions[0].steps),
        runs=runs,
        interval=actions.DRILL_INTERVALS.get(book.drill_every_days or 0),
        names=people.names(
            [
                book.owner_id,
                *(each.written_by for each in versions),
                *(each.run.started_by for each in runs),
            ]
        ),
    )


@feature.get("/reliability/playbooks/<uuid:playbook_id>/edit", needs=permissions.EDIT)
def edit(playbook_id: UUID) -> ResponseReturnValue:
    book = queries.playbook(playbook_id)
    form = PlaybookForm(
        seen=actions.revision(book),
        title=book.title,
        used_for=book.used_for,
        owner_id=book.owner_id,
        drill_every_days=book.drill_every_days,
    )
    form.owner_id.offer(owner_choices(book.owner_id))
    return _editor(form, read_steps(queries.present_version(book).steps), book=book)


@feature.post("/reliability/playbooks/<uuid:playbook_id>/edit", needs=permissions.EDIT)
def save(playbook_id: UUID) -> ResponseReturnValue:
    book, form, steps = queries.playbook(playbook_id, lock=True), PlaybookForm(), sent_steps()
    form.owner_id.offer(owner_choices(book.owner_id))

    def write() -> None:
        actions.edit(
            book,
            seen=form.seen.data or "",
            title=form.title.data or "",
            used_for=form.used_for.data or "",
            steps=steps,
            owner_id=uuid_or_none(form.owner_id.data),
            drill_every_days=form.drill_every_days.data,
            reason=form.reason.data or "",
        )

    if not accepted(form, write):
        return _editor(form, steps, book=book, status=form.status)
    flash(f"{book.title} saved.")
    return redirect(url_for("playbooks.playbook", playbook_id=book.id), 303)


@feature.get("/reliability/playbooks/<uuid:playbook_id>/retire", needs=permissions.EDIT)
def retirement(playbook_id: UUID) -> ResponseReturnValue:
    return _retirement(queries.playbook(playbook_id), PlaybookRetireForm())


def _retirement(
    book: Playbook, form: PlaybookRetireForm, *, status: int = 200
) -> ResponseReturnValue:
    return page("assurance/playbooks/retire.html", status=status, book=book, form=form)


@feature.post("/reliability/playbooks/<uuid:playbook_id>/retire", needs=permissions.EDIT)
def retire(playbook_id: UUID) -> ResponseReturnValue:
    book, form = queries.playbook(playbook_id, lock=True), PlaybookRetireForm()
    if not accepted(form, lambda: actions.retire(book, reason=form.reason.data or "")):
        return _retirement(book, form, status=form.status)
    flash(f"{book.title} retired. Its runs stay on record.")
    return redirect(url_for("playbooks.index"), 303)
