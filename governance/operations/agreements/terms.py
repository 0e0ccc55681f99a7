"""The terms of a version as JSON, for acceptance and for a statement's data file.

    terms_of(agreement, version, commitments, support)    the dict, exact numbers as text
    fingerprint_of(terms)                                  SHA-256 of its canonical JSON (RFC 8785)

Shares are decimal text ("0.999"), money is in minor units, instants are UTC in ISO 8601.
"""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

import rfc8785

if TYPE_CHECKING:  # Verifying a statement needs no database.
    from governance.operations.agreements.models import (
        Agreement,
        AgreementVersion,
        Commitment,
        SupportTerm,
    )

FORMAT = "meridian.agreement-terms.v1"


def terms_of(
    agreement: "Agreement",
    version: "AgreementVersion",
    commitments: "Sequence[Commitment]",
    support: "Sequence[SupportTerm]",
    measured: Mapping[UUID, str] | None = None,
) -> dict[str, Any]:
    """Return all terms of a version. `measured` names objectives and indicators by id."""
    names = measured or {}
    return {
        "format": FORMAT,
        "agreement": agreement.ref,
        "name": agreement.name,
        "direction": agreement.direction,
        "counterparty": agreement.counterparty,
        "version": version.number,
        "effective_from": instant(version.effective_from),
        "ends_on": version.ends_on.isoformat() if version.ends_on else None,
        "time_zone": version.time_zone,
        "currency": version.currency,
        "monthly_fee": version.monthly_fee,
        "credit_cap": decimal(version.credit_cap),
        "minimum_coverage": decimal(version.minimum_coverage),
        "close_day": version.close_day,
        "maintenance_notice_hours": version.maintenance_notice_hours,
        "excluded_categories": sorted(version.excluded_categories),
        "claim_days": version.claim_days,
        "business_hours": version.business_hours,
        "commitments": [_commitment(each, names) for each in commitments],
        "support": [_support(each) for each in support],
    }


def _commitment(row: "Commitment", names: Mapping[UUID, str]) -> dict[str, Any]:
    measured = row.objective_id or row.indicator_id
    return {
        "clause": row.clause,
        "objective_id": str(row.objective_id) if row.objective_id else None,
        "indicator_id": str(row.indicator_id) if row.indicator_id else None,
        "vendor_kind": row.vendor_kind,
        "measures": names.get(measured, "") if measured else "",
        "target": decimal(row.target),
        "bands": [list(band) for band in row.bands],
        "fee_part": row.fee_part,
    }


def _support(row: "SupportTerm") -> dict[str, Any]:
    return {
        "severity": row.severity,
        "response_minutes": row.response_minutes,
        "resolution_minutes": row.resolution_minutes,
        "clock": row.clock,
        "target": decimal(row.target),
        "bands": [list(band) for band in row.bands],
        "fee_part": row.fee_part,
    }


def fingerprint_of(terms: Mapping[str, Any]) -> str:
    """Return the SHA-256 of the canonical JSON. Any changed character changes it."""
    return hashlib.sha256(rfc8785.dumps(dict(terms))).hexdigest()


def decimal(value: Decimal) -> str:
    """Format an exact decimal without trailing zeros: 0.9990000000 → "0.999"."""
    shown = f"{value:f}"
    return shown.rstrip("0").rstrip(".") if "." in shown else shown


def instant(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
