"""Set how long encrypted fields of the log stay readable, and destroy the keys past that time."""

from datetime import date

from governance.foundation.audit import personal_field_encryption
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.privacy import queries
from governance.foundation.privacy.models import RetentionRule
from governance.kernel import clock, current
from governance.kernel.data.db import session
from governance.kernel.errors import Invalid, Stale

RETENTION_CHANGED = action(
    "audit.retention.changed",
    "changed how long encrypted fields are kept",
    target="RetentionRule",
    activity="update",
    severity="medium",
    fields="months",
)
KEYS_DESTROYED = action(
    "audit.encrypted_fields.shredded",
    "destroyed the keys of encrypted fields past their retention",
    target="Tenant",
    activity="delete",
    severity="medium",
    fields="keys older_than holds months",
)
MIN_RETENTION_MONTHS, MAX_RETENTION_MONTHS = 12, 120


def set_retention(months: int, *, version: int) -> RetentionRule:
    """Set the retention.

    `version` is that of the rule with which the form was opened; 0 when there was none.
    """
    if not MIN_RETENTION_MONTHS <= months <= MAX_RETENTION_MONTHS:
        raise Invalid(
            f"Enter {MIN_RETENTION_MONTHS} to {MAX_RETENTION_MONTHS} months.", field="months"
        )
    rule = queries.retention(lock=True)
    if (rule.version if rule else 0) != version:
        raise Stale(
            "Someone else changed the retention while you were editing. Review the new value, then"
            " save again.",
            {"months": (months, rule.months if rule else queries.DEFAULT_MONTHS)},
        )
    before = rule.months if rule else queries.DEFAULT_MONTHS
    if rule is None:
        rule = RetentionRule(months=months, version=0, changed_by=current.person_id())
        session().add(rule)
    rule.months, rule.version, rule.changed_by = months, rule.version + 1, current.person_id()
    record(RETENTION_CHANGED, rule, before={"months": before}, after={"months": months})
    return rule


def destroy_expired_keys() -> int:
    """Destroy the keys of encrypted fields that are past their time, holds excepted.

    The entries and their hashes stay.
    """
    months, holds = queries.months_kept(), queries.all_active_holds()
    if any(hold.subject is None for hold in holds):
        return 0
    before = oldest_kept_month(clock.today(), months)
    kept = queries.subjects_under_hold([hold.subject for hold in holds if hold.subject])
    keys = personal_field_encryption.shred(before, kept)
    if keys:
        record(
            KEYS_DESTROYED,
            queries.own_tenant(),
            keys=keys,
            older_than=before,
            holds=len(holds),
            months=months,
        )
    return keys


def oldest_kept_month(today: date, months: int) -> str:
    """Return the first month that is kept: any earlier one is older than that many months."""
    count = today.year * 12 + today.month - 1 - months
    return f"{count // 12:04}-{count % 12 + 1:02}"
