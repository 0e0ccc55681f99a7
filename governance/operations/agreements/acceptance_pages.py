"""Accepting a version, returning it, recording a vendor's signature, ending an agreement."""

from contextlib import nullcontext
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import flash, redirect, request

from governance.kernel.errors import Invalid
from governance.kernel.web.forms import Form, accepted
from governance.kernel.web.responses import ResponseReturnValue
from governance.kernel.web.step_up import StepUp
from governance.operations.agreements import acceptance_actions, actions, proposal_actions, queries
from governance.operations.agreements.forms import (
    AcceptForm,
    EndForm,
    ReturnForm,
    SignatureForm,
)
from governance.operations.agreements.models import Agreement
from governance.operations.agreements.place import Drawn, Place, inside, tenant_of
from governance.operations.agreements.version_page import version_context


def _facts(
    agreement_id: UUID, number: int | None = None, slug: str | None = None
) -> list[tuple[str, str]]:
    """Name the agreement, and the version if the form is about one.

    Raises NotFound if it is missing.
    """
    with inside(tenant_of(slug), read_only=True) if slug else nullcontext():
        named = [("Agreement", queries.agreement(agreement_id).ref)]
        if number is not None:
            named.append(("Version", str(queries.numbered(agreement_id, number).number)))
    return named


ACCEPT = StepUp(
    "Accept version",
    lambda **_values: AcceptForm(),
    facts=_facts,
    danger="An accepted version never changes.",
)
SIGN = StepUp("Record signature", lambda **_values: SignatureForm(), facts=_facts)
END = StepUp("End agreement", lambda **_values: EndForm(), facts=_facts)


def accept(place: Place, agreement_id: UUID, number: int) -> Drawn | ResponseReturnValue:
    form, version = AcceptForm(), queries.numbered(agreement_id, number)
    done: list[bool] = []
    seen, title = form.fingerprint.data or "", form.title.data or ""
    if accepted(
        form, lambda: done.append(acceptance_actions.accept(version, seen=seen, title=title))
    ):
        return _accepted(place, agreement_id, number, in_force=done[0])
    return _again(agreement_id, number, form, accept=form)


def record_signature(place: Place, agreement_id: UUID, number: int) -> Drawn | ResponseReturnValue:
    form, version = SignatureForm(), queries.numbered(agreement_id, number)
    done: list[bool] = []

    def act() -> None:
        done.append(
            acceptance_actions.record_vendor_signature(
                version,
                seen=form.fingerprint.data or "",
                name=form.signer.data or "",
                title=form.signer_title.data or "",
                document=form.document.data or "",
            )
        )

    if accepted(form, act):
        return _accepted(place, agreement_id, number, in_force=done[0])
    return _again(agreement_id, number, form, signature=form)


def _accepted(
    place: Place, agreement_id: UUID, number: int, *, in_force: bool
) -> ResponseReturnValue:
    flash(
        f"Both sides accepted version {number}. It can't be changed any more."
        if in_force
        else "Recorded. The version is in force once the other side accepts it too."
    )
    return redirect(place.to("agreement", agreement_id=agreement_id, version=number), 303)


def return_to_draft(place: Place, agreement_id: UUID, number: int) -> Drawn | ResponseReturnValue:
    form, version = ReturnForm(), queries.numbered(agreement_id, number)
    seen, reason = form.fingerprint.data or "", form.reason.data or ""
    if accepted(form, lambda: proposal_actions.return_to_draft(version, reason=reason, seen=seen)):
        flash("Returned to draft. Acceptances given so far are void.")
        if not queries.is_visible(version):
            return redirect(place.to("agreement", agreement_id=agreement_id), 303)
        return redirect(place.to("agreement", agreement_id=agreement_id, version=number), 303)
    return _again(agreement_id, number, form, back=form)


def _again(agreement_id: UUID, number: int, form: Form, **forms: Any) -> Drawn:
    row, version = queries.agreement(agreement_id), queries.numbered(agreement_id, number)
    context = version_context(row, version, queries.versions(agreement_id), **forms)
    return Drawn("operations/agreements/agreement.html", context, form.status)


def end(place: Place, agreement_id: UUID) -> Drawn | ResponseReturnValue:
    row, form = queries.agreement(agreement_id), EndForm()
    if request.method == "POST" and accepted(form, lambda: _end(row, form)):
        flash("The agreement ends. Months before that day are still closed and credited.")
        return redirect(place.to("agreement", agreement_id=agreement_id), 303)
    status = form.status if request.method == "POST" else 200
    return Drawn("operations/agreements/end.html", {"agreement": row, "form": form}, status)


def _end(row: Agreement, form: EndForm) -> None:
    """End the agreement at the midnight after the last day, in the newest version's time zone."""
    if form.on.data is None:
        raise Invalid("Choose the last day.", field="on")
    newest = queries.versions(row.id)[:1]
    zone = ZoneInfo(newest[0].time_zone if newest else "UTC")
    midnight = datetime.combine(form.on.data + timedelta(days=1), time(), zone).astimezone(UTC)
    actions.end(row, at=midnight, reason=form.reason.data or "")
