"""The custody of what an auditor takes: every file leaves an entry, every PDF carries their name,
no stream outlives their access.

`begin` answers the kernel's port for each route that declares a file or a stream. Where the view's
own transaction takes writes, the entry is part of it: no file without its entry, and no entry
without the view's work. The entries of a GET (which writes nothing) and of a PDF (whose size and
digest are known once it is stamped) get a transaction of their own before the first byte leaves.
"""

import contextlib
import hashlib
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

from flask import Response, g, request

from governance.assurance.engagements import actions, queries
from governance.assurance.engagements.events import AuditorAccessEnded
from governance.assurance.engagements.models import Engagement
from governance.assurance.engagements.watermark import Mark, stamped
from governance.foundation.people import queries as members
from governance.foundation.tenants import system_actor
from governance.kernel import clock, current
from governance.kernel.current import Actor
from governance.kernel.db import session, transaction
from governance.kernel.downloads import FILE, Answers, Finish, as_it_is
from governance.kernel.events import publish
from governance.kernel.storage import PIECE

PDF = "application/pdf"


def end_refused_session(response: Response) -> Response:
    """After a request that was denied because the engagement is over: end the access, session
    included.

    The denial rolled its own transaction back, so this needs another one.
    """
    who: Actor | None = g.pop("access_ended", None)
    if who is not None and who.person_id is not None:
        with (
            current.acting_as(
                system_actor.founder(who.tenant_id, who.tenant_slug, who.tenant_name)
            ),
            transaction(),
        ):
            publish(AuditorAccessEnded(who.person_id, how="access to the engagement ended"))
    return response


@dataclass(frozen=True, slots=True)
class Delivery:
    """What is on its way: to whom, in which engagement, by which page of which object.

    `only_in`: the engagement that the address names, whose end ends the delivery whatever else is
    open.
    """

    who: Actor
    engagement_id: UUID | None
    firm: str
    ref: str
    only_in: UUID | None
    page: str
    what: str


@dataclass(frozen=True, slots=True)
class File:
    """What the entry says of a file.

    `original`: the digest of what a stamped copy was made from.
    """

    name: str
    size: int
    sha256: str | None
    original: str | None = None


def begin(answer: Response, *, answers: Answers, may_write: bool) -> Finish:
    who = current.actor()
    if who.role != "auditor":
        return as_it_is
    delivery = _delivery(who)
    is_taken = answers == FILE and delivery.engagement_id is not None
    if not is_taken:
        return partial(_follow, delivery)
    if answer.mimetype == PDF:
        return partial(_stamp, delivery)
    if not may_write:
        return partial(_take, delivery)
    _record(delivery, _file(answer))
    return partial(_hand_over, delivery)


def _delivery(who: Actor) -> Delivery:
    """Of several engagements that are open, the one that the address names; otherwise the first."""
    found = queries.current(who.person_id) if who.person_id else ()
    named = (request.view_args or {}).get("engagement_id")
    chosen = next((each for each in found if each.id == named), found[0] if found else None)
    engagement_id, firm, ref = (chosen.id, chosen.firm, chosen.ref) if chosen else (None, "", "")
    return Delivery(who, engagement_id, firm, ref, named, request.endpoint or "", _object())


def _object() -> str:
    return " ".join(
        str(value) for key, value in (request.view_args or {}).items() if key != "tenant"
    )


# ---- files


def _name(answer: Response) -> str:
    return (
        answer.headers.get("Content-Disposition", "")
        .partition("filename=")[2]
        .partition(";")[0]
        .strip('"')
    )


def _file(answer: Response) -> File:
    digest = answer.headers.get("X-Content-SHA256") or None
    if not answer.is_streamed:
        digest = hashlib.sha256(answer.get_data()).hexdigest()
    return File(_name(answer), answer.content_length or 0, digest)


def _take(delivery: Delivery, answer: Response) -> Response:
    file = _file(answer)
    with transaction():
        _record(delivery, file)
    return _hand_over(delivery, answer)


def _stamp(delivery: Delivery, answer: Response) -> Response:
    """The copy with the auditor's name on each page; a PDF that can't be stamped leaves as other
    files do.
    """
    folder = tempfile.TemporaryDirectory(prefix="stamp-")
    source, copy = Path(folder.name) / "original.pdf", Path(folder.name) / "copy.pdf"
    digest, size = _spool(answer, source)
    if stamped(
        source, copy, Mark(delivery.firm, delivery.who.name, delivery.ref, clock.now(), digest)
    ):
        leaving, file = (
            copy,
            File(_name(answer), copy.stat().st_size, _digest(copy), original=digest),
        )
    else:
        leaving, file = source, File(_name(answer), size, digest)
    with transaction():
        _record(delivery, file)
    answer.response = _from(leaving, folder)
    answer.content_length = file.size
    answer.headers["X-Content-SHA256"] = file.sha256 or ""
    answer.headers["X-Original-SHA256"] = digest
    return _hand_over(delivery, answer)


def _spool(answer: Response, target: Path) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    with target.open("wb") as file, contextlib.closing(answer):
        for piece in answer.iter_encoded():
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


def _record(delivery: Delivery, file: File) -> None:
    actions.record_download(
        _engagement(delivery),
        page=delivery.page,
        what=delivery.what,
        name=file.name,
        size=file.size,
        sha256=file.sha256,
        original=file.original,
    )


def _engagement(delivery: Delivery) -> Engagement:
    return session().get_one(Engagement, (delivery.who.tenant_id, delivery.engagement_id))


def _hand_over(delivery: Delivery, answer: Response) -> Response:
    """Say in a header what was recorded, in ASCII as a header must be."""
    said = f"{delivery.who.name}, {delivery.firm}, {delivery.ref}, {clock.now():%Y-%m-%dT%H:%M:%SZ}"
    answer.headers["X-Custody"] = said.encode("ascii", "replace").decode()
    return _follow(delivery, answer)


# ---- on its way


def _follow(delivery: Delivery, answer: Response) -> Response:
    if answer.is_streamed:
        answer.response = _while_open(delivery, answer.response)
    return answer


def _while_open(delivery: Delivery, pieces: Iterable[Any]) -> Iterator[Any]:
    """Piece by piece, and before each one the access is checked again: a stream breaks off, and the
    log says where.
    """
    octets = 0
    try:
        for piece in pieces:
            if not _may_go_on(delivery):
                _record_broken_off(delivery, octets)
                raise actions.Closed(
                    "Your access to the engagement has ended, so the download stopped."
                )
            yield piece
            octets += len(piece)
    finally:
        close = getattr(pieces, "close", None)
        if close is not None:
            close()


def _may_go_on(delivery: Delivery) -> bool:
    """Another engagement that is still open does not carry on what was taken in this one."""
    who = delivery.who
    with current.acting_as(who), transaction(read_only=True):
        row = members.session_row(who.session_id) if who.session_id else None
        still = [each.id for each in queries.current(who.person_id)] if who.person_id else []
        is_open = delivery.only_in in still if delivery.only_in else bool(still)
        return is_open and (row is None or row.ended_at is None)


def _record_broken_off(delivery: Delivery, octets: int) -> None:
    if delivery.engagement_id is not None:
        with current.acting_as(delivery.who), transaction():
            actions.record_broken_off(
                _engagement(delivery), page=delivery.page, what=delivery.what, octets=octets
            )
