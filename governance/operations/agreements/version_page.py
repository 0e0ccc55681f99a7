"""The data of a version on its agreement's page, and its terms as a file."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from fractions import Fraction
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from governance.foundation.people import queries as people
from governance.foundation.people.aliases import MERIDIAN, OUTSIDER, may_see_names
from governance.kernel import clock
from governance.kernel.files.spreadsheet_writer import csv_bytes
from governance.kernel.formatting import long_day
from governance.kernel.pages.rendering import table_file
from governance.kernel.web.responses import ResponseReturnValue
from governance.operations.agreements import measured, queries
from governance.operations.agreements.acceptance_actions import needed_sides
from governance.operations.agreements.band_chart import band_chart, bands_title
from governance.operations.agreements.credits import percent, read_bands
from governance.operations.agreements.drafts import (
    CATEGORIES,
    clock_text,
    differences,
    hours_text,
    minutes_text,
)
from governance.operations.agreements.forms import AcceptForm, ReturnForm, SignatureForm
from governance.operations.agreements.models import (
    FROM_VENDOR,
    Acceptance,
    Agreement,
    AgreementContact,
    AgreementVersion,
)
from governance.operations.agreements.money import money, plain_amount
from governance.operations.agreements.place import Place
from governance.operations.agreements.terms import terms_of
from governance.operations.objectives.figures import exact_percent

SIDES = {"provider": "Provider", "customer": "Customer", "vendor": "Vendor"}
STATES = {
    "draft": ("none", "Draft"),
    "proposed": ("due", "Awaiting acceptance"),
    "accepted": ("ok", "Accepted"),
    "withdrawn": ("none", "Withdrawn"),
}
VENDOR_KIND_NAMES = {
    None: "every indicator of this vendor",
    "downtime": "the vendor's downtime indicators",
    "ratio": "the vendor's ratio indicators",
    "threshold": "the vendor's threshold indicators",
}


MAX_MOMENTS = 12


def day_of(at: datetime, version: AgreementVersion) -> str:
    """Format an instant as a day in the agreement's own zone: "1 October 2026"."""
    local = at.astimezone(ZoneInfo(version.time_zone))
    return long_day(local.date()) + (f", {local:%H:%M}" if (local.hour or local.minute) else "")


def version_context(
    row: Agreement, version: AgreementVersion, versions: Sequence[AgreementVersion], **forms: Any
) -> dict[str, Any]:
    """Build the context of an agreement's page; `forms` are rejected ones to show again."""
    shown = queries.on_page(version)
    parts = shown.parts
    before = _before(version, versions)
    changes = differences(before, _terms(row, version, parts)) if before else []
    return {
        "agreement": row,
        "version": version,
        "versions": versions,
        "state": STATES[version.state],
        "states": STATES,
        "commitments": _commitments(parts, version),
        "support": _support_times(parts, version),
        **_terms_in_words(version),
        **_sides(row, version, shown.acceptances),
        **_possible_steps(row, version, versions),
        "changes": changes,
        "compared": before["version"] if before else None,
        "names": people.names([version.drafted_by, version.proposed_by, row.created_by]),
        "moments": people.timeline([row.id, version.id], limit=MAX_MOMENTS),
        "contacts": _contacts(shown.contacts),
        "day_of": day_of,
        "accept_form": forms.get("accept") or AcceptForm(),
        "return_form": forms.get("back") or ReturnForm(),
        "signature_form": forms.get("signature") or SignatureForm(),
        "refused": next(iter(forms.values()), None),
    }


def _signers(acceptances: Sequence[Acceptance]) -> dict[str, str]:
    """Return who accepted, by side, as far as this reader may see it."""
    if may_see_names():
        return {each.side: each.name for each in acceptances}
    called = people.names(each.accepted_by for each in acceptances if each.side != "vendor")
    return {each.side: _role_of_signer(each, called) for each in acceptances}


def _role_of_signer(acceptance: Acceptance, called: Mapping[UUID, str]) -> str:
    """Return what a reader without access to names sees; a vendor's person has no account."""
    if acceptance.side == "vendor":
        return "a person of the vendor"
    if acceptance.accepted_by is None:
        return MERIDIAN
    return called.get(acceptance.accepted_by, OUTSIDER)


def _contacts(rows: Sequence[AgreementContact]) -> list[tuple[str, str]]:
    """Return the side of each contact, and their name if this reader may see it.

    Without names they are sorted by purpose, since sorting by name would reveal names.
    """
    if may_see_names():
        return [(each.side, _with_purpose(f"{each.name}, {each.email}", each)) for each in rows]
    by_purpose = sorted(rows, key=lambda each: (each.side, each.purpose, each.id))
    return [(each.side, _with_purpose("Name hidden", each)) for each in by_purpose]


def _with_purpose(who: str, contact: AgreementContact) -> str:
    return f"{who} ({contact.purpose})" if contact.purpose else who


def _terms(row: Agreement, version: AgreementVersion, parts: queries.Parts) -> dict[str, Any]:
    """Return a version's frozen terms, or those a draft would have if it were proposed now."""
    return version.terms or terms_of(
        row, version, parts.commitments, parts.support, measured.names(parts.commitments)
    )


def _commitments(parts: queries.Parts, version: AgreementVersion) -> list[dict[str, Any]]:
    what = measured.of(parts.commitments)
    return [
        {
            "row": each,
            "name": what[each.id].name if each.id in what else VENDOR_KIND_NAMES[each.vendor_kind],
            "unit": what[each.id].indicator.kind_name if each.id in what else "vendor",
            "objective": each.objective_id,
            "target": exact_percent(each.target),
            "fee": money(each.fee_part, version.currency),
            "chart": band_chart(bands := read_bands(each.bands), bands_title(bands)),
            "bands": [(percent(b.below), percent(b.share)) for b in bands],
        }
        for each in parts.commitments
    ]


def _support_times(parts: queries.Parts, version: AgreementVersion) -> list[dict[str, Any]]:
    return [
        {
            "row": each,
            "response": minutes_text(each.response_minutes),
            "resolution": minutes_text(each.resolution_minutes or 0),
            "clock": clock_text(each.clock),
            "target": exact_percent(each.target),
            "bands": [(percent(b.below), percent(b.share)) for b in read_bands(each.bands)],
            "fee": money(each.fee_part, version.currency),
        }
        for each in parts.support
    ]


def _terms_in_words(version: AgreementVersion) -> dict[str, Any]:
    cap = round(Fraction(version.credit_cap) * version.monthly_fee)
    return {
        "fee": money(version.monthly_fee, version.currency),
        "cap": percent(version.credit_cap),
        "cap_money": money(cap, version.currency),
        "coverage": percent(version.minimum_coverage),
        "excluded": [CATEGORIES[each] for each in version.excluded_categories],
        "hours": hours_text(version.business_hours),
        "starts": day_of(version.effective_from, version),
    }


def _sides(
    row: Agreement, version: AgreementVersion, acceptances: Sequence[Acceptance]
) -> dict[str, Any]:
    """Return who has to accept, who did, and the side that the reader acts for."""
    side = queries.acting_side()
    return {
        "sides": SIDES,
        "needed": [each for each in SIDES if each in needed_sides(row)],
        "given": {each.side: each for each in acceptances},
        "signers": _signers(acceptances),
        "my_side": "customer" if row.direction == FROM_VENDOR else side,
        "is_own": side in {None, version.side},
    }


def _possible_steps(
    row: Agreement, version: AgreementVersion, versions: Sequence[AgreementVersion]
) -> dict[str, Any]:
    accepted = [each for each in reversed(versions) if each.state == "accepted"]
    current = queries.current_version(row, accepted, clock.now())
    return {
        "in_force": current is not None and current.id == version.id,
        "can_draft": not queries.has_open_version(row.id),
        "is_ended": row.ended_at is not None and row.ended_at <= clock.now(),
    }


def _before(
    version: AgreementVersion, versions: Sequence[AgreementVersion]
) -> dict[str, Any] | None:
    """Return the terms of the accepted version before this one."""
    earlier = [v for v in versions if v.state == "accepted" and v.number < version.number]
    newest = max(earlier, key=lambda each: each.number, default=None)
    return newest.terms if newest else None


# ---- the terms as a file


def terms_csv(_place: Place, agreement_id: UUID, number: int) -> ResponseReturnValue:
    version = queries.numbered(agreement_id, number)
    row = queries.agreement(agreement_id)
    terms = _terms(row, version, queries.parts(version.id))
    content = csv_bytes(("term", "value"), _term_rows(terms))
    return table_file(content, f"{row.ref.lower()}-v{number}-terms.csv")


def _term_rows(terms: dict[str, Any]) -> Iterator[tuple[str, str]]:
    currency = terms["currency"]
    plain = (
        "agreement",
        "name",
        "counterparty",
        "version",
        "effective_from",
        "ends_on",
        "time_zone",
        "currency",
        "credit_cap",
        "minimum_coverage",
        "close_day",
        "maintenance_notice_hours",
        "claim_days",
    )
    for name in plain:
        yield name, str(terms[name] if terms[name] is not None else "")
    yield "monthly_fee", plain_amount(terms["monthly_fee"], currency)
    yield "excluded_categories", " ".join(terms["excluded_categories"])
    yield "business_hours", hours_text(terms["business_hours"])
    for each in terms["commitments"]:
        lead = f"commitment {each['clause']}"
        yield f"{lead} measures", each["measures"] or each["vendor_kind"] or "every indicator"
        yield f"{lead} target", each["target"]
        yield f"{lead} fee part", plain_amount(each["fee_part"], currency)
        for n, (below, share) in enumerate(each["bands"], 1):
            yield f"{lead} band {n}", f"below {below}: {share}"
    for each in terms["support"]:
        lead = f"support severity {each['severity']}"
        yield f"{lead} response minutes", str(each["response_minutes"])
        yield f"{lead} resolution minutes", str(each["resolution_minutes"] or "")
        yield f"{lead} clock", each["clock"]
        yield f"{lead} target", each["target"]
        for n, (below, share) in enumerate(each["bands"], 1):
            yield f"{lead} band {n}", f"below {below}: {share}"
