"""Pages that are drawn once for their reader, until something changes that they show.

    @page_memory.kept             below the route of a page whose facts are all in the log
    page_memory.once(draw, *facts)    a page that shows other facts as well, which it has read

What is kept are the parts of a page that its template fills (PARTS), of one session, one address
and one minute, under the number of the tenant's log. What the frame around them shows is read for
each request: navigation, banner, inbox, notes; it is drawn again when any of it has changed. Form
tokens are those of the request. So is the check of the permission, which comes before; what a
person may no longer open isn't looked for here.
"""

import re
import secrets
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, fields
from functools import wraps
from operator import attrgetter
from typing import Any

from flask import Response, current_app, g, request, session

from governance.kernel import clock, current, tenant_cache, web
from governance.kernel.current import Actor
from governance.kernel.db import Question
from governance.kernel.ports import Port
from governance.kernel.tenant_cache import BoundedCache, Number
from governance.kernel.web import ResponseReturnValue

FRAME = "layout.html"
NOTES = "_flashes"  # in Flask's session, until a page has shown them
PARTS = frozenset({"title", "crumbs", "help", "head", "tabs", "content", "scripts"})  # blocks of it
MAX_PAGES = 32  # of all tenants and readers together; long ones have 200 kB
# of a page that is wrong a second later; a pattern that begins with letters is found ten times faster
SECONDS_AGO = re.compile(r" seconds? ago")
FRAME_MARK = secrets.token_hex(16)  # where a frame has its parts; no text of a page can hold it
FRAME_PART = re.compile(rf"{FRAME_MARK}-(\w+);")
NOT_SHOWN = frozenset({"request", "session", "g", "request_id"})  # of a page's context
# all of an actor but the number of notifications, which the frame shows
OF_READER = attrgetter(*(f.name for f in fields(Actor) if f.name != "unread_notifications"))
type Pieces = tuple[bytes | None, ...]  # of a page; None: the form token of its answer
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


@dataclass(slots=True, eq=False)
class _Kept:
    """The parts of a page; what the frame around them showed last, and that page."""

    section: str
    parts: Mapping[str, Pieces]
    frame: tuple[Any, Pieces] = None, ()  # one value, so that no thread meets half of a change


def once(draw: Callable[[], ResponseReturnValue], *facts: Hashable) -> ResponseReturnValue:
    """Return the page that `draw` returns, or the same as it came out for the same facts."""
    mark = _mark()
    if mark is None:
        return draw()
    key = mark, _reader(), _address(), int(clock.now().timestamp()) // 60, facts
    found: _Kept | None = _pages.find(key)
    if found is not None:
        return _again(found)
    g.page_parts = {}
    try:
        answer = draw()
        if _is_to_keep(answer):
            parts = {name: _pieces(text) for name, text in g.page_parts.items()}
            _pages.put(key, _Kept(g.get("section", ""), parts))
    finally:
        del g.page_parts
    return web.with_form_token(answer) if isinstance(answer, Response) else answer


def _again(page: _Kept) -> Response:
    """The kept parts in their frame."""
    if page.section:
        g.section = page.section
    context: dict[str, Any] = {}
    current_app.update_template_context(context)
    seen = [value for name, value in context.items() if name not in NOT_SHOWN]
    shown = seen, request.scheme, request.host  # the address is printed
    has_notes = NOTES in session  # drawing takes them out
    before, pieces = page.frame
    if has_notes or before != shown:
        pieces = _framed(page, context)
    if not has_notes:
        page.frame = shown, pieces
    token = web.form_token().encode()
    return current_app.response_class(
        b"".join([token if each is None else each for each in pieces])
    )


def _framed(page: _Kept, context: dict[str, Any]) -> Pieces:
    g.page_parts = {name: f"{FRAME_MARK}-{name};" for name in page.parts}
    try:
        frame = current_app.jinja_env.get_template(FRAME).render(context)
    finally:
        del g.page_parts
    pieces: list[bytes | None] = []
    for number, text in enumerate(FRAME_PART.split(frame)):  # every second one names a part
        pieces += page.parts[text] if number % 2 else _pieces(text)
    return tuple(pieces)


def _pieces(text: str) -> Pieces:
    first, *others = text.encode().split(web.TOKEN_MARK.encode())
    return first, *(piece for each in others for piece in (None, each))


def _mark() -> Hashable:
    """What stands for the tenant's facts as this transaction reads them; None where nothing may be
    kept: for a block of a page, and for operators who visit, whose every look is logged.
    """
    if request.method != "GET" or "HX-Request" in request.headers or current.actor().support:
        return None
    return tenant_cache.mark(log_number())


def _reader() -> Hashable:
    return OF_READER(current.actor())


def _address() -> Hashable:
    return request.script_root, request.full_path, request.cookies.get("theme")


def _is_to_keep(answer: ResponseReturnValue) -> bool:
    return (
        isinstance(answer, Response)
        and answer.status_code == 200  # noqa: PLR2004
        and g.page_parts.keys() >= PARTS
        and "has_own_banner" not in g
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
