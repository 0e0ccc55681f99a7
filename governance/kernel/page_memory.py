"""Pages that are drawn once for their reader, until something changes that they show.

    @page_memory.kept             below the route of a page whose facts are all in the log
    page_memory.once(draw, *facts)    a page that shows other facts as well, which it has read
    page_memory.once_for_its_tables(draw)    every page of one object (kernel/feature.py)
    page_memory.leave_out()       the page that is being drawn now isn't kept

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
from threading import Lock
from typing import Any, Protocol, TypeIs

from flask import Response, current_app, g, request, session

from governance.kernel import clock, current, db, tenant_cache, web
from governance.kernel.current import Actor
from governance.kernel.db import OpeningStatement
from governance.kernel.ports import Port
from governance.kernel.table_changes import UNNUMBERED, Numbers, numbers_of
from governance.kernel.tenant_cache import BoundedCache, Number
from governance.kernel.web import ResponseReturnValue

FRAME = "layout.html"
NOTES = "_flashes"  # in Flask's session, until a page has shown them
PARTS = frozenset({"title", "crumbs", "help", "head", "tabs", "content", "scripts"})  # blocks of it
MAX_BYTES = 6_000_000  # of all tenants and readers together; long pages have 200 kB
LEFT_OUT = "page left out"  # in the transaction's info
# of a page that is wrong a second later, and of a form that may be sent once; patterns that begin
# with letters are found ten times faster
OF_THE_MOMENT = re.compile(r" seconds? ago|name=\"once\"")
FRAME_MARK = secrets.token_hex(16)  # where a frame has its parts; no text of a page can hold it
FRAME_PART = re.compile(rf"{FRAME_MARK}-(\w+);")
OF_EVERY_PAGE = frozenset({"Content-Type", "Content-Length"})  # headers, before those of web.py
NOT_SHOWN = frozenset({"request", "session", "g", "request_id"})  # of a page's context
# all of an actor but the number of notifications, which the frame shows
OF_READER = attrgetter(*(f.name for f in fields(Actor) if f.name != "unread_notifications"))
type Pieces = tuple[bytes | None, ...]  # of a page; None: the form token of its answer
type View = Callable[..., ResponseReturnValue]
type Draw = Callable[[], ResponseReturnValue]


def _unknown() -> Number | None:
    return None


def _nothing_known() -> tuple[Number | None, Numbers]:
    return None, {}


class LogQuestion(Protocol):
    def __call__(self, *, with_tables: bool) -> OpeningStatement | None: ...


def _none(*, with_tables: bool) -> OpeningStatement | None:  # noqa: ARG001 - the protocol's
    return None


log_number: Port[Callable[[], Number | None]] = Port(
    "a number that grows with every change of the tenant's facts", default=_unknown
)
log_and_tables: Port[Callable[[], tuple[Number | None, Numbers]]] = Port(
    "that number, and those of the tables that changed without an entry", default=_nothing_known
)
log_question: Port[LogQuestion] = Port(
    "the statement that reads one or the other, for the BEGIN of a transaction", default=_none
)
_pages = BoundedCache(MAX_BYTES, weigh=lambda page: page.size)
_tables: dict[str, frozenset[str]] = {}  # that the pages of an endpoint read
_lock = Lock()


def kept(view: View) -> View:
    """Draw a view's page once: what it shows follows from the log, the reader, the address and the
    minute.
    """

    @wraps(view)
    def drawn_once(**values: Any) -> ResponseReturnValue:
        return once(lambda: view(**values))

    vars(drawn_once).update(is_kept=True)
    return drawn_once


@dataclass(slots=True, eq=False)
class _Kept:
    """The parts of a page, of `size` bytes with its frame; what the frame around them showed last,
    and that page.
    """

    section: str
    parts: Mapping[str, Pieces]
    size: int
    frame: tuple[Any, Pieces] = None, ()  # one value, so that no thread meets half of a change


def once(draw: Draw, *facts: Hashable) -> ResponseReturnValue:
    """Return the page that `draw` returns, or the same as it came out for the same facts."""
    mark = tenant_cache.mark(log_number()) if _may_keep() else None
    if mark is None:
        return draw()
    key = mark, _situation(), facts
    found: _Kept | None = _pages.find(key)
    if found is not None:
        return _again(found)
    answer, page = _drawn(draw)
    if page is not None:
        _pages.put(key, page)
    return answer


def once_for_its_tables(draw: Draw) -> ResponseReturnValue:
    """The same for a page that may show anything which is in the database: it is drawn again when
    a table that it reads has changed, with or without an entry in the log.

    What an auditor opens is in the log, so that nothing is kept for them.
    """
    if not _may_keep() or current.actor().role == "auditor":
        return draw()
    number, numbers = log_and_tables()()
    mark = tenant_cache.mark(lambda: number)
    if mark is None:
        return draw()
    endpoint, situation = request.endpoint or "", _situation()
    key = mark, situation, numbers_of(_tables.get(endpoint, ()), numbers)
    found: _Kept | None = _pages.find(key)
    if found is not None:
        return _again(found)
    with db.reading() as names:
        answer, page = _drawn(draw)
    read = names & db.Model.metadata.tables.keys()
    if page is not None and not read & UNNUMBERED:
        with _lock:  # it only grows: a page is looked for by all that it has read, or by more
            tables = _tables[endpoint] = _tables.get(endpoint, frozenset()) | read
        _pages.put((mark, situation, numbers_of(tables, numbers)), page)
    return answer


def leave_out() -> None:
    """Don't keep the page that is being drawn: what it shows isn't in the database, or each view of
    it is recorded.
    """
    if db.is_open():
        db.info()[LEFT_OUT] = True


def _drawn(draw: Draw) -> tuple[ResponseReturnValue, _Kept | None]:
    """The page, and what of it is to be kept."""
    page = None
    g.page_parts = {}
    try:
        answer = draw()
        if _is_to_keep(answer) and LEFT_OUT not in db.info():
            parts = {name: _pieces(text) for name, text in g.page_parts.items()}
            page = _Kept(g.get("section", ""), parts, len(answer.get_data()))
    finally:
        del g.page_parts
    return (web.with_form_token(answer) if isinstance(answer, Response) else answer), page


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


def _may_keep() -> bool:
    """Not a block of a page, nor what operators who visit see, whose every look is logged; a page
    that is being drawn to be kept is kept as a whole.
    """
    return (
        request.method == "GET"
        and "HX-Request" not in request.headers
        and not current.actor().support
        and "page_parts" not in g
    )


def _situation() -> Hashable:
    return _reader(), _address(), int(clock.now().timestamp()) // 60


def _reader() -> Hashable:
    return OF_READER(current.actor())


def _address() -> Hashable:
    return request.script_root, request.full_path, request.cookies.get("theme")


def _is_to_keep(answer: ResponseReturnValue) -> TypeIs[Response]:
    return (
        isinstance(answer, Response)
        and answer.status_code == 200  # noqa: PLR2004
        and g.page_parts.keys() >= PARTS
        and "has_own_banner" not in g
        and OF_EVERY_PAGE.issuperset(answer.headers.keys())
        and not any(OF_THE_MOMENT.search(part) for part in g.page_parts.values())
    )


def part(name: str, caller: Callable[[], str]) -> str:
    """What the page fills in there; for the frame's template."""
    parts: dict[str, str] | None = g.get("page_parts")
    if parts is None:
        return caller()
    if name not in parts:
        parts[name] = caller()
    return parts[name]
