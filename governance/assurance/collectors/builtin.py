"""The collectors about Meridian itself, each over the audit log or rows that never change."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from governance.assurance.collectors.collector import Collector, PopulationRow
from governance.assurance.collectors.periods import Period
from governance.assurance.collectors.tenant_isolation import Isolation
from governance.foundation.audit import queries as audit
from governance.foundation.people import queries as people
from governance.foundation.people.sessions import IDLE_TIMEOUT, MAX_SESSION_LIFETIME
from governance.kernel.feature import STEP_UP_SECONDS
from governance.kernel.formatting import plural

NONE_REPORTED = "No backup was reported"


class Members(Collector):
    key, title = "members", "Members and roles"
    about = "Every membership in the period with its role at the end, derived from the audit log."
    controls = ("ACC-01", "ACC-03")
    query = """
WITH events AS (
  SELECT target_id, action, at, coalesce(changes->'role'->>1, facts->>'role') AS role
  FROM audit_entries
  WHERE tenant_id = :tenant AND at < :until
    AND action IN ('membership.started', 'membership.role.changed', 'membership.ended')
), newest AS (
  SELECT DISTINCT ON (target_id) target_id, action, at, role FROM events ORDER BY target_id, at DESC
)
SELECT coalesce(m.pseudonym, 'former member') AS member, n.role,
  CASE n.action WHEN 'membership.ended' THEN 'left' ELSE 'member' END AS state,
  (SELECT min(t.at) FROM events t WHERE t.target_id = n.target_id) AS joined_at,
      n.at AS last_changed_at,
  (SELECT count(*) FROM events t WHERE t.target_id = n.target_id
      AND t.at >= :begins) AS changes_in_period
FROM newest n LEFT JOIN memberships m ON m.tenant_id = :tenant AND m.id = n.target_id
WHERE n.action <> 'membership.ended' OR n.at >= :begins
ORDER BY joined_at, n.target_id"""

    def judge(self, rows: Sequence[PopulationRow], _period: Period, /) -> tuple[str, bool]:
        here, left = (
            [r for r in rows if r["state"] == "member"],
            sum(r["state"] == "left" for r in rows),
        )
        admins = sum(r["role"] == "admin" for r in here)
        changed = sum(int(r["changes_in_period"]) for r in rows)
        went = (
            f"; {_count(left, 'member')} left, {_count(changed, 'change')} in total"
            if changed
            else "; no changes"
        )
        return f"{plural(len(here), 'member')}, {plural(admins, 'admin')}{went}.", True


class Leavers(Collector):
    key, title = "leavers", "Leavers"
    about = "Every membership that ended in the period, and any session that stayed open after it."
    controls = ("ACC-03",)
    query = """
SELECT coalesce(m.pseudonym, 'former member') AS member, e.facts->>'role' AS role,
    e.at AS left_at, e.actor AS by,
  (SELECT count(*) FROM sessions s WHERE s.tenant_id = :tenant AND s.person_id = m.person_id
      AND s.created_at <= e.at
    AND (s.ended_at IS NULL OR s.ended_at > e.at) AND s.expires_at > e.at) AS sessions_open_after
FROM audit_entries e LEFT JOIN memberships m ON m.tenant_id = :tenant AND m.id = e.target_id
WHERE e.tenant_id = :tenant AND e.action = 'membership.ended' AND e.at >= :begins AND e.at < :until
ORDER BY e.at, e.id"""

    def judge(self, rows: Sequence[PopulationRow], _period: Period, /) -> tuple[str, bool]:
        if not rows:
            return "No member left.", True
        late = sum(bool(r["sessions_open_after"]) for r in rows)
        kept = (
            f"{plural(late, 'leaver')} kept an open session"
            if late
            else "all their sessions were ended"
        )
        return f"{plural(len(rows), 'member')} left; {kept}.", not late


class SignInSettings(Collector):
    key, title = "sign-in", "SSO and session settings"
    about = "How people sign in, how long sessions last, and every change in the period."
    controls = ("ACC-01",)
    catches_up = False
    query = """
SELECT at, action, actor AS by, changes::text AS changes, facts::text AS facts
FROM audit_entries
WHERE tenant_id = :tenant AND at >= :begins AND at < :until
    AND (action LIKE 'identity_provider.%' OR action = 'tenant.domains.changed')
ORDER BY at, id"""

    def judge(self, rows: Sequence[PopulationRow], _period: Period, /) -> tuple[str, bool]:
        connection = people.connection()
        if connection is None:
            return "No identity provider is connected.", False
        changed = sum(
            row["action"] in {"identity_provider.changed", "tenant.domains.changed"} for row in rows
        )
        provider = "the company's identity provider"
        rule = (
            f"People must sign in with {provider}"
            if connection.enforced
            else f"Sign-in with {provider} is optional"
        )
        return (
            f"{rule}; {_count(changed, 'change')}.",
            connection.enforced,
        )

    def facts(self, _period: Period) -> Sequence[tuple[str, str]]:
        connection = people.connection()
        limits = (
            ("Idle sessions end after", _duration(IDLE_TIMEOUT)),
            ("All sessions end after", _duration(MAX_SESSION_LIFETIME)),
            (
                "Sensitive actions need a sign-in within the last",
                _duration(timedelta(seconds=STEP_UP_SECONDS)),
            ),
        )
        if connection is None:
            return limits
        mapped = (
            ", ".join(f"{group}: {role}" for group, role in sorted(connection.group_roles.items()))
            or "none"
        )
        return (
            ("Provider", connection.issuer),
            ("Enforced", "yes" if connection.enforced else "no"),
            ("Roles by group", mapped),
            *limits,
        )


def _count(count: int, noun: str) -> str:
    return plural(count, noun) if count else f"no {noun}"


def _duration(span: timedelta) -> str:
    minutes = int(span.total_seconds()) // 60
    return plural(minutes // 60, "hour") if minutes % 60 == 0 else plural(minutes, "minute")


class PolicyChanges(Collector):
    key, title = "policy-changes", "Policy changes with approvals"
    about = (
        "Every policy version published in the period, with its author and approver. A"
        " published version never changes."
    )
    controls = ("CHG-02", "GOV-01")
    query = """
SELECT v.number, v.in_force_from, v.loosens, maker.pseudonym AS made_by, v.requested_at,
    second.pseudonym AS approved_by,
  v.decided_at AS approved_at, v.digest
FROM policy_versions v
LEFT JOIN memberships maker ON maker.tenant_id = :tenant AND maker.person_id = v.made_by
LEFT JOIN memberships second ON second.tenant_id = :tenant AND second.person_id = v.decided_by
WHERE v.tenant_id = :tenant AND v.in_force_from >= :begins AND v.in_force_from < :until
ORDER BY v.number"""

    def judge(self, rows: Sequence[PopulationRow], _period: Period, /) -> tuple[str, bool]:
        if not rows:
            return "The policy didn't change.", True
        loosening = [r for r in rows if r["loosens"]]
        alone = sum(r["approved_by"] in {None, r["made_by"]} for r in loosening)
        how = f"{alone} without a second approver" if alone else "each with a second approver"
        said = (
            f", {len(loosening)} less strict, {how}" if loosening else ", none of them less strict"
        )
        return f"{plural(len(rows), 'version')} published{said}.", not alone


class Drills(Collector):
    key, title = "switch-drills", "Kill-switch drills"
    about = (
        "Every kill-switch drill that ended in the period: how many consumers had to stop, how"
        " many did, and how fast."
    )
    controls = ("OPS-08",)
    needs_rows = True
    query = """
SELECT at, facts->>'key' AS system, facts->>'name' AS feature,
  substring(action FROM 'passed|failed') AS result,
  (facts->>'expected')::int AS expected, (facts->>'obeyed')::int AS obeyed,
      (facts->>'slowest_ms')::int AS slowest_ms, facts->>'why' AS why
FROM audit_entries
WHERE tenant_id = :tenant AND at >= :begins AND at < :until
  AND action IN ('switch.drill.passed', 'switch.drill.failed')
ORDER BY at, id"""

    def judge(self, rows: Sequence[PopulationRow], _period: Period, /) -> tuple[str, bool]:
        if not rows:
            return "No drill took place.", False
        failed = sum(r["result"] == "failed" for r in rows)
        return f"{plural(len(rows), 'drill')}, {failed or 'none'} failed.", not failed


class LogChecks(Collector):
    key, title = "log-checks", "Audit-log verification"
    about = (
        "Every full verification of the audit log in the period, recomputed from the stored"
        " bytes, with its result."
    )
    controls = ("LOG-01",)
    needs_rows = True
    query = """
SELECT at, substring(action FROM 'passed|failed') AS result, (facts->>'entries')::bigint AS entries,
  (facts->>'checkpoints')::bigint AS checkpoints, facts->>'findings' AS findings
FROM audit_entries
WHERE tenant_id = :tenant AND at >= :begins AND at < :until
  AND action IN ('audit.fsck.passed', 'audit.fsck.failed')
ORDER BY at, id"""

    def judge(self, rows: Sequence[PopulationRow], period: Period, /) -> tuple[str, bool]:
        if not rows:
            return "The audit log wasn't verified.", False
        days = len({datetime.fromisoformat(r["at"]).date() for r in rows})
        failed = sum(r["result"] == "failed" for r in rows)
        found = f"{plural(failed, 'check')} found problems" if failed else "no problems found"
        return (
            (
                f"{plural(len(rows), 'check')} on {days} of {(period.last - period.first).days + 1}"
                f" days; {found}."
            ),
            not failed,
        )

    def facts(self, period: Period) -> Sequence[tuple[str, str]]:
        signed = audit.checkpoint_as_of(period.until)
        return (
            ()
            if signed is None
            else (
                ("Last checkpoint", f"{signed.number}, {signed.size:,} entries"),
                ("Checkpoint root, SHA-256", signed.root.hex()),
            )
        )


class Backups(Collector):
    key, title = "backups", "Backups and restores"
    about = (
        "Every record of a backup or restore that was uploaded in the period, manually or through"
        " the API."
    )
    controls = ("OPS-06", "RES-02")
    needs_rows = True
    query = """
SELECT e.ref AS evidence, e.title, v.number AS version, v.uploaded_at, v.source, v.period_from,
    v.period_to, coalesce(v.sha256, v.url) AS content
FROM evidence_versions v JOIN evidence e ON e.tenant_id = v.tenant_id AND e.id = v.evidence_id
WHERE v.tenant_id = :tenant AND v.uploaded_at >= :begins AND v.uploaded_at < :until
    AND v.source <> 'console'
  AND EXISTS (SELECT 1 FROM evidence_links l JOIN controls c ON c.tenant_id = l.tenant_id
      AND c.id = l.control_id
    WHERE l.tenant_id = :tenant AND l.evidence_id = e.id AND l.removed_at IS NULL
        AND c.ref IN ('OPS-06', 'RES-02'))
ORDER BY v.uploaded_at, v.id"""

    def judge(self, rows: Sequence[PopulationRow], period: Period, /) -> tuple[str, bool]:
        if not rows:
            return f"{NONE_REPORTED} between {period.first} and {period.last}.", False
        return f"{plural(len(rows), 'record')} of backups and restores uploaded.", True


class AccessReviews(Collector):
    key, title = "access-reviews", "Access reviews"
    about = (
        "Every access review that closed in the period: how much access was reviewed, kept,"
        " reduced and revoked."
    )
    controls = ("ACC-01",)
    schedule = "quarterly"
    needs_rows = True
    query = """
SELECT at AS closed_at, actor AS by, facts->>'title' AS title, facts->>'due_on' AS due_on,
    (facts->>'rows')::int AS reviewed,
  (facts->>'kept')::int AS kept, (facts->>'lowered')::int AS lowered,
      (facts->>'revoked')::int AS revoked, (facts->>'gone')::int AS gone
FROM audit_entries
WHERE tenant_id = :tenant AND at >= :begins AND at < :until AND action = 'access_review.closed'
ORDER BY at, id"""

    def judge(self, rows: Sequence[PopulationRow], _period: Period, /) -> tuple[str, bool]:
        if not rows:
            return "No access review was closed.", False
        late = sum(r["closed_at"][:10] > r["due_on"] for r in rows)
        ends = f"{late} of them late" if late else "all on time"
        return f"{plural(len(rows), 'access review')} closed, {ends}.", not late


COLLECTORS: dict[str, Collector] = {
    each.key: each
    for each in (
        Members(),
        Leavers(),
        SignInSettings(),
        PolicyChanges(),
        Drills(),
        LogChecks(),
        Isolation(),
        Backups(),
        AccessReviews(),
    )
}
