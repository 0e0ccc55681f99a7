"""Globex: a smaller, younger tenant."""

from collections.abc import Iterator
from datetime import date, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from governance.assurance.assessments import (
    assessment_actions,
)
from governance.assurance.controls import adoption_actions, starter_pack
from governance.assurance.controls import queries as control_queries
from governance.assurance.evidence import version_actions
from governance.assurance.evidence.models import Evidence, EvidenceVersion
from governance.assurance.frameworks import actions as adopting
from governance.assurance.frameworks import queries as frameworks
from governance.demo import (
    machine_keys,
    policy_history,
    usage_story,
)
from governance.demo.cast import Cast, acting_on, days_ago, play
from governance.demo.story import StoryEvent
from governance.kernel.data.db import find, transaction
from governance.operations.systems import actions as registering


def tell_globex(cast: Cast, handed: dict[str, Any]) -> None:
    with acting_on(cast("admin"), days_ago(120)), transaction():
        adopting.adopt_framework("nist-ai-rmf-1.0")
        registering.register(
            key="router",
            stage="live",
            name="Request router",
            lane="standard",
            purpose="Routes each request to the right team.",
            owner_id=cast.id("officer"),
        )
        handed.update(machine_keys.make("globex"))
    with acting_on(cast("officer"), days_ago(118)), transaction():
        adoption_actions.adopt([c.ref for c in starter_pack.pack()][:20])
        framework = frameworks.framework("nist-ai-rmf-1.0")
        assessment_actions.start_assessment(
            framework.id,
            title="First assessment",
            period_from=days_ago(118),
            period_to=days_ago(-60),
            scope="organisation",
            targets=None,
        )
    play(cast, [*policy_history.globex(days_ago), *_globex_evidence()])
    usage_story.tell("globex", usage_story.GLOBEX)


FIRST_PROVEN = 12  # of the controls that Globex has adopted


def _globex_evidence() -> Iterator[StoryEvent]:
    """Yield evidence of some of the controls: two uploads by the officer, accepted by the admin."""
    for days in (95, 20):
        versions: list[UUID] = []
        yield StoryEvent(
            days_ago(days), "officer", partial(_upload_first, versions, days_ago(days)), 11
        )
        yield StoryEvent(days_ago(days - 1), "admin", partial(_accept_all, versions), 10)


def _upload_first(versions: list[UUID], day: date) -> None:
    covered = {c.ref for c in starter_pack.pack()[:FIRST_PROVEN]}
    first = [control for control in control_queries.posture() if control.ref in covered]
    items = {proof.evidence_id: proof.ref for control in first for proof in control.proofs}
    for evidence_id, ref in sorted(items.items(), key=lambda each: each[1]):
        address = f"https://files.globex.example/{ref.lower()}/{day:%Y-%m-%d}"
        uploaded = version_actions.link_version(
            find(Evidence, evidence_id),
            address,
            collected_on=day,
            period_from=day - timedelta(days=91),
            period_to=day,
            valid_until=day + timedelta(days=100),
        )
        versions.append(uploaded.id)


def _accept_all(versions: list[UUID]) -> None:
    for version_id in versions:
        version = find(EvidenceVersion, version_id)
        version_actions.accept(version, find(Evidence, version.evidence_id))
