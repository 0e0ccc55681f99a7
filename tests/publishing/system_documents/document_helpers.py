"""A system with a draft of a document, and evidence for its sentences."""

from governance.operations.systems import actions as systems
from governance.publishing.system_documents.catalogue import KINDS
from tests import make
from tests.assurance.evidence import evidence_helpers

SYSTEM = "claims-triage"
HOME = f"systems/{SYSTEM}/documents"
FILE, IMPACT = f"{HOME}/technical-file", f"{HOME}/impact-assessment"


def register_system(slug: str = "acme", **facts):
    with make.acting("compliance_officer", slug):
        made = systems.register(
            key=SYSTEM,
            stage="live",
            name="Claims triage",
            lane="high_risk",
            purpose="Ranks incoming claims for adjusters.",
            owner_id=None,
            facts=facts,
        )
        systems.add_feature(made, key="auto-approve", fallback="An adjuster decides.")
        return made.id


def evidence_ref(title: str = "Architecture document", **given) -> str:
    made = evidence_helpers.create_evidence(title, **given)
    with make.acting("compliance_officer", read_only=True):
        from governance.assurance.evidence import queries

        return queries.find_evidence(made).ref


def write_open_points(visitor, address: str, ref: str) -> list[str]:
    """Write every point that the page lists as open. Return their keys."""
    import re

    page = visitor.get(address).text
    keys = list(dict.fromkeys(re.findall(r'<a href="#point-([^"]+)"', page)))
    for key in keys:
        visitor.post(f"{address}/points/{key}", seen="0", text=f"What {key} says.", evidence=ref)
    return keys


def point_count(kind: str) -> int:
    return len(KINDS[kind].points)
