"""The pages of the inbox: the list, one item, snoozing, assigning."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any
from uuid import UUID

from flask import flash, jsonify, redirect, request, url_for

from governance.foundation.people import owners
from governance.kernel import clock, current, formatting
from governance.kernel.errors import Invalid, NotFound
from governance.kernel.pages import bulk_pages
from governance.kernel.pages.rendering import page
from governance.kernel.pages.undo_pages import back_to, undo_offer
from governance.kernel.safety.access import OPERATOR_ROLES, ROLE_NAMES, allowed
from governance.kernel.web.feature import Feature
from governance.kernel.web.forms import Form, accepted, uuid_or_none
from governance.kernel.web.responses import ResponseReturnValue
from governance.kernel.work.bulk import BulkChange, BulkItem
from governance.kernel.work.inbox import DONE_FOR, GROUPS, InboxAssignment
from governance.publishing.inbox import (
    actions,
    done,
    next_item,
    permissions,
    queries,
    sentences,
    snoozing,
)
from governance.publishing.inbox.forms import InboxAssignForm, SnoozeForm, chosen_keys
from governance.publishing.inbox.queries import InboxCounts, InboxItem, InboxPage
from governance.publishing.inbox.sources import by_name, sources

feature = Feature("inbox", __name__)
MAX_SELECTED = 50
SNOOZED_GROUPS = (("soon", "Back soon", "by tomorrow"), ("later", "Later", ""))
NONE_SELECTED = "Select at least one item first."
NOT_ASSIGNABLE = (
    "None of the selected items can be assigned. Select evidence items or auditors' requests."
)


def _assignments() -> tuple[InboxAssignment, ...]:
    return tuple(dict.fromkeys(each.assign for each in sources() if each.assign is not None))


def _undoable() -> set[str]:
    """Return the assignments that the person may undo now; their role may have changed since."""
    return {kind for assignment in _mine() for kind in assignment.undoable}


@feature.get("/inbox/", needs=permissions.OWN)
def index() -> ResponseReturnValue:
    next_item.forget()
    if _view() == "done":
        return _done_page()
    view, group = _view(), _group()
    found = queries.page(view=view, group=group, after=request.args.get("after"))
    first = found.items[0] if found.items else None
    next_due = queries.next_due() if not found.tally.open and view == "open" else None
    return page(
        "publishing/inbox/index.html",
        kicker=_kicker(),
        headline=sentences.headline(found.tally),
        tabs=_tabs(found.tally, view, group),
        view=view,
        group=group,
        shown=found,
        groups=list(_grouped(found, view)),
        first=first and _described(first),
        soon=[_described(each) for each in found.soon],
        next_due=next_due,
        next=found.next and url_for("inbox.index", **_kept(view, group), after=found.next),
        start=url_for("inbox.index", **_kept(view, group)),
        owners=(
            owners.assignee_choices()
            if any(allowed(each.needs) for each in _assignments()) and found.items
            else []
        ),
        choices=snoozing.CHOICES,
        is_operator=current.actor().role in OPERATOR_ROLES,
        is_first_page="after" not in request.args,
    )


def _done_page() -> ResponseReturnValue:
    found, counted = done.page(request.args.get("after")), queries.tally()
    items = [
        {
            "row": row,
            "icon": kind.icon,
            "title": row.about,
            "did": row.detail,
            "href": url_for(kind.endpoint, **kind.values(row)),
        }
        for row, kind in found.rows
    ]
    return page(
        "publishing/inbox/done.html",
        kicker=_kicker(),
        headline=sentences.headline(counted),
        tabs=_tabs(counted, "done", ""),
        items=items,
        days=DONE_FOR.days,
        next=found.next and url_for("inbox.index", view="done", after=found.next),
        start=url_for("inbox.index", view="done"),
        is_first_page="after" not in request.args,
    )


def _view() -> str:
    view = request.args.get("view", "open")
    if view not in queries.VIEWS:
        raise NotFound("This inbox view doesn't exist, or you don't have access to it.")
    return view


def _group() -> str:
    group = request.args.get("group", "")
    if group and group not in {each.key for each in GROUPS}:
        raise NotFound("This inbox group doesn't exist, or you don't have access to it.")
    return group


def _kept(view: str, group: str) -> dict[str, Any]:
    return ({"view": view} if view != "open" else {}) | ({"group": group} if group else {})


def _kicker() -> str:
    """Return a kicker such as "Inbox · Ines Duarte, compliance officer · 25 November 2026, 11:10
    CET".
    """
    who, local = current.actor(), clock.now().astimezone(formatting.zone())
    return (
        f"Inbox · {who.name}, {ROLE_NAMES[who.role].lower()} · {formatting.long_day(local.date())},"
        f" {formatting.time_of_day(local)}"
    )


def _tabs(tally: InboxCounts, view: str, group: str) -> list[dict[str, Any]]:
    """Return the tabs: all, each group with items, snoozed, done."""
    tabs = [
        {
            "label": "All",
            "href": url_for("inbox.index"),
            "current": view == "open" and not group,
            "count": tally.open,
        }
    ]
    for each in GROUPS:
        if tally.of(each.key) or each.key == group:
            href, chosen = (
                url_for("inbox.index", group=each.key),
                view == "open" and each.key == group,
            )
            tabs.append(
                {"label": each.title, "href": href, "current": chosen, "count": tally.of(each.key)}
            )
    href = url_for("inbox.index", view="snoozed")
    tabs.append(
        {"label": "Snoozed", "href": href, "current": view == "snoozed", "count": tally.snoozed}
    )
    return [
        *tabs,
        {"label": "Done", "href": url_for("inbox.index", view="done"), "current": view == "done"},
    ]


def _grouped(found: InboxPage, view: str) -> Iterator[dict[str, Any]]:
    if view == "snoozed":
        for rank, (key, title, note) in enumerate(SNOOZED_GROUPS):
            if items := [_described(item) for item in found.items if item.rank == rank]:
                yield {"key": key, "title": title, "note": note, "count": None, "items": items}
        return
    for rank, group in enumerate(GROUPS):
        items = [_described(item) for item in found.items if item.rank == rank]
        if items:
            yield {
                "key": group.key,
                "title": group.title,
                "note": group.note,
                "count": found.tally.of(group.key),
                "items": items,
            }


def _described(item: InboxItem) -> dict[str, Any]:
    """Return an item as the templates show it."""
    source, row, now = item.source, item.row, clock.now()
    return {
        "key": item.key,
        "row": row,
        "source": source,
        "title": item.title,
        "detail": item.detail,
        "verb": source.verb,
        "open": url_for("inbox.open_item", key=item.key),
        "preview": url_for("inbox.preview", key=item.key),
        "assignable": source.assign is not None and allowed(source.assign.needs),
        "reason": row.detail if source.group == "approvals" else "",
        "why": source.why,
        "choices": list(_offered(item)),
        "returns_at": item.returns_at,
        "why_not_snooze": snoozing.why_not(row.due, None, now),
    }


def _offered(item: InboxItem) -> Iterator[tuple[str, str]]:
    """Yield the choices for snoozing this item, given its deadline."""
    now = clock.now()
    for choice, label in snoozing.CHOICES:
        until = snoozing.until(choice, None, now.astimezone(formatting.zone()))
        if snoozing.why_not(item.row.due, until, now) is None:
            yield choice, label


@feature.get("/inbox/items/<key>", needs=permissions.OWN)
def preview(key: str) -> ResponseReturnValue:
    """Show the panel beside the list, or a page on small screens and for an item that has left."""
    try:
        item = _described(queries.item(key))
    except NotFound as gone:
        return page(
            "publishing/inbox/item.html",
            status=404,
            item=None,
            gone=gone.message,
            fragments=("preview",),
        )
    return page("publishing/inbox/item.html", item=item, gone="", fragments=("preview",))


@feature.get("/inbox/items/<key>/open", needs=permissions.OWN)
def open_item(key: str) -> ResponseReturnValue:
    """Open the item's own page, from which the next item follows."""
    try:
        return _opened(queries.item(key))
    except NotFound as gone:
        return page("publishing/inbox/item.html", status=404, item=None, gone=gone.message)


def _opened(item: InboxItem) -> ResponseReturnValue:
    href = url_for(item.source.endpoint, **item.source.values(item.row))
    next_item.remember(item, href)
    return redirect(href, 302)


@feature.get("/inbox/next", needs=permissions.OWN, endpoint="next_item")
def to_next_item() -> ResponseReturnValue:
    """Open the item after the opened one, or the opened one again unless it is done or skipped."""
    opened = next_item.remembered()
    if opened is None:
        return redirect(url_for("inbox.index"), 302)
    if "skip" not in request.args and _is_open(opened["key"]):
        return redirect(opened.get("back") or opened["path"], 302)
    following = queries.following(opened["edge"], opened["key"])
    if following is None:
        return redirect(url_for("inbox.index"), 302)
    return _opened(following)


def _is_open(key: str) -> bool:
    try:
        return not queries.item(key).row.is_snoozed
    except NotFound:
        return False


@feature.get("/inbox/keys", needs=permissions.OWN, attended=False)
def keys() -> ResponseReturnValue:
    """Return the items still open, so that the page grays out rows that have left."""
    return jsonify(items=queries.keys())


@feature.post("/inbox/snooze", needs=permissions.OWN)
def snooze() -> ResponseReturnValue:
    form = SnoozeForm()
    if not accepted(form, lambda: actions.snooze(_chosen(), form.until())):
        return _with_error(form)
    flash(sentences.snoozed(len(chosen_keys()), form.until()))
    return _to_list()


@feature.post("/inbox/return", needs=permissions.OWN)
def return_items() -> ResponseReturnValue:
    form, counts = Form(), list[int]()
    if not accepted(form, lambda: counts.append(actions.return_items(_chosen()))):
        return _with_error(form)
    flash(
        f"{formatting.plural(counts[0], 'item')} returned to your inbox."
        if counts[0]
        else "It is already in your inbox."
    )
    return _to_list()


def _with_error(form: Form) -> ResponseReturnValue:
    """Return to the list with the error."""
    flash(" ".join(text for _, text in form.problems), "error")
    return _to_list()


def _to_list() -> ResponseReturnValue:
    return redirect(back_to(url_for("inbox.index")), 303)


def _chosen() -> list[InboxItem]:
    chosen = chosen_keys()
    if not chosen:
        raise Invalid(NONE_SELECTED)
    if len(chosen) > MAX_SELECTED:
        raise Invalid(f"You selected {len(chosen)} items. Select at most {MAX_SELECTED}.")
    return [queries.item(key) for key in chosen]


@feature.post("/inbox/assign", needs=permissions.OWN)
def assign_selected() -> ResponseReturnValue:
    """Preview, then assign the selected items.

    Approvals and reviews are personal, so a message says they are left out.
    """
    form, home = InboxAssignForm(), url_for("inbox.index")
    owner_id = owners.chosen(form.owner_id.data or None)
    chosen = [
        (by_name().get(key.partition(".")[0]), uuid_or_none(key.partition(".")[2]))
        for key in chosen_keys()
    ]
    ids = {
        item_id
        for source, item_id in chosen
        if item_id and source and source.assign and allowed(source.assign.needs)
    }
    if not bulk_pages.is_confirmed() and not (ids := ids | bulk_pages.selected()):
        flash(NOT_ASSIGNABLE if chosen else NONE_SELECTED, "error")
        return _to_list()
    left_out = len(chosen) - len(ids)
    if chosen and left_out > 0:
        flash(
            f"{formatting.plural(left_out, 'selected item')} can't be assigned and"
            f" {'is' if left_out == 1 else 'are'} left out.",
            "warning",
        )
    action = bulk_pages.BulkAction(
        noun="item",
        title="Assign items",
        columns=(owners.OWNER,),
        find=_to_assign,
        asks=("owner_id",),
        apply=lambda changes: _assign(changes, owner_id),
        verb=lambda count: owners.assign_verb(count, "item", owner_id),
        done=lambda count: owners.assigned(count, "item", owner_id),
    )
    return bulk_pages.run(
        action,
        form,
        lambda _: {"owner_id": owner_id},
        ids=ids,
        back=back_to(home),
        crumbs=[("Inbox", home)],
    )


# BulkAction needs this signature.
def _to_assign(ids: Collection[UUID], lock: bool) -> list[BulkItem]:  # noqa: FBT001
    return [item for assignment in _mine() for item in assignment.find(ids, lock)]


def _assign(changes: Sequence[BulkChange], owner_id: UUID | None) -> None:
    for assignment in _mine():
        found = {item.id for item in assignment.find([change.item.id for change in changes], True)}
        if found:
            assignment.apply(found, owner_id)


def _mine() -> list[InboxAssignment]:
    return [assignment for assignment in _assignments() if allowed(assignment.needs)]


@feature.post("/inbox/undo/<uuid:undo_offer_id>", needs=permissions.OWN)
def undo_change(undo_offer_id: UUID) -> ResponseReturnValue:
    return undo_offer(undo_offer_id, _undoable(), url_for("inbox.index"))
