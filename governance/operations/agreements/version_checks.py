"""Checks before changing an agreement or a version, shared by the action modules."""

from datetime import datetime

from governance.foundation.tenants.time_zones import zone_periods
from governance.kernel import clock
from governance.kernel.errors import DomainError, Forbidden, Invalid, Stale
from governance.kernel.months import month_span
from governance.operations.agreements import ports, queries
from governance.operations.agreements.models import Agreement, AgreementVersion
from governance.operations.agreements.terms import instant

MAX_NAME_LENGTH, MAX_REASON_LENGTH = 120, 2000
LOCK = "agreements"
VERSION = "AgreementVersion"  # Target name in the audit log


def checked_text(text: str, field: str, ask: str, limit: int) -> str:
    """Return the text in single spaces. Raises Invalid with the message `ask` if it is empty."""
    kept = " ".join(text.split())
    if not kept:
        raise Invalid(ask, field=field)
    if len(kept) > limit:
        raise Invalid(f"Use up to {limit} characters.", field=field)
    return kept


def check_open(version: AgreementVersion) -> None:
    if version.state not in {"draft", "proposed"}:
        raise Stale(f"This version is {version.state} and never changes. Draft the next one.")


def check_own_draft(version: AgreementVersion) -> None:
    check_open(version)
    if version.state != "draft":
        raise Stale("This version was proposed. Return it to draft before you edit it.")
    if queries.acting_side() not in {version.side, None}:
        raise Forbidden("The other side drafts this version.")


def check_unedited(version: AgreementVersion, seen: int) -> None:
    if seen != version.edited:
        raise Stale("Someone else edited this draft. Review it as it is now, then try again.")


def check_not_ended(agreement: Agreement) -> None:
    if agreement.ended_at is not None and agreement.ended_at <= clock.now():
        raise DomainError("This agreement has ended. Create another one.")


def check_effective(agreement: Agreement, at: datetime) -> None:
    """Raise Invalid if a version can't take effect then.

    The month must be open, and the instant after earlier versions and before the agreement's end.
    """
    check_month_open(at, "effective_from", "Choose a later effective date.")
    earlier = queries.accepted_versions([agreement.id])[agreement.id]
    if earlier and at <= earlier[-1].effective_from:
        raise Invalid(
            f"Version {earlier[-1].number} takes effect on"
            f" {instant(earlier[-1].effective_from)[:10]}. Choose a later date.",
            field="effective_from",
        )
    if agreement.ended_at is not None and at >= agreement.ended_at:
        raise Invalid("The agreement ends before that date.", field="effective_from")


def check_month_open(at: datetime, field: str, remedy: str) -> None:
    """Raise Invalid for an instant in a closed month; `remedy` explains what to do."""
    closed = ports.last_closed_month()()
    if closed is not None and at < month_span(zone_periods(), closed).end:
        raise Invalid(
            f"{closed} is closed, and a closed month never changes. {remedy}", field=field
        )
