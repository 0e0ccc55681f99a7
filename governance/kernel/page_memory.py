"""Pages that are drawn once for their reader, until something changes that they show.

    @page_memory.kept             below the route of a page whose facts are all in the log
    page_memory.once(draw, *facts)    a page that shows other facts as well, which it has read

What is kept are the parts of a page that its template fills (PARTS), of one session, one address
and one minute, under the number of the tenant's log. The frame around them is drawn for each
request: navigation, banner, inbox, notes and form tokens. So is the check of the permission, which
comes before; what a person may no longer open isn't looked for here.
"""

import re
from collections.abc import Callable, Hashable
from dataclasses import replace
from functools import wraps
from typing import Any

from flask import Response, g, make_response, render_template, request

from governance.kernel import clock, current, tenant_cache, web
from governance.kernel.db import Question
from governance.kernel.ports import Port
from governance.kernel.tenant_cache import BoundedCache, Number
from governance.kernel.web import ResponseReturnValue

FRAME = "layout.html"
PARTS = frozenset({"title", "crumbs", "help", "head", "tabs", "content", "scripts"})  # blocks of it
MAX_PAGES = 32  # of all tenants and readers together; long ones have 200 kB
SECONDS_AGO = re.compile(r"\b\d+ seconds? ago")  # of a page that is wrong a second later
type View = Callable[..., ResponseReturnValue]


def _unknown() -> Number | None:
    return None


def _none() -> Question | None:
    return None


log_number: Port[Callable[[], Number | None]] = Port(
    "a number that grows with every change of the tenant's facts", default=_unknown
)
log_question: Port[Callable[[], Question | None]] = Port(
    "the statement that reads that number, for the BEGIN of a transaction", default=_none
)
_pages = BoundedCache(MAX_PAGES)


def kept(view: View) -> View:
    """Draw a view's page once: what it shows follows from the log, the reader, the address and the
    minute.
    """

    @wraps(view)
    def drawn_once(**values: Any) -> ResponseReturnValue:
        return once(lambda: view(**values))

    return drawn_once


def once(draw: Callable[[], ResponseReturnValue], *facts: Hashable) -> ResponseReturnValue:
    """Return the page that `draw` returns, or the same as it came out for the same facts."""
    mark = _mark()
    if mark is None:
        return draw()
    key = mark, _reader(), _address(), int(clock.now().timestamp()) // 60, facts
    found: tuple[str, dict[str, str]] | None = _pages.find(key)
    g.page_parts = {} if found is None else found[1]
    try:
        if found is None:
            answer = draw()
            if _is_to_keep(answer):
                _pages.put(key, (g.get("section", ""), g.page_parts))
        else:
            if found[0]:
                g.section = found[0]
            answer = make_response(render_template(FRAME))
    finally:
        del g.page_parts
    return web.with_form_token(answer) if isinstance(answer, Response) else answer


def _mark() -> Hashable:
    """What stands for the tenant's facts as this transaction reads them; None where nothing may be
    kept: for a block of a page, and for operators who visit, whose every look is logged.
    """
    if request.method != "GET" or "HX-Request" in request.headers or current.actor().support:
        return None
    return tenant_cache.mark(log_number())


def _reader() -> Hashable:
    return replace(current.actor(), unread_notifications=0)  # the frame shows how many there are


def _address() -> Hashable:
    return request.script_root, request.full_path, request.cookies.get("theme")


def _is_to_keep(answer: ResponseReturnValue) -> bool:
    return (
        isinstance(answer, Response)
        and answer.status_code == 200  # noqa: PLR2004
        and g.page_parts.keys() >= PARTS
        and not any(SECONDS_AGO.search(part) for part in g.page_parts.values())
    )


def part(name: str, caller: Callable[[], str]) -> str:
    """What the page fills in there; for the frame's template."""
    parts: dict[str, str] | None = g.get("page_parts")
    if parts is None:
        return caller()
    if name not in parts:
        parts[name] = caller()
    return parts[name]
