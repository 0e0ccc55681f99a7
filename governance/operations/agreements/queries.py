"""Read agreements, their versions, and which version is in force at a minute."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import (
    Select,
    String,
    Uuid,
    and_,
    bindparam,
    exists,
    func,
    select,
)

from governance.kernel import clock, current
from governance.kernel.data.db import find, session
from governance.kernel.data.selects import Rows, one_of, read_rows
from governance.kernel.errors import NotFound
from governance.kernel.intervals import Span, whole_minute
from governance.operations.agreements.models import (
    OPEN_STATES,
    Acceptance,
    Agreement,
    AgreementContact,
    AgreementVersion,
    Commitment,
    SupportTerm,
)
from governance.operations.agreements.terms import terms_of

DAY = timedelta(days=1)
_DIRECTION = bindparam("direction", type_=String())
_AGREEMENT = bindparam("agreement_id", type_=Uuid())


def acting_side() -> str | None:
    """Return the side of the acting person, or None for Meridian itself, which sees both."""
    kind = current.actor().kind
    return None if kind in {"job", "command"} else "provider" if kind == "operator" else "customer"


# ---- one


def agreement(agreement_id: UUID, *, lock: bool = False) -> Agreement:
    """Return an agreement. Raises NotFound for another tenant's."""
    return find(Agreement, agreement_id, what="agreement", lock=lock)


def version(version_id: UUID, *, lock: bool = False) -> AgreementVersion:
    """Return a version. Raises NotFound for another tenant's, and for the other side's draft."""
    found = find(AgreementVersion, version_id, what="agreement version", lock=lock)
    if not is_visible(found):
        raise NotFound("This agreement version doesn't exist, or you don't have access to it.")
    return found


def is_visible(version: AgreementVersion) -> bool:
    """Return True unless the other side keeps the version private.

    A draft, and a withdrawn version that was never proposed, is visible only to its own side.
    """
    side = acting_side()
    return side is None or version.side == side or version.proposed_at is not None


def visible(direction: str) -> Select[Agreement]:
    """Select the agreements of a direction with a version that the acting side may see."""
    query, side = select(Agreement).where(Agreement.direction == direction), acting_side()
    if side is None:
        return query
    v = AgreementVersion
    shown = exists().where(
        v.tenant_id == Agreement.tenant_id,
        v.agreement_id == Agreement.id,
        (v.side == side) | v.proposed_at.is_not(None),
    )
    return query.where(shown)


def numbered(agreement_id: UUID, number: int) -> AgreementVersion:
    """Return the version with that number. Raises NotFound as `version` does."""
    query = select(AgreementVersion.id).where(
        AgreementVersion.agreement_id == agreement_id, AgreementVersion.number == number
    )
    found = session().scalar(query)
    if found is None:
        raise NotFound("This agreement version doesn't exist, or you don't have access to it.")
    return version(found)


def next_number(direction: str) -> int:
    query = select(func.max(Agreement.number)).where(Agreement.direction == direction)
    return (session().scalar(query) or 0) + 1


# ---- the parts of a version


PARTS: tuple[Rows[Any], ...] = (
    Rows(Commitment, lambda m: one_of(m.version_id, "versions"), lambda m: (m.clause,)),
    Rows(SupportTerm, lambda m: one_of(m.version_id, "versions"), lambda m: (m.severity,)),
)
ACCEPTANCES = Rows(
    Acceptance, lambda m: one_of(m.version_id, "versions"), lambda m: (m.accepted_at, m.id)
)
CONTACTS = Rows(
    AgreementContact, lambda m: m.agreement_id == _AGREEMENT, lambda m: (m.side, m.name)
)
ON_PAGE = (*PARTS, ACCEPTANCES, CONTACTS)


@dataclass(frozen=True, slots=True)
class Parts:
    """The promises of a version: commitments by clause, support terms by severity."""

    commitments: Sequence[Commitment]
    support: Sequence[SupportTerm]


def parts(version_id: UUID) -> Parts:
    return parts_of([version_id])[version_id]


def parts_of(version_ids: Collection[UUID]) -> dict[UUID, Parts]:
    """Return the parts of several versions. Runs one statement."""
    promised, support = defaultdict(list), defaultdict(list)
    wanted = set(version_ids)
    commitments, terms_of_support = read_rows(*PARTS, versions=tuple(wanted))
    for row in commitments:
        promised[row.version_id].append(row)
    for term in terms_of_support:
        support[term.version_id].append(term)
    return {each: Parts(promised[each], support[each]) for each in wanted}


@dataclass(frozen=True, slots=True)
class OnPage:
    """A version's parts, acceptances (oldest first) and both sides' contacts, for its page."""

    parts: Parts
    acceptances: Sequence[Acceptance]
    contacts: Sequence[AgreementContact]


def on_page(version: AgreementVersion) -> OnPage:
    """Read the data of a version's page. Runs one statement."""
    commitments, support, accepted, named = read_rows(
        *ON_PAGE, versions=(version.id,), agreement_id=version.agreement_id
    )
    return OnPage(Parts(commitments, support), accepted, named)


def terms(version: AgreementVersion) -> dict[str, Any]:
    """Return the terms as JSON: frozen at the proposal, or a draft's current ones."""
    if version.terms is not None:
        return version.terms
    found = parts(version.id)
    return terms_of(agreement(version.agreement_id), version, found.commitments, found.support)


def acceptances(version_ids: Collection[UUID]) -> dict[UUID, list[Acceptance]]:
    """Map each version to its acceptances, oldest first. Runs one statement."""
    found = defaultdict(list)
    for row in ACCEPTANCES.read(versions=tuple(set(version_ids))):
        found[row.version_id].append(row)
    return found


def contacts(agreement_id: UUID) -> Sequence[AgreementContact]:
    return CONTACTS.read(agreement_id=agreement_id)


# ---- versions in time


VERSIONS = Rows(
    AgreementVersion, lambda m: m.agreement_id == _AGREEMENT, lambda m: (m.number.desc(),)
)


def versions(agreement_id: UUID) -> list[AgreementVersion]:
    """Return all versions that the acting side may see, newest first."""
    return [each for each in VERSIONS.read(agreement_id=agreement_id) if is_visible(each)]


def with_versions(agreement_id: UUID) -> tuple[Agreement, list[AgreementVersion]]:
    """Return the agreement and its versions that the acting side may see, newest first.

    Runs one statement. Raises NotFound for another tenant's agreement.
    """
    return agreement(agreement_id), versions(agreement_id)


def has_open_version(agreement_id: UUID) -> bool:
    """Return True if either side has a draft or a proposal."""
    return any(v.state in OPEN_STATES for v in VERSIONS.read(agreement_id=agreement_id))


def open_version(agreement_id: UUID) -> AgreementVersion | None:
    """Return the open draft or proposal of either side; the caller checks `is_visible`."""
    query = select(AgreementVersion).where(
        AgreementVersion.agreement_id == agreement_id, AgreementVersion.state.in_(OPEN_STATES)
    )
    return session().scalars(query).one_or_none()


def accepted_versions(agreement_ids: Collection[UUID]) -> dict[UUID, list[AgreementVersion]]:
    """Map each agreement to its accepted versions, in the order in which they take effect."""
    found = defaultdict[UUID, list[AgreementVersion]](list)
    if not agreement_ids:
        return found
    query = select(AgreementVersion).where(
        AgreementVersion.agreement_id.in_(set(agreement_ids)), AgreementVersion.state == "accepted"
    )
    for row in session().scalars(query.order_by(AgreementVersion.effective_from)):
        found[row.agreement_id].append(row)
    return found


def versions_in(agreement_id: UUID, span: Span) -> list[tuple[Span, AgreementVersion]]:
    """Return each version with the minutes of the span in which it is in force, in order.

    Gaps between versions have no entry.

    A version is in force from its effective date until the next one's, until the end of the last
    day of its term, or until the agreement ended, whichever comes first.
    """
    found = agreement(agreement_id)
    return in_force(found, accepted_versions([agreement_id])[agreement_id], span)


def in_force(
    of: Agreement, accepted: Sequence[AgreementVersion], span: Span
) -> list[tuple[Span, AgreementVersion]]:
    """Return what `versions_in` does, from accepted versions that the caller has read."""
    found = []
    for place, each in enumerate(accepted):
        ends = [
            span.end,
            *(_ends(of, each)),
            *(v.effective_from for v in accepted[place + 1 :][:1]),
        ]
        part = Span(max(each.effective_from.astimezone(UTC), span.start), min(ends).astimezone(UTC))
        if part.start < part.end:
            found.append((part, each))
    return found


def current_version(
    of: Agreement, accepted: Sequence[AgreementVersion], at: datetime
) -> AgreementVersion | None:
    """Return the version in force in the minute of `at`, from accepted versions already read."""
    start = whole_minute(at)
    found = in_force(of, accepted, Span(start, start + timedelta(minutes=1)))
    return found[0][1] if found else None


def _ends(of: Agreement, version: AgreementVersion) -> list[datetime]:
    end = term_end(version)
    return [each for each in (of.ended_at, end) if each is not None]


def term_end(version: AgreementVersion) -> datetime | None:
    """Return the midnight after the term's last day, in its zone; None if open-ended."""
    if version.ends_on is None:
        return None
    midnight = datetime.combine(version.ends_on + DAY, time(), ZoneInfo(version.time_zone))
    return midnight.astimezone(UTC)


def in_force_during(
    span: Span, direction: str
) -> list[tuple[Agreement, list[tuple[Span, AgreementVersion]]]]:
    """Return the agreements of a direction with their versions in force in a span.

    Agreements without one are left out. Runs one statement.
    """
    every = with_accepted_versions(direction)
    each_in = ((each, in_force(each, accepted, span)) for each, accepted in every)
    return [(each, spans) for each, spans in each_in if spans]


WITH_ACCEPTED: tuple[Rows[Any], ...] = (
    Rows(Agreement, lambda m: m.direction == _DIRECTION, lambda m: (m.number,)),
    Rows(
        AgreementVersion,
        lambda m: and_(
            m.state == "accepted",
            m.agreement_id.in_(select(Agreement.id).where(Agreement.direction == _DIRECTION)),
        ),
        lambda m: (m.effective_from,),
    ),
)


def with_accepted_versions(direction: str) -> list[tuple[Agreement, list[AgreementVersion]]]:
    """Return the agreements of a direction, by number, with their accepted versions.

    Versions are in the order in which they take effect. Runs one statement.
    """
    agreements, accepted = read_rows(*WITH_ACCEPTED, direction=direction)
    of_each = defaultdict[UUID, list[AgreementVersion]](list)
    for version in accepted:
        of_each[version.agreement_id].append(version)
    return [(each, of_each[each.id]) for each in agreements]


def commitments_in_force() -> Select[Agreement, Commitment]:
    """Select each agreement's newest version that has taken effect, joined to its commitments."""
    v, now = AgreementVersion, clock.now()
    newest = (
        select(v.agreement_id, func.max(v.effective_from).label("at"))
        .where(v.state == "accepted", v.effective_from <= now)
        .group_by(v.agreement_id)
        .subquery()
    )
    return (
        select(Agreement, Commitment)
        .join(v, v.agreement_id == Agreement.id)
        .join(newest, (newest.c.agreement_id == v.agreement_id) & (newest.c.at == v.effective_from))
        .join(Commitment, Commitment.version_id == v.id)
        .where(
            v.state == "accepted",
            Agreement.ended_at.is_(None) | (Agreement.ended_at > now),
            v.ends_on.is_(None) | (v.ends_on >= clock.today()),
        )
        .order_by(Agreement.number, Commitment.clause)
    )
