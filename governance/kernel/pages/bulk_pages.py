"""The two steps of every bulk action: a page that lists the changes, then the confirmed form.

A list declares its action once (`BulkAction`) and passes its POST to `run`. The first POST has
`ids` and shows the preview; the confirming one has `seen`, the id and fingerprint of each row that
was shown. If rows changed in between, the preview is shown again and nothing is applied. A second
press of the button applies nothing.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import redirect, request

from governance.kernel.errors import Invalid, NotFound
from governance.kernel.formatting import plural
from governance.kernel.pages import undo
from governance.kernel.pages.rendering import page
from governance.kernel.pages.undo_pages import say
from governance.kernel.web.forms import Form, accepted, uuid_or_none
from governance.kernel.web.responses import ResponseReturnValue
from governance.kernel.work.bulk import (
    MAX_ITEMS,
    BulkChange,
    BulkColumn,
    BulkItem,
    BulkPreview,
    Values,
    confirmation,
    overtaken,
    preview,
)

PREVIEW = "bulk/preview.html"


@dataclass(frozen=True, slots=True)
class BulkAction:
    """One bulk action of a list.

    `columns` are the fields that it changes. `find` returns the selected rows in the order of the
    list, locked if its second argument is true; `apply` makes the changes, all or none, or raises a
    DomainError.
    `verb` words the confirming button and `done` the message, from the number of changes.
    `asks` names the fields of the form that the preview offers to change.
    """

    noun: str
    title: str
    columns: tuple[BulkColumn, ...]
    find: Callable[[Collection[UUID], bool], Sequence[BulkItem]]
    apply: Callable[[Sequence[BulkChange]], object]
    verb: Callable[[int], str]
    done: Callable[[int], str]
    head: str = ""  # Head of the column that names the row; otherwise the noun.
    asks: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()  # Fields of the form that belong to the confirmation.
    stop: bool = False  # True if the confirming button looks destructive.

    @property
    def nouns(self) -> str:
        return plural(2, self.noun).partition(" ")[2]


def selected() -> set[UUID]:
    """Return the ids that the list's form sent; anything else becomes an id that no row has."""
    return {uuid_or_none(value) or UUID(int=0) for value in request.form.getlist("ids")}


def is_confirmed() -> bool:
    """Return whether the request confirms a preview, rather than asking for one."""
    return bool(request.form.getlist("seen"))


def confirmed() -> set[UUID]:
    """Return the ids of the rows that the preview listed, as the confirming form names them."""
    return set(_seen())


def _seen() -> dict[UUID, str]:
    sent = (value.partition(".") for value in request.form.getlist("seen"))
    return {uuid_or_none(item_id) or UUID(int=0): mark for item_id, _, mark in sent}


def run(
    action: BulkAction,
    form: Form,
    wanted: Callable[[BulkItem], Values],
    *,
    back: str,
    ids: Collection[UUID] = (),
    crumbs: Sequence[tuple[str, str | None]],
    fields: Mapping[str, str] | None = None,
) -> ResponseReturnValue:
    """Preview, or apply what was previewed. `fields` are hidden fields of the action's own."""
    seen = _seen()
    asked = seen.keys() or set(ids)
    _check_count(action, len(asked))
    items = action.find(asked, bool(seen))
    if len(items) != len(asked):
        raise NotFound(f"One of the selected {action.nouns} can't be found. Nothing was changed.")
    context: dict[str, Any] = {
        "action": action,
        "form": form,
        "back": back,
        "crumbs": crumbs,
        "fields": fields or {},
    }
    if not form.validate():
        return _page(context, BulkPreview(unchanged=tuple(items)), invalid=True, status=form.status)
    shown = preview(items, wanted)
    if not seen:
        return _page(context, shown)
    press = confirmation(
        seen,
        [(str(item.id), dict(wanted(item))) for item in sorted(items, key=lambda each: each.id)],
    )
    if changed := overtaken(items, seen):
        return _pressed_before(context, shown, press) or _page(
            context, shown, changed=changed, status=409
        )
    if not accepted(form, lambda: action.apply(shown.changes)):
        return _page(context, shown, status=form.status)
    if shown.changes:
        say(action.done(len(shown.changes)), undo.offer(press))
    return redirect(back, 303)


def _pressed_before(
    context: Mapping[str, Any], shown: BulkPreview, press: str
) -> ResponseReturnValue | None:
    """Return the answer to a repeated press, or to one with nothing left to do; otherwise None."""
    if (earlier := undo.applied(press)) is not None:
        say(context["action"].done(len(earlier.steps)), earlier.id)
    elif not shown.changes and not shown.blocked:
        say(
            f"Nothing to change: {plural(len(shown.items), context['action'].noun)} already had"
            " these values.",
            None,
        )
    else:
        return None
    return redirect(context["back"], 303)


def _check_count(action: BulkAction, count: int) -> None:
    if not count:
        raise Invalid(f"Select at least one {action.noun} first.")
    if count > MAX_ITEMS:
        raise Invalid(
            f"You selected {plural(count, action.noun)}. One bulk action changes at most"
            f" {MAX_ITEMS}."
        )


def _page(
    context: Mapping[str, Any],
    shown: BulkPreview,
    *,
    changed: Sequence[BulkItem] = (),
    invalid: bool = False,
    status: int = 200,
) -> ResponseReturnValue:
    columns: Sequence[BulkColumn] = context["action"].columns
    values = {
        c.field: (
            {i.now.get(c.field) for i in shown.items}
            | {e.after.get(c.field) for e in shown.changes}
        )
        for c in columns
    }
    words = {c.field: c.describe(values[c.field]) for c in columns}
    return page(
        PREVIEW,
        status=status,
        shown=shown,
        changed=changed,
        invalid=invalid,
        words=words,
        **context,
    )
