"""Handlers of statement pages that a tenant and the operator share (agreements/place.py)."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import flash, redirect, request, url_for

from governance.foundation.people import queries as people
from governance.foundation.tenants.time_zones import zone_periods
from governance.kernel import clock
from governance.kernel.errors import DomainError, Invalid, NotFound
from governance.kernel.intervals import Span, whole_minute
from governance.kernel.months import month_of
from governance.kernel.pages import work_pages
from governance.kernel.web.forms import Form, accepted
from governance.kernel.web.responses import ResponseReturnValue
from governance.operations.agreements import queries as agreements
from governance.operations.agreements.money import money
from governance.operations.agreements.place import Drawn, Place
from governance.publishing.reports import actions as signing_keys
from governance.publishing.reports import queries as reports
from governance.publishing.statements import (
    actions,
    closing,
    dispute_actions,
    dispute_effects,
    figures,
    ledger_actions,
    month_close,
    queries,
    statement_facts,
    statement_page,
)
from governance.publishing.statements.forms import DisputeForm, instant
from governance.publishing.statements.models import Statement, StatementRevision
from governance.publishing.statements.statement_calculation import read_span

TEMPLATES = "publishing/statements"


def statement(place: Place, statement_id: UUID) -> Drawn:
    """Show the statement, or the progress of its first close. `?revision=` shows an older one."""
    found = queries.run(statement_id)
    row = _revision(found.row)
    shared = frame(place, found.row, "statement")
    if row is None:
        return Drawn(f"{TEMPLATES}/closing.html", shared | {"progress": work_pages.shown(found)})
    return Drawn(
        f"{TEMPLATES}/statement.html",
        shared
        | statement_page.context(row)
        | {
            "progress": work_pages.shown(found),
            "disputes": shown_disputes(found.row, row),
            "entries": queries.entries(statement_id),
            "balance": ledger_actions.balance(found.row),
            "sides": (),
            "keys": [signing_keys.key_line(each) for each in reports.signing_keys()],
        },
    )


def _revision(found: Statement) -> StatementRevision | None:
    """Return the revision that the address names, or else the newest. Raises NotFound."""
    asked = request.args.get("revision", "")
    if asked and not asked.isdecimal():
        raise NotFound("This revision doesn't exist.")
    row = queries.revision_numbered(found.id, int(asked[:6]) if asked else found.revision)
    if row is None and asked:
        raise NotFound("This revision doesn't exist.")
    return row


def frame(place: Place, found: Statement, tab: str) -> dict[str, Any]:
    """Return the frame of every page of a statement."""
    agreement = queries.agreement_of(found)
    disputes = queries.disputes_of(found.id)
    opened = sum(each.state == "open" for each in disputes)
    at = {"statement_id": found.id}
    tabs = [
        {
            "label": "Statement",
            "href": place.to("statement", **at),
            "current": tab == "statement",
            "count": None,
        },
        {
            "label": "Revisions",
            "href": place.to("revisions", **at),
            "current": tab == "revisions",
            "count": found.revision or None,
        },
        {
            "label": "Disputes",
            "href": place.to("disputes", **at),
            "current": tab == "disputes",
            "count": f"{opened} open" if opened else (len(disputes) or None),
        },
    ]
    return {
        "statement": found,
        "agreement": agreement,
        "tabs": _with_agreement(tabs, _agreement_tabs(place, found)),
        "open_disputes": opened,
        "names": people.names([each.raised_by for each in disputes]),
        "title_month": figures.month_title(found.month),
    }


def _with_agreement(
    tabs: list[dict[str, Any]], others: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Insert the agreement's tab second, and its rehearsal last."""
    return [tabs[0], *others[:1], *tabs[1:], *others[1:]]


def _agreement_tabs(place: Place, found: Statement) -> list[dict[str, Any]]:
    """Return the tabs of the agreement and its rehearsal, if a version governs the statement."""
    row = queries.revision_numbered(found.id, found.revision)
    if row is None or not row.facts["versions"]:
        return []
    number = row.facts["versions"][-1]["number"]
    values: dict[str, Any] = {"agreement_id": found.agreement_id}
    endpoint = "operator_agreements" if place.is_operator else "agreements"
    if place.is_operator:
        values["slug"] = place.slug
    version = {**values, "number": number}
    return [
        {
            "label": "Agreement",
            "href": url_for(f"{endpoint}.agreement", **values),
            "current": False,
            "count": f"version {number}",
        },
        {
            "label": "Rehearsal",
            "href": url_for(f"{endpoint}.rehearsal", **version),
            "current": False,
            "count": None,
        },
    ]


def shown_disputes(found: Statement, row: StatementRevision) -> list[statement_page.ShownDispute]:
    return [statement_page.shown_dispute(each, row.facts) for each in queries.disputes_of(found.id)]


def revisions(place: Place, statement_id: UUID) -> Drawn:
    """Show every revision with its changes, the newest first."""
    found = queries.statement(statement_id)
    rows = queries.revisions(statement_id)
    return Drawn(
        f"{TEMPLATES}/revisions.html",
        frame(place, found, "revisions")
        | {
            "rows": [(each, statement_page.changed(each)) for each in rows],
            "money": money,
        },
    )


def disputes(place: Place, statement_id: UUID) -> Drawn:
    found = queries.statement(statement_id)
    row = queries.revision_numbered(found.id, found.revision)
    shown = shown_disputes(found, row) if row else []
    answered = people.names([each.dispute.answered_by for each in shown])
    return Drawn(
        f"{TEMPLATES}/disputes.html",
        frame(place, found, "disputes")
        | {"row": row, "disputes": shown, "answered": answered, "today": clock.today()},
    )


def download(_place: Place, statement_id: UUID, number: int) -> ResponseReturnValue:
    """Return the zip of signed PDF and data file.

    This is a POST, because a download is recorded.
    """
    found = queries.statement(statement_id)
    row = queries.revision_numbered(statement_id, number)
    if row is None:
        raise NotFound("This revision doesn't exist.")
    return work_pages.attachment(actions.download(found, row))


def provisional(_place: Place, agreement_id: UUID) -> Drawn:
    """Show the running month so far. None of it is frozen."""
    agreement = agreements.agreement(agreement_id)
    now = whole_minute(clock.now())
    month = month_of(zone_periods(), now)
    gathered = statement_facts.gather(agreement, month, until=now)
    if not gathered.facts["versions"]:
        raise DomainError(f"No version of {agreement.ref} is in force this month.")
    facts: Mapping[str, Any] = {
        **gathered.facts,
        "notes": closing.notes_of(gathered.facts, gathered.counts),
    }
    return Drawn(
        f"{TEMPLATES}/provisional.html",
        statement_page.figures_of(facts, gathered.result())
        | {"agreement": agreement, "until": now},
    )


def new_dispute(place: Place, statement_id: UUID) -> Drawn | ResponseReturnValue:
    """Preview the effect, then raise the dispute."""
    found = queries.statement(statement_id)
    row = closed_revision(found)
    form = DisputeForm()
    form.exclusion.choices = [
        (f"{each['ref']} {each['from']}", _exclusion_name(row, each))
        for each in row.facts["exclusions"]
        if each["category"] != "dispute"
    ]
    form.indicator.choices = [
        (each["key"], f"{each['key']}: {each['name']}") for each in row.facts["indicators"]
    ]
    effect: dict[str, Any] | None = None
    is_preview = form.step.data != "raise" or "change" in request.form

    def act() -> None:
        nonlocal effect
        span, indicator, ref = _disputed(form, found)
        if is_preview:
            effect = dispute_effects.effect(
                month_close.statement_in_file(row),
                kind=form.kind.data,
                span=span,
                indicator=indicator,
                exclusion=ref,
            )
            return
        dispute_actions.raise_dispute(
            found,
            kind=form.kind.data,
            span=span,
            reason=form.reason.data or "",
            indicator=indicator,
            exclusion=ref,
        )

    if request.method == "POST" and accepted(form, act) and not is_preview:
        flash("The operator was notified of your dispute.")
        return redirect(place.to("disputes", statement_id=statement_id), 303)
    return _dispute_page(place, found, form, effect)


def _dispute_page(
    place: Place, found: Statement, form: DisputeForm, effect: dict[str, Any] | None
) -> Drawn:
    shown = None
    if effect is not None:
        shown = statement_page.effects(form.kind.data, effect)
    has_errors = bool(form.problems)
    return Drawn(
        f"{TEMPLATES}/dispute.html",
        frame(place, found, "disputes") | {"form": form, "effect": shown},
        status=form.status if request.method == "POST" and has_errors else 200,
    )


def _exclusion_name(row: StatementRevision, each: Mapping[str, Any]) -> str:
    zones = figures.zones_of(row.facts)
    start = read_span([each["from"], each["to"]]).start
    return f"{each['ref']}, {figures.day(start, zones)}: {each['title']}"


def _disputed(form: DisputeForm, found: Statement) -> tuple[Span, str | None, str | None]:
    """Return the span, indicator and exclusion that the form names."""
    if form.kind.data == "exclusion":
        ref, _, start = (form.exclusion.data or "").partition(" ")
        return dispute_actions.exclusion_span(found, ref, start), None, ref
    start_at = instant(form.starts_at.data, "starts_at")
    end_at = instant(form.ends_at.data, "ends_at")
    if end_at <= start_at:
        raise Invalid(
            "The minutes end before they start. Change one of the times.", field="ends_at"
        )
    return Span(start_at, end_at), form.indicator.data, None


def withdraw_dispute(place: Place, statement_id: UUID, dispute_id: UUID) -> ResponseReturnValue:
    dispute_actions.withdraw(dispute_of(statement_id, dispute_id))
    flash("You withdrew the dispute.")
    return redirect(place.to("disputes", statement_id=statement_id), 303)


def closed_revision(found: Statement) -> StatementRevision:
    """Return the newest revision. Raises NotOpen while the month isn't closed."""
    row = queries.revision_numbered(found.id, found.revision)
    if row is None:
        raise dispute_actions.NotOpen("This month isn't closed yet. Try again after it is closed.")
    return row


def dispute_of(statement_id: UUID, dispute_id: UUID) -> Any:
    """Return a dispute of this statement. Raises NotFound for another statement's."""
    dispute = queries.dispute(dispute_id)
    if dispute.statement_id != statement_id:
        raise NotFound("This dispute doesn't exist.")
    return dispute


def answered(form: Form) -> int:
    """Return the status code of a form's response."""
    return form.status if request.method == "POST" else 200
