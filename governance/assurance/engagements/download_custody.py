"""What an auditor takes away: every file leaves a custody line, every PDF carries his name, and no stream outlives his window.

Called after each request (factory). It looks at answers to auditors only, and at files and streams among them only.
"""

import contextlib
import hashlib
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from flask import Response, g, request

from governance.assurance.engagements import actions, queries
from governance.assurance.engagements.models import Engagement
from governance.assurance.engagements.watermark import Mark, stamped
from governance.foundation.people import actions as people
from governance.foundation.people import queries as members
from governance.foundation.tenants import system_actor
from governance.kernel import clock, current
from governance.kernel.current import Actor
from governance.kernel.db import transaction
from governance.kernel.storage import PIECE

PDF = "application/pdf"


def end_shut_out(response: Response) -> Response:
    """Whoever was refused at the door because his engagement is over has no session any more."""
    who: Actor | None = g.pop("shut_out", None)
    if who is not None and who.session_id is not None:
        with current.acting_as(system_actor.founder(who.tenant_id, who.tenant_slug, who.tenant_name)), transaction():
            people.end_session(members.session_row(who.session_id), how="the engagement's window closed")
    return response


def watch_leaving(response: Response) -> Response:
    who: Actor | None = g.get("actor")
    if who is None or who.role != "auditor" or response.status_code != 200:  # noqa: PLR2004
        return response
    is_file = response.headers.get("Content-Disposition", "").startswith("attachment")
    if not is_file and not response.is_streamed:
        return response
    engagement = _engagement(who)
    if is_file:
        response = _taken(who, engagement, response)
    if response.is_streamed:
        of = (request.view_args or {}).get("engagement_id")
        response.response = _while_open(_Leaving(who, engagement, of, request.endpoint or "", _what()), response.response)
    return response


@dataclass(frozen=True, slots=True)
class _Leaving:
    """What is on its way: to whom, in which engagement, by which page of which object. `of`: it is that engagement's alone."""

    who: Actor
    engagement: Engagement | None
    of: UUID | None
    page: str
    what: str


def _while_open(leaving: _Leaving, pieces: Iterable[Any]) -> Iterator[Any]:
    """Piece by piece, and before each one the door is asked again: a stream that goes on breaks off, and the log says where."""
    octets = 0
    try:
        for piece in pieces:
            if not _may_go_on(leaving):
                _note_broken_off(leaving, octets)
                raise actions.Closed("The engagement is over, and with it the access: the file breaks off here.")
            yield piece
            octets += len(piece)
    finally:
        close = getattr(pieces, "close", None)
        if close is not None:
            close()


def _may_go_on(leaving: _Leaving) -> bool:
    """Another engagement that is still open does not carry on what was taken in this one."""
    who = leaving.who
    with current.acting_as(who), transaction(read_only=True):
        row = members.session_row(who.session_id) if who.session_id else None
        still = [each.id for each in queries.current(who.person_id)] if who.person_id else []
        is_open = leaving.of in still if leaving.of else bool(still)
        return is_open and (row is None or row.ended_at is None)


def _note_broken_off(leaving: _Leaving, octets: int) -> None:
    if leaving.engagement is not None:
        with current.acting_as(leaving.who), transaction():
            actions.note_broken_off(leaving.engagement, page=leaving.page, what=leaving.what, octets=octets)


# ---- files


def _taken(who: Actor, engagement: Engagement | None, response: Response) -> Response:
    """Stamp a PDF, and write down who took what, in which engagement, when: before the first byte leaves."""
    if engagement is None:
        return response
    name = response.headers.get("Content-Disposition", "").partition("filename=")[2].partition(";")[0].strip('"')
    digest = response.headers.get("X-Content-SHA256") or None
    if response.mimetype == PDF:
        return _stamped(who, engagement, response, name)
    if not response.is_streamed:
        digest = hashlib.sha256(response.get_data()).hexdigest()
    _note(who, engagement, name, size=response.content_length or 0, sha256=digest, original=None)
    response.headers["X-Custody"] = _line(who, engagement)
    return response


def _engagement(who: Actor) -> Engagement | None:
    """The one that he takes it for; of several that are open, the first."""
    with current.acting_as(who), transaction(read_only=True) as work:
        found = queries.current(who.person_id) if who.person_id else ()
        work.expunge_all()
    wanted = (request.view_args or {}).get("engagement_id")
    return next((each for each in found if each.id == wanted), found[0] if found else None)


def _stamped(who: Actor, engagement: Engagement, response: Response, name: str) -> Response:
    """The copy with his name on each page; a PDF that cannot be stamped leaves as other files do."""
    folder = tempfile.TemporaryDirectory(prefix="stamp-")
    source, copy = Path(folder.name) / "original.pdf", Path(folder.name) / "copy.pdf"
    digest, size = _spool(response, source)
    mark = Mark(engagement.firm, who.name, engagement.ref, clock.now(), digest)
    is_stamped = stamped(source, copy, mark)
    leaves = copy if is_stamped else source
    sha256 = _digest(leaves) if is_stamped else digest
    length = leaves.stat().st_size if is_stamped else size
    _note(who, engagement, name, size=length, sha256=sha256, original=digest if is_stamped else None)
    response.response = _from(leaves, folder)
    response.content_length = length
    response.headers["X-Content-SHA256"] = sha256
    response.headers["X-Original-SHA256"] = digest
    response.headers["X-Custody"] = _line(who, engagement)
    return response


def _spool(response: Response, target: Path) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    with target.open("wb") as file, contextlib.closing(response):
        for piece in response.iter_encoded():
            digest.update(piece)
            size += len(piece)
            file.write(piece)
    return digest.hexdigest(), size


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _from(file: Path, folder: "tempfile.TemporaryDirectory[str]") -> Iterator[bytes]:
    """The file in pieces; the folder goes when they are read or the reader has gone."""
    with folder, file.open("rb") as stream:
        while piece := stream.read(PIECE):
            yield piece


def _note(who: Actor, engagement: Engagement, name: str, *, size: int, sha256: str | None, original: str | None) -> None:
    with current.acting_as(who), transaction():
        actions.note_taken(
            engagement, page=request.endpoint or "", what=_what(), name=name, size=size, sha256=sha256, original=original
        )


def _what() -> str:
    return " ".join(str(value) for key, value in (request.view_args or {}).items() if key != "tenant")


def _line(who: Actor, engagement: Engagement) -> str:
    """In ASCII, as a header must be."""
    said = f"{who.name}, {engagement.firm}, {engagement.ref}, {clock.now():%Y-%m-%dT%H:%M:%SZ}"
    return said.encode("ascii", "replace").decode()
