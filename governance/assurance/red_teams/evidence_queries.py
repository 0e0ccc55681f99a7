"""The evidence that is linked to findings of red teams, and what can be linked."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select

from governance.assurance.evidence import version_choices
from governance.assurance.evidence.models import Evidence, EvidenceVersion
from governance.assurance.evidence.period_labels import period_label
from governance.assurance.evidence.visibility import sight
from governance.assurance.red_teams.models import RedTeamEvidence
from governance.kernel.data.db import find
from governance.kernel.data.selects import Rows, Selected, one_of, read_rows
from governance.kernel.errors import NotFound

MAX_OFFERED = 20  # versions to choose from, until words narrow them


@dataclass(frozen=True, slots=True)
class LinkedVersion:
    """A version that supports a finding. It isn't usable once it was withdrawn or deleted."""

    link: RedTeamEvidence
    version: EvidenceVersion
    evidence: Evidence
    is_usable: bool

    @property
    def covers(self) -> str:
        return period_label(self.version.period_from, self.version.period_to)


def _of_links[*Columns](query: Select[*Columns]) -> Select[*Columns]:
    """The query of links, versions and items, for the links of some findings, in their order."""
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
    """Return the versions linked to each finding, as far as the reader sees them; one statement."""
    links, rows, items = read_rows(*LINKED, finding_ids=tuple(finding_ids))
    versions, item_of, seen = {v.id: v for v in rows}, {e.id: e for e in items}, sight()
    found = defaultdict[UUID, list[LinkedVersion]](list)
    for link, is_usable in links:
        version = versions[link.version_id]
        if seen.shows_version(version):
            item = item_of[version.evidence_id]
            found[link.finding_id].append(LinkedVersion(link, version, item, is_usable))
    return found


def link_of(finding_id: UUID, link_id: UUID) -> RedTeamEvidence:
    """Return a link of this finding. Raises NotFound for one of another."""
    link = find(RedTeamEvidence, link_id, what="link")
    if link.finding_id != finding_id:
        raise NotFound("This link doesn't exist, or you don't have access to it.")
    return link


def choices(words: str) -> list[tuple[UUID, str]]:
    """Return (id, label) of the newest versions that can be linked: one more than a form offers."""
    query = version_choices.found_by(version_choices.usable_versions(), words)
    return version_choices.offered(query, MAX_OFFERED + 1)
