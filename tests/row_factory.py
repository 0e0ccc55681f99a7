"""A factory for a row of any table, from its columns alone.

A proof over all tables needs no list of them.
"""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import JSON, Column, Select, Table, insert, inspect, select
from sqlalchemy.orm import Mapper

from governance.app import models  # noqa: F401 - every table
from governance.kernel import clock, current
from governance.kernel.data.db import Model, Tenanted, session
from governance.kernel.pages import record

TENANTED: list[type[Model]] = sorted(
    (m.class_ for m in Model.registry.mappers if issubclass(m.class_, Tenanted)),
    key=lambda c: c.__tablename__,
)
ALERT_WINDOW = {"burn": "20.8", "lost": 142, "measured": 682}
ALERT_FACTS = {  # Facts of the fired rule, as operations/alerts/rule_facts.py writes them.
    "text": "2% in 1 h",
    "budget_share": "0.02",
    "long_minutes": 60,
    "short_minutes": 5,
    "severity": "page",
    "min_bad": 3,
    "min_total": 100,
    "factor": "14.4",
    "long": ALERT_WINDOW,
    "short": ALERT_WINDOW,
    "fired_at": "2026-11-24T03:24:00+00:00",
}
# Values where a check of the database, or a page, requires more than a type.
PLAUSIBLE: dict[str, dict[str, Any]] = {
    "seal_settings": {"sealed_for": "auditors"},
    "key_ages": {"kind": "log"},
    "tenant_exports": {"contents": {"rows": 0, "files": 0, "unreadable": 0}, "storage_key": None},
    "seal_certificates": {"source": "issued"},
    "price_restatements": {"state": "requested"},
    "prices": {"currency": "USD"},
    "usage_costs": {"outcome": "success", "price_id": None, "currency": None, "cost": 0},
    "allocation_rules": {"state": "approved", "number": 1, "since": "2026-07", "content": {}},
    "exchange_rates": {"month": "2026-10", "currency": "USD", "reporting_currency": "EUR"},
    "reporting_currencies": {"currency": "EUR"},
    "usage_events": {"outcome": "success"},
    "tenant_offboardings": {"state": "requested", "waiting_days": 14},
    "support_grants": {"state": "requested", "ends_at": None, "minutes": 60},
    "cost_bills": {
        "currency": "EUR",
        "period_start": date(2026, 10, 1),
        "period_end": date(2026, 11, 1),
        "replaced_by": None,
        "replaced_at": None,
    },
    "cost_lines": {
        "usage_month": "2026-10",
        "currency": "EUR",
        "pool": "models",
        "category": "Usage",
        "meter": None,
        "note": "",
    },
    "cost_changes": {"usage_month": "2026-10", "currency": "EUR"},
    "cost_pool_rules": {"pool": "models"},
    "erasures": {"state": "requested"},
    "file_imports": {"state": "ready", "rows_rejected": 0},
    "accounts": {"lost_on": None},
    "cost_budgets": {
        "window": "month",
        "currency": "EUR",
        "actual_thresholds": [80],
        "forecast_thresholds": [],
        "proposed_models": [],
    },
    "cost_budget_alerts": {"basis": "actual"},
    "cost_budget_notices": {"basis": "actual", "period": "2026-11", "currency": "EUR"},
    "subscriptions": {"ends_on": None, "currency": "EUR"},
    "invoices": {"month": "2026-10", "currency": "EUR"},
    "acquisition_months": {"month": "2026-10", "currency": "EUR"},
    "support_months": {"month": "2026-10", "currency": "EUR"},
    "access_review_items": {"decision": None, "role": None},
    "anchors": {
        "kind": "witness",
        "state": "agrees",
        "url": "https://witness.example",
        "secret": None,
    },
    "anchor_receipts": {"outcome": "agrees"},
    "approvals": {
        "kind": "unmasking",
        "state": "open",
        "step_up": True,
        "is_ready": True,
        "requesters": [],
        "excluded": [],
        "approvers": [],
        "roles": ["admin"],
    },
    "api_keys": {"scopes": ["audit:read"], "hands": []},
    "control_mappings": {"coverage": "full"},
    "control_tests": {"failed": 0, "unsettled": 0},
    "evidence": {"kind": "report", "cadence": "quarterly", "confidentiality": "internal"},
    "evidence_versions": {
        "url": None,
        "storage_key": None,
        "filename": "log.txt",
        "media_type": "text/plain",
        "size": 10,
    },
    "evaluation_findings": {"misses": 1, "closed_at": None},
    "evaluation_followed_runs": {"outcome": "passed"},
    "evaluation_measure_controls": {"measure": "hallucination", "removed_at": None},
    "indicator_evaluations": {"measure": "hallucination", "stopped_at": None},
    "evidence_faults": {"kind": "missing"},
    "evidence_deletions": {"state": "requested"},
    "evidence_retention": {"kind": "report", "months": 12},
    "incidents": {"state": "investigating", "severity": 2},
    "incident_severities": {"level": 2},
    "incident_updates": {"state": "draft"},
    "data_set_uses": {"purpose": "training"},
    "data_set_versions": {"personal_data": "no", "consent_basis": "not_needed"},
    "playbook_runs": {"is_drill": True},
    "playbook_step_results": {"state": "done"},
    "openslo_documents": {"kind": "Service", "name": "claims-triage"},
    "prometheus_queries": {"kind": "counter", "state": "working", "unknown": {}},
    "prometheus_sources": {
        "url": "https://prometheus.example",
        "state": "working",
        "secret": None,
        "removed_at": None,
    },
    "report_runs": dict.fromkeys(("pdf_key", "pdf_sha256", "fingerprint", "signature", "snapshot")),
    "evidence_reviews": {"decision": "accepted"},
    "log_exports": {"format": "jsonl", "storage_key": None, "sha256": None},
    "memberships": {"role": "viewer"},
    "notifications": {"kind": "mention", "path": "controls/", "mailed_at": None},
    "object_comments": {"subject_kind": "control", "removed_at": None, "removed_by": None},
    "invitations": {"role": "viewer"},
    "work_items": {"state": "queued", "kind": "report"},
    "policy_versions": {
        "state": "withdrawn",
        "content": {"tier": "standard", "overrides": {}, "systems": {}},
        "number": None,
    },
    "waivers": {"dimension": "retention_days", "value": 30, "state": "requested"},
    "stops": {"scope": "system", "version": 1, "expected": []},
    "drills": {"state": "planned", "seconds": 10},
    "decision_counts": {"grain": "minute", "flag": "bulk"},
    "sampling_tables": {
        "content": {
            "yearly": 1,
            "half-yearly": 2,
            "quarterly": 3,
            "monthly": 6,
            "weekly": 10,
            "daily": 25,
            "per event": [25, 25, 40, 60],
        }
    },
    "populations": {
        "source": "file",
        "rows": [{"id": "a"}],
        "id_column": "id",
        "date_column": None,
        "row_count": 1,
    },
    "samples": {"attributes": ["signed"], "seed": "441790ce"},
    "item_results": {"outcome": "passed", "evidence_version_id": None},
    "retests": {"failed": 0},
    "findings": {"remedied_at": None, "closed_at": None},
    "audit_requests": {"state": "open", "criteria": []},
    "engagements": {"criteria": []},
    "evidence_packages": {"storage_key": None},
    "request_imports": {"rows": [], "problems": []},
    "statements": {
        "month": "2026-10",
        "revision": 0,
        "marks": 0,
        "marks_seen": 0,
        "cause": "close",
    },
    "statement_disputes": {
        "kind": "minutes",
        "state": "open",
        "indicator": "a",
        "exclusion": None,
        "starts_at": datetime(2026, 3, 3, 1, tzinfo=UTC),
        "ends_at": datetime(2026, 3, 3, 2, tzinfo=UTC),
    },
    "statement_credits": {"kind": "owed", "revision": 1},
    "statement_revisions": {"changes": None, "cause": "close", "number": 1},
    "vendor_claims": {"state": "prepared", "paid_amount": None},
    "reviews": {"month": "2026-10", "revision": 0, "late": None},
    "guardrail_months": {"month": "2026-10"},
    "review_settings": {"close_day": 5, "residual_limit": Decimal("0.02")},
    "review_revisions": {"number": 1, "changes": None},
    "review_sign_offs": {"side": "finance"},
    "review_files": {"file_key": None, "month": "2026-10", "number": 1},
    "request_remarks": {"kind": "comment"},
    "webhook_endpoints": {
        "url": "https://hooks.example",
        "event_types": [],
        "disabled_reason": "",
        "removed_at": None,
    },
    "webhook_deliveries": {"state": "dead", "body": "{}", "event_type": "alert.fired"},
    "exclusions": {
        "category": "maintenance",
        "state": "approved",
        "rrule": None,
        "time_zone": "Europe/Berlin",
        "starts_at": datetime(2026, 3, 3, 1, tzinfo=UTC),
        "ends_at": datetime(2026, 3, 3, 2, tzinfo=UTC),
        "last_end": datetime(2026, 3, 3, 2, tzinfo=UTC),
    },
    "alerts": {
        "state": "firing",
        "severity": "page",
        "level": "page",
        "resolved_at": None,
        "rules": {"1h": ALERT_FACTS},
    },
    "alert_deliveries": {"step": "fired", "channel": "email"},
    "budget_exhaustions": {"restored_at": None, "allowed": "1.5", "tier": None},
    "budget_responses": {"tier": None},
    "indicators": {
        "kind": "ratio",
        "good_side": "at_most",
        "source": "push",
        "feature": None,
        "retired_at": None,
    },
    "objectives": {
        "target": Decimal("0.995"),
        "minimum_coverage": Decimal("0.95"),
        "window": "rolling",
        "service_hours": None,
        "rules": None,
        "is_ai": True,
    },
    "objective_versions": {
        "target": Decimal("0.995"),
        "minimum_coverage": Decimal("0.95"),
        "window": "rolling",
        "service_hours": None,
        "rules": None,
    },
    "tenant_time_zones": {"since": datetime(2020, 1, 1, tzinfo=UTC), "zone": "Europe/Berlin"},
    "agreements": {"direction": "to_tenant"},
    "agreement_versions": {
        "state": "draft",
        "side": "customer",
        "time_zone": "Europe/Berlin",
        "currency": "EUR",
        "business_hours": {"zone": "Europe/Berlin", "hours": {"mon": [["09:00", "17:00"]]}},
        "credit_cap": Decimal("0.3"),
        "minimum_coverage": Decimal("0.95"),
        "excluded_categories": ["maintenance"],
        "terms": None,
    },
    "agreement_commitments": {
        "target": Decimal("0.99"),
        "bands": [["0.99", "0.1"]],
        "vendor_kind": None,
    },
    "agreement_support_terms": {
        "severity": 1,
        "clock": "24x7",
        "target": Decimal("0.9"),
        "bands": [],
    },
    "agreement_acceptances": {"side": "customer"},
    "agreement_contacts": {"side": "customer"},
    "agreement_rehearsals": {"terms": "own", "result": None},
    "system_documents": {"kind": "technical-file", "completed_at": None, "content": None},
    "document_files": {"file_key": None},
    "red_team_files": {"file_key": None},
    "model_card_files": {"file_key": None},
    "model_cards": {
        "withdrawn_at": None,
        "withdrawal_reason": None,
        "content": {
            "tenant": "Acme",
            "release": "1",
            "system": {
                "name": "Triage",
                "purpose": "Sorts.",
                "intended_users": "",
                "autonomy": "",
                "capabilities": [],
                "limits": [],
                "controls": [],
                "why_shown": "",
                "models": [],
                "data_sets": [],
            },
            "policy": {"tier": "Standard", "settings": []},
            "figures": [],
            "stop_drill": None,
            "incidents": {"count": 0, "open": 0},
            "known_failures": [],
        },
    },
    "document_statements": {"point": "1.e", "does_not_apply": False},
    "change_logs": {"is_public": True},
    "report_schedules": {
        "kind": "policy-attestation",
        "cadence": "monthly",
        "parameters": {},
        "recipients": [],
        "ended_at": None,
    },
    "system_explanations": {"is_public": True, "origins": ["https://app.example"]},
    "customer_changes": {
        "kind": "fix",
        "state": "published",
        "cause": "",
        "published_at": datetime(2026, 11, 20, 9, 0, tzinfo=UTC),
        "withdrawn_at": None,
    },
    "rollouts": {
        "change": "model",
        "risk_class": "standard",
        "ladder": [{"share": 0, "hours": 24, "samples": 100}],
        "on_failure": "halt",
        "state": "planned",
        "position": -1,
        "since": None,
        "entered_at": None,
        "started_at": None,
        "ended_at": None,
    },
    "rollout_steps": {"step": "start", "position": 0, "gates": []},
    "rollout_freezes": {
        "starts_at": datetime(2026, 12, 18, tzinfo=UTC),
        "ends_at": datetime(2027, 1, 4, tzinfo=UTC),
        "cancelled_at": None,
    },
    "red_teams": {
        "kind": "third_party",
        "opens_on": date(2026, 11, 2),
        "closes_on": date(2026, 11, 20),
        "opens_at": datetime(2026, 11, 2, tzinfo=UTC),
        "closes_at": datetime(2026, 11, 21, tzinfo=UTC),
        "cancelled_at": None,
    },
    "red_team_scenarios": {"risk": "LLM01:2026"},
    "red_team_attempts": {"outcome": "broke"},
    "red_team_runs": {"measure": "hallucination"},
    "red_team_findings": {
        "vector": "CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:U/C:H/I:L/A:N",
        "score": Decimal("7.1"),
        "state": "open",
        "fixed_release": None,
        "case_measure": "attack_success",
        "case_digest": b"\x01" * 16,
        "ended_at": None,
    },
    "red_team_evidence": {"removed_at": None},
    "system_proposals": {
        "state": "approved",
        "answers": {"area": "5", "decides": "informs"},
        "law_version": "2026-07-27",
        "role": "both",
        "risk_class": "high_risk",
        "eu_class": "high_risk",
        "class_reason": None,
        "classed_by": None,
    },
    "ai_systems": {
        "lane": "standard",
        "key": "claims-triage",
        "retired_at": None,
        "kind": "agent",
        "stage": "live",
        "ai_act_class": "minimal",
        "eu_role": "provider",
        "law_version": "2026-07-27",
        "autonomy": "advice",
        **{name: [] for name in ("capabilities", "limits", "models", "data_sets")},
        **{name: [] for name in ("dependencies", "tools", "tool_permissions")},
    },
    "ai_system_versions": {"content": {"name": "Claims triage"}, "substantial": []},
    "evaluation_suite_versions": {"cases": 40, "cases_sha256": None, "withdrawn_at": None},
    "evaluation_suite_measures": {
        "key": "attack_success",  # The key of a red team's finding.
        "kind": "rate",
        "percent": None,
        "unit": "share",
        "sources": ["grounded"],
        "limits": {"standard": 0.9},
        "risks": [],
    },
    "evaluation_runs": {
        "state": "judged",
        "problem": None,
        "place": None,
        "storage_key": None,
        "judges": [],
        "outcome": "completed",
        "week": date(2026, 11, 23),
    },
    "evaluation_requests": {"state": "running", "samples": 40, "done": 4, "total": 40},
    "evaluation_results": {
        "n": 40,
        "successes": 30,
        "deviation": None,
        "point": 0.75,
        "low": 0.6,
        "high": 0.86,
        "confidence": 0.95,
        "verdicts": {"standard": {"limit": 0.9, "verdict": "fail", "more": None}},
    },
    "risk_scales": {
        "number": 2,
        "likelihood": ["Rare", "Possible", "Likely"],
        "impact": ["Minor", "Major", "Severe"],
        "low_to": 1,
        "medium_to": 3,
        "high_to": 5,
        "max_acceptance_days": 90,
    },
    "risk_controls": {"reduces": "likelihood"},
    "risk_scores": {"controls": [["SEC-01", "effective"]]},
    "risk_acceptances": {
        "state": "accepted",
        "accepted_at": datetime(2026, 11, 20, 9, tzinfo=UTC),
    },
    "evaluation_judges": {"measure_key": "hallucination", "replaced_at": None},
    "evaluation_judge_calibrations": {
        "both_pass": 20,
        "only_people": 5,
        "only_judge": 10,
        "both_fail": 15,
        "kappa": 0.4,
        "kappa_low": 0.15,
        "kappa_high": 0.65,
    },
}


class RowFactory:
    """A factory of rows in the acting tenant. A parent that a key needs is made once and shared."""

    def __init__(self) -> None:
        self.made: dict[str, UUID] = {}

    def of(self, model: type[Model]) -> UUID:
        """Make a row of that class. Return its id."""
        table = model.__table__
        assert isinstance(table, Table)
        return self._of_table(table)

    def _of_table(self, table: Table) -> UUID:
        if table.name == "memberships":  # There is one for each person, and the world has made it.
            return (
                session()
                .execute(select(table.c.id).where(table.c.person_id == current.person_id()))
                .scalar_one()
            )
        if table.name not in self.made:
            values = self.values(table)
            session().execute(insert(table).values(values))
            self.made[table.name] = values["id"]
        return self.made[table.name]

    def values(self, table: Table) -> dict[str, Any]:
        """Return plausible values of every column, following keys to rows of other tables."""
        values = {c.name: _plausible(c, n) for n, c in enumerate(table.columns)}
        values |= {"id": uuid4(), "tenant_id": current.actor().tenant_id}
        for key in table.foreign_key_constraints:
            for column, element in zip(key.columns, key.elements, strict=True):
                if column.name != "tenant_id":
                    parent = element.column.table
                    values[column.name] = None if parent is table else self._parent(parent)
        return values | _declared(table) | PLAUSIBLE.get(table.name, {})

    def _parent(self, table: Table) -> UUID:
        if table.name == "people":
            return current.person_id()
        if "tenant_id" not in table.columns:
            return session().execute(_published(table)).scalar_one()
        return self._of_table(table)


def _declared(table: Table) -> dict[str, Any]:
    """Return the choices of a declared record. A select that may be empty is empty."""
    if table.name not in record.declared:
        return {}
    return {
        name: [each.offered()[0][0]] if each.shape == "choices" else _choice(each)
        for name, each in record.declared[table.name].fields.items()
        if name in table.columns and each.shape in {"choice", "choices"} and each.offered()
    }


def _choice(each: record.Field) -> Any:
    return None if each.blank else each.default or each.offered()[0][0]


def _published(table: Table) -> Select[Any]:
    """Return a framework without mappings of the starter pack, or its assessable requirement."""
    frameworks = table.metadata.tables["frameworks"]
    framework = select(frameworks.c.id).where(frameworks.c.key == "nist-ai-600-1").limit(1)
    if table.name != "requirements":
        return framework
    return (
        select(table.c.id)
        .where(table.c.framework_id == framework.scalar_subquery(), table.c.assessable)
        .order_by(table.c.position)
        .limit(1)
    )


def foreign_keys() -> list[tuple[type[Model], str, type[Model]]]:
    """Return (class, column, referenced class) of every key between two tenanted tables.

    The order is always the same.
    """
    by_table = {c.__tablename__: c for c in TENANTED}
    found = []
    for model in TENANTED:
        mapper = inspect(model)
        assert isinstance(mapper, Mapper)
        for key in mapper.local_table.foreign_key_constraints:  # type: ignore[attr-defined]
            pairs = [
                (c.name, e.column.table.name)
                for c, e in zip(key.columns, key.elements, strict=True)
            ]
            found += [
                (model, name, by_table[parent])
                for name, parent in pairs
                if name != "tenant_id" and parent in by_table
            ]
    return sorted(
        found, key=lambda child: (child[0].__name__, child[1])
    )  # SQLAlchemy keeps keys in a set, and workers must agree.


def _plausible(column: Column[Any], position: int) -> Any:
    if isinstance(column.type, JSON):
        return {}
    python = column.type.python_type
    if column.nullable and python is not str:
        return None
    if python is date:
        return date(2026, 1, 1) + timedelta(days=position)
    made: dict[type, Any] = {
        UUID: uuid4(),
        str: f"{column.name} {uuid4().hex[:6]}",
        int: 1,
        bool: False,
        bytes: uuid4().bytes,
        Decimal: Decimal(1),
    }
    return made[python] if python in made else clock.now()
