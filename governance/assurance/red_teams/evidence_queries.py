"""The evidence that is linked to findings of red teams, and what can be linked."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from governance.assurance.evidence import version_choices
from governance.assurance.evidence.models import Evidence, EvidenceVersion
from governance.assurance.evidence.period_labels import period_label
from governance.assurance.evidence.visibility import sight
from governance.assurance.red_teams.models import RedTeamEvidence
from governance.kernel.db import find, session
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


def linked(finding_ids: Collection[UUID]) -> Mapping[UUID, list[LinkedVersion]]:
    """Return the versions linked to each finding, as far as the reader sees them; one statement."""
    link, v = RedTeamEvidence, EvidenceVersion
    query = (
        select(link, v, Evidence, version_choices.is_usable())
        .join(v, v.id == link.version_id)
        .join(Evidence, Evidence.id == v.evidence_id)
        .where(link.finding_id.in_(finding_ids), link.removed_at.is_(None), *sight().of_versions())
        .order_by(Evidence.ref, v.number)
    )
    found = defaultdict[UUID, list[LinkedVersion]](list)
    for row in session().execute(query):
        found[row[0].finding_id].append(LinkedVersion(*row))
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
