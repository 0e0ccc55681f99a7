"""Pages of Prometheus sources: their status, connection tests, queries of indicators, backfills."""

from uuid import UUID

from flask import flash, redirect, url_for

from governance.kernel import clock, formatting
from governance.kernel.pages.rendering import page
from governance.kernel.web.feature import Feature
from governance.kernel.web.forms import accepted
from governance.kernel.web.responses import ResponseReturnValue
from governance.kernel.web.step_up import StepUp
from governance.operations.measurements import permissions
from governance.operations.measurements import prometheus_actions as actions
from governance.operations.measurements import prometheus_queries as queries
from governance.operations.measurements import queries as measurements
from governance.operations.measurements.models import Indicator
from governance.operations.measurements.prometheus_forms import (
    BEARER,
    NONE,
    OTHER,
    BackfillForm,
    QueryForm,
    SourceForm,
)
from governance.operations.measurements.prometheus_models import QUERY_KINDS, PrometheusSource

feature = Feature("prometheus", __name__, counts_everything=True)
AT = "/reliability/indicators/sources"


@feature.get(f"{AT}/", needs=permissions.VIEW)
def index() -> ResponseReturnValue:
    sources = queries.sources()
    return page(
        "operations/measurements/sources.html",
        sources=sources,
        pulls=queries.pulls(),
        names={each.id: each.name for each in sources},
        kinds=QUERY_KINDS,
        work=queries.under_way(),
        max_sources=queries.MAX_SOURCES,
    )


# ---- sources


@feature.get(f"{AT}/new", needs=permissions.MANAGE)
def adding() -> ResponseReturnValue:
    return _source_page(SourceForm(), None)


@feature.post(
    f"{AT}/new", needs=permissions.MANAGE, fresh=StepUp("Add Prometheus source", SourceForm)
)
def add() -> ResponseReturnValue:
    """Add a source and test it, so that the page soon shows if it answers."""
    form = SourceForm()

    def act() -> None:
        credentials = form.credentials
        actions.queue_test(
            actions.add_source(
                name=form.name.data or "",
                url=form.url.data or "",
                header=credentials["header"],
                secret=credentials["secret"] or "",
            )
        )

    if not accepted(form, act):
        return _source_page(form, None, status=form.status)
    flash(f"{form.name.data} added. Meridian is testing the connection.")
    return redirect(url_for("prometheus.index"), 303)


@feature.get(f"{AT}/<uuid:source_id>/edit", needs=permissions.MANAGE)
def editing(source_id: UUID) -> ResponseReturnValue:
    source = queries.source(source_id)
    auth = NONE if not source.secret else BEARER if source.header == "Authorization" else OTHER
    form = SourceForm(name=source.name, url=source.url, header=source.header, auth=auth)
    return _source_page(form, source)


def _which(source_id: UUID) -> list[tuple[str, str]]:
    return [("Prometheus source", queries.source(source_id).name)]


def _sent(**_values: UUID) -> SourceForm:
    return SourceForm()


EDIT = StepUp("Save Prometheus source", _sent, facts=_which)


@feature.post(f"{AT}/<uuid:source_id>/edit", needs=permissions.MANAGE, fresh=EDIT)
def edit(source_id: UUID) -> ResponseReturnValue:
    source, form = queries.source(source_id, lock=True), SourceForm()

    def act() -> None:
        actions.edit_source(
            source, name=form.name.data or "", url=form.url.data or "", **form.credentials
        )
        actions.queue_test(source)

    if not accepted(form, act):
        return _source_page(form, queries.source(source_id), status=form.status)
    flash(f"{source.name} saved. Meridian is testing the connection.")
    return redirect(url_for("prometheus.index"), 303)


def _source_page(
    form: SourceForm, source: PrometheusSource | None, *, status: int = 200
) -> ResponseReturnValue:
    return page("operations/measurements/source_form.html", status=status, form=form, source=source)


@feature.post(f"{AT}/<uuid:source_id>/test", needs=permissions.MANAGE)
def test(source_id: UUID) -> ResponseReturnValue:
    actions.queue_test(queries.source(source_id))
    return redirect(url_for("prometheus.index"), 303)


@feature.get(f"{AT}/<uuid:source_id>/removal", needs=permissions.MANAGE)
def removal(source_id: UUID) -> ResponseReturnValue:
    source = queries.source(source_id)
    reads = [
        each.indicator
        for each in queries.pulls()
        if each.query and each.query.source_id == source.id
    ]
    return page("operations/measurements/source_removal.html", source=source, reads=reads)


REMOVE = StepUp("Remove Prometheus source", facts=_which, danger="Its indicators get no more data.")


@feature.post(f"{AT}/<uuid:source_id>/removal", needs=permissions.MANAGE, fresh=REMOVE)
def remove(source_id: UUID) -> ResponseReturnValue:
    source = queries.source(source_id, lock=True)
    actions.remove_source(source)
    flash(f"{source.name} removed. The minutes that were counted stay.")
    return redirect(url_for("prometheus.index"), 303)


# ---- queries of indicators


@feature.get(f"{AT}/queries/<uuid:indicator_id>", needs=permissions.MANAGE)
def query(indicator_id: UUID) -> ResponseReturnValue:
    indicator = measurements.indicator(indicator_id)
    return _query_page(indicator, _query_form(indicator))


@feature.post(f"{AT}/queries/<uuid:indicator_id>", needs=permissions.MANAGE)
def set_query(indicator_id: UUID) -> ResponseReturnValue:
    indicator = measurements.indicator(indicator_id)
    form = _query_form(indicator)

    def act() -> None:
        actions.set_query(
            indicator,
            source_id=form.source_id.data,
            kind=form.kind.data or "",
            good=form.good.data or "",
            total=form.total.data or "",
            bucket=form.bucket.data,
            reason=form.reason.data or "",
        )

    if not accepted(form, act):
        return _query_page(indicator, form, status=form.status)
    flash(f"Saved. Meridian reads {indicator.name} within a minute, from 48 hours ago on.")
    return redirect(url_for("prometheus.index"), 303)


def _query_form(indicator: Indicator) -> QueryForm:
    found = queries.query_of(indicator.id)
    form = QueryForm(found) if found else QueryForm(bucket=indicator.bound)
    return form.offer([(each.id, each.name) for each in queries.sources()])


def _query_page(indicator: Indicator, form: QueryForm, *, status: int = 200) -> ResponseReturnValue:
    return page(
        "operations/measurements/query_form.html",
        status=status,
        form=form,
        indicator=indicator,
        query=queries.query_of(indicator.id),
    )


@feature.get(f"{AT}/queries/<uuid:indicator_id>/backfill", needs=permissions.MANAGE)
def backfilling(indicator_id: UUID) -> ResponseReturnValue:
    return _backfill_page(measurements.indicator(indicator_id), BackfillForm())


@feature.post(f"{AT}/queries/<uuid:indicator_id>/backfill", needs=permissions.MANAGE)
def backfill(indicator_id: UUID) -> ResponseReturnValue:
    indicator, form = measurements.indicator(indicator_id), BackfillForm()

    def act() -> None:
        since = form.since.data or clock.now()
        actions.request_backfill(
            indicator,
            since=since.replace(tzinfo=formatting.zone()),
            reason=form.reason.data or "",
        )

    if not accepted(form, act):
        return _backfill_page(indicator, form, status=form.status)
    return redirect(url_for("prometheus.index"), 303)


def _backfill_page(
    indicator: Indicator, form: BackfillForm, *, status: int = 200
) -> ResponseReturnValue:
    return page(
        "operations/measurements/backfill.html", status=status, form=form, indicator=indicator
    )
