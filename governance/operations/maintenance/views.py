"""Pages of maintenance: calendar and list, one exclusion, announcing, changing, withdrawing."""

from datetime import date, datetime
from itertools import islice
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import flash, redirect, request, url_for

from governance.foundation.approvals.queries import is_open, open_approval
from governance.foundation.people import queries as people
from governance.foundation.people.queries import Moment
from governance.kernel import clock, formatting
from governance.kernel.data.ids import uuid7
from governance.kernel.errors import Invalid
from governance.kernel.intervals import Span
from governance.kernel.months import Month
from governance.kernel.pages.rendering import page
from governance.kernel.web.feature import Feature
from governance.kernel.web.forms import accepted
from governance.kernel.web.responses import ResponseReturnValue
from governance.operations.maintenance import (
    actions,
    effect,
    exclusion_plan,
    exclusion_words,
    feed_actions,
    month_calendar,
    permissions,
    ports,
    queries,
)
from governance.operations.maintenance.exclusion_list import EXCLUSIONS
from governance.operations.maintenance.forms import ExclusionForm, WithdrawalForm
from governance.operations.maintenance.models import Exclusion
from governance.operations.maintenance.recurrence import occurrences_in

feature = Feature("maintenance", __name__, counts_everything=True)
MAX_UPCOMING, MAX_OCCURRENCES = 5, 10
MIN_YEAR, MAX_YEAR = 2000, 2100


@feature.get("/reliability/maintenance/", needs=permissions.VIEW)
def index() -> ResponseReturnValue:
    zone, asked, month = formatting.tenant_zone(), EXCLUSIONS.read(), _month()
    shown = queries.page_of(
        asked.criteria, sort=asked.sort, after=asked.after, size=EXCLUSIONS.size
    )
    upcoming = queries.upcoming(MAX_UPCOMING)
    drawn = queries.shown_in(month_calendar.shown_span(month, zone))
    every = {row.id: row for row in [*shown.rows, *(each.exclusion for each in upcoming)]}
    return page(
        "operations/maintenance/index.html",
        asked=asked,
        rows=shown.rows,
        next=shown.next,
        upcoming=upcoming,
        month=month,
        month_name=f"{date(month.year, month.number, 1):%B %Y}",
        weeks=month_calendar.weeks(month, zone, drawn, _today(zone).date()),
        scopes=exclusion_words.scopes(every.values()),
        withdrawals=queries.open_withdrawals(list(every)),
        words=exclusion_words,
        feed=queries.feed(),
    )


def _today(zone: ZoneInfo) -> datetime:
    return clock.now().astimezone(zone)


def _month() -> Month:
    text = request.args.get("month", "")
    if not text:
        local = _today(formatting.tenant_zone())
        return Month(local.year, local.month)
    try:
        month = Month.parse(text)
    except ValueError as wrong:
        raise Invalid("Choose a month such as 2026-10.", field="month") from wrong
    if not MIN_YEAR <= month.year <= MAX_YEAR:
        raise Invalid(f"Choose a month from {MIN_YEAR} to {MAX_YEAR}.", field="month")
    return month


# ---- one exclusion


@feature.get("/reliability/maintenance/<uuid:exclusion_id>", needs=permissions.VIEW)
def exclusion(exclusion_id: UUID) -> ResponseReturnValue:
    found = queries.exclusion(exclusion_id)
    series, now = queries.series_of(found), clock.now()
    coming = occurrences_in(series, Span(now, now + queries.LOOK_AHEAD))
    return page(
        "operations/maintenance/exclusion.html",
        exclusion=found,
        first=series.first,
        scope=exclusion_words.scope_words(found),
        words=exclusion_words,
        requested=queries.open_request(found),
        is_late=actions.is_late(found),
        notice=ports.required_notice()(found.system_id),
        hidden=effect.of(series, found.system_id, found.indicator_id),
        coming=list(islice(coming, MAX_OCCURRENCES)),
        names=people.names([found.requested_by, found.approved_by, found.withdrawn_by]),
        history=[_moment(each) for each in people.timeline([found.id])],
        has_started=found.starts_at <= now,
    )


def _moment(each: Moment) -> dict[str, Any]:
    kind = {"exclusion.approved": "ok", "exclusion.rejected": "bad"}.get(each.action, "dot")
    return {"kind": kind, "text": f"{each.who} {each.says}", "meta": each.reason, "at": each.at}


# ---- announcing and changing


@feature.route("/reliability/maintenance/new", methods=["GET", "POST"], needs=permissions.EDIT)
def new() -> ResponseReturnValue:
    form = ExclusionForm(once=str(uuid7()))
    if request.method == "GET":
        return _form(form, None)
    if request.form.get("verb") == "preview":
        return _preview(form, None)
    made: list[Exclusion] = []
    if queries.exists(form.exclusion_id):
        return redirect(url_for("maintenance.exclusion", exclusion_id=form.exclusion_id), 303)
    if not accepted(form, lambda: made.append(_announce(form))):
        return _form(form, None, status=form.status)
    return _saved(made[0])


def _announce(form: ExclusionForm) -> Exclusion:
    return actions.announce(form.plan(), exclusion_id=form.exclusion_id)


@feature.route(
    "/reliability/maintenance/<uuid:exclusion_id>/edit",
    methods=["GET", "POST"],
    needs=permissions.EDIT,
)
def edit(exclusion_id: UUID) -> ResponseReturnValue:
    found = queries.exclusion(exclusion_id)
    form = ExclusionForm.of(found)
    if request.method == "GET":
        return _form(form, found)
    if request.form.get("verb") == "preview":
        return _preview(form, found)
    if not accepted(form, lambda: actions.change(found, form.plan(), seen=form.revision)):
        return _form(form, found, status=form.status)
    return _saved(found)


def _form(
    form: ExclusionForm,
    found: Exclusion | None,
    *,
    status: int = 200,
    hidden: object = None,
    is_late: bool = False,
) -> ResponseReturnValue:
    return page(
        "operations/maintenance/form.html",
        status=status,
        form=form,
        exclusion=found,
        hidden=hidden,
        is_late=is_late,
        zone=formatting.tenant_zone().key,
        notice=ports.required_notice()(None),
    )


def _preview(form: ExclusionForm, found: Exclusion | None) -> ResponseReturnValue:
    """Show the form again, with the minutes that the exclusion would hide. Saves nothing."""
    shown: list[tuple[object, bool]] = []

    def look() -> None:
        plan, series = exclusion_plan.check(form.plan())
        hidden = effect.of(series, plan.system_id, plan.indicator_id)
        shown.append((hidden, actions.would_need_second_person(plan)))

    if not accepted(form, look):
        return _form(form, found, status=form.status)
    hidden, is_late = shown[0]
    return _form(form, found, hidden=hidden, is_late=is_late)


def _saved(row: Exclusion) -> ResponseReturnValue:
    """Redirect to the approval of the exclusion, if it needs one."""
    requested = open_approval(queries.LATE, row.id)
    if requested is not None and is_open(requested):
        flash(f"{row.ref} saved. It hides nothing until another person approves it.")
        return redirect(url_for("approvals.approval", approval_id=requested.id), 303)
    flash(f"{row.ref} saved.")
    return _to(row)


def _to(row: Exclusion) -> ResponseReturnValue:
    return redirect(url_for("maintenance.exclusion", exclusion_id=row.id), 303)


@feature.post("/reliability/maintenance/<uuid:exclusion_id>/end-of-series", needs=permissions.EDIT)
def end_series(exclusion_id: UUID) -> ResponseReturnValue:
    found = queries.exclusion(exclusion_id)
    actions.end_series(found)
    flash(f"{found.ref} doesn't repeat any more. What has passed stays.")
    return _to(found)


@feature.route(
    "/reliability/maintenance/<uuid:exclusion_id>/withdrawal",
    methods=["GET", "POST"],
    needs=permissions.EDIT,
)
def withdrawal(exclusion_id: UUID) -> ResponseReturnValue:
    found, form = queries.exclusion(exclusion_id), WithdrawalForm()
    if request.method == "POST" and accepted(
        form, lambda: actions.withdraw(found, reason=form.reason.data or "")
    ):
        requested = open_approval(queries.WITHDRAWAL, found.id)
        if requested is not None and found.state == "approved":
            flash("Withdrawal requested. Another person decides.")
            return redirect(url_for("approvals.approval", approval_id=requested.id), 303)
        flash(f"{found.ref} withdrawn.")
        return _to(found)
    return page(
        "operations/maintenance/withdrawal.html",
        status=form.status if request.method == "POST" else 200,
        exclusion=found,
        form=form,
        needs_approval=found.state == "approved" and found.starts_at <= clock.now(),
        hidden=effect.of(queries.series_of(found), found.system_id, found.indicator_id),
    )


# ---- the address of the calendar feed


@feature.get("/reliability/maintenance/feed", needs=permissions.FEED)
def feed() -> ResponseReturnValue:
    return page("operations/maintenance/feed.html", feed=queries.feed(), address=None)


@feature.post("/reliability/maintenance/feed", needs=permissions.FEED)
def rotate_feed() -> ResponseReturnValue:
    token = feed_actions.rotate()
    return page(
        "operations/maintenance/feed.html",
        status=201,
        feed=queries.feed(),
        address=url_for("maintenance_feed.calendar", token=token, _external=True),
    )
