"""The technical file of claims-triage: a draft with two points that a person wrote.

The other points are open.
"""

from collections.abc import Callable, Iterator
from datetime import date

from sqlalchemy import select

from governance.assurance.evidence.models import Evidence
from governance.demo.story import StoryEvent
from governance.kernel.data.db import session
from governance.operations.systems import queries as systems
from governance.publishing.system_documents import actions, queries
from governance.publishing.system_documents.catalogue import TECHNICAL_FILE


def acme(ago: Callable[[int], date]) -> Iterator[StoryEvent]:
    """Yield the steps."""
    yield StoryEvent(ago(9), "officer", _start)


def _start() -> None:
    system = systems.system("claims-triage")
    found = actions.start(system, queries.kind(TECHNICAL_FILE))
    inventory = session().scalars(
        select(Evidence.ref)
        .where(Evidence.title.contains("inventory of AI systems"))
        .order_by(Evidence.ref)
        .limit(1)
    )
    for point, text, ref in (
        ("1.d", "It is an internal service; nobody outside Acme receives it.", inventory.one()),
        ("1.f", "It isn't part of a product.", ""),
    ):
        actions.write(
            found, system, point, text=text, evidence_ref=ref, does_not_apply=not ref, seen=0
        )
