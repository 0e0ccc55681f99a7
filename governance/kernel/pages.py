"""Pages and their fragments: a fragment is a named block of its page, so the two cannot drift apart."""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import make_response, request
from jinja2_fragments.flask import render_block
from flask import render_template
from sqlalchemy import Select, tuple_

from governance.kernel.db import session
from governance.kernel.errors import Invalid
from governance.kernel.web import ResponseReturnValue


def page(template: str, *, status: int = 200, **context: Any) -> ResponseReturnValue:
    """The whole page; for an htmx request that names a block (`HX-Target: …#block`), only that block."""
    wanted = request.headers.get("HX-Target", "").rpartition("#")[2]
    if request.headers.get("HX-Request") == "true" and wanted in context.get("fragments", ()):
        return make_response(render_block(template, wanted, **context), status)
    return make_response(render_template(template, **context), status)


def filters(*names: str) -> dict[str, str]:
    """The filters of a list that the address carries; empty ones are no filters."""
    return {name: value[:200] for name in names if (value := request.args.get(name, "").strip())}


@dataclass(frozen=True, slots=True)
class Keyset:
    """One page of a list that never counts or skips rows: the millionth page costs what the first does."""

    rows: Sequence[Any]
    next: str | None
    size: int


def keyset(query: Select[Any], *columns: Any, after: str | None, size: int = 50, descending: bool = False) -> Keyset:
    """Order by `columns` (the last one unique) and continue behind the cursor `after`."""
    if after:
        edge = tuple_(*columns)
        query = query.where(edge < tuple_(*_cursor(after, len(columns))) if descending else edge > tuple_(*_cursor(after, len(columns))))
    ordered = query.order_by(*((c.desc() if descending else c.asc()) for c in columns)).limit(size + 1)
    rows = session().execute(ordered).all()
    shown = rows[:size]
    more = len(rows) > size
    return Keyset([r[0] if len(r) == 1 else r for r in shown], _seal(shown[-1], columns) if more else None, size)


def _seal(row: Any, columns: Sequence[Any]) -> str:
    entity = row[0]
    values = [str(getattr(entity, column.key)) for column in columns]
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode()


def _cursor(text: str, length: int) -> list[str]:
    try:
        values = json.loads(base64.urlsafe_b64decode(text))
    except ValueError as error:
        raise Invalid("The page mark in the address cannot be read. Start again from the first page.") from error
    if not isinstance(values, list) or len(values) != length:
        raise Invalid("The page mark in the address belongs to another list.")
    return [str(v) for v in values]
