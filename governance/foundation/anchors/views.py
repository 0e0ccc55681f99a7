"""Outside anchors: how each stands, what it answered; adding, testing, sending, removing."""

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
from governance.kernel.downloads import FILE
from governance.kernel.errors import NotFound
from governance.kernel.feature import Feature
from governance.kernel.forms import accepted, submission
from governance.kernel.pages import page
from governance.kernel.step_up import StepUp
from governance.kernel.web import ResponseReturnValue

feature = Feature("anchors", __name__)
TEXT = "text/plain; charset=utf-8"


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
        most=queries.MOST,
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
    """Keep it, and show it the newest checkpoint at once, so that the page soon says whether it
    works.
    """
    form = _sent()

    def act() -> None:
        given = {name: value or "" for name, value in form.data.items() if name != "kind"}
        actions.ask(actions.add(kind=form.kind.data or "", **given))

    if not accepted(form, act):
        return _form_page(form, status=form.status)
    flash(f"{form.name.data} is added, and is shown the newest checkpoint now.")
    return redirect(url_for("anchors.index"), 303)


def _form(kind: str) -> type[AnchorForm]:
    if kind not in FORMS:
        raise NotFound("There is no such kind of external witness.")
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
    actions.ask()
    return redirect(url_for("anchors.index"), 303)


@feature.post("/audit/anchors/<uuid:anchor_id>/test", needs=permissions.MANAGE)
def test(anchor_id: UUID) -> ResponseReturnValue:
    actions.ask(queries.anchor(anchor_id))
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
    danger="It gets no more checkpoints.",
)


@feature.post("/audit/anchors/<uuid:anchor_id>/removal", needs=permissions.MANAGE, fresh=REMOVE)
def remove(anchor_id: UUID) -> ResponseReturnValue:
    anchor = queries.anchor(anchor_id)
    actions.remove(anchor)
    flash(f"{anchor.name} gets no more checkpoints. What it answered stays.")
    return redirect(url_for("anchors.index"), 303)


@feature.post(
    "/audit/anchors/receipts/<uuid:receipt_id>/download", needs=permissions.VIEW, answers=FILE
)
def receipt(receipt_id: UUID) -> ResponseReturnValue:
    """What an anchor answered, with the checkpoint.

    A POST, because taking it is an entry in the log.
    """
    kept, anchor = queries.receipt(receipt_id)
    actions.take(anchor, checkpoint=kept.checkpoint.number)
    name, media_type, content = _file(kept, anchor)
    response = Response(content, content_type=media_type)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _file(kept: CheckpointReceipt, anchor: Anchor) -> tuple[str, str, bytes]:
    """A cosignature goes below the checkpoint that it is on; a time stamp lies beside it; anything
    else is as it came.
    """
    stem, note = f"checkpoint-{kept.checkpoint.number}", kept.checkpoint.note.encode()
    agrees = kept.receipt.outcome == "agrees"
    if anchor.kind == "witness" and agrees:
        return f"{stem}.cosigned.txt", TEXT, note + kept.receipt.answer
    if anchor.kind == "timestamp" and agrees:
        return (
            f"{stem}.zip",
            "application/zip",
            _zipped({f"{stem}.txt": note, f"{stem}.tsr": kept.receipt.answer}),
        )
    return f"{stem}.answer.txt", "application/octet-stream", kept.receipt.answer


def _zipped(files: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    return made.getvalue()
