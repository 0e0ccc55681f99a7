"""Evidence and controls that tests create and upload by the product's own actions."""

import io
from datetime import timedelta

from sqlalchemy import func, select

from governance.assurance.controls import actions as controls
from governance.assurance.controls.control_record import ControlContent
from governance.assurance.evidence import actions, version_actions
from governance.assurance.evidence.queries import find_evidence, find_version
from governance.foundation.audit.models import AuditEntry
from governance.kernel import clock
from governance.kernel.data.db import session
from tests import make

PDF = b"%PDF-1.7\n" + b"x" * 2000


def create_control(
    ref="SEC-04", title="Third-party penetration test", owner="contributor", slug="acme"
):
    with make.acting("compliance_officer", slug):
        who = make.person_id(owner, slug) if owner else None
        return controls.create(
            ref,
            ControlContent(
                title=title,
                does="A tester from outside tries to break in.",
                kind="detective",
                automation="manual",
                cadence="quarterly",
            ),
            owner_id=who,
        ).id


def create_evidence(
    title="Penetration test report", owner="contributor", supports=(), slug="acme", **options
):
    with make.acting("compliance_officer", slug):
        who = make.person_id(owner, slug) if owner else None
        return actions.create_item(
            title,
            kind="report",
            cadence="quarterly",
            owner_id=who,
            controls=dict.fromkeys(supports, ""),
            **options,
        ).id


def upload_version(
    evidence_id, content=PDF, name="report.pdf", by="contributor", slug="acme", **dates
):
    with make.acting(by, slug):
        return version_actions.upload_version(
            find_evidence(evidence_id), io.BytesIO(content), name, **(version_dates() | dates)
        ).id


def accept_version(version_id, by="reviewer", slug="acme"):
    with make.acting(by, slug):
        version_actions.accept(*find_version(version_id))


def version_dates(collected=0, covers=365, valid=60):
    today = clock.today()
    return {
        "collected_on": today - timedelta(days=collected),
        "period_from": today - timedelta(days=covers),
        "period_to": today - timedelta(days=collected),
        "valid_until": today + timedelta(days=valid),
    }


def version_form(content=PDF, name="report.pdf", **dates):
    """Return a version form as a browser sends it."""
    sent = {key: str(day) for key, day in (version_dates() | dates).items()}
    return sent | ({"file": (io.BytesIO(content), name)} if content is not None else {})


def count_rows(model, *where):
    with make.acting("compliance_officer", read_only=True):
        return session().scalar(select(func.count()).select_from(model).where(*where))


def entries_of_action(action, slug="acme"):
    with make.acting("compliance_officer", slug, read_only=True):
        found = session().scalars(select(AuditEntry).where(AuditEntry.action == action)).all()
        session().expunge_all()
        return found
