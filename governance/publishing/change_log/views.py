"""Pages of the change log: the list, one change, and the public page's settings."""

from uuid import UUID

from flask import flash, redirect, request, url_for

from governance.foundation.approvals import queries as approvals
from governance.foundation.logbook import entry_links
from governance.foundation.people import queries as people
from governance.kernel.config import public_address
from governance.kernel.data.ids import uuid7
from governance.kernel.pages.rendering import page
from governance.kernel.web.feature import Feature
from governance.kernel.web.forms import accepted
from governance.kernel.web.responses import ResponseReturnValue
from governance.publishing.change_log import actions, permissions, queries
from governance.publishing.change_log.change_list import CHANGES
from governance.publishing.change_log.drafts import paragraphs
from governance.publishing.change_log.forms import ChangeForm, WithdrawalForm
from governance.publishing.change_log.models import ChangeLog, CustomerChange
from governance.publishing.change_log.record import SOURCES

feature = Feature("change_log", __name__)
MARKS = {
    "draft": "open",
    "requested": "due",
    "published": "ok",
    "withdrawn": "bad",
    "discarded": "none",
}


@feature.get("/change-log/", needs=permissions.VIEW)
def index() -> ResponseReturnValue:
    asked = CHANGES.read()
    found = queries.page_of(asked.criteria, sort=asked.sort, after=asked.after, size=CHANGES.size)
    log = queries.change_log()
    return page(
        "publishing/change_log/index.html",
        asked=asked,
        rows=found.rows,
        next=found.next,
        counts=queries.counts(),
        log=log,
        address=_address(log),
        MARKS=MARKS,
    )


def _address(log: ChangeLog | None) -> str:
    return f"{public_address()}/public/changes/{log.token}" if log else ""


@feature.post("/change-log/start", needs=permissions.OPEN)
def start() -> ResponseReturnValue:
    actions.start()
    flash("The change log is started. What the record says of the last 30 days is drafted.")
    return _to_list()


@feature.route("/change-log/page", methods=["GET", "POST"], needs=permissions.OPEN)
def settings() -> ResponseReturnValue:
    """Switch the public page on or off, or replace its address."""
    log = queries.change_log()
    if log is None:
        return _to_list()
    if request.method == "POST":
        step = request.form.get("step", "")
        if step == "replace":
            actions.renew_address()
            flash("The page has a new address. The old one leads nowhere any more.")
        elif step in {"on", "off"}:
            actions.switch(on=step == "on")
            flash(f"The public page is {step}.")
        return redirect(url_for("change_log.settings"), 303)
    return page("publishing/change_log/settings.html", log=log, address=_address(log))


def _to_list() -> ResponseReturnValue:
    return redirect(url_for("change_log.index"), 303)


@feature.post("/change-log/draft", needs=permissions.WRITE)
def draft() -> ResponseReturnValue:
    """Read the record now instead of within a minute."""
    made = actions.draft_from_record()
    flash(f"{made} new." if made else "Nothing new in the record.")
    return _to_list()


@feature.route("/change-log/new", methods=["GET", "POST"], needs=permissions.WRITE)
def new() -> ResponseReturnValue:
    form = ChangeForm(once=str(uuid7()))
    if request.method == "POST":
        made: list[CustomerChange] = []
        if form.change_id is not None and queries.exists(form.change_id):
            return _to(form.change_id)
        if accepted(
            form, lambda: made.append(actions.write(form.text(), change_id=form.change_id))
        ):
            flash(f"{made[0].ref} is saved as a draft.")
            return _to(made[0].id)
    status = form.status if request.method == "POST" else 200
    return page("publishing/change_log/new.html", status=status, form=form)


def _to(change_id: UUID) -> ResponseReturnValue:
    return redirect(url_for("change_log.change", customer_change_id=change_id), 303)


@feature.get("/change-log/<uuid:customer_change_id>", needs=permissions.VIEW)
def change(customer_change_id: UUID) -> ResponseReturnValue:
    return _page(queries.change(customer_change_id))


def _page(
    found: CustomerChange, *, form: ChangeForm | None = None, status: int = 200
) -> ResponseReturnValue:
    requested = queries.open_request(found)
    return page(
        "publishing/change_log/change.html",
        status=status,
        change=found,
        system=queries.system_of(found),
        body=paragraphs(found.body),
        effect=paragraphs(found.effect),
        requested=requested,
        may_open_approval=requested is not None and approvals.is_visible(requested),
        form=form or ChangeForm(obj=found),
        seen=form.seen.data if form and not form.stale else found.revision,
        names=people.names([found.edited_by, found.approved_by]),
        log=queries.change_log(),
        source=_source(found),
        history=[
            {"kind": "dot", "text": f"{each.who} {each.says}", "meta": each.reason, "at": each.at}
            for each in people.timeline([found.id])
        ],
        MARKS=MARKS,
    )


def _source(found: CustomerChange) -> tuple[str, str] | None:
    """Return the record that a change was drafted from: (noun, address), or None if it has no page."""
    kind = SOURCES.get(found.cause)
    if not kind or found.cause_id is None:
        return None
    address = entry_links.address(kind, found.cause_id)
    return (entry_links.noun(kind), address) if address else None


@feature.post("/change-log/<uuid:customer_change_id>", needs=permissions.WRITE)
def edit(customer_change_id: UUID) -> ResponseReturnValue:
    found, form = queries.change(customer_change_id), ChangeForm()
    if not accepted(form, lambda: actions.edit(found, form.text(), seen=form.revision)):
        return _page(found, form=form, status=form.status)
    flash(f"{found.ref} is saved. Request approval to publish it.")
    return _to(found.id)


@feature.post("/change-log/<uuid:customer_change_id>/request", needs=permissions.WRITE)
def request_approval(customer_change_id: UUID) -> ResponseReturnValue:
    found = queries.change(customer_change_id)
    asked = actions.request_approval(found)
    flash(f"{asked.ref}: another person reads {found.ref}, then it is published.")
    return _to(found.id)


@feature.post("/change-log/<uuid:customer_change_id>/discard", needs=permissions.WRITE)
def discard(customer_change_id: UUID) -> ResponseReturnValue:
    found = queries.change(customer_change_id)
    actions.discard(found)
    flash(f"{found.ref} is discarded. You can reopen it.")
    return _to(found.id)


@feature.post("/change-log/<uuid:customer_change_id>/reopen", needs=permissions.WRITE)
def reopen(customer_change_id: UUID) -> ResponseReturnValue:
    found = queries.change(customer_change_id)
    actions.reopen(found)
    flash(f"{found.ref} is a draft again.")
    return _to(found.id)


@feature.route(
    "/change-log/<uuid:customer_change_id>/withdraw",
    methods=["GET", "POST"],
    needs=permissions.APPROVE,
)
def withdraw(customer_change_id: UUID) -> ResponseReturnValue:
    found, form = queries.change(customer_change_id), WithdrawalForm()
    if request.method == "POST" and accepted(
        form, lambda: actions.withdraw(found, reason=form.reason.data or "")
    ):
        flash(f"{found.ref} is withdrawn. Customers see the reason.")
        return _to(found.id)
    return page(
        "publishing/change_log/withdraw.html",
        status=form.status if request.method == "POST" else 200,
        form=form,
        change=found,
    )
