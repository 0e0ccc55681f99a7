"""Queries for the evidence linked to red-team findings, and for versions that can be linked."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select

from governance.assurance.evidence import version_choices
from governance.assurance.evidence.models import Evidence, EvidenceVersion
from governance.assurance.evidence.period_labels import period_label
from governance.assurance.evidence.visibility import visible_scope
from governance.assurance.red_teams.models import RedTeamEvidence
from governance.kernel.data.db import find
from governance.kernel.data.selects import Rows, Selected, one_of, read_rows
from governance.kernel.errors import NotFound

MAX_OFFERED = 20  # Versions in the choice, until a search narrows it.


@dataclass(frozen=True, slots=True)
class LinkedVersion:
    """A version that supports a finding. It is unusable once it is withdrawn or deleted."""

    link: RedTeamEvidence
    version: EvidenceVersion
    evidence: Evidence
    is_usable: bool

    @property
    def covers(self) -> str:
        return period_label(self.version.period_from, self.version.period_to)


def _of_links[*Columns](query: Select[*Columns]) -> Select[*Columns]:
    """Extend a query to the links, versions and items of some findings, in display order."""
    link, v = RedTeamEvidence, EvidenceVersion
    return (
        query.select_from(link)
        .join(v, v.id == link.version_id)
        .join(Evidence, Evidence.id == v.evidence_id)
        .where(one_of(link.finding_id, "finding_ids"), link.removed_at.is_(None))
        .order_by(Evidence.ref, v.number)
    )


LINKED: tuple[Selected[Any], ...] = (
    Selected(lambda: _of_links(select(RedTeamEvidence, version_choices.is_usable()))),
    Rows(
        EvidenceVersion,
        lambda m: m.id.in_(_of_links(select(RedTeamEvidence.version_id))),
        lambda m: (m.id,),
    ),
    Rows(
        Evidence,
        lambda m: m.id.in_(_of_links(select(EvidenceVersion.evidence_id))),
        lambda m: (m.id,),
    ),
)


def linked(finding_ids: Collection[UUID]) -> Mapping[UUID, list[LinkedVersion]]:
    """Return the linked versions that the reader may view, by finding, in one statement."""
    links, rows, items = read_rows(*LINKED, finding_ids=tuple(finding_ids))
    versions, item_of, seen = {v.id: v for v in rows}, {e.id: e for e in items}, visible_scope()
    found = defaultdict[UUID, list[LinkedVersion]](list)
    for link, is_usable in links:
        version = versions[link.version_id]
        if seen.shows_version(version):
            item = item_of[version.evidence_id]
            found[link.finding_id].append(LinkedVersion(link, version, item, is_usable))
    return found


def link_of(finding_id: UUID, link_id: UUID) -> RedTeamEvidence:
    """Return a link of this finding. Raise NotFound if it is of another finding."""
    link = find(RedTeamEvidence, link_id, what="link")
    if link.finding_id != finding_id:
        raise NotFound("This link doesn't exist, or you don't have access to it.")
    return link


def choices(words: str) -> list[tuple[UUID, str]]:
    """Return (id, label) of the newest linkable versions.

    Returns one more than a form shows, so that the caller knows whether there are more.
    """
    query = version_choices.found_by(version_choices.usable_versions(), words)
    return version_choices.offered(query, MAX_OFFERED + 1)
