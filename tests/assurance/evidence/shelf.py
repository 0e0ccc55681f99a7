"""What the tests of evidence and controls bring in, by the product's own actions."""

import io
from datetime import timedelta

from governance.assurance.controls import actions as controls
from governance.assurance.evidence import actions
from governance.assurance.evidence.queries import find_evidence, version_of
from governance.kernel import clock
from tests import make

PDF = b"%PDF-1.7\n" + b"x" * 2000


def control(ref="SEC-04", title="Third-party penetration test", owner="contributor", slug="acme"):
    with make.acting("compliance_officer", slug):
        who = make.person_id(owner, slug) if owner else None
        return controls.create(
            ref,
            title,
            "A tester from outside tries to break in.",
            kind="detective",
            automation="manual",
            cadence="quarterly",
            owner_id=who,
        ).id


def piece(title="Penetration test report", owner="contributor", supports=(), slug="acme", **options):
    with make.acting("compliance_officer", slug):
        who = make.person_id(owner, slug) if owner else None
        return actions.begin(
            title, kind="report", cadence="quarterly", owner_id=who, controls=dict.fromkeys(supports, ""), **options
        ).id


def version(evidence_id, content=PDF, name="report.pdf", by="contributor", slug="acme", **dates):
    with make.acting(by, slug):
        return actions.bring_file(find_evidence(evidence_id), io.BytesIO(content), name, **(days() | dates)).id


def accepted(version_id, by="reviewer", slug="acme"):
    with make.acting(by, slug):
        actions.accept(*version_of(version_id))


def days(collected=0, covers=365, valid=60):
    today = clock.today()
    return {
        "collected_on": today - timedelta(days=collected),
        "period_from": today - timedelta(days=covers),
        "period_to": today - timedelta(days=collected),
        "valid_until": today + timedelta(days=valid),
    }


def form(content=PDF, name="report.pdf", **dates):
    """A version as a browser sends it."""
    sent = {key: str(day) for key, day in (days() | dates).items()}
    return sent | ({"file": (io.BytesIO(content), name)} if content is not None else {})
