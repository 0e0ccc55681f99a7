"""Custody of auditor downloads: record each file, watermark PDFs, and stop when access ends.

`begin` answers the kernel's port for each route that declares a file or a stream. If the view's
transaction can write, the log entry is part of it. A GET request records it in its own transaction
before the first byte is sent. So does a PDF, whose size and digest are known only after
watermarking.
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
from governance.assurance.engagements.downloads.watermark import Watermark, write_watermarked
from governance.assurance.engagements.events import AuditorAccessEnded
from governance.assurance.engagements.models import Engagement
from governance.assurance.engagements.ports import signed_copies
from governance.foundation.people import queries as members
from governance.foundation.tenants.system_actor import system_actor_in
from governance.kernel import clock, current
from governance.kernel.current import Actor
from governance.kernel.data.db import session, transaction
from governance.kernel.files.downloads import FILE, Answers, Finish, as_it_is
from governance.kernel.files.storage import PIECE_BYTES
from governance.kernel.work.events import publish

PDF = "application/pdf"


def end_refused_session(response: Response) -> Response:
    """End the session of an auditor whose request was denied because they have no open engagement.

    The denial rolled back its own transaction, so this uses another one.
    """
    who: Actor | None = g.pop("access_ended", None)
    if who is not None and who.person_id is not None:
        with (
            current.acting_as(system_actor_in(who.tenant_id, who.tenant_slug, who.tenant_name)),
            transaction(),
        ):
            publish(AuditorAccessEnded(who.person_id, how="access to the engagement ended"))
    return response


@dataclass(frozen=True, slots=True)
class Delivery:
    """A download in progress: the auditor, the engagement, the page and the object.

    `only_in` is the engagement named in the URL, if any. The download stops when that one ends.
    """

    who: Actor
    engagement_id: UUID | None
    firm: str
    ref: str
    only_in: UUID | None
    page: str
    what: str


@dataclass(frozen=True, slots=True)
class RecordedFile:
    """A downloaded file as the audit log records it.

    `original` is the digest before watermarking.
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
        return partial(_watch_stream, delivery)
    if answer.mimetype == PDF:
        return partial(_watermark_then_send, delivery)
    if not may_write:
        return partial(_record_then_send, delivery)
    _record(delivery, _file(answer))
    return partial(_send, delivery)


def _delivery(who: Actor) -> Delivery:
    """Return the download, in the engagement that the URL names or else in the first open one."""
    found = queries.open_engagements_of(who.person_id) if who.person_id else ()
    named = (request.view_args or {}).get("engagement_id")
    chosen = next((each for each in found if each.id == named), found[0] if found else None)
    engagement_id, firm, ref = (chosen.id, chosen.firm, chosen.ref) if chosen else (None, "", "")
    return Delivery(who, engagement_id, firm, ref, named, request.endpoint or "", _object_ids())


def viewer_mark() -> str:
    """Return the watermark text for pages shown to an auditor. Empty for other people."""
    who = current.actor()
    if who.role != "auditor":
        return ""
    delivery = _delivery(who)
    mark = Watermark(delivery.firm, who.name, delivery.ref, clock.now(), "")
    return mark.edge.replace("downloaded", "viewed")


def _object_ids() -> str:
    return " ".join(
        str(value) for key, value in (request.view_args or {}).items() if key != "tenant"
    )


# ---- Files


def _name(answer: Response) -> str:
    return (
        answer.headers.get("Content-Disposition", "")
        .partition("filename=")[2]
        .partition(";")[0]
        .strip('"')
    )


def _file(answer: Response) -> RecordedFile:
    digest = answer.headers.get("X-Content-SHA256") or None
    if not answer.is_streamed:
        digest = hashlib.sha256(answer.get_data()).hexdigest()
    return RecordedFile(_name(answer), answer.content_length or 0, digest)


def _record_then_send(delivery: Delivery, answer: Response) -> Response:
    file = _file(answer)
    with transaction():
        _record(delivery, file)
    return _send(delivery, answer)


def _watermark_then_send(delivery: Delivery, answer: Response) -> Response:
    """Send a watermarked copy. Send the PDF unchanged if it can't be watermarked."""
    folder = tempfile.TemporaryDirectory(prefix="stamp-")
    source, copy = Path(folder.name) / "original.pdf", Path(folder.name) / "copy.pdf"
    digest, size = _spool(answer, source)
    mark = Watermark(delivery.firm, delivery.who.name, delivery.ref, clock.now(), digest)
    seal = None
    if write_watermarked(source, copy, mark):
        seal = signed_copies().seal(copy, mark)
        leaving, file = (
            copy,
            RecordedFile(_name(answer), copy.stat().st_size, _digest(copy), original=digest),
        )
    else:
        leaving, file = source, RecordedFile(_name(answer), size, digest)
    with transaction():
        _record(delivery, file)
        if leaving is copy:
            signed_copies().sign(file.sha256 or "", mark, seal)
    answer.response = _read_in_pieces(leaving, folder)
    answer.content_length = file.size
    answer.headers["X-Content-SHA256"] = file.sha256 or ""
    answer.headers["X-Original-SHA256"] = digest
    return _send(delivery, answer)


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


def _read_in_pieces(file: Path, folder: "tempfile.TemporaryDirectory[str]") -> Iterator[bytes]:
    """Yield the file in pieces. Remove the folder at the end, or when the client disconnects."""
    with folder, file.open("rb") as stream:
        while piece := stream.read(PIECE_BYTES):
            yield piece


def _record(delivery: Delivery, file: RecordedFile) -> None:
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


def _send(delivery: Delivery, answer: Response) -> Response:
    """Add the X-Custody header with the recorded facts, in ASCII."""
    said = f"{delivery.who.name}, {delivery.firm}, {delivery.ref}, {clock.now():%Y-%m-%dT%H:%M:%SZ}"
    answer.headers["X-Custody"] = said.encode("ascii", "replace").decode()
    return _watch_stream(delivery, answer)


# ---- Streams


def _watch_stream(delivery: Delivery, answer: Response) -> Response:
    if answer.is_streamed:
        answer.response = _stop_when_access_ends(delivery, answer.response)
    return answer


def _stop_when_access_ends(delivery: Delivery, pieces: Iterable[Any]) -> Iterator[Any]:
    """Check access before each piece. If it ended, stop the stream and record the bytes sent."""
    octets = 0
    try:
        for piece in pieces:
            if not _still_has_access(delivery):
                _record_interrupted(delivery, octets)
                raise actions.EngagementClosed(
                    "Your access to the engagement has ended, so the download stopped."
                )
            yield piece
            octets += len(piece)
    finally:
        close = getattr(pieces, "close", None)
        if close is not None:
            close()


def _still_has_access(delivery: Delivery) -> bool:
    """Check that the download's engagement is open and that the session hasn't ended."""
    who = delivery.who
    with current.acting_as(who), transaction(read_only=True):
        row = members.session_row(who.session_id) if who.session_id else None
        still = (
            [each.id for each in queries.open_engagements_of(who.person_id)]
            if who.person_id
            else []
        )
        is_open = delivery.only_in in still if delivery.only_in else bool(still)
        return is_open and (row is None or row.ended_at is None)


def _record_interrupted(delivery: Delivery, octets: int) -> None:
    if delivery.engagement_id is not None:
        with current.acting_as(delivery.who), transaction():
            actions.record_interrupted_download(
                _engagement(delivery), page=delivery.page, what=delivery.what, octets=octets
            )
