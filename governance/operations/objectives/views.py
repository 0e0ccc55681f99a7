"""Pages of objectives: the list, one objective, its versions, and the forms."""

from uuid import UUID

from flask import current_app, redirect, request, url_for

from governance.foundation.people import queries as people
from governance.foundation.people.owners import member_choices
from governance.kernel import clock, current
from governance.kernel.files.downloads import FILE
from governance.kernel.files.spreadsheet_writer import csv_bytes, xlsx_bytes
from governance.kernel.pages.list_export import chosen
from governance.kernel.pages.list_pages import one_page
from governance.kernel.pages.rendering import page, table_file
from governance.kernel.safety.access import allowed
from governance.kernel.web.feature import Feature
from governance.kernel.web.forms import accepted, counted
from governance.kernel.web.responses import ResponseReturnValue
from governance.operations.objectives import (
    actions,
    conclusions,
    figures,
    list_context,
    permissions,
    ports,
    queries,
)
from governance.operations.objectives.forms import (
    ObjectiveEditForm,
    ObjectiveForm,
    ObjectiveRetireForm,
    values_of,
)
from governance.operations.objectives.horizons import objective_with_horizons
from governance.operations.objectives.models import Objective
from governance.operations.objectives.objective_list import (
    HEAD,
    OBJECTIVES,
    ObjectiveRow,
    cells,
    matching,
    window_name,
)
from governance.operations.objectives.objective_page import objective_page

feature = Feature("objectives", __name__, counts_everything=True)
HOME = "/reliability/objectives"


@feature.get("/reliability/", needs=permissions.VIEW)
def index() -> ResponseReturnValue:
    """List the objectives, the least budget left first."""
    asked = OBJECTIVES.read()
    retired = asked.value("state") == "retired"
    rows = list_context.rows_of(retired=retired)
    found = matching(rows, asked)
    shown = one_page(found, asked, lambda row: str(row.objective.id))
    list_context.find_uses(shown.rows)
    list_context.draw(shown.rows)
    open_alerts = [row.objective.id for row in rows if row.alert]
    return page(
        "operations/objectives/index.html",
        asked=asked,
        rows=shown.rows,
        next=shown.next,
        total=len(rows),
        matches=len(found),
        title=conclusions.conclusion(rows),
        summary=conclusions.summary(rows),
        systems=len({row.indicator.system_id for row in rows}),
        alerts=ports.alert_panel()(open_alerts) if open_alerts else None,
        gaps=None if retired else list_context.gap_panel(rows),
        coming=list_context.coming_up(
            lambda each: url_for("maintenance.exclusion", exclusion_id=each)
        ),
        due_word=list_context.due_word,
        import_href=_address("openslo.new"),
        alerts_href=_address("alerts.index"),
        figures=figures,
    )


def _address(endpoint: str) -> str | None:
    """Return the address of another feature's page, if it exists and the reader may open it."""
    view = current_app.view_functions.get(endpoint)
    return url_for(endpoint) if view and allowed(vars(view)["needs"]) else None


@feature.get(
    "/reliability/objectives/export.<any(csv, xlsx):form>", needs=permissions.VIEW, answers=FILE
)
def export(form: str) -> ResponseReturnValue:
    """Export everything that matches the filters."""
    asked = OBJECTIVES.read()
    rows = list_context.rows_of(retired=asked.value("state") == "retired")
    found = matching(rows, asked)
    list_context.find_uses(found)
    table = [cells(row) for row in found]
    head, lines = chosen(asked, HEAD, table)
    content = csv_bytes(head, lines) if form == "csv" else xlsx_bytes("Objectives", head, lines)
    return table_file(content, f"objectives-{current.actor().tenant_slug}-{clock.today()}.{form}")


@feature.get("/reliability/objectives/<uuid:objective_id>", needs=permissions.VIEW)
def objective(objective_id: UUID) -> ResponseReturnValue:
    """Show an objective: the causes of its budget's burn, and its uses."""
    read = objective_with_horizons(objective_id)
    found, indicator = read.objective, read.indicator
    plans, exclusions = queries.plans_of(
        [found], indicators={indicator.id: indicator}, begins=read.begins
    )
    data = objective_page(plans[0], exclusions)
    alert = ports.alert_states()([found.id]).get(found.id)
    uses = ports.uses_of()([found.id]).get(found.id, ())
    row = ObjectiveRow(plans[0], data.reading, alert, uses)
    return page(
        "operations/objectives/objective.html",
        row=row,
        data=data,
        objective=found,
        indicator=indicator,
        names=read.names,
        title=_title(row),
        alerts=ports.alert_panel()([found.id]) if alert else None,
        rules=ports.rule_panel()(data.reading),
        backtest=ports.backtest_panel()(found),
        status_page=None if found.is_retired else ports.status_page()(),
        exclude_href=_address("maintenance.new"),
        minutes_href=url_for("indicators.indicator", indicator_id=indicator.key),
        figures=figures,
        window_name=window_name(found),
    )


def _title(row: ObjectiveRow) -> str:
    """Return the conclusion of the page: "… : 23% of budget left, gone on 27 November"."""
    reading, name = row.reading, row.objective.name
    if not reading.is_determinable:
        return f"{name}: not determinable"
    if reading.state == "overspent":
        return f"{name}: the budget is overspent"
    left = f"{name}: {row.left_word} of budget left"
    if reading.gone_at is not None:
        return f"{left}, gone on {figures.full_day(reading.gone_at)}"
    return left


@feature.get("/reliability/objectives/<uuid:objective_id>/versions", needs=permissions.VIEW)
def versions(objective_id: UUID) -> ResponseReturnValue:
    """Show every definition of the objective."""
    found = queries.objective(objective_id)
    every = queries.versions(found.id)
    return page(
        "operations/objectives/versions.html",
        objective=found,
        versions=every,
        names=people.names(each.by for each in every),
        figures=figures,
        window_name=window_name,
    )


@feature.route(f"{HOME}/new", methods=["GET", "POST"], needs=permissions.MANAGE)
def create() -> ResponseReturnValue:
    """Create an objective."""
    form = ObjectiveForm(indicator_id=_chosen_indicator())
    made: list[Objective] = []

    def act() -> None:
        made.append(
            actions.create(
                name=form.name.data or "",
                indicator_id=form.indicator_id.data,
                owner_id=form.owner_id.data,
                kind_note=form.kind_note.data or "",
                is_ai=form.is_ai.data,
                **form.definition(),
            )
        )

    if request.method == "POST" and accepted(form, act):
        return redirect(url_for("objectives.objective", objective_id=made[0].id), 303)
    return page(
        "operations/objectives/new.html",
        status=form.status if request.method == "POST" else 200,
        form=form,
        define_href=_address("indicators.define"),
    )


def _chosen_indicator() -> UUID | None:
    """Return the indicator that the address names, for the link from its page."""
    try:
        return UUID(request.args.get("indicator", ""))
    except ValueError:
        return None


@feature.route(
    f"{HOME}/<uuid:objective_id>/edit", methods=["GET", "POST"], needs=permissions.MANAGE
)
def edit(objective_id: UUID) -> ResponseReturnValue:
    """Edit an objective. A change of its definition makes a new version."""
    found = queries.objective(objective_id, lock=request.method == "POST")
    form = ObjectiveEditForm(**values_of(found))
    form.owner_id.offer(member_choices(found.owner_id))

    def act() -> None:
        actions.change(
            found,
            seen=counted(form.seen.data),
            reason=form.reason.data or "",
            name=form.name.data or "",
            owner_id=form.owner_id.data,
            kind_note=form.kind_note.data or "",
            is_ai=form.is_ai.data,
            **form.definition(),
        )

    if request.method == "POST" and accepted(form, act):
        return redirect(url_for("objectives.objective", objective_id=found.id), 303)
    seen = found.number if request.method == "GET" or form.stale else form.seen.data
    return page(
        "operations/objectives/edit.html",
        status=form.status if request.method == "POST" else 200,
        objective=found,
        form=form,
        seen=seen,
    )


@feature.route(
    f"{HOME}/<uuid:objective_id>/retire", methods=["GET", "POST"], needs=permissions.MANAGE
)
def retire(objective_id: UUID) -> ResponseReturnValue:
    """Retire an objective. Its history stays."""
    found, form = (
        queries.objective(objective_id, lock=request.method == "POST"),
        ObjectiveRetireForm(),
    )
    if request.method == "POST" and accepted(
        form, lambda: actions.retire(found, reason=form.reason.data or "")
    ):
        return redirect(url_for("objectives.index"), 303)
    uses = ports.uses_of()([found.id]).get(found.id, ())
    return page(
        "operations/objectives/retire.html",
        status=form.status if request.method == "POST" else 200,
        objective=found,
        form=form,
        uses=uses,
    )
