"""Server-sent events of an incident, which tell the page to reload when something happened."""

import threading
import time
from collections.abc import Iterator
from uuid import UUID

from flask import Response, stream_with_context

from governance.assurance.incidents import permissions, queries, timeline
from governance.assurance.incidents.views import feature
from governance.kernel import current
from governance.kernel.data.db import session, transaction
from governance.kernel.errors import DomainError
from governance.kernel.files.downloads import STREAM
from governance.kernel.web.responses import ResponseReturnValue

WATCH_SECONDS, TICK_SECONDS = 50, 2
WATCHERS, COME_BACK_MS = 4, 5000  # Streams at once per worker; each one takes a thread.
_watchers = threading.BoundedSemaphore(WATCHERS)


@feature.get(
    "/incidents/<uuid:incident_id>/events", needs=permissions.VIEW, attended=False, answers=STREAM
)
def events(incident_id: UUID) -> ResponseReturnValue:
    """Stream the revision at the start, and again whenever it changes."""
    queries.incident(incident_id)
    stream = stream_with_context(_follow(incident_id, current.actor()))
    return Response(stream, content_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


def _follow(incident_id: UUID, who: current.Actor) -> Iterator[str]:
    """Yield events while a slot is free.

    The slot is taken and released inside the generator, so a stream that never started holds none.
    """
    if not _watchers.acquire(blocking=False):
        yield f"retry: {COME_BACK_MS}\ndata: {_revision(incident_id, who)}\n\n"
        return
    try:
        yield from _lines(incident_id, who)
    finally:
        _watchers.release()


def _revision(incident_id: UUID, who: current.Actor) -> str:
    with current.acting_as(who), transaction(read_only=True):
        try:
            found = queries.incident(incident_id)
        except DomainError:
            return "gone"
        revision = timeline.revision(found, queries.impacts_of([incident_id])[incident_id])
        session().rollback()
    return revision


def _lines(incident_id: UUID, who: current.Actor) -> Iterator[str]:
    end, last = time.monotonic() + WATCH_SECONDS, ""
    while time.monotonic() < end:
        revision = _revision(incident_id, who)
        # Writing a comment reveals that the browser has disconnected.
        yield f"data: {revision}\n\n" if revision != last else ":\n\n"
        last = revision
        if revision == "gone":
            return
        time.sleep(TICK_SECONDS)
