"""The pages of external witnesses: their status and receipts; adding, testing and removing them."""

import io
import zipfile
from uuid import UUID

from flask import Response, flash, redirect, request, url_for

from governance.foundation.anchors import actions, permissions, queries
from governance.foundation.anchors.forms import FORMS, AnchorForm
from governance.foundation.anchors.models import Anchor
from governance.foundation.anchors.queries import CheckpointReceipt
from governance.foundation.audit import logs
from governance.foundation.audit import queries as audit
from governance.kernel.errors import NotFound
from governance.kernel.files.downloads import FILE
from governance.kernel.pages.rendering import page
from governance.kernel.web.feature import Feature
from governance.kernel.web.forms import accepted, submission
from governance.kernel.web.responses import ResponseReturnValue
from governance.kernel.web.step_up import StepUp

feature = Feature("anchors", __name__)
TEXT = "text/plain; charset=utf-8"
ANSWERS = {"conflict": "contradicted", "refuses": "rejected"}


@feature.get("/audit/anchors", needs=permissions.VIEW)
def index() -> ResponseReturnValue:
    key = logs.signing_key()
    return page(
        "foundation/anchors/index.html",
        anchors=queries.anchors(),
        summary=queries.summary(),
        kept=queries.newest_receipts(),
        work=queries.under_way(),
        log=audit.head(),
        key=str(logs.verifier(key)) if key else None,
        most=queries.MAX_ANCHORS,
        answers=ANSWERS,
    )


def _sent() -> AnchorForm:
    return _form(submission().fields.get("kind", ""))()


ADD = StepUp("Add external witness", _sent)


@feature.get("/audit/anchors/new", needs=permissions.MANAGE, fresh=ADD)
def adding() -> ResponseReturnValue:
    kind = request.args.get("kind", "witness")
    return _form_page(_form(kind)(kind=kind))


@feature.post("/audit/anchors", needs=permissions.MANAGE, fresh=ADD)
def add() -> ResponseReturnValue:
    """Add it and send it the newest checkpoint, so that the page soon shows whether it works."""
    form = _sent()

    def act() -> None:
        fields = {name: value or "" for name, value in form.data.items() if name != "kind"}
        actions.queue_sending(actions.add(kind=form.kind.data or "", **fields))

    if not accepted(form, act):
        return _form_page(form, status=form.status)
    flash(f"{form.name.data} added. Meridian is sending it the newest checkpoint.")
    return redirect(url_for("anchors.index"), 303)


def _form(kind: str) -> type[AnchorForm]:
    if kind not in FORMS:
        raise NotFound("This kind of external witness doesn't exist.")
    return FORMS[kind]


def _form_page(form: AnchorForm, *, status: int = 200) -> ResponseReturnValue:
    key, log = logs.signing_key(), audit.head()
    return page(
        "foundation/anchors/adding.html",
        form=form,
        kind=form.kind.data,
        status=status,
        origin=log.origin if log else None,
        key=str(logs.verifier(key)) if key else None,
    )


@feature.post("/audit/anchors/send", needs=permissions.MANAGE)
def send() -> ResponseReturnValue:
    actions.queue_sending()
    return redirect(url_for("anchors.index"), 303)


@feature.post("/audit/anchors/<uuid:anchor_id>/test", needs=permissions.MANAGE)
def test(anchor_id: UUID) -> ResponseReturnValue:
    actions.queue_sending(queries.anchor(anchor_id))
    return redirect(url_for("anchors.index"), 303)


@feature.get("/audit/anchors/<uuid:anchor_id>/removal", needs=permissions.MANAGE)
def removal(anchor_id: UUID) -> ResponseReturnValue:
    return page(
        "foundation/anchors/removal.html",
        anchor=queries.anchor(anchor_id),
        summary=queries.summary(),
    )


REMOVE = StepUp(
    "Remove external witness",
    facts=lambda anchor_id: [("External witness", queries.anchor(anchor_id).name)],
    danger="It receives no more checkpoints.",
)


@feature.post("/audit/anchors/<uuid:anchor_id>/removal", needs=permissions.MANAGE, fresh=REMOVE)
def remove(anchor_id: UUID) -> ResponseReturnValue:
    anchor = queries.anchor(anchor_id)
    actions.remove(anchor)
    flash(f"{anchor.name} removed. Its receipts stay.")
    return redirect(url_for("anchors.index"), 303)


@feature.post(
    "/audit/anchors/receipts/<uuid:receipt_id>/download", needs=permissions.VIEW, answers=FILE
)
def receipt(receipt_id: UUID) -> ResponseReturnValue:
    """Return an anchor's answer, with its checkpoint. A POST, because the download is recorded."""
    found, anchor = queries.receipt(receipt_id)
    actions.record_receipt_download(anchor, checkpoint=found.checkpoint.number)
    name, media_type, content = _file(found, anchor)
    response = Response(content, content_type=media_type)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _file(found: CheckpointReceipt, anchor: Anchor) -> tuple[str, str, bytes]:
    """Return (name, media type, content) of a receipt.

    The file is a checkpoint with its cosignature below it, an archive of a checkpoint and its time
    stamp, or the unchanged answer.
    """
    stem, note = f"checkpoint-{found.checkpoint.number}", found.checkpoint.note.encode()
    agrees = found.receipt.outcome == "agrees"
    if anchor.kind == "witness" and agrees:
        return f"{stem}.cosigned.txt", TEXT, note + found.receipt.answer
    if anchor.kind == "timestamp" and agrees:
        return (
            f"{stem}.zip",
            "application/zip",
            _zipped({f"{stem}.txt": note, f"{stem}.tsr": found.receipt.answer}),
        )
    return f"{stem}.answer.txt", "application/octet-stream", found.receipt.answer


def _zipped(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    return buffer.getvalue()
