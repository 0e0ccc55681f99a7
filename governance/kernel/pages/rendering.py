"""Pages and their fragments: a fragment is a named block of its page, so the two cannot diverge."""

import base64
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from flask import Response, make_response, render_template, request
from jinja2_fragments.flask import render_block
from sqlalchemy import Select, literal, tuple_

from governance.kernel.data.db import session
from governance.kernel.errors import Invalid
from governance.kernel.web.responses import ResponseReturnValue

FRAME_CALLS = frozenset({"now", "csrf_token", "url_for", "may", "c"})


def page(template: str, *, status: int = 200, **context: Any) -> ResponseReturnValue:
    """Render the page, or for an htmx request that names a block (`HX-Target: …#block`) only that.

    Raises TypeError for a value that would hide a name of the frame.
    """
    if not FRAME_CALLS.isdisjoint(context):
        raise TypeError(f"the frame calls {', '.join(FRAME_CALLS & context.keys())}")
    block = request.headers.get("HX-Target", "").rpartition("#")[2]
    if request.headers.get("HX-Request") == "true" and block in context.get("fragments", ()):
        return make_response(render_block(template, block, **context), status)
    return make_response(render_template(template, **context), status)


MEDIA_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def table_file(content: bytes | Iterator[bytes], name: str) -> Response:
    """Return a table to download; its type follows from the extension of its name."""
    headers = {
        "Content-Type": MEDIA_TYPES[name.rpartition(".")[2]],
        "Content-Disposition": f'attachment; filename="{name}"',
    }
    return Response(content, headers=headers)


def filters(*names: str) -> dict[str, str]:
    """Return the filters of a list that the address has; empty ones are no filters."""
    return {name: value[:200] for name in names if (value := request.args.get(name, "").strip())}


@dataclass(frozen=True, slots=True)
class Keyset:
    """One page of a list that never counts or skips rows.

    So the millionth page costs what the first one does.
    """

    rows: Sequence[Any]
    next: str | None
    size: int


def keyset(
    query: Select[Any],
    *columns: Any,
    after: str | None,
    size: int = 50,
    descending: bool = False,
    parameters: Mapping[str, Any] | None = None,
) -> Keyset:
    """Order by `columns` (none of them NULL, the last one unique) and continue after the cursor.

    `after` is the cursor. `parameters` are the values of those that the query names. A row is the
    entity of a query for one, otherwise a tuple of what the query selects.
    """
    if after:
        edge, position = tuple_(*columns), tuple_(*_cursor(after, columns))
        query = query.where(edge < position if descending else edge > position)
    ordered = query.order_by(*((c.desc() if descending else c.asc()) for c in columns)).limit(
        size + 1
    )
    rows = (
        session()
        .execute(
            ordered.add_columns(*(c.label(f"mark_{n}") for n, c in enumerate(columns))), parameters
        )
        .all()
    )
    width = len(columns)
    shown = [row[0] if len(row) == width + 1 else row[:-width] for row in rows[:size]]
    return Keyset(shown, _seal(rows[size - 1][-width:]) if len(rows) > size else None, size)


def sorted_page(
    query: Select[Any],
    sorts: Mapping[str, tuple[Any, ...]],
    sort: str,
    *,
    after: str | None,
    size: int,
) -> Keyset:
    """Return a page by the columns of `sort`, descending if it begins with a minus."""
    columns, is_descending = sorts[sort.removeprefix("-")], sort.startswith("-")
    return keyset(query, *columns, after=after, size=size, descending=is_descending)


def first_page(rows: Sequence[Any], *names: str, size: int) -> Keyset:
    """Return the first page of rows that were read already.

    They are at most `size` + 1 objects in the order of these attributes, which `keyset` continues.
    """
    more = len(rows) > size
    marks = [getattr(rows[size - 1], name) for name in names] if more else []
    return Keyset(rows[:size], _seal(marks) if more else None, size)


READERS: dict[type, Callable[[str], Any]] = {
    datetime: datetime.fromisoformat,
    date: date.fromisoformat,
    UUID: UUID,
    int: int,
    str: str,
}


def _seal(values: Sequence[Any]) -> str:
    texts = [v.isoformat() if isinstance(v, date) else str(v) for v in values]
    return base64.urlsafe_b64encode(json.dumps(texts).encode()).decode()


def _cursor(text: str, columns: Sequence[Any]) -> list[Any]:
    """Return the values of the cursor, each as the type of its column.

    A cursor that somebody changed raises Invalid, and is not run.
    """
    try:
        values = json.loads(base64.urlsafe_b64decode(text))
        if not isinstance(values, list) or len(values) != len(columns):
            raise Invalid("This link belongs to another list. Start again from the first page.")
        return [literal(_read(str(v), c), c.type) for v, c in zip(values, columns, strict=True)]
    except (ValueError, OverflowError, RecursionError) as error:
        raise Invalid("This link can't be read. Start again from the first page.") from error


def _read(text: str, column: Any) -> Any:
    value = READERS[column.type.python_type](text)
    if isinstance(value, int) and abs(value) >= 2**31:
        raise ValueError(text)
    if "\0" in text or text.encode("utf-8", "replace").decode() != text:
        raise ValueError(text)
    return value
