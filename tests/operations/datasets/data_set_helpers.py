"""Data sets and Croissant files for tests."""

import json
import re
from datetime import date, timedelta
from uuid import UUID

from governance.kernel import clock
from governance.operations.datasets import actions, queries
from governance.operations.datasets.content import VersionContent
from governance.operations.systems import actions as systems
from tests import make

CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "sc": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/",
    "prov": "http://www.w3.org/ns/prov#",
    "conformsTo": "dct:conformsTo",
    "recordSet": "cr:recordSet",
}


def described(**more) -> VersionContent:
    """Return a description that can be published."""
    values = {
        "provenance": "Claims that customers filed with Acme.",
        "licence": "CC-BY-4.0",
        "personal_data": "yes",
        "consent_basis": "consent",
        "newest_record": clock.today() - timedelta(days=10),
        "known_gaps": "No claims of minors.",
    }
    return VersionContent(**values | more)


def register_system(key="claims-triage", slug="acme") -> UUID:
    with make.acting("admin", slug):
        return systems.register(
            key=key, stage="live", name=key, lane="standard", purpose="Works.", owner_id=None
        ).id


def add_data_set(key="claims-2025", slug="acme", owner=None, content=None, uses=()) -> UUID:
    """Add a data set, publish `content` if given, and record who uses it."""
    with make.acting("compliance_officer", slug):
        data_set = actions.add(
            key=key,
            name=key,
            description="One row for each claim.",
            owner_id=make.person_id(owner, slug) if owner else None,
        )
        if content is not None:
            actions.save_draft(data_set, content, seen=data_set.draft_revision)
            actions.publish(data_set, seen=data_set.draft_revision)
        for system_id, purpose in uses:
            actions.add_use(data_set, system_id=system_id, purpose=purpose)
        return data_set.id


def state_of(data_set_id: UUID, role="viewer") -> str:
    with make.acting(role):
        return queries.row_of(queries.data_set(data_set_id)).state


def seen_in(text: str) -> str:
    """Return the hidden revision of a form."""
    return re.search(r'name="seen"[^>]*value="(\w+)"', text)[1]


def croissant(**more) -> bytes:
    """Return a Croissant file. A property of None is omitted."""
    tree = {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": "Crash reports",
        "description": "Reports of car accidents.",
        "license": "https://creativecommons.org/licenses/by/4.0/",
        "url": "https://data.example/crash-reports",
        "creator": {"@type": "Organization", "name": "Road Office"},
        "datePublished": "2026-05-01",
        "version": "2.1.0",
    }
    tree = {name: value for name, value in (tree | more).items() if value is not None}
    return json.dumps(tree).encode()


def days_ago(days: int) -> date:
    return clock.today() - timedelta(days=days)
