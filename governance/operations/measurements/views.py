"""Pages of indicators: the list, a definition, one of them with its minutes, and retiring it."""

from decimal import Decimal
from fractions import Fraction
from typing import Any
from uuid import UUID

from flask import redirect, request, url_for

from governance.foundation.people import queries as people
from governance.foundation.people.queries import Moment
from governance.kernel.files.downloads import FILE
from governance.kernel.formatting import plural
from governance.kernel.intervals import Span, minutes
from governance.kernel.pages.rendering import page, table_file
from governance.kernel.web.feature import Feature
from governance.kernel.web.forms import accepted
from governance.kernel.web.responses import ResponseReturnValue
from governance.operations.measurements import (
    actions,
    indicator_list,
    minute_list,
    permissions,
    queries,
)
from governance.operations.measurements.forms import IndicatorForm, IndicatorRetireForm
from governance.operations.measurements.indicator_list import INDICATORS
from governance.operations.measurements.models import Indicator
from governance.operations.measurements.scoring import Counts
from governance.operations.systems import queries as systems

feature = Feature("indicators", __name__, counts_everything=True)

MAX_GAPS = 10  # Rows next to the minutes


@feature.get("/reliability/indicators/", needs=permissions.VIEW)
def index() -> ResponseReturnValue:
    asked = INDICATORS.read()
    found = indicator_list.rows(
        asked.criteria, sort=asked.sort, after=asked.after, size=INDICATORS.size
    )
    return page(
        "operations/measurements/index.html",
        asked=asked,
        indicators=found.rows,
        next=found.next,
        totals=indicator_list.totals(),
        known=indicator_list.known_of(found.rows),
        systems=systems.names(each.system_id for each in found.rows),
        percent=percent,
    )


def percent(share: Fraction) -> str:
    """Return "99.4%", rounded down, so that 100% means all."""
    tenths = share.numerator * 1000 // share.denominator
    return f"{tenths // 10}%" if tenths % 10 == 0 else f"{tenths / 10:.1f}%"


@feature.route("/reliability/indicators/new", methods=["GET", "POST"], needs=permissions.MANAGE)
def define() -> ResponseReturnValue:
    form = IndicatorForm()

    def act() -> Indicator:
        floor = form.floor.data
        return actions.define(
            key=form.key.data or "",
            name=form.name.data or "",
            system_id=form.system_id.data,
            feature=form.feature.data or None,
            kind=form.kind.data,
            unit=form.unit.data or "",
            min_requests=1 if form.min_requests.data is None else form.min_requests.data,
            floor=None if floor is None else floor / Decimal(100),
            bound=form.bound.data,
            bound_unit=form.bound_unit.data or None,
            good_side=form.good_side.data or "at_most",
            vendor=form.vendor.data or None,
            source=form.source.data,
        )

    if request.method == "POST" and accepted(form, act):
        return redirect(url_for("indicators.indicator", indicator_id=form.key.data), 303)
    return page(
        "operations/measurements/define.html",
        status=form.status if request.method == "POST" else 200,
        form=form,
    )


@feature.get("/reliability/indicators/<indicator_id>", needs=permissions.VIEW)
def indicator(indicator_id: str) -> ResponseReturnValue:
    """Show an indicator by its slug or id, with the minutes of a span."""
    found, span = queries.named(indicator_id), minute_list.asked_span()
    rows = minute_list.rows(found.id, span, after=request.args.get("after"))
    gaps = queries.gaps(found.id, span)
    return page(
        "operations/measurements/indicator.html",
        indicator=found,
        system=systems.system(found.system_id),
        span=span,
        address=minute_list.address_of(span),
        rows=rows.rows,
        next=rows.next,
        after=request.args.get("after"),
        gaps=[_gap(each) for each in gaps[: -MAX_GAPS - 1 : -1]],
        gap_count=len(gaps),
        coverage=_coverage(span, gaps),
        summary=_summary(found, queries.counts(found.id, [span])),
        last=queries.last_minute([found.id]).get(found.id),
        moments=[_line(each) for each in people.timeline([found.id])],
        percent=percent,
    )


def _gap(gap: Span) -> dict[str, Any]:
    return {"kind": "none", "text": plural(gap.minutes, "minute"), "at": gap.start}


def _line(moment: Moment) -> dict[str, Any]:
    kinds = {actions.DEFINED.name: "ok", actions.RETIRED.name: "stop"}
    return {
        "kind": kinds.get(moment.action, "dot"),
        "text": f"{moment.who} {moment.says}",
        "meta": moment.reason,
        "at": moment.at,
    }


def _summary(indicator: Indicator, counts: Counts) -> str:
    """Return "29 of 1,401 minutes down" or "99.5% of 16,800 requests good"."""
    if indicator.kind == "downtime":
        return f"{counts.down:,} of {plural(counts.minutes, 'minute')} down"
    if not counts.total:
        return f"no {indicator.unit}"
    return (
        f"{percent(Fraction(counts.good, counts.total))} of {counts.total:,} {indicator.unit} good"
    )


def _coverage(span: Span, gaps: list[Span]) -> Fraction:
    return 1 - Fraction(minutes(gaps), span.minutes)


@feature.get(
    "/reliability/indicators/<indicator_id>/minutes.csv", needs=permissions.VIEW, answers=FILE
)
def export(indicator_id: str) -> ResponseReturnValue:
    """Export the minutes of the span."""
    found, span = queries.named(indicator_id), minute_list.asked_span()
    return table_file(b"".join(minute_list.csv_pieces(found.id, span)), f"{found.key}-minutes.csv")


@feature.route(
    "/reliability/indicators/<uuid:indicator_id>/retire",
    methods=["GET", "POST"],
    needs=permissions.MANAGE,
)
def retire(indicator_id: UUID) -> ResponseReturnValue:
    found = queries.indicator(indicator_id, lock=request.method == "POST")
    form = IndicatorRetireForm()
    if request.method == "POST" and accepted(
        form, lambda: actions.retire(found, reason=form.reason.data or "")
    ):
        return redirect(url_for("indicators.indicator", indicator_id=found.key), 303)
    return page(
        "operations/measurements/retire.html",
        status=form.status if request.method == "POST" else 200,
        indicator=found,
        form=form,
    )
