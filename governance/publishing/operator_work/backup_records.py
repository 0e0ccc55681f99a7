"""Recorded backups and restore drills of the installation, as entries in the operator's log.

    record_outcome("backup", Outcome(succeeded=True, size=…, seconds=…, place="/backup/base-…"))
    newest_outcomes()      kind → its last outcome, and the last one that succeeded; one statement
    age("backup")          seconds since the last success, for the metric

Backups are made outside of Meridian, by PostgreSQL or a cloud provider. The commands `governance
backup …` and `governance drill` record them. Nothing is inferred.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Select, select, union_all
from sqlalchemy.orm import aliased

from governance.foundation.audit.models import AuditEntry
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import Action, action
from governance.foundation.tenants.models import Tenant
from governance.foundation.tenants.queries import any_tenant_by_slug
from governance.foundation.tenants.system_actor import system_actor_in
from governance.kernel import clock
from governance.kernel.data.db import session, within
from governance.kernel.errors import Invalid
from governance.kernel.web.identity import OPERATOR_SLUG

type Kind = Literal["backup", "drill"]

FIELDS = "size seconds place problem"
BACKUP_COMPLETED = action(
    "backup.completed",
    "recorded a backup",
    target="Tenant",
    activity="create",
    severity="low",
    fields=FIELDS,
    shape="ok",
)
BACKUP_FAILED = action(
    "backup.failed",
    "recorded a backup that failed",
    target="Tenant",
    activity="create",
    severity="high",
    fields=FIELDS,
    shape="bad",
)
DRILL_PASSED = action(
    "restore_drill.passed",
    "recorded a restore drill that passed",
    target="Tenant",
    activity="create",
    severity="low",
    fields=FIELDS,
    shape="ok",
)
DRILL_FAILED = action(
    "restore_drill.failed",
    "recorded a restore drill that failed",
    target="Tenant",
    activity="create",
    severity="high",
    fields=FIELDS,
    shape="bad",
)
ACTIONS: Mapping[Kind, tuple[Action, Action]] = {  # The actions of a success and of a failure.
    "backup": (BACKUP_COMPLETED, BACKUP_FAILED),
    "drill": (DRILL_PASSED, DRILL_FAILED),
}
MAX_AGE: Mapping[Kind, timedelta] = {"backup": timedelta(hours=36), "drill": timedelta(days=100)}
NAMES: Mapping[Kind, str] = {"backup": "backup", "drill": "restore drill"}
MAX_TEXT_LENGTH = 300
MAX_SIZE, MAX_SECONDS = 2**60, 30 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of a backup or drill.

    `size` is in bytes; `place` is where the backup is stored.
    """

    succeeded: bool
    size: int = 0
    seconds: int = 0
    place: str = ""
    problem: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class KindOfBackup:
    """The last outcome of a kind, and the last success. Each is None if none was recorded."""

    kind: Kind
    last: Outcome | None
    last_success: Outcome | None

    @property
    def is_too_old(self) -> bool:
        at = self.last_success.at if self.last_success else None
        return at is None or at + MAX_AGE[self.kind] <= clock.now()


def record_outcome(kind: Kind, outcome: Outcome) -> None:
    """Write an outcome into the operator's log, as the acting system actor."""
    if not 0 <= outcome.size <= MAX_SIZE or not 0 <= outcome.seconds <= MAX_SECONDS:
        raise Invalid("Enter a size of 0 bytes or more and a duration of up to 30 days.")
    success, failure = ACTIONS[kind]
    record(
        success if outcome.succeeded else failure,
        _home(),
        size=outcome.size,
        seconds=outcome.seconds,
        place=outcome.place[:MAX_TEXT_LENGTH],
        problem=outcome.problem[:MAX_TEXT_LENGTH],
    )


def _home() -> Tenant:
    found = any_tenant_by_slug(OPERATOR_SLUG)
    if found is None:
        raise Invalid("There is no operator's tenant yet, so nothing can be recorded.")
    return found


def newest_outcomes() -> dict[Kind, KindOfBackup]:
    """Return the last outcomes of each kind, in the operator's tenant."""
    newest = [_newest(each) for pair in ACTIONS.values() for each in pair]
    rows = session().scalars(select(AuditEntry).where(AuditEntry.id.in_(union_all(*newest))))
    found = {row.action: _outcome(row) for row in rows}
    return {kind: _kind(kind, found) for kind in ACTIONS}


def _newest(what: Action) -> Select[UUID]:
    e = aliased(AuditEntry)
    query = select(e.id).where(e.action == what.name).order_by(e.at.desc(), e.id.desc()).limit(1)
    return select(query.subquery().c.id)


def _outcome(row: AuditEntry) -> Outcome:
    facts: dict[str, Any] = row.facts
    succeeded = row.action in {BACKUP_COMPLETED.name, DRILL_PASSED.name}
    texts = facts.get("place", ""), facts.get("problem", "")
    return Outcome(succeeded, facts.get("size", 0), facts.get("seconds", 0), *texts, at=row.at)


def _kind(kind: Kind, found: Mapping[str, Outcome]) -> KindOfBackup:
    success, failure = (found.get(each.name) for each in ACTIONS[kind])
    both = [each for each in (success, failure) if each is not None and each.at is not None]
    last = max(both, key=lambda each: each.at or clock.now()) if both else None
    return KindOfBackup(kind, last, success)


def age(kind: Kind) -> float:
    """Return the seconds since the last success.

    NaN before the first, or without an operator's tenant.
    """
    home = any_tenant_by_slug(OPERATOR_SLUG)
    if home is None:
        return math.nan
    with within(system_actor_in(home.id, home.slug, home.name)):
        success = newest_outcomes()[kind].last_success
    if success is None or success.at is None:
        return math.nan
    return (clock.now() - success.at).total_seconds()
