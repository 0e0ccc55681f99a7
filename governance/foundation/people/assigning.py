"""The bulk action that assigns selected rows to an owner.

It has one preview and one confirmation for every list.

A list passes its POST to `assign_selected`. Its form has `owner_id` and, if its rows have one of
their own, `due_on`; fields that aren't chosen don't change.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol
from uuid import UUID

from flask import url_for

from governance.foundation.people import owners
from governance.kernel.formatting import long_day, plural
from governance.kernel.pages import bulk_pages
from governance.kernel.pages.bulk_pages import BulkAction
from governance.kernel.pages.undo_pages import back_to
from governance.kernel.web.forms import Form
from governance.kernel.web.responses import ResponseReturnValue
from governance.kernel.work.bulk import BulkChange, BulkColumn, BulkItem

DUE = BulkColumn(
    "due_on", "Due", lambda days: {day: long_day(day) if day else "No date" for day in days}
)


@dataclass(frozen=True, slots=True)
class Assignable:
    """The rows that a list assigns.

    `find` and `apply` as in `BulkAction`. `unowned` words the message when owners were removed.
    """

    noun: str
    title: str
    find: Callable[[Collection[UUID], bool], Sequence[BulkItem]]
    apply: Callable[[Sequence[BulkChange]], object]
    columns: tuple[BulkColumn, ...] = (owners.OWNER,)
    unowned: Callable[[int], str] | None = None


def assign_selected(
    rows: Assignable, form: Form, *, home: str, crumbs: Sequence[tuple[str, str | None]]
) -> ResponseReturnValue:
    """Preview, then assign."""
    sent = {name: form.data.get(name) for name in ("owner_id", "due_on")}
    wanted: dict[str, Any] = {}
    if sent["owner_id"]:
        wanted["owner_id"] = owners.chosen(sent["owner_id"])
    if sent["due_on"]:
        wanted["due_on"] = sent["due_on"]
    action = BulkAction(
        noun=rows.noun,
        title=rows.title,
        columns=rows.columns,
        find=rows.find,
        apply=rows.apply,
        verb=partial(_verb, rows, wanted),
        done=partial(_done, rows, wanted),
        asks=tuple(column.field for column in rows.columns),
    )
    return bulk_pages.run(
        action, form, lambda _: wanted, ids=bulk_pages.selected(), back=back_to(home), crumbs=crumbs
    )


def to_one_owner(
    assign: Callable[[Collection[UUID], UUID | None], object],
) -> Callable[[Sequence[BulkChange]], object]:
    """Return the `apply` of a list that has owners only.

    `assign` gets the changed rows' ids, and the owner that all of them get.
    """
    return lambda changes: (
        changes and assign([each.item.id for each in changes], changes[0].after["owner_id"])
    )


class FindRows(Protocol):
    def __call__(self, ids: Collection[UUID], *, lock: bool) -> Iterable[Any]: ...


def assign_owner(
    noun: str,
    plural_noun: str,
    form: Form,
    *,
    home: str,
    find: FindRows,
    called: tuple[str, str] = ("ref", "title"),
    address: Callable[[Any], str],
    why_not: Callable[[Any], str | None],
    assign: Callable[[Collection[UUID], UUID | None], object],
) -> ResponseReturnValue:
    """Preview, then assign, for a list whose rows have an owner and nothing else to assign.

    `home` is the endpoint of the list, and `called` are the attributes that name a row.
    """
    ref, title = called

    # The signature of `BulkAction.find`.
    def selected(ids: Collection[UUID], lock: bool) -> list[BulkItem]:  # noqa: FBT001
        return [
            BulkItem(
                row.id,
                getattr(row, ref),
                getattr(row, title),
                address(row),
                {"owner_id": row.owner_id},
                why_not(row),
            )
            for row in find(ids, lock=lock)
        ]

    rows = Assignable(noun, f"Assign {plural_noun}", selected, to_one_owner(assign))
    to_list, name = url_for(home), plural_noun[0].upper() + plural_noun[1:]
    return assign_selected(rows, form, home=to_list, crumbs=[(name, to_list)])


def _verb(rows: Assignable, wanted: Mapping[str, Any], count: int) -> str:
    if "owner_id" not in wanted:
        return f"Set the due date of {plural(count, rows.noun)}"
    if wanted["owner_id"] is None and "due_on" in wanted:
        return f"Remove the owner and set the due date of {plural(count, rows.noun)}"
    verb = owners.assign_verb(count, rows.noun, wanted["owner_id"])
    return f"{verb}, due {long_day(wanted['due_on'])}" if "due_on" in wanted else verb


def _done(rows: Assignable, wanted: Mapping[str, Any], count: int) -> str:
    said = []
    if "owner_id" in wanted:
        removed = wanted["owner_id"] is None and rows.unowned
        said.append(
            removed(count) if removed else owners.assigned(count, rows.noun, wanted["owner_id"])
        )
    if "due_on" in wanted:
        are = "is" if count == 1 else "are"
        said.append(f"{plural(count, rows.noun)} {are} due on {long_day(wanted['due_on'])}.")
    return " ".join(said)
