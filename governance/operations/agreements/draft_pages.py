"""Pages that write drafts: a new agreement, the editor, the next version, contacts."""

from datetime import UTC, datetime, time
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import flash, redirect, request
from wtforms import Form as WTForm

from governance.foundation.tenants.queries import tenant_by_id
from governance.foundation.tenants.time_zones import zone_periods
from governance.kernel import clock, current
from governance.kernel.errors import DomainError, Invalid
from governance.kernel.months import month_of
from governance.kernel.web.forms import accepted, counted
from governance.kernel.web.responses import ResponseReturnValue
from governance.operations.agreements import (
    actions,
    contact_actions,
    measured,
    proposal_actions,
    queries,
)
from governance.operations.agreements.contact_actions import Contact
from governance.operations.agreements.draft_forms import at_form_row, content_in, draft_form
from governance.operations.agreements.drafts import CommitmentContent, content_of
from governance.operations.agreements.forms import ContactsForm, NewForm
from governance.operations.agreements.models import (
    FROM_VENDOR,
    TO_TENANT,
    Agreement,
    AgreementVersion,
)
from governance.operations.agreements.money import read_amount
from governance.operations.agreements.place import Drawn, Place
from governance.operations.agreements.starting_terms import (
    STARTING_TERMS,
    starting_content,
    terms_for_tier,
)
from governance.operations.agreements.version_page import SIDES
from governance.operations.objectives.queries import active_objectives

VENDOR_CHOICES = [
    ("vendor:any", "Every indicator of this vendor"),
    ("vendor:downtime", "Its downtime indicators"),
    ("vendor:ratio", "Its ratio indicators"),
    ("vendor:threshold", "Its threshold indicators"),
]


def _form_status(form: WTForm) -> int:
    return getattr(form, "status", 422) if request.method == "POST" else 200


# ---- a new agreement


def new(place: Place) -> Drawn | ResponseReturnValue:
    tenant = tenant_by_id(current.actor().tenant_id)
    zone = tenant.time_zone if tenant else "UTC"
    tier = terms_for_tier(tenant.tier if tenant else "standard").key
    form, made = NewForm(tier=tier, effective_from=_next_month(zone)), list[AgreementVersion]()
    if request.method == "POST" and accepted(form, lambda: made.append(_create(place, form, zone))):
        flash("Draft created. Check its terms, then propose it.")
        row = made[0]
        edit = place.to("edit", agreement_id=row.agreement_id, number=row.number)
        return redirect(edit, 303)
    return Drawn(
        "operations/agreements/new.html",
        {"form": form, "terms": STARTING_TERMS, "objectives": len(active_objectives())},
        _form_status(form),
    )


def _next_month(zone: str) -> datetime:
    local = clock.now().astimezone(ZoneInfo(zone))
    month = month_of(zone_periods(), local).plus(1)
    return datetime(month.year, month.number, 1, tzinfo=ZoneInfo(zone))


def _create(place: Place, form: NewForm, zone: str) -> AgreementVersion:
    currency, vendor = form.currency.data, place.is_vendor_place
    fee = read_amount(form.monthly_fee.data or "", currency, field="monthly_fee")
    if form.effective_from.data is None:
        raise Invalid("Choose a date.", field="effective_from")
    starts = datetime.combine(form.effective_from.data, time(), ZoneInfo(zone)).astimezone(UTC)
    content = starting_content(
        STARTING_TERMS[form.tier.data],
        effective_from=starts,
        time_zone=zone,
        currency=currency,
        monthly_fee=fee,
        promises=_vendor_promises() if vendor else _promises(),
    )
    if vendor and not (form.counterparty.data or "").strip():
        raise Invalid("Enter the vendor as your indicators name it.", field="counterparty")
    return actions.create(
        form.name.data or "",
        content,
        direction=FROM_VENDOR if vendor else TO_TENANT,
        counterparty=form.counterparty.data or "" if vendor else "",
        reason=form.reason.data or "",
    )


def _promises() -> list[CommitmentContent]:
    """Return one commitment per active objective, at its current target."""
    return [
        CommitmentContent(objective_id=each.id, target=each.target, bands=[], fee_part=0)
        for each in active_objectives()[:40]
    ]


def _vendor_promises() -> list[CommitmentContent]:
    return [CommitmentContent(vendor=True, target=Decimal("0.995"), bands=[], fee_part=0)]


# ---- the editor


def edit(place: Place, agreement_id: UUID, number: int) -> Drawn | ResponseReturnValue:
    """Show and save a draft. "Add commitment" shows the form again with one more row."""
    row, version = queries.agreement(agreement_id), queries.numbered(agreement_id, number)
    back = place.to("agreement", agreement_id=agreement_id, version=number)
    if version.state != "draft":
        flash("This version was proposed. Return it to draft before you edit it.")
        return redirect(back, 303)
    is_vendor = row.direction == FROM_VENDOR
    choices = VENDOR_CHOICES if is_vendor else measured.choices()
    content = content_of(version, queries.parts(version.id), is_vendor=is_vendor)
    choices = _with_retired(choices, version, is_vendor=is_vendor)
    form = draft_form(content, version.edited, version.reason, choices)
    status = 200
    if request.method == "POST" and request.form.get("verb") != "more":
        if accepted(form, lambda: _save(version, form)):
            flash("Draft saved.")
            return redirect(back, 303)
        status = form.status
        if form.stale:  # The person has seen the message, so saving again is deliberate.
            form.edited.data = str(version.edited)
    return Drawn(
        "operations/agreements/edit.html",
        {"form": form, "agreement": row, "version": version, "back": back, "is_vendor": is_vendor},
        status,
    )


def _with_retired(
    choices: list[tuple[str, str]], version: AgreementVersion, *, is_vendor: bool
) -> list[tuple[str, str]]:
    """Add retired objectives and indicators that a draft copied from an old version names."""
    if is_vendor:
        return choices
    known = {value for value, _ in choices}
    commitments = queries.parts(version.id).commitments
    names = measured.names(commitments)
    for each in commitments:
        kind = "objective" if each.objective_id else "indicator"
        measures = each.objective_id or each.indicator_id
        if measures is not None and (value := f"{kind}:{measures}") not in known:
            choices = [*choices, (value, f"{names.get(measures, 'unknown')} (retired)")]
            known.add(value)
    return choices


def _save(version: AgreementVersion, form: object) -> None:
    try:
        content = content_in(form)
        seen = counted(form.edited.data)  # type: ignore[attr-defined]
        reason = form.reason.data or ""  # type: ignore[attr-defined]
        actions.save_draft(version, content, seen=seen, reason=reason)
    except DomainError as refused:
        raise at_form_row(refused, form) from None


def draft_next(place: Place, agreement_id: UUID, number: int) -> ResponseReturnValue:
    row, base = queries.agreement(agreement_id), queries.numbered(agreement_id, number)
    made = actions.draft_next(row, base, reason="")
    flash(f"Draft {made.number} copies version {number}.")
    return redirect(place.to("edit", agreement_id=agreement_id, number=made.number), 303)


def propose(place: Place, agreement_id: UUID, number: int) -> ResponseReturnValue:
    version = queries.numbered(agreement_id, number)
    try:
        proposal_actions.propose(version, seen=counted(request.form.get("edited")))
        flash("Proposed. One person of each side accepts it, or returns it with a reason.")
    except Invalid as refused:
        flash(refused.message)
    return _back(place, agreement_id, number)


def withdraw(place: Place, agreement_id: UUID, number: int) -> ResponseReturnValue:
    version = queries.numbered(agreement_id, number)
    proposal_actions.withdraw(version, seen=counted(request.form.get("edited")))
    flash(f"Version {number} withdrawn.")
    return _back(place, agreement_id, number)


def _back(place: Place, agreement_id: UUID, number: int) -> ResponseReturnValue:
    return redirect(place.to("agreement", agreement_id=agreement_id, version=number), 303)


# ---- contacts


def contacts(place: Place, agreement_id: UUID) -> Drawn | ResponseReturnValue:
    """Show and save the contacts, one per line: side; purpose; name; email."""
    row = queries.agreement(agreement_id)
    lines = "\n".join(
        f"{each.side}; {each.purpose}; {each.name}; {each.email}"
        for each in queries.contacts(agreement_id)
    )
    form = ContactsForm(contacts=lines)
    if request.method == "POST" and accepted(form, lambda: _save_contacts(row, form)):
        flash("Contacts saved.")
        return redirect(place.to("agreement", agreement_id=agreement_id), 303)
    return Drawn(
        "operations/agreements/contacts.html", {"form": form, "agreement": row}, _form_status(form)
    )


def _save_contacts(row: Agreement, form: ContactsForm) -> None:
    found = []
    lines = [line for line in (form.contacts.data or "").splitlines() if line.strip()]
    for n, line in enumerate(lines, 1):
        parts = [part.strip() for part in line.split(";")]
        if len(parts) != 4 or parts[0].lower() not in SIDES or "@" not in parts[3]:  # noqa: PLR2004
            raise Invalid(
                f"Line {n}: write side; purpose; name; email, with the side provider, customer or"
                " vendor.",
                field="contacts",
            )
        found.append(Contact(parts[0].lower(), parts[1], parts[2], parts[3]))
    contact_actions.set_contacts(row, found)
