"""Pages of background work.

They show its progress, as JSON and as events, cancel and retry it, and download its result.

add_routes(feature, EXPORTS, "/audit/exports/<uuid:export_id>", find)   …/cancel and …/again
shown(run)                  the values for the progress row of a template
attachment(file)            the answer to a download
"""

import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

from flask import Response, jsonify, redirect, stream_with_context, url_for

from governance.kernel import current
from governance.kernel.data.db import session, transaction
from governance.kernel.files import storage
from governance.kernel.files.downloads import STREAM
from governance.kernel.safety import access
from governance.kernel.web.feature import Feature
from governance.kernel.web.responses import ResponseReturnValue
from governance.kernel.web.step_up import StepUp
from governance.kernel.work import background_work
from governance.kernel.work.background_work import GeneratedFile, Run, WorkKind

VIEW = access.permission(
    "work.view",
    "view the progress of background work",
    roles="admin compliance_officer contributor auditor viewer operator_admin operator_finance",
)
feature = Feature("work", __name__)
WATCH_SECONDS = 50
# Streams that a worker keeps open at once, each with a thread; milliseconds until other clients
# reconnect, which get one line.
WATCHERS, COME_BACK = (
    4,
    2000,
)
TICK_SECONDS = 0.4
_watchers = threading.BoundedSemaphore(WATCHERS)
_routes: dict[str, tuple[str | None, str]] = {}  # Kind → endpoints that cancel and retry.


# ---- watching


@feature.get("/work/<uuid:item_id>", needs=VIEW, attended=False)
def item(item_id: UUID) -> ResponseReturnValue:
    return jsonify(background_work.progress_json(background_work.watched(item_id)))


@feature.get("/work/<uuid:item_id>/events", needs=VIEW, attended=False, answers=STREAM)
def events(item_id: UUID) -> ResponseReturnValue:
    """Send events while the work runs; the browser reconnects when the minute is over."""
    background_work.watched(item_id)
    stream = stream_with_context(_follow(item_id, current.actor()))
    return Response(stream, content_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


def _follow(item_id: UUID, who: current.Actor) -> Iterator[str]:
    """Yield the lines of a stream.

    The slot is acquired and released in here, so that a stream which never began occupies none.
    """
    if not _watchers.acquire(blocking=False):
        yield f"retry: {COME_BACK}\ndata: {json.dumps(_state(item_id, who))}\n\n"
        return
    try:
        yield from _lines(item_id, who)
    finally:
        _watchers.release()


def _state(item_id: UUID, who: current.Actor) -> dict[str, object]:
    with current.acting_as(who), transaction(read_only=True):
        progress = background_work.progress_json(background_work.watched(item_id))
        session().rollback()
    return progress


def _lines(item_id: UUID, who: current.Actor) -> Iterator[str]:
    end, last = time.monotonic() + WATCH_SECONDS, ""
    while time.monotonic() < end:
        progress = _state(item_id, who)
        line = json.dumps(progress)
        yield (
            f"data: {line}\n\n" if line != last else ":\n\n"
        )  # A comment shows whether the browser has left.
        last = line
        if progress["over"]:
            return
        time.sleep(TICK_SECONDS)


# ---- cancelling and retrying


def add_routes(
    owner: Feature,
    kind: WorkKind[Any],
    rule: str,
    find: Callable[..., Run[Any]],
    *,
    cancel: str = "cancel",
    step_up: StepUp | None = None,
) -> None:
    """Add the two addresses below `rule`.

    `find` takes the values in it and returns the run, or raises NotFound. `cancel` is the last part
    of the first address, which a kind that can't be cancelled doesn't have. With `step_up`,
    retrying needs a fresh sign-in.
    """

    def cancelling(**values: Any) -> ResponseReturnValue:
        run = find(**values)
        background_work.cancel(run)
        return _to_page(run)

    def retrying(**values: Any) -> ResponseReturnValue:
        run = find(**values)
        background_work.retry(run)
        return _to_page(run)

    name = kind.name.replace(" ", "_")
    owner.add_url_rule(
        f"{rule}/again",
        f"retry_{name}",
        retrying,
        methods=["POST"],
        needs=kind.permission,
        fresh=step_up,
    )
    if kind.cancelled is not None:
        owner.add_url_rule(
            f"{rule}/{cancel}",
            f"cancel_{name}",
            cancelling,
            methods=["POST"],
            needs=kind.permission,
        )
    _routes[kind.name] = (
        f"{owner.name}.cancel_{name}" if kind.cancelled else None,
        f"{owner.name}.retry_{name}",
    )


def _to_page(run: Run[Any]) -> ResponseReturnValue:
    endpoint, values = background_work.kind_of(run.row).page(run.row)
    return redirect(url_for(endpoint, **values), 303)


# ---- showing


def shown(run: Run[Any]) -> dict[str, Any] | None:
    """Return the values of `c.progress_row` for a run that is not ready; None if there are none.

    It has Cancel and Retry for people who may use them.
    """
    if run.is_ready or run.work is None:
        return None
    kind = background_work.kind_of(run.row)
    endpoint, values = kind.page(run.row)
    cancel = again = None
    if access.allowed(kind.permission):
        cancel, again = (
            url_for(each, **kind.address(run.row)) if each else None for each in _routes[kind.name]
        )
    return {
        "title": kind.title(run.row),
        "item": run.work,
        "result": url_for(endpoint, **values),
        "icon_name": kind.icon,
        "result_label": kind.result_label,
        "cancel": cancel,
        "again": again,
        **addresses(run.work.id),
    }


def addresses(item_id: UUID) -> dict[str, str]:
    """Return the addresses where a progress row follows its work."""
    return {
        "events": url_for("work.events", item_id=item_id),
        "poll": url_for("work.item", item_id=item_id),
    }


def attachment(file: GeneratedFile) -> Response:
    """Return the answer to a download, streamed from the storage."""
    response = Response(
        storage.pieces(file.key) if file.key else iter([file.content]), content_type=file.media_type
    )
    response.headers["Content-Disposition"] = f'attachment; filename="{file.name}"'
    if file.sha256 is not None:
        response.headers["X-Content-SHA256"] = file.sha256
    if file.size is not None:
        response.content_length = file.size
    return response
