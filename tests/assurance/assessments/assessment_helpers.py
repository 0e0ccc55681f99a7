"""Helpers that start assessments and write conclusions."""

from datetime import date

from sqlalchemy import select

from governance.assurance.assessments import (
    assessment_queries,
)
from governance.assurance.frameworks import queries as frameworks
from governance.foundation.audit.models import AuditEntry
from governance.kernel.data.db import session

KEY = "nist-ai-rmf-1.0"
PAGE = f"frameworks/{KEY}"
PERIOD = {"period_from": date(2026, 1, 1), "period_to": date(2026, 12, 31)}


def item_of(acting, assessment_id, ref):
    with acting("compliance_officer", read_only=True):
        return next(
            each.row.id for each in assessment_queries.items(assessment_id) if each.ref == ref
        )


def entries_of_action(acting, name):
    with acting("compliance_officer", read_only=True):
        found = session().execute(
            select(AuditEntry.facts, AuditEntry.body, AuditEntry.changes).where(
                AuditEntry.action == name
            )
        )
        return found.all()


def conclude(
    visitor, item, text="It is designed well, and not proved.", level=2, revision=0, **rest
):
    return visitor.post(
        f"assessments/items/{item}/conclusion",
        level=level,
        rationale=text,
        revision=revision,
        **rest,
    )


def framework_id(acting):
    with acting("compliance_officer", read_only=True):
        return frameworks.framework(KEY).id
